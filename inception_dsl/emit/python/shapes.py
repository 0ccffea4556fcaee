"""Shapes as remarks in code: `288 x 35 x 35`, and symbols where calls of a block differ."""

from __future__ import annotations

from inception_dsl.analysis import BlockWidths, Width
from inception_dsl.expr import Binary, names, show
from inception_dsl.ir import INPUT


def shape_text(widths: BlockWidths, path: str) -> str:
    """What flows at a path of a block: channels x height x width, or features.

    Where calls differ, channels are an expression over the block's parameters, and height and
    width are told by those of what enters the block, H and W: `c1 + c3 x H/2 x W/2`.
    """
    width = widths.widths[path]
    sides = [_side(widths.widths[INPUT], width, axis) for axis in (1, 2)]
    if not width.types[0].is_map:
        return _channels(width, widths)
    return " x ".join([_channels(width, widths), *sides])


def _channels(width: Width, widths: BlockWidths) -> str:
    channels = {type.channels for type in width.types}
    written = width.channels
    if written is not None and (len(channels) > 1 or names(written) & widths.open_params):
        return f"({show(written)})" if isinstance(written, Binary) else show(written)
    return str(channels.pop()) if len(channels) == 1 else "C"


def _side(entering: Width, width: Width, axis: int) -> str:
    """A side's length, if calls agree; else what it is of the side that enters."""
    lengths = sorted({type.shape[axis] for type in width.types if type.is_map})
    if len(lengths) == 1:
        return str(lengths[0])
    name = " HW"[axis]
    came = sorted({type.shape[axis] for type in entering.types if type.is_map})
    for divisor in (1, 2, 4, 8, 16, 32):
        if lengths == sorted({-(-side // divisor) for side in came}):
            return name if divisor == 1 else f"{name}/{divisor}"
    return name.lower()
