"""The depth of every node: the number of layers on the longest path from the input to it.

Units: conv and linear layers.
"""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl.ir import Model, Node
from inception_dsl.ops import OPS


def measure_depths(model: Model, counts: Callable[[Node], bool] | None = None) -> dict[str, int]:
    """Measure the depth of every node, by its path; a layer counts itself.

    Args:
        counts: a predicate that tells whether a layer counts; all layers do for None.
    """
    graph = model.graph
    depths: dict[str, int] = dict.fromkeys(graph.inputs, 0)
    for node in graph.nodes:
        is_layer = OPS[node.op].counts_in_depth and (counts is None or counts(node))
        depths[node.path] = max(depths[path] for path in node.inputs) + is_layer
    return depths
