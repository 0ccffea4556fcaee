"""Edit single steps of a spec's text; everything else stays as its author wrote it.

An edit replaces a region of the text. Comments, layout, shape notes and the names of steps stay.
Whether the new text says what it should is proved by reading it, which is the caller's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from string import ascii_lowercase

from inception_dsl.emit.spec.step import group_words
from inception_dsl.ops import WRITTEN, Op
from inception_dsl.source import Span
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.step import StepSyntaxError, StepText, counted_name, parse_step
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Tree
from inception_dsl.spec.tree import Sequence as TreeSequence


@dataclass(frozen=True, slots=True)
class TextEdit:
    """A region of a spec's text, and the text that replaces it."""

    span: Span
    text: str


class RewriteError(Exception):
    """The refusal of a rewrite, with its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Place:
    """A step in the tree of its spec.

    Attributes:
        step: its text.
        key: the key that names it; None for a step without a name.
        items: the list whose item it is, with its name if it has one; None if it is in none.
        index: its place in the list.
    """

    step: Scalar
    key: Span | None
    items: TreeSequence | None
    index: int


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Return a text with its regions replaced; no two of them overlap."""
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def divide_step(
    tree: Tree, span: Span, kernels: Sequence[tuple[int, int]], inner: str | None
) -> list[TextEdit]:
    """Return the edits that write a step as several, one after the other.

    Args:
        tree: the tree of the file.
        span: the text of the step.
        kernels: the kernel of each part.
        inner: the width of all parts but the last; None for the width that the step has.

    Raises:
        RewriteError: the step is written in a way that this cannot change.
    """
    place = _find(tree, span)
    step, op = _read(place.step)
    if step.count is not None:
        raise RewriteError("it is a repeated step: only one of its copies would be last")
    if step.kernel is None or step.kernel.kind != "kernel":
        raise RewriteError("its kernel is a parameter")
    text = place.step.text.text
    parts = [_write_part(op, step, kernel, inner) for kernel in kernels[:-1]]
    last = text[: step.kernel.start] + _show(kernels[-1]) + text[step.kernel.end :]
    if place.items is None:
        items = ", ".join(map(_write_in_flow, [*parts, last]))
        return [TextEdit(place.step.text, f"[{items}]")]
    names = _name_parts(place, op, len(parts))
    written = [*zip(names, parts, strict=False), (names[-1], last)]
    return [_write_items(place, written), *_name_later(place, op, is_named=names[-1] is not None)]


def drop_bias(tree: Tree, span: Span) -> list[TextEdit]:
    """Return the edit that switches the bias of a step off.

    Raises:
        RewriteError: the step is written in a way that this cannot change.
    """
    place = _find(tree, span)
    step, op = _read(place.step)
    text = place.step.text
    for word in step.words:
        if len(sets := op.flags.get(word.text, {})) > 1 and "bias" in sets:
            raise RewriteError(f"`{word.text}` sets the bias and more")
        if word.text == "bias":
            return [TextEdit(text.part(word.start, word.end), "no_bias")]
    if not step.words:
        raise RewriteError("it has no words in parentheses")
    end = step.words[-1].end
    return [TextEdit(text.part(end, end), " no_bias")]


def _find(tree: Tree, span: Span) -> _Place:
    """Return the place of a step.

    Raises:
        RewriteError: it is no text of its own.
    """
    found = next(_walk(tree, span, None, None, 0), None)
    if found is None or found.step.span != found.step.text:
        raise RewriteError("it is written in quotes or in its long form")
    return found


def _walk(
    tree: Tree, span: Span, key: Span | None, items: TreeSequence | None, index: int
) -> Iterator[_Place]:
    match tree:
        case Scalar() if tree.text.start == span.start and isinstance(tree.value, str):
            yield _Place(tree, key, items, index)
        case TreeSequence(children):
            for place, child in enumerate(children):
                if span in child.span:
                    yield from _walk(child, span, None, tree, place)
        case Mapping(entries):
            is_name = len(entries) == 1 and items is not None and key is None
            for name, entry in entries.items():
                if span not in entry.value.span or name == "op":
                    continue
                if is_name and name not in BODY_KEYS:
                    yield from _walk(entry.value, span, entry.key, items, index)
                else:
                    yield from _walk(entry.value, span, entry.key, None, 0)


def _read(scalar: Scalar) -> tuple[StepText, Op]:
    """Return the parts of a step, and its op.

    Raises:
        RewriteError: it calls no op.
    """
    try:
        step = parse_step(scalar.text.text)
    except StepSyntaxError:
        raise RewriteError("its text cannot be read") from None
    modifier = f"{step.modifier.text} " if step.modifier else ""
    op = WRITTEN.get(f"{modifier}{step.name.text}")
    if op is None:
        raise RewriteError("it calls no op")
    return step, op


def _show(kernel: tuple[int, int]) -> str:
    return f"{kernel[0]}x{kernel[1]}"


def _write_part(op: Op, step: StepText, kernel: tuple[int, int], inner: str | None) -> str:
    """Return the text of a part before the last one: without a stride, without a shape note."""
    words = []
    for name, text in group_words(op, step):
        if name == "width":
            words.append(inner or text)
        elif name != "stride":
            words.append(text)
    return f"{_show(kernel)} {step.name.text} ({' '.join(words)})"


def _name_parts(place: _Place, op: Op, count: int) -> list[str | None]:
    """Return the names of the parts and of the last one; None for those that need none.

    A step without a name keeps none, unless a later step of the list is counted behind it.
    """
    later = _list_later(place, op)
    if place.key is None and not later:
        return [None] * (count + 1)
    name = place.key.text if place.key is not None else _count(place, op)
    assert place.items is not None
    taken = {key for item in place.items.items if isinstance(item, Mapping) for key in item.items}
    free = (f"{name}_{letter}" for letter in ascii_lowercase if f"{name}_{letter}" not in taken)
    return [*islice(free, count), name]


def _name_later(place: _Place, op: Op, *, is_named: bool) -> Iterator[TextEdit]:
    """Yield the edits that give later steps of the list the names that they have by counting."""
    if place.key is None and is_named:
        first = _number(place, op)
        for number, scalar in enumerate(_list_later(place, op), start=first + 1):
            start = scalar.text.part(0, 0)
            yield TextEdit(start, f"{counted_name(op.name, number)}: ")


def _list_counted(place: _Place, op: Op) -> Iterator[tuple[int, Scalar]]:
    """Yield the steps of a list that have no name and call the same op, with their places."""
    assert place.items is not None
    for index, item in enumerate(place.items.items):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            try:
                _, other = _read(item)
            except RewriteError:
                continue
            if other is op:
                yield index, item


def _list_later(place: _Place, op: Op) -> list[Scalar]:
    return [item for index, item in _list_counted(place, op) if index > place.index]


def _number(place: _Place, op: Op) -> int:
    """Return the number of a step among those of its list that are counted with it."""
    return sum(1 for index, _ in _list_counted(place, op) if index <= place.index)


def _count(place: _Place, op: Op) -> str:
    return counted_name(op.name, _number(place, op))


def _write_items(place: _Place, written: Sequence[tuple[str | None, str]]) -> TextEdit:
    """Return the edit that puts items into a list in the place of one.

    Raises:
        RewriteError: the item does not begin its line.
    """
    assert place.items is not None
    text = place.step.text
    source = text.source.text
    start = place.key.start if place.key is not None else text.start
    gap = source[place.key.end : text.start] if place.key is not None else ": "
    span = Span(text.source, start, text.end)
    if place.items.span.text.startswith("["):
        items = [(name, _write_in_flow(item)) for name, item in written]
        shown = [_write_item(name, item, gap, place.key) for name, item in items]
        return TextEdit(span, ", ".join(shown))
    shown = [_write_item(name, item, gap, place.key) for name, item in written]
    line_start = source.rfind("\n", 0, start) + 1
    lead = source[line_start:start]
    if lead.strip() != "-":
        raise RewriteError("it is no `- STEP` on a line of its own")
    end = "\r\n" if "\r\n" in source else "\n"
    return TextEdit(span, f"{end}{lead}".join(shown))


def _write_in_flow(item: str) -> str:
    """Return a step as an item of a list in brackets, where a comma ends a plain text."""
    return f'"{item}"' if "," in item else item


def _write_item(name: str | None, item: str, gap: str, key: Span | None) -> str:
    if name is None:
        return item
    width = len(key.text) + len(gap) if key is not None else 0
    return f"{name}: ".ljust(width) + item


def rename(tree: Tree, name: str) -> list[TextEdit]:
    """Return the edits that give a spec another name, and leave out what its source claims.

    The claims of a source are about its own network.
    """
    edits: list[TextEdit] = []
    match tree:
        case Mapping(items):
            if "name" in items:
                edits.append(TextEdit(items["name"].value.span, name))
            if "claims" in items:
                edits.append(TextEdit(_whole(items["claims"]), ""))
    return edits


def _whole(entry: Entry) -> Span:
    """Return the region of an entry, from the line of its key to the end of its value."""
    source = entry.key.source
    start = source.text.rfind("\n", 0, entry.key.start) + 1
    end = entry.value.span.end
    while start > 1 and source.text[start - 2] == "\n":  # the blank lines before it
        start -= 1
    tail = source.text.find("\n", end)
    end = len(source.text) if tail < 0 else tail + 1 if source.text[end:tail].strip() else end
    return Span(source, start, end)
