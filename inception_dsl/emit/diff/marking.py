"""The boxes of both sides of a comparison, each with its mark and with the words that change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from inception_dsl.diff import (
    Added,
    ArgumentsChanged,
    BlockRenamed,
    Changed,
    Edit,
    Removed,
    Renamed,
    Reordered,
    Reparented,
    Replaced,
)
from inception_dsl.emit.diff.index import Body, ChangeIndex, list_nodes, step_within
from inception_dsl.emit.diff.lines import order_text
from inception_dsl.emit.diff.marks import (
    ADDED,
    BLUE,
    CHANGED,
    REMOVED,
    RIPPLE,
    SAME,
    TINTED,
    add_note,
    mark_element,
    note_shape,
    strike_gone,
    strike_old,
)
from inception_dsl.emit.diff.notation import detail_text
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Mark,
    Series,
    Vertex,
    leaves,
    map_element,
)
from inception_dsl.ir import Path

_BY_LINES = (Added, Removed, Changed, Replaced, ArgumentsChanged, BlockRenamed)
"""The edits that a box shows by the lines in which both sides differ; others are told in words."""

_BY_TITLE = (Added, Removed, Renamed, Reparented, BlockRenamed)
"""The edits that the first line of a box shows: its name, and the number of its copies."""


def match_boxes(changes: ChangeIndex, old: Body, new: Body) -> dict[str, str]:
    """Return the new box that each old box is, by the old one's name."""
    matches: dict[str, str] = {}
    taken: set[str] = set()
    for name, counterparts in _find_counterparts(changes, old, new).items():
        free = (box for box in counterparts if box not in taken)
        if (match := next(free, None)) is not None:
            matches[name] = match
            taken.add(match)
    return matches


def _find_counterparts(changes: ChangeIndex, old: Body, new: Body) -> dict[str, list[str]]:
    """Return the new boxes that were made of each old box, in order."""
    boxes = {
        node: vertex.name
        for vertex in new.vertices
        for node in list_nodes(vertex, [new.scope], changes.new_nodes)
    }
    ports = {vertex.name for vertex in new.vertices if vertex.is_port}
    counterparts: dict[str, list[str]] = {}
    for vertex in old.vertices:
        nodes = list_nodes(vertex, [old.scope], changes.old_nodes)
        paired = (changes.pairs.get(node, Path()) for node in nodes)
        counterparts[vertex.name] = list(dict.fromkeys(boxes[n] for n in paired if n in boxes))
        if vertex.is_port and vertex.name in ports:
            counterparts[vertex.name] = [vertex.name]
    return counterparts


def mark_bodies(changes: ChangeIndex, old: Body, new: Body) -> tuple[Body, Body]:
    """Return both bodies with the looks that their boxes have in a comparison."""
    counterparts = _find_counterparts(changes, old, new)
    matches = match_boxes(changes, old, new)
    before = {vertex.name: vertex for vertex in old.vertices}
    origins = {new_name: before[name] for name, new_name in matches.items()}
    marked_old = {
        vertex.name: mark_element(vertex.element, REMOVED, struck=True) for vertex in old.vertices
    }
    vertices: list[Vertex] = []
    for vertex in new.vertices:
        origin = origins.get(vertex.name)
        change = _find_change(changes, vertex, new, origin, old)
        is_alone = origin is not None and len(counterparts[origin.name]) == 1
        old_element = origin.element if origin is not None and is_alone else None
        new_element, old_look = _mark_pair(change, vertex.element, old_element)
        vertices.append(replace(vertex, element=new_element))
        if origin is not None:
            marked_old[origin.name] = old_look or mark_element(origin.element, change.mark)
    entering = _mark_input(changes, old, new)
    old_vertices = [replace(v, element=marked_old[v.name]) for v in old.vertices]
    return (
        replace(old, vertices=old_vertices, entering=entering[0]),
        replace(new, vertices=vertices, entering=entering[1]),
    )


def _mark_input(changes: ChangeIndex, old: Body, new: Body) -> tuple[Leaf, Leaf]:
    """Return the boxes of the inputs of both sides: of the network's, or of a block's."""
    before, after = replace(old.entering, mark=SAME), replace(new.entering, mark=SAME)
    if any(path in changes.direct for path in after.paths) and not new.scope:
        lines = strike_old(before.lines, after.lines)
        before = replace(before, mark=CHANGED, lines=strike_gone(before.lines, after.lines))
        return before, replace(after, mark=CHANGED, lines=lines)
    if before.shape and after.shape and before.shape != after.shape:
        after = note_shape(replace(after, mark=RIPPLE), before.shape)
    return before, after


@dataclass(frozen=True, slots=True)
class _BoxChange:
    """The facts by which a box is marked.

    Attributes:
        mark: the look of the box; `rest` is that of a second box of the step that says the same.
        edits: the edits of the step itself.
        inside: the number of steps that change below it, by their kind of change.
        has_other_values: attributes of it differ, whether an edit names them or they follow.
    """

    mark: Mark
    rest: Mark
    edits: Sequence[Edit]
    inside: Mapping[str, int]
    has_other_values: bool


def _find_change(
    changes: ChangeIndex, vertex: Vertex, new: Body, origin: Vertex | None, old: Body
) -> _BoxChange:
    nodes = list(list_nodes(vertex, new.scopes, changes.new_nodes))
    is_new = origin is None and not any(node in changes.back for node in nodes)
    if is_new:
        return _BoxChange(ADDED, ADDED, (), {}, has_other_values=False)
    paths = _paths_of(vertex, new)
    old_paths = _paths_of(origin, old) if origin is not None else {}
    touched = changes.find_within(paths)
    gone = changes.find_gone_within(old_paths)
    # An added or removed copy is marked at the repeated step itself.
    edits = [edit for at in touched if _is_at(at, paths) for edit in changes.direct[at]]
    edits += [edit for at in gone if _is_at(at, old_paths) for edit in changes.gone[at]]
    inside: Counter[str] = Counter()
    counted = {
        ("added" if _is_added(changes, at) else "changed", step_within(at, paths))
        for at in touched
        if not _is_at(at, paths)
    }
    counted |= {("removed", step_within(at, old_paths)) for at in gone if not _is_at(at, old_paths)}
    for kind, _ in sorted(counted):
        inside[kind] += 1
    differs = any(node in changes.other_values and _is_at(node, paths) for node in nodes)
    follows = any(node in changes.followers for node in nodes)
    is_tinted = any(node in changes.tinted for node in nodes)
    is_changed = bool(edits or counted) or (differs and not follows)
    rest = RIPPLE if follows else TINTED if is_tinted else SAME
    mark = CHANGED if is_changed else rest
    own = list({id(edit): edit for edit in edits}.values())  # a hash reads all places of an edit
    return _BoxChange(mark, rest, own, inside, has_other_values=differs)


def _paths_of(vertex: Vertex, body: Body) -> dict[Path, None]:
    """Return the absolute paths of the steps that a box stands for."""
    return dict.fromkeys(scope / path for scope in body.scopes for path in vertex.paths)


def _is_at(path: Path, holders: Mapping[Path, None]) -> bool:
    """Tell whether a path is that of a step, or of a copy of it."""
    return path in holders or path.step in holders


def _is_added(changes: ChangeIndex, path: Path) -> bool:
    return all(isinstance(edit, Added) for edit in changes.direct[path])


def _mark_pair(
    change: _BoxChange, new: Element, old: Element | None
) -> tuple[Element, Element | None]:
    """Return the box of a step on the new side, and that on the old side if there is one.

    Args:
        old: the old box of the step; None if the step has none of its own.
    """
    if old is None:
        pairs: list[tuple[Leaf | None, Leaf | None]] = [(None, leaf) for leaf in leaves(new)]
    else:
        pairs = list(zip_longest(leaves(old), leaves(new)))
    befores: list[Leaf] = []
    afters: list[Leaf] = []
    is_first = True
    for before, after in pairs:
        if after is None:  # a box of a step that has one less now, such as that of its activation
            assert before is not None
            afters.append(_ghost(before))
            befores.append(_ghost(before))
            continue
        if before is None and old is not None:
            afters.append(replace(after, mark=ADDED))
            continue
        marked = _mark_leaf(change, after, before, has_words=is_first)
        afters.append(marked)
        if before is not None:
            befores.append(_mark_old_leaf(change, before, after))
        is_first = False
    shown_old = _rebuild(old, befores) if old is not None else None
    return _rebuild(new, afters), shown_old


def _ghost(leaf: Leaf) -> Leaf:
    element = mark_element(leaf, REMOVED, struck=True)
    assert isinstance(element, Leaf)
    return element


def _rebuild(element: Element, marked: Sequence[Leaf]) -> Element:
    """Return an element with other leaves; with more than it had, they follow each other."""
    count = sum(1 for _ in leaves(element))
    if count != len(marked):
        return Series(tuple(marked))
    following = iter(marked)
    return map_element(element, lambda _: next(following))


def _mark_leaf(change: _BoxChange, leaf: Leaf, old: Leaf | None, *, has_words: bool) -> Leaf:
    """Return a box of the new body with its mark; `has_words`, with those of its edits."""
    marked = replace(leaf, mark=change.mark)
    is_struck = False
    if old is not None and _shows_lines(change):
        lines = _strike(change, old.lines, leaf.lines)
        is_struck = any(line.struck for line in lines)
        marked = replace(marked, lines=lines)
        if leaf.is_circle and old.note != leaf.note:
            marked = replace(marked, old_note=old.note)
            is_struck = True
    if not has_words and not is_struck:
        marked = replace(marked, mark=change.rest)
    if has_words:
        for line in _tell(change, is_struck=is_struck):
            if marked.is_circle:
                marked = add_note(marked, line.text)
            else:
                marked = replace(marked, lines=(*marked.lines, line))
    return note_shape(marked, old.shape if old is not None else "")


def _mark_old_leaf(change: _BoxChange, leaf: Leaf, new: Leaf) -> Leaf:
    """Return a box of the old body with the mark of its new one."""
    marked = replace(leaf, mark=change.mark)
    if not _shows_lines(change):
        return marked
    if leaf.is_circle:
        is_other = leaf.note != new.note
        return replace(marked, old_note=leaf.note, note="") if is_other else marked
    return replace(marked, lines=strike_gone(leaf.lines, new.lines))


def _shows_lines(change: _BoxChange) -> bool:
    """Tell whether the lines in which both sides differ tell of a change of the step itself.

    A box shows the arguments in which the calls of its block differ. One side's calls may differ in
    more than those of the other, and no call has changed.
    """
    return change.has_other_values or bool(change.edits)


def _strike(change: _BoxChange, old: Sequence[Line], new: Sequence[Line]) -> tuple[Line, ...]:
    is_titled = all(isinstance(edit, _BY_TITLE) for edit in change.edits)
    if change.edits and is_titled and not change.has_other_values:
        return (*strike_old(old[:1], new[:1]), *new[1:])
    return strike_old(old, new)


def _tell(change: _BoxChange, *, is_struck: bool) -> Iterator[Line]:
    """Yield the words of a box that its own lines do not show."""
    if change.inside:
        yield Line(f"({_inside_text(change.inside)})", colour=BLUE)
    texts: dict[str, None] = {}
    for edit in change.edits:
        match edit:
            case Reordered():
                texts[order_text(edit)] = None
            case _ if not (is_struck and isinstance(edit, _BY_LINES)):
                texts[detail_text(edit)] = None
    yield from (Line(text, small=True) for text in texts)


def _inside_text(inside: Mapping[str, int]) -> str:
    """Return the number of steps that change below a box: `2 steps changed, 1 removed inside`."""
    parts: list[str] = []
    for kind in ("changed", "added", "removed"):
        if count := inside.get(kind, 0):
            noun = "" if parts else " step" if count == 1 else " steps"
            parts.append(f"{count}{noun} {kind}")
    return f"{', '.join(parts)} inside"
