"""The form of a spec file: its keys, and the kind of value that each takes.

pydantic checks a tree as the author wrote it. `validate` turns its errors into findings.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from typing_extensions import TypeAliasType

Measure = Literal["params", "weights", "macs", "flops", "activations", "memory", "depth"]
"""A quantity that a budget can bound."""

BODY_KEYS = frozenset(
    ["branches", "defaults", "extends", "from", "inputs", "join", "op", "order", "out", "outputs"]
    + ["params", "residual", "reuse", "source", "steps", "title", "when"]
)
"""The keys of a body; a mapping in a list of steps with one other key names a step."""

WORK_KEYS = frozenset(["branches", "from", "op", "reuse", "steps"])
"""The keys of a body that say what does its work."""


def _kind(value: object) -> str:
    match value:
        case str():
            return "<text>"
        case list():
            return "<list>"
        case dict() if "op" in value:
            return "<long>"
        case dict() if len(value) == 1 and not value.keys() & BODY_KEYS:
            return "<named>"
        case dict():
            return "<body>"
        case _:
            return "<other>"


def _unnamed(value: object) -> str:
    kind = _kind(value)
    return "<body>" if kind == "<named>" else kind


class _Spec(BaseModel):
    # Built once, as a part of `ModelSpec`, not class by class.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


MAX_TEXT = 1000
Text = Annotated[str, Field(max_length=MAX_TEXT)]
"""A text for people: a title, a source, a reason."""

Word = str | int | Decimal | bool
"""A parameter's, a default's or a cell's value."""

if TYPE_CHECKING:
    from typing import Optional as Maybe

    Body: TypeAlias = "str | list[Item] | LongSpec | BodySpec"
    Item: TypeAlias = "str | list[Item] | LongSpec | BodySpec | dict[str, Body]"
else:

    class Maybe:
        """A key that may be left out, and is None then; one without a value is an error."""

        def __class_getitem__(cls, value: Any) -> Any:
            """Return the type of the key's value; pydantic takes a default as it is."""
            return value

    _BODIES = (
        Annotated[str, Tag("<text>")]
        | Annotated[list["Item"], Tag("<list>")]
        | Annotated["LongSpec", Tag("<long>")]
        | Annotated["BodySpec", Tag("<body>")]
    )
    Body = TypeAliasType("Body", Annotated[_BODIES, Discriminator(_unnamed)])
    """What does the work of a block, a branch, a head or the network."""

    Item = TypeAliasType(
        "Item",
        Annotated[_BODIES | Annotated[dict[str, Body], Tag("<named>")], Discriminator(_kind)],
    )
    """An entry in a list of steps: a body, or one under a name."""


class ResidualSpec(_Spec):
    """`act(shortcut(x) + scale * body(x))`, or the body alone where it is not there."""

    when: Maybe[str] = None
    scale: int | Decimal | str = 1
    act: str = "none"
    drop_path: int | Decimal | str = 0
    shortcut: Maybe[Body] = None


class LongSpec(_Spec):
    """A step in its long form; the other keys are attributes, or bindings of a block."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Word]

    op: str
    when: Maybe[str] = None
    reads: Maybe[str | list[str] | dict[str, str]] = Field(default=None, alias="from")
    out: Maybe[str | int] = None
    title: Maybe[Text] = None
    source: Maybe[Text] = None


class BodySpec(_Spec):
    """A body that is a mapping."""

    when: Maybe[str] = None
    inputs: Maybe[list[str]] = None
    outputs: Maybe[list[str] | dict[str, str]] = None
    reads: Maybe[str | list[str] | dict[str, str]] = Field(default=None, alias="from")
    reuse: Maybe[str] = None
    branches: Maybe[dict[str, Body]] = None
    join: Literal["concat", "add", "mul", "maximum", "minimum"] = "concat"
    order: Maybe[list[str]] = None
    steps: Maybe[Body] = None
    residual: Maybe[ResidualSpec] = None
    out: Maybe[str | int] = None
    title: Maybe[Text] = None
    source: Maybe[Text] = None
    params: Maybe[list[str] | dict[str, Word | None]] = None
    defaults: Maybe[dict[str, dict[str, Word]]] = None


class HeadSpec(_Spec):
    """A training head, which reads a step of the network."""

    at: str
    loss_weight: Maybe[int | Decimal] = None
    steps: Body


class _MeasuredSpec(_Spec):
    """A value for each quantity of a network."""

    params: Maybe[str | int] = None
    weights: Maybe[str | int] = None
    macs: Maybe[str | int] = None
    flops: Maybe[str | int] = None
    activations: Maybe[str | int] = None
    memory: Maybe[str | int] = None
    depth: Maybe[str | int] = None


class BudgetSpec(_MeasuredSpec):
    """The bounds on the cost of a network, and on that of its steps at their paths."""

    at: dict[str, dict[Measure, str | int]] = {}


class ClaimSpec(_MeasuredSpec):
    """The claims that a source makes of the network, or of the step at a path."""

    at: Maybe[str] = None
    input: Maybe[str | dict[str, str]] = None
    heads: bool = False
    source: Maybe[Text] = None
    deviates: Maybe[Text] = None
    shape: Maybe[str | int] = None
    reads: Maybe[str | int] = Field(default=None, alias="in")
    top1_error: Maybe[int | Decimal] = None
    top5_error: Maybe[int | Decimal] = None
    crops: Maybe[int] = None
    networks: Maybe[int] = None
    split: Maybe[Literal["validation", "test"]] = None


RESULTS = ("top1_error", "top5_error")
"""The keys of a claim that report an error of the trained network."""

RESULT_CONTEXT = frozenset(["crops", "networks", "split"])
"""The keys of a claim that say how a result was measured."""

CLAIM_CONTEXT = frozenset(["at", "input", "heads", "source", "deviates", *RESULT_CONTEXT])
"""The keys of a claim that are no measure."""


TRAINING = {
    "batch": "32",
    "replicas": "20",
    "epochs": "100",
    "optimizer": "sgd (momentum 0.9)",
    "learning_rate": "0.045 x 0.94 every 2 epochs",
    "label_smoothing": "0.1",
    "clip": "norm 2.0",
    "weight_decay": "4e-5 (weights)",
    "average": "ema 0.9999",
    "augment": "inception",
    "normalise": "mean 0.5 std 0.5",
}
"""The settings of a `training`, each with an example. `resolve` reads them: they are texts."""


class TableSpec(_Spec):
    """Rows of numbers under named columns; the other keys are the rows."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[Word]]

    source: Maybe[Text] = None
    columns: list[str]


class ModelSpec(_Spec):
    """A whole network, or a library of blocks and tables, as the author wrote it."""

    inception: Literal[1]
    name: Maybe[str] = None
    title: Maybe[Text] = None
    source: Maybe[Text] = None
    use: list[str] = []
    input: Maybe[str | int | dict[str, str | int]] = None
    params: dict[str, Word] = {}
    defaults: dict[str, dict[str, Word]] = {}
    tables: dict[str, TableSpec] = {}
    blocks: dict[str, Body] = {}
    network: Maybe[Body] = None
    outputs: Maybe[list[str] | dict[str, str]] = None
    heads: dict[str, HeadSpec] = {}
    budget: BudgetSpec = Field(default_factory=BudgetSpec)
    training: Any = None
    claims: list[ClaimSpec] = []
