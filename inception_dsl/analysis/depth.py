"""How deep a node lies: the convs and linears on the longest path that leads to it."""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl.ir import INPUT, Model, Node, inline
from inception_dsl.ops import OPS


def measure_depths(model: Model, counts: Callable[[Node], bool] | None = None) -> dict[str, int]:
    """The depth of every node by its path, itself included.

    Args:
        counts: whether a node with weights is to be counted; all are, without it.
    """
    depths: dict[str, int] = {INPUT: 0}
    for node in inline(model).nodes:
        is_layer = OPS[node.op].counts_in_depth and (counts is None or counts(node))
        depths[node.path] = max(depths[path] for path in node.inputs) + is_layer
    return depths
