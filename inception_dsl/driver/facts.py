"""The properties that a report of a model needs, besides its cost."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from inception_dsl.driver.walk import Checked

if TYPE_CHECKING:
    from inception_dsl.emit.report import Facts


def measure_facts(
    checked: Checked,
    *,
    needs: Set[str],
    dtype: str = "float32",
    conventions: Iterable[str] = (),
) -> Facts:
    """Measure the properties that a report of a model needs, besides its cost.

    Args:
        needs: `memory`, `fields` and `depths`.
        dtype: the type of every number, which memory depends on.
        conventions: the names of the conventions that count it, too.
    """
    from inception_dsl import analysis
    from inception_dsl.emit.report import Facts

    model, cost = checked.model, checked.cost
    memory = fields = depths = None
    if "memory" in needs:
        memory = analysis.measure_memory(model, batch=cost.batch, dtype=dtype)
    if "fields" in needs:
        fields = analysis.measure_fields(model)
    if "depths" in needs:
        depths = analysis.measure_depths(model)
    counts = {}
    if names := list(conventions):
        work = analysis.measure_work(model, cost)
        counts = {name: analysis.count_by(analysis.CONVENTIONS[name], work) for name in names}
    outputs = tuple(path for path in model.graph.outputs.values() if fields and path in fields)
    is_imported = checked.file.is_imported
    return Facts(cost, memory, fields, depths, outputs, dtype, counts, is_imported)
