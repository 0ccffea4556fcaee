"""Layer norms of maps that are written out, as in ConvNeXt: the calls that compute one.

The mean of the channels at each place, what differs from it, its squares, and the root of their
mean wait for the division that is the norm (`~level`, `~centred`, `~squares`, `~root`); any that
are left are a cause of refusal.

Source: Ba et al., Layer Normalization, 2016, equation 3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.numbers import exact
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError
from inception_dsl.bridge.reading.waiting import CENTRED, LEVEL, PLUS, ROOT, SQUARES
from inception_dsl.recover import TracedDraft, TracedNode

_PARTS = frozenset([LEVEL, CENTRED, SQUARES, ROOT, PLUS])


def read_level(reader: GraphReader, seen: Seen) -> Seen:
    """Add the mean of all channels at each place, which waits for a norm."""
    result = Seen(None, seen.layout, reader.call.results[0].shape)
    return reader.add_shaped(LEVEL, {"is_variance": False}, [seen], result)


def read_variance(
    reader: GraphReader,
    input: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: Any = 1,
) -> Results:
    """Add the variance of all channels at each place, divided by their number."""
    seen = reader.see(input)
    axes = dim if isinstance(dim, tuple) else (dim,)
    is_level = seen.is_whole_map and [seen.axis(axis) for axis in axes] == [seen.channel_axis]
    if not is_level or not keepdim or (unbiased and correction != 0):
        raise UnsayableError(lacks.STATISTICS)
    result = Seen(None, seen.layout, reader.call.results[0].shape)
    return reader.add_shaped(LEVEL, {"is_variance": True}, [seen], result)


def read_centred(reader: GraphReader, first: Seen, second: Seen) -> Seen | None:
    """Add the differences of values from their mean; None if a difference is none of these."""
    if not reader.is_made_by(second, LEVEL) or _source(reader, second) != first.key:
        return None
    return reader.add_shaped(CENTRED, {}, [first, second], first)


def read_square(reader: GraphReader, input: Any, exponent: Any = 2) -> Results:
    """Add the squares of differences from a mean; the language has no other powers."""
    seen = reader.see(input)
    if exponent != 2 or not reader.is_made_by(seen, CENTRED):
        raise UnsayableError(lacks.POWER)
    return reader.add_shaped(SQUARES, {}, [seen], seen)


def read_root(reader: GraphReader, input: Any) -> Results:
    """Add the root of a variance and a number, or one by it."""
    seen = reader.see(input)
    if not reader.is_made_by(seen, PLUS):
        raise UnsayableError(lacks.POWER)
    is_inverse = reader.call.name == "rsqrt"
    return reader.add_shaped(ROOT, {"is_inverse": is_inverse}, [seen], seen)


def read_norm(reader: GraphReader, first: Seen, second: Seen, *, is_product: bool) -> Seen | None:
    """Add the norm that a division by a root, or a product with one, is; None if it is none."""
    if not reader.is_made_by(first, CENTRED) or not reader.is_made_by(second, ROOT):
        return None
    assert second.key is not None
    root = reader.nodes[second.key]
    bounded = reader.nodes[root.inputs[0]]
    level = reader.nodes[bounded.inputs[0]]
    if level.op != LEVEL or root.attributes["is_inverse"] != is_product:
        return None
    (whole,) = level.inputs
    if not level.attributes["is_variance"]:
        squares = reader.nodes[whole]
        if squares.op != SQUARES:
            return None
        whole = reader.nodes[squares.inputs[0]].inputs[0]
    eps = exact(float(str(bounded.attributes["number"])))
    if whole != _source(reader, first) or eps <= 0:
        return None
    seen = Seen(whole, first.layout, first.shape)
    return reader.add("layernorm", {"eps": eps, "affine": False}, [seen], first.layout)


def _source(reader: GraphReader, seen: Seen) -> int:
    """Return the first node that the maker of a tensor reads."""
    assert seen.key is not None
    return reader.nodes[seen.key].inputs[0]


def drop_parts(draft: TracedDraft, node: TracedNode) -> None:
    """Remove the parts of a norm that nothing reads, from the last one on."""
    if node.op not in _PARTS or draft.readers(node.key) or node.key in draft.ends:
        return
    sources = node.inputs
    draft.remove(node)
    for key in sources:
        if key in draft.nodes:
            drop_parts(draft, draft.nodes[key])


def fold_affine(draft: TracedDraft, node: TracedNode) -> None:
    """Fold the learnt scale and shift of a norm into it, if one module computes all of it."""
    source = draft.source(node)
    if node.op != "scale" or source is None or source.op != "layernorm":
        return
    is_whole = node.attributes["bias"] and not node.attributes["one"]
    is_bare = not source.attributes["affine"] and source.module == node.module
    if is_whole and is_bare and draft.sole_reader(source.key) is node:
        attributes = {**source.attributes, "affine": True}
        norm = replace(node, op="layernorm", attributes=attributes, inputs=source.inputs)
        draft.put(norm)
        draft.remove(source)
