"""The form of a spec file: its keys, and the kind of value that each takes.

pydantic checks a tree as the author wrote it. `validate` turns its errors into findings.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from typing_extensions import TypeAliasType

DocumentPath = tuple[str | int, ...]
"""Keys and indices from the top of the document."""

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
    Body: TypeAlias = "str | list[Item] | LongSpec | BodySpec"
    Item: TypeAlias = "str | list[Item] | LongSpec | BodySpec | dict[str, Body]"
else:
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

    when: str | None = None
    scale: int | Decimal | str = 1
    act: str = "none"
    drop_path: int | Decimal | str = 0
    shortcut: Body | None = None


class LongSpec(_Spec):
    """A step in its long form; the other keys are attributes, or bindings of a block."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Word]

    op: str
    when: str | None = None
    reads: str | list[str] | dict[str, str] | None = Field(default=None, alias="from")
    out: str | int | None = None
    title: Text | None = None
    source: Text | None = None


class BodySpec(_Spec):
    """A body that is a mapping."""

    when: str | None = None
    inputs: list[str] | None = None
    outputs: list[str] | dict[str, str] | None = None
    reads: str | list[str] | dict[str, str] | None = Field(default=None, alias="from")
    reuse: str | None = None
    branches: dict[str, Body] | None = None
    join: Literal["concat", "add", "mul"] = "concat"
    order: list[str] | None = None
    steps: Body | None = None
    residual: ResidualSpec | None = None
    out: str | int | None = None
    title: Text | None = None
    source: Text | None = None
    params: list[str] | dict[str, Word | None] | None = None
    defaults: dict[str, dict[str, Word]] | None = None


class HeadSpec(_Spec):
    """A training head, which reads a step of the network."""

    at: str
    loss_weight: int | Decimal | None = None
    steps: Body


class ClaimSpec(_Spec):
    """The claims that a source makes of the network, or of the step at a path."""

    at: str | None = None
    input: str | dict[str, str] | None = None
    heads: bool = False
    source: Text | None = None
    deviates: Text | None = None
    params: str | int | None = None
    weights: str | int | None = None
    macs: str | int | None = None
    flops: str | int | None = None
    activations: str | int | None = None
    memory: str | int | None = None
    depth: str | int | None = None
    shape: str | int | None = None
    reads: str | int | None = Field(default=None, alias="in")


CLAIM_CONTEXT = frozenset(["at", "input", "heads", "source", "deviates"])
"""The keys of a claim that are no measure."""


class TableSpec(_Spec):
    """Rows of numbers under named columns; the other keys are the rows."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[Word]]

    source: Text | None = None
    columns: list[str]


class ModelSpec(_Spec):
    """A whole network, or a library of blocks and tables, as the author wrote it."""

    inception: Literal[1]
    name: str | None = None
    title: Text | None = None
    source: Text | None = None
    use: list[str] = []
    input: str | int | dict[str, str | int] | None = None
    params: dict[str, Word] = {}
    defaults: dict[str, dict[str, Word]] = {}
    tables: dict[str, TableSpec] = {}
    blocks: dict[str, Body] = {}
    network: Body | None = None
    outputs: list[str] | dict[str, str] | None = None
    heads: dict[str, HeadSpec] = {}
    budget: dict[Measure, str | int] = {}
    claims: list[ClaimSpec] = []
