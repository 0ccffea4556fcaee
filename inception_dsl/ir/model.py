"""A model: blocks as they are written, and the network as it runs.

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
"""The path by which steps of a block read what enters it. No step can have this name."""

NETWORK = "network"
"""The name of the block that is the whole network. No other block can have this name."""

Value = int | Decimal | bool | str | tuple[int, int]
"""What an attribute holds once its block is called."""

Attributes = Mapping[str, Value | Expr]
"""An op's attributes, all of them, defaults included; never changed after it is made."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """What flows along an edge: (channels, height, width) of a map or (features,) of a vector.

    The batch is never part of it.
    """

    shape: tuple[int, ...]

    @property
    def channels(self) -> int:
        """Channels of a map, features of a vector."""
        return self.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a map."""
        _, height, width = self.shape
        return height, width

    @property
    def is_map(self) -> bool:
        """It has a height and a width."""
        return len(self.shape) == 3

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    def __str__(self) -> str:
        """As the papers print it: `35x35x384`, `1536`."""
        if self.is_map:
            channels, height, width = self.shape
            return f"{height}x{width}x{channels}"
        return str(self.channels)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was written, innermost first: a block's line, then the line that calls it."""

    spans: tuple[Span, ...] = ()

    @property
    def span(self) -> Span | None:
        """The innermost line; None in a model that no text wrote, such as an imported one."""
        return self.spans[0] if self.spans else None

    def called_from(self, outer: Origin) -> Origin:
        """The same origin, seen through the call that stands at `outer`."""
        return Origin(self.spans + outer.spans)


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a block; without a default it must be bound."""

    name: str
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class NodeDef:
    """An op within a block, its attributes perhaps expressions.

    `count` copies follow each other, each with weights of its own, at `path.0`, `path.1`, ...;
    None is a single one at `path`. `branch` is the path of the innermost branch that holds it.
    `reuses` is the path of the earlier step whose weights it has, if it has none of its own.
    `is_named` is false where the path ends in the op's name, counted in its list.
    """

    path: Path
    inputs: tuple[Path, ...]
    op: str
    attributes: Attributes
    count: Expr | None
    branch: Path
    origin: Origin
    reuses: Path | None = None
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class CallDef:
    """A block called within a block; the other fields are a `NodeDef`'s."""

    path: Path
    inputs: tuple[Path, ...]
    block: str
    arguments: Attributes
    count: Expr | None
    branch: Path
    origin: Origin
    reuses: Path | None = None
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class BlockDef:
    """A block as it was written: steps in order, each reading earlier ones."""

    name: str
    title: str | None
    source: str | None
    params: tuple[Param, ...]
    body: tuple[NodeDef | CallDef, ...]
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

    `path` is the prefix of its steps, `output` what it gives; both are paths in the network.
    """

    path: Path
    at: Path
    output: Path
    loss_weight: Decimal

    def holds(self, path: str) -> bool:
        """The step at this path is one of the head's."""
        return Path(path).is_within(self.path)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was written: `<= 43M`, `~ 159Ki`, `9408`.

    `tolerance` is half a unit of the last digit of one written with `~`.
    """

    relation: Literal["<=", "<", ">=", ">", "==", "~"]
    amount: int
    tolerance: Fraction
    text: str

    def holds(self, figure: int) -> bool:
        """A computed figure is what this one says."""
        match self.relation:
            case "~":
                return abs(figure - self.amount) <= self.tolerance
            case "<=":
                return figure <= self.amount
            case "<":
                return figure < self.amount
            case ">=":
                return figure >= self.amount
            case ">":
                return figure > self.amount
            case "==":
                return figure == self.amount


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that must hold of the network: at most 43M `params`."""

    measure: str
    figure: Figure
    origin: Origin


@dataclass(frozen=True, slots=True)
class Claim:
    """What a source says of the network, or of the step at a path.

    Attributes:
        at: a path; None for the network.
        measure: what is claimed: a cost, `depth`, `shape`, or `in`, what a step reads.
        value: the figure, or a shape's text.
        input: the input that it is claimed for; None for the network's own.
        with_heads: training heads count.
        deviates: why it does not hold, or another claim of its entry, if one does not.
        origin: where the value stands, then the entry.
    """

    at: str | None
    measure: str
    value: Figure | str
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
        """What enters the network."""
        return self.root.input_type
