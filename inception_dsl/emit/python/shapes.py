"""Shapes as comments in code: `N x 288 x 35 x 35`, and symbols where calls of a block differ."""

from __future__ import annotations

from inception_dsl.analysis import BlockWidths, Width
from inception_dsl.expr import Apply, Binary, find_names, show


def shape_text(widths: BlockWidths, path: str) -> str:
    """Return the shape at a path of a block: N x channels x height x width, or N x features.

    Channels that depend on the block's parameters are an expression over them. A height and a width
    in which calls differ are those of the first input, H and W: `N x (c1 + c3) x H/2 x W/2`, or
    `2H x 2W` behind an upsampling.
    """
    width = widths.widths[path]
    sides = [_side(width, axis) for axis in (1, 2)]
    if not width.types[0].is_map:
        return f"N x {_channels(width)}"
    return " x ".join(["N", _channels(width), *sides])


def _channels(width: Width) -> str:
    written, channels = width.channels, {type.channels for type in width.types}
    if written is not None and (find_names(written) or len(channels) > 1):
        is_compound = isinstance(written, Binary) or (
            isinstance(written, Apply) and written.function == "if"
        )
        return f"({show(written)})" if is_compound else show(written)
    return str(channels.pop()) if len(channels) == 1 else "C"


def _side(width: Width, axis: int) -> str:
    """Return a side's length if calls agree, else its ratio to the same side of the input."""
    lengths = {type.shape[axis] for type in width.types if type.is_map}
    if len(lengths) == 1:
        return str(lengths.pop())
    name = " HW"[axis]
    pairs = {
        (entering.shape[axis], type.shape[axis])
        for entering, type in width.by_input
        if entering.is_map and type.is_map
    }
    for divisor in (1, 2, 4, 8, 16, 32):
        if all(length == -(-side // divisor) for side, length in pairs):
            return name if divisor == 1 else f"{name}/{divisor}"
    for factor in (2, 4, 8, 16, 32):
        if all(length == side * factor for side, length in pairs):
            return f"{factor}{name}"
    return name.lower()
