"""The conventions of counting: this project's own quantities, explanations, and unknown ops."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project
from invented import invented

from inception_dsl import driver
from inception_dsl.analysis import CONVENTIONS, count_by, find_quantity, measure_work
from inception_dsl.analysis.conventions import TOOLS
from inception_dsl.analysis.explaining import ClaimedDifference, compare_claims, find_difference
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.explaining import explain_counts
from inception_dsl.emit.report import Layout, ReportFormat, render_costs
from inception_dsl.emit.report.explanation import list_sentences, render_explanations
from inception_dsl.ir import Path as NodePath

__all__ = ["invented"]

ROOT = Path(__file__).parents[1]

REST = """\
inception: 1
name: net
input: 8x8x8
network:
  - conv: 3x3 conv (8 norm layernorm act prelu)
  - gate: {branches: {whole: identity, by: [global avgpool, channelconv (kernel 3)]}, join: mul}
  - high: {branches: {one: identity, other: 1x1 conv (8)}, join: maximum}
  - rescale: rescale (factor 0.5)
  - divide: divide (by 2)
  - scale: scale
  - gn: groupnorm (groups 2)
  - gelu: gelu
  - elu: elu
  - leaky: leaky_relu
  - up: upsample (factor 2 bilinear)
  - up2: upsample (factor 2)
  - deconv: 3x3 deconv (8 norm instancenorm)
  - adaptive: 4x4 adaptive maxpool
  - small: 3x3 avgpool
  - blur: 3x3 blur
  - pool: global maxpool
  - fc: linear (10)
  - softmax: softmax
"""
"""The kinds of layers with rules that the networks below lack."""


def works_of(name: str, folder: Path = ROOT) -> tuple[driver.Checked, dict[str, int]]:
    """Return a network, and its counts by every convention."""
    checked = driver.measure(name, folder=folder)
    work = measure_work(checked.model, checked.cost)
    return checked, {name: count_by(each, work).total for name, each in CONVENTIONS.items()}


@pytest.mark.parametrize("name", ["nasnet_a_mobile", "convnext_tiny", "unet", "digits"])
def test_the_own_conventions_give_the_totals_of_a_report(name: str) -> None:
    checked, counts = works_of(name)
    assert counts["macs"] == checked.cost.totals.macs
    assert counts["flops"] == checked.cost.totals.flops


def test_published_counts() -> None:
    """The numbers that tools printed for networks which others wrote."""
    _, counts = works_of("mobilenet_v2")
    assert counts["keras"] == 615_292_208  # TensorFlow's profiler on keras.applications.MobileNetV2
    _, counts = works_of("alexnet")
    # The README of calflops: 1.4297 GFLOPs and 714.188 MMACs for torchvision's AlexNet.
    assert round(counts["calflops"] / 1e9, 4) == 1.4297
    assert round(counts["macs"] / 1e6, 3) == 714.188


def test_every_rule_is_of_a_kind_that_some_op_is(project: Project) -> None:
    project.write("specs/net.yaml", REST)
    kinds = set()
    for name, folder in [("net", project.root), ("googlenet", ROOT), ("efficientnet_b0", ROOT)]:
        checked = driver.measure(name, folder=folder)
        kinds |= {work.kind for work in measure_work(checked.model, checked.cost).kinds}
    checked = driver.measure("mobilenet_v2", folder=ROOT)
    kinds |= {work.kind for work in measure_work(checked.model, checked.cost).kinds}
    named = {kind for convention in CONVENTIONS.values() for kind in convention.rules}
    assert named <= kinds


def test_counts_grow_with_the_batch() -> None:
    one, three = (
        measure_work(checked.model, checked.cost)
        for checked in (driver.measure("digits", folder=ROOT, batch=n) for n in (1, 3))
    )
    for name in set(CONVENTIONS) - {"keras"}:
        single, triple = (count_by(CONVENTIONS[name], work).total for work in (one, three))
        assert triple == 3 * single
    folding = sum(kind.amounts.get("folding", 0) for kind in one.kinds)
    single, triple = (count_by(CONVENTIONS["keras"], work).total for work in (one, three))
    assert folding and triple - folding == 3 * (single - folding)  # norms fold once


@pytest.mark.usefixtures("invented")
def test_an_op_that_no_tool_knows_counts_as_zero_and_is_named(project: Project) -> None:
    text = "inception: 1\nname: net\ninput: 8x8x4\nnetwork: [conv: 1x1 conv (4), blend: blend]\n"
    project.write("specs/net.yaml", text)
    checked = driver.measure("net", folder=project.root)
    work = measure_work(checked.model, checked.cost)
    for name in TOOLS:
        count = count_by(CONVENTIONS[name], work)
        assert count.by_path["blend"] == 0
        assert "blend of all" in count.left_out


def test_a_last_softmax_that_a_tool_never_sees_is_told() -> None:
    checked = driver.measure("digits", folder=ROOT)
    work = measure_work(checked.model, checked.cost)
    thop, keras, flops = (count_by(CONVENTIONS[n], work) for n in ("thop", "keras", "flops"))
    assert thop.left_out == ("ReLU", "max pool", "last softmax", "bias of linear layer")
    assert keras.left_out == ("ReLU",)
    assert not flops.left_out
    said = " ".join(list_sentences(find_difference(thop, flops)))
    assert "thop counts nothing: modules leave the last softmax to the loss; flops counts" in said


def test_the_rows_of_an_explanation_add_up() -> None:
    checked = driver.measure("googlenet", folder=ROOT)
    work = measure_work(checked.model, checked.cost)
    counts = [count_by(convention, work) for convention in CONVENTIONS.values()]
    for first in counts:
        for second in counts:
            found = find_difference(first, second)
            assert sum(row.first for row in found.kinds) == first.total
            assert sum(row.difference for row in found.kinds) == second.total - first.total


def compare(checked: driver.Checked, name: str) -> ClaimedDifference:
    work = measure_work(checked.model, checked.cost)
    counts = tuple(count_by(convention, work) for convention in CONVENTIONS.values())
    (count,) = (each for each in counts if each.convention.name == name)
    return compare_claims(checked.model, count, counts)


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "efficientnet_b0"])
def test_claims_are_compared_with_the_quantities_that_check_judges(name: str) -> None:
    checked = driver.measure(name, folder=ROOT)
    for own in ("macs", "flops"):
        found = compare(checked, own)
        assert found.network
        for claim in (*found.network, *found.steps):
            at = None if claim.at is None else NodePath(claim.at)
            assert claim.counted == find_quantity(
                checked.model, checked.cost, claim.measure, at, with_heads=False
            )


def test_claims_on_macs_and_on_flops_are_told_apart(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = "claims: [{macs: 512, flops: 1056}, {at: fc, flops: 1056}]\n"
    text = f"inception: 1\nname: net\ninput: 1x1x16\nnetwork: [fc: 1x1 conv (32)]\n{claims}"
    project.write("specs/net.yaml", text)
    monkeypatch.chdir(project.root)
    for side in ("macs", "flops"):
        text = run(capsys, "net", "--explain", "paper", side)
        assert re.search(r"network: macs +512 +512 +0 .*yes", text)
        assert re.search(r"network: flops +1056 +1,056 +0 .*yes", text)
    lines = run(capsys, "net", "--explain", "paper", "thop", "--format", "csv").splitlines()
    assert lines[1:] == [
        "net,network: macs,512,512,0",
        "net,network: flops,1056,512,-544",
        "net,fc: flops,1056,512,-544",
    ]
    document = json.loads(run(capsys, "net", "--explain", "paper", "macs", "--format", "json"))
    assert [(c["measure"], c["counted_by"]) for c in document["network"]] == [
        ("macs", "macs"),
        ("flops", "flops"),
    ]


@pytest.mark.parametrize(
    "more", [["--batch", "8"], ["--input", "299x299x3"], ["--set", "num_classes=5"]]
)
def test_claims_are_on_one_image_at_the_own_input(
    more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["flops", "googlenet", "--explain", "paper", "macs", *more]) == 2
    assert f"`--explain` with `paper` has no use for `{more[0]}`" in capsys.readouterr().err
    assert run(capsys, "digits", "--explain", "thop", "macs", "--batch", "8")
    assert main(["flops", "googlenet", "--explain", "thop", "macs", "--dtype", "float16"]) == 2
    assert "`--explain` has no use for `--dtype`" in capsys.readouterr().err


def test_the_count_that_a_claim_seems_to_be_is_told(project: Project) -> None:
    text = "inception: 1\nname: net\ninput: 8x8x16\nnetwork: [conv: 1x1 conv (32 norm batchnorm)]\n"
    macs = 64 * 16 * 32
    cases = {
        "MACs, 101.": f"flops: ~ {macs * 99 // 100}",  # the word of the paper misleads
        "MACs. So": f"macs: {macs}",
        "torch FLOPs. So the source seems to count FLOPs": f"macs: {2 * macs}",
        "fvcore flops. So the source seems to count MACs": f"macs: {macs + 2 * 64 * 32}",
    }
    for said, claim in cases.items():
        project.write("specs/net.yaml", f"{text}claims: [{{{claim}}}]\n")
        checked = driver.measure("net", folder=project.root)
        network = explain_counts(checked, "paper", "macs")
        assert f"is {said}" in render_explanations([network], format="table"), said
    both = f"claims: [{{macs: {2 * macs}}}, {{macs: {macs}}}]\n"  # only the first fails
    project.write("specs/net.yaml", text + both)
    network = explain_counts(driver.measure("net", folder=project.root), "paper", "macs")
    told = render_explanations([network], format="table")
    assert f"Nearest to {2 * macs} is" in told
    assert "So the source seems to count FLOPs" in told
    project.write("specs/net.yaml", text + f"claims: [{{macs: {9 * macs}}}]\n")
    network = explain_counts(driver.measure("net", folder=project.root), "paper", "macs")
    assert f"No count is near {9 * macs}" in render_explanations([network], format="table")
    assert '"nearest": null' in render_explanations([network], format="json")


def test_a_rule_that_counts_nothing_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    told = run(capsys, "mobilenet_v2", "--convention", "ptflops,thop")
    assert "softmax over channels" not in told
    assert "last softmax" in told


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        ("<= -1 x googlenet", "`-1` is no number of times"),
        ("<= 1e-3 x googlenet", "`1e-3` is no number of times"),
        ("1.5 x googlenet", "a multiple has a relation"),
        ("<= 1.05 x net", "`net` is this network itself"),
    ],
)
def test_a_bad_multiple_is_told_by_what_is_wrong(bound: str, said: str, project: Project) -> None:
    text = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [conv: 1x1 conv (4)]\n"
    project.write("specs/net.yaml", f"{text}budget: {{macs: {bound}}}\n")
    with pytest.raises(SpecError) as refused:
        driver.check("net", folder=project.root)
    (finding,) = refused.value.diagnostics
    assert finding.code == "E106"
    assert said in f"{finding.message} {finding.help}"


def test_the_cost_page_tells_a_reviewer_what_holds(project: Project) -> None:
    text = """\
inception: 1
name: net
input: 8x8x3
network:
  - body: 3x3 conv (4)
  - pool: global avgpool
  - fc: linear (5)
budget: {params: <= 200, macs: <= 2 x googlenet, at: {body: {macs: <= 14K, params: ">= 100"}}}
claims:
  - {params: 137, source: Table 1}
  - {at: body, macs: 7K, source: "Table <b>|", deviates: half}
  - {at: body, shape: 8x8x4}
  - {at: body, macs: 27, input: 1x1x3, deviates: no}
"""
    project.write("specs/net.yaml", text)
    _, page, *_ = driver.emit(project.check(), output=Path("generated")).artifacts
    conv = 8 * 8 * 4 * 3 * 9
    twice = 2 * driver.measure("googlenet", folder=ROOT).cost.totals.macs
    bar = "\N{FULL BLOCK}" * 20
    for line in (
        f"| body | 8x8x4 | 112 | {conv:,} | {2 * conv + 256:,} | {bar} 99.7 % | ",
        "| network: params | 137 | 137 | yes | Table 1 |",
        f"| body: macs | 7K | {conv:,} | no | Table ",
        "Known deviations, below, has the reason of each `no`. "
        "Claims on single steps that hold: 1. Claims at other inputs, judged by `check`: 1.",
        "| params | &lt;= 200 | 137 | 31.5 % |",
        f"| body.macs | &lt;= 14K | {conv:,} | 50.6 % |",
        f"| macs | &lt;= 2 x googlenet = {twice:,} | 6,932 | 100.0 % |",
        "| body.params | &gt;= 100 | 112 | 12.0 % |",
        "| torch FLOPs | 13,864 | global average pool, bias of convolution, bias of linear layer |",
    ):
        assert line in page.text, line
    assert "<b>" not in page.text


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["flops", *arguments]) == 0
    return capsys.readouterr().out


def test_an_explanation_tells_a_newcomer_what_differs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text = run(capsys, "mobilenet_v2", "--explain", "fvcore", "torch")
    assert "counts as 1 for fvcore, as 2 for torch: that alone is a factor of 2." in text
    assert "batch norm: -13,356,224." in text
    assert "Counted by neither: ReLU6, sum, bias of linear layer, softmax over channels." in text
    text = run(capsys, "googlenet", "--explain", "paper", "macs")
    assert "~ 1.5G" in text and "+82,671,872 (+5.5 %)" in text
    assert "conv1: macs           ~ 34M" in text
    macs = driver.measure("digits", folder=ROOT).cost.totals.macs
    document = json.loads(run(capsys, "digits", "--explain", "macs", "keras", "--format", "json"))
    total = sum(row["difference"] for row in document["kinds"])
    assert document["difference"] == total == document["second"]["total"] - macs


def test_a_convention_is_a_column_of_every_format(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    total = works_of("digits")[1]["thop"]
    assert f"{total:,}" in run(capsys, "digits", "--convention", "thop")
    assert f"{total:,}" in run(capsys, "digits", "--convention", "thop", "--format", "markdown")
    document = json.loads(run(capsys, "digits", "--convention", "thop", "--format", "json"))
    assert document["conventions"]["thop"]["total"] == total
    assert sum(row["conventions"]["thop"] or 0 for row in document["rows"]) == total
    rows = run(capsys, "digits", "--columns", "thop", "--format", "csv").splitlines()[1:]
    assert sum(int(row.rpartition(",")[2] or 0) for row in rows) == total


@pytest.mark.parametrize("format", ["table", "markdown", "json"])
def test_counts_of_an_imported_network_say_that_they_are_of_stock_layers(
    format: ReportFormat,
) -> None:
    checked = driver.measure("digits", folder=ROOT)
    facts = driver.measure_facts(checked, needs=frozenset(), conventions=["ptflops"])
    layout = Layout(columns=("params", "ptflops"))
    said = "are those of stock layers"
    assert said not in render_costs([facts], layout, format=format)
    assert said in render_costs([replace(facts, is_imported=True)], layout, format=format)


def test_an_authors_text_in_an_explanation_stays_text(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = 'claims: [{macs: 9, source: "<b>|@me\\e[31m", deviates: "<script>"}]\n'
    project.write("specs/net.yaml", REST + hostile)
    monkeypatch.chdir(project.root)
    text = run(capsys, "net", "--explain", "paper", "macs", "--format", "markdown")
    assert "<b>" not in text and "<script>" not in text and "\x1b" not in text
    assert "\x1b" not in run(capsys, "net", "--explain", "paper", "macs")
