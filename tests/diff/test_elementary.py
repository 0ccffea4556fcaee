"""Ways to write one network have one elementary graph."""

from __future__ import annotations

import pytest
from conftest import NET, Project

from inception_dsl.diff.elementary import ElementaryGraph, make_elementary

HEAD = "inception: 1\nname: net\ninput: 8x8x3\n"

WAYS: dict[str, list[str]] = {
    "a norm and an activation": [
        "[c: 3x3 conv (4 norm batchnorm act relu)]",
        "[c: 3x3 conv (4 no_bias), b: batchnorm, r: relu]",
        "[c: 3x3 conv (4 norm batchnorm), r: relu]",
    ],
    "norms of layers": [
        "[c: 3x3 conv (4 norm layernorm)]",
        "[c: 3x3 conv (4 no_bias), g: layernorm]",
    ],
    "a mean over the map": [
        "[p: global avgpool, f: linear (2)]",
        "[p: 1x1 adaptive avgpool, v: flatten, f: linear (2)]",
        "[p: 8x8 avgpool (V), v: flatten, f: linear (2), s: softmax]",
    ],
    "a separable conv": [
        "[s: 3x3 sepconv (4 stride 2 multiplier 2 norm batchnorm act relu)]",
        "[d: 3x3 conv (6 stride 2 groups 3 no_bias), p: 1x1 conv (4 norm batchnorm act relu)]",
    ],
    "steps that do nothing": [
        "[c: 3x3 conv (4)]",
        "[i: identity, c: 3x3 conv (4), a: 8x8 adaptive avgpool, m: 1x1 maxpool]",
    ],
}


def read(network: str, project: Project) -> ElementaryGraph:
    project.write(NET, f"{HEAD}network: {network}\n")
    return make_elementary(project.check().model.graph)


@pytest.mark.parametrize("way", WAYS)
def test_one_network_is_one_graph_however_it_is_written(way: str, project: Project) -> None:
    graphs = [read(network, project) for network in WAYS[way]]
    said = [
        [(step.node.op, tuple(sorted(step.node.attributes.items(), key=str))) for step in steps]
        for steps in (graph.steps.values() for graph in graphs)
    ]
    assert all(steps == said[0] for steps in said)
    held = [[tensor.shape for s in g.steps.values() for _, tensor in s.tensors] for g in graphs]
    assert all(shapes == held[0] for shapes in held)


def test_a_conv_over_the_whole_map_stays_a_conv(project: Project) -> None:
    graph = read("[c: 8x8 conv (4 V), v: flatten, f: linear (2)]", project)
    assert [step.node.op for step in graph.steps.values()] == ["conv", "linear"]
