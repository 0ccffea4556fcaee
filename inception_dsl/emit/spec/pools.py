"""Write a pool behind the convolution that reads it in the text of a spec.

The norm and the activation of the convolution follow the pool as steps of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlaces,
    TextEdit,
    begin_line,
    end_of_line,
    find_neighbours,
    read_step,
    rest_of_line,
    write_in_flow,
)
from inception_dsl.emit.spec.step import cut_note, find_words
from inception_dsl.ops import Op
from inception_dsl.passes import PoolBehind
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText

_WRITTEN_ANEW = frozenset(["act", "bias", "norm"])
"""The attributes of the convolution whose words give way to new ones."""


def write_pool_behind(
    places: StepPlaces, spans: Sequence[Span], edit: PoolBehind
) -> list[TextEdit]:
    """Return the edits that write a pool behind a convolution.

    The shape note of the pool goes, since it is about the place that the pool had.

    Args:
        spans: the texts of the pool and of the convolution.

    Raises:
        RewriteError: the steps are written in a way that this cannot change.
    """
    both = find_neighbours(places, spans)
    pool, conv, regions = both.first, both.second, both.regions
    if pool.long is not None or conv.long is not None:
        raise RewriteError("one of the two steps is written in its long form")
    (pool_step, _), (step, op) = read_step(pool), read_step(conv)
    if pool_step.count is not None or step.count is not None:
        raise RewriteError("one of the two steps is repeated")
    if any(region.begins_with("{") for region in regions):
        raise RewriteError("one of the two steps stands in braces")
    moved = cut_note(pool.step.text.text)
    linear = _write_linear(op, step, conv.step.text.text, edit)
    if both.sequence.span.begins_with("["):
        behind = ", ".join([_name(pool.key, write_in_flow(moved)), *edit.behind])
        first = _name(conv.key, write_in_flow(linear))
        return [TextEdit(regions[0], first), TextEdit(regions[1], behind)]
    return [_write_lines(regions, (_name(conv.key, linear), _name(pool.key, moved)), edit.behind)]


def _name(key: Span | None, text: str) -> str:
    """Return a step with its name, if it has one."""
    return text if key is None else f"{key.text}: {text}"


def _write_lines(
    regions: Sequence[Span], steps: tuple[str, str], behind: Sequence[str]
) -> TextEdit:
    """Return the edit that writes the convolution and the pool on lines of their own.

    The comments above and behind each of them move with it.

    Args:
        regions: the items of the pool and of the convolution.
        steps: the new texts of the convolution and of the pool.

    Raises:
        RewriteError: something else stands on their lines or between them.
    """
    pool, conv = (_find_lines(region) for region in regions)
    source = regions[0].source
    if source.text[pool.end : conv.start].strip():
        raise RewriteError("other text stands between the two steps")
    first = f"{conv.above}{pool.lead}{steps[0]}{conv.tail}"
    second = f"{pool.above}{pool.lead}{steps[1]}{pool.tail}"
    lines = [first, second, *(f"{pool.lead}{each}" for each in behind)]
    return TextEdit(Span(source, pool.start, conv.end), end_of_line(regions[0]).join(lines))


class _Lines(NamedTuple):
    """The lines of an item: those of its comments, and its own.

    Attributes:
        above: the comments above it, with their line ends.
        lead: the text before it on its line.
        tail: the text behind it on its line.
    """

    above: str
    lead: str
    tail: str
    start: int
    end: int


def _find_lines(region: Span) -> _Lines:
    """Return the lines of an item that stands on one line.

    Raises:
        RewriteError: something else stands before it.
    """
    text = region.source.text
    lead, tail = begin_line(region.part(0, 0)), rest_of_line(region)
    begin = start = region.start - len(lead)
    while start:
        before = text.rfind("\n", 0, start - 1) + 1
        if not text[before:start].lstrip().startswith("#"):
            break
        start = before
    return _Lines(text[start:begin], lead, tail, start, region.end + len(tail))


def _write_linear(op: Op, step: StepText, text: str, edit: PoolBehind) -> str:
    """Return the text of the convolution without its norm and its activation.

    Raises:
        RewriteError: they have words of their own.
    """
    if not edit.behind:
        return text
    note = "" if step.note is None else f" -> {step.note.text}"
    words: list[str] = []
    for word in find_words(op, step):
        sets = op.flags.get(word.text, {}) if not word.attribute else {word.attribute: None}
        if sets.keys() <= _WRITTEN_ANEW:
            continue
        attribute = op.attribute(word.attribute) if word.attribute else None
        if sets.keys() & _WRITTEN_ANEW or (attribute is not None and attribute.owner):
            raise RewriteError(f"`{word.text}` sets its norm or its activation")
        words.append(word.text)
    bias = "bias" if edit.has_bias else "no_bias"
    return f"{text[: step.name.end]} ({' '.join([*words, 'norm none act none', bias])}){note}"
