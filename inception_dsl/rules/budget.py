"""A model costs no more than its budget says."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import find_figure
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import Model
from inception_dsl.rules.subject import Subject, shares

_PREDICATES = {
    "memory": "takes {} bytes of memory at its peak",
    "depth": "is {} convs and linears deep",
}


def over_budget(subject: Subject) -> Iterator[Diagnostic]:
    """E401 for every bound that does not hold, with the steps that weigh most."""
    model, cost = subject.model, subject.cost
    for bound in model.budget:
        figure = find_figure(model, cost, bound.measure, None, with_heads=False)
        written = bound.figure
        if not isinstance(figure, int) or written.holds(figure):
            continue
        budget = written.text if written.relation != "==" else f"exactly {written.text}"
        says = _PREDICATES.get(bound.measure, f"has {{}} {bound.measure}").format(f"{figure:,}")
        message = f"`{model.name}` {says}, and its budget is {budget}"
        side = "over" if figure > written.amount else "under"
        label = Label(bound.origin.spans[0], f"{abs(figure - written.amount):,} {side}")
        labels = (label, *shares(model, cost, bound.measure))
        notes = _peak(model) if bound.measure == "memory" else ()
        yield Diagnostic(
            "E401", message, labels, notes=notes, expected=written.text, found=str(figure)
        )


def _peak(model: Model) -> tuple[str, ...]:
    from inception_dsl.analysis import measure_memory

    memory = measure_memory(model, with_training=False)
    return (
        f"most is alive while `{memory.peak_at}` runs; "
        f"{memory.state:,} of it are parameters and running statistics",
    )
