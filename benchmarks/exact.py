"""The large run of tests/torch's random cases: operations by value, and whole random networks.

    python benchmarks/exact.py --operations 1000 --networks 1000 --seed 1

An example of operations is a spec of a dozen steps or more, each of which is a case.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests", "tests/fuzz", "tests/torch"):
    sys.path.insert(0, str(ROOT / folder))

import torch  # noqa: E402
from conftest import Project  # noqa: E402
from hypothesis import given, seed, settings  # noqa: E402
from hypothesis.strategies import SearchStrategy  # noqa: E402
from random_operations import operations  # noqa: E402
from random_specs import QUICK, specs  # noqa: E402
from test_networks import hold_against_the_graph  # noqa: E402
from test_operations import emit, hold_against_formulas  # noqa: E402


def hunt(
    what: str,
    cases: SearchStrategy[Any],
    hold: Callable[[Any, Project, int], Counter[str]],
    examples: int,
    number: int,
) -> bool:
    """Hold a claim against random examples; print failures, and return whether none occurred."""
    counts, faults, start = Counter[str](), Counter[str](), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        (project.root / "pyproject.toml").touch()

        @seed(number)
        @settings(QUICK, max_examples=examples, derandomize=False)
        @given(cases)
        def claim(drawn: Any) -> None:
            counts["examples"] += 1
            try:
                counts.update(hold(drawn, project, number + counts["examples"]))
            except Exception as error:
                message = f"{type(error).__name__}: {error}".splitlines()[0]
                if message not in faults:
                    print(f"{message}\n{drawn!r}")
                faults[message] += 1

        claim()
    ran = counts.pop("examples")
    took = time.monotonic() - start
    print(f"{what}: {ran:,} specs, {counts.total():,} cases, {faults.total()} failed, {took:.0f} s")
    print(f"  {dict(counts.most_common())}")
    return not faults


def network_holds(drawn: Any, project: Project, number: int) -> Counter[str]:
    """Compare a random network with its flat graph, and return one case."""
    hold_against_the_graph(drawn, project)
    return Counter(["network"])


def operations_hold(drawn: Any, project: Project, number: int) -> Counter[str]:
    """Return the cases of a random spec; images and weights follow from the number."""
    each = emit(drawn, project)
    return hold_against_formulas(each, each.source, seed=number)


def main() -> None:
    parser = argparse.ArgumentParser(description="The large run of random cases.")
    parser.add_argument("--operations", type=int, default=1000, help="specs of operations")
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    fine = True
    if asked.operations:
        fine &= hunt("operations", operations(), operations_hold, asked.operations, asked.seed)
    if asked.networks:
        fine &= hunt("networks", specs(), network_holds, asked.networks, asked.seed)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
