"""Measurements of a model: frozen reports beside it, keyed by path. An analysis raises nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inception_dsl.analysis.cost import (
    GROUPINGS,
    CostReport,
    CostRow,
    Group,
    Grouping,
    Totals,
    group,
    measure_cost,
)
from inception_dsl.analysis.dtypes import BYTES
from inception_dsl.analysis.quantities import Quantities, find_quantity
from inception_dsl.analysis.stage import build_stage_lookup

if TYPE_CHECKING:
    from inception_dsl.analysis.classes import Classes, settle_classes
    from inception_dsl.analysis.conventions import CONVENTIONS, Convention
    from inception_dsl.analysis.counting import (
        ConventionCount,
        WorkReport,
        count_by,
        measure_work,
    )
    from inception_dsl.analysis.depth import measure_depths
    from inception_dsl.analysis.field import Field, Windows, measure_fields
    from inception_dsl.analysis.forward import ForwardPlan, Partition, Statement, plan_forward
    from inception_dsl.analysis.liveness import Unread, find_unread
    from inception_dsl.analysis.memory import MemoryReport, measure_memory
    from inception_dsl.analysis.modules import Holder, ModuleCall, has_module
    from inception_dsl.analysis.shares import CostShare, find_largest_shares
    from inception_dsl.analysis.state import list_state, measure_state, reads_tensors
    from inception_dsl.analysis.unwritable import Unwritable, find_unwritable
    from inception_dsl.analysis.widths import BlockWidths, Width, measure_widths

_LATER = {
    "measure_work": "counting",
    "count_by": "counting",
    "WorkReport": "counting",
    "ConventionCount": "counting",
    "Convention": "conventions",
    "CONVENTIONS": "conventions",
    "BlockWidths": "widths",
    "Classes": "classes",
    "CostShare": "shares",
    "Field": "field",
    "ForwardPlan": "forward",
    "Holder": "modules",
    "MemoryReport": "memory",
    "ModuleCall": "modules",
    "Partition": "forward",
    "Statement": "forward",
    "Unread": "liveness",
    "Unwritable": "unwritable",
    "Width": "widths",
    "Windows": "field",
    "find_largest_shares": "shares",
    "find_unread": "liveness",
    "find_unwritable": "unwritable",
    "has_module": "modules",
    "measure_depths": "depth",
    "measure_fields": "field",
    "measure_memory": "memory",
    "measure_state": "state",
    "measure_widths": "widths",
    "plan_forward": "forward",
    "list_state": "state",
    "reads_tensors": "state",
    "settle_classes": "classes",
}
"""The module of each name that is imported on first use, because not every command needs it."""

__all__ = [
    "BYTES",
    "CONVENTIONS",
    "GROUPINGS",
    "BlockWidths",
    "Classes",
    "Convention",
    "ConventionCount",
    "CostReport",
    "CostRow",
    "CostShare",
    "Field",
    "ForwardPlan",
    "Group",
    "Grouping",
    "Holder",
    "MemoryReport",
    "ModuleCall",
    "Partition",
    "Quantities",
    "Statement",
    "Totals",
    "Unread",
    "Unwritable",
    "Width",
    "Windows",
    "WorkReport",
    "build_stage_lookup",
    "count_by",
    "find_largest_shares",
    "find_quantity",
    "find_unread",
    "find_unwritable",
    "group",
    "has_module",
    "list_state",
    "measure_cost",
    "measure_depths",
    "measure_fields",
    "measure_memory",
    "measure_state",
    "measure_widths",
    "measure_work",
    "plan_forward",
    "reads_tensors",
    "settle_classes",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
