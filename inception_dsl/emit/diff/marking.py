"""The facts of a comparison by box, and the boxes of both sides marked by them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.diff import Changed, Comparison, Edit, Renamed, Reparented
from inception_dsl.emit.diff.marks import (
    ADDED,
    BLUE,
    CHANGED,
    REMOVED,
    RIPPLE,
    SAME,
    mark_element,
    note_shape,
    only_element,
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
    map_leaves,
)
from inception_dsl.ir import Model, Path, find_range

MAX_SITES = 8
"""Maximum number of lines that share a change in the figure; others are listed below it."""


@dataclass(frozen=True, slots=True)
class Body:
    """The boxes of a block, or of the network, on one side.

    Attributes:
        output: the box whose value it gives.
        scope: the path of the call that is looked at.
        scopes: the paths of all calls of the block.
        entering: the box of its input.
    """

    vertices: Sequence[Vertex]
    output: str
    scope: Path
    scopes: tuple[Path, ...]
    entering: Leaf


@dataclass(frozen=True, slots=True)
class ChangeIndex:
    """The edits of a comparison by the steps that they touch.

    Attributes:
        pairs: new nodes by old ones; `back` the other way round.
        direct: the edits at each new path.
        touched: the same paths, sorted, so that those below one path stand together.
        followers: the nodes of which only the shape or the cost follows.
        shared: the edits that would mark nearly every box; they are listed below the figure.
        blocks: the new blocks that some edit changes.
        old_nodes, new_nodes: the nodes at each path and below it.
    """

    pairs: Mapping[str, Path]
    back: Mapping[str, Path]
    direct: Mapping[Path, Sequence[Edit]]
    touched: Sequence[Path]
    followers: frozenset[Path]
    shared: Sequence[Edit]
    blocks: frozenset[str]
    old_nodes: Mapping[str, Sequence[Path]]
    new_nodes: Mapping[str, Sequence[Path]]

    def find_within(self, holders: Iterable[Path]) -> list[Path]:
        """Return the touched paths that are one of the holders or lie below one, each once."""
        paths: dict[Path, None] = {}
        for holder in holders:
            if holder in self.direct:
                paths[holder] = None
            start, end = find_range(self.touched, holder)
            paths.update(dict.fromkeys(self.touched[start:end]))
        return list(paths)


def index_changes(comparison: Comparison) -> ChangeIndex:
    """Return the edits of a comparison by the steps that they touch."""
    diff = comparison.diff
    edits = [edit for edit in diff.edits if edit.category not in ("INTERFACE", "COSMETIC")]
    shared = [edit for edit in edits if _is_shared(edit)]
    marked = [edit for edit in edits if not _is_shared(edit)]
    direct: dict[Path, list[Edit]] = {}
    for edit in marked:
        for place in edit.places:
            if place.new is not None:
                direct.setdefault(place.new, []).append(edit)
    return ChangeIndex(
        pairs=dict(diff.pairs),
        back={new: old for old, new in diff.pairs},
        direct=direct,
        touched=sorted(direct),
        followers=frozenset(path for edit in diff.edits for path in edit.followers),
        shared=shared,
        blocks=frozenset(block for edit in marked for block in _changed_blocks(edit)),
        old_nodes=_nodes_within(comparison.old),
        new_nodes=_nodes_within(comparison.new),
    )


def _is_shared(edit: Edit) -> bool:
    """Tell whether an edit would mark nearly every box of a block."""
    match edit:
        case Changed(sites=sites):
            return len(sites) > MAX_SITES
        case Renamed(is_many=is_many) | Reparented(is_many=is_many):
            return is_many
        case _:
            return False


def _changed_blocks(edit: Edit) -> Iterator[str]:
    if edit.new is not None:
        yield edit.new.block
    if isinstance(edit, Changed):
        yield from (site.block for site in edit.sites)


def _nodes_within(model: Model) -> dict[str, list[Path]]:
    nodes: dict[str, list[Path]] = {}
    for node in model.graph.nodes:
        for holder in (node.path, *node.path.parents):
            nodes.setdefault(holder, []).append(node.path)
    return nodes


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
        for node in _nodes_in(vertex, [new.scope], changes.new_nodes)
    }
    ports = {vertex.name for vertex in new.vertices if vertex.is_port}
    counterparts: dict[str, list[str]] = {}
    for vertex in old.vertices:
        nodes = _nodes_in(vertex, [old.scope], changes.old_nodes)
        paired = (changes.pairs.get(node, Path()) for node in nodes)
        counterparts[vertex.name] = list(dict.fromkeys(boxes[n] for n in paired if n in boxes))
        if vertex.is_port and vertex.name in ports:
            counterparts[vertex.name] = [vertex.name]
    return counterparts


def _nodes_in(
    vertex: Vertex, scopes: Sequence[Path], nodes: Mapping[str, Sequence[Path]]
) -> Iterator[Path]:
    for scope in scopes:
        for path in vertex.paths:
            yield from nodes.get(scope / path, ())


def mark_bodies(changes: ChangeIndex, old: Body, new: Body) -> tuple[Body, Body]:
    """Return both bodies with the looks that their boxes have in a comparison."""
    matches = match_boxes(changes, old, new)
    counterparts = _find_counterparts(changes, old, new)
    alone = {new_name: name for name, new_name in matches.items() if len(counterparts[name]) == 1}
    old_elements = {vertex.name: vertex.element for vertex in old.vertices}
    after: dict[str, Vertex] = {}
    for vertex in new.vertices:
        old_element = old_elements.get(alone.get(vertex.name, ""))
        element = _mark_box(changes, vertex, new.scopes, old_element)
        after[vertex.name] = replace(vertex, element=element)
    before: list[Vertex] = []
    for vertex in old.vertices:
        match = after.get(matches.get(vertex.name, ""))
        mark = next(leaves(match.element)).mark if match is not None else REMOVED
        element = mark_element(vertex.element, mark or SAME, struck=match is None)
        before.append(replace(vertex, element=element))
    entering = replace(new.entering, mark=SAME)
    if new.entering.shape != old.entering.shape:
        entering = note_shape(replace(entering, mark=RIPPLE), old.entering.shape)
    return (
        replace(old, vertices=before, entering=replace(old.entering, mark=SAME)),
        replace(new, vertices=list(after.values()), entering=entering),
    )


@dataclass(frozen=True, slots=True)
class _BoxChange:
    """The facts by which a box is marked.

    Attributes:
        mark: the look of the box.
        edits: the edits of the step itself.
        inside: the number of steps that change below it, if it does not change itself.
    """

    mark: Mark
    edits: Sequence[Edit]
    inside: int


def _find_box_change(
    changes: ChangeIndex, vertex: Vertex, scopes: Sequence[Path], nodes: Sequence[Path]
) -> _BoxChange:
    paths = dict.fromkeys(scope / path for scope in scopes for path in vertex.paths)
    touched = changes.find_within(paths)
    edits = [edit for path in paths for edit in changes.direct.get(path, ())]
    # An added or removed copy is marked at the repeated step itself.
    below = [at for at in touched if not (at.copy is not None and at.parent in paths)]
    inside = len({_step_within(at, paths) for at in below}) if not edits else 0
    follows = any(node in changes.followers for node in nodes)
    mark = CHANGED if touched else RIPPLE if follows else SAME
    return _BoxChange(mark, edits, inside)


def _step_within(path: Path, holders: Container[Path]) -> Path:
    """Return a path within its holder; the same for all copies of the holder."""
    holder = next(holder for holder in (path, *path.parents, Path()) if holder in holders)
    inner = path.relative_to(holder)
    return inner.relative_to(inner.first) if inner.first.copy is not None else inner


def _mark_box(
    changes: ChangeIndex, vertex: Vertex, scopes: Sequence[Path], old: Element | None
) -> Element:
    """Return a box of the new body with its mark in a comparison; `old` is its old box."""
    nodes = list(_nodes_in(vertex, scopes, changes.new_nodes))
    if old is None and not any(node in changes.back for node in nodes):
        return mark_element(vertex.element, ADDED)
    change = _find_box_change(changes, vertex, scopes, nodes)
    old_leaves = iter(list(leaves(old)) if old is not None else [])
    first, *others = (leaf.lines for leaf in leaves(vertex.element))
    is_whole = not others

    def mark_leaf(leaf: Leaf) -> Leaf:
        old_leaf = next(old_leaves, None)
        lines = leaf.lines
        if old_leaf is not None and change.mark is not SAME:
            lines = _strike_changed(change, old_leaf.lines, leaf.lines, is_whole=is_whole)
        if change.inside and leaf.lines == first:
            word = "steps" if change.inside > 1 else "step"
            lines = (*lines, Line(f"({change.inside} {word} changed inside)", colour=BLUE))
        if change.edits and lines == leaf.lines:  # the box does not show the edit by itself
            details = dict.fromkeys(map(detail_text, change.edits))
            lines = (*lines, *(Line(text, small=True) for text in details))
        marked = replace(leaf, lines=lines, mark=change.mark)
        return note_shape(marked, old_leaf.shape if old_leaf is not None else leaf.shape)

    return only_element(map_leaves(Series((vertex.element,)), mark_leaf))


def _strike_changed(
    change: _BoxChange, old: Sequence[Line], new: Sequence[Line], *, is_whole: bool
) -> tuple[Line, ...]:
    """Return the lines of a box, with the words struck that its own edits change.

    A box shows the arguments in which the calls of its block differ. One side's calls may differ in
    more than those of the other, and no call has changed.

    Args:
        is_whole: the step has no other box.
    """
    if not is_whole or (not change.edits and not change.inside):
        return strike_old(old, new)
    if not change.edits:
        return tuple(new)
    if all(isinstance(edit, Renamed | Reparented) for edit in change.edits):
        return (*strike_old(old[:1], new[:1]), *new[1:])
    return strike_old(old, new)
