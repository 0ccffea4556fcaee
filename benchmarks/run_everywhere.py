"""Every network of this project, run in every way that PyTorch runs modules.

    python benchmarks/run_everywhere.py                     # all, at their own inputs: hours
    python benchmarks/run_everywhere.py vgg16 --ways export onnx

tests/torch/test_running.py does the same for two networks. `inductor` needs a C++ compiler.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "torch"))

from ways_to_run import WAYS, compiled_inductor, network  # noqa: E402

from inception_dsl import driver  # noqa: E402

ALL = {**WAYS, "inductor": compiled_inductor}


def main() -> None:
    parser = argparse.ArgumentParser(description="Every network in every way.")
    parser.add_argument("names", nargs="*", default=driver.list_specs(ROOT))
    parser.add_argument("--ways", nargs="+", choices=list(ALL), default=list(ALL))
    given = parser.parse_args()
    warnings.simplefilter("error")
    failed = 0
    for way in given.ways:
        for name in given.names:
            start = time.monotonic()
            try:
                ALL[way](network(name))
                outcome = "ran"
            except Exception as error:
                failed += 1
                outcome = f"FAILED: {type(error).__name__}: {error}"
            print(f"{way:<14}{name:<36}{time.monotonic() - start:>7.1f} s  {outcome}", flush=True)
    print(f"{len(given.names)} networks, {len(given.ways)} ways, {failed} failures")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
