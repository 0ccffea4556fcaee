"""The growth of time and memory with the number of steps, in whole processes.

    python benchmarks/growth.py --steps 1000 3000 10000

Every step is written out on a line of its own, in nested branches whose widths differ; nothing is
repeated. For each size it prints the processor's seconds and the megabytes of the fastest run.
Other work on the machine does not change the processor's seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

HEAD = """\
inception: 1
name: grown
input: 64x64x3
defaults: {conv: {norm: batchnorm, act: relu}}
network:
"""
MODULE = """\
  - m{index}:
      branches:
        pool:
          - 3x3 avgpool
          - 1x1 conv ({a})
        b3x3:
          - 1x1 conv ({b})
          - 3x3 conv ({c})
        nested:
          - 1x1 conv ({d})
          - branches:
              left:
                - 1x3 conv ({e})
                - 3x3 conv ({a})
              right:
                - 3x1 conv ({f})
                - 3x3 conv ({b})
"""
STEPS_PER_MODULE = 9


def spec(steps: int) -> str:
    """Return a spec of about `steps` steps."""
    modules = []
    for index in range(steps // STEPS_PER_MODULE):
        widths = {name: 8 + (index * (7 + 2 * place)) % 57 for place, name in enumerate("abcdef")}
        modules.append(MODULE.format(index=index, **widths))
    return HEAD + "".join(modules)


def run(arguments: list[str]) -> tuple[float, float]:
    """Return the processor's seconds and the megabytes of a process."""
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "inception_dsl", *arguments],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, arguments
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print a row for each command and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--build", action="store_true", help="emit modules as well")
    args = parser.parse_args()
    print(f"{'steps':>8}  {'command':<8}  {'seconds':>8}  {'us/step':>8}  {'MB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grown.yaml"
        for steps in args.steps:
            path.write_text(spec(steps))
            commands = [["check", str(path)], ["flops", str(path)]]
            if args.build:
                commands.append(["build", str(path), "-o", folder])
            for command in commands:
                seconds, megabytes = min(run(command) for _ in range(args.runs))
                each = 1e6 * seconds / steps
                print(
                    f"{steps:>8}  {command[0]:<8}  {seconds:>8.2f}  {each:>8.0f}  {megabytes:>7.0f}"
                )


if __name__ == "__main__":
    main()
