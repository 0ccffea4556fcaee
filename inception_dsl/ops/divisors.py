"""Numbers of equal parts that channels can be divided into, for the findings of ops that do so."""

from __future__ import annotations

from math import gcd, isqrt

_LARGEST = 1_000_000
"""Maximum number whose divisors are listed: to find them takes its root in steps."""

_MOST = 12
"""Maximum number of divisors that a finding lists."""


def list_fitting(what: str, wanted: int, *counts: int) -> str | None:
    """Return the help of a finding about parts that do not divide some counts of channels.

    Args:
        what: the name of the parts: `groups`.
        wanted: the number of parts that does not fit; the divisors near it are listed.

    Example:
        >>> list_fitting("groups", 5, 384, 96)
        'groups that divide 384 and 96: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96'
        >>> list_fitting("parts", 7, 13)
        'parts that divide 13: 1, 13'
    """
    common = gcd(*counts)
    if common > _LARGEST:
        return None
    low = [number for number in range(1, isqrt(common) + 1) if common % number == 0]
    divisors = sorted({*low, *(common // number for number in low)})
    below = sum(number < wanted for number in divisors)
    start = max(0, min(below - _MOST // 2, len(divisors) - _MOST))
    listed = ", ".join(map(str, divisors[start : start + _MOST]))
    named = " and ".join(map(str, dict.fromkeys(counts)))
    return f"{what} that divide {named}{' include' if len(divisors) > _MOST else ''}: {listed}"
