"""A model: the blocks as their author wrote them, and the network as it runs.

All of it is frozen data without parent pointers. A path is relative to the block, or the call,
that holds it; `inline` makes paths absolute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import prod
from typing import Literal

from inception_dsl.expr import Expr
from inception_dsl.ir.path import Path
from inception_dsl.source import Span

INPUT = Path("input")
"""The path of a block's input. No step can have this name."""

NETWORK = "network"
"""The name of the block that is the whole network. No other block can have this name."""

Value = int | Decimal | bool | str | tuple[int, int]
"""The value of an attribute once its block is called."""

Attributes = Mapping[str, Value | Expr]
"""All attributes of an op, defaults included; nobody changes the mapping."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """The shape of a value: (channels, height, width) of a map or (features,) of a vector.

    The batch is never part of it.
    """

    shape: tuple[int, ...]

    @property
    def channels(self) -> int:
        """The channels of a map, or the features of a vector."""
        return self.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """The height and the width of a map."""
        _, height, width = self.shape
        return height, width

    @property
    def is_map(self) -> bool:
        """It has a height and a width."""
        return len(self.shape) == 3

    @property
    def values(self) -> int:
        """The count of its numbers."""
        return prod(self.shape)

    def __str__(self) -> str:
        """Return it as the papers print it: `35x35x384`, `1536`."""
        if self.is_map:
            channels, height, width = self.shape
            return f"{height}x{width}x{channels}"
        return str(self.channels)


@dataclass(frozen=True, slots=True)
class Origin:
    """The lines that wrote something, innermost first: a block's line, then the line of its call.

    A model that no text wrote, such as an imported one, has origins without spans.
    """

    spans: tuple[Span, ...] = ()

    @property
    def span(self) -> Span | None:
        """The innermost line; None if no text wrote it."""
        return self.spans[0] if self.spans else None

    def called_from(self, outer: Origin) -> Origin:
        """Return the same origin, seen through the call that stands at `outer`."""
        return Origin(self.spans + outer.spans)


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a block; a call must bind one without a default."""

    name: str
    default: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    """The common part of the steps of a block.

    Attributes:
        path: where it stands in its block.
        inputs: the paths of the steps that it reads.
        count: the number of copies that follow each other, each with weights of its own, at
            `path.0`, `path.1`, ...; None for a single step at `path`.
        branch: the path of the innermost branch that holds it.
        origin: its line.
        reuses: the path of the earlier step whose weights it has; None if it has its own.
        is_named: its author named it; false if its path ends in the name of its op or block,
            counted in its list.
    """

    path: Path
    inputs: tuple[Path, ...]
    count: Expr | None
    branch: Path
    origin: Origin
    reuses: Path | None = None
    is_named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDef(_Definition):
    """An op in a block; its attributes may be expressions over the block's parameters."""

    op: str
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDef(_Definition):
    """A block called in another; its arguments may be expressions over the other's parameters."""

    block: str
    arguments: Attributes


StepDef = NodeDef | CallDef
"""A step of a block, as its author wrote it."""


@dataclass(frozen=True, slots=True)
class BlockDef:
    """A block as its author wrote it: steps in order, each reading earlier ones.

    Attributes:
        output: the path of the step whose value the block gives.
    """

    name: str
    title: str | None
    source: str | None
    params: tuple[Param, ...]
    body: tuple[StepDef, ...]
    output: Path
    origin: Origin


@dataclass(frozen=True, slots=True)
class Node:
    """An op that runs: every attribute has its value, every edge its type."""

    path: Path
    inputs: tuple[Path, ...]
    op: str
    attributes: Mapping[str, Value]
    input_types: tuple[TensorType, ...]
    type: TensorType
    origin: Origin
    reuses: Path | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A block that runs, on one input and with one set of arguments.

    Calls of one block with equal arguments on equal types share one `body`.
    """

    path: Path
    input: Path
    block: str
    arguments: Mapping[str, Value]
    input_type: TensorType
    type: TensorType
    body: tuple[Node | Call, ...]
    output: Path
    origin: Origin
    reuses: Path | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A training head: it reads the step `at`, and runs in training only.

    Attributes:
        path: the prefix of its steps in the network.
        at: the step that it reads.
        output: the step that makes its result.
        loss_weight: the weight of its loss in the sum.
    """

    path: Path
    at: Path
    output: Path
    loss_weight: Decimal

    def holds(self, path: str) -> bool:
        """Tell whether the step at this path is one of the head's."""
        return Path(path).is_within(self.path)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as a budget or a claim writes it: `<= 43M`, `~ 159Ki`, `9408`.

    Attributes:
        tolerance: half a unit of the last digit of a number written with `~`.
        text: the number as written.
    """

    relation: Literal["<=", "<", ">=", ">", "==", "~"]
    amount: int
    tolerance: Fraction
    text: str

    def holds(self, computed: int) -> bool:
        """Tell whether a computed number satisfies the relation."""
        match self.relation:
            case "~":
                return abs(computed - self.amount) <= self.tolerance
            case "<=":
                return computed <= self.amount
            case "<":
                return computed < self.amount
            case ">=":
                return computed >= self.amount
            case ">":
                return computed > self.amount
            case "==":
                return computed == self.amount


@dataclass(frozen=True, slots=True)
class Bound:
    """One line of a budget: at most 43M `params`."""

    measure: str
    quantity: Quantity
    origin: Origin


@dataclass(frozen=True, slots=True)
class Claim:
    """A number or a shape that a source gives for the network, or for the step at a path.

    Attributes:
        at: a path; None for the network.
        measure: what is claimed: a cost, `depth`, `shape`, or `in`, what a step reads.
        value: the number, or a shape's text.
        input: the input that it is claimed for; None for the network's own.
        with_heads: training heads count.
        deviates: the reason why it does not hold, or why another claim of its entry does not.
        origin: the line of the value, then the entry.
    """

    at: str | None
    measure: str
    value: Quantity | str
    input: TensorType | None
    with_heads: bool
    source: str | None
    deviates: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Model:
    """A network: its blocks in order of first use, and the call of the whole.

    `blocks` holds callees before callers and ends with the network's own, named `NETWORK`.
    """

    name: str
    title: str | None
    source: str | None
    blocks: tuple[BlockDef, ...]
    root: Call
    heads: tuple[Head, ...]
    budget: tuple[Bound, ...]
    claims: tuple[Claim, ...]

    @property
    def network(self) -> BlockDef:
        """The block that is the whole network; its parameters are the model's."""
        return self.blocks[-1]

    @property
    def input(self) -> TensorType:
        """The type of the network's input."""
        return self.root.input_type
