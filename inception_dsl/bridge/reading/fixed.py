"""Convolutions whose weights a buffer holds: those with binomial numbers are blurs."""

from __future__ import annotations

from inception_dsl.bridge.calls import ValueRef, WeightRef
from inception_dsl.bridge.reading.reader import GraphReader
from inception_dsl.ops.blur import list_weights


def find_blur(reader: GraphReader, weight: object) -> tuple[int, int] | None:
    """Return the window of a blur whose weights a buffer holds; None if it is none.

    A convolution with one input channel a group and as many filters as channels is the blur of each
    channel if all its filters are the products of two rows of binomial numbers, to the last bit.
    """
    ref = _find_buffer(reader, weight)
    if ref is None or ref.name not in reader.buffers or len(ref.shape) != 4:
        return None
    filters, depth, height, width = ref.shape
    total = 2 ** (height + width - 2)
    column, row = list_weights(height), list_weights(width)
    wanted = [[down * across / total for across in row] for down in column]
    values = reader.buffers[ref.name]
    if depth != 1 or len(values) != filters or any(value != [wanted] for value in values):
        return None
    reader.used[ref.name] = values
    return height, width


def _find_buffer(reader: GraphReader, weight: object) -> WeightRef | None:
    """Return the buffer that a weight is, or whose one filter it repeats."""
    maker = reader.makers.get(weight.number) if isinstance(weight, ValueRef) else None
    if maker is not None and maker.name in {"expand", "repeat", "tile"} and maker.arguments:
        weight = maker.arguments[0]
    ref = reader.find_weight(weight)
    return None if ref is None or ref.is_parameter else ref
