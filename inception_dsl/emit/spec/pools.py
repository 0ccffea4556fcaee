"""Write a pool behind the convolution that reads it; norm and activation follow as steps."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlaces,
    TextEdit,
    begin_line,
    end_of_line,
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
    regions = [pool.items.items[place.index].span for place in (pool, conv)]
    if any("#" in region.text or "\n" in region.text.strip() for region in regions):
        raise RewriteError("a comment or several lines stand in one of both")
    named = [_name(place.key, each) for place, each in ((conv, linear), (pool, moved))]
    if pool.items.span.text.startswith("["):
        behind = ", ".join([named[1], *edit.behind])
    else:
        break_ = f"{end_of_line(regions[1])}{begin_line(regions[1].part(0, 0))}"
        behind = break_.join([named[1], *edit.behind])
    return [TextEdit(regions[0], named[0]), TextEdit(regions[1], behind)]


def _name(key: Span | None, text: str) -> str:
    """Return a step with its name, if it has one."""
    return write_in_flow(text) if key is None else f"{key.text}: {write_in_flow(text)}"


def _write_linear(op: Op, step: StepText, text: str, edit: PoolBehind) -> str:
    """Return the text of the convolution without its norm and its activation.

    Raises:
        RewriteError: they have words of their own.
    """
    if not edit.behind:
        return text
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
    count = text[: step.name.end]
    note = "" if step.note is None else f" {text[text.rindex('->') :]}"
    return f"{count} ({' '.join([*words, 'norm none act none', bias])}){note}"
