"""The rule that a model and its steps cost no more than the budget says.

A finding tells the steps that weigh most, and how much would have to go for the bound to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inception_dsl.analysis import Quantities, find_largest_shares
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest, shorten
from inception_dsl.ir import Bound, Multiple, Path, Quantity
from inception_dsl.rules.subject import MAX_PARTS, SHARED, Subject, labels_at

_PREDICATES = {
    "memory": "takes {} bytes of memory at its peak",
    "depth": "is {} convs and linears deep",
}


def over_budget(subject: Subject) -> Iterator[Diagnostic]:
    """Find the bounds that do not hold (E401), and those of a path that no step has (E212).

    A multiple of another network that cannot be read is refused with that network's errors.
    """
    others: dict[str, Quantities] = {}
    for bound in subject.model.budget:
        figure = subject.quantities.find(bound.measure, bound.at, with_heads=False)
        if figure is None:
            yield _nowhere(bound, subject.quantities)
            continue
        written, notes = bound.quantity, list[str]()
        if isinstance(written, Multiple):
            from inception_dsl.analysis.claimed import measure_base

            assert subject.measure_spec is not None  # text wrote it
            try:
                base = measure_base(bound, written, subject.measure_spec, others)
            except SpecError as error:
                yield from map(_help_by_fix, error.diagnostics)
                continue
            other, written = written.of, written.settle(base)
            limit = f"{written.relation} {written.amount:,}"
            notes.append(f"`{shorten(other)}` has {base:,}: the bound is {limit}")
        if isinstance(figure, int) and not written.holds(figure):
            yield _exceed(bound, written, figure, subject, notes)


def _help_by_fix(finding: Diagnostic) -> Diagnostic:
    """Return a finding about the name of another spec, whose help is the nearest name."""
    if finding.fix is None:
        return finding
    return replace(finding, help=finding.fix.help(finding.labels[0].span))


def _exceed(
    bound: Bound, written: Quantity, figure: int, subject: Subject, notes: list[str]
) -> Diagnostic:
    """Return E401 for a bound that does not hold, with what would have to shrink."""
    budget = written.text if written.relation != "==" else f"exactly {written.text}"
    says = _PREDICATES.get(bound.measure, f"has {{}} {bound.measure}").format(f"{figure:,}")
    whose = f"`{bound.at}` of `{subject.model.name}`" if bound.at else f"`{subject.model.name}`"
    message = f"{whose} {says}, and its budget is {budget}"
    if figure == written.amount:
        side = "less" if written.relation == "<" else "more"
        excess = f"as much as the bound, and it has to be {side}"
    else:
        side = "over" if figure > written.amount else "under"
        excess = f"{abs(figure - written.amount):,} {side}"
    over = figure - written.amount + (written.relation == "<")
    labels = (*labels_at(bound.origin, excess), *_list_parts(bound, over, subject.quantities))
    if bound.measure == "memory" and bound.at is None:
        notes += _peak(subject.quantities)
    if over > 0 and written.relation in {"<=", "<"}:
        notes.append(f"it fits if it shrinks by {over:,}, {_percent(over, figure)}")
    help = None
    if written.relation == "==" and figure < written.amount:
        help = f"a number alone is exact: write `<= {written.text}` for an upper bound"
    return Diagnostic(
        "E401", message, labels, tuple(notes), help, expected=written.text, found=str(figure)
    )


def _list_parts(bound: Bound, over: int, quantities: Quantities) -> Iterator[Label]:
    """Yield the largest parts of a quantity; of one that could shrink alone, by how much.

    Args:
        over: the amount that has to go; none if it is not positive.
    """
    if bound.measure not in SHARED:
        return
    parts = find_largest_shares(quantities, bound.measure, bound.at, with_heads=False)
    if not parts and bound.at is not None:
        at = Path(bound.at)
        origin = quantities.origins.get(at) or quantities.origins.get(at / "0")
        yield from labels_at(origin, f"this is `{at}`") if origin else ()
    for part in parts[:MAX_PARTS]:
        is_enough = 0 < over < part.share
        alone = f"; {_percent(over, part.share)} less here is enough" if is_enough else ""
        yield from labels_at(part.origin, f"{part.share:,} here{alone}")


def _percent(part: int, whole: int) -> str:
    """Return a share in percent, rounded up so that it is enough."""
    tenths = -(-1000 * part // whole)
    return f"{tenths // 10}.{tenths % 10} %"


def _nowhere(bound: Bound, quantities: Quantities) -> Diagnostic:
    """Return E212 for a bound of a path that no step has."""
    at = str(bound.at)
    close = nearest(at, quantities.origins)
    message = f"no step has the path `{shorten(at)}`"
    help = f"its path may be `{close}`" if close else None
    others = labels_at(quantities.origins[Path(close)], f"`{close}` is here") if close else ()
    return Diagnostic("E212", message, (*labels_at(bound.origin), *others), help=help)


def _peak(quantities: Quantities) -> tuple[str, ...]:
    memory = quantities.memory
    return (
        f"most is alive while `{memory.peak_at}` runs; "
        f"{memory.state:,} of it are parameters and running statistics",
    )
