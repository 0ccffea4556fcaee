"""A network in training beside the same network in inference: its heads, and its random steps.

The two traces are compared node by node. The graph of training is taken where it is the graph of
inference with dropout, dropped paths and training heads; otherwise that of inference stands alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from inception_dsl.bridge.reading import DROP, Cause, ReadTrace
from inception_dsl.ir import Origin
from inception_dsl.ops import OPS
from inception_dsl.recover import (
    TracedDraft,
    TracedGraph,
    TracedNode,
    TracedOutput,
    find_live,
)

_PASSES = frozenset([*(name for name, op in OPS.items() if op.is_for_training), DROP])
"""The ops that give what they read in inference."""


@dataclass(frozen=True, slots=True)
class LeftHead:
    """A result of training that no spec can have as a head.

    Attributes:
        keys: the nodes that only it depends on.
        why: the reason, as the end of a sentence.
    """

    name: str
    keys: frozenset[int]
    why: str


@dataclass(frozen=True, slots=True)
class Training:
    """The steps of a network in training.

    Attributes:
        graph: the network, with its training heads, dropout and dropped paths.
        is_same: whether training runs the network of inference; if it does not, the graph is that
            of inference.
        differs: the line of a step that only training runs, if it does not.
        left_drops: the drops that no residual takes.
        left_heads: the heads that are left out.
        causes: what the language cannot say in training alone.
        frozen: the averages of the batch norms that run with them in training, too, and the
            parameters that no gradient reaches, by name.
        calls: the calls that only training makes, and those that only inference makes, if the graph
            is that of inference; None if training could not be followed.
        why: why it is that of inference, as a clause; empty if it is not.
    """

    graph: TracedGraph
    is_same: bool
    differs: Origin | None = None
    left_drops: tuple[TracedNode, ...] = ()
    left_heads: tuple[LeftHead, ...] = ()
    causes: tuple[Cause, ...] = ()
    frozen: frozenset[str] = frozenset()
    calls: tuple[str, ...] | None = None
    why: str = ""


def join_training(evaluated: TracedGraph, trained: ReadTrace) -> Training:
    """Return the graph of a network with what it does in training only."""
    graph, drops = _take_out_drops(trained.graph)
    numbers: dict[Hashable, int] = {}
    old = _number_nodes(evaluated, numbers)
    new = _number_nodes(graph, numbers)
    outputs = _find_outputs(evaluated, graph, old, new)
    if outputs is None:
        return _give_up(evaluated, trained, old, new)
    main = find_live(graph.nodes, (output.key for output in outputs))
    if _count_steps(graph.nodes, main) != _count_steps(evaluated.nodes, old.keys()):
        return _give_up(evaluated, trained, old, new)
    taken = {output.key for output in outputs}
    extra = [output for output in graph.outputs if output.key not in taken]
    heads, left = _choose_heads(graph, extra, main)
    kept = main | find_live(graph.nodes, (head.key for head in heads))
    nodes = _tell_drops(node for node in graph.nodes if node.key in kept)
    whole = replace(graph, nodes=nodes, outputs=outputs, heads=heads)
    in_graph = tuple(node for node in drops if node.inputs[0] in kept)
    return Training(
        whole, is_same=True, left_drops=in_graph, left_heads=left, causes=trained.causes
    )


def _give_up(
    evaluated: TracedGraph, trained: ReadTrace, old: Mapping[int, int], new: Mapping[int, int]
) -> Training:
    """Return the graph of inference alone, with the first step that only training runs."""
    known = set(old.values())
    odd = (node.origin for node in trained.graph.nodes if new.get(node.key) not in known)
    return Training(evaluated, is_same=False, differs=next(odd, None), causes=trained.causes)


def is_same_network(first: TracedGraph, second: TracedGraph) -> bool:
    """Tell whether two graphs of inference give the same results by the same steps."""
    numbers: dict[Hashable, int] = {}
    old, new = _number_nodes(first, numbers), _number_nodes(second, numbers)
    ends = [old[output.key] for output in first.outputs]
    return ends == [new[output.key] for output in second.outputs]


def _take_out_drops(graph: TracedGraph) -> tuple[TracedGraph, tuple[TracedNode, ...]]:
    """Return a graph without the drops that no residual takes, and these."""
    draft = TracedDraft(graph)
    drops = tuple(node for node in draft if node.op == DROP)
    for node in drops:
        draft.take_out(draft.nodes[node.key], draft.nodes[node.key].inputs[0])
    return draft.finish(), drops


def _number_nodes(graph: TracedGraph, numbers: dict[Hashable, int]) -> dict[int, int]:
    """Return a number of each node, which nodes share that give the same values in inference."""
    known = {key: numbers.setdefault(("input", key), len(numbers)) for key in graph.entries}
    for node in graph.nodes:
        inputs = [known[key] for key in node.inputs]
        if node.op in _PASSES:
            known[node.key] = inputs[0]
            continue
        facts = {name: value for name, value in node.attributes.items() if name != "drop_path"}
        join = OPS[node.op].join if node.op in OPS else None
        if join is not None and join.commutes(facts):
            inputs.sort()
        content = (
            node.op if node.op in OPS else (node.op, node.key, graph.name),
            tuple(sorted(facts.items())),
            node.type.shape,
            tuple(sorted(node.tensors.items())),
            tuple(inputs),
        )
        known[node.key] = numbers.setdefault(content, len(numbers))
    return known


def _find_outputs(
    evaluated: TracedGraph, graph: TracedGraph, old: Mapping[int, int], new: Mapping[int, int]
) -> tuple[TracedOutput, ...] | None:
    """Return the results of training that inference has; None if it lacks one."""
    left = list(graph.outputs)
    outputs = []
    for output in evaluated.outputs:
        match = next((one for one in left if new[one.key] == old[output.key]), None)
        if match is None:
            return None
        left.remove(match)
        outputs.append(TracedOutput(output.name, match.key))
    return tuple(outputs)


def _count_steps(nodes: Iterable[TracedNode], kept: Iterable[int]) -> Counter[str]:
    keys = set(kept)
    return Counter(node.op for node in nodes if node.key in keys and node.op not in _PASSES)


def _choose_heads(
    graph: TracedGraph, results: Iterable[TracedOutput], main: set[int]
) -> tuple[tuple[TracedOutput, ...], tuple[LeftHead, ...]]:
    """Return the results that are training heads, in the order in which they run, and the rest."""
    nodes = {node.key: node for node in graph.nodes}
    taken = set(main)
    weights = _list_tensors(nodes[key] for key in main)
    heads: list[TracedOutput] = []
    left: list[LeftHead] = []
    for result in sorted(results, key=lambda result: result.key):
        keys = frozenset(find_live(graph.nodes, [result.key]) - main)
        own = [nodes[key] for key in sorted(keys)]
        name = _name_head(own, result)
        why = _find_fault(own, keys, main, taken, weights)
        if why:
            left.append(LeftHead(name, keys, why))
            continue
        heads.append(TracedOutput(name, result.key))
        taken |= keys
        weights |= _list_tensors(own)
    return tuple(heads), tuple(left)


def _find_fault(
    own: list[TracedNode], keys: frozenset[int], main: set[int], taken: set[int], weights: set[str]
) -> str:
    """Return why a result is no training head; empty if it is one."""
    if not own:
        return "it is a step of inference"
    if any(node.op not in OPS for node in own):
        return "the language cannot say all of its steps"
    if keys & taken:
        return "it shares steps with another head"
    if weights & _list_tensors(own):
        return "it uses weights of the network"
    entries = {key for node in own for key in node.inputs if key not in keys}
    if len(entries) > 1:
        return "it reads several steps"
    return "it reads an input of the network" if not entries <= main else ""


def _list_tensors(nodes: Iterable[TracedNode]) -> set[str]:
    return {name for node in nodes for name in node.tensors.values()}


def _name_head(own: Iterable[TracedNode], result: TracedOutput) -> str:
    """Return the name of a head: of the module that holds all of it, or of its result."""
    tops = {node.module.partition(".")[0] for node in own}
    return tops.pop() if len(tops) == 1 and "" not in tops else result.name or "head"


def _tell_drops(nodes: Iterable[TracedNode]) -> tuple[TracedNode, ...]:
    """Return nodes whose sums of two all say whether they drop a path, if one of them does.

    The body of a residual is the last input of its sum. In a sum that drops nothing it is the one
    that depends on the other input, or else the one that runs first, as bodies do.
    """
    by_key = {node.key: node for node in nodes}
    nodes = tuple(by_key.values())
    if not any("drop_path" in node.attributes for node in nodes):
        return nodes
    return tuple(_tell_drop(node, by_key) for node in nodes)


def _tell_drop(node: TracedNode, nodes: Mapping[int, TracedNode]) -> TracedNode:
    attribute = OPS[node.op].attribute("drop_path")
    if attribute is None or len(node.inputs) != 2 or "drop_path" in node.attributes:
        return node
    join = OPS[node.op].join
    inputs = node.inputs
    if join is not None and join.commutes(node.attributes):
        first, last = sorted(inputs)
        inputs = (first, last) if _depends(last, first, nodes) else (last, first)
    return replace(node, inputs=inputs, attributes={**node.attributes, "drop_path": 0})


def _depends(key: int, source: int, nodes: Mapping[int, TracedNode]) -> bool:
    """Tell whether a node depends on an earlier one."""
    stack, seen = [key], {key}
    while stack:
        current = stack.pop()
        if current == source:
            return True
        node = nodes.get(current)
        # A node runs after those that it reads.
        for above in node.inputs if node is not None and current > source else ():
            if above not in seen:
                seen.add(above)
                stack.append(above)
    return False
