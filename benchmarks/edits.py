"""Random single edits: the category that `diff` gives against the one that torch confirms.

    python benchmarks/edits.py --edits 400 --steps 2000 --seed 1

`--edits` are edits of random networks, `--steps` edits of one step of any op. Torch runs in double
precision, with several random weights, inputs and sizes. An edit that torch finds graver is a
fault, and the exit code is 1. One that torch finds less grave is listed with both specs' steps:
docs/diff.md says which of these are meant.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests", "tests/fuzz", "tests/torch"):
    sys.path.insert(0, str(ROOT / folder))

import torch  # noqa: E402
from conftest import Project  # noqa: E402
from hypothesis import given, seed, settings  # noqa: E402
from random_edits import edited  # noqa: E402
from random_specs import QUICK  # noqa: E402
from random_step_edits import draw_step_edit  # noqa: E402
from random_steps import Spec  # noqa: E402
from torch_category import judge  # noqa: E402


def draw_edits(count: int, number: int) -> Iterator[tuple[Spec, Spec, str]]:
    """Yield edits of random networks."""
    drawn: list[tuple[Spec, Spec, str]] = []

    @seed(number)
    @settings(QUICK, max_examples=max(count, 1), derandomize=False)
    @given(edited())
    def draw(pair: tuple[Spec, Spec, str]) -> None:
        drawn.append(pair)

    if count:
        draw()
    yield from drawn


def main() -> None:
    parser = argparse.ArgumentParser(description="Grades of random edits, held against torch.")
    parser.add_argument("--edits", type=int, default=400, help="edits of random networks")
    parser.add_argument("--steps", type=int, default=2000, help="edits of one step of any op")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the specs of edits that differ")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    counts = Counter[str]()
    steps = (draw_step_edit(asked.seed * asked.steps + index) for index in range(asked.steps))
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        (project.root / "pyproject.toml").touch()
        for old, new, what in chain(draw_edits(asked.edits, asked.seed), steps):
            verdict = judge(project, old.text(), new.text())
            counts[verdict] += 1
            if ":" not in verdict or verdict.startswith("refused"):
                continue
            print(f"{verdict}: {what}", flush=True)
            if asked.keep:
                asked.keep.mkdir(parents=True, exist_ok=True)
                for side, spec in (("old", old), ("new", new)):
                    name = f"{verdict.split(':')[0].replace(' ', '-')}-{counts.total()}-{side}.yaml"
                    (asked.keep / name).write_text(spec.text())
    for verdict, count in counts.most_common():
        print(f"{count:5} {verdict}")
    sys.exit(1 if any(verdict.startswith("milder") for verdict in counts) else 0)


if __name__ == "__main__":
    main()
