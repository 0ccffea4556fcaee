"""A model as the tree of its paths: the tree of the modules that hold its weights.

A part is a node, a call, or a name that holds others. Parts of equal calls share what is below
them, so that a block that is called nine times is one tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from inception_dsl.ir import Call, Node
from inception_dsl.ops import OPS

Kids = dict[str, "Part"]

_WEIGHT = {"kernel": 0.35, "output": 0.35, "width": 0.25, "stride": 0.15, "pad": 0.1}
_SIZES = ("kernel", "width", "stride", "pad")
_LITTLE = 0.05
_OTHER_OP = 0.4


@dataclass(slots=True, eq=False)
class Part:
    """A name in the tree of paths.

    Attributes:
        item: the node or the call that stands there; None for what only holds others.
        kids: what is below it, by name; empty for a node.
        kinds: how many nodes of each kind it holds: in full, by op and size, by op and kernel.
        kernels: the same, by op and kernel alone.
    """

    name: str
    item: Node | Call | None
    kids: Kids
    kinds: Counter[Hashable] = field(default_factory=Counter)
    kernels: Counter[Hashable] = field(default_factory=Counter)

    @property
    def is_node(self) -> bool:
        """It runs an op."""
        return isinstance(self.item, Node)

    @property
    def is_numbered(self) -> bool:
        """It is called by its op or its block, as a step is to which no author gave a name."""
        return self.item is not None and is_numbered(self.name, self.item)

    @property
    def size(self) -> int:
        """How many nodes it holds, thrice."""
        return self.kinds.total()


class Parts:
    """The parts of a model; what is below calls of one body is made once."""

    def __init__(self) -> None:
        self._made: dict[int, Part] = {}

    def below(self, call: Call) -> Part:
        """What a call holds, as a part without a name."""
        made = self._made.get(id(call.body))
        if made is None:
            made = self._made[id(call.body)] = Part("", None, {})
            for item in call.body:
                self._add(made, item)
            _count(made)
        return made

    def _add(self, top: Part, item: Node | Call) -> None:
        *holders, name = item.path.split(".")
        part = top
        for holder in holders:
            part = part.kids.setdefault(holder, Part(holder, None, {}))
        if isinstance(item, Call):
            body = self.below(item)
            part.kids[name] = Part(name, item, body.kids, body.kinds, body.kernels)
        else:
            exact, size, kernel = _kinds(item)
            kinds, kernels = Counter([exact, size, kernel]), Counter([kernel])
            part.kids[name] = Part(name, item, {}, kinds, kernels)


def _kinds(node: Node) -> tuple[Hashable, Hashable, Hashable]:
    """What it is, ever less exactly: `defaults` change the norm of all, and none of their sizes."""
    return (
        (node.op, tuple(node.attributes.items())),
        by_size(node),
        (node.op, node.attributes.get("kernel")),
    )


def by_size(node: Node) -> Hashable:
    """What a node is, and how large."""
    return (node.op, *(node.attributes.get(name) for name in _SIZES))


def _count(part: Part) -> None:
    for kid in part.kids.values():
        if kid.item is None:
            _count(kid)
        part.kinds.update(kid.kinds)
        part.kernels.update(kid.kernels)


def likeness(one: Part, other: Part) -> float:
    """How much two parts have in common: 1 for the same, 0 for nothing."""
    if isinstance(one.item, Node) and isinstance(other.item, Node):
        return _node_likeness(one.item, other.item)
    return shared(one, other)


def shared(one: Part, other: Part) -> float:
    """Which share of two parts' nodes is in both, as `kinds` has them."""
    if not one.kinds or not other.kinds:
        return 0.0
    few, many = sorted((one.kinds, other.kinds), key=len)
    common = sum(min(count, many[kind]) for kind, count in few.items() if kind in many)
    return 2 * common / (one.size + other.size)


def _node_likeness(one: Node, other: Node) -> float:
    lost = 0.0
    if one.op != other.op:
        if OPS[one.op].family != OPS[other.op].family:
            return 0.0
        lost = _OTHER_OP
    for name in one.attributes.keys() & other.attributes.keys():
        mine, its = one.attributes[name], other.attributes[name]
        if mine == its:
            continue
        lost += _WEIGHT.get(name, _LITTLE)
        if isinstance(mine, tuple) and its == mine[::-1]:  # 1x7 for 7x1
            lost -= _WEIGHT.get(name, _LITTLE) / 2
    lost += _LITTLE * len(one.attributes.keys() ^ other.attributes.keys()) / 2
    return max(0.05, 1 - lost)


def is_join(item: Node | Call | None) -> bool:
    """It puts together what branches give: a concat, a sum, a product."""
    return isinstance(item, Node) and OPS[item.op].join is not None


def is_numbered(name: str, item: Node | Call) -> bool:
    """A step is called by its op or its block, perhaps with a number."""
    own = item.block if isinstance(item, Call) else OPS[item.op].written.rpartition(" ")[2]
    return name == own or (name.startswith(own) and name.removeprefix(own).isdigit())


def has_numbers(kids: Iterable[str]) -> bool:
    """They are the copies of a repeated step."""
    return all(name.isdigit() for name in kids)


def free(old: Kids, new: Kids, chosen: dict[str, str]) -> tuple[Kids, Kids]:
    """What has no pair: new names by old ones."""
    taken = set(chosen.values())
    return (
        {name: part for name, part in old.items() if name not in chosen},
        {name: part for name, part in new.items() if name not in taken},
    )
