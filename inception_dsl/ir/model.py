"""A model: the blocks as their author wrote them, and the network as it runs.

All types are frozen data without parent pointers. A path is relative to the block or the call
that holds it; `Model.graph` has absolute paths.

Longer than 400 lines: the types are made of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.expr import Expr
from inception_dsl.ir.path import Path
from inception_dsl.ir.quantity import Multiple, Quantity
from inception_dsl.source import Span

if TYPE_CHECKING:
    from inception_dsl.ir.recipe import Recipe, Result

INPUT = Path("input")
"""The path of a block's input; several are `input.left`, `input.right`. No step has this name."""

NETWORK = "network"
"""The name of the block that is the whole network. No other block can have this name."""

Value = int | Decimal | bool | str | tuple[int, int]
"""The value of an attribute once its block is called."""

Attributes = Mapping[str, Value | Expr]
"""All attributes of an op by their names, defaults included."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """The type of a value: a map or a vector, without the batch.

    Shape: `(channels, height, width)` of a map, `(features,)` of a vector.
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
        """True for a map, false for a vector."""
        return len(self.shape) == 3

    @property
    def values(self) -> int:
        """The number of values in a tensor of this type."""
        return prod(self.shape)

    def __str__(self) -> str:
        """Print the type as the papers do: `35x35x384`, `1536`."""
        if self.is_map:
            channels, height, width = self.shape
            return f"{height}x{width}x{channels}"
        return str(self.channels)


def write_types(types: Mapping[str, TensorType]) -> str:
    """Print the types of inputs or outputs: `299x299x3`, or `left 105x105x1, right 105x105x1`.

    Args:
        types: the types by name; a single one has no name.
    """
    return ", ".join(f"{name} {type}" if name else str(type) for name, type in types.items())


@dataclass(frozen=True, slots=True)
class Origin:
    """The lines of a spec that wrote a step: its line in a block, then the line of each outer call.

    An imported model, which no spec wrote, has origins without spans.
    """

    spans: tuple[Span, ...] = ()

    @property
    def span(self) -> Span | None:
        """The innermost line; None if no spec wrote the step."""
        return self.spans[0] if self.spans else None

    def called_from(self, outer: Origin) -> Origin:
        """Return this origin followed by that of the call that runs the step."""
        return Origin(self.spans + outer.spans)


class Param(NamedTuple):
    """A parameter of a block; each call must bind it unless it has a default."""

    name: str
    default: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    """The common part of the steps of a block.

    Attributes:
        path: the path of the step in its block.
        inputs: the paths of the steps that it reads.
        count: the number of copies of a repeated step; None for a single one. The copies run one
            after the other, each with its own weights, at `path.0`, `path.1`, ...
        branch: the path of the innermost branch that holds the step.
        origin: the line that wrote the step.
        reuses: the path of the earlier step whose weights it has; None if it has its own.
        is_named: whether its author named it. The path of any other step ends in the name of its op
            or block, with a number if the list has several.
        when: the condition under which the step is there, decided in each call; None if it always
            is.
        otherwise: the path of the value that it gives where it is not there.
    """

    path: Path
    inputs: tuple[Path, ...]
    count: Expr | None
    branch: Path
    origin: Origin
    reuses: Path | None = None
    is_named: bool = True
    when: Expr | None = None
    otherwise: Path | None = None

    @property
    def reads(self) -> tuple[Path, ...]:
        """The paths of all values that it may give or read."""
        if self.otherwise is None or self.otherwise in self.inputs:
            return self.inputs
        return (*self.inputs, self.otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDef(_Definition):
    """An op in a block; its attributes may be expressions over the block's parameters."""

    op: str
    attributes: Attributes

    @property
    def gives(self) -> tuple[Path, ...]:
        """The path of its value: its own."""
        return (self.path,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDef(_Definition):
    """A call in a block; its arguments may be expressions over that block's parameters.

    Attributes:
        outputs: the names of the outputs of the called block; a single output has no name.
    """

    block: str
    arguments: Attributes
    outputs: tuple[str, ...] = ("",)

    @property
    def gives(self) -> tuple[Path, ...]:
        """The paths of its values: its own, or one below it for each of several outputs."""
        return tuple(self.path / name for name in self.outputs)


StepDef = NodeDef | CallDef
"""A step of a block as its author wrote it."""


@dataclass(frozen=True, slots=True)
class BlockDef:
    """A block as its author wrote it: its steps in order, each after the steps that it reads.

    Attributes:
        outputs: the path of the value of each output, by its name; a single output has no name.
        inputs: the path of each input: `input`, or `input.left` and `input.right`.
    """

    name: str
    title: str | None
    source: str | None
    params: tuple[Param, ...]
    body: tuple[StepDef, ...]
    outputs: Mapping[str, Path]
    origin: Origin
    inputs: tuple[Path, ...] = (INPUT,)

    @property
    def output(self) -> Path:
        """The path of the value of its only output."""
        (output,) = self.outputs.values()
        return output


@dataclass(frozen=True, slots=True)
class Node:
    """An op of the network as it runs, with the values of its attributes and its types."""

    path: Path
    inputs: tuple[Path, ...]
    op: str
    attributes: Mapping[str, Value]
    input_types: tuple[TensorType, ...]
    type: TensorType
    origin: Origin
    reuses: Path | None = None

    @property
    def types(self) -> dict[Path, TensorType]:
        """The type of its value, by the path of the value: its own."""
        return {self.path: self.type}


@dataclass(frozen=True, slots=True)
class Call:
    """A block of the network as it runs, on its inputs and with one set of arguments.

    Calls of one block with equal arguments and equal input types share one `body`.

    Attributes:
        inputs: the paths of the values that it reads, one for each input of its block.
        outputs: the path in the body of each output's value, by the output's name; a single output
            has no name.
        output_types: the types of the outputs, in order.
        entries: the path in the body of each input: `input`, or `input.left` and `input.right`.
        absent: the steps of the block that conditions leave out of the body, by path, each with the
            path of the value that it gives.
    """

    path: Path
    inputs: tuple[Path, ...]
    block: str
    arguments: Mapping[str, Value]
    input_types: tuple[TensorType, ...]
    output_types: tuple[TensorType, ...]
    body: tuple[Node | Call, ...]
    outputs: Mapping[str, Path]
    origin: Origin
    reuses: Path | None = None
    entries: tuple[Path, ...] = (INPUT,)
    absent: Mapping[Path, Path] = field(default_factory=dict)

    @property
    def input_type(self) -> TensorType:
        """The type of its only input."""
        (type,) = self.input_types
        return type

    @property
    def type(self) -> TensorType:
        """The type of its only output."""
        (type,) = self.output_types
        return type

    @property
    def output(self) -> Path:
        """The path in the body of the value of its only output."""
        (output,) = self.outputs.values()
        return output

    @property
    def types(self) -> dict[Path, TensorType]:
        """The types of its values, by path: its own path, or one below it for each output."""
        paths = (self.path / name for name in self.outputs)
        return dict(zip(paths, self.output_types, strict=True))


class Head(NamedTuple):
    """A training head, which reads the step `at` and runs in training only.

    Attributes:
        path: the path that holds its steps.
        at: the path of the step that it reads.
        output: the path of the step that makes its result.
        loss_weight: the weight of its loss in the sum.
    """

    path: Path
    at: Path
    output: Path
    loss_weight: Decimal

    def holds(self, path: str) -> bool:
        """Tell whether the step at a path belongs to the head."""
        return Path(path).is_within(self.path)


class Bound(NamedTuple):
    """One line of a budget: at most 43M `params`.

    Attributes:
        quantity: the bound, as a number or as a multiple of another network's quantity.
        at: the path of the step that it bounds; None for the network.
    """

    measure: str
    quantity: Quantity | Multiple
    origin: Origin
    at: str | None = None

    @property
    def place(self) -> str:
        """The measure, behind the path of the step that it is of."""
        return self.measure if self.at is None else f"{self.at}.{self.measure}"


class Claim(NamedTuple):
    """A number or a shape that a source gives for the network, or for the step at a path.

    Attributes:
        at: the path of the step; None for the network.
        measure: a cost such as `params`, or `depth`, `memory`, `shape`, or `in`: input channels.
        value: the number, or the text of the shape.
        inputs: the network's inputs that the claim assumes; None for those of the spec.
        with_heads: whether training heads count.
        source: the source that makes the claim.
        deviates: the reason why a claim of this entry does not hold; None if all hold.
        origin: the line of the value, then the line of the entry.
    """

    at: str | None
    measure: str
    value: Quantity | str
    inputs: tuple[TensorType, ...] | None
    with_heads: bool
    source: str | None
    deviates: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes of a model with absolute paths, each after the nodes that it reads.

    Attributes:
        outputs: the path of the node that makes each output of inference, by the output's name; a
            single output has no name.
        head_outputs: the path of the node that makes the result of each training head.
        inputs: the paths of the network's inputs: `input`, or `input.left` and `input.right`.
    """

    nodes: tuple[Node, ...]
    outputs: Mapping[str, Path]
    head_outputs: tuple[Path, ...]
    inputs: tuple[Path, ...] = (INPUT,)

    @property
    def output(self) -> Path:
        """The path of the node that makes the only output of inference."""
        (output,) = self.outputs.values()
        return output


@dataclass(frozen=True)  # without slots: the flat graph is computed when it is first needed
class Model:
    """A network: its blocks as written, and the network as it runs.

    Attributes:
        blocks: each block before the blocks that call it; the last one is the whole network and has
            the name `NETWORK`.
        root: the call of the whole network.
        recipe: how its source trained it; None if the spec has no `training`.
        results: the errors that its sources report of the trained network.
    """

    name: str
    title: str | None
    source: str | None
    blocks: tuple[BlockDef, ...]
    root: Call
    heads: tuple[Head, ...]
    budget: tuple[Bound, ...]
    claims: tuple[Claim, ...]
    recipe: Recipe | None = None
    results: tuple[Result, ...] = ()

    @cached_property
    def graph(self) -> Graph:
        """The network as one flat graph, training heads included."""
        from inception_dsl.ir.inline import inline

        return inline(self.root, self.heads)

    @property
    def network(self) -> BlockDef:
        """The block that is the whole network; its parameters are those of the model."""
        return self.blocks[-1]

    @property
    def input(self) -> TensorType:
        """The type of the network's only input."""
        return self.root.input_type

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the network's inputs, by name; a single input has no name."""
        names = (path.relative_to(INPUT) for path in self.root.entries)
        return dict(zip(names, self.root.input_types, strict=True))

    @property
    def outputs(self) -> dict[str, TensorType]:
        """The types of the network's outputs, by name; a single output has no name."""
        return dict(zip(self.root.outputs, self.root.output_types, strict=True))
