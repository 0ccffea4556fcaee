"""Write several steps at the head of branches as one branch, and a slice of it for each.

The new branch is the first one. `order` leaves it out of the join, and the others read their part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlace,
    StepPlaces,
    TextEdit,
    end_of_line,
    find_end,
    indent_behind,
    name_later,
    number_of,
    read_step,
    write_in_flow,
)
from inception_dsl.emit.spec.step import KEYS_BESIDE, group_words
from inception_dsl.ops import Op
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText, counted_name
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Tree
from inception_dsl.spec.tree import Sequence as TreeSequence

_KEPT_KEYS = frozenset(["out", "source", "steps", "title"])
"""The keys of a branch that may read a slice, with all its values as they were."""


@dataclass(frozen=True, slots=True)
class _Join:
    """A body with branches.

    Attributes:
        branches: the entry of the branches.
        is_pair: the body is `branches: {...}` in a list in brackets, without braces of its own.
    """

    body: Mapping
    branches: Entry
    is_pair: bool


def find_obstacles(known: StepPlaces, spans: Sequence[Span]) -> dict[int, str]:
    """Return the steps that cannot be merged with the others, each with the reason.

    The join with most of the steps at the heads of its branches is the one that is edited.
    """
    joins = _find_joins(known.tree, spans, is_listed=False)
    join = max(joins, key=lambda join: _count_heads(join, spans), default=None)
    obstacles: dict[int, str] = {}
    for index, span in enumerate(spans):
        try:
            place = known.find(span)
            step, op = read_step(place)
            _read_width(op, step)
            if join is None or span.start not in _list_heads(join):
                raise RewriteError("it begins no branch of the join of the others")
            branch = _find_branch(join, place)
            list(_write_slice(branch, place, "", None, "", "", keeps_name=False))
        except RewriteError as error:
            obstacles[index] = error.reason
    return obstacles


def merge_steps(
    known: StepPlaces,
    spans: Sequence[Span],
    name: str,
    slices: Sequence[str | None],
    *,
    keeps_names: bool,
) -> list[TextEdit]:
    """Return the edits that write steps as one branch, and slices of it in theirs.

    Args:
        known: the places of all steps of the file.
        spans: the texts of the steps, in the order of their channels.
        name: the name of the new branch.
        slices: the name of each slice that takes the place of a step without one; None for one
            that may be counted.
        keeps_names: such a slice has the name that the step had by counting.

    Raises:
        RewriteError: the steps are written in a way that this cannot change.
    """
    places = [known.find(span) for span in spans]
    joins = _find_joins(known.tree, spans, is_listed=False)
    join = next((join for join in joins if _count_heads(join, spans) == len(spans)), None)
    if join is None:
        raise RewriteError("they do not all begin branches of one join")
    read = [read_step(place) for place in places]
    widths = [_read_width(op, step) for step, op in read]
    edits: list[TextEdit] = []
    for index, (place, width) in enumerate(zip(places, widths, strict=True)):
        branch = _find_branch(join, place)
        called = None if place.key is not None else slices[index]
        start = _add(widths[:index])
        edits += _write_slice(branch, place, name, called, width, start, keeps_name=keeps_names)
    step, op = read[0]
    words = [_add(widths) if word == "width" else text for word, text in group_words(op, step)]
    kernel = f"{step.kernel.text} " if step.kernel else ""
    wide = f"{kernel}{step.name.text} ({' '.join(words)})"
    return [*edits, _put_first(join, name, wide), *_write_order(join)]


def _find_joins(tree: Tree, spans: Sequence[Span], *, is_listed: bool) -> Iterator[_Join]:
    """Yield the bodies with branches that hold one of some steps, the outer ones first."""
    match tree:
        case TreeSequence(items=children):
            for child in children:
                if any(span in child.span for span in spans):
                    is_listed = tree.span.begins_with("[")
                    yield from _find_joins(child, spans, is_listed=is_listed)
        case Mapping(items=entries):
            match entries.get("branches"):
                case Entry(value=Mapping()) as entry:
                    is_pair = is_listed and not tree.span.begins_with("{")
                    yield _Join(tree, entry, is_pair)
            for each in entries.values():
                if any(span in each.value.span for span in spans):
                    yield from _find_joins(each.value, spans, is_listed=False)


def _list_branches(join: _Join) -> list[Entry]:
    assert isinstance(join.branches.value, Mapping)
    return list(join.branches.value.items.values())


def _find_branch(join: _Join, place: StepPlace) -> Entry:
    """Return the branch of a join that holds a step."""
    return next(each for each in _list_branches(join) if place.step.span in each.value.span)


def _list_heads(join: _Join) -> list[int | None]:
    """Return the start of the first step of each branch."""
    return [_find_head(each.value) for each in _list_branches(join)]


def _count_heads(join: _Join, spans: Sequence[Span]) -> int:
    """Return the number of steps that begin a branch of a join."""
    heads = _list_heads(join)
    return sum(span.start in heads for span in spans)


def _find_head(branch: Tree) -> int | None:
    """Return the start of the text of the first step of a branch, if it is a single step."""
    match branch:
        case TreeSequence(items=[Mapping(items=named), *_]) if (
            len(named) == 1 and "op" not in named
        ):
            (entry,) = named.values()
            return _find_text(entry.value)
        case TreeSequence(items=[first, *_]):
            return _find_text(first)
        case Mapping(items={"steps": Entry(value=Scalar() | TreeSequence() as steps)}):
            return _find_head(steps)
    return _find_text(branch)


def _find_text(step: Tree) -> int | None:
    """Return the start of the text of a step, or of `op` in its long form."""
    match step:
        case Scalar():
            return step.text.start
        case Mapping(items={"op": Entry(value=Scalar(text=text))}):
            return text.start
    return None


def _read_width(op: Op, step: StepText) -> str:
    """Return the width of a step, as it is written.

    Raises:
        RewriteError: it is repeated, or has no kernel or no width.
    """
    if step.count is not None:
        raise RewriteError("it is a repeated step")
    if step.kernel is not None and step.kernel.kind != "kernel":
        raise RewriteError("its kernel is a parameter")
    width = dict(group_words(op, step)).get("width")
    if width is None:
        raise RewriteError("its width is not written")
    return width


def _add(widths: Sequence[str]) -> str:
    """Return the sum of some widths; numbers are added."""
    if all(width.isdigit() for width in widths):
        return str(sum(map(int, widths)))
    return " + ".join(widths)


def _write_slice(
    branch: Entry,
    place: StepPlace,
    name: str,
    called: str | None,
    width: str,
    start: str,
    *,
    keeps_name: bool,
) -> Iterator[TextEdit]:
    """Yield the edits that write a slice for a step, in a branch that reads another one.

    Raises:
        RewriteError: the branch has keys beside its steps that another input would change.
    """
    text = place.region
    written = f"slice ({width})" if start == "0" else f"slice ({width} from {start})"
    new = write_in_flow(written + _find_note(place))
    if place.items is not None:
        step, _ = read_step(place)
        if keeps_name and place.key is None:
            called = counted_name(step.name.text, number_of(place, step))
        yield from name_later(place, step)
    if called is not None:
        new = f"{called}: {new}"
    value = branch.value
    if isinstance(value, Mapping) and place.long is not value:
        if others := value.items.keys() - _KEPT_KEYS:
            raise RewriteError(f"its branch has `{min(others)}`, which may read the input")
        yield TextEdit(text, new)
        yield _write_key(branch, next(iter(value.items.values())).key, f"from: {name}")
    elif place.items is None:
        yield TextEdit(text, f"{{from: {name}, steps: {new}}}")
    elif value.span.begins_with("["):
        yield TextEdit(text, new)
        yield TextEdit(value.span.part(0, 0), f"{{from: {name}, steps: ")
        yield TextEdit(Span(text.source, value.span.end, value.span.end), "}")
    else:
        yield TextEdit(text, new)
        yield from _write_keys_of_list(branch, name)


def _find_note(place: StepPlace) -> str:
    """Return the shape note of a step as it stands behind its text, with the blanks before it.

    Raises:
        RewriteError: its long form has a comment, or keys that a slice cannot have as a text.
    """
    if place.long is None:
        text = place.step.text.text
        step, _ = read_step(place)
        return text[text.index(")", step.words[-1].end) + 1 :]
    others = place.long.items.keys() & (KEYS_BESIDE - {"op", "out"})
    if others:
        raise RewriteError(f"its long form has `{min(others)}`")
    if "#" in place.region.text:
        raise RewriteError("a comment stands in its long form")
    note = place.long.items.get("out")
    return "" if note is None else f" -> {note.value.span.text}"


def _write_keys_of_list(branch: Entry, name: str) -> Iterator[TextEdit]:
    """Yield the edits that make a list of lines the steps of a branch that reads another one."""
    first, key = branch.value.span.part(0, 0), branch.key
    source = key.source
    depth, key_depth = (_find_column(span) for span in (first, key))
    more = "  " if depth == key_depth else ""  # a list may stand as deep as its key
    if more:
        yield from indent_behind(Span(source, key.end, find_end(branch.value)), more)
    line_end = f"{end_of_line(key)}{' ' * depth}{more}"
    yield _write_key(branch, first, f"{more}from: {name}{line_end}steps:")


def _find_column(span: Span) -> int:
    return span.start - span.source.text.rfind("\n", 0, span.start) - 1


def _write_key(holder: Entry, first: Span, key: str) -> TextEdit:
    """Return the edit that writes a key before the first part of a value.

    Comments between both stay beside the part: the key stands right behind that of the value.
    """
    source = first.source
    if holder.value.span.begins_with("{"):
        return TextEdit(holder.value.span.part(1, 1), f"{key}, ")
    line = source.text.rfind("\n", 0, first.start) + 1
    behind = source.text.find("\n", holder.key.end) + 1
    lead = " " * (first.start - line)
    return TextEdit(Span(source, behind, behind), f"{lead}{key}{end_of_line(first)}")


def _put_first(join: _Join, name: str, wide: str) -> TextEdit:
    """Return the edit that puts a branch before the others of a join."""
    first = _list_branches(join)[0]
    if join.branches.value.span.begins_with("{"):
        return _write_key(join.branches, first.key, f"{name}: {write_in_flow(wide)}")
    is_beside = "\n" not in first.key.source.text[first.key.end : first.value.span.start]
    width = first.value.span.start - first.key.start if is_beside else 0
    return _write_key(join.branches, first.key, f"{name}: ".ljust(width) + wide)


def _write_order(join: _Join) -> Iterator[TextEdit]:
    """Yield the edit that leaves the new branch out of the join, unless the join has an order."""
    branches, key = join.branches.value, join.branches.key
    assert isinstance(branches, Mapping)
    if "order" in join.body.items:
        return
    order = f"order: [{', '.join(branches.items)}]"
    source = key.source.text
    if join.is_pair or join.body.span.begins_with("{"):
        end = branches.span.end
        yield TextEdit(Span(key.source, end, end), f", {order}{'}' * join.is_pair}")
        if join.is_pair:
            yield TextEdit(key.part(0, 0), "{")
        return
    line = source.rfind("\n", 0, key.start) + 1
    lead = source[line : key.start]
    indent = " " * len(lead)
    if lead.strip():  # the body begins on the line of its dash
        yield TextEdit(key.part(0, 0), f"{order}{end_of_line(key)}{indent}")
        return
    here = Span(key.source, (start := _skip_comments(source, line)), start)
    yield TextEdit(here, f"{indent}{order}{end_of_line(key)}")


def _skip_comments(text: str, line: int) -> int:
    """Return the start of the lines of comments right before a line."""
    while (before := text.rfind("\n", 0, max(line - 1, 0)) + 1) < line:
        if not text[before:line].lstrip().startswith("#"):
            break
        line = before
    return line
