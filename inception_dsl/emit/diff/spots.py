"""The places of a finding in code and in a spec, one row for each line of code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_dsl.diff import Finding, FindingSpot, Removed
from inception_dsl.ir import Path
from inception_dsl.source import Span

MAX_ROWS = 4
"""Maximum number of lines of code that a person is shown for a finding."""

MAX_PATHS = 3
"""Maximum number of steps that are named at one of them."""


def write_spots(finding: Finding) -> Iterator[str]:
    """Yield the places of a finding by lines of code: `net.py:40: stem.conv (net.yaml:12)`.

    Steps that are gone stand at their old line, near the new line of what they read.
    """
    is_gone = isinstance(finding.edit, Removed)
    spots = [
        replace(spot, new=spot.old, old=spot.new) if is_gone and spot.old is not None else spot
        for spot in finding.spots
    ]
    near = "near " if is_gone else ""
    rows: dict[str, list[FindingSpot]] = {}
    for spot in spots:
        if spot.new is None and spot.old is None:
            continue
        rows.setdefault(_line(spot.new or spot.old), []).append(spot)
    for line, held in list(rows.items())[:MAX_ROWS]:
        yield f"{line}: {_name(held, line, near)}"
    left = list(rows.values())[MAX_ROWS:]
    if left:
        count = sum(map(len, left))
        yield f"{len(left)} more line{'s' if len(left) > 1 else ''}, {count} in all"


def _name(spots: Sequence[FindingSpot], line: str, near: str) -> str:
    """Return the steps of some places, and the lines of the spec that write them."""
    counts = Counter(_star(spot.path) for spot in spots)
    first = {_star(spot.path): spot.path for spot in reversed(spots)}
    names = [f"{path} ({n} times)" if n > 1 else first[path] for path, n in counts.items()]
    lines = list(dict.fromkeys(_line(spot.old) for spot in spots if spot.old is not None))
    shown = [where for where in lines[:1] if where != line]
    return (
        f"{_list(names, MAX_PATHS)} ({near}{_list(lines, 1)})" if shown else _list(names, MAX_PATHS)
    )


def _list(texts: Sequence[str], most: int) -> str:
    """Return some texts, and the number of those that have no room."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return f"{', '.join(texts[:most])}{more}"


def _star(path: Path) -> str:
    return ".".join("*" if name.isdigit() else name for name in path.names)


def _line(span: Span | None) -> str:
    return f"{span.source.name}:{span.line}" if span is not None else ""
