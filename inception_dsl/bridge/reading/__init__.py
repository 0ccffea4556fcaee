"""From a trace to a flat graph in the language's ops, and the causes why it cannot be one."""

from __future__ import annotations

from dataclasses import dataclass

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
from inception_dsl.bridge.tracing import CallTrace, find_values
from inception_dsl.ir import Origin, TensorType
from inception_dsl.recover import TracedGraph

__all__ = ["Cause", "Lack", "ReadTrace", "read_trace"]

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True, slots=True)
class ReadTrace:
    """A trace as it was read; the graph is whole only if there are no causes of refusal."""

    graph: TracedGraph
    causes: tuple[Cause, ...]


def read_trace(trace: CallTrace, module: nn.Module, input: TensorType, *, name: str) -> ReadTrace:
    """Read a trace of a module as a flat graph in the language's ops."""
    kinds = {path: type(child).__name__ for path, child in module.named_modules()}
    reader = GraphReader(kinds)
    reader.read(trace, {**LAYERS, **POOLS, **ACTIVATION_CALLS, **SHAPES, **ARITHMETIC})
    outputs = dict.fromkeys(reader.values[ref.number].key for ref in find_values(trace.output))
    if len(outputs) != 1 or None in outputs:
        reader.causes.append(Cause(lacks.OUTPUTS, "return", "", kinds[""], Origin()))
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
    return ReadTrace(graph, (*reader.causes, *causes))
