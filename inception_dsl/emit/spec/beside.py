"""Write a pool and a convolution side by side in the place of steps of a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_dsl.emit.spec.items import take_items
from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlace,
    StepPlaces,
    TextEdit,
    begin_line,
    end_of_line,
    find_end,
    name_later,
    number_of,
    read_step,
    write_in_flow,
)
from inception_dsl.emit.spec.step import find_pad, find_words, write_pad
from inception_dsl.ops import Op, shown
from inception_dsl.passes import Reduction
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText, counted_name

_POOL = "pool"
"""The name of the branch with the pool."""


def write_beside(places: StepPlaces, spans: Sequence[Span], edit: Reduction) -> list[TextEdit]:
    """Return the edits that write a join of a convolution and a pool.

    It has the name of the last of the steps whose place it takes, and a shape note if that has one.

    Args:
        spans: the texts of these steps, in order, one of which is the pool.

    Raises:
        RewriteError: the steps are written in a way that this cannot change.
    """
    found = [places.find(span) for span in spans]
    last = found[-1]
    holders = {id(place.items) for place in found}
    indices = [place.index for place in found]
    if last.items is None or len(holders) > 1:
        raise RewriteError(
            "the two steps do not stand in one list" if len(found) > 1 else "it stands in no list"
        )
    if indices != list(range(indices[0], indices[0] + len(indices))):
        raise RewriteError("other steps stand between both")
    for place in found:
        if place.long is not None:
            raise RewriteError("it is written in its long form")
    model = places.find(edit.like)
    step, op = read_step(model)
    if any(read_step(place)[0].count is not None for place in found):
        raise RewriteError("it is a repeated step")
    pool = next(place for place in found if place.step.text.start != edit.like.start)
    convs = [_write_conv(op, step, edit)]
    if edit.reduced:
        convs.insert(0, _write_reduced(op, step, edit.width))
    final, _ = read_step(last)
    pooling, _ = read_step(pool)
    text = pool.step.text.text
    end = text.rindex(")") + 1 if pooling.words else pooling.name.end
    note = edit.out if final.note is not None else ""
    return [
        *_write_join(last, (step.name.text, convs), text[:end], note),
        *_drop_others(found[:-1]),
        *(edit for place in found for edit in name_later(place, read_step(place)[0])),
    ]


def _write_conv(op: Op, like: StepText, edit: Reduction) -> str:
    """Return the text of the convolution, with the words of another one."""
    pad = [] if edit.pad is None else [write_pad(op, edit.pad)]
    kept = _list_kept(op, like, without_pad=edit.pad is not None)
    words = [str(edit.width), f"stride {shown(edit.stride)}", *pad, *kept]
    return f"{shown(edit.kernel)} {like.name.text} ({' '.join(words)})"


def _write_reduced(op: Op, like: StepText, width: int) -> str:
    """Return the text of the 1x1 before the convolution."""
    words = [str(width), *_list_kept(op, like, without_pad=False)]
    return f"1x1 {like.name.text} ({' '.join(words)})"


def _list_kept(op: Op, like: StepText, *, without_pad: bool) -> Iterator[str]:
    """Yield the words of a convolution that another one beside a pool has, too."""
    pad = find_pad(op, like) if without_pad else None
    for word in find_words(op, like):
        if word.attribute not in ("width", "stride", "dilation") and word != pad:
            yield word.text


def _write_join(
    place: StepPlace, conv: tuple[str, Sequence[str]], pool: str, note: str
) -> list[TextEdit]:
    """Return the edit that puts a join in the place of a step."""
    assert place.items is not None
    step, _ = read_step(place)
    name = counted_name(step.name.text, number_of(place, step))
    if place.key is not None:
        name = place.key.text
    item = place.items.items[place.index]
    region = Span(item.span.source, item.span.start, find_end(item))
    branch, convs = conv
    flow = [write_in_flow(each) for each in convs]
    shown = flow[0] if len(flow) == 1 else f"[{', '.join(flow)}]"
    if place.items.span.begins_with("[") or item.span.begins_with("{"):
        out = f", out: {note}" if note else ""
        pooled = write_in_flow(pool)
        branches = f"{{branches: {{{branch}: {shown}, {_POOL}: {pooled}}}{out}}}"
        is_braced = item.span.begins_with("{")
        before, after = ("{", "}") if is_braced else ("", "")
        return [TextEdit(region, f"{before}{name}: {branches}{after}")]
    if "#" in region.text:
        raise RewriteError("a comment stands between its name and its text")
    lead = " " * len(begin_line(item.span.part(0, 0)))
    lines = [
        f"{name}:",
        *([f"{lead}  out: {note}"] if note else []),
        f"{lead}  branches:",
        f"{lead}    {branch}: {convs[0] if len(convs) == 1 else shown}",
        f"{lead}    {_POOL}: {pool}",
    ]
    return [TextEdit(region, end_of_line(region).join(lines))]


def _drop_others(places: Sequence[StepPlace]) -> list[TextEdit]:
    if not places or places[0].items is None:
        return []
    return take_items(places[0].items, [place.index for place in places])
