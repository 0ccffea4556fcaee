"""The large run of tests/figure's random trees: nothing overlaps, and graphs become their trees.

python benchmarks/layout.py --trees 1000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
for folder in ("tests/figure", "tests/fuzz"):
    sys.path.insert(0, str(ROOT / folder))

from hypothesis import given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from random_specs import QUICK  # noqa: E402
from random_trees import (  # noqa: E402
    assert_is_decomposed_into_itself,
    assert_nothing_overlaps,
    assert_nothing_overlaps_in_columns,
    styles,
    trees,
)

CLAIMS: dict[str, tuple[tuple[st.SearchStrategy[Any], ...], Callable[..., None]]] = {
    "alone": ((trees(3), styles), assert_nothing_overlaps),
    "in columns": ((trees(3), styles, st.integers(2, 4)), assert_nothing_overlaps_in_columns),
    "decomposed": ((trees(3),), assert_is_decomposed_into_itself),
}


def count_failures(
    cases: tuple[st.SearchStrategy[Any], ...],
    hold: Callable[..., None],
    examples: int,
    number: int,
) -> int:
    """Hold a claim against random trees; print each new failure and return their number."""
    messages: list[str] = []

    @seed(number)
    @settings(QUICK, max_examples=examples, derandomize=False)
    @given(st.tuples(*cases))
    def claim(drawn: tuple[Any, ...]) -> None:
        try:
            hold(*drawn)
        except Exception as error:
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            if message not in messages:
                print(f"{message}\n{drawn!r}")
            messages.append(message)

    claim()
    return len(messages)


def main() -> None:
    parser = argparse.ArgumentParser(description="The large run of random trees.")
    parser.add_argument("--trees", type=int, default=1000, help="trees for each claim")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    for name, (cases, hold) in CLAIMS.items():
        start = time.monotonic()
        failures = count_failures(cases, hold, arguments.trees, arguments.seed)
        took = time.monotonic() - start
        print(f"{name}: {arguments.trees:,} trees, {failures} failed, {took:.0f} s")
        failed += failures
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
