"""The flat DAG of a model: every call replaced by the nodes it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from inception_dsl.ir.model import INPUT, Call, Model, Node


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes with absolute paths, each after what it reads.

    `output` is what the network gives in inference, `head_outputs` what its training heads give.
    """

    nodes: tuple[Node, ...]
    output: str
    head_outputs: tuple[str, ...]


def inline(model: Model) -> Graph:
    """The network as one flat graph, training heads included."""
    results: dict[str, str] = {INPUT: INPUT}
    nodes = tuple(_inline(model.root, "", results))
    return Graph(
        nodes,
        output=results[model.root.output],
        head_outputs=tuple(results[head.output] for head in model.heads),
    )


def _inline(call: Call, prefix: str, results: dict[str, str]) -> Iterator[Node]:
    """Yields the nodes below a call; `results` maps the path of a call to the node it ends in."""
    for item in call.body:
        path = prefix + item.path
        if isinstance(item, Call):
            results[f"{path}.{INPUT}"] = results[prefix + item.input]
            yield from _inline(item, f"{path}.", results)
            results[path] = results[f"{path}.{item.output}"]
        else:
            results[path] = path
            inputs = tuple(results[prefix + name] for name in item.inputs)
            origin = item.origin.called_from(call.origin)
            yield replace(item, path=path, inputs=inputs, origin=origin)
        step, _, copy = path.rpartition(".")
        if copy.isdigit():  # a repeated step gives what its last copy gives
            results[step] = results[path]
