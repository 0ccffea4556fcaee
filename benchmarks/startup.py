"""Time commands from process start: beside torch's own flop counter, or beside another version.

All commands are run in turn, A B C A B C ..., so a slower machine slows all of them alike. Seconds
are those of the processor, user and system together, which other programs disturb least.

    python benchmarks/startup.py                    # needs the torch extra, for the comparison
    python benchmarks/startup.py --beside ../other  # a checkout with an environment in .venv
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FLOP_COUNTER = """
import torch
from torch.utils.flop_counter import FlopCounterMode
from generated.inception_v4.model import inception_v4
with torch.device("meta"):
    network = inception_v4().eval()
    images = torch.empty(1, 3, 299, 299)
with FlopCounterMode(display=False) as counter, torch.no_grad():
    network(images)
print(counter.get_total_flops() // 2)
"""

COMMANDS = {
    "flops": ["flops", "specs/inception_v4.yaml"],
    "check": ["check", "specs/inception_v4.yaml"],
    "build": ["build", "--check", "specs/inception_v4.yaml"],
    "diff": ["diff", "inception_v3", "torchvision/inception_v3"],
    "render": ["render", "inception_v4", "-o", "-"],
}


@dataclass(frozen=True)
class Run:
    """The seconds of a whole process, and its peak memory in megabytes."""

    seconds: float
    megabytes: float


def run(command: list[str], folder: Path) -> Run:
    """Run a process, which may also end with findings."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), command
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def run_in_turn(commands: dict[str, tuple[list[str], Path]], runs: int) -> dict[str, list[Run]]:
    """Return the runs of all commands; a first turn warms the caches and is not counted."""
    results: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, (command, folder) in commands.items():
            result = run(command, folder)
            if turn:
                results[name].append(result)
    return results


def compare(results: list[Run], others: list[Run]) -> float:
    """Return the median ratio of seconds, run by run."""
    return statistics.median(b.seconds / a.seconds for a, b in zip(results, others, strict=True))


def median(results: list[Run]) -> float:
    return statistics.median(result.seconds for result in results)


def beside_torch(runs: int) -> None:
    commands = {
        name: ([sys.executable, "-m", "inception_dsl", *words], ROOT)
        for name, words in COMMANDS.items()
    }
    counter = "torch.utils.flop_counter"
    commands[counter] = ([sys.executable, "-c", FLOP_COUNTER], ROOT)
    results = run_in_turn(commands, runs)
    print(f"{'command':<26}{'median s':>9}{'MB':>8}{'times less':>12}")
    for name, own in results.items():
        megabytes = max(result.megabytes for result in own)
        ratio = compare(own, results[counter])
        print(f"{name:<26}{median(own):>9.3f}{megabytes:>8.1f}{ratio:>12.1f}")


def beside_checkout(other: Path, runs: int) -> None:
    commands = {}
    for name, words in COMMANDS.items():
        for version, folder in (("other", other), ("this", ROOT)):
            python = str(folder / ".venv" / "bin" / "python")
            commands[f"{name} {version}"] = ([python, "-m", "inception_dsl", *words], folder)
    results = run_in_turn(commands, runs)
    print(f"{'command':<10}{'other s':>9}{'this s':>9}{'ratio':>8}")
    for name in COMMANDS:
        old, new = results[f"{name} other"], results[f"{name} this"]
        print(f"{name:<10}{median(old):>9.3f}{median(new):>9.3f}{compare(old, new):>8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole-process times, interleaved.")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    args = parser.parse_args()
    if args.beside is None:
        beside_torch(args.runs)
    else:
        beside_checkout(args.beside.resolve(), args.runs)


if __name__ == "__main__":
    main()
