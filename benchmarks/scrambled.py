"""The large run of tests/torch/test_scrambling.py: imports of networks whose code is scrambled.

    python benchmarks/scrambled.py --count 1000 --seed 1
    python benchmarks/scrambled.py --wired

Random specs are emitted and scrambled, and their modules are imported. The run counts those that
are imported, refused with each cause, and wrong; a wrong one fails the run. A network that the
scrambler changes is no trial, and neither is a random spec with an error: both are counted apart.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "fuzz"), str(ROOT / "tests" / "torch")]

import torch  # noqa: E402
from hypothesis import given, seed, settings  # noqa: E402
from random_specs import QUICK, specs, wired_specs  # noqa: E402
from random_steps import Spec  # noqa: E402
from scrambled_imports import ScramblingFaultError, import_scrambled  # noqa: E402

from inception_dsl.driver.importing import ImportFaultError  # noqa: E402
from inception_dsl.driver.judged import JudgedError  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description="The large run of scrambled imports.")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wired", action="store_true", help="networks with several outputs")
    parser.add_argument("--show", type=int, help="print the code and the spec of one trial")
    given_options = parser.parse_args()
    torch.set_num_threads(1)
    outcomes, causes = Counter[str](), Counter[str]()
    folder = Path(tempfile.mkdtemp())

    @seed(given_options.seed)
    @settings(QUICK, max_examples=given_options.count, derandomize=False)
    @given(wired_specs() if given_options.wired else specs())
    def run(spec: Spec) -> None:
        number = outcomes.total()
        try:
            trial = import_scrambled(spec, number, folder)
        except JudgedError as error:  # a step of the random spec is never there
            outcomes["no network"] += 1
            if given_options.show == number:
                print(error)
            return
        except ImportFaultError as error:
            print(f"{number}: {error}", flush=True)
            outcomes["wrong"] += 1
            return
        except ScramblingFaultError as error:
            fault, source = error.args
            print(f"{number}: {fault}", source if given_options.show == number else "", flush=True)
            outcomes["not scrambled"] += 1
            return
        if number == given_options.show:
            print(trial.source, trial.text, sep="\n")
        if trial.difference:
            print(f"{number}: {trial.difference}", flush=True)
        outcomes["wrong" if trial.difference else "refused" if trial.refusals else "imported"] += 1
        causes.update(message.partition(" in `")[0] for message in trial.refusals)

    run()
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    for cause, count in causes.most_common():
        print(f"{count:5}  {cause}")
    sys.exit(1 if outcomes["wrong"] else 0)


if __name__ == "__main__":
    main()
