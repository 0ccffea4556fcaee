"""A convolution as several in a row, which give the same type and see the same windows.

Nothing is said of what they compute: their weights are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inception_dsl.analysis.dense import Kernel
from inception_dsl.ir import Node, Value
from inception_dsl.ops import OPS, ShapeError, Window
from inception_dsl.ops.window import PAD_FLAGS, find_reaches, margins


@dataclass(frozen=True, slots=True)
class Chain:
    """A convolution as several, one after the other.

    Attributes:
        parts: none if they would not give the same type, or not see the same windows.
        obstacle: the reason why there are none; empty if there are parts.
    """

    parts: tuple[Node, ...]
    obstacle: str = ""


def factorise(node: Node, kernels: tuple[Kernel, ...], *inner: int) -> tuple[Node, ...]:
    """Return the parts of a convolution, as `build_chain` does; no nodes if there are none."""
    return build_chain(node, kernels, *inner).parts


def build_chain(node: Node, kernels: tuple[Kernel, ...], *inner: int) -> Chain:
    """Return a convolution as several; the last one has its stride and its width.

    Args:
        inner: the width of each part before the last, or one width for all of them.
    """
    op = OPS[node.op]
    if node.reuses is not None:
        return Chain((), f"it shares its weights with `{node.reuses}` by `reuse`")
    parts: list[Node] = []
    seen: tuple[Window | None, Window | None] = (Window(1, 1, 0), Window(1, 1, 0))
    type = node.input_types[0]
    for index, (kernel, pad) in enumerate(zip(kernels, share_pad(node, kernels), strict=True)):
        attributes = {**node.attributes, op.kernel: kernel, "pad": pad}
        if index < len(kernels) - 1:
            width = inner[index] if len(inner) > 1 else inner[0]
            attributes |= {op.width: width, "stride": 1}
        try:
            given = op.infer(attributes, (type,))
        except ShapeError as error:
            return Chain((), f"a part of it would be wrong: {error.message}")
        tall, wide = op.windows(attributes, type)
        seen = (
            seen[0] and tall and seen[0].then(tall),
            seen[1] and wide and seen[1].then(wide),
        )
        parts.append(replace(node, attributes=attributes, input_types=(type,), type=given))
        type = given
    if type != node.type:
        return Chain((), f"its parts would give {type} in place of {node.type}")
    whole = op.windows(node.attributes, node.input_types[0])
    sides = node.input_types[0].size
    for one, other, side in zip(seen, whole, sides, strict=True):
        if (one and one.within(side)) != (other and other.within(side)):
            return Chain((), "its parts would see other pixels")
    return Chain(tuple(parts))


def share_pad(node: Node, kernels: Sequence[Kernel]) -> list[Value]:
    """Return the padding of each part of a convolution; all of them pad as much as it does.

    A word stays. Of a number, each part takes what keeps the size of its map, as far as it lasts,
    and the last one takes the rest.
    """
    op, pad = OPS[node.op], node.attributes["pad"]
    if pad in PAD_FLAGS:
        return [pad] * len(kernels)
    rest = margins(pad, 1)
    shares: list[tuple[int, int]] = []
    for kernel in kernels[:-1]:
        tall, wide = find_reaches({**node.attributes, op.kernel: kernel})
        shares.append((min(rest[0], (tall - 1) // 2), min(rest[1], (wide - 1) // 2)))
        rest = (rest[0] - shares[-1][0], rest[1] - shares[-1][1])
    return [_name_pad(*share) for share in (*shares, rest)]


def _name_pad(above: int, left: int) -> Value:
    """Return a padding as an author writes it: `V` for none, one number for both axes."""
    if above == left:
        return above or "V"
    return above, left
