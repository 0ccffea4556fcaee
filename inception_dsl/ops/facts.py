"""The facts that an op gives of itself: cost, tensors, windows, launches, memory of training.

Each kind of fact has its stock answers here, such as `free` or `own_place`. An op names the one
that holds for it: none is taken silently.

Longer than 400 lines: the kinds of facts stand side by side, each beside its stock answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Symbols, Values
from inception_dsl.ops.reach import Window

if TYPE_CHECKING:
    from inception_dsl.ops.gather import Gathers

Inputs = tuple[TensorType, ...]


class Remark(NamedTuple):
    """A setting that torch accepts but that is probably a mistake, or a hint about it.

    Attributes:
        code: the finding's: a warning, or a note for a hint.
        message: a predicate whose subject is the step: "enlarges 6x6 to 7x7".
        help: the way out, as prose.
    """

    code: str
    message: str
    help: str | None = None


RemarkRule = Callable[[Values, Inputs], tuple[Remark, ...]]
"""The remarks on a step, from its attributes and its inputs."""


class ShapeError(Exception):
    """The error of an op that cannot take its input.

    Attributes:
        code: the code of the finding.
        attribute: the attribute at fault, if one is.
        traces: the part of the input that is at fault, too; the finding shows where it was set.
        help: the way out, as prose, if the op knows it.
        follows: another attribute that the fault follows from; the finding shows where it was set.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        attribute: str | None = None,
        traces: Literal["channels", "size"] | None = None,
        help: str | None = None,
        follows: str | None = None,
    ) -> None:
        super().__init__(message)
        self.follows = follows
        self.code, self.message, self.attribute, self.help = code, message, attribute, help
        self.traces: Literal["channels", "size"] | None = traces


InferRule = Callable[[Values, Inputs], TensorType]
"""The type of an op's output; raises `ShapeError`."""


def same(values: Values, inputs: Inputs) -> TensorType:
    """Return the type of the input: the shape rule of an op that keeps it."""
    return inputs[0]


def a_map(type: TensorType, op: str) -> tuple[int, int, int]:
    """Return the channels, the height and the width of a map.

    Raises:
        ShapeError: E305, it is a vector.
    """
    if not type.is_map:
        raise ShapeError("E305", f"`{op}` wants a map, and a vector of {type} comes in")
    height, width = type.size
    return type.channels, height, width


def a_vector(type: TensorType, op: str) -> int:
    """Return the features of a vector.

    Raises:
        ShapeError: E305, it is a map.
    """
    if type.is_map:
        raise ShapeError("E305", f"`{op}` wants a vector, and a map of {type} comes in")
    return type.channels


_NO_FLOPS: Mapping[str, int] = MappingProxyType({})


class Cost(NamedTuple):
    """The cost of one op on one input.

    Attributes:
        weights: values of conv and linear kernels.
        biases: values of their biases.
        norms: learnt values of everything else; the three together are the parameters.
        macs: multiply-accumulates of weights.
        flops: floating-point operations by kind; the op's `flop_kinds` name them.
        activations: values that convolutions give.
    """

    weights: int = 0
    biases: int = 0
    norms: int = 0
    macs: int = 0
    flops: Mapping[str, int] = _NO_FLOPS
    activations: int = 0


CostRule = Callable[[Values, Inputs, TensorType], Cost]
"""The cost of an op, from its attributes, its inputs and its output."""

MAC_FLOPS = {"mac": "2 a multiply-accumulate of a conv or a linear"}
BIAS_FLOPS = {"bias": "1 a value that a bias is added to"}
ACT_FLOPS = {"act": "1 a value of an activation"}
"""The kinds of floating-point operations that several ops count, and how."""


def free(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    """Return the cost of an op that costs nothing."""
    return Cost()


Acts = Literal["always", "in training", "never"]
"""When an op does something: one that acts in training alone gives what it reads in inference."""


ActsRule = Callable[[Values, Inputs], Acts]
"""The answer whether an op does something, from its attributes and its inputs."""


def acts_always(values: Values, inputs: Inputs) -> Acts:
    """Return the answer of an op that does the same in inference and in training."""
    return "always"


def never_acts(values: Values, inputs: Inputs) -> Acts:
    """Return the answer of an op that gives what it reads."""
    return "never"


Channels = Literal[
    "separate",
    "grouped",
    "positional",
    "mixed",
    "joined",
    "flattened",
    "spread",
    "packed",
    "sliced",
    "padded",
    "shuffled",
    "pooled",
]
"""The channels of an op's output, seen from those of its input. An op with an attribute of kind
`width` gives as many as that says; any other, unless it says otherwise here, as many as come in.

* `separate`: each is made of its own input channel, or of all alike, and in the same way wherever
  it stands: a pool, a softmax, a batch norm, whose tensors stand in the order of the channels.
* `grouped`: each is made of the channels of its group, its own among them, and in the same way
  wherever it stands in it; the op's attribute `groups` says how many groups of equal size there
  are. An order that keeps the groups together is passed on: a group norm.
* `positional`: as many as come in, but their order matters: a local response norm reads neighbours.
* `mixed`: each is made of all that come in, by weights of the op: a conv, a linear.
* `joined`: those of all inputs, one after the other.
* `flattened`: every value of a map is one, channel by channel.
* `spread`: each is made of as many neighbouring channels as a square of the op's attribute `factor`
  has places, one for each place: a pixel shuffle.
* `packed`: the reverse, so that each channel that comes in gives as many neighbouring ones.
* `sliced`: some of those that come in, as they are, from `from` on or one `part` `of` several.
* `padded`: those that come in, as they are, and channels of zeros, `before` and `after` them.
* `shuffled`: those that come in, as they are; channel j of group i of `groups` is i of group j.
* `pooled`: one, made of all that come in, whatever their order."""

Sizes = Literal["follow", "fixed"]
"""The source of the output's height and width: the input's, or the same for every input."""

Role = Literal[
    "weight",
    "standardised weight",
    "inner weight",
    "bias",
    "scale",
    "shift",
    "mean",
    "variance",
    "learnt",
    "buffer",
]
"""The part that a tensor plays in its op:

* `weight` and `bias`: the last linear map, and what is added to it; an affine norm behind the op
  can be folded into these two. An `inner weight` comes before it. A `standardised weight` is scaled
  to variance 1 before it is used, so that nothing can be folded into it.
* `scale`, `shift`, `mean`, `variance`: `(x - mean) / sqrt(variance + eps) * scale + shift`.
* `learnt` and `buffer`: anything else, with a gradient and without."""

InAxis = Literal[0, 1, "none", "grouped"]
"""The axis of a tensor along which the channels that come in lie. `none`: the tensor does not
depend on their order. `grouped`: it does, but no axis holds them all."""

OutAxis = Literal[0, 1, "grouped"]
"""The axis of a weight along which the channels that it gives lie; `grouped`: no axis has them
all."""


Slot = tuple[str, str]
"""The identity of a tensor within its node: the layer of the norm that it belongs to, if it belongs
to one, and its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTensor:
    """A tensor that a checkpoint holds of a node, under the node's path and a name.

    Attributes:
        name: below the node's path, its layer included: `bn.running_mean`.
        shape: () for a scalar.
        in_places: the number of places along `in_axis` that each channel that comes in has.
        out_axis: of a weight, the axis of the channels that it gives.
        layer: the child of the node that holds it, if the node has several: `bn`.
        is_of_norm: it belongs to the norm that a conv carries.
        is_of_act: it belongs to the activation at the end of the op.
        neutral: the number with which it, and its op's other tensors with theirs, leave every value
            as it is in inference; None if no number does.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    in_axis: InAxis
    in_places: int = 1
    out_axis: OutAxis = 0
    layer: str = ""
    is_of_norm: bool = False
    is_of_act: bool = False
    neutral: float | None = None

    @property
    def is_learnt(self) -> bool:
        """The tensor has a gradient; running statistics have none."""
        return self.role not in {"mean", "variance", "buffer"}

    @property
    def slot(self) -> Slot:
        """The tensor's identity within its node, the same with a norm beside the conv and without.

        Example:
            A conv's weight is `weight` without a norm and `conv.weight` with one; the slot of both
            is `("", "weight")`. That of its batch norm's is `("bn", "weight")`.
        """
        is_of_part = self.is_of_norm or self.is_of_act
        return self.layer if is_of_part else "", self.name.removeprefix(f"{self.layer}.")

    def below(self, layer: str) -> StateTensor:
        """Return the same tensor, held by a child of the module."""
        return StateTensor(
            name=f"{layer}.{self.name}",
            shape=self.shape,
            role=self.role,
            in_axis=self.in_axis,
            in_places=self.in_places,
            out_axis=self.out_axis,
            layer=layer,
        )

    def below_conv(self, layer: str) -> StateTensor:
        """Return the tensor of a norm, held by the conv that carries the norm.

        The channels that come into the conv are not those of the norm.
        """
        return StateTensor(
            name=f"{layer}.{self.name}",
            shape=self.shape,
            role=self.role,
            in_axis="none",
            in_places=self.in_places,
            layer=layer,
            is_of_norm=True,
        )


class InnerOp(NamedTuple):
    """One of several ops that an op is in turn.

    Attributes:
        layer: the layer that holds its tensors, below which they have the names of that op.
    """

    name: str
    attributes: Values
    layer: str


SplitRule = Callable[[Values, Inputs], tuple[InnerOp, ...]]
"""The ops that an op is in turn, without its norm and its activation."""


StateRule = Callable[[Values, int], tuple[StateTensor, ...]]
"""The tensors of an op, from its attributes and the channels of its input."""


WindowRule = Callable[[Values, TensorType], tuple[Window | None, Window | None]]
"""The windows along height and width on a map, from the attributes and the input; None along an
axis where they differ from unit to unit. Nobody asks for those of an op that gives a vector: a
vector sees all of the map that it was made of."""


def own_place(values: Values, input: TensorType) -> tuple[Window, Window]:
    """Return the windows of an op whose units read the one unit at their own place."""
    return Window(1, 1, 0), Window(1, 1, 0)


def whole_map(values: Values, input: TensorType) -> tuple[Window, Window]:
    """Return the windows of an op whose units all read the whole map."""
    height, width = input.size if input.is_map else (1, 1)
    return Window(height, 0, 0), Window(width, 0, 0)


How = Literal["weighted", "largest", "mean"]
"""The way in which a unit combines the values that it takes."""

GatherRule: TypeAlias = "Callable[[Values, TensorType], Gathers | None]"
"""The values that an op's units take, from its attributes and its input; None if an axis alone
does not tell. Raises `ShapeError` if the op cannot take the input.

Only comparisons ask for them, so a rule imports `ops.gather` when it runs."""


def gathers_own_place(values: Values, input: TensorType) -> Gathers | None:
    """Return the values of an op that gives what it reads."""
    from inception_dsl.ops.gather import gather_own_place

    return gather_own_place(values, input)


def gathers_flat(values: Values, input: TensorType) -> Gathers | None:
    """Return the values of an op that flattens a map."""
    from inception_dsl.ops.gather import gather_flat

    return gather_flat(values, input)


def gathers_windows(how: How) -> GatherRule:
    """Return the rule of an op whose windows slide over the map."""

    def gathers(values: Values, input: TensorType) -> Gathers | None:
        from inception_dsl.ops.gather import gather_windows

        return gather_windows(how, values, input)

    return gathers


def gathers_whole(how: How) -> GatherRule:
    """Return the rule of an op whose one unit takes the whole map."""

    def gathers(values: Values, input: TensorType) -> Gathers | None:
        from inception_dsl.ops.gather import gather_whole

        return gather_whole(how, input)

    return gathers


def gathers_adaptive(how: How) -> GatherRule:
    """Return the rule of an op whose windows make a map of the size in `output`."""

    def gathers(values: Values, input: TensorType) -> Gathers | None:
        from inception_dsl.ops.gather import gather_adaptive

        return gather_adaptive(how, values, input)

    return gathers


Layout = Literal["kept", "first", "last"]
"""The place of a map's channels in memory: as in the map that is read, before height and width, as
images come in, or behind them."""


class Launch(NamedTuple):
    """A function that torch launches on the device for a node in inference.

    Attributes:
        values: how many values its result holds, an image; 0 where it works in place or gives a
            view.
        scratch: bytes that it takes besides and frees at once, an image.
        holds: which earlier results are alive while it runs, 1 being the last; what the node reads
            always is.
        is_single: its result is of one image, whatever the batch.
        copied: how many values it copies first, an image, if the channels of the map that it reads
            lie last; without `values` the copy is its result.
        layout: where the channels of its result lie.
    """

    values: int
    scratch: int = 0
    holds: tuple[int, ...] = (1,)
    is_single: bool = False
    copied: int = 0
    layout: Layout = "kept"


class SavedForBackward(NamedTuple):
    """The values that a node saves in a training pass for its backward pass, besides weights.

    Attributes:
        inputs: it needs what the node reads.
        inputs_first: it needs them with their channels first, and a copy where they lie last.
        result: it needs what the node gives.
        values: the number of intermediate values that it needs, an image.
        bytes: the bytes of indices and masks that it needs, an image.
        statistics: values that it needs once a batch.
        weights: values of weights that are computed, which it needs once a batch.
        products: of a product of several inputs, the number of values of each product from left to
            right, an image; the gradient of one factor needs the other. Empty for any other node.
    """

    inputs: bool = False
    inputs_first: bool = False
    result: bool = False
    values: int = 0
    bytes: int = 0
    statistics: int = 0
    weights: int = 0
    products: tuple[int, ...] = ()

    def __or__(self, other: SavedForBackward) -> SavedForBackward:
        """Return the values that two parts of a node save together."""
        return SavedForBackward(
            self.inputs or other.inputs,
            self.inputs_first or other.inputs_first,
            self.result or other.result,
            self.values + other.values,
            self.bytes + other.bytes,
            self.statistics + other.statistics,
            self.weights + other.weights,
            self.products + other.products,
        )


LaunchRule = Callable[[Symbols, Values, Inputs, TensorType], tuple[Launch, ...]]
"""The launches of a node, from its attributes as they are written and as they are here, its inputs
and its output; none where it gives what it reads, or a view of it."""

SaveRule = Callable[[Symbols, Values, Inputs, TensorType], SavedForBackward]
"""The values that a node saves for its backward pass, from the same arguments as a `LaunchRule`."""


def one_launch(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return the launch of an op that makes its output in one go."""
    return (Launch(output.values),)


def flat_view(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return the launch of an op that gives a view, or a copy where the channels lie last.

    A map of one channel, or of one place, has all its values in one order.
    """
    (input,) = inputs
    if not input.is_map or input.values in (input.channels, input.size[0] * input.size[1]):
        return ()
    return (Launch(0, copied=output.values),)


def no_launch(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return the launches of an op that gives what it reads, or a view of it."""
    return ()


def saves_nothing(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    """Return the answer of an op whose backward pass asks for shapes only."""
    return SavedForBackward()


def saves_result(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    """Return the answer of an op whose backward pass reads the op's output."""
    return SavedForBackward(result=True)
