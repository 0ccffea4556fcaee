"""A network in the form that most authors choose, whatever its own author chose.

One writes `3x3 conv (96)` and another a conv, a norm and an activation; one a global pool and
another an adaptive one and a flatten. The network is the same. Where names say nothing, both are
compared in the first form.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from inception_dsl.analysis.parts import open_op, split
from inception_dsl.diff.elementary import is_idle, simplify_op
from inception_dsl.diff.nested_joins import flatten_joins
from inception_dsl.ir import Graph, Node, Path, Value
from inception_dsl.ops import ACTIVATIONS, NORMS, OPS


@dataclass(frozen=True, slots=True)
class Carried:
    """A graph in which convolutions carry their norms and activations.

    Attributes:
        graph: the graph with the nodes that are left.
        norms: the node that was the norm of each node that took one.
        owners: the node of which each activation was taken apart.
    """

    graph: Graph
    norms: Mapping[Path, Path]
    owners: Mapping[Path, Path] = field(default_factory=dict)


def carry_along(graph: Graph, opened: Container[str] = ()) -> Carried:
    """Return a graph whose convs carry the norms and activations that only read them.

    Args:
        opened: the ops that are taken apart into the ops that they are in turn.
    """
    graph = flatten_joins(replace(graph, nodes=tuple(_open(graph.nodes, opened))))
    nodes = {node.path: node for node in graph.nodes}
    readers: dict[Path, int] = {}
    for node in graph.nodes:
        for path in node.inputs:
            readers[path] = readers.get(path, 0) + 1
    shared = {node.reuses for node in graph.nodes if node.reuses is not None}
    ends = {*graph.outputs.values(), *graph.head_outputs}
    instead: dict[Path, Path] = {}
    norms: dict[Path, Path] = {}
    in_inference = find_read(graph)
    for node in graph.nodes:
        inputs = tuple(instead.get(path, path) for path in node.inputs)
        if _is_mere_form(node) or (node.path not in in_inference and is_idle(node)):
            instead[node.path] = inputs[0]
            del nodes[node.path]
            continue
        nodes[node.path] = replace(simplify_op(node), inputs=inputs)
        source = nodes.get(inputs[0]) if len(inputs) == 1 else None
        is_sole = all(readers.get(p) == 1 and p not in ends for p in {node.inputs[0], inputs[0]})
        if source is None or not is_sole or node.reuses or {node.path, source.path} & shared:
            continue
        values = _take(source, node)
        if values is None:
            continue
        nodes[source.path] = replace(source, attributes=values, type=node.type)
        instead[node.path] = source.path
        if node.op in NORMS:
            norms[source.path] = node.path
        del nodes[node.path]
    kept = replace(
        graph,
        nodes=tuple(nodes.values()),
        outputs={name: instead.get(path, path) for name, path in graph.outputs.items()},
        head_outputs=tuple(instead.get(path, path) for path in graph.head_outputs),
    )
    return Carried(kept, norms)


def separate_acts(carried: Carried, paths: Container[Path]) -> Carried:
    """Return a graph in which the activations of some nodes are nodes of their own.

    Those with weights stay, as a checkpoint has them where they are.
    """
    graph = carried.graph
    taken = {node.path for node in graph.nodes}
    instead: dict[Path, Path] = {}
    owners: dict[Path, Path] = {}
    nodes: list[Node] = []
    for each in graph.nodes:
        node = replace(each, inputs=tuple(instead.get(path, path) for path in each.inputs))
        *_, last = split(node)
        if node.path not in paths or last.place != "act" or last.tensors:
            nodes.append(node)
            continue
        path = Path(f"{node.path}_{last.node.op}")
        while path in taken:
            path = Path(f"{path}_")
        taken.add(path)
        acts = {a.name for a in OPS[node.op].attributes if a.owner in ACTIVATIONS}
        kept = {name: value for name, value in node.attributes.items() if name not in acts}
        nodes.append(replace(node, attributes={**kept, "act": "none"}))
        nodes.append(replace(last.node, path=path, inputs=(node.path,), reuses=None))
        instead[node.path], owners[path] = path, node.path
    outputs = {name: instead.get(path, path) for name, path in graph.outputs.items()}
    heads = tuple(instead.get(path, path) for path in graph.head_outputs)
    graph = replace(graph, nodes=tuple(nodes), outputs=outputs, head_outputs=heads)
    return replace(carried, graph=graph, owners=owners)


def find_opened(old: Graph, new: Graph) -> frozenset[str]:
    """Return the ops that are several in turn and that only one of two networks has."""
    ops, new_ops = ({node.op for node in graph.nodes} for graph in (old, new))
    return frozenset(name for name in ops ^ new_ops if OPS[name].splits is not None)


def _open(nodes: Iterable[Node], opened: Container[str]) -> Iterator[Node]:
    """Yield the nodes, those of some ops as the nodes that they are in turn.

    The last one has the path of the whole, and carries its norm and its activation.
    """
    for node in nodes:
        split = OPS[node.op].splits
        if split is None or node.op not in opened:
            yield node
            continue
        *inner, (_, last) = open_op(node, split(node.attributes, node.input_types))
        inputs = node.inputs
        for each, made in inner:
            path = Path(f"{node.path}_{each.layer}")
            owner = None if node.reuses is None else Path(f"{node.reuses}_{each.layer}")
            yield replace(made, path=path, inputs=inputs, reuses=owner)
            inputs = (path,)
        carried = {a.name for a in OPS[node.op].attributes if a.owner} | {"norm", "act"}
        values = {name: value for name, value in node.attributes.items() if name in carried}
        yield replace(last, inputs=inputs, attributes={**last.attributes, **values}, type=node.type)


def find_read(graph: Graph) -> set[Path]:
    """Return the nodes that the outputs of inference depend on."""
    read = set(graph.outputs.values())
    for node in reversed(graph.nodes):
        if node.path in read:
            read.update(node.inputs)
    return read


def _is_mere_form(node: Node) -> bool:
    """Tell whether a node makes a vector of a map of one pixel, and nothing else."""
    return OPS[node.op].channels == "flattened" and is_idle(node)


def _take(source: Node, node: Node) -> dict[str, Value] | None:
    """Return the attributes of a node that carries another one; None if it cannot."""
    at = source.attributes
    if at.get("act") != "none" or source.reuses is not None:
        return None
    names = {a.name_in_owner: a.name for a in OPS[source.op].attributes if a.owner == node.op}
    own = {names[name]: value for name, value in node.attributes.items() if name in names}
    if node.op in NORMS and at.get("norm") == "none":
        return {**at, "norm": node.op, **own}
    is_whole = own.keys() >= node.attributes.keys()
    if node.op in ACTIVATIONS and OPS[node.op].state is None and is_whole:
        return {**at, "act": node.op, **own}
    return None
