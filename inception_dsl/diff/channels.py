"""The order of channels behind a concat that joins its branches in another one.

Slices and shuffles pass an order on, or change it.

An order is a tuple of runs, so that its length depends on the branches, not on their channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inception_dsl.diff.ports import pair_entries
from inception_dsl.diff.view import View
from inception_dsl.ir import Node, Path, TensorType
from inception_dsl.ir.weights import Order
from inception_dsl.ops import OPS
from inception_dsl.ops.attribute import number
from inception_dsl.ops.channels import find_range

MAX_RUNS = 200
"""Maximum number of runs of an order; channels in more pieces are taken as mixed."""


def count_channels(order: Order) -> int:
    """Return the number of channels that stand in an order."""
    return sum(count for _, count in order)


def keeps_groups(order: Order, channels: int, groups: int) -> bool:
    """Tell whether each group of channels is one of the old groups, its channels in any order."""
    size = channels // groups
    old_groups: dict[int, int] = {}
    place = 0
    for first, count in order:
        old, new = first // size, place // size
        last_old, last_new = (first + count - 1) // size, (place + count - 1) // size
        if last_old - old != last_new - new or (last_new > new and (first - place) % size):
            return False
        if old_groups.setdefault(new, old) != old:
            return False
        if old_groups.setdefault(last_new, last_old) != last_old:
            return False
        place += count
    return True


def count_groups(node: Node) -> int:
    """Return the number of groups of a node whose op keeps its channels in groups."""
    return number(node.attributes, "groups")


def channel_orders(old: View, new: View, back: Mapping[Path, Path]) -> dict[str, Order | None]:
    """Return the orders of channels of those new nodes whose channels do not stand as before.

    The order is None where no order describes them: channels are added, removed or mixed.

    Args:
        back: new paths to old ones.
    """
    orders: dict[str, Order | None] = {}
    kept = frozenset(back.values())
    inputs = {b: a for a, b in pair_entries(old.graph.inputs, new.graph.inputs).items()}
    for node in new.graph.nodes:
        old_node = old.nodes.get(back.get(node.path, Path()))
        if old_node is not None and old_node.type.channels != node.type.channels:
            continue
        channels = OPS[node.op].channels
        if old_node is not None and old_node.op == node.op and channels == "joined":
            order = _Joined(old_node, old, back, kept, inputs).order(node, orders)
        elif moves_channels(node) or (
            old_node is not None and moves_channels(old_node) and channels == "separate"
        ):
            order = _moved(old_node, node, orders)
        elif channels not in ("mixed", "joined"):
            order = _passed(node, orders)
        else:
            continue
        if order != ((0, node.type.channels),):
            orders[node.path] = order
    return orders


class _Joined:
    """The channels of an old concat, which the inputs of a new one take one by one.

    Args:
        inputs: the old path of each input of the new network.
    """

    def __init__(
        self,
        old: Node,
        view: View,
        back: Mapping[Path, Path],
        kept: frozenset[Path],
        inputs: Mapping[Path, Path],
    ) -> None:
        self._view = view
        self._back = back
        self._kept = kept
        self._inputs = inputs
        self._starts: dict[Path, list[int]] = {}
        self._at: dict[int, Path] = {}
        start = 0
        for path, type in zip(old.inputs, old.input_types, strict=True):
            self._starts.setdefault(path, []).append(start)
            self._at[start] = path
            start += type.channels

    def order(self, new: Node, orders: Mapping[str, Order | None]) -> Order | None:
        """Return the order of the old channels in the new concat; None if there is none."""
        read = {self._back.get(path) for path in new.inputs}
        runs: list[tuple[int, int]] = []
        place = 0
        for path, type in zip(new.inputs, new.input_types, strict=True):
            order = orders.get(path, ((0, type.channels),))
            first = self._take(path, type, place, read)
            if first is None or order is None:
                return None
            _extend(runs, ((first + start, count) for start, count in order))
            if len(runs) > MAX_RUNS:
                return None
            place += type.channels
        return tuple(runs)

    def _take(self, path: Path, type: TensorType, place: int, read: set[Path | None]) -> int | None:
        """Return where the channels of a new input began in the old concat."""
        old_path = self._inputs.get(path) or self._back.get(path, Path())
        if old_path not in self._starts:
            # Another branch, in the place of one that nothing reads any longer.
            there = self._at.get(place)
            old_path = there if there and self._starts[there][:1] == [place] else Path()
            if old_path in self._kept and old_path in read:
                return None
        old_type = _type_of(self._view, old_path)
        is_same = old_type is not None and old_type.channels == type.channels
        return self._starts[old_path].pop(0) if is_same and self._starts.get(old_path) else None


def _extend(runs: list[tuple[int, int]], others: Iterable[tuple[int, int]]) -> None:
    """Add runs to a list, in place; one that goes on where the last one ends becomes part of it."""
    for first, count in others:
        if runs and sum(runs[-1]) == first:
            runs[-1] = runs[-1][0], runs[-1][1] + count
        else:
            runs.append((first, count))


def moves_channels(node: Node) -> bool:
    """Tell whether an op picks channels, or gives them in another order."""
    return OPS[node.op].channels in ("sliced", "shuffled")


def _moved(old: Node | None, new: Node, orders: Mapping[str, Order | None]) -> Order | None:
    """Return the order of the channels of an old node's output in that of the new one.

    Either of them picks channels, or gives them in another order.
    """
    whole = ((0, new.input_types[0].channels),)
    read = orders.get(new.inputs[0], whole)
    if old is None:
        if new.type != new.input_types[0]:
            return None
        before: Order | None = whole
    elif not (moves_channels(old) or OPS[old.op].channels == "separate"):
        return None
    else:
        before = _list_moves(old)
    after = _list_moves(new)
    if read == whole and old is not None and _is_alike(old, new):
        return ((0, new.type.channels),)
    if read is None or before is None or after is None:
        return None
    taken = _take_all(read, after)
    return taken and _place_all(old, before, taken)


def _is_alike(old: Node, new: Node) -> bool:
    """Tell whether two nodes move as many channels in one way."""
    return (old.op, old.attributes, old.input_types) == (new.op, new.attributes, new.input_types)


def _list_moves(node: Node) -> Order | None:
    """Return the channels that a node takes, in order; None for more than `MAX_RUNS` runs."""
    channels = node.input_types[0].channels
    match OPS[node.op].channels:
        case "sliced":
            return (find_range(node.attributes, channels),)
        case "shuffled":
            return _shuffle(channels, count_groups(node))
        case _:
            return ((0, channels),)


def _shuffle(channels: int, groups: int) -> Order | None:
    each = channels // groups
    if groups == 1 or each == 1:
        return ((0, channels),)
    if channels > MAX_RUNS:
        return None
    return tuple((group * each + index, 1) for index in range(each) for group in range(groups))


def _take_all(order: Order, places: Order) -> Order | None:
    """Return what an order has at some places; None for more than `MAX_RUNS` runs."""
    runs: list[tuple[int, int]] = []
    for first, count in places:
        at = 0
        for start, length in order:
            low, high = max(first, at), min(first + count, at + length)
            if low < high:
                _extend(runs, [(start + low - at, high - low)])
            at += length
        if len(runs) > MAX_RUNS:
            return None
    return tuple(runs)


def _place_all(old: Node | None, before: Order, taken: Order) -> Order | None:
    """Return the places that channels had behind an old node; None if it did not take them all.

    Args:
        before: the channels that the old node took.
        taken: the channels that the new node takes, by their places before the old node.
    """
    if old is not None and OPS[old.op].channels == "shuffled":
        channels = old.type.channels
        inverse = _shuffle(channels, channels // count_groups(old))
        return inverse and _take_all(inverse, taken)
    ((start, width),) = before
    if any(first < start or first + count > start + width for first, count in taken):
        return None
    return tuple((first - start, count) for first, count in taken)


def _type_of(view: View, path: Path) -> TensorType | None:
    root = view.model.root
    if path in root.entries:
        return root.input_types[root.entries.index(path)]
    node = view.nodes.get(path)
    return node.type if node is not None else None


def _passed(node: Node, orders: Mapping[str, Order | None]) -> Order | None:
    pairs = zip(node.inputs, node.input_types, strict=True)
    # A gate of one channel acts on all channels alike, wherever they stand.
    wholes = [path for path, type in pairs if type.channels == node.type.channels]
    read = {orders.get(path, ()) for path in wholes or node.inputs}
    if len(read) > 1 or None in read:
        return None
    (order,) = read
    if not order:
        return ((0, node.type.channels),)
    if OPS[node.op].channels == "pooled":
        return ((0, 1),)
    if OPS[node.op].channels == "padded":
        runs = [(0, number(node.attributes, "before"))]
        behind = runs[0][1] + node.input_types[0].channels
        _extend(runs, ((runs[0][1] + first, count) for first, count in order))
        _extend(runs, [(behind, number(node.attributes, "after"))])
        return tuple((first, count) for first, count in runs if count)
    if OPS[node.op].channels == "positional":  # the neighbours change
        return None
    if OPS[node.op].channels == "grouped" and not keeps_groups(
        order, node.type.channels, count_groups(node)
    ):
        return None
    if OPS[node.op].channels == "flattened" and node.input_types[0].is_map:
        height, width = node.input_types[0].size
        area = height * width
        return tuple((area * first, area * count) for first, count in order)
    if OPS[node.op].channels == "packed":
        area = number(node.attributes, "factor") ** 2
        return tuple((area * first, area * count) for first, count in order)
    if OPS[node.op].channels == "spread":
        area = number(node.attributes, "factor") ** 2
        if any(first % area or count % area for first, count in order):
            return None
        return tuple((first // area, count // area) for first, count in order)
    return order
