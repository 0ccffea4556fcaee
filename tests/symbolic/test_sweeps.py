"""Sweeps, held against counts of specs in which the values of each row are written."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import Project

from inception_dsl import driver
from inception_dsl.analysis import find_quantity
from inception_dsl.analysis.wishes import Wish
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.axes import read_axes
from inception_dsl.driver.sweep_grid import Shard, Sweep, collect_best
from inception_dsl.driver.sweep_options import read_bound
from inception_dsl.driver.sweeping import begin_sweep
from inception_dsl.resolve import Overrides

TEXT = """\
inception: 1
name: net
input: {size}x{size}x3
params: {{ratio: {ratio}, classes: {classes}}}
budget: {{params: <= 20K, macs: <= 1.3M, depth: <= 40, memory: <= 1G}}
tables:
  table1:
    columns: [k, l]
    first: [{k}, {l}]
blocks:
  cell:
    params: [k, l]
    branches:
      one: 1x1 conv (k)
      two: [1x1 conv (l), 3x3 conv (l groups 4)]
  halve: [3x3 maxpool (stride 2 V)]
  layer:
    params: {{kernel: 3x3, act: relu}}
    residual: {{}}
    steps: kernel conv (in act act)
network:
  - stem: 3x3 conv ({width} stride 2 V)
  - cell: cell (table1.first)
  - wide: 1x1 conv (make_divisible(ratio*32, 8))
  - deep: {copies} x layer (kernel={kernel} act={act})
  - shrink: 3x3 maxpool (stride 2)
  - small: {halves} x halve
  - pool: global avgpool
  - fc: linear (classes)
"""

USUAL: dict[str, object] = {
    "size": 17,
    "ratio": 1,
    "classes": 10,
    "k": 8,
    "l": 12,
    "width": 16,
    "copies": 2,
    "halves": 1,
    "kernel": "3x3",
    "act": "relu",
}

AXES = {
    "size": "input",
    "ratio": "ratio",
    "classes": "classes",
    "k": "table1.first.k",
    "l": "table1.first.l",
    "width": "stem.width",
    "copies": "deep.copies",
    "halves": "small.copies",
    "kernel": "deep.kernel",
    "act": "deep.act",
}

GRIDS: list[dict[str, list[object]]] = [
    {"size": [2, 3, 4, 9, 16, 17, 31], "width": [1, 7, 64]},
    {"ratio": ["10000000000.5", "1.000000001", 0.25]},  # numerators beyond 64 bits
    {"ratio": [0.25, 0.5, 0.75, 1, 1.3, 2], "copies": [1, 2, 3, 7], "classes": [1, 1000]},
    {"k": [1, 2, 96], "l": [3, 4, 6, 8, 12], "copies": [1, 4]},
    {"copies": [6300, 1, 10001], "halves": [3, 1, 4], "size": [33, 17]},
    {"kernel": ["1x1", "3x3", 5, "1x7"], "act": ["relu", "silu", "none"], "size": [14, 15, 21]},
]


def count(project: Project, values: Mapping[str, object]) -> tuple[object, ...]:
    """Return the costs of a spec with these values, or the code of its first finding."""
    path = project.write("specs/row.yaml", TEXT.format(**{**USUAL, **values}))
    try:
        checked = driver.measure(str(path), folder=project.root)
    except SpecError as error:
        return ("", "", "", "", error.diagnostics[0].code)
    totals = checked.cost.totals
    depth = find_quantity(checked.model, checked.cost, "depth", None, with_heads=False)
    return str(totals.params), str(totals.macs), str(totals.flops), str(depth), ""


def begin(project: Project, axes: list[str], **options: object) -> Sweep:
    path = project.write("specs/net.yaml", TEXT.format(**USUAL))
    return begin_sweep(
        str(path),
        axes,
        folder=project.root,
        overrides=Overrides(),
        measures=("params", "macs", "flops"),
        **options,  # type: ignore[arg-type]
    )


def write_axes(grid: Mapping[str, list[object]]) -> list[str]:
    return [f"{AXES[name]}={','.join(map(str, values))}" for name, values in grid.items()]


@pytest.mark.parametrize("grid", GRIDS, ids=[" ".join(grid) for grid in GRIDS])
def test_every_row_has_the_costs_of_its_spec(
    grid: dict[str, list[object]],
    project: Project,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.write("specs/net.yaml", TEXT.format(**USUAL))
    monkeypatch.chdir(project.root)
    axes = [word for axis in write_axes(grid) for word in ("--sweep", axis)]
    command = ["flops", "specs/net.yaml", *axes, "--format", "csv"]
    assert main([*command, "--columns", "params,macs,flops,depth"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    expected = itertools.product(*grid.values())
    for row, values in zip(rows, expected, strict=True):
        costs = count(project, dict(zip(grid, values, strict=True)))
        told = tuple(row[name] for name in ("params", "macs", "flops", "depth", "error"))
        assert told == costs, values
        bounds = {"params": 20_000, "macs": 1_300_000, "depth": 40}
        is_within = not costs[-1] and all(int(row[name]) <= most for name, most in bounds.items())
        assert row["within"] == ("yes" if is_within else "no")


def read_rows(sweep: Sweep) -> Iterator[tuple[int, int, int, bool]]:
    """Yield the number, the params, the MACs of each row, and whether it meets all bounds."""
    for chunk in sweep.run():
        params, macs = (chunk.costs[sweep.measures.index(m)] for m in ("params", "macs"))
        yield from zip(
            chunk.rows.tolist(),
            params.tolist(),
            macs.tolist(),
            chunk.is_within.tolist(),
            strict=True,
        )


WIDE = ["table1.first.k=4:64:3", "table1.first.l=4:32:4", "input=9,17", "deep.copies=1:3"]


def test_the_best_rows_are_those_of_a_search_through_all(project: Project) -> None:
    rows = [row for row in read_rows(begin(project, WIDE)) if row[3]]
    assert 100 < len(rows) < begin(project, WIDE).rows

    def find(wish: Wish) -> list[int]:
        best = collect_best(begin(project, WIDE), wish)
        assert best is not None
        return [int(row) for row in best.rows]

    largest = sorted(rows, key=lambda row: (-row[2], row[0]))[:7]
    assert find(Wish("largest", "macs", most=7)) == [row[0] for row in largest]
    nearest = sorted(rows, key=lambda row: (abs(row[1] - 9_000), row[0]))[:7]
    assert find(Wish("nearest", "params", target=9_000, most=7)) == [row[0] for row in nearest]
    front: list[tuple[int, int]] = []
    for number, params, _, _ in sorted(rows, key=lambda row: (row[2], -row[1], row[0])):
        if not front or params > front[-1][1]:
            front.append((number, params))
    assert find(Wish("pareto", "macs", "params")) == [number for number, _ in front]


BUDGET = """\
budget:
  macs: <= 0.01 x alexnet
  depth: <= 12
  memory: <= 1G
  at: {stage: {params: <= 30K, depth: <= 40}, stem: {macs: ">= 100K"}, stage.0: {macs: <= 1G}}
"""

DEEP = """\
inception: 1
name: deep
input: 33x33x3
params: {w: 16, copies: 3}
blocks:
  layer:
    residual: {}
    branches: {one: [3x3 conv (in), 1x1 conv (in)], two: 1x1 conv (in)}
    join: add
network:
  - stem: 3x3 conv (w stride 2)
  - split: {branches: {long: {steps: [1x1 conv (8), 1x1 conv (8), 1x1 conv (8)]}, short: identity}}
  - stage: copies x layer
  - more: copies x 1x1 conv (16)
  - pool: global avgpool
  - fc: linear (10)
"""


def test_depth_steps_and_multiples_of_a_budget_are_judged_as_check_does(project: Project) -> None:
    path = project.write("specs/deep.yaml", DEEP + BUDGET)
    sweep = begin_sweep(
        str(path),
        ["copies=1:5", "w=8:32:8"],
        folder=project.root,
        overrides=Overrides(),
        measures=("params", "macs"),
        bounds=[read_bound("params <= 0.001 x alexnet")],
    )
    assert sweep.unjudged == [
        "memory",
        "depth of the step `stage`",
        "macs of the step `stage.0`",
    ]
    (chunk,) = sweep.run()
    most = driver.measure("alexnet", folder=project.root).cost.totals.params / 1000
    grid = itertools.product(range(1, 6), range(8, 33, 8))
    judged = []
    for copies, width in grid:
        values = f"params: {{w: {width}, copies: {copies}}}"
        text = (DEEP + BUDGET).replace("params: {w: 16, copies: 3}", values)
        row = project.write("specs/row.yaml", text)
        try:
            checked = driver.check(str(row), folder=project.root)
            judged.append(checked.cost.totals.params <= most)
        except SpecError as error:
            assert {finding.code for finding in error.diagnostics} == {"E401"}
            judged.append(False)
    assert chunk.is_within.tolist() == judged
    assert 3 < sum(judged) < 17


def test_shards_are_the_grid_in_parts(project: Project) -> None:
    whole = list(read_rows(begin(project, WIDE)))
    parts = [read_rows(begin(project, WIDE, shard=Shard(i, 5))) for i in range(1, 6)]
    assert list(itertools.chain(*parts)) == whole


def test_steps_that_are_too_many_together_are_no_error_alone(project: Project) -> None:
    text = "inception: 1\nname: net\ninput: 8x8x4\nparams: {a: 2, b: 2}\nnetwork:\n"
    text += "  - one: a x 1x1 conv (4)\n  - two: b x 1x1 conv (4)\n"
    path = project.write("specs/net.yaml", text)
    sweep = begin_sweep(
        str(path),
        ["a=6000,1,7000", "b=7000,6000,1"],
        folder=project.root,
        overrides=Overrides(),
        measures=("params", "macs"),
    )
    (chunk,) = sweep.run()
    # 12,500 nodes are the most.
    assert sweep.find_right(chunk).tolist() == [a + b <= 12_500 for a, b in PAIRS]


PAIRS = list(itertools.product((6_000, 1, 7_000), (7_000, 6_000, 1)))


def test_amounts_beyond_64_bits_are_exact(project: Project) -> None:
    text = "inception: 1\nname: net\ninput: 30000x30000x1\nparams: {w: 8}\nnetwork:\n"
    text += "".join(f"  - {name}: 99x99 conv (w)\n" for name in ("one", "two", "three"))
    path = project.write("specs/net.yaml", text)
    sweep = begin_sweep(
        str(path),
        ["w=8,1000,100000"],
        folder=project.root,
        overrides=Overrides(),
        measures=("params", "macs"),
        bounds=[read_bound("macs <= 100000000G")],
    )
    (chunk,) = sweep.run()
    for place, width in enumerate((8, 1_000)):
        macs = 30_000**2 * 99**2 * (width + 2 * width**2)
        params = 99**2 * (width + 2 * width**2) + 3 * width  # and biases
        assert [int(column[place]) for column in chunk.costs] == [params, macs]
    assert macs > 2**63
    assert chunk.is_within.tolist() == [True, macs <= 10**17, False]
    assert sweep.find_right(chunk).tolist() == [True, True, False]  # a map beyond the bounds
    best = collect_best(sweep, Wish("nearest", "macs", target=10**20, most=1))
    assert best is not None
    assert [int(row) for row in best.rows] == [0]
    assert int(best.costs[1][0]) == 30_000**2 * 99**2 * 136


def test_quotients_whose_common_modulus_64_bits_cannot_hold_are_counted(project: Project) -> None:
    divisors = (61, 59, 53, 47, 43, 41, 37, 31, 29, 23, 19, 17, 13)
    steps = "".join(f"  - s{d}: 1x1 conv (max(w//{d}, 1))\n" for d in divisors)
    head = "inception: 1\nname: p\ninput: 8x8x3\nparams: {w: 32}\nnetwork:\n"
    path = project.write("specs/p.yaml", head + steps)
    sweep = begin_sweep(
        str(path), ["w=32,64"], folder=project.root, overrides=Overrides(), measures=("params",)
    )
    (chunk,) = sweep.run()
    for place, width in enumerate(("32", "64")):
        changes = Overrides(None, {"w": width})
        measured = driver.measure(str(path), folder=project.root, overrides=changes)
        assert int(chunk.costs[0][place]) == measured.cost.totals.params


@pytest.mark.parametrize(
    ("axes", "code", "said"),
    [
        ("deep.copie=1:3", "E511", "write `deep.copies`"),
        ("rato=1,2", "E511", "write `ratio`"),
        ("nothing", "E511", "names no axis"),
        ("k=1,2,k=3", "E511", "named twice"),
        ("input=9,17,H=9", "E511", "the same side of an input"),
        ("ratio=3:2", "E512", "it ends before it begins"),
        ("ratio=1:2:0", "E512", "its step is 0"),
        ("ratio=1,2,1", "E512", "a value twice"),
        ("ratio=", "E512", "is no value"),
        ("ratio=rel", "E512", "is no value"),
        ("classes=1:2000000", "E512", "more than 1,000,000 values"),
        ("classes=1:4000,ratio=1:4000", "E512", "`--shard 1/4`"),
        ("classes=1:1000000,ratio=1:10000,nothing=1:1000", "E512", "10,000,000,000,000 rows"),
        ("ratio=8:64:-8", "E512", "no sign"),
        ("fc.width=2,classes=3", "E511", "the axes `fc.width` and `classes` set the same number"),
        ("table1.first.k=2,cell.k=3", "E511", "`cell.k` and `table1.first.k` set the same"),
        ("ratio=1e3", "E512", "without an exponent"),
        ("", "E511", "no axis is given"),
        ("ratio=99999999999999999999", "E512", "is too large"),
        ("ratio=0.0000000001", "E512", "too many decimals"),
        ("input=64x128", "E512", "`H=64,W=128`"),
        ("input=64x128x3", "E512", "`H=64,W=128,C=3`"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused(
    axes: str, code: str, said: str, project: Project
) -> None:
    with pytest.raises(SpecError) as refused:
        begin(project, [axes])
    (finding,) = refused.value.diagnostics
    assert finding.code == code
    assert said in f"{finding.message} {finding.help}"


def test_the_ends_of_a_sweep_are_told(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("specs/net.yaml", TEXT.format(**USUAL))
    monkeypatch.chdir(project.root)
    command = ["flops", "specs/net.yaml", "--sweep"]
    assert main([*command, "table1.first.l=5,7"]) == 1  # every row has an error
    few = [*command, "classes=1:3", "--shard", "1/9"]
    capsys.readouterr()
    assert main([*few, "--best", "largest", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["best"] == []
    for options in ([], ["--format", "csv"], ["--best", "pareto", "--plot", "plot.svg"]):
        assert main([*few, *options]) == 0
    capsys.readouterr()
    assert main([*command, "classes=1:101"]) == 0
    assert "too many for a table: `--best` or" in capsys.readouterr().out
    assert main([*command, "classes=1:101", "--format", "csv"]) == 0
    assert "too many" not in capsys.readouterr().err


def test_a_number_that_two_axes_read_has_both(project: Project) -> None:
    text = TEXT.format(**USUAL).replace("(make_divisible(ratio*32", "(make_divisible(classes*32")
    path = project.write("specs/net.yaml", text)
    sweep = begin_sweep(
        str(path),
        ["fc.width=2", "classes=3,4"],
        folder=project.root,
        overrides=Overrides(),
        measures=("params",),
    )
    assert sweep.rows == 2


def test_a_range_has_the_values_of_exact_arithmetic() -> None:
    axes = read_axes(["a=0.1:1:0.3,b=1:10:2.5,c=3:9:2,d=0.000000001:0.000000003:0.000000001"])
    for axis, (first, step, count) in zip(
        axes, [("0.1", "0.3", 4), ("1", "2.5", 4), ("3", "2", 4), ("1e-9", "1e-9", 3)], strict=True
    ):
        values = [Fraction(first) + i * Fraction(step) for i in range(count)]
        assert [Fraction(value) for value in axis.values] == values  # type: ignore[arg-type]
        assert all(isinstance(v, int) == (Fraction(v).denominator == 1) for v in axis.values)  # type: ignore[arg-type]
        assert all(v * axis.denominator % 1 == 0 for v in values)


def test_an_axis_and_an_override_of_one_parameter_are_refused(project: Project) -> None:
    path = project.write("specs/net.yaml", TEXT.format(**USUAL))
    changes = Overrides(None, {"ratio": "2"})
    with pytest.raises(SpecError, match="the axis `ratio` sets what `--set ratio="):
        begin_sweep(
            str(path), ["ratio=1,2"], folder=project.root, overrides=changes, measures=("params",)
        )


def test_rows_with_errors_are_told_with_the_first(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("specs/net.yaml", TEXT.format(**USUAL))
    monkeypatch.chdir(project.root)
    command = ["flops", "specs/net.yaml", "--sweep", "table1.first.l=4,7,8,9"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "2 rows have an error; the first, table1.first.l=7: E306, 4 groups do not" in shown
    assert "the budget also bounds memory, which a sweep does not judge" in shown
    assert main([*command, "--best", "largest", "--format", "json", "--plot", "plot.svg"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["values"] for row in document["best"]] == [{"table1.first.l": "4"}]
    assert "wrong" in document and document["wrong"] == 2
    assert Path("plot.svg").read_text().startswith("<svg")


def test_a_plot_shows_the_costs_that_are_asked_for(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("specs/net.yaml", TEXT.format(**{**USUAL, "width": 4}))
    monkeypatch.chdir(project.root)
    command = ["flops", "specs/net.yaml", "--sweep", "classes=1:9", "--plot", "plot.svg"]
    for options, across, up in (
        (["--columns", "params,flops"], "FLOPs", "params"),
        (["--best", "pareto=params,activations"], "params", "activations"),
        (["--columns", "flops", "--best", "largest=macs"], "MACs", "FLOPs"),
    ):
        assert main([*command, *options]) == 0
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", Path("plot.svg").read_text())
        assert texts[-1] == up
        assert across in texts
        has_marks = "within all bounds" in " ".join(texts)
        assert has_marks is ("--best" in options)
        assert "1.3M" not in " ".join(texts)  # a bound that no row is near
        ticks = [text for text in texts if re.fullmatch(r"[0-9.]+[KMG]?", text)]
        assert len(set(ticks)) == len(ticks)
    assert main([*command, "--columns", "params", "--within", "params >= 10.5K"]) == 2
    assert "`--plot` draws two costs" in capsys.readouterr().err
    assert main([*command, "--within", "params >= 19.8K"]) == 0
    assert "bound: params &lt;= 20K, params &gt;= 19.8K" in Path("plot.svg").read_text()


def test_without_numpy_a_sweep_names_the_extra(project: Project) -> None:
    project.write("specs/net.yaml", TEXT.format(**USUAL))
    program = "import sys; sys.modules['numpy'] = None\nfrom inception_dsl.cli import main\n"
    program += "sys.exit(main(['flops', 'specs/net.yaml', '--sweep', 'ratio=1,2']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs numpy, which is not installed" in done.stderr
    assert "pip install 'inception-dsl[sweep]'" in done.stderr
