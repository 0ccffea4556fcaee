"""The contract of an op: its attributes, its shape rule, its cost rule, its label, its torch form.

Each family of ops is a module of this folder that ends in a constant tuple of `Op`s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from inception_dsl.expr import Expr, Number, show, show_decimal
from inception_dsl.ir import TensorType, Value

Kind = Literal[
    "width", "natural", "positive", "decimal", "fraction", "flag", "choice", "size", "pad", "init"
]
"""What values an attribute takes: `width` and `positive` are at least 1, `natural` at least 0, a
`fraction` lies from 0 to 1; a `size` is a kernel such as 3x3; `pad` is V, same, same_tf, a number
or a size; `init` is a scheme and what it takes, as in `normal 0.01`."""

Values = Mapping[str, Value]
Symbols = Mapping[str, Value | Expr]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an op.

    Attributes of kind `width` are written bare, those of kind `flag` as their own name; the others
    as their name and a value. `default` is None where the attribute must be given. `of` names the
    op whose attribute this really is: a conv's `eps` is its batch norm's, and no word of the conv.
    `another_of` names the attribute that this one is another way to say: `keep` is of `drop`.
    `in_training_only` is true of what inference does not feel, `is_drawn` of what a figure says.
    A number lies `above` one bound and `below` another, and is neither of them.
    """

    name: str
    kind: Kind
    default: Value | None = None
    choices: tuple[str, ...] = ()
    of: str | None = None
    another_of: str = ""
    in_training_only: bool = False
    is_drawn: bool = True
    above: int | None = None
    below: int | None = None

    @property
    def says(self) -> str:
        """The attribute that it sets in the end."""
        return self.another_of or self.name

    @property
    def is_symbolic(self) -> bool:
        """It may read a parameter of its block."""
        numeric = {"width", "natural", "positive", "decimal", "fraction"}
        return self.kind in numeric or self.name == "act"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one op costs on one input.

    `weights` are the values of conv and linear kernels, `biases` theirs, `norms` the learnt values
    of batch norms; together they are the parameters. `flops` are by kind (see `FLOP_KINDS`).
    """

    weights: int = 0
    biases: int = 0
    norms: int = 0
    macs: int = 0
    flops: Mapping[str, int] = field(default_factory=dict)
    activations: int = 0


FLOP_KINDS: dict[str, str] = {
    "mac": "2 a multiply-accumulate of a conv or a linear",
    "bias": "1 a value that a bias is added to",
    "norm": "2 a value of a batch norm, folded to a scale and a shift",
    "act": "1 a value of an activation",
    "pool": "kernel height x kernel width a pooled value",
    "add": "1 a value of an add or a mul, for each input after the first",
    "scale": "1 a value that a residual scales",
    "lrn": "size + 4 a value: squares, their sum, scale and shift, power, division",
    "softmax": "3 a value: exponential, sum, division",
}
"""What is counted as a floating-point operation, by kind."""


Argument = Value | Expr | tuple[Expr, Expr]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an op: `nn.Conv2d(in_channels, width, ...)`.

    `callee` is torch's class; without `nn.` it is one that torch lacks and a backend brings along.
    `name` is the child that holds it, where the op has several layers. Arguments without a keyword
    come first, under an empty name; those equal to torch's default are left out. `init` and
    `bias_init` are how its weights and its bias begin, where not as torch has it.
    """

    name: str
    callee: str
    arguments: tuple[tuple[str, Argument], ...] = ()
    init: str = ""
    bias_init: Argument | None = None


@dataclass(frozen=True, slots=True)
class StateTensor:
    """A tensor that torch saves of a node, under its path and a name: `bn.running_mean`.

    `is_learnt` is false of running statistics. A scalar has the shape ().
    """

    name: str
    shape: tuple[int, ...]
    is_learnt: bool = True

    def below(self, child: str) -> StateTensor:
        """The same tensor, of a child of the module."""
        return StateTensor(f"{child}.{self.name}", self.shape, self.is_learnt)


@dataclass(frozen=True, slots=True)
class Window:
    """What one unit of an op's output reads along an axis of its input.

    Attributes:
        size: in units of the input, dilation's gaps included.
        stride: from one unit's window to the next one's.
        before: how far the first one lies before the first unit of the input.
    """

    size: int
    stride: int
    before: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """One of the kernels that torch runs for a node in inference, one after the other.

    Attributes:
        values: how many its result holds, an image; 0 where it works in place or gives a view.
        scratch: bytes that it takes besides and frees at once, an image.
        holds: which results before it are alive while it runs, 1 being the last; what the node
            reads always is.
        is_single: its result is of one image, whatever the batch.
    """

    values: int
    scratch: int = 0
    holds: tuple[int, ...] = (1,)
    is_single: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What the backward pass of a node needs of its forward pass in training, besides weights.

    Attributes:
        inputs: it needs what the node reads.
        result: it needs what the node gives.
        values: how many it needs of what is made on the way, an image.
        bytes: what it needs of a type of its own, an image: indices and masks.
        statistics: values that it needs once a batch.
    """

    inputs: bool = False
    result: bool = False
    values: int = 0
    bytes: int = 0
    statistics: int = 0

    def __or__(self, other: Kept) -> Kept:
        """What two parts of a node need together."""
        return Kept(
            self.inputs or other.inputs,
            self.result or other.result,
            self.values + other.values,
            self.bytes + other.bytes,
            self.statistics + other.statistics,
        )


class ShapeError(Exception):
    """An input that an op cannot take; `code` is a diagnostic's.

    `attribute` is the attribute at fault, if one is.
    """

    def __init__(self, code: str, message: str, *, attribute: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.attribute = code, message, attribute


Kernels = Callable[[Symbols, Values, tuple[TensorType, ...], TensorType], tuple[Kernel, ...]]
Keeps = Callable[[Symbols, Values, tuple[TensorType, ...], TensorType], Kept]


def whole(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    """The kernel of an op that makes what it gives in one go."""
    return (Kernel(output.values),)


def nothing(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    """The kernels of an op that gives what it reads, or a view of it."""
    return ()


def nothing_kept(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    """The needs of an op whose backward pass asks for shapes only."""
    return Kept()


@dataclass(frozen=True, slots=True)
class Remark:
    """A thing that torch runs and an author hardly means.

    Attributes:
        code: the finding's, a warning.
        message: a predicate whose subject is the step: "enlarges 6x6 to 7x7".
        help: the way out, as prose.
    """

    code: str
    message: str
    help: str | None = None


class EmitError(Exception):
    """Attributes that an op has no torch layer for."""


@dataclass(frozen=True, slots=True)
class Op:
    """All there is to know of an op.

    Attributes:
        name: its name in the IR.
        infer: the type it gives for given inputs; raises `ShapeError`.
        cost: what it costs.
        torch: its layers, for its attributes and its input's channels, which may be expressions;
            none where nothing runs in inference. Raises `EmitError`. The last layer is an
            activation if its name is `act`. None for joins, which a forward pass says itself.
        spelling: how a spec writes it, where that is not its name: `global avgpool`.
        kernel: the attribute that the kernel before it sets, if it takes one.
        flags: words that set attributes: `V` sets `pad`.
        defaults_of: the op whose defaults it takes, where those are not its own.
        finish: completes attributes that follow from others; of what an author wrote, `keep`
            becomes `drop`.
        state: the tensors that torch saves of it, for its attributes and its input's channels;
            None where there are none.
        in_training_only: in inference it gives what it reads.
        kernels: what torch runs for it, for its attributes as they are written and as they are
            here, its inputs and its output; none where it gives what it reads.
        keeps: what its backward pass needs, of the same.
        windows: along height and width, what a unit reads, for its attributes and its input; an
            axis is None where windows differ. Without it, a unit reads the one at its own place.
        remarks: what its author hardly means, for its attributes and its inputs; None if anything
            that torch takes may be meant.
    """

    name: str
    infer: Callable[[Values, tuple[TensorType, ...]], TensorType]
    cost: Callable[[Values, tuple[TensorType, ...], TensorType], Cost]
    torch: Callable[[Symbols, Expr], tuple[Layer, ...]] | None
    attributes: tuple[Attribute, ...] = ()
    spelling: str = ""
    kernel: str = ""
    flags: Mapping[str, Values] = field(default_factory=dict)
    defaults_of: str = ""
    finish: Callable[[dict[str, Value | Expr]], None] | None = None
    state: Callable[[Values, int], tuple[StateTensor, ...]] | None = None
    in_training_only: bool = False
    kernels: Kernels = whole
    keeps: Keeps = nothing_kept
    windows: Callable[[Values, TensorType], tuple[Window | None, Window | None]] | None = None
    remarks: Callable[[Values, tuple[TensorType, ...]], tuple[Remark, ...]] | None = None

    @property
    def is_free(self) -> bool:
        """In inference it gives what it reads, or a view of it."""
        return self.kernels is nothing

    @property
    def written(self) -> str:
        """How a spec writes it."""
        return self.spelling or self.name

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of this name, if it has one."""
        return next((a for a in self.attributes if a.name == name), None)

    def words(self) -> frozenset[str]:
        """Every word that it knows; its width has none."""
        named = {
            a.name
            for a in self.attributes
            if a.of is None and a.name != self.kernel and a.kind != "width"
        }
        return frozenset(named | self.flags.keys())

    def label(self, attributes: Symbols) -> str:
        """It in the papers' notation, without what its model's defaults usually say.

        Example:
            `3x3 conv (96 stride 2 V)`.
        """
        kernel = f"{shown(attributes[self.kernel])} " if self.kernel else ""
        words = list(_words(self, attributes))
        return f"{kernel}{self.written}" + (f" ({' '.join(words)})" if words else "")


def _words(op: Op, attributes: Symbols) -> Iterator[str]:
    if "norm" in attributes and attributes["norm"] == attributes["act"] == "none":
        plain = attributes["bias"]
    else:
        plain = False
    for attribute in op.attributes:
        value = attributes.get(attribute.name)
        if attribute.name == op.kernel or attribute.of or attribute.name in {"bias", "norm"}:
            continue
        if not attribute.is_drawn:
            continue
        if value is None or value == attribute.default or attribute.name == "act":
            continue
        match attribute.kind:
            case "width":
                yield shown(value)
            case "flag":
                yield attribute.name if value is True else f"no {attribute.name}"
            case "pad" if isinstance(value, str):
                yield value
            case _:
                yield f"{attribute.name} {shown(value)}"
    if plain:
        yield "linear"


def number(values: Values, name: str) -> int:
    """A whole-number attribute."""
    value = values[name]
    assert isinstance(value, int)
    return value


def decimal(values: Values, name: str) -> Number:
    """An attribute that is any number."""
    value = values[name]
    assert isinstance(value, int | Decimal)
    return value


def size(values: Values, name: str) -> tuple[int, int]:
    """A height and width."""
    value = values[name]
    assert isinstance(value, tuple)
    return value


def a_map(given: TensorType, op: str) -> tuple[int, int, int]:
    """Channels, height and width of a map.

    Raises:
        ShapeError: E305, it is a vector.
    """
    if not given.is_map:
        raise ShapeError("E305", f"`{op}` wants a map, and a vector of {given} comes in")
    height, width = given.size
    return given.channels, height, width


def a_vector(given: TensorType, op: str) -> int:
    """The features of a vector.

    Raises:
        ShapeError: E305, it is a map.
    """
    if given.is_map:
        raise ShapeError("E305", f"`{op}` wants a vector, and a map of {given} comes in")
    return given.channels


def same(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    """The shape rule of an op that keeps its input's shape."""
    return inputs[0]


def free(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    """The cost rule of an op that costs nothing."""
    return Cost()


def shown(value: Value | Expr) -> str:
    """A value as a spec writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"{value[0]}x{value[1]}"
        case str():
            return value
        case Decimal():
            return show_decimal(value)
        case _:
            return show(value)
