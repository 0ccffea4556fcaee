"""Time figures: all of Inception-v4 from process start, and every op of a large network.

python benchmarks/figures.py
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ALL_OF_ONE = """
from pathlib import Path
from inception_dsl import driver
from inception_dsl.emit.figure import Request, render_figure
checked = driver.measure("inception_v4", folder=Path.cwd())
requests = [Request(detail) for detail in ("schema", "poster", "full")]
requests += [Request("blocks", block.name) for block in checked.model.blocks[:-1]]
for request in requests:
    render_figure(checked.model, checked.cost, request)
"""

LARGE = """\
inception: 1
name: large
input: 32x32x64
blocks:
  cell:
    residual: {act: relu}
    steps:
      - branches:
          a: 1x1 conv (32)
          b: [1x1 conv (32), 3x3 conv (32)]
          c: [1x1 conv (32), 3x3 conv (32), 3x3 conv (32)]
      - 1x1 conv (in linear)
network: 1111 x cell
"""
"""A network of 9,999 ops."""


def seconds(command: list[str], folder: Path) -> float:
    """Return the wall-clock seconds of one whole process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole-process times of drawing.")
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "large.yaml").write_text(LARGE)
        full = ["render", "large.yaml", "--detail", "full"]
        commands = {
            "every figure of Inception-v4": ([sys.executable, "-c", ALL_OF_ONE], ROOT),
            "9,999 ops in one figure": ([sys.executable, "-m", "inception_dsl", *full], folder),
        }
        print(f"{'what':<32}{'median s':>9}{'min s':>8}{'max s':>8}")
        for what, (command, where) in commands.items():
            own = [seconds(command, where) for _ in range(runs + 1)][1:]
            print(f"{what:<32}{statistics.median(own):>9.3f}{min(own):>8.3f}{max(own):>8.3f}")


if __name__ == "__main__":
    main()
