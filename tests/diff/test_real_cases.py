"""Published variants of one network, compared: every known departure is found, and nothing else.

The goldens are the comments that a reviewer would read.

    python tests/diff/test_real_cases.py        # write them as they are now
"""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path

import pytest
from cases import REAL, ROWS, compare, found, rows
from conftest import Project

from inception_dsl.diff import Report
from inception_dsl.emit.diff import FORMATS

GOLDENS = Path(__file__).parent / "goldens"


@pytest.mark.parametrize("name", REAL)
def test_a_real_case_reads_as_its_golden(name: str) -> None:
    report = compare(*REAL[name])
    assert FORMATS["markdown"](report) == (GOLDENS / f"{name}.md").read_text()


@pytest.mark.parametrize(("old", "new"), list(permutations(ROWS, 2)))
def test_rows_of_table_1_read_as_their_golden(old: str, new: str, project: Project) -> None:
    golden = GOLDENS / f"table1_{old}_{new}.txt"
    assert FORMATS["text"](rows(project, old, new)) == golden.read_text()


def said(report: Report, *codes: str) -> list[tuple[str, str]]:
    return [(f.at, f.what) for f in report.findings if f.code in codes]


def test_lucids_inception_v4_departs_where_it_is_known_to() -> None:
    report = compare("inception_v4", "community/lucid_v4")
    by_code = found(report)
    assert said(report, "D711") == [
        ("all 149 convs", "conv (bias no -> yes)"),
        ("inception_b.b7x7dbl.conv", "1x1 conv (192 -> 64)"),
    ]
    width = by_code["D711"][1].edit
    assert width is not None
    assert (len(width.places), len(width.keys), len(width.followers)) == (7, 7 * 5, 7)
    assert said(report, "D721", "D722", "D723", "D724") == [
        ("all 149 convs", "conv (eps 0.001 -> 1e-05)"),
        (
            "stem.mixed2.again",
            "1x1 conv (64), 3x3 conv (96 V), with the weights of stem.mixed2.left",
        ),
        ("stem.mixed2.concat", "reads left right -> left again, and nothing reads mixed2.right"),
        ("stem.mixed3.concat", "concat (conv pool -> pool conv)"),
    ]
    assert said(report, "D731") == [("dropout", "dropout (drop 0.2 -> 0.8)")]
    assert [f.at for f in by_code["D751"]] == ["stem", "softmax", "network"]
    assert by_code.keys() == {
        *("D711", "D721", "D722", "D723", "D724", "D731", "D741", "D743", "D751")
    }


def test_torchvisions_inception_v3_loads_the_same_checkpoints() -> None:
    report = compare("inception_v3", "torchvision/inception_v3")
    (comparison,) = report.comparisons
    assert (comparison.diff.keys, comparison.diff.kept) == ((), 580)
    assert said(report, "D721") == [("9 of 10 avgpools", "3x3 avgpool (count_pad no -> yes)")]
    assert said(report, "D731") == [
        ("all 96 convs", "conv (init torch -> normal 0.1)"),
        ("dropout", "dropout (drop 0.2 -> 0.5)"),
        ("fc", "linear (classes init torch -> normal 0.1)"),
        ("aux.fc", "linear (classes init torch -> normal 0.001)"),
    ]
    # The pool of the training head has no padding to count.
    assert [f.at for f in found(report)["D751"]] == ["aux.pool", "network"]
    assert found(report).keys() == {"D721", "D731", "D751"}


def test_torchvisions_googlenet_departs_where_it_is_known_to() -> None:
    report = compare("googlenet", "torchvision/googlenet")
    assert said(report, "D711") == [
        ("all 59 convs", "conv (bias yes -> no norm none -> batchnorm eps 0.001)"),
        ("inception.b5x5.conv2", "5x5 -> 3x3 conv (c5)"),
    ]
    assert said(report, "D721", "D724") == [
        ("norm1", "lrn"),
        ("norm2", "lrn"),
        ("pool4", "3x3 -> 2x2 maxpool (stride 2 V ceil)"),
    ]
    assert said(report, "D731") == [
        ("all 59 convs", "conv (init torch -> normal 0.01)"),
        ("dropout", "dropout (drop 0.4 -> 0.2)"),
        ("all 5 linears", "linear (init torch -> normal 0.01)"),
        ("aux_head.pool", "5x5 avgpool (stride 3 V) -> 4x4 adaptive avgpool"),
    ]
    assert found(report).keys() == {"D711", "D721", "D724", "D731", "D741", "D751"}


def test_the_two_inception_resnet_v2_depart_where_they_are_known_to() -> None:
    report = compare("inception_resnet_v2", "timm/inception_resnet_v2")
    assert [what for _, what in said(report, "D714")] == [
        "conv1 -> conv_1a",
        "conv2 -> conv_2a",
        "conv3 -> conv_2b",
    ]
    assert [at for at, _ in said(report, "D713")] == [
        "stem.mixed1.conv",
        "stem.mixed2",
        "stem.mixed3.conv",
    ]
    assert dict(said(report, "D712")) == {
        "stem.conv_3b": "1x1 conv (80)",
        "stem.conv_4a": "3x3 conv (192 V)",
        "mixed_5b": "mixed_5b",
        "inception_a": "5 x -> 10 x inception_resnet_a",
        "inception_b": "10 x -> 20 x inception_resnet_b",
        "inception_c": "5 x -> 9 x inception_resnet_c",
        "block8": "inception_resnet_c (scale=1 act=none)",
        "conv2d_7b": "1x1 conv (1536)",
    }
    assert [at for at, _ in said(report, "D722")] == ["reduction_a.concat", "reduction_b.concat"]
    assert [at for at, _ in said(report, "D731")] == ["dropout"]
    assert found(report).keys() == {*("D712", "D713", "D714", "D722", "D731", "D741", "D751")}


if __name__ == "__main__":
    for _name, _pair in REAL.items():
        (GOLDENS / f"{_name}.md").write_text(FORMATS["markdown"](compare(*_pair)))
    with tempfile.TemporaryDirectory() as _root:
        (Path(_root) / "pyproject.toml").touch()
        for _old, _new in permutations(ROWS, 2):
            _text = FORMATS["text"](rows(Project(Path(_root)), _old, _new))
            (GOLDENS / f"table1_{_old}_{_new}.txt").write_text(_text)
