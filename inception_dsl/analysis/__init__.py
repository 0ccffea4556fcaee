"""What can be computed of a model: frozen reports beside it, keyed by path. Nothing here raises."""

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
from inception_dsl.analysis.depth import measure_depths
from inception_dsl.analysis.field import Field, Windows, measure_fields
from inception_dsl.analysis.figure import find_figure
from inception_dsl.analysis.forward import ForwardPlan, Statement, plan_forward
from inception_dsl.analysis.liveness import Unread, find_unread
from inception_dsl.analysis.memory import BYTES, MemoryReport, measure_memory
from inception_dsl.analysis.modules import Holder, Step, Unit, has_module
from inception_dsl.analysis.parts import Part, largest_parts
from inception_dsl.analysis.state import measure_state, state_of
from inception_dsl.analysis.widths import BlockWidths, Width, measure_widths

__all__ = [
    "BYTES",
    "GROUPINGS",
    "BlockWidths",
    "CostReport",
    "CostRow",
    "Field",
    "ForwardPlan",
    "Group",
    "Grouping",
    "Holder",
    "MemoryReport",
    "Part",
    "Statement",
    "Step",
    "Totals",
    "Unit",
    "Unread",
    "Width",
    "Windows",
    "find_figure",
    "find_unread",
    "group",
    "has_module",
    "largest_parts",
    "measure_cost",
    "measure_depths",
    "measure_fields",
    "measure_memory",
    "measure_state",
    "measure_widths",
    "plan_forward",
    "state_of",
]
