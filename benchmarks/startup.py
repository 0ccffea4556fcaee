"""Time `flops` and `check` from process start, beside torch's own flop counter.

All commands are run in turn, A B C A B C ..., so a slower machine slows all of them alike.

    python benchmarks/startup.py            # needs the torch extra, for the comparison
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
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
    "flops": [sys.executable, "-m", "inception_dsl", "flops", "specs/inception_v4.yaml"],
    "check": [sys.executable, "-m", "inception_dsl", "check", "specs/inception_v4.yaml"],
    "torch.utils.flop_counter": [sys.executable, "-c", FLOP_COUNTER],
}


def seconds(command: list[str]) -> float:
    """Return the wall-clock seconds of one whole process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole-process times, interleaved.")
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(runs + 1):
        for name, command in COMMANDS.items():
            taken = seconds(command)
            if turn:  # the first turn warms the caches
                times[name].append(taken)
    slow = times["torch.utils.flop_counter"]
    print(f"{'command':<26}{'median s':>9}{'min s':>8}{'max s':>8}{'times less':>12}")
    for name, own in times.items():
        ratio = statistics.median(b / a for a, b in zip(own, slow, strict=True))
        row = f"{statistics.median(own):>9.3f}{min(own):>8.3f}{max(own):>8.3f}{ratio:>12.1f}"
        print(f"{name:<26}{row}")


if __name__ == "__main__":
    main()
