"""Costs as polynomials, held against counts at other points: `--set`, `--input`, and calls."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from conftest import Project
from hypothesis import given, settings
from random_specs import QUICK, specs, wired_specs
from random_steps import Spec

from inception_dsl import driver
from inception_dsl.analysis.symbolic import Piece, SymbolicCost
from inception_dsl.cli import main
from inception_dsl.conditions import show_condition, show_span
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.symbolic import find_symbolic_cost
from inception_dsl.resolve import Overrides


def find(reference: str, folder: Path, block: str | None = None) -> SymbolicCost:
    return find_symbolic_cost(reference, folder=folder, block=block, overrides=Overrides())


def draw_point(piece: Piece, random: Random) -> dict[str, int] | None:
    """Return another point of a piece, if a few random ones hold one."""
    (point,) = piece.points
    for _ in range(60):
        values = {name: int(value) for name, value in piece.region.pinned.items()}
        for name, span in piece.region.spans.items():
            moved = span.first + span.modulus * random.randint(0, 4)
            is_kept = random.random() < 0.3 or not span.holds(moved)
            values[name] = point.values[name] if is_kept else moved
        if piece.region.holds(values) and values != point.values:
            return values
    return None


def compare(reference: str, folder: Path, random: Random, times: int) -> int:
    """Compare polynomials with the counts at random points; return the number of points."""
    report = find(reference, folder)
    (piece,) = report.pieces
    compared = 0
    for _ in range(times):
        values = draw_point(piece, random)
        if values is None:
            continue
        shapes = {
            name: "x".join(str(values[side]) for side in text.split(" x "))
            for name, text in report.inputs.items()
        }
        arguments = piece.points[0].arguments
        params = {name: str(values[name]) for name in arguments if name in values}
        changes = Overrides(shapes[""] if set(shapes) == {""} else shapes, params)
        try:
            cost = driver.measure(reference, folder=folder, overrides=changes).cost
        except SpecError as error:  # only an input that seems to have its channels first
            assert {finding.code for finding in error.diagnostics} == {"E106"}
            continue
        compared += 1
        for measure, polynomial in piece.costs.items():
            assert polynomial.evaluate(values) == getattr(cost.totals, measure), (changes, measure)
    return compared


@pytest.mark.parametrize(
    "name",
    ["inception_v4", "googlenet", "efficientnet_b0", "unet", "mobilenet_v3_large", "shufflenet_v2"],
)
def test_polynomials_of_networks_give_the_counts_at_random_points(
    name: str, tmp_path: Path
) -> None:
    assert compare(name, tmp_path, Random(name), 2)


def test_polynomials_of_random_networks_give_the_counts(tmp_path: Path) -> None:
    random = Random(7)
    compared = 0

    @settings(QUICK, max_examples=6)
    @given(specs() | wired_specs())
    def check(spec: Spec) -> None:
        nonlocal compared
        path = tmp_path / "net.yaml"
        path.write_text(spec.text())
        compared += compare(str(path), tmp_path, random, 2)

    check()
    assert compared > 5


def test_the_calls_of_a_block_are_points_of_its_pieces(tmp_path: Path) -> None:
    report = find("mobilenet_v2", tmp_path, "bottleneck")
    assert [dict(piece.region.pinned) for piece in report.pieces] == [{"stride": 2}, {"stride": 1}]
    rows = driver.measure("mobilenet_v2", folder=tmp_path).cost.rows
    for piece in report.pieces:
        for point in piece.points:
            for path in point.paths:
                below = [row for row in rows if row.path.startswith(f"{path}.")]
                assert point.costs == {
                    "params": sum(row.params for row in below),
                    "macs": sum(row.macs for row in below),
                }


def test_a_block_that_reads_a_map_and_a_vector_has_a_piece_of_each(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(
        "specs/net.yaml",
        """\
inception: 1
name: net
input: 8x9x4
blocks:
  two: [scale, relu]
network:
  - pool: {branches: {one: identity, other: 3x3 maxpool (stride 1)}}
  - a: two
  - gap: global avgpool
  - b: two
""",
    )
    report = find("net", project.root, "two")
    assert [dict(piece.inputs) for piece in report.pieces] == [{"": "H x W x in"}, {"": "in"}]
    assert [piece.points[0].values for piece in report.pieces] == [
        {"in": 8, "H": 8, "W": 9},
        {"in": 8},
    ]
    monkeypatch.chdir(project.root)
    assert main(["flops", "net", "--symbolic", "--block", "two"]) == 0
    printed = capsys.readouterr().out
    assert "input H x W x in or in\n" in printed
    assert "where\n  the input is a vector\n" in printed


def test_reduction_a_has_the_polynomial_of_its_figure(tmp_path: Path) -> None:
    # Figure 7 of arXiv:1602.07261: 1x1 (k), 3x3 (l), 3x3 (m) beside 3x3 (n); each has a batch norm.
    (piece,) = find("inception_v4", tmp_path, "reduction_a").pieces
    assert str(piece.costs["params"]) == ("in*k + 9*in*n + 9*k*l + 9*l*m + 2*k + 2*l + 2*m + 2*n")
    assert {n: (s.modulus, s.residue, s.low) for n, s in piece.region.spans.items()} == {
        **dict.fromkeys(["k", "l", "m", "n", "in"], (1, 0, 1)),
        **dict.fromkeys(["H", "W"], (2, 1, 3)),
    }


COPIES = """\
inception: 1
name: net
input: 9x9x8
params: {depth: 4, width: 8}
blocks:
  layer:
    params: [width]
    residual: {}
    steps: [3x3 conv (width), 1x1 conv (in)]
network:
  - first: 3x3 conv (width)
  - stage: depth x layer (width=2*width)
"""


def test_the_number_of_copies_is_a_symbol_where_copies_are_alike(project: Project) -> None:
    path = project.write("specs/net.yaml", COPIES)
    (piece,) = find(str(path), project.root).pieces
    assert not piece.region.pinned
    assert "depth*width^2" in str(piece.costs["macs"])
    assert compare(str(path), project.root, Random(2), 6)


def test_copies_that_differ_hold_their_number_fast(project: Project) -> None:
    growing = COPIES.replace(
        "residual: {}\n    steps: [3x3 conv (width), 1x1 conv (in)]", "steps: 3x3 conv (in + width)"
    )
    path = project.write("specs/net.yaml", growing)
    (piece,) = find(str(path), project.root).pieces
    assert piece.region.pinned == {"depth": 4}
    assert piece.held["depth"].endswith("net.yaml:11:12")
    assert compare(str(path), project.root, Random(2), 6)


def test_conditions_say_where_a_rounded_width_has_this_polynomial(project: Project) -> None:
    text = COPIES.replace("3x3 conv (width)\n", "3x3 conv (make_divisible(width*0.75, 8))\n", 1)
    path = project.write("specs/net.yaml", text)
    (piece,) = find(str(path), project.root).pieces
    assert piece.region.spans["width"].modulus == 32
    assert compare(str(path), project.root, Random(2), 6)


def test_conditions_are_said_once_and_without_exclusions_at_their_ends(tmp_path: Path) -> None:
    said = [
        [*(" ".join(show_span(n, s, 1)) for n, s in piece.region.spans.items())]
        + [show_condition(condition) for condition in piece.region.others]
        for name, block in (("mobilenet_v3_large", None), ("mobilenet_v3_large", "bneck"))
        for piece in find(name, tmp_path, block).pieces
    ]
    assert "H mod 32 = 0 H >= 64" in said[0]  # squeeze and excitation needs two places or more
    lines = [line for each in said for line in each]
    assert "expand = 72" in lines  # a width that is rounded to it
    assert "in = width" in lines
    assert "width = in" not in lines
    assert not [line for line in lines if line.endswith(("!= 1", "!= 32")) and line[:2] != "se"]


def test_a_block_of_a_library_needs_a_point(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = "inception: 1\nblocks:\n  cell:\n    params: [k]\n    steps: 1x1 conv (k)\n"
    project.write("specs/blocks/cell.yaml", library)
    monkeypatch.chdir(project.root)
    command = ["flops", "specs/blocks/cell.yaml", "--symbolic", "--block", "cell"]
    assert main(command) == 1
    assert "add `--set k=VALUE`" in capsys.readouterr().err
    assert main([*command, "--set", "k=4"]) == 1
    assert "add `--input HxWxC`" in capsys.readouterr().err
    assert main([*command, "--set", "k=4", "--input", "5x5x2", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (piece,) = document["pieces"]
    assert piece["costs"]["macs"]["text"] == "H*W*in*k"
    assert piece["points"][0]["costs"] == {"params": 12, "macs": 200}


@pytest.mark.parametrize("block", [None, "layer"])
def test_a_network_of_too_many_nodes_is_refused(block: str | None, project: Project) -> None:
    calls = "".join(f"  - s{i}: 100 x layer (width={i + 8})\n" for i in range(13))
    text = COPIES.partition("network:")[0] + "network:\n" + calls
    path = project.write("specs/net.yaml", text.replace(" width: 8", " other: 8"))
    if block is None:
        with pytest.raises(SpecError, match=r"3,900 nodes, and 2,500 are the most"):
            find(str(path), project.root)
    else:  # calls that agree are counted once
        assert len(find(str(path), project.root, block).pieces) == 1
