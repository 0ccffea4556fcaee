"""The places of steps in a spec's text, and edits of regions; the names that counting gives."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache

from inception_dsl.emit.spec.step import write_words
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


@dataclass(frozen=True, eq=False)
class StepList:
    """A list of steps; those without a name are counted once, for all of them.

    Attributes:
        sequence: the list in the tree of its spec.
    """

    sequence: TreeSequence

    @cached_property
    def counted(self) -> dict[str, list[tuple[int, Tree]]]:
        """The steps without a name, each with its place, by the name of their op or block.

        As in `resolve`, they are counted by this name.
        """
        groups: dict[str, list[tuple[int, Tree]]] = {}
        for index, item in enumerate(self.sequence.items):
            match item:
                case Scalar(value=str(text)) | Mapping(
                    {"op": Entry(value=Scalar(value=str(text)))}
                ):
                    with suppress(StepSyntaxError):
                        groups.setdefault(parse_step(text).name.text, []).append((index, item))
        return groups


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A step in the tree of its spec.

    Attributes:
        step: its text; in the long form that of `op`.
        key: the key that names it; None for a step without a name.
        holder: the list whose item it is, with its name if it has one; None if it is in none.
        index: its place in the list.
        long: the mapping of a step in its long form; None for a plain text.
    """

    step: Scalar
    key: Span | None
    holder: StepList | None
    index: int
    long: Mapping | None = None

    @property
    def items(self) -> TreeSequence | None:
        """The list in the tree whose item it is."""
        return None if self.holder is None else self.holder.sequence

    @property
    def region(self) -> Span:
        """The whole step with its quotes, or all keys of its long form."""
        if self.long is None:
            return self.step.span
        span = self.long.span
        return Span(span.source, span.start, find_end(self.long))

    @property
    def is_quoted(self) -> bool:
        """The text of the step stands in quotes."""
        return self.step.span != self.step.text


class StepPlaces:
    """The places of all steps in the tree of a spec, which is walked once.

    Attributes:
        tree: the tree.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._places = {place.step.text.start: place for place in _walk(tree, None, None, 0)}

    def find(self, span: Span) -> StepPlace:
        """Return the place of a step.

        Args:
            span: the text of the step.

        Raises:
            RewriteError: it is no text of its own, or has escapes in its quotes.
        """
        found = self._places.get(span.start)
        if found is None:
            raise RewriteError("it is no text of its own")
        if found.step.value != found.step.text.text:
            raise RewriteError("its quotes hold an escape")
        return found


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two steps that follow each other in one list, each on one line without a comment in it.

    Attributes:
        sequence: the list.
        regions: the two items of the list.
    """

    first: StepPlace
    second: StepPlace
    sequence: TreeSequence
    regions: tuple[Span, Span]


def find_neighbours(places: StepPlaces, spans: Iterable[Span]) -> Neighbours:
    """Return two steps that a rewrite exchanges.

    Args:
        spans: the texts of both, in order.

    Raises:
        RewriteError: they do not follow each other in one list, or a line end or a comment stands
            in one of them.
    """
    first, second = (places.find(span) for span in spans)
    sequence = first.items
    if sequence is None or sequence is not second.items or second.index != first.index + 1:
        raise RewriteError("the two steps do not follow each other in one list")
    items = (sequence.items[first.index], sequence.items[second.index])
    one, other = (Span(item.span.source, item.span.start, find_end(item)) for item in items)
    if any("#" in region.text or "\n" in region.text for region in (one, other)):
        raise RewriteError("one of the two steps has several lines, or a comment inside")
    return Neighbours(first, second, sequence, (one, other))


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Return a text with its regions replaced.

    If an empty one begins where another does, its text comes first; of several, that of the last.

    Raises:
        RewriteError: two of them overlap.
    """
    parts: list[str] = []
    place = 0
    ordered = list(edits)
    ordered.reverse()
    ordered.sort(key=lambda edit: (edit.span.start, edit.span.end))
    for edit in ordered:
        if edit.span.start < place:
            raise RewriteError("two edits of the text overlap")
        parts += text[place : edit.span.start], edit.text
        place = edit.span.end
    return "".join([*parts, text[place:]])


def _walk(tree: Tree, key: Span | None, holder: StepList | None, index: int) -> Iterator[StepPlace]:
    match tree:
        case Scalar(value=str()):
            yield StepPlace(tree, key, holder, index)
        case TreeSequence(children):
            steps = StepList(tree)
            for place, child in enumerate(children):
                yield from _walk(child, None, steps, place)
        case Mapping(entries):
            is_name = len(entries) == 1 and holder is not None and key is None
            for name, entry in entries.items():
                if name == "op":
                    if isinstance(entry.value, Scalar) and isinstance(entry.value.value, str):
                        yield StepPlace(entry.value, key, holder, index, tree)
                    continue
                if is_name and name not in BODY_KEYS:
                    yield from _walk(entry.value, entry.key, holder, index)
                else:
                    yield from _walk(entry.value, entry.key, None, 0)


def read_step(place: StepPlace) -> tuple[StepText, Op]:
    """Return the parts of a step, and its op.

    The parts of a long form are those of a text with the words of its keys; up to the name of the
    op, that is the text of `op`.

    Raises:
        RewriteError: it calls no op.
    """
    try:
        text = place.step.text.text if place.long is None else write_words(place.long)
        step = parse_step(text)
    except StepSyntaxError:
        raise RewriteError("its text cannot be read") from None
    modifier = f"{step.modifier.text} " if step.modifier else ""
    op = WRITTEN.get(f"{modifier}{step.name.text}")
    if op is None:
        raise RewriteError("it calls no op")
    return step, op


def name_later(place: StepPlace, step: StepText) -> Iterator[TextEdit]:
    """Yield the edits that give later steps of the list the names that they have by counting.

    Raises:
        RewriteError: a later step is written over several lines, so that a name needs more.
    """
    if place.key is not None:
        return
    first = number_of(place, step)
    for number, item in enumerate(list_later(place, step), start=first + 1):
        name = counted_name(step.name.text, number)
        if isinstance(item, Mapping) and not item.span.begins_with("{"):
            raise RewriteError(f"it has no name, and `{name}` behind it would be counted anew")
        yield TextEdit(item.span.part(0, 0), f"{name}: ")


def list_later(place: StepPlace, step: StepText) -> list[Tree]:
    """Return the steps behind a step in its list that are counted with it."""
    counted = _list_counted(place, step)
    return [item for _, item in counted[_rank(counted, place) :]]


def number_of(place: StepPlace, step: StepText) -> int:
    """Return the number of a step among those of its list that are counted with it."""
    return _rank(_list_counted(place, step), place)


def _list_counted(place: StepPlace, step: StepText) -> list[tuple[int, Tree]]:
    """Return the steps of a list that are counted with a step, with their places."""
    assert place.holder is not None
    return place.holder.counted.get(step.name.text, [])


def _rank(counted: list[tuple[int, Tree]], place: StepPlace) -> int:
    return bisect_right(counted, place.index, key=lambda each: each[0])


def begin_line(span: Span) -> str:
    """Return the text before an item of a list on its line: its indent and the dash.

    Raises:
        RewriteError: something else stands there.
    """
    source = span.source.text
    lead = source[source.rfind("\n", 0, span.start) + 1 : span.start]
    if lead.strip() != "-":
        raise RewriteError("it is no `- STEP` on a line of its own")
    return lead


def rest_of_line(span: Span) -> str:
    """Return the text behind an item on its last line, without the line end."""
    source = span.source.text
    end = source.find("\n", span.end)
    return source[span.end : len(source) if end < 0 else end].rstrip("\r")


def end_of_line(span: Span) -> str:
    """Return the line end that a text uses."""
    return _find_line_end(span.source.text)


@lru_cache(maxsize=4)  # each edit of a text asks for it
def _find_line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def indent_behind(region: Span, more: str) -> Iterator[TextEdit]:
    """Yield the edits that indent all lines of a region but the first one deeper."""
    source = region.source
    line = source.text.find("\n", region.start) + 1
    while 0 < line < region.end:
        yield TextEdit(Span(source, line, line), more)
        line = source.text.find("\n", line) + 1


def write_in_flow(item: str) -> str:
    """Return a step as an item of a list in brackets, where a comma ends a plain text."""
    return f'"{item}"' if "," in item else item


def find_end(value: Tree) -> int:
    """Return the end of a value, before the lines that follow.

    The region that YAML gives a list or a mapping of several lines reaches to the next key.
    """
    span = value.span
    match value:
        case TreeSequence(items=[*_, last]) if not span.begins_with("["):
            return find_end(last)
        case Mapping(items) if items and not span.begins_with("{"):
            return find_end(list(items.values())[-1].value)
        case _:
            return span.start + len(span.text.rstrip())
