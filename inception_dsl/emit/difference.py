"""The difference of two texts, line by line, in time that hardly grows faster than the texts.

`difflib` finds the best pairs, and takes minutes for thousands of changed lines among others. Long
texts are therefore cut where lines surely belong together, and `difflib` sees the short pieces.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from inception_dsl.sequences import count_common_ends, find_rising

MAX_PIECE = 250_000
"""The product of the lines of two pieces up to which `difflib` pairs them."""
MAX_CUTS = 10
"""Maximum number of times that a piece is cut anew."""
CONTEXT = 3
"""The lines before and behind a change that are shown."""

Lines = Sequence[str]
Pair = tuple[int, int]


def compare_lines(old: Lines, new: Lines, old_name: str, new_name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, without line ends."""
    if len(old) * len(new) <= MAX_PIECE:
        yield from difflib.unified_diff(old, new, old_name, new_name, lineterm="")
        return
    hunks = list(_gather_hunks(_list_changes(old, new)))
    if hunks:
        yield from (f"--- {old_name}", f"+++ {new_name}")
    for hunk in hunks:
        yield from _write_hunk(hunk, old, new)


Change = tuple[int, int, int, int]
"""The first old line that goes and the one behind the last, and the same of the new lines."""


def _list_changes(old: Lines, new: Lines) -> Iterator[Change]:
    """Yield the changes from one text to the other, in order."""
    pairs = [(-1, -1), *sorted(_pair(old, new, 0, 0, MAX_CUTS)), (len(old), len(new))]
    for (old_before, new_before), (old_next, new_next) in pairwise(pairs):
        if old_next - old_before > 1 or new_next - new_before > 1:
            yield old_before + 1, old_next, new_before + 1, new_next


def _pair(old: Lines, new: Lines, old_start: int, new_start: int, cuts: int) -> Iterator[Pair]:
    """Yield the lines of two pieces that are the same; the pairs never cross.

    Args:
        old_start, new_start: the number of the first line of each.
        cuts: the number of times that they may be cut.
    """
    first, last = count_common_ends(old, new)
    yield from ((old_start + ahead, new_start + ahead) for ahead in range(first))
    for behind in range(1, last + 1):
        yield old_start + len(old) - behind, new_start + len(new) - behind
    old, new = old[first : len(old) - last], new[first : len(new) - last]
    old_start, new_start = old_start + first, new_start + first
    if not old or not new:
        return
    if len(old) * len(new) <= MAX_PIECE:
        for block in difflib.SequenceMatcher(None, old, new).get_matching_blocks():
            for ahead in range(block.size):
                yield old_start + block.a + ahead, new_start + block.b + ahead
        return
    anchors = _find_anchors(old, new) if cuts else []
    yield from ((old_start + one, new_start + other) for one, other in anchors)
    if anchors:
        ends = [(-1, -1), *anchors, (len(old), len(new))]
        for (old_before, new_before), (old_next, new_next) in pairwise(ends):
            pieces = old[old_before + 1 : old_next], new[new_before + 1 : new_next]
            starts = old_start + old_before + 1, new_start + new_before + 1
            yield from _pair(*pieces, *starts, cuts - 1)


def _find_anchors(old: Lines, new: Lines) -> list[Pair]:
    """Return the lines that surely belong together: those that both pieces have equally often.

    The first belongs to the first, the second to the second, and so on. Of pairs that cross, as
    many stay as can.
    """
    old_counts, new_counts = Counter(old), Counter(new)
    ranks = Counter[str]()
    places: dict[tuple[str, int], int] = {}
    for place, line in enumerate(new):
        places[line, ranks[line]] = place
        ranks[line] += 1
    ranks.clear()
    found: list[Pair] = []
    for place, line in enumerate(old):
        if old_counts[line] == new_counts[line]:
            found.append((place, places[line, ranks[line]]))
        ranks[line] += 1
    return [found[index] for index in find_rising([other for _, other in found])]


def _gather_hunks(changes: Iterator[Change]) -> Iterator[list[Change]]:
    """Yield the changes that stand near each other together."""
    hunk: list[Change] = []
    for change in changes:
        if hunk and change[0] - hunk[-1][1] > 2 * CONTEXT:
            yield hunk
            hunk = []
        hunk.append(change)
    if hunk:
        yield hunk


def _write_hunk(hunk: Sequence[Change], old: Lines, new: Lines) -> Iterator[str]:
    first, last = hunk[0], hunk[-1]
    lead = min(CONTEXT, first[0])
    tail = min(CONTEXT, len(old) - last[1])
    sides = [(first[0] - lead, last[1] + tail), (first[2] - lead, last[3] + tail)]
    yield f"@@ -{_say_range(*sides[0])} +{_say_range(*sides[1])} @@"
    place = first[0] - lead
    for old_start, old_end, new_start, new_end in hunk:
        yield from (f" {line}" for line in old[place:old_start])
        yield from (f"-{line}" for line in old[old_start:old_end])
        yield from (f"+{line}" for line in new[new_start:new_end])
        place = old_end
    yield from (f" {line}" for line in old[place : place + tail])


def _say_range(start: int, end: int) -> str:
    """Return a range of lines as a unified diff says it: the first line, and their number."""
    if end - start == 1:
        return str(start + 1)
    return f"{start + (end > start)},{end - start}"
