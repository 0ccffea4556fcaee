"""Training heads: they change no pair of the network, and pair by their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from changed_graphs import BLOCKS_IN, BLOCKS_OUT, WITH_JOINS, Kind, change, find_wrong

import inception_dsl as idsl
from inception_dsl.ir import Value
from inception_dsl.pairing import FlatGraph, FlatNode, Key, find_departures, flatten_graph
from inception_dsl.pairing import pair_graphs as pair

SPECS = Path(__file__).parents[2] / "specs"
NETWORKS = ("inception_v3", "googlenet", "resnet50", "mobilenet_v2", "densenet121")


def load(name: str, *, has_heads: bool = False) -> FlatGraph:
    graph = flatten_graph(idsl.load(str(SPECS / f"{name}.yaml")).model.graph)
    graph = graph if has_heads else replace(graph, heads=())
    live = set(graph.ends)
    for node in reversed(graph.nodes):
        if node.key in live:
            live.update(node.inputs)
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.key in live))


def add_head(graph: FlatGraph, at: Key, name: str, width: int = 96) -> FlatGraph:
    """Return a graph with a head of three steps at a node; its keys are `name` and a number."""
    conv: dict[str, Value] = {"kernel": (5, 5), "pad": (0, 0), "width": width, "bias": True}
    nodes = (
        FlatNode((name, 0), "avgpool", {"kernel": (5, 5), "stride": 3, "pad": (0, 0)}, (at,)),
        FlatNode((name, 1), "conv", conv, ((name, 0),)),
        FlatNode((name, 2), "linear", {"width": 10, "bias": True}, ((name, 1),)),
    )
    return replace(graph, nodes=(*graph.nodes, *nodes), heads=(*graph.heads, (name, 2)))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kinds", [WITH_JOINS, BLOCKS_IN, BLOCKS_OUT], ids=["stay", "in", "out"])
def test_heads_at_any_step_leave_every_pair_of_the_network_as_it_is(
    name: str, kinds: Sequence[Kind]
) -> None:
    graph, random = load(name), Random(name)
    for count in (1, 4):
        changed = change(graph, count, kinds, random)
        plain = pair(graph, changed.graph)
        old, new, truth = graph, changed.graph, dict(changed.truth)
        for head in ("one", "two", "three"):
            at = random.choice([key for key in changed.truth if key not in graph.outputs])
            old = add_head(old, at, head)
            new = add_head(new, changed.truth[at], head)
            truth.update({(head, place): (head, place) for place in range(3)})
        pairing = pair(old, new)
        assert {key: pairing.old[key] for key in plain.old} == plain.old
        assert find_wrong(pairing, replace(changed, graph=new, truth=truth)) == {}


@pytest.mark.parametrize("name", ["inception_v3", "googlenet", "torchvision/googlenet"])
def test_a_swapped_concat_beside_the_papers_heads_is_one_departure(name: str) -> None:
    graph = load(name, has_heads=True)
    assert graph.heads
    for join in [node for node in graph.nodes if node.op == "concat" and len(node.inputs) > 2]:
        swapped = replace(join, inputs=(*join.inputs[1:], join.inputs[0]))
        new = replace(graph, nodes=tuple(swapped if n is join else n for n in graph.nodes))
        pairing = pair(graph, new)
        assert pairing.sure == {node.key: node.key for node in graph.nodes}
        (departure,) = find_departures(graph, new, pairing)
        assert (departure.kind, departure.old) == ("reordered", (join.key,))


def test_a_head_that_is_gone_or_moved_is_told_and_the_other_one_is_sure() -> None:
    graph = load("googlenet")
    one, two = "inception_4a.concat", "inception_4d.concat"
    both = add_head(add_head(graph, one, "a"), two, "b")
    gone = pair(both, add_head(graph, two, "c"))
    assert [gone.old[("a", place)].verdict for place in range(3)] == ["alone"] * 3
    assert [gone.sure[("b", place)] for place in range(3)] == [("c", place) for place in range(3)]
    moved = pair(both, add_head(add_head(graph, one, "c"), "inception_4e.concat", "d"))
    assert [moved.sure[("a", place)] for place in range(3)] == [("c", place) for place in range(3)]
    assert [moved.sure[("b", place)] for place in range(3)] == [("d", place) for place in range(3)]


def test_heads_at_one_place_pair_in_order() -> None:
    graph = load("googlenet")
    at = "inception_4a.concat"
    both = add_head(add_head(graph, at, "a"), at, "b")
    pairing = pair(both, both)
    assert pairing.sure == {node.key: node.key for node in both.nodes}


def test_heads_that_changed_places_are_undecided() -> None:
    graph = load("googlenet")
    one, two = "inception_4a.concat", "inception_4d.concat"
    old = add_head(add_head(graph, one, "a", 96), two, "b", 500)
    conv = replace(old.nodes[-2], attributes={**old.nodes[-2].attributes, "kernel": (1, 1)})
    wide = replace(conv, attributes={**conv.attributes, "act": "silu", "stride": 2, "groups": 4})
    old = replace(old, nodes=(*old.nodes[:-2], wide, old.nodes[-1]))
    reads = {("a", 0): two, ("b", 0): one}
    new = replace(
        old,
        nodes=tuple(
            replace(node, inputs=(reads[node.key],)) if node.key in reads else node
            for node in old.nodes
        ),
    )
    pairing = pair(old, new)
    assert {pairing.old[(head, 1)].verdict for head in "ab"} == {"ambiguous"}
    assert {key: pairing.sure.get(key) for key in (one, two)} == {one: one, two: two}
