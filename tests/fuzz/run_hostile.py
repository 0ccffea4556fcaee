"""Many hostile inputs over several processes; a process that dies is a failure, and is replaced."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

LIMITS = Path(__file__).with_name("bounded_process.py")
PATIENCE = 60.0
"""Seconds after which a process that does not come to the next input is ended."""


@dataclass
class Hunt:
    """The outcomes of the inputs; each failure names the number of its input."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def total(self) -> int:
        """The inputs that were looked at."""
        return sum(self.counts.values())

    def signatures(self) -> Counter[str]:
        """Count the failures of each kind, over all inputs."""
        return Counter(failure.partition(": ")[2] for failure in self.failures)


def hunt(
    first: int,
    count: int,
    *,
    processes: int = 2,
    chunk: int = 2500,
    heavy: bool = False,
    progress: Callable[[Hunt], None] | None = None,
) -> Hunt:
    """Run inputs by number, in chunks that processes take in turn, and return the outcomes."""
    result = Hunt()
    lock = threading.Lock()

    def work(start: int) -> None:
        part = _chunk(start, min(chunk, first + count - start), heavy=heavy)
        with lock:
            result.counts += part.counts
            result.failures += part.failures
            result.slowest = max(result.slowest, part.slowest)
            if progress is not None:
                progress(result)

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(work, range(first, first + count, chunk)))
    return result


def _chunk(first: int, count: int, *, heavy: bool) -> Hunt:
    result = Hunt()
    end = first + count
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "progress"
        while first < end:
            died = _process(first, end - first, marker, heavy, result)
            if died is None:
                break
            number, how = died
            result.counts[how] += 1
            result.failures.append(f"input {number}: {how}")
            first = number + 1
    return result


def _process(
    first: int, count: int, marker: Path, heavy: bool, result: Hunt
) -> tuple[int, str] | None:
    """One process; the number of the input that ended it and how, or None if it came through."""
    command = [sys.executable, str(LIMITS), str(first), str(count), str(marker)]
    marker.write_text(f"{first:>20}")
    log, errors = marker.with_name("log"), marker.with_name("errors")
    with log.open("w") as output, errors.open("w") as trouble:
        process = subprocess.Popen(
            [*command, "--heavy"] if heavy else command, stdout=output, stderr=trouble
        )
        seen, since = "", time.monotonic()
        while process.poll() is None:
            time.sleep(0.05)
            if (at := marker.read_text()) != seen:
                seen, since = at, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                process.kill()
                process.wait()
                break
    for line in log.read_text().splitlines():
        said = json.loads(line)
        if "counts" in said:
            result.counts.update(said["counts"])
            result.slowest = max(result.slowest, said["slowest"])
        else:
            result.failures.append(f"input {said['number']}: {said['kind']}: {said['what']}")
    if process.returncode == 0:
        return None
    how = f"the process ended with {process.returncode}: {errors.read_text()[-400:].strip()}"
    return int(marker.read_text()), how
