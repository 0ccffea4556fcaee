"""Linear layers, norms, activations and arithmetic of ONNX, as calls of torch.

Source: the operators of ONNX, https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import prod
from typing import Any

from inception_dsl.bridge.calls import ValueRef, WeightRef
from inception_dsl.bridge.exported.onnx.fusions import GROUP_NORM
from inception_dsl.bridge.exported.onnx.model import OnnxNode, shortest
from inception_dsl.bridge.exported.onnx.writer import CallWriter, Shape, StoredView, Translator
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.reader import UnsayableError


def _gemm(writer: CallWriter, node: OnnxNode) -> None:
    at = node.attributes
    held = writer.held(1)
    value = writer.value()
    is_plain = at["alpha"] == 1 and (at["beta"] == 1 or writer.held(2) is None)
    if not isinstance(held, StoredView) or at["transA"]:
        raise UnsayableError(lacks.TOKENS)
    if not is_plain:
        raise UnsayableError(lacks.SCALED_LINEAR)
    _linear(writer, value, held, 2, is_turned=bool(at["transB"]))


def _linear(
    writer: CallWriter, value: ValueRef, weight: StoredView, bias: int, *, is_turned: bool
) -> None:
    """Write a linear layer.

    Args:
        bias: the input of the node that holds the bias.
        is_turned: the weight has its outputs first, as torch's has.
    """
    if len(weight.shape) != 2:
        raise UnsayableError(lacks.TOKENS)
    width, size = weight.shape if is_turned else weight.shape[::-1]
    if value.shape[-1] != size:
        raise UnsayableError(lacks.TOKENS)
    name = writer.weight(1)
    assert isinstance(name, WeightRef)
    if not is_turned:
        origin = writer.origins[name.name]
        order = None if weight.order else (1, 0)  # turned once before, and once here
        writer.origins[name.name] = replace(origin, order=order)
    shape = (*value.shape[:-1], width)
    writer.macs += prod(shape) * size
    bound = writer.weight(bias, shape=(width,))
    ref = WeightRef(name.name, (width, size), is_parameter=True)
    writer.give(writer.call("linear", value, ref, bound, shape=shape))


def _matmul(writer: CallWriter, node: OnnxNode) -> None:
    value, weight = writer.held(0), writer.held(1)
    if not isinstance(value, ValueRef) or not isinstance(weight, StoredView):
        raise UnsayableError(lacks.TOKENS)
    _linear(writer, value, weight, 2, is_turned=False)


def _batch_norm(writer: CallWriter, node: OnnxNode) -> None:
    at = node.attributes
    value = writer.value()
    if at.get("training_mode") or len([name for name in node.outputs if name]) > 1:
        raise UnsayableError(lacks.BATCH_STATISTICS)
    if not at.get("spatial", 1):
        raise UnsayableError(lacks.OTHER_NORM_AXES)
    _check_width(writer, value.shape[1], 1, 2, 3, 4)
    call = writer.call(
        "batch_norm",
        value,
        writer.weight(3, is_parameter=False),
        writer.weight(4, is_parameter=False),
        weight=writer.weight(1),
        bias=writer.weight(2),
        training=False,
        momentum=float(1 - Decimal(str(at["momentum"]))),
        eps=at["epsilon"],
        shape=value.shape,
    )
    writer.give(call)


def _check_width(writer: CallWriter, width: int, *indices: int) -> None:
    """Make sure that weights are vectors of a width."""
    for index in indices:
        held = writer.held(index)
        if isinstance(held, StoredView) and held.shape != (width,):
            raise UnsayableError(lacks.NORM_FORM)


def _instance_norm(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    _check_width(writer, value.shape[1], 1, 2)
    scale, shift = writer.constant(1), writer.constant(2)
    weights: tuple[Any, Any] = (None, None)
    held = (writer.held(1), writer.held(2))
    is_fixed = all(isinstance(one, StoredView) and one.tensor.is_constant for one in held)
    is_plain = scale is not None and shift is not None and (scale == 1).all() and not shift.any()
    if not (is_fixed and is_plain):
        weights = writer.weight(1), writer.weight(2)
    eps = node.attributes["epsilon"]
    arguments = (None, None, *weights, True, 0.1, eps)
    writer.give(writer.call("instance_norm", value, *arguments, shape=value.shape))


def _group_norm(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    if node.version < 21:
        raise UnsayableError(lacks.GROUP_NORM)  # its scale is one of each group
    _check_width(writer, value.shape[1], 1, 2)
    at = node.attributes
    weights = writer.weight(1), writer.weight(2)
    call = writer.call(
        "group_norm", value, at["num_groups"], *weights, at["epsilon"], shape=value.shape
    )
    writer.give(call)


def _written_group_norm(writer: CallWriter, node: OnnxNode) -> None:
    """Write a group norm whose groups a reshape made, if the reshapes are what they seem."""
    value, at = writer.value(), node.attributes
    shape, groups = value.shape, at["num_groups"]
    whole = prod(shape) // (shape[0] * groups)
    inner = (shape[0], groups, whole)
    is_inner = (
        len(at["inner"]) == 3
        and at["inner"].count(-1) <= 1
        and all(
            side in {one, -1} or (side == 0 and one == old)
            for side, one, old in zip(at["inner"], inner, shape, strict=False)
        )
    )
    back = at["back"]
    is_back = (
        back is None
        or (
            len(back) == len(shape)
            and back.count(-1) <= 1
            and back[0] in {shape[0], 0, -1}  # 0 copies the batch, the only axis that stayed
            and all(side in {one, -1} for side, one in zip(back[1:], shape[1:], strict=True))
        )
    )
    if len(shape) not in {2, 4} or shape[1] % groups or not is_inner or not is_back:
        raise UnsayableError(lacks.GROUP_NORM)
    along = (shape[1], *[1] * (len(shape) - 2))
    for index in range(1, len(node.inputs)):
        held = writer.held(index)
        sides = held.shape if isinstance(held, StoredView) else ()
        if sides not in {along, (1, *along)}:
            raise UnsayableError(lacks.GROUP_NORM)
    width = (shape[1],)
    weights = writer.weight(1, shape=width), writer.weight(2, shape=width)
    arguments = (groups, *weights, at["epsilon"])
    writer.give(writer.call("group_norm", value, *arguments, shape=shape))


def _layer_norm(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    at = node.attributes
    if len([name for name in node.outputs if name]) > 1:
        raise UnsayableError(lacks.NORM_FORM)
    normed = value.shape[_axis(at["axis"], value.shape) :]
    weights = writer.weight(1), writer.weight(2)
    for one in weights:
        if isinstance(one, WeightRef) and one.shape != normed:
            raise UnsayableError(lacks.NORM_FORM)
    call = writer.call("layer_norm", value, normed, *weights, at["epsilon"], shape=value.shape)
    writer.give(call)


def _axis(axis: int, shape: Shape) -> int:
    """Return the number of an axis that may be counted from the end."""
    if not -len(shape) <= axis < len(shape):
        raise UnsayableError(lacks.NO_WORD)
    return axis % len(shape)


def _response_norm(writer: CallWriter, node: OnnxNode) -> None:
    value, at = writer.value(), node.attributes
    arguments = (at["size"], at["alpha"], at["beta"], at["bias"])
    writer.give(writer.call("local_response_norm", value, *arguments, shape=value.shape))


def _lp_norm(writer: CallWriter, node: OnnxNode) -> None:
    raise UnsayableError(lacks.NORM_FORM)  # ONNX's has no eps, or another one than torch's


def _activation(name: str, **attributes: str) -> Translator:
    """Return a function for an activation; `attributes` are torch's, by ONNX's names."""

    def translate(writer: CallWriter, node: OnnxNode) -> None:
        value = writer.value()
        keywords = {new: node.attributes[old] for old, new in attributes.items()}
        writer.give(writer.call(name, value, shape=value.shape, **keywords))

    return translate


def _hard_sigmoid(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    if (node.attributes["alpha"], node.attributes["beta"]) != (shortest(1 / 6), 0.5):
        raise UnsayableError(lacks.ACT_ARGUMENT)
    writer.give(writer.call("hardsigmoid", value, shape=value.shape))


def _selu(writer: CallWriter, node: OnnxNode) -> None:
    value, at = writer.value(), node.attributes
    if abs(at["alpha"] - 1.6732632) > 1e-6 or abs(at["gamma"] - 1.0507010) > 1e-6:
        raise UnsayableError(lacks.ACT_ARGUMENT)
    writer.give(writer.call("selu", value, shape=value.shape))


def _swish(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    if node.attributes["alpha"] != 1:
        raise UnsayableError(lacks.ACT_ARGUMENT)
    writer.give(writer.call("silu", value, shape=value.shape))


def _prelu(writer: CallWriter, node: OnnxNode) -> None:
    value, held = writer.value(), writer.held(1)
    if not isinstance(held, StoredView):
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    rest = (1,) * (len(value.shape) - 2)
    width = value.shape[1]
    is_by_channel = held.shape in {(width, *rest), (1, width, *rest)}
    if prod(held.shape) != 1 and not is_by_channel:
        raise UnsayableError(lacks.ACTIVATION)
    weight = writer.weight(1, shape=(prod(held.shape),))
    writer.give(writer.call("prelu", value, weight, shape=value.shape))


def _clip(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    bounds: list[float | None] = []
    for index, name in ((1, "min"), (2, "max")):
        array = writer.constant(index)
        if writer.held(index) is not None and (array is None or array.size != 1):
            raise UnsayableError(lacks.ACTIVATION)
        number = node.attributes.get(name) if array is None else shortest(array.reshape(-1)[0])
        is_open = number is None or abs(number) > 3e38
        bounds.append(None if is_open else number)
    writer.give(writer.call("clamp", value, *bounds, shape=value.shape))


def _dropout(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    ratio = node.attributes.get("ratio", 0.5)
    if writer.held(1) is not None:
        array = writer.constant(1)
        if array is None or array.size != 1:
            raise UnsayableError(lacks.NO_WORD)
        ratio = shortest(array.reshape(-1)[0])
    training = writer.constant(2)
    if writer.held(2) is not None and (training is None or training.any()):
        raise UnsayableError(lacks.ALWAYS_RANDOM)
    writer.give(writer.call("dropout", value, ratio, training=False, shape=value.shape))


def _softmax(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    if node.version < 13 and len(value.shape) != 2:
        raise UnsayableError(lacks.TOKENS)  # it takes the axes behind one together
    axis = _axis(node.attributes["axis"], value.shape)
    writer.give(writer.call("softmax", value, axis, shape=value.shape))


def _arithmetic(name: str) -> Translator:
    """Return a function for a sum, a product or another operation of two values."""

    def translate(writer: CallWriter, node: OnnxNode) -> None:
        operands = [_operand(writer, index) for index in (0, 1)]
        writer.give(writer.call(name, *operands, shape=broadcast(writer, *operands)))

    return translate


def _operand(writer: CallWriter, index: int) -> ValueRef | WeightRef | float:
    """Return an operand: a value, a number or a weight."""
    held = writer.held(index)
    if isinstance(held, ValueRef):
        return held
    assert held is not None
    array = writer.constant(index)
    if array is not None and array.size == 1 and _is_number(writer, held):
        return shortest(array.reshape(-1)[0])
    if held.tensor.is_constant:
        raise UnsayableError(lacks.CONSTANTS)
    writer.doubtful[held.tensor.name] = None
    ref = writer.weight(index)
    assert isinstance(ref, WeightRef)
    return ref


def _is_number(writer: CallWriter, held: StoredView) -> bool:
    """Tell whether a single stored value is a number of the network, not a weight.

    A parameter is named after its module, by the exporters of torch.
    """
    if held.tensor.is_constant or writer.places.exporter == "none":
        return True
    above = held.tensor.name.rpartition(".")[0]
    return not held.shape and (not above or above != writer.place)


def broadcast(writer: CallWriter, *operands: ValueRef | WeightRef | float) -> Shape:
    """Return the shape of an operation of each element of some values."""
    shapes = [one.shape for one in operands if isinstance(one, ValueRef | WeightRef)]
    rank = max(map(len, shapes))
    result = []
    for sides in zip(*((*[1] * (rank - len(shape)), *shape) for shape in shapes), strict=True):
        wide = {side for side in sides if side != 1}
        if len(wide) > 1:
            raise UnsayableError(lacks.BROADCAST)
        result.append(max(sides))
    return tuple(result)


def _of_several(name: str) -> Translator:
    """Return a function for a sum, or an extremum, of several values."""

    def translate(writer: CallWriter, node: OnnxNode) -> None:
        total = _operand(writer, 0)
        for index in range(1, len(node.inputs)):
            other = _operand(writer, index)
            total = writer.call(name, total, other, shape=broadcast(writer, total, other))
        if not isinstance(total, ValueRef):
            raise UnsayableError(lacks.COMPUTED_WEIGHTS)
        writer.give(total)

    return translate


def _softplus(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    writer.give(writer.call("softplus", value, shape=value.shape))


LAYERS: dict[str, Translator] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    GROUP_NORM: _written_group_norm,
    "LayerNormalization": _layer_norm,
    "LRN": _response_norm,
    "LpNormalization": _lp_norm,
    "Relu": _activation("relu"),
    "Sigmoid": _activation("sigmoid"),
    "Tanh": _activation("tanh"),
    "HardSwish": _activation("hardswish"),
    "Mish": _activation("mish"),
    "Abs": _activation("abs"),
    "Softsign": _activation("softsign"),
    "LeakyRelu": _activation("leaky_relu", alpha="negative_slope"),
    "Elu": _activation("elu", alpha="alpha"),
    "Celu": _activation("celu", alpha="alpha"),
    "Gelu": _activation("gelu", approximate="approximate"),
    "HardSigmoid": _hard_sigmoid,
    "Selu": _selu,
    "Swish": _swish,
    "Softplus": _softplus,
    "PRelu": _prelu,
    "Clip": _clip,
    "Dropout": _dropout,
    "Softmax": _softmax,
    "Add": _arithmetic("add"),
    "Mul": _arithmetic("mul"),
    "Sub": _arithmetic("sub"),
    "Div": _arithmetic("div"),
    "Pow": _arithmetic("pow"),
    "Sum": _of_several("add"),
    "Max": _of_several("maximum"),
    "Min": _of_several("minimum"),
}
"""The functions that read the layers of ONNX, by operator."""
