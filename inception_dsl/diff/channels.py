"""In which order channels stand, after a concat that joins its branches in another one."""

from __future__ import annotations

from collections.abc import Mapping

from inception_dsl.diff.view import View
from inception_dsl.ir import INPUT, Node, Path, TensorType
from inception_dsl.ops import OPS

Order = tuple[int, ...]
"""For every channel of the new model, the one of the old model that it was."""


def channel_orders(old: View, new: View, back: Mapping[Path, Path]) -> dict[str, Order | None]:
    """The orders of the new nodes whose channels stand otherwise than they did.

    None where they do, and no order tells how: channels came or went, or were mixed.

    Args:
        back: new paths to old ones.
    """
    orders: dict[str, Order | None] = {}
    for node in new.graph.nodes:
        was = old.nodes.get(back.get(node.path, Path()))
        if was is not None and was.type.channels != node.type.channels:
            continue
        channels = OPS[node.op].channels
        if was is not None and was.op == node.op and channels == "joined":
            order = _joined(was, node, old, back, orders)
        elif channels in ("separate", "positional", "flattened"):
            order = _passed(node, orders)
        else:
            continue
        if order is None or order != tuple(range(len(order))):
            orders[node.path] = order
    return orders


def _joined(
    old: Node,
    new: Node,
    before: View,
    back: Mapping[Path, Path],
    orders: dict[str, Order | None],
) -> Order | None:
    starts: dict[Path, list[int]] = {}
    start = 0
    for path, type in zip(old.inputs, old.input_types, strict=True):
        starts.setdefault(path, []).append(start)
        start += type.channels
    order: list[int] = []
    for path, type in zip(new.inputs, new.input_types, strict=True):
        own = orders.get(path, tuple(range(type.channels)))
        was = path if path == INPUT else back.get(path, Path())
        if was not in starts:  # another branch, in the place of one that is no longer read
            was = next((p for p, at in starts.items() if at[:1] == [len(order)]), Path())
            if was in back.values() and any(back.get(read) == was for read in new.inputs):
                return None
        given = before.model.input if was == INPUT else _type_of(before, was)
        same = given is not None and given.channels == type.channels
        if own is None or not same or not starts.get(was):
            return None
        first = starts[was].pop(0)
        order += [first + channel for channel in own]
    return tuple(order)


def _type_of(view: View, path: Path) -> TensorType | None:
    node = view.nodes.get(path)
    return node.type if node is not None else None


def _passed(node: Node, orders: dict[str, Order | None]) -> Order | None:
    channels = node.type.channels
    read = {path: orders.get(path, ()) for path in node.inputs}
    found = set(read.values())
    if len(found) > 1 or None in found:
        return None
    (order,) = found
    if not order:
        return tuple(range(channels))
    if OPS[node.op].channels == "positional":  # neighbours, or groups, are others
        return None
    if OPS[node.op].channels == "flattened" and node.input_types[0].is_map:
        height, width = node.input_types[0].size
        area = height * width
        return tuple(area * channel + place for channel in order for place in range(area))
    return order
