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
from inception_dsl.analysis.figure import find_figure
from inception_dsl.analysis.liveness import Unread, find_unread
from inception_dsl.analysis.state import measure_state, state_of
from inception_dsl.analysis.widths import BlockWidths, Width, measure_widths

__all__ = [
    "GROUPINGS",
    "BlockWidths",
    "CostReport",
    "CostRow",
    "Group",
    "Grouping",
    "Totals",
    "Unread",
    "Width",
    "find_figure",
    "find_unread",
    "group",
    "measure_cost",
    "measure_state",
    "measure_widths",
    "state_of",
]
