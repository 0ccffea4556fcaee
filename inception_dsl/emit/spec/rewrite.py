"""Edit single steps of a spec's text; everything else stays as its author wrote it.

An edit replaces a region of the text. Comments, layout, shape notes and the names of steps stay.
Whether the new text says what it should is proved by reading it, which is the caller's part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from inception_dsl.emit.spec.items import take_items
from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlace,
    StepPlaces,
    TextEdit,
    begin_line,
    end_of_line,
    find_neighbours,
    indent_behind,
    name_later,
    number_of,
    read_step,
    rest_of_line,
    write_in_flow,
)
from inception_dsl.emit.spec.step import (
    KEYS_BESIDE,
    cut_note,
    find_pad,
    find_words,
    write_expr,
    write_pad,
)
from inception_dsl.expr import Expr
from inception_dsl.ir import Value
from inception_dsl.ops import Op, shown
from inception_dsl.passes import Divide
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText, counted_name, lettered_names, parse_step
from inception_dsl.spec.tree import Scalar


def divide_step(
    places: StepPlaces,
    span: Span,
    edit: Divide,
    *,
    may_count: bool,
) -> list[TextEdit]:
    """Return the edits that write a step as several, one after the other.

    Args:
        places: those of all steps of the file.
        span: the text of the step.
        may_count: parts of a step without a name may have none either.

    Raises:
        RewriteError: the step is written in a way that this cannot change.
    """
    place = places.find(span)
    step, op = read_step(place)
    if step.count is not None:
        raise RewriteError("it is a repeated step: write its copies one by one, or make it a block")
    if step.kernel is None or step.kernel.kind != "kernel":
        raise RewriteError("its kernel is a parameter")
    text = place.step.text
    pads = edit.pads or (None,) * len(edit.kernels)
    *before, (kernel, pad) = zip(edit.kernels, pads, strict=True)
    parts = [_write_part(op, step, *part, edit.inner) for part in before]
    last = [TextEdit(text.part(step.kernel.start, step.kernel.end), shown(kernel))]
    if pad is not None:
        last.append(_write_last_pad(place, op, pad))
    if place.items is None:
        return [*last, *_put_before(place, [_write_beside(place, part) for part in parts])]
    may_count = may_count and _find_reading(place) is None
    names = _name_parts(place, step, len(parts), edit.taken, may_count=may_count)
    return [*last, *_write_items(place, list(zip(names, parts, strict=True)))]


def _write_last_pad(place: StepPlace, op: Op, pad: Value) -> TextEdit:
    """Return the edit that gives a step another padding."""
    if place.long is not None and "pad" in place.long.items:
        value = shown(pad)
        if isinstance(pad, tuple):
            value = f'"{value}"'  # YAML reads a plain 0x1 as a hexadecimal number
        return TextEdit(place.long.items["pad"].value.span, value)
    text = place.step.text
    step = parse_step(text.text)  # without the keys of a long form
    if (word := find_pad(op, step)) is not None:
        return TextEdit(text.part(word.start, word.end), write_pad(op, pad))
    return _add_word(place, step, write_pad(op, pad))


def _add_word(place: StepPlace, step: StepText, word: str) -> TextEdit:
    """Return the edit that adds a word to a step."""
    text = place.step.text
    if not step.words:
        return TextEdit(text.part(step.name.end, step.name.end), f" ({word})")
    end = step.words[-1].end
    return TextEdit(text.part(end, end), f" {word}")


def _find_reading(place: StepPlace) -> Span | None:
    """Return the value of `from` in the long form of a step, if it has one.

    Raises:
        RewriteError: it is no single name.
    """
    if place.long is None or "from" not in place.long.items:
        return None
    value = place.long.items["from"].value
    if not isinstance(value, Scalar):
        raise RewriteError("its `from` is no single name")
    if "when" in place.long.items:
        raise RewriteError("it has both `from` and `when`")
    return value.span


def _write_beside(place: StepPlace, text: str, *, has_from: bool = False) -> str:
    """Return a part before the last one, for brackets, with the condition and the input of all."""
    if place.long is None:
        return write_in_flow(text)
    kept = ["from"] * has_from + ["when"]
    entries = [
        (key, place.long.items[key].value.span.text) for key in kept if key in place.long.items
    ]
    if not entries:
        return write_in_flow(text)
    shown = [f"{key}: {write_in_flow(value)}" for key, value in entries]
    return f"{{{', '.join([*shown, f'op: {write_in_flow(text)}'])}}}"


def _put_before(place: StepPlace, parts: Sequence[str]) -> list[TextEdit]:
    """Return the edits that make a list of a step that is in none, with parts before it.

    Raises:
        RewriteError: the value of its `from` is no name.
    """
    region = place.region
    before, text = region.part(0, 0), region.text
    behind = Span(region.source, region.end, region.end)
    if _find_reading(place) is not None:
        raise RewriteError("it is in no list, and has a `from`")
    if place.long is not None and not text.startswith("{"):
        source = region.source.text
        lead = source[source.rfind("\n", 0, region.start) + 1 : region.start]
        shown = [f"- {part}{end_of_line(region)}{lead}" for part in parts]
        return [TextEdit(before, "".join([*shown, "- "])), *indent_behind(region, "  ")]
    is_open = place.long is None and not place.is_quoted and "," in text
    quote = '"' if is_open else ""
    joined = ", ".join(parts)
    return [TextEdit(before, f"[{joined}, {quote}"), TextEdit(behind, f"{quote}]")]


def drop_bias(places: StepPlaces, span: Span) -> list[TextEdit]:
    """Return the edit that switches the bias of a step off.

    Raises:
        RewriteError: the step is written in a way that this cannot change.
    """
    place = places.find(span)
    _, op = read_step(place)
    text = place.step.text
    step = parse_step(text.text)  # without the keys of a long form
    if place.long is not None and "bias" in place.long.items:
        return [TextEdit(place.long.items["bias"].value.span, "false")]
    for word in step.words:
        if len(sets := op.flags.get(word.text, {})) > 1 and "bias" in sets:
            raise RewriteError(f"`{word.text}` sets the bias and more")
        if word.text == "bias":
            return [TextEdit(text.part(word.start, word.end), "no_bias")]
    return [_add_word(place, step, "no_bias")]


def drop_step(places: StepPlaces, span: Span) -> list[TextEdit]:
    """Return the edits that take a step out of its list; a comment on its line stays as a line.

    Raises:
        RewriteError: the step is written in a way that this cannot change.
    """
    place = places.find(span)
    step, _ = read_step(place)
    if place.items is None or len(place.items.items) == 1:
        raise RewriteError("it stands alone: without it, no step would be left there")
    if place.long is not None:
        told = [key for key in place.long.items if key in KEYS_BESIDE - {"op", "out"}]
        if told:
            raise RewriteError(f"its long form has `{told[0]}`")
    return [
        *take_items(place.items, [place.index]),
        *name_later(place, step),
    ]


def move_behind(places: StepPlaces, spans: Sequence[Span]) -> list[TextEdit]:
    """Return the edits that write a step behind the next one; each has the place of the other.

    The shape note of the step goes, since it is about the place that the step had.

    Raises:
        RewriteError: the steps are written in a way that this cannot change.
    """
    both = find_neighbours(places, spans)
    step, _ = read_step(both.first)
    regions = both.regions
    moved, text = regions[0].text, both.first.step.text
    if step.note is not None:
        start, end = text.start - regions[0].start, text.end - regions[0].start
        moved = moved[:start] + cut_note(text.text) + moved[end:]
    return [*_move_lines(regions, moved)]


def _move_lines(regions: Sequence[Span], moved: str) -> list[TextEdit]:
    """Return the edits that exchange two items, with the comments behind them on their lines."""
    source = regions[0].source
    spans = []
    for region in regions:
        tail = rest_of_line(region)
        has_comment = tail.lstrip(" \t").startswith("#")
        spans.append(Span(source, region.start, region.end + len(tail) * has_comment))
    tail = source.text[regions[0].end : spans[0].end]
    return [TextEdit(spans[0], spans[1].text), TextEdit(spans[1], moved + tail)]


def _write_part(
    op: Op, step: StepText, kernel: tuple[int, int], pad: Value | None, inner: Expr | None
) -> str:
    """Return the text of a part before the last one: without a stride, without a shape note.

    Args:
        pad: its padding; None for that of the step.
        inner: its width; None for that of the step.
    """
    old_pad = find_pad(op, step)
    words: list[str] = []
    for word in find_words(op, step):
        if pad is not None and word == old_pad:
            words.append(write_pad(op, pad))
        elif word.attribute == "width" and inner is not None:
            words.append(write_expr(inner))
        elif word.attribute != "stride":
            words.append(word.text)
    if pad is not None and old_pad is None:
        words.append(write_pad(op, pad))
    return f"{shown(kernel)} {step.name.text} ({' '.join(words)})"


def _name_parts(
    place: StepPlace, step: StepText, count: int, taken: Collection[str], *, may_count: bool
) -> list[str | None]:
    """Return the names of the parts before the last one; None for those that are counted.

    The last part keeps the name of the step, as it is written. If the step has none and all parts
    may be counted, none gets one: the last part then has a higher number.
    """
    called, first = step.name.text, number_of(place, step)
    name = counted_name(called, first)
    if place.key is not None:
        name = place.key.text.strip("\"'")
    counted = {counted_name(called, first + ahead) for ahead in range(1, count + 1)}
    if may_count and place.key is None and counted.isdisjoint(taken):
        return [None] * count
    free = (each for each in lettered_names(name) if each not in taken)
    return list(islice(free, count))


def _write_items(place: StepPlace, parts: Sequence[tuple[str | None, str]]) -> list[TextEdit]:
    """Return the edits that put parts before a step, which becomes the last one of them.

    The first part reads what the step has read by its `from`, and the step reads the last part.

    Args:
        parts: the name and the text of each; None for one without a name.

    Raises:
        RewriteError: the item does not begin its line.
    """
    assert place.items is not None
    text, key = place.step.text, place.key
    item, width = place.items.items[place.index].span, 0
    start = item.part(0, 0)
    if key is not None and "\n" not in text.source.text[key.end : text.start]:
        width = place.region.start - key.start
    is_listed = place.items.span.begins_with("[")
    behind = ", " if is_listed else f"{end_of_line(text)}{begin_line(start)}"
    before, after = ("{", "}") if item.begins_with("{") and key is not None else ("", "")
    reading = _find_reading(place)
    shown: list[str] = []
    for index, (name, part) in enumerate(parts):
        written = _write_beside(place, part, has_from=index == 0)
        if not is_listed and not written.startswith("{"):
            written = part
        called = "" if name is None else f"{name}: ".ljust(width)
        shown.append(f"{before}{called}{written}{after}{behind}")
    edits = [TextEdit(start, "".join(shown))]
    if reading is not None:
        edits.append(TextEdit(reading, str(parts[-1][0])))
    return edits
