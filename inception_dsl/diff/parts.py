"""A model as the tree of its paths, which is the tree of the modules that hold its weights.

A part is a node, a call, or a name that holds other parts. Parts of equal calls share their kids,
so that a block that is called nine times is one tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from inception_dsl.ir import Call, Node, Path
from inception_dsl.ops import OPS

Kids = dict[str, "Part"]

_WEIGHT = {"kernel": 0.35, "output": 0.35, "width": 0.25, "stride": 0.15, "pad": 0.1}
"""The likeness that two nodes of one op lose for each attribute that differs. The kernel and the
width, by which a paper's figure knows a step, weigh most; a conv that differs in all of them keeps
0.15."""

_SIZES = ("kernel", "width", "stride", "pad")
_LITTLE = 0.05
"""The likeness lost for any other attribute, and the least that two nodes of one family keep."""

_OTHER_OP = 0.4
"""The likeness lost for another op of the same family: an average pool for a max pool."""


@dataclass(slots=True, eq=False)
class Part:
    """A name in the tree of paths.

    Attributes:
        item: the node or the call of this name; None for a name that only holds other parts.
        kids: the parts below it by name; none for a node.
        kinds: the number of nodes of each kind: in full, by op and size, by op and kernel.
        kernels: the number of nodes by op and kernel alone.
    """

    name: str
    item: Node | Call | None
    kids: Kids
    kinds: Counter[Hashable] = field(default_factory=Counter)
    kernels: Counter[Hashable] = field(default_factory=Counter)

    @property
    def is_node(self) -> bool:
        """The part is a step that runs an op."""
        return isinstance(self.item, Node)

    @property
    def is_numbered(self) -> bool:
        """The name is derived from the op or the block, because no author gave one."""
        return self.item is not None and is_numbered(self.name, self.item)

    @property
    def size(self) -> int:
        """The number of nodes it holds, times three: each counts once for every kind."""
        return self.kinds.total()


class Parts:
    """The parts of models; calls of one body share theirs."""

    def __init__(self) -> None:
        self._made: dict[int, Part] = {}

    def below(self, call: Call) -> Part:
        """Return the content of a call, as a part without a name."""
        made = self._made.get(id(call.body))
        if made is None:
            made = self._made[id(call.body)] = Part("", None, {})
            for item in call.body:
                self._add(made, item)
            _count(made)
        return made

    def _add(self, top: Part, item: Node | Call) -> None:
        *holders, name = item.path.names
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
    """Return the kinds of a node, ever less exact.

    `defaults` change the norm of all nodes, but none of their sizes.
    """
    return (
        (node.op, tuple(node.attributes.items())),
        describe_size(node),
        (node.op, node.attributes.get("kernel")),
    )


def describe_size(node: Node) -> Hashable:
    """Return the op of a node and the attributes that say how large it is."""
    return (node.op, *(node.attributes.get(name) for name in _SIZES))


def _count(part: Part) -> None:
    for kid in part.kids.values():
        if kid.item is None:
            _count(kid)
        part.kinds.update(kid.kinds)
        part.kernels.update(kid.kernels)


def measure_likeness(one: Part, other: Part) -> float:
    """Return how much two parts have in common: 1 for the same, 0 for nothing."""
    if isinstance(one.item, Node) and isinstance(other.item, Node):
        return _node_likeness(one.item, other.item)
    return measure_overlap(one, other)


def measure_overlap(one: Part, other: Part) -> float:
    """Return the share of two parts' nodes that is in both, by `kinds`."""
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
        value, other_value = one.attributes[name], other.attributes[name]
        if value == other_value:
            continue
        lost += _WEIGHT.get(name, _LITTLE)
        if isinstance(value, tuple) and other_value == value[::-1]:  # 1x7 for 7x1
            lost -= _WEIGHT.get(name, _LITTLE) / 2
    lost += _LITTLE * len(one.attributes.keys() ^ other.attributes.keys()) / 2
    return max(_LITTLE, 1 - lost)


def is_join(item: Node | Call | None) -> bool:
    """Tell whether an item joins branches: a concat, a sum, a product."""
    return isinstance(item, Node) and OPS[item.op].join is not None


def is_numbered(name: str, item: Node | Call) -> bool:
    """Tell whether a step is named after its op or its block, perhaps with a number."""
    kind = item.block if isinstance(item, Call) else op_word(item.op)
    return name == kind or (name.startswith(kind) and name.removeprefix(kind).isdigit())


def op_word(name: str) -> str:
    """Return the word that names the steps of an op: `conv`; `avgpool` of `adaptive avgpool`."""
    return OPS[name].written.split()[-1]


def has_numbers(kids: Iterable[str]) -> bool:
    """Tell whether names are those of the copies of a repeated step."""
    return all(Path(name).copy is not None for name in kids)


def find_unpaired(old: Kids, new: Kids, chosen: dict[str, str]) -> tuple[Kids, Kids]:
    """Return the parts without a pair; `chosen` has the new name of each old one."""
    taken = set(chosen.values())
    return (
        {name: part for name, part in old.items() if name not in chosen},
        {name: part for name, part in new.items() if name not in taken},
    )
