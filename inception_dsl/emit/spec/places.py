"""The places of steps in a spec's text, and edits of regions; the names that counting gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

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
class StepPlace:
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
    """Return a text with its regions replaced.

    If an empty one begins where another does, its text comes first.

    Raises:
        RewriteError: two of them overlap.
    """
    behind = len(text)
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end), reverse=True):
        if edit.span.end > behind:
            raise RewriteError("two edits of the text overlap")
        behind = edit.span.start
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def find_step(tree: Tree, span: Span) -> StepPlace:
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
) -> Iterator[StepPlace]:
    match tree:
        case Scalar() if tree.text.start == span.start and isinstance(tree.value, str):
            yield StepPlace(tree, key, items, index)
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


def read_step(scalar: Scalar) -> tuple[StepText, Op]:
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
        if isinstance(item, Mapping) and not item.span.text.startswith("{"):
            raise RewriteError(f"it has no name, and `{name}` behind it would be counted anew")
        yield TextEdit(item.span.part(0, 0), f"{name}: ")


def _list_counted(place: StepPlace, step: StepText) -> Iterator[tuple[int, Tree]]:
    """Yield the steps of a list that have no name and are counted with a step, with their places.

    As in `resolve`, steps are counted by the name of their op or block.
    """
    assert place.items is not None
    for index, item in enumerate(place.items.items):
        match item:
            case Scalar(value=str(text)) | Mapping({"op": Entry(value=Scalar(value=str(text)))}):
                with suppress(StepSyntaxError):
                    if parse_step(text).name.text == step.name.text:
                        yield index, item


def list_later(place: StepPlace, step: StepText) -> list[Tree]:
    """Return the steps behind a step in its list that are counted with it."""
    return [item for index, item in _list_counted(place, step) if index > place.index]


def number_of(place: StepPlace, step: StepText) -> int:
    """Return the number of a step among those of its list that are counted with it."""
    return sum(1 for index, _ in _list_counted(place, step) if index <= place.index)


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


def end_of_line(span: Span) -> str:
    """Return the line end that a text uses."""
    return "\r\n" if "\r\n" in span.source.text else "\n"


def write_in_flow(item: str) -> str:
    """Return a step as an item of a list in brackets, where a comma ends a plain text."""
    return f'"{item}"' if "," in item else item


def find_end(value: Tree) -> int:
    """Return the end of a value, before the lines that follow.

    The region that YAML gives a list or a mapping of several lines reaches to the next key.
    """
    span = value.span
    match value:
        case TreeSequence(items=[*_, last]) if not span.text.startswith("["):
            return find_end(last)
        case Mapping(items) if items and not span.text.startswith("{"):
            return find_end(list(items.values())[-1].value)
        case _:
            return span.start + len(span.text.rstrip())
