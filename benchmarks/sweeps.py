"""The large run of tests/symbolic: all networks and random ones, at random points and on grids.

    python benchmarks/sweeps.py --networks 300 --seed 1

Polynomials are held against counts at other parameters and inputs, and rows of sweeps against
counts with the values of the row. At the end a million rows of Inception-v4 are counted, by the
clock.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests", "tests/fuzz", "tests/symbolic"):
    sys.path.insert(0, str(ROOT / folder))

from hypothesis import given, seed, settings  # noqa: E402
from random_specs import QUICK, specs, wired_specs  # noqa: E402
from random_steps import Spec  # noqa: E402
from test_symbolic_costs import compare  # noqa: E402

from inception_dsl import driver  # noqa: E402
from inception_dsl.analysis.symbolic import SYMBOLIC_MEASURES  # noqa: E402
from inception_dsl.analysis.wishes import Wish  # noqa: E402
from inception_dsl.diagnostics import SpecError  # noqa: E402
from inception_dsl.driver.references import find_network  # noqa: E402
from inception_dsl.driver.sweep_grid import collect_best  # noqa: E402
from inception_dsl.driver.sweeping import begin_sweep  # noqa: E402
from inception_dsl.driver.walk import read_model  # noqa: E402
from inception_dsl.resolve import AS_WRITTEN, Overrides, Template  # noqa: E402

MAX_CHECKED = 25
"""Maximum number of rows of a grid that are counted one by one."""


def draw_axes(template: Template, random: Random) -> dict[str, list[int]]:
    """Return an axis for each parameter that is a number, and for each input."""
    axes: dict[str, list[int]] = {}
    for name, value in template.arguments.items():
        if isinstance(value, int):
            axes[name] = list(dict.fromkeys([value, random.randint(1, 40), random.randint(1, 200)]))
    for name in template.inputs:
        axes[name or "input"] = list(dict.fromkeys(random.choices(range(1, 40), k=4)))
    return axes


def hold_rows(path: Path, random: Random) -> Counter[str]:
    """Hold the rows of a random grid of a spec against counts with their values.

    Raises:
        AssertionError: a row has other costs, or another error.
    """
    folder = path.parent
    _, template, _ = read_model(find_network(str(path), folder), AS_WRITTEN)
    axes = draw_axes(template, random)
    texts = [f"{name}={','.join(map(str, values))}" for name, values in axes.items()]
    sweep = begin_sweep(
        str(path), texts, folder=folder, overrides=AS_WRITTEN, measures=SYMBOLIC_MEASURES
    )
    rows: list[tuple[int, ...] | str] = []
    for chunk in sweep.run():
        for index, piece in enumerate(chunk.pieces):
            finding = sweep.pieces[piece].finding
            costs = tuple(int(column[index]) for column in chunk.costs)
            rows.append(costs if finding is None else finding.code)
    counts = Counter(grids=1, rows=len(rows), pieces=len(sweep.pieces))
    pairs = list(zip(rows, itertools.product(*axes.values()), strict=True))
    for row, values in random.sample(pairs, min(MAX_CHECKED, len(pairs))):
        expected = count(path, template, dict(zip(axes, values, strict=True)))
        if expected == "E106":  # `--input` refuses what looks as if channels came first
            continue
        assert row == expected, (path.read_text(), axes, values, row, expected)
        counts["rows with an error" if isinstance(row, str) else "rows with costs"] += 1
    return counts


def count(path: Path, template: Template, values: dict[str, int]) -> tuple[int, ...] | str:
    """Return the costs of a spec with these values, or the code of its first error."""
    shapes = {
        name: f"{values[name or 'input']}x{values[name or 'input']}x{type.channels}"
        for name, type in template.inputs.items()
    }
    params = {n: str(value) for n, value in values.items() if n in template.arguments}
    changes = Overrides(shapes[""] if set(shapes) == {""} else shapes, params)
    try:
        totals = driver.measure(str(path), folder=path.parent, overrides=changes).cost.totals
    except SpecError as error:
        return error.diagnostics[0].code
    return tuple(getattr(totals, measure) for measure in SYMBOLIC_MEASURES)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random = Random(args.seed)
    counts = Counter[str]()
    for name in driver.list_known_specs(ROOT):
        try:
            counts["points of networks"] += compare(name, ROOT, random, 4)
        except driver.LibraryError:
            continue

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "net.yaml"

        @seed(args.seed)
        @settings(QUICK, max_examples=args.networks, derandomize=False)
        @given(specs() | wired_specs())
        def check(spec: Spec) -> None:
            path.write_text(spec.text())
            counts["points of random networks"] += compare(str(path), path.parent, random, 2)
            counts.update(hold_rows(path, random))

        check()
    for what, number in counts.items():
        print(f"{number:8,} {what}")

    axes = ["reduction_a.k=128:320:2,reduction_a.l=128:320:2,reduction_a.m=128:340:2"]
    start = time.perf_counter()
    sweep = begin_sweep(
        "inception_v4", axes, folder=ROOT, overrides=AS_WRITTEN, measures=("params", "macs")
    )
    best = collect_best(sweep, Wish("pareto", "macs", "params"))
    assert best is not None
    taken = time.perf_counter() - start
    print(f"{sweep.rows:,} rows, {len(best.rows):,} on the Pareto front: {taken:.2f} s")


if __name__ == "__main__":
    main()
