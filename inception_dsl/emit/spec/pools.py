"""Write a pool behind the convolution that reads it; norm and activation follow as steps."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlaces,
    TextEdit,
    begin_line,
    end_of_line,
    find_end,
    read_step,
    write_in_flow,
)
from inception_dsl.emit.spec.step import find_words
from inception_dsl.ops import Op
from inception_dsl.passes import PoolBehind
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText

_SET_ANEW = frozenset(["act", "bias", "norm"])


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
    pool, conv = (places.find(span) for span in spans)
    is_one_list = pool.items is not None and pool.items is conv.items
    if pool.items is None or not is_one_list or conv.index != pool.index + 1:
        raise RewriteError("both do not stand one behind the other in one list")
    if pool.long is not None or conv.long is not None:
        raise RewriteError("one of both is written in its long form")
    (pooling, _), (step, op) = read_step(pool), read_step(conv)
    if pooling.count is not None or step.count is not None:
        raise RewriteError("one of both is a repeated step")
    text = pool.step.text.text
    moved = text[: pooling.words[-1].end] + ")" if pooling.words else text[: pooling.name.end]
    linear = _write_linear(op, step, conv.step.text.text, edit)
    items = [pool.items.items[place.index] for place in (pool, conv)]
    regions = [Span(item.span.source, item.span.start, find_end(item)) for item in items]
    if any("#" in region.text or "\n" in region.text for region in regions):
        raise RewriteError("a comment or several lines stand in one of both")
    if any(region.text.startswith("{") for region in regions):
        raise RewriteError("one of both stands in braces")
    if pool.items.span.text.startswith("["):
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

    The comments above and behind each of both go with it.

    Args:
        regions: the items of the pool and of the convolution.
        steps: the new texts of the convolution and of the pool.

    Raises:
        RewriteError: something else stands on their lines or between them.
    """
    source, text = regions[0].source, regions[0].source.text
    lead, line_end = begin_line(regions[0].part(0, 0)), end_of_line(regions[0])
    starts, begins, ends = [], [], []
    for region in regions:
        begin_line(region.part(0, 0))
        begin = start = text.rfind("\n", 0, region.start) + 1
        while start and text[text.rfind("\n", 0, start - 1) + 1 : start].lstrip().startswith("#"):
            start = text.rfind("\n", 0, start - 1) + 1
        end = text.find("\n", region.end)
        starts.append(start)
        begins.append(begin)
        ends.append(len(text[: len(text) if end < 0 else end].rstrip("\r")))
    if text[ends[0] : starts[1]].strip():
        raise RewriteError("something else stands between both")
    above = [text[start:begin] for start, begin in zip(starts, begins, strict=True)]
    tails = [text[region.end : end] for region, end in zip(regions, ends, strict=True)]
    first = f"{above[1]}{lead}{steps[0]}{tails[1]}"
    second = f"{above[0]}{lead}{steps[1]}{tails[0]}"
    lines = [first, second, *(f"{lead}{each}" for each in behind)]
    return TextEdit(Span(source, starts[0], ends[1]), line_end.join(lines))


def _write_linear(op: Op, step: StepText, text: str, edit: PoolBehind) -> str:
    """Return the text of the convolution without its norm and its activation.

    Raises:
        RewriteError: they have words of their own.
    """
    note = "" if step.note is None else f" {text[text.rindex('->') :]}"
    bare = text if step.note is None else text[: text.rindex("->")].rstrip()
    if not edit.behind:
        return f"{bare}{note}"
    words: list[str] = []
    for word in find_words(op, step):
        sets = op.flags.get(word.text, {}) if not word.attribute else {word.attribute: None}
        if sets.keys() <= _SET_ANEW:
            continue
        attribute = op.attribute(word.attribute) if word.attribute else None
        if sets.keys() & _SET_ANEW or (attribute is not None and attribute.owner):
            raise RewriteError(f"`{word.text}` sets its norm or its activation")
        words.append(word.text)
    bias = "bias" if edit.has_bias else "no_bias"
    return f"{text[: step.name.end]} ({' '.join([*words, 'norm none act none', bias])}){note}"
