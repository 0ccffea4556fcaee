"""Take items out of lists, and entries out of mappings, in a spec's text.

Lists and mappings in lines lose whole lines. In brackets and braces other things stand on the same
lines: there, the text between the items that stay is made anew. YAML wants a blank before the `#`
of a comment, and the lines of a list in brackets stay as deep as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import overload

from inception_dsl.emit.spec.places import TextEdit, begin_line, end_of_line, find_end
from inception_dsl.source import Span
from inception_dsl.spec.tree import Mapping
from inception_dsl.spec.tree import Sequence as TreeSequence

_COMMENT = re.compile(r"(?<![^\s,\[{])#[^\r\n]*")
_COMMENT_BEHIND = re.compile(r"([ \t]*(,[ \t]*|[ \t])#[^\r\n]*)?")


def take_items(items: TreeSequence, places: Sequence[int]) -> list[TextEdit]:
    """Return the edits that take items out of a list in which others stay; comments stay, too.

    Args:
        places: the places of the items, in order.

    Raises:
        RewriteError: an item does not begin its line.
    """
    if items.span.begins_with("["):
        return list(_take_from_flow(_ItemSpans(items), places))
    return [_take_lines(items, place) for place in places]


class _ItemSpans(Sequence[Span]):
    """The regions of the items of a list, which may be many."""

    def __init__(self, items: TreeSequence) -> None:
        self._items = items.items

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Span]: ...
    def __getitem__(self, index: int | slice) -> Span | Sequence[Span]:
        if isinstance(index, slice):
            return [item.span for item in self._items[index]]
        return self._items[index].span


def take_entry(holder: Mapping, key: str) -> TextEdit:
    """Return the edit that takes an entry out of a mapping in which others stay.

    The comments on its lines go with it.
    """
    entry = holder.items[key]
    source = entry.key.source
    if holder.span.begins_with("{"):
        spans = [
            Span(source, each.key.start, each.value.span.end) for each in holder.items.values()
        ]
        place = list(holder.items).index(key)
        behind = _COMMENT_BEHIND.match(source.text, spans[place].end)
        assert behind is not None
        (edit,) = _take_from_flow(spans, [place], behind.end())
        return edit
    start = source.text.rfind("\n", 0, entry.key.start) + 1
    while start > 1 and source.text[start - 2] == "\n":  # the blank lines before it
        start -= 1
    tail = source.text.find("\n", find_end(entry.value))
    return TextEdit(Span(source, start, len(source.text) if tail < 0 else tail + 1), "")


def _take_lines(items: TreeSequence, index: int) -> TextEdit:
    """Return the edit that takes an item out of a list whose items begin lines."""
    here, source = items.items[index].span, items.span.source
    lead = begin_line(here)
    start = here.start - len(lead)
    end = source.text.find("\n", find_end(items.items[index]))
    lines = Span(source, start, len(source.text) if end < 0 else end + 1)
    indent = " " * lead.index("-")
    kept = _COMMENT.findall(lines.text)
    return TextEdit(lines, "".join(f"{indent}{each}{end_of_line(here)}" for each in kept))


def _take_from_flow(
    spans: Sequence[Span], places: Sequence[int], skip_to: int | None = None
) -> Iterator[TextEdit]:
    """Yield the edits that take parts out of brackets or braces, each with one comma.

    Args:
        spans: all parts, in order.
        places: the places of those that go; not all of them.
        skip_to: the end of the only part with a comment that goes, too; None to keep all comments.
    """
    gone = set(places)
    for first in places:
        if first - 1 in gone:
            continue
        last = first
        while last + 1 in gone:
            last += 1
        source = spans[first].source
        if last + 1 < len(spans):
            gap = Span(source, spans[first].start, spans[last + 1].start)
        else:  # a comment behind the comma before it is about the part before
            gap = Span(source, spans[first - 1].end, spans[last].end)
        text = gap.text
        if skip_to is not None:
            before = Span(source, gap.start, spans[first].start).text
            if last + 1 == len(spans):
                gap = Span(source, gap.start, max(gap.end, skip_to))
                text = before
            else:
                text = before + Span(source, skip_to, gap.end).text
        yield TextEdit(gap, _join_comments(gap, text))


def _join_comments(gap: Span, text: str) -> str:
    """Return the comments of a text as lines that take the place of a region in brackets."""
    kept = _COMMENT.findall(text)
    if not kept:
        return ""
    source = gap.source.text
    line = source[source.rfind("\n", 0, gap.end) + 1 :]
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    line_end = end_of_line(gap)
    before, behind = source[gap.start - 1], source[gap.end :]
    lead = "" if before.isspace() else " " if before in "[{," else "  "
    tail = f"{line_end}{indent}"
    if behind.lstrip(" \t").startswith(("\r", "\n")):
        tail = ""
    elif behind.startswith((" ", "\t")):
        tail = line_end
    return f"{lead}{f'{line_end}{indent}'.join(kept)}{tail}"
