"""Convolutions with the norm and the activation that follow them, and a graph without dead ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from inception_dsl.ir import Value
from inception_dsl.ops import ACTIVATIONS, GATHERED, NORMS, OPS, RESCALE, RESIDUAL
from inception_dsl.recover.graph import (
    TracedDraft,
    TracedGraph,
    TracedNode,
    find_live,
    find_owners,
)

Settings = tuple[tuple[str, Value], ...]
"""The attributes of a norm or of an activation, in the order of their names."""


@dataclass(frozen=True, slots=True)
class Fused:
    """A graph in which convolutions carry their norms and activations.

    Attributes:
        usual: the attributes that most nodes of an op have, by the op: the defaults of the network.
        dead: the nodes that no result depends on.
    """

    graph: TracedGraph
    usual: Mapping[str, Mapping[str, Value]]
    dead: tuple[TracedNode, ...]


def fuse(graph: TracedGraph, bare: Container[int] = ()) -> Fused:
    """Fold norms and activations into the convolutions, linears and sums before them.

    Args:
        bare: the sums that get no activation and no scale.
    """
    live = find_live(graph.nodes, graph.ends)
    dead = tuple(node for node in graph.nodes if node.key not in live)
    kept = tuple(node for node in graph.nodes if node.key in live)
    draft = TracedDraft(replace(graph, nodes=kept))
    _share_prefixes(draft)
    _fold_scales(draft, bare)
    usual = _find_usual(draft)
    alike: dict[int, list[int]] = {}
    owners = find_owners(kept)
    for key, owner in owners.items():
        alike.setdefault(owner, []).append(key)
    users = Counter(_name_tensors(node) for node in kept if node.op in NORMS)
    for node in draft:
        source = draft.source(node)
        if source is None or not _can_fold(draft, node, usual, bare):
            continue
        # A convolution that runs again is one step: what follows each run of it must be equal.
        runs = alike.get(owners.get(source.key, source.key), [source.key])
        if node.op in NORMS and node.tensors and users[_name_tensors(node)] != len(runs):
            continue  # other convolutions share its weights
        pairs = [(draft.nodes[key], draft.sole_reader(key)) for key in runs]
        if all(_are_equal(node, reader) for _, reader in pairs) and all(
            reader is not None and _can_fold(draft, reader, usual, bare) for _, reader in pairs
        ):
            for key in runs:  # one that reads another one changes with it
                reader = draft.sole_reader(key)
                assert reader is not None
                _fold(draft, draft.nodes[key], reader)
    return Fused(draft.finish(), usual, dead)


def _name_tensors(node: TracedNode) -> tuple[str, ...]:
    return tuple(sorted(node.tensors.values()))


def _can_fold(
    draft: TracedDraft,
    node: TracedNode,
    usual: Mapping[str, Mapping[str, Value]],
    bare: Container[int],
) -> bool:
    """Tell whether the node that a norm or an activation reads can carry it."""
    source = draft.source(node)
    if source is None or draft.sole_reader(source.key) is not node:
        return False
    if _settings(node) != _of(usual, node.op):
        return False
    if node.op in NORMS:
        return _takes_norm(source)
    return node.op in ACTIVATIONS and not node.tensors and _takes_act(source, bare)


def _are_equal(first: TracedNode, second: TracedNode | None) -> bool:
    """Tell whether two norms or activations are one that runs again."""
    return second is not None and (first.op, first.tensors) == (second.op, second.tensors)


def _fold(draft: TracedDraft, source: TracedNode, node: TracedNode) -> None:
    if node.op in NORMS:
        _fold_norm(draft, source, node)
    else:
        attributes = {**source.attributes, "act": node.op, **_own(source, node)}
        draft.put(replace(source, attributes=attributes))
        draft.take_out(node, source.key)


def _share_prefixes(draft: TracedDraft) -> None:
    """Have a concat of what another one joins, and more, read that one: cat(cat(a, b), c)."""
    known: dict[tuple[int, ...], int] = {}
    for node in draft:
        if node.op != GATHERED.name:
            continue
        inputs = node.inputs
        for length in range(len(inputs) - 1, 1, -1):
            if inputs[:length] in known:
                draft.put(replace(node, inputs=(known[inputs[:length]], *inputs[length:])))
                break
        known.setdefault(inputs, node.key)


def _fold_scales(draft: TracedDraft, bare: Container[int]) -> None:
    """Fold products with a number into the sums that read them: the scales of residuals."""
    for node in draft:
        if node.op != RESCALE.name or node.attributes["offset"] != 0:
            continue
        total = draft.sole_reader(node.key)
        if total is None or total.op != RESIDUAL.name or total.key in bare:
            continue
        if total.attributes["scale"] == 1 and len(set(total.inputs)) == 2:
            if "drop_path" in total.attributes and total.inputs[-1] != node.key:
                continue  # the other branch is the body
            (straight,) = (key for key in total.inputs if key != node.key)
            attributes = {**total.attributes, "scale": node.attributes["factor"]}
            inputs = (straight, node.inputs[0])
            draft.put(replace(total, attributes=attributes, inputs=inputs))
            draft.remove(node)


def _find_usual(draft: TracedDraft) -> dict[str, dict[str, Value]]:
    """Return the attributes that most norms and activations of each op have.

    Those behind a convolution come first, since it cannot have others.
    """
    counts: dict[str, Counter[Settings]] = {}
    behind: dict[str, Counter[Settings]] = {}
    for node in draft:
        if node.op in NORMS or (node.op in ACTIVATIONS and node.attributes):
            counts.setdefault(node.op, Counter())[_settings(node)] += 1
            source = draft.source(node)
            if source is not None and _takes_norm(source):
                behind.setdefault(node.op, Counter())[_settings(node)] += 1
    return {op: dict(behind.get(op, count).most_common(1)[0][0]) for op, count in counts.items()}


def _settings(node: TracedNode) -> Settings:
    return tuple(sorted(node.attributes.items()))


def _of(usual: Mapping[str, Mapping[str, Value]], op: str) -> Settings:
    return tuple(sorted(usual.get(op, {}).items()))


def _takes_norm(node: TracedNode) -> bool:
    """Tell whether a node can carry a norm, and has neither one nor an activation."""
    return node.attributes.get("norm") == "none" and node.attributes.get("act") == "none"


def _takes_act(node: TracedNode, bare: Container[int]) -> bool:
    """Tell whether a node can carry an activation, and has none."""
    is_join = OPS[node.op].join is not None
    return node.attributes.get("act") == "none" and (
        not is_join or (node.key not in bare and len(node.inputs) == 2)
    )


def _own(node: TracedNode, carried: TracedNode) -> dict[str, Value]:
    """Return the attributes of a norm or an activation by the names that its carrier gives them."""
    owned = {a.name_in_owner: a.name for a in OPS[node.op].attributes if a.owner == carried.op}
    return {owned[name]: value for name, value in carried.attributes.items() if name in owned}


def _fold_norm(draft: TracedDraft, node: TracedNode, norm: TracedNode) -> None:
    attributes = {**node.attributes, "norm": norm.op, **_own(node, norm)}
    layer = NORMS[norm.op].norm_layer
    tensors = {f"conv.{name}": key for name, key in node.tensors.items()}
    tensors |= {f"{layer}.{name}": key for name, key in norm.tensors.items()}
    draft.put(replace(node, attributes=attributes, tensors=tensors))
    draft.take_out(norm, node.key)
