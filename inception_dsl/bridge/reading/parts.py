"""Channels in equal parts along an axis of their own: sums over parts, and gates of branches.

Networks that choose between branches, as SKNet and ResNeSt do, have a vector with one part for each
branch. A softmax over the parts is a word of the language; each branch is then multiplied by a
part.
"""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.reader import (
    GraphReader,
    Results,
    Seen,
    UnsayableError,
    can_say,
)
from inception_dsl.bridge.reading.waiting import STACK
from inception_dsl.ir import Value


def find_parts(seen: Seen) -> tuple[int, int] | None:
    """Return the axis of the parts of a vector, and their number; None if it has none."""
    axes = [axis for axis, side in enumerate(seen.shape) if axis and side != 1]
    is_of_parts = seen.layout == "grouped" and len(axes) == 2
    return (axes[0], seen.shape[axes[0]]) if is_of_parts else None


def take_vector(reader: GraphReader, seen: Seen) -> Seen:
    """Return a tensor of parts as the vector that it is; a map of one place is flattened."""
    assert seen.key is not None
    type = reader.nodes[seen.key].type
    vector = Seen(seen.key, "vector", (seen.shape[0], type.channels))
    if not type.is_map:
        return vector
    if type.size != (1, 1):
        raise UnsayableError(lacks.OTHER_AXES)
    place = Seen(seen.key, "map", (seen.shape[0], *type.shape))
    return reader.add_shaped("flatten", {}, [place], vector)


def stack_along(reader: GraphReader, parts: Sequence[Seen], axis: int) -> Seen:
    """Add tensors along a new axis, which waits for a sum over that axis."""
    result = Seen(None, "lost", reader.call.results[0].shape)
    attributes: dict[str, Value] = {"axis": axis, "layout": parts[0].layout}
    return reader.add_shaped(STACK, attributes, parts, result)


def join_parts(reader: GraphReader, parts: Sequence[Seen], axis: int) -> Seen | None:
    """Add stacks to each other, or vectors as parts of one; None if a concat does neither."""
    if all(reader.is_made_by(part, STACK) for part in parts):
        stacks = [reader.nodes[part.key] for part in parts if part.key is not None]
        if any(stack.attributes != {"axis": axis, "layout": "map"} for stack in stacks):
            return None
        batch, _, *rest = parts[0].shape
        maps = [Seen(key, "map", (batch, *rest)) for stack in stacks for key in stack.inputs]
        return stack_along(reader, maps, axis)
    if axis != 1 or any(
        part.layout not in {"row", "grouped"} or len(part.shape) != 3 for part in parts
    ):
        return None
    shape = reader.call.results[0].shape
    vectors = [
        Seen(part.key, "vector", (shape[0], part.shape[2]))
        if part.layout == "row"
        else take_vector(reader, part)
        for part in parts
    ]
    whole = Seen(None, "vector", (shape[0], shape[1] * shape[2]))
    joined = reader.add_shaped("concat", {}, vectors, whole)
    return Seen(joined.key, "grouped", shape)


def read_softmax(reader: GraphReader, seen: Seen, dim: int | None) -> Seen:
    """Add a softmax over the parts of a vector."""
    found = find_parts(seen)
    if found is None or dim is None or seen.axis(dim) != found[0]:
        raise UnsayableError(lacks.TOKENS)
    vector = take_vector(reader, seen)
    attributes: dict[str, Value] = {"parts": found[1]}
    if not can_say("partsoftmax", attributes, [vector], vector):
        raise UnsayableError(lacks.TOKENS)
    gates = reader.add_shaped("partsoftmax", attributes, [vector], vector)
    return Seen(gates.key, "grouped", seen.shape)


def read_gated(reader: GraphReader, first: Seen, second: Seen) -> Seen | None:
    """Add the products of branches with the parts of a vector; None if a product is none of these.

    The branches are stacked, or they are parts of one map.
    """
    for branches, gates in ((first, second), (second, first)):
        if gates.layout != "grouped" or find_parts(gates) is None or len(branches.shape) != 5:
            continue
        if gates.shape != (*branches.shape[:3], 1, 1):
            continue
        if reader.is_made_by(branches, STACK):
            return _gate_stack(reader, branches, gates)
        if branches.layout == "grouped":
            batch, parts, width, *size = branches.shape
            whole = Seen(branches.key, "map", (batch, parts * width, *size))
            inputs = [whole, take_vector(reader, gates)]
            product = reader.add_shaped("mul", {}, inputs, whole)
            return Seen(product.key, "grouped", branches.shape)
    return None


def _gate_stack(reader: GraphReader, stack: Seen, gates: Seen) -> Seen | None:
    """Add the product of each map of a stack with its part of a vector, and their stack."""
    assert stack.key is not None
    node = reader.nodes[stack.key]
    if node.attributes != {"axis": 1, "layout": "map"}:
        return None
    batch, _, width, *size = stack.shape
    vector = take_vector(reader, gates)
    products = []
    for index, key in enumerate(node.inputs):
        branch = Seen(key, "map", (batch, width, *size))
        gate = _take_part(reader, vector, index, Seen(None, "vector", (batch, width)))
        products.append(reader.add_shaped("mul", {}, [branch, gate], branch))
    return reader.add_shaped(STACK, node.attributes, products, stack)


def _take_part(reader: GraphReader, whole: Seen, index: int, result: Seen) -> Seen:
    width = result.type.channels
    attributes: dict[str, Value] = {"start": index * width, "width": width}
    return reader.add_shaped("~slice", attributes, [whole], result)


def sum_parts(reader: GraphReader, seen: Seen, axis: int) -> Results:
    """Return the sum of the parts of a map."""
    batch, parts, width, *size = seen.shape
    if axis != 1 or len(size) != 2:
        raise UnsayableError(lacks.STATISTICS)
    whole = Seen(seen.key, "map", (batch, parts * width, *size))
    result = Seen(None, "map", (batch, width, *size))
    taken = [_take_part(reader, whole, index, result) for index in range(parts)]
    if parts == 1:
        return Seen(whole.key, "map", result.shape)
    return reader.add("add", {"scale": 1, "act": "none"}, taken, "map", lack=lacks.STATISTICS)
