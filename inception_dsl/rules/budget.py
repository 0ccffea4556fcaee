"""The rule that a model costs no more than its budget says."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import Quantities
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.rules.subject import Subject, labels_at, shares

_PREDICATES = {
    "memory": "takes {} bytes of memory at its peak",
    "depth": "is {} convs and linears deep",
}


def over_budget(subject: Subject) -> Iterator[Diagnostic]:
    """Find the bounds that do not hold (E401), with the steps that weigh most."""
    model, quantities = subject.model, subject.quantities
    for bound in model.budget:
        figure = quantities.find(bound.measure, None, with_heads=False)
        written = bound.quantity
        if not isinstance(figure, int) or written.holds(figure):
            continue
        budget = written.text if written.relation != "==" else f"exactly {written.text}"
        says = _PREDICATES.get(bound.measure, f"has {{}} {bound.measure}").format(f"{figure:,}")
        message = f"`{model.name}` {says}, and its budget is {budget}"
        side = "over" if figure > written.amount else "under"
        excess = f"{abs(figure - written.amount):,} {side}"
        labels = (*labels_at(bound.origin, excess), *shares(quantities, bound.measure))
        notes = _peak(quantities) if bound.measure == "memory" else ()
        help = None
        if written.relation == "==" and figure < written.amount:
            help = f"a number alone is exact: write `<= {written.text}` for an upper bound"
        yield Diagnostic(
            "E401", message, labels, notes, help, expected=written.text, found=str(figure)
        )


def _peak(quantities: Quantities) -> tuple[str, ...]:
    memory = quantities.memory
    return (
        f"most is alive while `{memory.peak_at}` runs; "
        f"{memory.state:,} of it are parameters and running statistics",
    )
