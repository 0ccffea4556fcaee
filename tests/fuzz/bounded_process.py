"""A process that checks many hostile inputs, each within bounds of memory and time.

    python bounded_process.py FIRST COUNT PROGRESS [--heavy]

`PROGRESS` is a file that always holds the number of the input that is looked at, so that one which
ends the process is known. Failures are printed, a line of JSON each.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from hostile_specs import MAIN, Hostile, heavy, hostile

from inception_dsl import driver
from inception_dsl.diagnostics import SpecError, render

MEMORY = 200 * 2**20
"""Bytes of address space that an input may take beyond what the process has."""
BUSY = 10
"""The factor by which an input may take longer than its work on a busy machine."""
UNIT = 0.05
"""Seconds that `unit` takes on the machine for which the seconds of the inputs are meant."""


def unit() -> float:
    """Return the processor time in seconds of a piece of work that is always the same."""
    start = time.process_time()
    sum(number % 7 for number in range(1_000_000))
    return time.process_time() - start


def slowness() -> float:
    """Return how many times slower this machine is at this moment than the one that is meant.

    A faster machine counts as that one: a bound is never smaller than what is written.
    """
    return max(1.0, unit() / UNIT)


class OutOfTimeError(BaseException):
    """No handler of the package's catches it."""


def _out_of_time(signum: int, frame: FrameType | None) -> None:
    raise OutOfTimeError


@contextlib.contextmanager
def bounds(seconds: float) -> Iterator[None]:
    """Bound the memory and the time of the code inside: processor time, and time by the clock."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, BUSY * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def write(root: Path, given: Hostile) -> None:
    """The files of an input, in a project of their own."""
    shutil.rmtree(root / "specs", ignore_errors=True)
    for name, data in given.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for name, target in given.links.items():
        (root / name).symlink_to(target)


def outcome(root: Path, given: Hostile) -> str:
    """`model`, `refused`, or what went wrong.

    A model is emitted, and what is emitted compiles; what is found in a spec is rendered.
    """
    seconds = given.seconds * slowness() if given.seconds > 1 else given.seconds
    try:
        with bounds(seconds):
            try:
                checked = driver.check(MAIN, folder=root)
                for artifact in driver.emit(checked, output=root / "generated").artifacts:
                    if artifact.path.suffix == ".py":
                        compile(artifact.text, "model.py", "exec")
            except SpecError as error:
                colourless = render(error.diagnostics)
                if not colourless.isprintable() and not _is_tame(colourless):
                    return "a control character reaches the terminal"
                render(error.diagnostics, colour=True)
                return "refused"
            return "model"
    except OutOfTimeError:
        return f"took more than {given.seconds:g} s"
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}, {last.name}"
        return f"{type(error).__name__} in {place}"


def _is_tame(text: str) -> bool:
    return not any(char in text for char in "\x00\x07\x08\x1b\x7f\x85\x9b\r\u202e\u2028\u2029")


def main() -> None:
    first, count, progress = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    giants = heavy() if "--heavy" in sys.argv else ()
    signal.signal(signal.SIGPROF, _out_of_time)
    signal.signal(signal.SIGALRM, _out_of_time)
    counts: dict[str, int] = {}
    slowest = 0.0
    marker = os.open(progress, os.O_WRONLY | os.O_CREAT)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "pyproject.toml").touch()
        warm_up(root)
        for number in range(first, first + count):
            os.pwrite(marker, f"{number:>20}".encode(), 0)
            given = giants[number] if giants else hostile(number)
            write(root, given)
            start = time.process_time()
            result = outcome(root, given)
            slowest = max(slowest, time.process_time() - start)
            key = result if result in {"model", "refused"} else "failed"
            counts[key] = counts.get(key, 0) + 1
            if result not in {"model", "refused"}:
                failure = {"number": number, "kind": given.kind, "what": result}
                print(json.dumps(failure), flush=True)
    print(json.dumps({"counts": counts, "slowest": round(slowest, 3)}), flush=True)


def warm_up(root: Path) -> None:
    """Imports what is imported on first use, which is no input's fault."""
    text = b"inception: 1\nname: main\ninput: 3x3x3\nnetwork: [1x1 conv (3)]\n"
    write(root, Hostile("warm up", {MAIN: text}))
    assert outcome(root, Hostile("warm up", {}, seconds=30.0)) == "model"
    write(root, Hostile("warm up", {MAIN: text.replace(b"conv", b"cnov")}))
    assert outcome(root, Hostile("warm up", {}, seconds=30.0)) == "refused"


if __name__ == "__main__":
    main()
