"""Networks of libraries and of one's own held against specs: each departure told, and nothing else.

The goldens are what a terminal shows, without the lines of installed packages.

    PYTHONPATH=tests python tests/torch/test_code_against_specs.py    # write them as they are now
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project
from jsonschema import validate

import inception_dsl as idsl
from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diff import Finding, Report
from inception_dsl.emit.diff import FORMATS
from inception_dsl.emit.diff.sentences import write_sentence

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "goldens"

KNOWN = {
    "inception_v4_timm": ("inception_v4", "timm:inception_v4"),
    "googlenet_torchvision": ("googlenet", "torchvision:googlenet"),
    "inception_v3_torchvision_timm": ("torchvision:inception_v3", "timm:inception_v3"),
    "xception_timm": ("xception", "timm:legacy_xception"),
    "inception_resnet_v2_timm": ("inception_resnet_v2", "timm:inception_resnet_v2"),
}

RESNET_V1 = """\
from torchvision.models.resnet import Bottleneck, resnet50


def net():
    network = resnet50()
    for block in network.modules():
        if isinstance(block, Bottleneck) and block.stride == 2:
            block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)
    return network
"""


def hold(spec: str, code: str, folder: Path = ROOT) -> Report:
    return driver.verify_code(spec, code, folder=folder)


def write_text(report: Report) -> str:
    (made,) = report.comparisons
    findings = tuple(replace(finding, spots=()) for finding in made.findings)
    return FORMATS["text"](replace(report, comparisons=(replace(made, findings=findings),)))


def say(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    sentences = ((finding.code, write_sentence(finding)) for finding in findings)
    return [(code, sentence.subject, sentence.what) for code, sentence in sentences]


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_case_reads_as_its_golden(name: str) -> None:
    assert write_text(hold(*KNOWN[name])) == (GOLDENS / f"{name}.txt").read_text()


def test_resnet_50_has_its_stride_elsewhere_in_its_first_version(project: Project) -> None:
    project.write("old.py", RESNET_V1)
    report = hold("resnet50", "py:old.py:net", project.root)
    assert say(report.findings) == [
        ("D721", "3 of 53 convs", "1x1 conv (stride 1 -> 2)"),
        ("D721", "3 of 53 convs", "3x3 conv (stride 2 -> 1)"),
    ]
    assert report.fails


def test_a_module_of_another_author_is_the_spec() -> None:
    for name in ("torchvision:resnet50", "timm:resnet50"):
        report = hold("resnet50", name)
        assert (report.findings, report.warnings, report.fails) == ((), (), False)


SPEC = """\
inception: 1
name: net
input: 63x63x3
params: {num_classes: 10}
defaults:
  conv: {norm: batchnorm, act: relu}
  batchnorm: {eps: 0.001}

blocks:
  mixed:
    params: [proj]
    branches:
      b1x1: 1x1 conv (16)
      b5x5: [1x1 conv (8), 5x5 conv (12)]
      b3x3dbl: [1x1 conv (16), 3x3 conv (24), 3x3 conv (24)]
      pool: [3x3 avgpool, 1x1 conv (proj)]

  bottleneck:
    residual: {act: relu}
    steps: [1x1 conv (16), 3x3 conv (16), 1x1 conv (in linear)]

network:
  - conv1: 3x3 conv (16 stride 2 V)
  - conv2: 3x3 conv (24)
  - pool1: 3x3 maxpool (stride 2 V)
  - mixed_a: mixed (proj=8)
  - mixed_b: mixed (proj=12)
  - mixed_c: mixed (proj=12)
  - bottleneck: 2 x bottleneck
  - pool: global avgpool
  - dropout: dropout (drop 0.2)
  - fc: linear (num_classes)
"""

ONE_NORM = "eps=1e-5 if (in_channels, out_channels) == (16, 24) else 0.001"
MISTAKES = {
    "padding counted": (
        ("count_include_pad=False", "count_include_pad=True"),
        ("D721", "all 3 avgpools", "3x3 avgpool (count_pad no -> yes)"),
        "count_include_pad=True",
    ),
    "eps of every norm": (
        ("eps=0.001", "eps=1e-5"),
        ("D721", "27 of 29 convs", "conv (eps 0.001 -> 1e-5)"),
        "self.bn = nn.BatchNorm2d",
    ),
    "size rounded up": (
        ("pool1 = nn.MaxPool2d(3, ", "pool1 = nn.MaxPool2d(3, ceil_mode=True, "),
        ("D725", "pool1", "3x3 maxpool (stride 2 V ceil no -> yes)"),
        "self.pool1 = ",
    ),
    "order of a concat": (
        ("[b1x1, b5x5, b3x3dbl, pool]", "[b1x1, b3x3dbl, b5x5, pool]"),
        (
            "D722",
            "all 3 concats",
            "concat (such as b1x1 b5x5 b3x3dbl pool -> b1x1 b3x3dbl b5x5 pool)",
        ),
        "torch.cat([b1x1, b3x3dbl, b5x5, pool]",
    ),
    "no activation": (
        ("x = self.conv2(x)", "x = self.conv2.bn(self.conv2.conv(x))"),
        ("D721", "conv2", "3x3 conv (24 act relu -> none)"),
        "self.conv2 = ",
    ),
    "no norm": (
        ("x = self.conv2(x)", "x = F.relu(self.conv2.conv(x))"),
        ("D711", "conv2", "3x3 conv (24 norm batchnorm -> none)"),
        "self.conv2 = ",
    ),
    "another activation": (
        ("F.relu(self.bn(self.conv(x)), inplace=True)", "F.leaky_relu(self.bn(self.conv(x)), 0.1)"),
        ("D721", "27 of 29 convs", "conv (act relu -> leaky_relu slope of leaky_relu none -> 0.1)"),
        "F.leaky_relu",
    ),
    "a branch never read": (
        ("b3x3dbl = self.b3x3dbl(x)", "b3x3dbl = torch.cat([b5x5, b5x5], 1)"),
        (
            "D713",
            "mixed_a.b3x3dbl, in 3 places removed",
            "1x1 conv (16), 3x3 conv (24), 3x3 conv (24)",
        ),
        "",
    ),
    "another kernel": (
        (
            "self.conv2 = ConvNormAct(16, 24, kernel_size=3, padding=1)",
            "self.conv2 = ConvNormAct(16, 24, kernel_size=5, padding=2)",
        ),
        ("D711", "conv2", "3x3 -> 5x5 conv (24)"),
        "self.conv2 = ",
    ),
    "the stride of another conv": (
        (
            "kernel_size=3, stride=2)\n        self.conv2 = ConvNormAct(16, 24, kernel_size=3,",
            "kernel_size=3)\n        self.conv2 = ConvNormAct(16, 24, kernel_size=3, stride=2,",
        ),
        ("D721", "conv1", "3x3 conv (16 stride 2 -> 1 V)"),
        "self.conv1 = ",
    ),
    "no activation behind a sum": (
        ("F.relu(x + out)", "x + out"),
        ("D721", "all 2 adds", "add (act relu -> none)"),
        "x + out",
    ),
    "mean for maximum": (
        ("self.pool1 = nn.MaxPool2d(", "self.pool1 = nn.AvgPool2d("),
        ("D721", "pool1", "3x3 maxpool (stride 2 V) -> 3x3 avgpool (stride 2 V)"),
        "self.pool1 = ",
    ),
    "a layer left out": (
        ("x = self.pool1(x)", "x = x"),
        ("D724", "pool1 removed", "3x3 maxpool (stride 2 V)"),
        "self.conv2 = ",
    ),
    "another output": (
        ("return x\n\n\ndef net(", "return x, x * 2\n\n\ndef net("),
        ("D724", "rescale_1 added", "rescale (factor 2)"),
        "",
    ),
    "no dropout": (
        ("x = self.dropout(x)", "x = x"),
        ("D731", "dropout removed", "dropout (drop 0.2)"),
        "self.pool = ",
    ),
}


OTHERS = {
    "another output": [("D702", "output", "outputs one -> fc, rescale_1")],
    "a branch never read": [
        (
            "D723",
            "mixed_a.concat, in 3 places",
            "reads b1x1 b5x5 b3x3dbl pool -> b1x1 b5x5 b5x5 b5x5 pool",
        )
    ],
    "the stride of another conv": [("D721", "conv2", "3x3 conv (24 stride 1 -> 2)")],
}
"""The further departures of a mistake that is two."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_departure_at_its_line(name: str, project: Project) -> None:
    (right, wrong), departure, line = MISTAKES[name]
    project.write("specs/net.yaml", SPEC)
    source = driver.emit_module(project.check())
    assert right in source
    project.write("net.py", source.replace(right, wrong))
    report = hold("net", "py:net.py:net", project.root)
    told, *others = report.findings
    assert say((told,)) == [departure]
    assert say(tuple(others)) == OTHERS.get(name, [])
    if not line:
        return
    assert told.old is not None
    assert told.new is not None
    assert line in told.new.source.line(told.new.line)


WAIVERS = """\
[[tool.inception-dsl.verify.waivers]]
code = "D721"
at = "*.pool.avgpool"
spec = "net"
reason = "the checkpoint was trained so"
"""


def write_net(project: Project) -> None:
    """Write a spec, and a module that counts the padding and has no dropout."""
    project.write("specs/net.yaml", SPEC)
    source = driver.emit_module(project.check())
    source = source.replace("count_include_pad=False", "count_include_pad=True")
    project.write("net.py", source.replace("x = self.dropout(x)", "x = x"))


def test_departures_are_told_to_programs_and_those_agreed_on_do_not_fail(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_net(project)
    monkeypatch.chdir(project.root)
    command = ["verify", "net", "py:net.py:net", "--format"]
    assert main([*command, "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["::error", "::warning"]
    assert all(line.split(" ", 1)[1].startswith("file=net.py,line=") for line in lines)
    assert "specs/net.yaml:" in lines[0]
    project.write("pyproject.toml", WAIVERS)
    assert main([*command, "json", "--fail-on", "error"]) == 0
    document = json.loads(capsys.readouterr().out)
    validate(document, json.loads((ROOT / "docs" / "schemas" / "diff.schema.json").read_text()))
    counted, dropped = document["comparisons"][0]["findings"]
    assert (counted["waived"], dropped["waived"]) == ("the checkpoint was trained so", None)
    assert [line["module"] for line in counted["lines"]] == [
        f"mixed_{letter}.pool.avgpool" for letter in "abc"
    ]
    assert main([*command, "markdown"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("### `py:net.py:net against net`\n\n**1 NUMERICS, 1 TRAINING ")
    assert main(["verify", "net", "py:net.py:no"]) == 2


def test_one_line_of_a_test_holds_a_module_against_its_spec(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_net(project)
    monkeypatch.chdir(project.root)
    module = idsl.load("net").module()
    assert idsl.verify("net", module).departures == ()
    setattr(module.dropout, "p", 0.5)  # noqa: B010
    with pytest.raises(AssertionError, match=r"dropout \(drop 0.2 -> 0.5\)") as raised:
        idsl.verify("net", module)
    assert isinstance(raised.value, idsl.DepartureError)
    (departure,) = raised.value.verification.departures
    assert (departure.code, departure.severity) == ("D731", "warning")
    assert len(idsl.verify("net", module, fail_on="error").departures) == 1
    ten = idsl.load("net", params={"num_classes": 100}).module()
    assert idsl.verify("net", ten, params={"num_classes": 100}).departures == ()
    with pytest.raises(idsl.SpecError, match="E302"):
        idsl.verify("net", module, input="3x3x3")


if __name__ == "__main__":
    for _name, (_spec, _code) in KNOWN.items():
        (GOLDENS / f"{_name}.txt").write_text(write_text(hold(_spec, _code)))
