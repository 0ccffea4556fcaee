"""The operators of ONNX that move, cut and put together values, as calls of torch.

Source: the operators of ONNX, https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from inception_dsl.bridge.calls import ValueRef
from inception_dsl.bridge.exported.onnx.constants import read_slices
from inception_dsl.bridge.exported.onnx.model import OnnxNode
from inception_dsl.bridge.exported.onnx.writer import CallWriter, Shape, StoredView, Translator
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.reader import UnsayableError


def _identity(writer: CallWriter, node: OnnxNode) -> None:
    held = writer.held(0)
    if isinstance(held, StoredView) and not writer.sharing.is_shared(held.tensor):
        # An exporter marks a weight that had the values of another one in this way.
        writer.sharing.separated[held.tensor.name] = None
        copied = held.tensor.copied or held.tensor.name
        held = replace(held, tensor=replace(held.tensor, name=node.outputs[0], copied=copied))
    writer.give(held)


def _cast(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    kinds = {1: "float", 10: "float16", 11: "double", 16: "bfloat16"}
    kind = kinds.get(node.attributes.get("to", 1))
    if kind is None:
        raise UnsayableError(lacks.DTYPE)
    if kind != "float":
        raise UnsayableError(lacks.DTYPE)
    writer.give(value)


def _flatten(writer: CallWriter, node: OnnxNode) -> None:
    shape = _held_shape(writer)
    axis = node.attributes["axis"]
    if not -len(shape) <= axis <= len(shape):
        raise UnsayableError(lacks.RESHAPE)
    axis = axis if axis >= 0 else axis + len(shape)
    _reshape_to(writer, (prod(shape[:axis]), prod(shape[axis:])))


def _held_shape(writer: CallWriter) -> Shape:
    held = writer.held(0)
    assert held is not None
    return held.shape


def _reshape_to(writer: CallWriter, shape: Shape) -> None:
    """Write a tensor under another shape of the same size; of a stored one, a view."""
    held = writer.held(0)
    assert held is not None
    if prod(shape) != prod(held.shape):
        raise UnsayableError(lacks.RESHAPE)
    if isinstance(held, ValueRef):
        writer.give(writer.call("reshape", held, shape, shape=shape))
    elif held.order is not None:
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    else:
        writer.give(replace(held, shape=shape))


def _reshape(writer: CallWriter, node: OnnxNode) -> None:
    before = _held_shape(writer)
    wanted = node.attributes.get("shape") or writer.numbers(1)
    if not wanted or wanted.count(-1) > 1 or min(wanted) < -1:
        raise UnsayableError(lacks.RESHAPE)
    sides: list[int] = []
    for index, side in enumerate(wanted):
        if side == 0 and not node.attributes.get("allowzero"):
            if index >= len(before):
                raise UnsayableError(lacks.RESHAPE)
            sides.append(before[index])
        else:
            sides.append(side)
    if -1 in sides:
        rest = prod(side for side in sides if side != -1)
        if not rest or prod(before) % rest:
            raise UnsayableError(lacks.BATCH)
        sides[sides.index(-1)] = prod(before) // rest
    _reshape_to(writer, tuple(sides))


def _axes(writer: CallWriter, node: OnnxNode, index: int = 1) -> Shape | None:
    """Return axes that are an attribute in older versions, and an input in newer ones."""
    axes: Shape | None = node.attributes.get("axes")
    return writer.numbers(index) if axes is None else axes


def _squeeze(writer: CallWriter, node: OnnxNode) -> None:
    shape = _held_shape(writer)
    axes = _axes(writer, node)
    places = {_axis(axis, len(shape)) for axis in axes} if axes is not None else None
    kept = tuple(
        side
        for index, side in enumerate(shape)
        if (side != 1 if places is None else index not in places)
    )
    _reshape_to(writer, kept)


def _unsqueeze(writer: CallWriter, node: OnnxNode) -> None:
    shape = _held_shape(writer)
    axes = _axes(writer, node) or ()
    rank = len(shape) + len(axes)
    places = {_axis(axis, rank) for axis in axes}
    sides = iter(shape)
    if rank > 8 or len(places) < len(axes):
        raise UnsayableError(lacks.RESHAPE)
    _reshape_to(writer, tuple(1 if index in places else next(sides) for index in range(rank)))


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise UnsayableError(lacks.NO_WORD)
    return axis % rank


def _transpose(writer: CallWriter, node: OnnxNode) -> None:
    held = writer.held(0)
    assert held is not None
    rank = len(held.shape)
    order = tuple(node.attributes.get("perm") or range(rank)[::-1])
    if sorted(order) != list(range(rank)):
        raise UnsayableError(lacks.TURNED)
    shape = tuple(held.shape[axis] for axis in order)
    if isinstance(held, ValueRef):
        writer.give(writer.call("permute", held, order, shape=shape))
    elif held.shape != held.tensor.shape or held.order is not None:
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    else:
        writer.give(replace(held, shape=shape, order=order))


def _concat(writer: CallWriter, node: OnnxNode) -> None:
    parts = [writer.held(index) for index in range(len(node.inputs))]
    values = [part for part in parts if isinstance(part, ValueRef)]
    if len(values) < len(parts):
        raise UnsayableError(lacks.CONSTANTS)
    axis = _axis(node.attributes["axis"], len(values[0].shape))
    sides = list(values[0].shape)
    for value in values[1:]:
        rest = [*value.shape[:axis], *value.shape[axis + 1 :]]
        if rest != [*sides[:axis], *sides[axis + 1 :]]:
            raise UnsayableError(lacks.BROADCAST)
    sides[axis] = sum(value.shape[axis] for value in values)
    writer.give(writer.call("cat", tuple(values), axis, shape=tuple(sides)))


def _split(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    axis = _axis(node.attributes.get("axis", 0), len(value.shape))
    whole = value.shape[axis]
    count = len(node.outputs)
    sizes = node.attributes.get("split") or writer.numbers(1)
    if not sizes:
        most = -(-whole // count)
        sizes = tuple(min(most, whole - most * index) for index in range(count))
    if len(sizes) != count or sum(sizes) != whole or min(sizes) < 1:
        raise UnsayableError(lacks.SPLIT)
    shapes = [(*value.shape[:axis], size, *value.shape[axis + 1 :]) for size in sizes]
    parts = writer.call_several("split", value, tuple(sizes), axis, shapes=shapes)
    for index, part in enumerate(parts):
        if node.outputs[index]:
            writer.give(part, index)


def _slice(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    arrays = [writer.constant(index) for index in range(1, len(node.inputs))]
    named = zip(arrays, node.inputs[1:], strict=True)
    if any(array is None and name for array, name in named):
        raise UnsayableError(lacks.OTHER_SLICE)
    runs = read_slices(node, len(value.shape), arrays)
    if runs is None:
        raise UnsayableError(lacks.OTHER_SLICE)
    shape = tuple(
        len(range(*run.indices(side))) for run, side in zip(runs, value.shape, strict=True)
    )
    writer.give(writer.call("getitem", value, runs, shape=shape))


def _expand(writer: CallWriter, node: OnnxNode) -> None:
    value, wanted = writer.value(), writer.numbers(1)
    assert wanted is not None
    rank = max(len(wanted), len(value.shape))
    first = (*[1] * (rank - len(value.shape)), *value.shape)
    second = (*[1] * (rank - len(wanted)), *wanted)
    pairs = zip(first, second, strict=True)
    if any(1 not in pair and pair[0] != pair[1] for pair in pairs):
        raise UnsayableError(lacks.BROADCAST)
    shape = tuple(max(pair) for pair in zip(first, second, strict=True))
    writer.give(writer.call("expand", value, shape, shape=shape))


def _reduce(name: str) -> Translator:
    def translate(writer: CallWriter, node: OnnxNode) -> None:
        value = writer.value()
        rank = len(value.shape)
        axes = _axes(writer, node)
        if not axes and node.attributes.get("noop_with_empty_axes"):
            writer.give(value)
            return
        places = tuple(_axis(axis, rank) for axis in axes) if axes else tuple(range(rank))
        keeps = bool(node.attributes["keepdims"])
        sides = [1 if index in places else side for index, side in enumerate(value.shape)]
        kept = [side for index, side in enumerate(sides) if keeps or index not in places]
        keywords: dict[str, Any] = {"dim": places, "keepdim": keeps}
        writer.give(writer.call(name, value, shape=tuple(kept), **keywords))

    return translate


def _depth_to_space(writer: CallWriter, node: OnnxNode) -> None:
    value, size = writer.value(), node.attributes["blocksize"]
    if node.attributes.get("mode", "DCR") != "CRD" or len(value.shape) != 4 or size < 1:
        raise UnsayableError(lacks.NO_WORD)  # torch puts the channels outermost
    batch, channels, height, width = value.shape
    if channels % (size * size):
        raise UnsayableError(lacks.NO_WORD)
    shape = (batch, channels // size**2, height * size, width * size)
    writer.give(writer.call("pixel_shuffle", value, size, shape=shape))


MOVES: dict[str, Translator] = {
    "Identity": _identity,
    "Cast": _cast,
    "CastLike": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Expand": _expand,
    "ReduceMean": _reduce("mean"),
    "ReduceMax": _reduce("amax"),
    "ReduceMin": _reduce("amin"),
    "ReduceSum": _reduce("sum"),
    "ReduceL2": _reduce("linalg_vector_norm"),
    "DepthToSpace": _depth_to_space,
}
"""The functions that read the moves of ONNX, by operator."""
