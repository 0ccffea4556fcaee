"""Model x Model -> edits: what a change to an architecture means.

Models are compared, not text. Steps are paired by path, then by structure; what a pair differs in
is an edit, with its category, its places, its tensors and what follows from it.
"""

from inception_dsl.diff.carry import plan_weights
from inception_dsl.diff.compare import compare
from inception_dsl.diff.costs import Measured, compare_costs
from inception_dsl.diff.edits import (
    CATEGORIES,
    Added,
    Category,
    Changed,
    Diff,
    Edit,
    KeyChange,
    Moved,
    Place,
    Removed,
    Renamed,
    Rewired,
    Spot,
    Stage,
)
from inception_dsl.diff.finding import Comparison, Finding, Report, Unmade
from inception_dsl.diff.match import match_specs

__all__ = [
    "CATEGORIES",
    "Added",
    "Category",
    "Changed",
    "Comparison",
    "Diff",
    "Edit",
    "Finding",
    "KeyChange",
    "Measured",
    "Moved",
    "Place",
    "Removed",
    "Renamed",
    "Report",
    "Rewired",
    "Spot",
    "Stage",
    "Unmade",
    "compare",
    "compare_costs",
    "match_specs",
    "plan_weights",
]
