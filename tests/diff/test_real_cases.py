"""Published variants of one network, compared: every known departure is found, and nothing else.

The goldens are the comments that a reviewer would read.

    PYTHONPATH=tests python tests/diff/test_real_cases.py    # write them as they are now
"""

from __future__ import annotations

import tempfile
from itertools import permutations
from pathlib import Path

import pytest
from conftest import Project
from real_cases import REAL, ROWS, compare, found, rows

from inception_dsl.diff import Report
from inception_dsl.emit.diff import FORMATS
from inception_dsl.emit.diff.sentences import write_sentence

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
    sentences = (write_sentence(f) for f in report.findings if f.code in codes)
    return [(sentence.at, sentence.what) for sentence in sentences]


def test_lucids_inception_v4_departs_where_it_is_known_to() -> None:
    report = compare("inception_v4", "community/lucid_v4")
    by_code = found(report)
    stem = "conv.inception_stem_v4"
    assert said(report, "D711") == [
        ("all 149 convs", "conv (bias no -> yes)"),
        ("inception_module_v4b.branch4.conv", "1x1 conv (192 -> 64)"),
    ]
    width = by_code["D711"][1].edit
    assert width is not None
    assert (len(width.places), len(width.keys), len(width.followers)) == (7, 7 * 5, 7)
    assert said(report, "D721", "D722", "D723", "D724") == [
        ("all 149 convs", "conv (eps 0.001 -> 1e-5)"),
        (
            f"{stem}.again",
            f"1x1 conv (64), 3x3 conv (96 V), with the weights of {stem}.branch2_left",
        ),
        (
            f"{stem}.concat2",
            "reads mixed2.left mixed2.right -> branch2_left again, and nothing reads branch2_right",
        ),
        (
            f"{stem}.concat3",
            "concat (mixed3.conv mixed3.pool -> branch3_pool branch3_conv)",
        ),
        ("all 14 avgpools", "3x3 avgpool (count_pad no -> yes)"),
    ]
    assert said(report, "D731") == [("dropout", "dropout (drop 0.2 -> 0.8)")]
    assert [f.at for f in by_code["D751"]] == ["network", "softmax", "network"]
    # Its author has other names for everything, and lists where the paper's spec has none.
    names = dict(said(report, "D714"))
    assert names.keys() == {
        "network",
        "inception_stem_v4",
        *(f"inception_module_v4{kind}" for kind in "abc"),
        *(f"inception_reduce_v4{kind}" for kind in "ab"),
    }
    assert names["inception_module_v4a"] == (
        "pool -> branch1, b1x1 -> branch2, b3x3 -> branch3, b3x3dbl -> branch4"
    )
    (comparison,) = report.comparisons
    assert {key.kind for key in comparison.diff.keys} == {"renamed", "reshaped", "added"}
    assert by_code.keys() == {
        *("D711", "D714", "D721", "D722", "D723", "D724", "D731", "D732", "D741", "D743", "D751")
    }


def test_lucids_inception_v3_departs_where_it_is_known_to() -> None:
    report = compare("inception_v3", "community/lucid_v3")
    assert said(report, "D711", "D712", "D713") == [
        ("conv2.conv3", "3x3 conv (288)"),
        ("inception_module_v2a.branch2.conv2", "5x5 -> 3x3 conv (64)"),
        ("incep_3.0.branch3.conv", "1x1 conv (proj -> 64)"),
        ("90 of 95 convs", "conv (bias no -> yes)"),
        *(
            (f"inception_module_v2b.branch1.conv{number}", f"{old} -> {new} conv ({width})")
            for number, old, new, width in (
                (2, "7x1", "1x7", "out_channels"),
                (3, "1x7", "7x1", "out_channels"),
                (4, "7x1", "1x7", "out_channels"),
                (5, "1x7", "7x1", "192"),
            )
        ),
        ("incep_4.inception_module_v2b4", "inception_module_v2b (out_channels=160)"),
        ("aux.conv1", "5x5 conv (768 V)"),
        ("aux.fc1", "linear (1024)"),
    ]
    assert said(report, "D721", "D724") == [
        ("all 95 convs", "conv (eps 0.001 -> 1e-5)"),
        ("stem.pool_5a", "3x3 maxpool (stride 2 V)"),
        ("conv2.conv2", "3x3 conv (192 stride 1 -> 2 V)"),
        ("inception_module_v2a.branch3.maxpool", "3x3 avgpool -> 3x3 maxpool"),
        ("inception_module_v2b.branch3.maxpool", "3x3 avgpool -> 3x3 maxpool"),
        ("inception_module_v2c.branch3.maxpool", "3x3 avgpool -> 3x3 maxpool"),
    ]
    assert said(report, "D723") == []


def test_torchvisions_inception_v3_loads_the_same_checkpoints() -> None:
    report = compare("inception_v3", "torchvision/inception_v3")
    (comparison,) = report.comparisons
    assert (comparison.diff.keys, comparison.diff.kept) == ((), 580)
    assert said(report, "D721") == [("9 of 10 avgpools", "3x3 avgpool (count_pad no -> yes)")]
    assert said(report, "D731") == [
        ("all 96 convs", "conv (init torch -> normal 0.1)"),
        ("dropout", "dropout (drop 0.2 -> 0.5)"),
        ("fc", "linear (num_classes init torch -> normal 0.1)"),
        ("aux.fc", "linear (num_classes init torch -> normal 0.001)"),
    ]
    # The pool of the training head has no padding to count.
    assert [f.at for f in found(report)["D751"]] == ["aux.pool", "network"]
    assert found(report).keys() == {"D721", "D731", "D732", "D751"}


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
    assert found(report).keys() == {"D711", "D721", "D724", "D731", "D732", "D741", "D751"}


def test_the_two_inception_resnet_v2_depart_where_they_are_known_to() -> None:
    report = compare("inception_resnet_v2", "timm/inception_resnet_v2")
    assert said(report, "D714") == [
        (
            "stem_v3",
            "conv1 -> conv_1a, conv2 -> conv_2a, conv3 -> conv_2b, mixed1.pool -> pool_3a, "
            "mixed3.pool -> pool_5a",
        )
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
    assert found(report).keys() == {
        *("D712", "D713", "D714", "D722", "D731", "D732", "D741", "D751")
    }


if __name__ == "__main__":
    for _name, _pair in REAL.items():
        (GOLDENS / f"{_name}.md").write_text(FORMATS["markdown"](compare(*_pair)))
    with tempfile.TemporaryDirectory() as _root:
        (Path(_root) / "pyproject.toml").touch()
        for _old, _new in permutations(ROWS, 2):
            _text = FORMATS["text"](rows(Project(Path(_root)), _old, _new))
            (GOLDENS / f"table1_{_old}_{_new}.txt").write_text(_text)
