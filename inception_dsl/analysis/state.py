"""The state_dict of a model: every tensor that torch saves, by its key."""

from __future__ import annotations

from inception_dsl.ir import Graph, Node
from inception_dsl.ops import OPS, StateTensor


def measure_state(graph: Graph) -> dict[str, StateTensor]:
    """The tensors of the emitted module, training heads included, by their keys in its state_dict.

    Weights that are used again are saved once, where they are made.
    """
    return {f"{node.path}.{t.name}": t for node in graph.nodes for t in state_of(node)}


def state_of(node: Node) -> tuple[StateTensor, ...]:
    """The tensors that a node holds itself; none if it has the weights of another."""
    state = OPS[node.op].state
    if state is None or node.reuses is not None:
        return ()
    return state(node.attributes, node.input_types[0].channels)
