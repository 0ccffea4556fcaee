"""Random single edits: the category that `diff` gives against the one that torch confirms.

    python benchmarks/edits.py --edits 400 --seed 1

Torch runs in double precision, with several random weights, inputs and sizes. An edit that torch
finds graver is a fault, and the exit code is 1. One that torch finds less grave is listed with both
specs' steps: docs/diff.md says which of these are meant.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests", "tests/fuzz", "tests/torch"):
    sys.path.insert(0, str(ROOT / folder))

import torch  # noqa: E402
from conftest import Project  # noqa: E402
from hypothesis import given, seed, settings  # noqa: E402
from random_edits import edited  # noqa: E402
from random_specs import QUICK, Spec  # noqa: E402
from torch_category import (  # noqa: E402
    GRAVITY,
    edits_between,
    is_same_at_other_sizes,
    torchs_category,
)

from inception_dsl.diagnostics import SpecError  # noqa: E402
from inception_dsl.diff import StepCategory  # noqa: E402


def judge(project: Project, old: str, new: str) -> str:
    """The verdict on an edit: `diff` and torch agree, or one of them finds it graver."""
    if old == new:
        return "nothing edited"
    try:
        edits = edits_between(project, old, new)
        confirmed = torchs_category(project, weights=3)
    except SpecError as error:
        return f"refused: {error.diagnostics[0].code}"
    grades: list[StepCategory] = [edit.category for edit in edits]
    told: StepCategory = min(grades, key=GRAVITY.index, default="COSMETIC")
    if told == "NUMERICS" and all(e.elsewhere for e in edits if e.category == told):
        if confirmed == "NUMERICS":
            return "milder: told of other sizes only, torch sees it at this one"
        confirmed = "NUMERICS" if not is_same_at_other_sizes(project) else confirmed
    if told == confirmed:
        return "as told"
    verdict = "graver" if GRAVITY.index(told) < GRAVITY.index(confirmed) else "milder"
    return f"{verdict}: {told}, torch says {confirmed}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Grades of random edits, held against torch.")
    parser.add_argument("--edits", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the specs of edits that differ")
    given_arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    counts = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        (project.root / "pyproject.toml").touch()

        @seed(given_arguments.seed)
        @settings(QUICK, max_examples=given_arguments.edits, derandomize=False)
        @given(edited())
        def claim(pair: tuple[Spec, Spec, str]) -> None:
            verdict = judge(project, pair[0].text(), pair[1].text())
            counts[verdict] += 1
            if ":" in verdict and not verdict.startswith("refused"):
                print(f"{verdict}: {pair[2]}", flush=True)
                if given_arguments.keep:
                    number = counts.total()
                    given_arguments.keep.mkdir(parents=True, exist_ok=True)
                    for side, spec in zip(("old", "new"), pair[:2], strict=True):
                        name = f"{verdict.split(':')[0].replace(' ', '-')}-{number}-{side}.yaml"
                        (given_arguments.keep / name).write_text(spec.text())

        claim()
    for verdict, count in counts.most_common():
        print(f"{count:5} {verdict}")
    sys.exit(1 if any(verdict.startswith("milder") for verdict in counts) else 0)


if __name__ == "__main__":
    main()
