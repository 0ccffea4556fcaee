"""The pairs of nodes of two graphs without names: equal graphs, changed ones, real networks."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from changed_graphs import (
    BLOCKS_IN,
    BLOCKS_OUT,
    IN_PLACE,
    WITH_JOINS,
    Kind,
    change,
    find_wrong,
    is_named,
)
from conftest import Project

import inception_dsl as idsl
from inception_dsl.ir import Model
from inception_dsl.pairing import (
    VERDICTS,
    FlatGraph,
    FlatNode,
    GraphPairing,
    Key,
    find_departures,
    flatten_graph,
    pair_graphs,
)

SPECS = Path(__file__).parents[2] / "specs"
NETWORKS = sorted(
    path.relative_to(SPECS).with_suffix("").as_posix()
    for path in SPECS.rglob("*.yaml")
    if path.parent.name != "blocks"
)
CHANGED = ("inception_v3", "resnet50", "efficientnet_b0")


def load(name: str) -> FlatGraph:
    return flatten_graph(model(name).graph)


def model(name: str) -> Model:
    return idsl.load(str(SPECS / f"{name}.yaml")).model


def rename(graph: FlatGraph, random: Random) -> tuple[FlatGraph, dict[Key, Key]]:
    """Return a graph with other keys in another order, and the key of each node in it."""
    waiting = {node.key: node for node in graph.nodes}
    keys: dict[Key, Key] = {key: ("input", index) for index, key in enumerate(graph.inputs)}
    nodes: list[FlatNode] = []
    while waiting:
        ready = [n for n in waiting.values() if all(key in keys for key in n.inputs)]
        node = random.choice(ready)
        del waiting[node.key]
        keys[node.key] = len(nodes)
        inputs = tuple(keys[key] for key in node.inputs)
        nodes.append(FlatNode(len(nodes), node.op, node.attributes, inputs))
    outputs = tuple(keys[key] for key in graph.outputs)
    heads = tuple(keys[key] for key in graph.heads)
    return FlatGraph(tuple(nodes), tuple(keys[key] for key in graph.inputs), outputs, heads), keys


def build(text: str, outputs: str = "") -> FlatGraph:
    """Return the graph of lines such as `a conv 8: input`."""
    nodes: list[FlatNode] = []
    for line in text.strip().splitlines():
        head, _, reads = line.partition(":")
        key, op, *width = head.split()
        attributes: dict[str, int | str | tuple[int, int]] = {}
        if width:
            attributes = {"kernel": (3, 3), "width": int(width[0]), "pad": "same", "act": "relu"}
        nodes.append(FlatNode(key, op, attributes, tuple(reads.split())))
    ends = tuple(outputs.split()) or (nodes[-1].key,)
    return FlatGraph(tuple(nodes), ("input",), ends)


def verdicts(pairing: GraphPairing) -> dict[Key, str]:
    return {key: partner.verdict for key, partner in pairing.old.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_an_equal_graph_pairs_surely_whatever_its_keys_and_their_order(name: str) -> None:
    graph = load(name)
    other, keys = rename(graph, Random(name))
    pairing = pair_graphs(graph, other)
    assert pairing.sure == {node.key: keys[node.key] for node in graph.nodes}
    assert find_departures(graph, other, pairing) == ()


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("kinds", [WITH_JOINS, BLOCKS_IN, BLOCKS_OUT], ids=["stay", "in", "out"])
def test_no_sure_pair_of_a_changed_network_is_wrong(name: str, kinds: tuple[Kind, ...]) -> None:
    graph = load(name)
    for count in (1, 4, 16):
        for seed in range(2):
            changed = change(graph, count, kinds, Random(f"{name}/{count}/{seed}"))
            pairing = pair_graphs(graph, changed.graph)
            assert find_wrong(pairing, changed) == {}, (count, seed)
            assert sum(map(pairing.count, VERDICTS)) == len(graph.nodes)
            assert set(pairing.new) == {node.key for node in changed.graph.nodes}


def test_a_node_between_blocks_of_a_run_may_be_any_of_its_equals() -> None:
    """Two blocks, each with an equal node before it, are inserted, and lose a part: any may be."""
    graph = load("efficientnet_b0")
    seed = "20261129/efficientnet_b0/blocks added/16/0"
    changed = change(graph, 16, BLOCKS_IN, Random(seed))
    pairing = pair_graphs(graph, changed.graph)
    assert find_wrong(pairing, changed) == {}
    assert pairing.old["stages.stage7.first.expand"].verdict == "run"


@pytest.mark.parametrize("name", CHANGED)
def test_a_single_change_is_one_departure_of_its_kind(name: str) -> None:
    graph = load(name)
    told = Counter[bool]()
    for kind in dict.fromkeys((*WITH_JOINS, *BLOCKS_IN, *BLOCKS_OUT)):
        for seed in range(2):
            changed = change(graph, 1, (kind,), Random(f"{name}/{kind}/{seed}"))
            if changed.kinds:
                pairing = pair_graphs(graph, changed.graph)
                departures = find_departures(graph, changed.graph, pairing)
                told[is_named(changed.kinds, departures)] += 1
    assert told[True] >= 0.98 * told.total() - 1


def test_both_sides_of_a_pairing_agree() -> None:
    graph = load("inception_v4")
    changed = change(graph, 16, IN_PLACE, Random(3)).graph
    pairing = pair_graphs(graph, changed)
    back = {partner.key: key for key, partner in pairing.new.items() if partner.key is not None}
    assert back == pairing.likely


def test_googlenet_of_torchvision_pairs_with_the_papers_although_norms_differ() -> None:
    old, new = load("torchvision/googlenet"), load("googlenet")
    pairing = pair_graphs(old, new)
    assert pairing.sure == {node.key: node.key for node in old.nodes}
    lone = {key for key, partner in pairing.new.items() if partner.verdict == "alone"}
    assert lone == {"norm1", "norm2"}


def test_inception_v4_of_timm_pairs_with_the_papers_by_its_names() -> None:
    old, new = load("timm/inception_v4"), load("inception_v4")
    pairing = pair_graphs(old, new)
    assert {key: key for key in pairing.sure} == pairing.sure
    assert pairing.count("alone") == 0
    assert pairing.new["dropout"].verdict == "alone"
    assert pairing.count("sure") > 140


def test_inception_resnet_v2_of_timm_has_rows_of_another_length() -> None:
    old, new = load("timm/inception_resnet_v2"), load("inception_resnet_v2")
    pairing = pair_graphs(old, new)
    shared = {node.key for node in new.nodes}
    wrong = {key: new for key, new in pairing.sure.items() if key in shared and key != new}
    assert wrong == {}
    assert {(len(run.old), len(run.new)) for run in pairing.runs} >= {(20, 10)}


def test_a_stride_that_moved_within_a_bottleneck_is_told_of_two_convs(project: Project) -> None:
    text = (SPECS / "resnet50.yaml").read_text()
    moved = text.replace("3x3 conv (width stride stride)", "3x3 conv (width)").replace(
        "- 1x1 conv (width)\n      - 3x3 conv (width)",
        "- 1x1 conv (width stride stride)\n      - 3x3 conv (width)",
        1,
    )
    assert moved != text
    project.write("v1.yaml", moved)
    old, new = flatten_graph(project.check("v1.yaml").model.graph), load("resnet50")
    pairing = pair_graphs(old, new)
    assert pairing.sure == {node.key: node.key for node in old.nodes}
    departures = find_departures(old, new, pairing)
    assert [departure.trait for departure in departures] == ["stride"] * 6


def test_one_of_three_equal_steps_that_is_gone_is_told_as_a_shorter_row() -> None:
    old = build("a conv 8: input\nb conv 8: a\nc conv 8: b\nd linear: c")
    new = build("a conv 8: input\nb conv 8: a\nd linear: b")
    pairing = pair_graphs(old, new)
    assert verdicts(pairing) == {"a": "run", "b": "run", "c": "run", "d": "sure"}
    (departure,) = find_departures(old, new, pairing)
    assert (departure.kind, departure.counts) == ("repeated", (3, 2))


def test_a_step_between_two_likely_partners_is_ambiguous_and_names_both() -> None:
    old = build("a conv 64: input\nb conv 8: a\nc maxpool: b")
    new = build("a conv 64: input\nx conv 9: a\ny conv 10: x\nc maxpool: y")
    partner = pair_graphs(old, new).old["b"]
    assert partner.verdict in ("ambiguous", "run")
    assert {partner.key, *partner.rivals} == {"x", "y"}


def test_equal_branches_of_a_sum_are_twins_and_those_of_a_concat_are_not() -> None:
    for join, verdict in (("add", "twin"), ("concat", "sure")):
        graph = build(f"a conv 8: input\nl conv 8: a\nr conv 8: a\nj {join}: l r")
        assert verdicts(pair_graphs(graph, graph))["l"] == verdict


def test_the_body_of_a_residual_pairs_although_its_skip_is_gone() -> None:
    old = build("a conv 8: input\nb conv 16: a\nc conv 8: b\ns add: a c\nd conv 4: s")
    new = build("a conv 8: input\nb conv 16: a\nc conv 8: b\nd conv 4: c")
    pairing = pair_graphs(old, new)
    assert pairing.sure == {key: key for key in "abcd"}
    assert pairing.old["s"].verdict == "alone"


def test_steps_that_nothing_reads_pair_apart_from_the_others() -> None:
    old = build("a conv 8: input\nb conv 16: a\nx conv 4: a\n", "b")
    new = build("a conv 8: input\nb conv 16: a\n", "b")
    pairing = pair_graphs(old, new)
    assert pairing.sure == {"a": "a", "b": "b"}
    assert pairing.old["x"].verdict == "alone"


def test_two_results_pair_in_their_order() -> None:
    graph = build("a conv 8: input\nb conv 16: a\nc maxpool: a", "b c")
    swapped = FlatGraph(graph.nodes, graph.inputs, ("c", "b"))
    assert pair_graphs(graph, graph).count("sure") == 3
    assert pair_graphs(graph, swapped).sure == {"a": "a", "b": "b", "c": "c"}


def test_a_node_that_gives_what_it_reads_is_left_out() -> None:
    graph = load("densenet121")
    assert "dense1.0.skip" not in {node.key for node in graph.nodes}


def test_forks_in_forks_beyond_any_network_are_taken_as_a_mesh() -> None:
    lines = ["n0 conv 8: input"]
    lines += [f"n{i} conv 8: n{i - 1}" for i in range(1, 300)]
    graph = build("\n".join([*lines, "j concat: " + " ".join(f"n{i}" for i in range(300))]))
    assert pair_graphs(graph, graph).count("sure") == 301


def count_calls(length: int, max_work: int) -> tuple[int, GraphPairing]:
    """Return the calls of functions that pair wide forks whose branches all differ."""
    graphs = []
    for seed in (1, 2):
        random, lines, ends = Random(seed), ["n conv 8: input"], []
        for branch in range(12):
            above = "n"
            for place in range(length):
                lines.append(f"b{branch}p{place} conv {random.randrange(2, 9)}: {above}")
                above = f"b{branch}p{place}"
            ends.append(above)
        graphs.append(build("\n".join([*lines, f"j concat: {' '.join(ends)}"])))
    profile = cProfile.Profile()
    pairing = profile.runcall(pair_graphs, *graphs, max_work=max_work)
    return int(pstats.Stats(profile).total_calls), pairing  # type: ignore[attr-defined]


def test_graphs_that_differ_throughout_are_ambiguous_after_a_bounded_time() -> None:
    (few, short), (more, long) = (count_calls(length, 10_000) for length in (40, 80))
    assert short.count("ambiguous") == 12 * 40 + 2
    assert long.count("ambiguous") == 12 * 80 + 2
    assert more < 2.5 * few
    assert count_calls(40, 2_000_000)[0] > 3 * few


def test_nodes_behind_a_block_that_may_have_lost_its_join_are_undecided() -> None:
    """A block goes, and a node like the next block's first one is inserted behind that."""
    graph = load("mobilenet_v2")
    changed = change(graph, 4, BLOCKS_OUT, Random("7/mobilenet_v2/blocks removed/4/0"))
    pairing = pair_graphs(graph, changed.graph)
    assert find_wrong(pairing, changed) == {}
    assert pairing.old["stage4.bottleneck.expand"].verdict == "ambiguous"


def test_an_equal_node_behind_an_undecided_lost_join_is_undecided() -> None:
    """Blocks go, and so does most of the one behind them, whose last node gets a copy."""
    graph = load("efficientnet_b0")
    seed = "481516/efficientnet_b0/blocks removed/16/3"
    changed = change(graph, 16, BLOCKS_OUT, Random(seed))
    pairing = pair_graphs(graph, changed.graph)
    assert find_wrong(pairing, changed) == {}
    assert pairing.old["stages.stage8.first.project"].verdict == "run"


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "timm/inception_v4"])
def test_a_block_that_is_gone_leaves_nothing_undecided(name: str) -> None:
    """A residual that is gone is not read as one that lost its join while its neighbour went."""
    graph = load(name)
    for seed in range(4):
        changed = change(graph, 1, ("block out",), Random(seed))
        pairing = pair_graphs(graph, changed.graph)
        assert find_wrong(pairing, changed) == {}
        assert pairing.count("ambiguous") == 0, seed


def test_one_of_three_branches_that_is_gone_is_told_if_the_others_are_equal() -> None:
    old = build(
        "a conv 8: input\nb maxpool: a\nc conv 40: a\nd conv 48: c\ne conv 40: a\n"
        "f conv 48: e\ng conv 56: f\nj concat: b d g\nk conv 4: j"
    )
    new = build(
        "a conv 8: input\nb maxpool: a\ne conv 40: a\nf conv 48: e\ng conv 56: f\n"
        "j concat: b g\nk conv 4: j"
    )
    pairing = pair_graphs(old, new)
    assert pairing.sure == {key: key for key in "abefgjk"}
    assert verdicts(pairing)["d"] == "alone"
