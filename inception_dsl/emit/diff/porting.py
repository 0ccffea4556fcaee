"""The map of a port as text: module by module, and the departures of the networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from inception_dsl.diff.porting import PortDeparture
from inception_dsl.ir import Path
from inception_dsl.ir.weights import (
    ConcatOut,
    Copy,
    Expand,
    Fill,
    FoldScale,
    FoldScaleTransposed,
    FoldShift,
    PermuteIn,
    PermuteOut,
    Recipe,
    Reshape,
    Standardise,
    Subtract,
    WeightPlan,
    list_sources,
)
from inception_dsl.ops import shown
from inception_dsl.tables import Column, plain_table

MAX_SHOWN = 3
"""Maximum number of steps that a line names."""


def write_map(plan: WeightPlan) -> str:
    """Return the map, a line for the tensors of a module that come from one module."""
    rows = list(_list_rows(plan))
    rows += [(key, "", f"not carried over: {reason}") for key, reason in plan.fresh]
    rows += [("", key, f"not used: {reason}") for key, reason in plan.left]
    columns = [Column(name, "left") for name in ("to", "from", "tensors")]
    return plain_table(columns, rows)


def _list_rows(plan: WeightPlan) -> Iterator[tuple[str, str, str]]:
    """Yield the modules of tensors with the modules that they come from, and the ways."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for key, recipe in plan.recipes:
        sources = list_sources(recipe)
        old = Path(sources[0]).parent if sources else ""
        place = str(Path(key).parent), str(old)
        groups.setdefault(place, Counter())[_describe(recipe)] += 1
    for (new, old), ways in groups.items():
        total = ways.total()
        told = [f"{count} {way}" for way, count in ways.items() if way]
        if len(ways) == 1 and told:
            told = [next(iter(ways))]
        yield new or "(network)", old or "(network)", ", ".join([str(total), *told])


def _describe(recipe: Recipe) -> str:
    """Return the way in which a tensor is made, empty for a mere copy."""
    match recipe:
        case Copy():
            return ""
        case Reshape():
            return "in another shape"
        case Fill(value):
            return f"filled with {value:g}"
        case Expand():
            return "with one number for all channels"
        case PermuteIn():
            return "with input channels in another order"
        case PermuteOut():
            return "with channels in another order"
        case Subtract():
            return "less another tensor"
        case FoldScale() | FoldScaleTransposed() | FoldShift():
            return "with a norm folded in"
        case Standardise():
            return "standardised"
        case ConcatOut():
            return "joined from several"
        case _:
            assert_never(recipe)


def write_departures(departures: Iterable[PortDeparture]) -> list[str]:
    """Return a line for each way in which two networks depart from each other."""
    return [f"{_say(departure)}: {_list(departure.paths)}" for departure in departures]


def _say(departure: PortDeparture) -> str:
    count = len(departure.paths)
    what = f"{count} {departure.op}" + ("s" if count > 1 else "")
    training = ", in training alone" if departure.is_in_training else ""
    match departure.kind:
        case "changed":
            kept = ", which the norm behind takes over" if departure.keeps_values else ""
            return f"{what} with another {departure.name}{_change(departure)}{training}{kept}"
        case "replaced":
            return f"{what} in the place of {departure.name}"
        case "added":
            return f"{what} only in the new network{training}"
        case "removed":
            return f"{what} only in the old network{training}"
        case "rewired":
            return f"{what} with other inputs"
        case "reordered":
            kept = ", which the weights behind follow" if departure.keeps_values else ""
            return f"{what} in another order{kept}"
        case "shared":
            return f"{what} with the weights of another step"


def _change(departure: PortDeparture) -> str:
    if departure.before is None or departure.after is None:
        return ""
    return f", {shown(departure.before)} -> {shown(departure.after)}"


def _list(paths: Sequence[Path]) -> str:
    more = len(paths) - MAX_SHOWN
    listed = ", ".join(f"`{path}`" for path in paths[:MAX_SHOWN])
    return f"{listed} and {more} more" if more > 0 else listed


@dataclass(frozen=True, slots=True)
class PortResult:
    """The facts of a port that a person reads.

    Attributes:
        place: where the state_dict was in the checkpoint; empty if it was the checkpoint itself.
        carried: the number of tensors, and `needed`, that of the new network.
        left: the number of old tensors that nothing is made of.
        error: the largest difference that a run has found, as a share of the largest value; None if
            nothing could be compared.
        is_whole: outputs were compared, not single steps.
        is_finite: the checkpoint's own outputs are numbers.
        equal, steps: the number of steps that gave the same values, and of all that could.
    """

    old: str
    new: str
    place: str
    carried: int
    needed: int
    left: int
    departures: tuple[PortDeparture, ...]
    error: float | None
    is_whole: bool
    is_finite: bool
    equal: int
    steps: int


def write_result(result: PortResult) -> str:
    """Return the lines that a person reads after a port."""
    at = f", its `{result.place}`" if result.place else ""
    lines = [f"from     {result.old}{at}", f"to       {result.new}"]
    left = f", {result.left} old ones are not used" if result.left else ""
    lines.append(f"carried  {result.carried} of {result.needed} tensors{left}")
    lines += [f"departs  {line}" for line in write_departures(result.departures)]
    lines += [f"proved   {line}" for line in _tell_proof(result)]
    return "".join(f"{line}\n" for line in lines)


def _tell_proof(result: PortResult) -> Iterator[str]:
    """Yield the lines on what the runs prove."""
    if result.error is None:
        yield "nothing: the networks take other inputs"
        return
    values = "with random weights" + (" and with these" if result.is_finite else "")
    by = "bit by bit" if result.error == 0 else f"but for rounding, {result.error:.0e}"
    if result.is_whole:
        yield f"both networks give the same outputs {values}, {by}"
    else:
        yield f"{result.equal} of {result.steps} steps give the same values {values}, {by}"
        yield "not more: the others depart, or read steps that do"
    if not result.is_finite:
        yield "nothing with these weights: the networks give values that are no numbers"
