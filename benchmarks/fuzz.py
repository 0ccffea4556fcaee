"""The large run of the tests in tests/fuzz: hostile inputs, and mutations of shipped specs.

    python benchmarks/fuzz.py --inputs 1000000 --mutations 1000

Inputs follow from their numbers: `--first` continues an earlier run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "fuzz"))

from hostile_specs import heavy  # noqa: E402
from judge_mutations import Tally, copy_specs, judge  # noqa: E402
from mutations import SPECS  # noqa: E402
from run_hostile import Hunt, hunt  # noqa: E402


def run_inputs(first: int, count: int, processes: int) -> bool:
    """Check hostile inputs, and return whether all passed."""
    start = time.monotonic()
    known: set[str] = set()

    def progress(part: Hunt) -> None:
        for failure in part.failures:
            if (signature := failure.partition(": ")[2]) not in known:
                known.add(signature)
                print(f"\r{failure}")
        rate = part.total / (time.monotonic() - start)
        failed = len(part.failures)
        print(f"\r{part.total:,} inputs, {failed} failures, {rate:,.0f} a second", end="")
        sys.stdout.flush()

    found = hunt(first, count, processes=processes, chunk=5000, progress=progress)
    giants = hunt(0, len(heavy()), processes=1, heavy=True)
    for hunted in (found, giants):
        print(f"\n{hunted.total:,} inputs: {dict(hunted.counts)}, slowest {hunted.slowest:.2f} s")
        firsts = {failure.partition(": ")[2]: failure for failure in reversed(hunted.failures)}
        for signature, times in hunted.signatures().most_common():
            print(f"  {times} times, first at {firsts[signature]}")
    return not (found.failures or giants.failures)


def run_mutations(count: int, seed: int, *, verbose: bool) -> bool:
    """Check mutations of every shipped spec, and return whether all passed."""
    total = Tally()
    for spec in SPECS:
        with tempfile.TemporaryDirectory() as folder:
            copy_specs(Path(folder))
            tally = judge(spec, count, Path(folder), seed)
        print(f"{spec}: {tally}")
        total += tally
    print(f"all: {total}")
    for fault in (*total.faults, *total.unmended):
        print(fault)
    if verbose:
        print("\n".join(total.misses))
    return not (total.faults or total.unmended) and total.rate >= 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description="The large run of tests/fuzz.")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mutations", type=int, default=1000, help="mutations of each spec")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations")
    parser.add_argument("--misses", action="store_true", help="print the mutations no label covers")
    given = parser.parse_args()
    fine = run_mutations(given.mutations, given.seed, verbose=given.misses)
    fine &= run_inputs(given.first, given.inputs, given.processes)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
