"""The training heads of a comparison, beside the figure of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.diff import Comparison
from inception_dsl.emit.diff.ghosts import Boxes, with_ghosts
from inception_dsl.emit.diff.index import Body, ChangeIndex
from inception_dsl.emit.diff.lines import MarkedLines
from inception_dsl.emit.diff.marking import mark_bodies, match_boxes
from inception_dsl.emit.diff.marks import ADDED, CHANGED, REMOVED, mark_element
from inception_dsl.emit.figure.content.boxes import head_label, input_leaf
from inception_dsl.emit.figure.content.decompose import NotSeriesParallelError, decompose
from inception_dsl.emit.figure.content.schema import head_vertices
from inception_dsl.emit.figure.content.subject import FigureSubject
from inception_dsl.emit.figure.content.tree import Mark, StepGroup
from inception_dsl.ir import INPUT, Head, Path

PlacedHead = tuple[Path, StepGroup]
"""A head, and the path of the step that it stands at."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Training heads of the old side, of the new one, and of both merged in one figure.

    Attributes:
        bodies: the boxes of each head on both sides.
    """

    old: Sequence[PlacedHead] = ()
    new: Sequence[PlacedHead] = ()
    both: Sequence[PlacedHead] = ()
    bodies: Sequence[tuple[Body, Body]] = ()


@dataclass(frozen=True, slots=True)
class _HeadSides:
    """One head on the sides that have it, and merged."""

    old: PlacedHead | None
    new: PlacedHead | None
    both: tuple[PlacedHead, ...]


def merge_bodies(
    changes: ChangeIndex, old: Body, new: Body, lines: MarkedLines | None = None
) -> Body | None:
    """Return both marked bodies in one, with removed steps and lines as ghosts.

    Removed lines are left out where branches nest without them alone.

    Returns:
        None if the branches of both together do not nest.
    """
    sides = Boxes(old.vertices, old.output), Boxes(new.vertices, new.output)
    matches = match_boxes(changes, old, new)
    choices = [lines.gone, {}] if lines is not None and lines.gone else [{}]
    for gone in choices:
        try:
            both = with_ghosts(*sides, matches, gone)
            decompose(both.vertices, both.output)
        except NotSeriesParallelError:
            continue
        return replace(new, vertices=both.vertices, output=both.output)
    return None


def draw_heads(
    comparison: Comparison,
    subjects: tuple[FigureSubject, FigureSubject],
    changes: ChangeIndex,
    trunks: tuple[Body, Body],
) -> Heads:
    """Return the training heads of both sides.

    Args:
        subjects: both networks.
        trunks: the boxes of both networks, at which the heads stand.
    """
    rest: dict[str, Head] = {head.path: head for head in comparison.old.heads}
    heads: list[_HeadSides] = []
    bodies: list[tuple[Body, Body]] = []
    for head in comparison.new.heads:
        old_head = _find_old_head(changes, head, rest)
        body = _head_body(subjects[1], head)
        if old_head is None:
            bodies.append((replace(body, vertices=()), body))
            heads.append(_added_head(subjects[1], head))
        else:
            del rest[old_head.path]
            bodies.append((_head_body(subjects[0], old_head), body))
            heads.append(_paired_head(changes, subjects, trunks, old_head, head))
    for gone in rest.values():
        body = _head_body(subjects[0], gone)
        bodies.append((body, replace(body, vertices=())))
        heads.append(_removed_head(changes, subjects[0], trunks, gone))
    return Heads(
        old=[sides.old for sides in heads if sides.old is not None],
        new=[sides.new for sides in heads if sides.new is not None],
        both=[head for sides in heads for head in sides.both],
        bodies=bodies,
    )


def _find_old_head(changes: ChangeIndex, head: Head, rest: Mapping[str, Head]) -> Head | None:
    """Return the old head that a new one is, by a step that both have or by its name."""
    for node in changes.new_nodes.get(head.path, ()):
        for old_head in rest.values():
            if old_head.holds(changes.back.get(node, "")):
                return old_head
    return rest.get(head.path)


def _added_head(subject: FigureSubject, head: Head) -> _HeadSides:
    body = _mark_all(_head_body(subject, head), ADDED)
    group = replace(_group(head, head_label(head), body), mark=ADDED)
    placed = subject.heads[head.path].source, group
    return _HeadSides(None, placed, (placed,))


def _paired_head(
    changes: ChangeIndex,
    subjects: tuple[FigureSubject, FigureSubject],
    trunks: tuple[Body, Body],
    old: Head,
    new: Head,
) -> _HeadSides:
    """Return a head that both sides have; one that moved is a ghost at its old place, too."""
    bodies = mark_bodies(changes, _head_body(subjects[0], old), _head_body(subjects[1], new))
    merged = merge_bodies(changes, *bodies)
    labels = head_label(old), head_label(new)
    sources = subjects[0].heads[old.path].source, subjects[1].heads[new.path].source
    before, after = _group(old, labels[0], bodies[0]), _group(new, labels[1], bodies[1])
    both = _group(new, labels[1], merged or bodies[1])
    if labels[0] != labels[1]:
        before, after = replace(before, mark=CHANGED), replace(after, mark=CHANGED)
        if old.path == new.path:
            both = replace(both, mark=CHANGED, label=head_label(new, old))
        else:
            both = replace(both, mark=CHANGED, old_label=labels[0])
    together = [(sources[1], both)]
    ghost = _removed_head(changes, subjects[0], trunks, old)
    at, _ = ghost.both[0]
    boxes = {path: vertex.name for vertex in trunks[1].vertices for path in vertex.paths}
    if merged is None or boxes.get(at, at) != boxes.get(sources[1], sources[1]):
        together += ghost.both
    return _HeadSides((sources[0], before), (sources[1], after), tuple(together))


def _removed_head(
    changes: ChangeIndex,
    subject: FigureSubject,
    trunks: tuple[Body, Body],
    head: Head,
) -> _HeadSides:
    """Return a head that only the old side has, at the new box that it stood at."""
    matches = match_boxes(changes, *trunks)
    ends = {vertex.name: vertex.paths[-1] for vertex in trunks[1].vertices if vertex.paths}
    body = _mark_all(_head_body(subject, head), REMOVED, struck=True)
    group = replace(_group(head, head_label(head), body), mark=REMOVED)
    source = subject.heads[head.path].source
    box = next((v.name for v in trunks[0].vertices if source in v.paths), source)
    at = ends.get(matches.get(box, ""), source)
    return _HeadSides((source, group), None, ((at, group),))


def _head_body(subject: FigureSubject, head: Head) -> Body:
    folded = subject.heads[head.path]
    source, output = folded.source, folded.output
    vertices = [
        replace(vertex, inputs=tuple(INPUT if p == source else p for p in vertex.inputs))
        for vertex in head_vertices(subject, folded)
    ]
    output = INPUT if output == source else output
    return Body(vertices, output, Path(), (Path(),), input_leaf(subject))


def _mark_all(body: Body, mark: Mark, *, struck: bool = False) -> Body:
    vertices = [
        replace(vertex, element=mark_element(vertex.element, mark, struck=struck))
        for vertex in body.vertices
    ]
    return replace(body, vertices=vertices)


def _group(head: Head, label: str, body: Body) -> StepGroup:
    return StepGroup(head.path, label, decompose(body.vertices, body.output), is_head=True)
