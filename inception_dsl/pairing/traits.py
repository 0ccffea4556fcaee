"""The traits of nodes: attributes that one change changes together, in comparable form.

A trait that differs in the same way throughout the networks, such as a norm that only one of them
has, says nothing about pairs and is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.ir import Value
from inception_dsl.ops import NORMS, OPS
from inception_dsl.ops.attribute import Attribute
from inception_dsl.ops.window import find_reaches, margins
from inception_dsl.pairing.flat import FlatGraph, FlatNode, Key

MIN_NODES = 4
"""Minimum number of nodes on each side that show a difference throughout the networks."""
MIN_SHARE = 0.2
"""Minimum share of these nodes in all nodes of their op."""

Values = tuple[tuple[str, Hashable], ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """The op of a node and its traits by name: `window`, `width`, `norm`, `act`, `stride`, ..."""

    op: str
    values: Mapping[str, Values]

    @property
    def content(self) -> Hashable:
        """A value that equal traits share."""
        return self.op, tuple(self.values.items())


def find_traits(
    old: FlatGraph, new: FlatGraph
) -> tuple[Mapping[Key, Traits], Mapping[Key, Traits]]:
    """Return the traits of the nodes of two graphs by key.

    An attribute that one graph never shows for an op is left out, as are initial weights.
    """
    old_names, new_names = _names_by_op(old), _names_by_op(new)
    sides = []
    for graph in (old, new):
        traits: dict[Key, Traits] = {}
        for node in graph.nodes:
            shared = None
            if node.op in old_names and node.op in new_names:
                shared = old_names[node.op] & new_names[node.op]
            traits[node.key] = _read(node, shared)
        sides.append(traits)
    return _drop_systematic(sides[0], sides[1])


def find_differing(old: Traits, new: Traits) -> list[str]:
    """Return the names of the traits in which two nodes of one family differ."""
    if old.op != new.op:
        common = old.values.keys() & new.values.keys()
        return ["op", *sorted(name for name in common if old.values[name] != new.values[name])]
    names = dict.fromkeys([*old.values, *new.values])
    return [name for name in names if old.values.get(name) != new.values.get(name)]


def plain_value(attributes: Mapping[str, Value], name: str) -> Hashable:
    """Return the value of an attribute in one form of several equal ones."""
    value = attributes[name]
    if name == "pad" and value != "same_tf" and "kernel" in attributes:
        reaches = enumerate(find_reaches(attributes))
        return tuple(margins(value, reach)[axis] for axis, reach in reaches)
    if name == "pad" and attributes.get("kernel") == (1, 1) and attributes.get("stride") == 1:
        return (0, 0)
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value).normalize()
    return value


def _names_by_op(graph: FlatGraph) -> dict[str, frozenset[str]]:
    names: dict[str, frozenset[str]] = {}
    for node in graph.nodes:
        names[node.op] = names.get(node.op, frozenset()) | node.attributes.keys()
    return names


def _read(node: FlatNode, shared: frozenset[str] | None) -> Traits:
    values: dict[str, list[tuple[str, Hashable]]] = {}
    for name in node.attributes:
        attribute = OPS[node.op].attribute(name)
        if attribute is None or attribute.is_initial or (shared and name not in shared):
            continue
        trait = _trait_of(attribute, OPS[node.op].kernel)
        values.setdefault(trait, []).append((name, plain_value(node.attributes, name)))
    return Traits(
        node.op, {name: tuple(sorted(values[name], key=_by_name)) for name in sorted(values)}
    )


def _by_name(value: tuple[str, Hashable]) -> str:
    return value[0]


def _trait_of(attribute: Attribute, kernel: str) -> str:
    """Return the name of the trait that holds an attribute."""
    if attribute.owner in NORMS or attribute.name in ("norm", "bias"):
        return "norm"
    if attribute.owner or attribute.name == "act":
        return "act"
    if attribute.kind == "pad" or attribute.name == kernel:
        return "window"
    if attribute.kind == "width" or attribute.name == "groups":
        return "width"
    return attribute.name


def _drop_systematic(
    old: Mapping[Key, Traits], new: Mapping[Key, Traits]
) -> tuple[Mapping[Key, Traits], Mapping[Key, Traits]]:
    """Return the traits without those whose difference holds throughout the networks."""
    counts = _count_values(old), _count_values(new)
    totals = [Counter(traits.op for traits in side.values()) for side in (old, new)]
    dropped: set[tuple[str, str, Values]] = set()
    for place in dict.fromkeys([*counts[0], *counts[1]]):
        only = []
        for side in (0, 1):
            here = counts[side].get(place, Counter())
            there = counts[1 - side].get(place, Counter())
            least = max(MIN_NODES, MIN_SHARE * totals[side][place[0]])
            only.append([value for value in here if value not in there])
            if len(only[side]) != 1 or here[only[side][0]] < least:
                break
        else:
            dropped.update((*place, values[0]) for values in only)
    if not dropped:
        return old, new
    return _without(old, dropped), _without(new, dropped)


def _count_values(side: Mapping[Key, Traits]) -> dict[tuple[str, str], Counter[Values]]:
    counts: dict[tuple[str, str], Counter[Values]] = {}
    for traits in side.values():
        for name, values in traits.values.items():
            counts.setdefault((traits.op, name), Counter())[values] += 1
    return counts


def _without(
    side: Mapping[Key, Traits], dropped: set[tuple[str, str, Values]]
) -> Mapping[Key, Traits]:
    def keep(traits: Traits) -> Iterator[tuple[str, Values]]:
        for name, values in traits.values.items():
            yield name, () if (traits.op, name, values) in dropped else values

    return {key: Traits(traits.op, dict(keep(traits))) for key, traits in side.items()}
