"""Write several steps at the head of branches as one branch, and a slice of it for each.

The new branch is the first one. `order` leaves it out of the join, and the others read their part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

from inception_dsl.emit.spec.places import (
    RewriteError,
    StepPlace,
    TextEdit,
    end_of_line,
    find_step,
    name_later,
    read_step,
    write_in_flow,
)
from inception_dsl.emit.spec.step import group_words
from inception_dsl.ops import Op
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Tree
from inception_dsl.spec.tree import Sequence as TreeSequence


@dataclass(frozen=True, slots=True)
class _Join:
    """A body with branches.

    Attributes:
        items: the list whose item it is, without a name; None if it is in none.
        branches: the entry of the branches.
    """

    body: Mapping
    items: TreeSequence | None
    branches: Entry


def merge_steps(tree: Tree, spans: Sequence[Span], name: str) -> list[TextEdit]:
    """Return the edits that write steps as one branch, and slices of it in theirs.

    Args:
        spans: the texts of the steps, in the order of their channels.
        name: the name of the new branch, with a number if something has it.

    Raises:
        RewriteError: the steps are written in a way that this cannot change.
    """
    places = [find_step(tree, span) for span in spans]
    join = next(_find_joins(tree, spans, None), None)
    if join is None:
        raise RewriteError("they do not all begin branches of one join")
    name = _choose_name(join, name)
    read = [read_step(place.step) for place in places]
    widths = [_read_width(op, step) for step, op in read]
    edits: list[TextEdit] = []
    for index, (place, width) in enumerate(zip(places, widths, strict=True)):
        edits += _write_slice(place, name, width, _add(widths[:index]))
    step, op = read[0]
    words = [_add(widths) if word == "width" else text for word, text in group_words(op, step)]
    kernel = f"{step.kernel.text} " if step.kernel else ""
    wide = f"{kernel}{step.name.text} ({' '.join(words)})"
    return [*edits, _put_first(join, name, wide), *_write_order(join)]


def _find_joins(tree: Tree, spans: Sequence[Span], items: TreeSequence | None) -> Iterator[_Join]:
    """Yield the bodies in whose branches all steps are the first ones, each in its own."""
    match tree:
        case TreeSequence(items=children):
            for child in children:
                if spans[0] in child.span:
                    yield from _find_joins(child, spans, tree)
        case Mapping(items=entries):
            match entries.get("branches"):
                case Entry(value=Mapping(items=branches)) as entry:
                    heads = [_find_head(each.value) for each in branches.values()]
                    if all(span.start in heads for span in spans):
                        yield _Join(tree, items, entry)
            for each in entries.values():
                if spans[0] in each.value.span:
                    yield from _find_joins(each.value, spans, None)


def _find_head(branch: Tree) -> int | None:
    """Return the start of the text of the first step of a branch, if it is a plain text."""
    match branch:
        case Scalar():
            return branch.text.start
        case TreeSequence(items=[Scalar() as first, *_]):
            return first.text.start
        case TreeSequence(items=[Mapping(items=named), *_]) if len(named) == 1:
            (entry,) = named.values()
            return entry.value.text.start if isinstance(entry.value, Scalar) else None
    return None


def _read_width(op: Op, step: StepText) -> str:
    """Return the width of a step, as it is written.

    Raises:
        RewriteError: it is repeated, or has no kernel or no width.
    """
    if step.count is not None:
        raise RewriteError("one of them is a repeated step")
    if step.kernel is not None and step.kernel.kind != "kernel":
        raise RewriteError("a kernel is a parameter")
    width = dict(group_words(op, step)).get("width")
    if width is None:
        raise RewriteError("the width of one is not written")
    return width


def _add(widths: Sequence[str]) -> str:
    """Return the sum of some widths; numbers are added."""
    if all(width.isdigit() for width in widths):
        return str(sum(map(int, widths)))
    return " + ".join(widths)


def _write_slice(place: StepPlace, name: str, width: str, start: str) -> Iterator[TextEdit]:
    """Yield the edits that write a slice for a step, in a branch that reads another one."""
    text = place.step.text
    step, op = read_step(place.step)
    end = text.text.index(")", step.words[-1].end) + 1
    written = f"slice ({width})" if start == "0" else f"slice ({width} from {start})"
    new = write_in_flow(written + text.text[end:])  # its shape note stays
    head = f"{{from: {name}, steps: "
    if place.items is None:
        yield TextEdit(text, f"{head}{new}}}")
        return
    yield TextEdit(text, new)
    yield from name_later(place, op, is_named=True)
    here, source = place.items.span, text.source
    if here.text.startswith("["):
        yield TextEdit(Span(source, here.start, here.start), head)
        yield TextEdit(Span(source, here.end, here.end), "}")
    else:
        # A list may stand as deep as its key.
        depth = here.start - source.text.rfind("\n", 0, here.start) - 1
        line = f"{end_of_line(text)}{' ' * depth}"
        start_of_list = Span(source, here.start, here.start)
        yield TextEdit(start_of_list, f"from: {name}{line}steps:{line}")


def _choose_name(join: _Join, name: str) -> str:
    """Return a name that nothing beside the join or in it has."""
    holders = [join.branches.value, *(join.items.items if join.items else [])]
    taken = {key for holder in holders if isinstance(holder, Mapping) for key in holder.items}
    names = chain([name], (f"{name}{number}" for number in count(2)))
    return next(each for each in names if each not in taken)


def _put_first(join: _Join, name: str, wide: str) -> TextEdit:
    """Return the edit that puts a branch before the others of a join."""
    branches = join.branches.value
    assert isinstance(branches, Mapping)
    first = next(iter(branches.items.values()))
    key = first.key
    here = Span(key.source, key.start, key.start)
    if branches.span.text.startswith("{"):
        return TextEdit(here, f"{name}: {write_in_flow(wide)}, ")
    is_beside = "\n" not in key.source.text[key.end : first.value.span.start]
    width = first.value.span.start - key.start if is_beside else 0
    source = key.source.text
    indent = source[source.rfind("\n", 0, key.start) + 1 : key.start]
    return TextEdit(here, f"{name}: ".ljust(width) + f"{wide}{end_of_line(key)}{indent}")


def _write_order(join: _Join) -> Iterator[TextEdit]:
    """Yield the edit that leaves the new branch out of the join, unless the join has an order."""
    branches, key = join.branches.value, join.branches.key
    assert isinstance(branches, Mapping)
    if "order" in join.body.items:
        return
    order = f"order: [{', '.join(branches.items)}]"
    source = key.source.text
    if join.body.span.text.startswith("{"):
        end = branches.span.end
        yield TextEdit(Span(key.source, end, end), f", {order}")
    else:
        indent = " " * (key.start - source.rfind("\n", 0, key.start) - 1)
        here = Span(key.source, key.start, key.start)
        yield TextEdit(here, f"{order}{end_of_line(key)}{indent}")
