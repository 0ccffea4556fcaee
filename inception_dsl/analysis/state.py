"""The state_dict of a model: every tensor that torch saves, by its key.

Shape: that of the tensor in torch, such as `(out, in, height, width)` of a conv's weight.
"""

from __future__ import annotations

from inception_dsl.ir import Call, Graph, Node
from inception_dsl.ops import OPS, StateTensor


def measure_state(graph: Graph) -> dict[str, StateTensor]:
    """Return the tensors of the emitted module, training heads included, by state_dict key.

    Weights that several nodes share have the key of the first one.
    """
    return {f"{node.path}.{t.name}": t for node in graph.nodes for t in list_state(node)}


def list_state(node: Node) -> tuple[StateTensor, ...]:
    """Return the tensors that a node holds; none if it has the weights of another node."""
    return () if node.reuses is not None else list_tensors(node)


def reads_tensors(step: Node | Call) -> bool:
    """Tell whether a step computes with tensors, its own or those of another step."""
    match step:
        case Call(body=body):
            return any(map(reads_tensors, body))
        case Node():
            return bool(list_tensors(step))


def list_tensors(node: Node) -> tuple[StateTensor, ...]:
    """Return the tensors that a node computes with, its own or those of another node."""
    state = OPS[node.op].state
    if state is None:
        return ()
    return state(node.attributes, node.input_types[0].channels)
