"""From a trace to a flat graph in the language's ops, and the causes why it cannot be one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from inception_dsl.bridge.calls import CallTrace, ModuleFacts
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.activations import ACTIVATION_CALLS
from inception_dsl.bridge.reading.arithmetic import ARITHMETIC
from inception_dsl.bridge.reading.draws import BLANKS, DROP
from inception_dsl.bridge.reading.idioms import read_idioms
from inception_dsl.bridge.reading.lacks import Cause, Lack
from inception_dsl.bridge.reading.layers import LAYERS
from inception_dsl.bridge.reading.means import MEANS
from inception_dsl.bridge.reading.pools import POOLS
from inception_dsl.bridge.reading.reader import GraphReader, Seen
from inception_dsl.bridge.reading.shapes import SHAPES
from inception_dsl.ir import Origin, TensorType
from inception_dsl.ops import OPS
from inception_dsl.recover import (
    ENTRY,
    TracedGraph,
    TracedNode,
    TracedOutput,
    find_live,
    find_owners,
    make_run,
)

__all__ = ["DROP", "FUNCTIONS", "Cause", "Lack", "ReadTrace", "read_trace", "read_training"]


FUNCTIONS = {**LAYERS, **POOLS, **ACTIVATION_CALLS, **SHAPES, **MEANS, **ARITHMETIC}
"""The readings of the calls of inference, by the name of the call."""


@dataclass(frozen=True, slots=True)
class ReadTrace:
    """A trace as it was read; the graph is whole only if there are no causes of refusal.

    Attributes:
        unread_macs: the multiply-accumulates for one image of the nodes that the result does not
            depend on. The graph does not have them.
        channels_last: for each output, whether its channels are its last axis in the network.
    """

    graph: TracedGraph
    causes: tuple[Cause, ...]
    unread_macs: int
    channels_last: tuple[bool, ...] = ()


def read_trace(
    trace: CallTrace, modules: ModuleFacts, inputs: Mapping[str, TensorType], *, name: str
) -> ReadTrace:
    """Read a trace of a network in inference as a flat graph in the language's ops."""
    graph, causes, channels_last = _read(trace, modules, inputs, name=name, training=False)
    causes = [*causes, *_find_other_uses(graph)]
    if causes:
        return ReadTrace(graph, tuple(causes), unread_macs=0)
    live = find_live(graph.nodes, graph.ends)
    unread = [node for node in graph.nodes if node.key not in live]
    types = {**graph.entries, **{node.key: node.type for node in graph.nodes}}
    macs = sum(_count_macs(node, types) for node in unread)
    kept = tuple(node for node in graph.nodes if node.key in live)
    return ReadTrace(replace(graph, nodes=kept), (), macs, channels_last)


def read_training(
    trace: CallTrace, modules: ModuleFacts, inputs: Mapping[str, TensorType], *, name: str
) -> ReadTrace:
    """Read a trace of a network in training; parts of it may be no ops of the language."""
    graph, causes, _ = _read(trace, modules, inputs, name=name, training=True)
    return ReadTrace(graph, tuple(causes), unread_macs=0)


def _read(
    trace: CallTrace,
    modules: ModuleFacts,
    inputs: Mapping[str, TensorType],
    *,
    name: str,
    training: bool,
) -> tuple[TracedGraph, list[Cause], tuple[bool, ...]]:
    kinds = modules.classes
    reader = GraphReader(kinds, buffers=modules.buffers, is_training=training)
    reader.read(trace, {**FUNCTIONS, **BLANKS} if training else FUNCTIONS)
    outputs: list[TracedOutput] = []
    channels_last: list[bool] = []
    for result in trace.outputs:
        seen = reader.see(result.ref)
        lack = _find_lack(seen, trace, has_steps=bool(reader.nodes))
        if result.is_stale:
            lack = lacks.WRITTEN_UNDER
        elif lack is None and seen.shape != result.ref.shape:  # torch repeats values without a copy
            lack = lacks.REPEATED
        if lack is None and seen.key is not None:
            outputs.append(TracedOutput(result.name, seen.key))
            channels_last.append(seen.layout == "last")
        elif lack is not None:
            reader.causes.append(Cause(lack, "return", "", kinds[""], Origin()))
    if not trace.outputs:
        reader.causes.append(Cause(lacks.NO_RESULT, "return", "", kinds[""], Origin()))
    graph = TracedGraph(
        name=name,
        inputs=inputs,
        nodes=tuple(reader.nodes),
        outputs=tuple(outputs),
        classes=kinds,
        containers=modules.containers,
        weights=modules.weights,
        buffers=reader.used,
        arguments={
            make_run(*place): _find_keys(reader, names) for place, names in trace.arguments.items()
        },
    )
    graph, causes = read_idioms(graph, kinds, training=training)
    return graph, [*reader.causes, *causes], tuple(channels_last)


def _find_keys(reader: GraphReader, names: Mapping[int, str]) -> dict[int, str]:
    """Return the names of tensors by the keys of the nodes that make them."""
    seen = {number: reader.values.get(number) for number in names}
    return {
        value.key: names[number]
        for number, value in seen.items()
        if value is not None and value.key is not None
    }


def _find_lack(result: Seen, trace: CallTrace, *, has_steps: bool) -> Lack | None:
    """Return why a result of a network is not that of a node.

    A result may have its channels last if an input has.
    """
    if result.key is None:
        return lacks.GIVEN_RESULT
    if result.key <= ENTRY:
        return lacks.PASSED_INPUT if has_steps else lacks.NO_STEPS
    # The graph has causes already where the meaning of the axes was lost.
    if result.layout in {"map", "vector", "lost"}:
        return None
    is_like_input = result.layout == "last" and bool(trace.channels_last)
    return None if is_like_input else lacks.TURNED_RESULT


def _find_other_uses(graph: TracedGraph) -> Iterator[Cause]:
    """Yield the nodes that use the weights of another one in another way, or with others."""
    nodes = {node.key: node for node in graph.nodes}
    owners = find_owners(graph.nodes)
    users: dict[str, int] = {}
    for node in graph.nodes:
        first = nodes[owners.get(node.key, node.key)]
        is_same = (first.op, first.attributes) == (node.op, node.attributes)
        if not is_same or any(
            users.setdefault(name, first.key) != first.key for name in node.tensors.values()
        ):
            kind = graph.classes.get(node.module, "")
            yield Cause(lacks.OTHER_USE, node.op, node.module, kind, node.origin)


def _count_macs(node: TracedNode, types: Mapping[int, TensorType]) -> int:
    inputs = tuple(types[key] for key in node.inputs)
    return OPS[node.op].cost(node.attributes, inputs, node.type).macs
