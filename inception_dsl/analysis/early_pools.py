"""Average pools before a 1x1 convolution that gives fewer channels, and could run before the pool.

Both are linear and neither mixes what the other one does: the pool takes means of places, the
convolution of channels. So their order does not matter, but the pool behind has fewer channels.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from inception_dsl.analysis.dense import Inference, WrittenStep, gather_readers
from inception_dsl.analysis.fusing import counts_padding, is_narrowing, narrow, slides_by_one
from inception_dsl.ir import Node
from inception_dsl.ops import OPS


@dataclass(frozen=True, slots=True)
class EarlyPool:
    """A line with a pool, and the line with the convolution that alone reads it.

    Attributes:
        flops: the operations of all these pools that are saved behind the convolutions, an image.
        blurs_bias: the mean counts padding and the convolution has a bias, which the pool behind
            would make smaller at the border.
    """

    pool: WrittenStep
    conv: WrittenStep
    flops: int
    blurs_bias: bool


def find_early_pools(run: Inference) -> Iterator[EarlyPool]:
    """Yield the average pools that could run behind a 1x1 convolution, at no more of its work.

    They keep the size of the map.
    """
    readers = gather_readers(run.nodes)
    pairs: dict[tuple[Hashable, Hashable], list[tuple[Node, Node]]] = {}
    for pool in run.nodes:
        reading = readers.get(pool.path, [])
        if len(reading) == 1 and slides_by_one(pool) and pool.path not in run.read_elsewhere:
            (conv,) = reading
            if is_narrowing(conv) and pool.type.size == pool.input_types[0].size:
                lines = run.line_of[pool.path], run.line_of[conv.path]
                pairs.setdefault(lines, []).append((pool, conv))
    sizes: dict[Hashable, int] = {}
    for node in run.nodes:
        line = run.line_of[node.path]
        sizes[line] = sizes.get(line, 0) + 1
    for (before, behind), found in pairs.items():
        if sizes[before] == sizes[behind] == len(found):  # no copy of a line is left as it is
            pools, convs = zip(*found, strict=True)
            yield EarlyPool(
                WrittenStep(pools[0].origin.span, pools),
                WrittenStep(convs[0].origin.span, convs),
                sum(_count_saved(pool, conv) for pool, conv in found),
                any(counts_padding(pool) and _has_bias(conv) for pool, conv in found),
            )


def _count_saved(pool: Node, conv: Node) -> int:
    """Return the operations of a pool that it does not need behind a convolution."""
    later = narrow(pool, conv.type.channels)
    before, behind = (
        sum(OPS[node.op].cost(node.attributes, node.input_types, node.type).flops.values())
        for node in (pool, later)
    )
    return before - behind


def _has_bias(conv: Node) -> bool:
    return conv.attributes.get("bias") is True
