"""A grid of networks that one spec gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.api.arguments import Param, make_overrides, name_spec, write_params
from inception_dsl.diagnostics import CallerTypeError

if TYPE_CHECKING:
    from inception_dsl.driver.swept import SweepTable


def sweep(
    spec: str | PathLike[str],
    axes: Mapping[str, str | Iterable[Param]],
    *,
    columns: Sequence[str] = ("params", "macs"),
    within: Sequence[str] = (),
    best: str | None = None,
    most: int = 10,
    input: str | Mapping[str, str] | None = None,
    params: Mapping[str, Param] | None = None,
) -> SweepTable:
    """Count a grid of networks, as `inception-dsl flops --sweep` does.

    Args:
        spec: a .yaml file, or a name that `inception-dsl list` shows.
        axes: the values of each axis, or a text of them such as `128:320:32`.
        columns: the costs: `params`, `weights`, `macs`, `flops`, `activations`, `depth`.
        within: bounds besides the budget, as in `["macs <= 5G"]`.
        best: the rows that fit best: `largest=macs`, `nearest=macs:5G`, `pareto=macs,params`.
        most: the number of rows that fit best; a Pareto front has all of its rows.
        input: another input than the spec's.
        params: other values for the network's parameters.

    Raises:
        SpecError: the spec has errors; E511 an axis that it has not, E512 wrong values.
        ValueError: a cost, a bound or a way is none of its choices.
        MissingExtraError: numpy is not installed.

    Example:
        >>> table = sweep("alexnet", {"num_classes": [10, 100, 1000]}, best="nearest=params:57M")
        >>> table.columns["params"].tolist()
        [57044810, 57413540, 61100840]
        >>> table.best
        (0, 1, 2)
    """
    from inception_dsl.driver.sweep_options import choose_costs, read_bound, read_most, read_wish
    from inception_dsl.driver.sweeping import begin_sweep
    from inception_dsl.driver.swept import gather

    choose_costs(columns)
    if not isinstance(axes, Mapping):
        raise CallerTypeError(
            f"`axes` is a mapping such as {{'num_classes': [10, 100]}}, not {axes!r}"
        )
    texts = [f"{name}={_write_axis(name, values)}" for name, values in axes.items()]
    wish = None if best is None else read_wish(best, most=read_most(str(most)))
    begun = begin_sweep(
        name_spec(spec),
        texts,
        folder=Path.cwd(),
        overrides=make_overrides(input, params),
        measures=[*columns, *([wish.measure, wish.other] if wish else [])],
        bounds=[read_bound(text) for text in within],
    )
    return gather(begun, wish)


def _write_axis(name: str, values: str | Iterable[Param]) -> str:
    if isinstance(values, str):
        return values
    if not isinstance(values, Iterable):
        raise CallerTypeError(
            f"the values of the axis `{name}` are a text or a list, not {values!r}"
        )
    return ",".join(write_params({name: value})[name] for value in values)
