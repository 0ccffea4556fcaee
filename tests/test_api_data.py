"""Networks and reports as data of other libraries, and comparisons in Python."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import fields
from pathlib import Path

import networkx
import pytest
import torch
from conftest import Project
from torch import nn

import inception_dsl as idsl
from inception_dsl.cli import main

ROOT = Path(__file__).parents[1]

BEFORE = """\
inception: 1
name: net
input: 16x16x3
network: [a: 3x3 conv (8), same: {from: [a, a], join: mul}]
"""

OLD, NEW = "inception_v3", "torchvision/inception_v3"


def reports() -> list[idsl.Record]:
    network = idsl.load("googlenet")
    return [
        network.cost(batch=2),
        network.memory(),
        network.count("fvcore"),
        network.least_time("h100", dtype="bfloat16"),
        network.symbolic(),
        network.symbolic("inception"),
        idsl.sweep("digits", {"num_classes": [3, 4]}),
        idsl.diff(OLD, NEW),
    ]


def test_a_report_is_a_dict_and_json_of_its_attributes() -> None:
    for report in reports():
        document = report.to_dict()
        assert json.loads(report.to_json()) == document
        if not isinstance(report, idsl.Changes):
            assert [*document] == [own.name for own in fields(report)]  # type: ignore[arg-type]
    cost = idsl.load("googlenet").cost()
    assert cost.to_dict()["totals"]["macs"] == cost.totals.macs
    assert cost.to_json(indent=None).count("\n") == 0


def test_a_report_is_a_data_frame() -> None:
    pytest.importorskip("pandas")
    cost, memory, count, time, *_, swept, changes = reports()
    frame = cost.to_frame()
    assert isinstance(cost, idsl.CostReport)
    assert frame[frame["head"].isna()]["macs"].sum() == cost.totals.macs
    assert frame["params"].sum() == cost.totals_with_heads.params
    assert isinstance(memory, idsl.MemoryReport)
    assert memory.to_frame()["bytes"].max() == memory.peak
    assert isinstance(count, idsl.ConventionCount)
    assert count.to_frame()["counted"].sum() == count.total
    assert isinstance(time, idsl.RooflineReport)
    assert time.to_frame()["seconds"].sum() == pytest.approx(time.inference.seconds)
    assert swept.to_frame()["num_classes"].tolist() == [3, 4]
    assert isinstance(changes, idsl.Changes)
    assert len(changes.to_frame()) == len(changes.findings) + len(changes.waived)
    assert all(len(report.to_frame()) for report in reports())


def test_without_pandas_a_data_frame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(idsl.MissingExtraError) as caught:
        idsl.load("digits").cost().to_frame()
    assert caught.value.way_out == "pip install 'inception-dsl[pandas]'"


def test_a_comparison_is_that_of_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    changes = idsl.diff(OLD, idsl.load(NEW), fail_on="NUMERICS")
    assert changes.fails
    assert not changes.is_empty
    assert main(["diff", OLD, NEW, "--fail-on", "NUMERICS"]) == 1
    assert capsys.readouterr().out == str(changes)
    for format, text in (("json", changes.to_json() + "\n"), ("markdown", changes.to_markdown())):
        main(["diff", OLD, NEW, "--fail-on", "NUMERICS", "--format", format])
        shown = capsys.readouterr().out
        assert json.loads(shown) == json.loads(text) if format == "json" else shown == text
    assert [finding.code for finding in changes.findings].count("D721") == 1
    assert str(pickle.loads(pickle.dumps(changes))) == str(changes)


def test_networks_that_are_the_same_have_no_changes(project: Project) -> None:
    first = idsl.load(project.write("specs/net.yaml", BEFORE))
    second = idsl.load(project.write("specs/net.yaml", BEFORE.replace("(8)", "(9)")))
    assert idsl.diff(first, first).is_empty
    changes = idsl.diff(first, second)
    assert not changes.is_empty
    assert changes.waived == ()
    with pytest.raises(ValueError, match="load the network with them"):
        idsl.diff(first, "net", params={"width": 3})
    with pytest.raises(idsl.SpecError, match="E007"):
        idsl.diff(first, "nett")


def test_a_plan_of_a_comparison_carries_a_checkpoint() -> None:
    old, new = idsl.load("digits"), idsl.load("digits", params={"num_classes": 7})
    plan = idsl.diff(old, new).plan_weights()
    assert sorted(key for key, _ in plan.fresh) == [
        "aux.fc.bias",
        "aux.fc.weight",
        "fc.bias",
        "fc.weight",
    ]
    before, after = old.module(seed=0).state_dict(), new.module(seed=1).state_dict()
    first = next(iter(before))
    carried = idsl.carry_weights(plan, before, after)
    assert torch.equal(carried[first], before[first])
    assert torch.equal(carried["fc.weight"], after["fc.weight"])


def test_a_figure_is_saved_in_the_format_of_its_suffix(here: Project) -> None:
    figure = idsl.load("googlenet").figure(block="inception")
    figure.save("block.svg")
    assert (here.root / "block.svg").read_text() == figure.svg
    with pytest.raises(ValueError, match="a page is of a whole network"):
        figure.save("block.html")
    idsl.load("googlenet").figure("poster").save("net.html")
    assert "<html" in (here.root / "net.html").read_text()[:400]
    starts = {".tikz": b"tikz", ".png": b"\x89PNG", ".pdf": b"%PDF", ".mmd": b"flowchart"}
    for suffix, start in starts.items():
        figure.save(here.root / f"block{suffix}", scale=1.0)
        assert start in (here.root / f"block{suffix}").read_bytes()[:200]
    changed = idsl.diff(OLD, NEW).figure()
    changed.save("changes.html")
    assert "<html" in (here.root / "changes.html").read_text()[:400]
    changed.save("changes.svg")
    assert (here.root / "changes.svg").read_text() == changed.svg
    with pytest.raises(idsl.SpecError, match="no figure of a comparison is written as `mermaid`"):
        changed.save("changes.mmd")
    with pytest.raises(ValueError, match=r"`50` is no number from 0.1 to 20"):
        figure.save("block.png", scale=50)


def test_the_networks_that_can_be_loaded_are_listed(here: Project) -> None:
    here.write("specs/net.yaml", BEFORE)
    here.write("specs/wrong.yaml", BEFORE.replace("conv", "convv"))
    known = {each.name: each for each in idsl.list()}
    assert known["net"].params == 3 * 3 * 3 * 8 + 8
    assert known["net"].error is None
    assert known["wrong"].params is None
    assert "convv" in str(known["wrong"].error)
    assert known["vgg16"].source == "arXiv:1409.1556, Table 1, D"


def test_the_graph_of_networkx_is_the_network_as_it_runs(project: Project) -> None:
    network = idsl.load(project.write("specs/net.yaml", BEFORE))
    graph = network.to_networkx()
    edges = [("input", "a", (0,)), ("a", "same.mul", (0, 1))]
    assert [*graph.edges(data="places")] == edges
    assert graph.nodes["same.mul"]["shape"] == (8, 16, 16)
    network = idsl.load("googlenet")
    graph = network.to_networkx()
    assert networkx.is_directed_acyclic_graph(graph)
    weighted = networkx.DiGraph()
    convs = {path for path, facts in graph.nodes(data=True) if facts["op"] in ("conv", "linear")}
    weighted.add_edges_from((a, b, {"n": b in convs}) for a, b in graph.edges)
    trunk = [path for path, facts in graph.nodes(data=True) if not facts.get("head")]
    assert networkx.dag_longest_path_length(weighted.subgraph(trunk), weight="n") == 22
    module = network.module()
    layers = {
        name.removesuffix(".conv"): own.weight.shape[0]
        for name, own in module.named_modules()
        if isinstance(own, nn.Conv2d)
    }
    assert layers
    for name, channels in layers.items():
        nodes = [path for path in convs if path in (name, f"{name}.conv")]
        assert [graph.nodes[path]["shape"][0] for path in nodes] == [channels]
    totals = sum(
        facts.get("macs", 0) for _, facts in graph.nodes(data=True) if not facts.get("head")
    )
    assert totals == network.cost().totals.macs


def test_the_function_stands_where_the_folder_of_its_name_is() -> None:
    from inception_dsl.diff import Report

    assert isinstance(idsl.diff("alexnet", "alexnet").report, Report)
    assert Report.__module__ == "inception_dsl.diff.finding"
