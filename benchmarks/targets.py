"""Time `flops` of a target from process start, beside importing its library and building it.

Both commands are run in turn, A B A B ..., so a slower machine slows both alike. Seconds are those
of the processor, user and system together. The ratio is that of the medians.

    python benchmarks/targets.py
    python benchmarks/targets.py --rounds 9 timm:resnet50
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

BUILDS = {
    "timm": "import timm; timm.create_model({name!r})",
    "torchvision": "import torchvision; torchvision.models.get_model({name!r})",
}


def measure(command: list[str]) -> float:
    """Run a command, and return the seconds that it takes of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the seconds of both commands, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", default="timm:inception_v4")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    library, _, name = args.target.partition(":")
    build = [sys.executable, "-c", BUILDS[library].format(name=name)]
    flops = [sys.executable, "-m", "inception_dsl", "flops", args.target]
    for command in (build, flops):  # the first run reads the files
        measure(command)
    pairs = [(measure(build), measure(flops)) for _ in range(args.rounds)]
    builds, counts = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{args.target}: build {builds:.2f} s, flops {counts:.2f} s, ratio {counts / builds:.2f}")


if __name__ == "__main__":
    main()
