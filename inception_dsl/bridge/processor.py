"""The rates of the processor at hand: a product of matrices and a copy, by torch, else by numpy.

The figures are those of this machine at this moment: another run gives others. Nothing that is
generated holds them.

Units: FLOPs per second, bytes per second, bytes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from inception_dsl.analysis.devices import NUMBER_BYTES, Device
from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError

MIN_SIDE, MAX_SIDE = 512, 4_096
"""The sides of the matrices that are multiplied: as large as the time allows."""

COPIED_BYTES = 200_000_000
"""The bytes of the array that is copied: more than caches hold."""

PRODUCT_SECONDS, COPY_SECONDS = 0.7, 0.4
"""The time for which products and copies are repeated."""

_CGROUP = Path("/sys/fs/cgroup/memory.max")
"""The file in which Linux tells the memory that a container may have."""


class _Library(NamedTuple):
    """A library that computes.

    Attributes:
        name: its name and version.
        threads: the number of threads that it runs; None if it does not tell.
        make: makes a matrix of ones of a side, of a type of numbers.
        multiply: multiplies two matrices into a third one.
        copy: copies a matrix into another one.
    """

    name: str
    threads: int | None
    make: Callable[[int, int, str], Any]
    multiply: Callable[[Any, Any, Any], object]
    copy: Callable[[Any, Any], object]


Clock = Callable[[], float]
"""A function that returns a time in seconds."""


def measure_processor(dtype: str, *, clock: Clock = time.perf_counter) -> Device:
    """Measure the processor in about a second: its peak rate for some numbers, and its bandwidth.

    Args:
        dtype: the type of numbers that are multiplied, besides those of float32.
        clock: the clock that counts.

    Raises:
        SpecError: E014, the library cannot multiply numbers of the type; E012, the system does not
            tell its memory.
        MissingExtraError: neither torch nor numpy is installed.
    """
    library = _find_library()
    rates: dict[str, int] = {}
    sides: dict[str, int] = {}
    for each in dict.fromkeys(("float32", dtype)):
        try:
            rates[each], sides[each] = _measure_rate(library, each, clock)
        except (RuntimeError, TypeError, AttributeError):
            message = f"{library.name} multiplies no matrices of {dtype} on this processor"
            help = "name float32 or float64 with `--dtype`"
            raise SpecError([Diagnostic("E014", message, help=help)]) from None
    bandwidth = _measure_bandwidth(library, clock)
    side = sides[dtype]
    how = f"products of {side:,} x {side:,} matrices and copies of {COPIED_BYTES // 10**6} MB"
    threads = "" if library.threads is None else f", {library.threads} threads"
    return Device(
        name="cpu",
        title=f"this processor{threads}",
        rates=rates,
        bandwidth=bandwidth,
        memory=_find_memory(),
        source=f"measured with {library.name} by {how}, the fastest of each",
        is_measured=True,
    )


def _find_library() -> _Library:
    if find_spec("torch") is not None:
        import torch

        return _Library(
            f"torch {torch.__version__.partition('+')[0]}",
            torch.get_num_threads(),
            lambda rows, columns, dtype: torch.ones(rows, columns, dtype=getattr(torch, dtype)),
            lambda left, right, product: torch.mm(left, right, out=product),
            lambda old, new: new.copy_(old),
        )
    try:
        import numpy as np
    except ModuleNotFoundError:
        raise MissingExtraError("`--device cpu`", "torch or numpy", "sweep") from None
    return _Library(
        f"numpy {np.__version__}",
        None,
        # By name, a type of another package would do, too, and be multiplied one by one.
        lambda rows, columns, dtype: np.ones((rows, columns), dtype=getattr(np, dtype)),
        lambda left, right, product: np.matmul(left, right, out=product),
        lambda old, new: np.copyto(new, old),
    )


def _measure_rate(library: _Library, dtype: str, clock: Clock) -> tuple[int, int]:
    """Return the largest rate of products of matrices, and the side of the last of them."""
    best, end, side = 0.0, time.perf_counter() + PRODUCT_SECONDS, MIN_SIDE
    matrices = [library.make(side, side, dtype) for _ in range(3)]
    while True:
        best = max(best, 2 * side**3 / _time(lambda: library.multiply(*matrices), clock))  # noqa: B023
        left = end - time.perf_counter()
        if left <= 0:
            return _round(best), side
        # Larger matrices reach more of the peak, as long as several products are possible.
        if side < MAX_SIDE and 4 * 2 * (2 * side) ** 3 / best < left:
            side *= 2
            matrices = [library.make(side, side, dtype) for _ in range(3)]


def _round(rate: float) -> int:
    """Return a rate with three digits that count."""
    return max(1, round(float(f"{rate:.3g}")))


def _measure_bandwidth(library: _Library, clock: Clock) -> int:
    """Return the largest rate of copies, whose bytes are read once and written once."""
    size = NUMBER_BYTES["float32"]
    old, new = (library.make(COPIED_BYTES // size // 1_000, 1_000, "float32") for _ in range(2))
    best, end = 0.0, time.perf_counter() + COPY_SECONDS
    while not best or time.perf_counter() < end:
        best = max(best, 2 * COPIED_BYTES / _time(lambda: library.copy(old, new), clock))
    return _round(best)


def _time(run: Callable[[], object], clock: Clock) -> float:
    begin = clock()
    run()
    return max(clock() - begin, 1e-9)


def _find_memory() -> int:
    """Return the bytes of the machine's memory, or those that its container may have.

    Raises:
        SpecError: E012, the system does not tell.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        message = "this system does not tell how much memory it has"
        help = "describe the processor in a file, as in `--device cpu.yaml`"
        raise SpecError([Diagnostic("E012", message, help=help)]) from None
    with suppress(OSError, ValueError):
        memory = min(memory, int(_CGROUP.read_text()))
    return memory // 10**6 * 10**6
