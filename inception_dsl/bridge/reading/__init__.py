"""From a trace to a flat graph in the language's ops, and the causes why it cannot be one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from torch import nn

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.activations import ACTIVATION_CALLS
from inception_dsl.bridge.reading.arithmetic import ARITHMETIC
from inception_dsl.bridge.reading.idioms import read_idioms
from inception_dsl.bridge.reading.lacks import Cause, Lack
from inception_dsl.bridge.reading.layers import LAYERS
from inception_dsl.bridge.reading.pools import POOLS
from inception_dsl.bridge.reading.reader import GraphReader
from inception_dsl.bridge.reading.shapes import SHAPES
from inception_dsl.bridge.tracing import CallTrace, ConstantRef, WeightRef, find_values
from inception_dsl.ir import Origin, TensorType
from inception_dsl.ops import OPS
from inception_dsl.recover import ENTRY, TracedGraph, TracedNode, find_live

__all__ = ["Cause", "Lack", "ReadTrace", "read_trace"]

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True, slots=True)
class ReadTrace:
    """A trace as it was read; the graph is whole only if there are no causes of refusal.

    Attributes:
        unread_macs: the multiply-accumulates for one image of the nodes that the result does not
            depend on. The graph does not have them.
    """

    graph: TracedGraph
    causes: tuple[Cause, ...]
    unread_macs: int


def _find_lack(trace: CallTrace, outputs: Collection[int | None]) -> Lack | None:
    """Return why the results of a network are not one node; `outputs` are their keys."""
    if not outputs:
        is_constant = isinstance(trace.output, WeightRef | ConstantRef)
        return lacks.GIVEN_RESULT if is_constant else lacks.NO_RESULT
    if len(outputs) > 1:
        return lacks.OUTPUTS
    if None in outputs:
        return lacks.GIVEN_RESULT
    return lacks.NO_STEPS if ENTRY in outputs else None


def read_trace(trace: CallTrace, module: nn.Module, input: TensorType, *, name: str) -> ReadTrace:
    """Read a trace of a module as a flat graph in the language's ops."""
    kinds = {path: type(child).__name__ for path, child in module.named_modules()}
    reader = GraphReader(kinds)
    reader.read(trace, {**LAYERS, **POOLS, **ACTIVATION_CALLS, **SHAPES, **ARITHMETIC})
    outputs = dict.fromkeys(reader.values[ref.number].key for ref in find_values(trace.output))
    lack = _find_lack(trace, outputs)
    if lack is not None:
        reader.causes.append(Cause(lack, "return", "", kinds[""], Origin()))
    graph = TracedGraph(
        name=name,
        input=input,
        nodes=tuple(reader.nodes),
        output=next((key for key in outputs if key is not None), len(reader.nodes) - 1),
        classes=kinds,
        containers=frozenset(
            path for path, child in module.named_modules() if isinstance(child, _CONTAINERS)
        ),
        weights={key: tuple(value.shape) for key, value in module.named_parameters()},
    )
    graph, causes = read_idioms(graph, kinds)
    causes = [*reader.causes, *causes]
    if causes:
        return ReadTrace(graph, tuple(causes), unread_macs=0)
    live = find_live(graph.nodes, graph.output)
    unread = [node for node in graph.nodes if node.key not in live]
    types = {ENTRY: input, **{node.key: node.type for node in graph.nodes}}
    macs = sum(_count_macs(node, types) for node in unread)
    kept = tuple(node for node in graph.nodes if node.key in live)
    return ReadTrace(replace(graph, nodes=kept), (), unread_macs=macs)


def _count_macs(node: TracedNode, types: Mapping[int, TensorType]) -> int:
    inputs = tuple(types[key] for key in node.inputs)
    return OPS[node.op].cost(node.attributes, inputs, node.type).macs
