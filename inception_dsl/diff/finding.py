"""The findings of a comparison, as data that a rule grades and an emitter prints."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import Diagnostic, Severity
from inception_dsl.diff.code_topics import (
    ArgumentRenamed,
    CodeTopic,
    DrawChanged,
    FormChanged,
    FreezingChanged,
    IdleTensorsListed,
    NumbersChanged,
    TrainingChanged,
)
from inception_dsl.diff.costs import Measured
from inception_dsl.diff.edit_facts import Category, StepFacts
from inception_dsl.diff.edits import (
    Diff,
    Edit,
    EndChanged,
    HeadListed,
    ParameterListed,
    PortsChanged,
)
from inception_dsl.expr import Expr
from inception_dsl.ir import NETWORK, Bound, Model, Path, Value
from inception_dsl.source import Span

if TYPE_CHECKING:
    from inception_dsl.ir.recipe import Recipe, RecipeSetting
    from inception_dsl.spec.files import CodeTensor


RECIPE = "training"
"""The key of a recipe in a spec, which is the place of its findings."""


@dataclass(frozen=True, slots=True)
class SpecListed:
    """A spec or a network of code that only one side has, with its cost."""

    name: str
    is_new: bool
    params: int
    macs: int
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class SpecRenamed:
    """A spec that has another name."""

    old_name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text of the network before and after; None if there is none."""

    field: Literal["name", "title", "source"]
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class TextsChanged:
    """A change of the texts for readers, of the network or of some blocks."""

    texts: tuple[TextChange, ...]
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConditionsChanged:
    """A condition that is written in another way, and that decides alike in every call.

    Attributes:
        block: the block that holds the steps under it, at `paths`.
        before, after: the condition; None where the steps are always there.
        old, new: the lines of the first of these steps.
    """

    block: str
    paths: tuple[Path, ...]
    before: Expr | None
    after: Expr | None
    old: Span | None
    new: Span | None


@dataclass(frozen=True, slots=True)
class ExpressionsChanged:
    """An expression of a block that changes, and that has the same value in every call.

    Attributes:
        block: the block that holds the steps with the expression, at `paths`; no path for the
            default of a parameter.
        name: that of the attribute, the argument or the parameter; None for the count of copies.
        before, after: the expression, or the value; None for a parameter without a default.
        old, new: the lines of the first of these steps, or of the block.
    """

    block: str
    paths: tuple[Path, ...]
    name: str | None
    before: Value | Expr | None
    after: Value | Expr | None
    old: Span | None
    new: Span | None


@dataclass(frozen=True, slots=True)
class CostsChanged:
    """A change of the network's cost; `costs` are the measures that change."""

    costs: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class BudgetBroken:
    """A budget that the old network met and the new one exceeds.

    `is_old`: only the old spec has it.
    """

    bound: Bound
    before: int
    after: int
    is_old: bool


@dataclass(frozen=True, slots=True)
class BudgetChanged:
    """A budget that is added or removed, or has another bound."""

    before: Bound | None
    after: Bound | None

    @property
    def place(self) -> str:
        """The measure that it bounds, behind the path of its step."""
        bound = self.after or self.before
        assert bound is not None
        return bound.place


@dataclass(frozen=True, slots=True)
class RecipeChanged:
    """A setting of the recipe with another value; one without a value is not there, or unknown.

    `key` is its key in a spec.
    """

    key: str
    before: RecipeSetting[object]
    after: RecipeSetting[object]


@dataclass(frozen=True, slots=True)
class RecipeListed:
    """A recipe that only one side has."""

    recipe: Recipe
    is_new: bool


Topic = (
    Edit
    | CodeTopic
    | SpecListed
    | SpecRenamed
    | TextsChanged
    | ConditionsChanged
    | ExpressionsChanged
    | CostsChanged
    | BudgetBroken
    | BudgetChanged
    | RecipeChanged
    | RecipeListed
)
"""The subject of a finding."""


@dataclass(frozen=True, slots=True)
class FindingSpot:
    """One place of a finding, in a spec and in the code of a network.

    Attributes:
        path: the path of the step in the old model; in the new one, of an added step.
        module: the path of the module of torch that runs it; None if none does, or none is known.
        old, new: the lines; None on a side that has none.
    """

    path: Path
    module: str | None
    old: Span | None
    new: Span | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a comparison: its code, its severity, and the edit or other subject.

    Attributes:
        about: the edit, or another subject.
        old, new: the lines in both specs; None on a side that has none.
        waived: the project's reason for accepting it, if there is one.
        spots: each place with its lines, if a network is one of code.
    """

    code: str
    category: Category
    severity: Severity
    about: Topic
    old: Span | None = None
    new: Span | None = None
    waived: str | None = None
    spots: tuple[FindingSpot, ...] = ()

    @property
    def edit(self) -> Edit | None:
        """The edit that it is about, if it is about one."""
        match self.about:
            case StepFacts() | EndChanged() | PortsChanged() | ParameterListed() | HeadListed():
                return self.about
            case _:
                return None

    @property
    def at(self) -> Path:
        """The place: a step, a block, a measure or a spec."""
        match self.about:
            case SpecListed(name=name) | SpecRenamed(new_name=name):
                return Path(name)
            case TextsChanged() | CostsChanged():
                return Path(NETWORK)
            case ConditionsChanged(block=block, paths=paths):
                return paths[0] if block == NETWORK else Path(block) / paths[0]
            case ExpressionsChanged(block=block, paths=paths):
                first = paths[0] if paths else ""
                return Path(first) if block == NETWORK else Path(block) / first
            case BudgetBroken(bound=bound):
                return Path(bound.place)
            case BudgetChanged():
                return Path(self.about.place)
            case RecipeChanged(key=key):
                return Path(RECIPE) / key
            case RecipeListed():
                return Path(RECIPE)
            case IdleTensorsListed(holders=paths) | FreezingChanged(modules=paths):
                return paths[0] if len(paths) == 1 else Path(NETWORK)
            case DrawChanged(modules=paths) | NumbersChanged(modules=paths):
                return paths[0] if len(paths) == 1 else Path(NETWORK)
            case TrainingChanged() | FormChanged() | ArgumentRenamed():
                return Path(NETWORK)
            case _:
                return self.about.at


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two models: the models, the edits between them, and the findings.

    Attributes:
        old_name, new_name: the names by which a report calls the specs.
        old_tensors, new_tensors: of a spec that was made of code, the tensors there by its keys.
        aim: whether the new network is a change of the old one, or code that is held against it.
    """

    old_name: str
    new_name: str
    old: Model
    new: Model
    old_cost: CostReport
    new_cost: CostReport
    diff: Diff
    costs: tuple[Measured, ...]
    findings: tuple[Finding, ...]
    old_tensors: Mapping[str, CodeTensor] = field(default_factory=dict)
    new_tensors: Mapping[str, CodeTensor] = field(default_factory=dict)
    aim: Literal["change", "verify"] = "change"

    @property
    def title(self) -> str:
        """The names of both specs; one name if they share it."""
        if self.aim == "verify":
            return f"{self.new_name} against {self.old_name}"
        if self.old_name == self.new_name:
            return self.new_name
        return f"{self.old_name} -> {self.new_name}"


@dataclass(frozen=True, slots=True)
class Unmade:
    """A failed comparison with its errors; it counts neither as clean nor as a change.

    Attributes:
        aim: as of a comparison that is made.
    """

    name: str
    diagnostics: tuple[Diagnostic, ...]
    aim: Literal["change", "verify"] = "change"

    @property
    def title(self) -> str:
        """Return the name of the spec, and that it could not be compared."""
        return f"{self.name} could not be compared"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of `diff`: comparisons, and specs that only one side has.

    Attributes:
        against: the revision that everything is compared with, if it is one.
        lone: a finding for every spec that was added or removed.
        alike: the number of specs that are the same on both sides.
        warnings: the warnings about the comparison itself.
        fails: there are findings on which the project, or the caller, wants it to fail.
        root: the folder from which findings name their files, if it is known.
    """

    comparisons: tuple[Comparison, ...]
    against: str | None = None
    lone: tuple[Finding, ...] = ()
    unmade: tuple[Unmade, ...] = ()
    alike: int = 0
    warnings: tuple[Diagnostic, ...] = ()
    fails: bool = False
    root: pathlib.Path | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, in order."""
        in_pairs = (found for made in self.comparisons for found in made.findings)
        return (*in_pairs, *self.lone)
