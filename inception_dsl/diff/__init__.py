"""The comparison of two models: the edits between them, with their effects.

Models are compared, not text. Steps are paired by path, then by structure. Each difference of a
pair is an edit, with its category, its places, its tensors and its consequences.
"""

from inception_dsl.diff.carry import (
    plan_weights,
)
from inception_dsl.diff.compare import (
    compare,
)
from inception_dsl.diff.costs import (
    Measured,
    compare_costs,
)
from inception_dsl.diff.edit_facts import (
    CATEGORIES,
    Category,
    Content,
    EditPlace,
    KeyChange,
    SourceSpot,
    StepCategory,
    StepWords,
)
from inception_dsl.diff.edits import (
    Added,
    ArgumentChange,
    ArgumentsChanged,
    BlockRenamed,
    Changed,
    Diff,
    Edit,
    EndChanged,
    HeadListed,
    InterfaceEdit,
    LossChanged,
    Moved,
    OutputRewired,
    ParameterListed,
    Removed,
    Renamed,
    Reordered,
    Reparented,
    Replaced,
    Rewired,
    SharingChanged,
    Stage,
    StepEdit,
)
from inception_dsl.diff.finding import (
    BudgetBroken,
    BudgetChanged,
    Comparison,
    CostsChanged,
    Finding,
    Report,
    SpecListed,
    SpecRenamed,
    TextChange,
    TextsChanged,
    Topic,
    Unmade,
)
from inception_dsl.diff.match import (
    match_specs,
)

__all__ = [
    "CATEGORIES",
    "Added",
    "ArgumentChange",
    "ArgumentsChanged",
    "BlockRenamed",
    "BudgetBroken",
    "BudgetChanged",
    "Category",
    "Changed",
    "Comparison",
    "Content",
    "CostsChanged",
    "Diff",
    "Edit",
    "EditPlace",
    "EndChanged",
    "Finding",
    "HeadListed",
    "InterfaceEdit",
    "KeyChange",
    "LossChanged",
    "Measured",
    "Moved",
    "OutputRewired",
    "ParameterListed",
    "Removed",
    "Renamed",
    "Reordered",
    "Reparented",
    "Replaced",
    "Report",
    "Rewired",
    "SharingChanged",
    "SourceSpot",
    "SpecListed",
    "SpecRenamed",
    "Stage",
    "StepCategory",
    "StepEdit",
    "StepWords",
    "TextChange",
    "TextsChanged",
    "Topic",
    "Unmade",
    "compare",
    "compare_costs",
    "match_specs",
    "plan_weights",
]
