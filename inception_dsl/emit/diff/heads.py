"""The training heads of a comparison, beside the figure of the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.diff import Comparison
from inception_dsl.emit.diff.ghosts import Boxes, with_ghosts
from inception_dsl.emit.diff.marking import Body, ChangeIndex, mark_bodies, match_boxes
from inception_dsl.emit.diff.marks import ADDED, REMOVED, mark_element
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
    """Training heads of the old side, of the new one, and of both merged in one figure."""

    old: Sequence[PlacedHead] = ()
    new: Sequence[PlacedHead] = ()
    both: Sequence[PlacedHead] = ()


@dataclass(frozen=True, slots=True)
class _HeadSides:
    """One head on the sides that have it, and merged."""

    old: PlacedHead | None
    new: PlacedHead | None
    both: PlacedHead


def merge_bodies(changes: ChangeIndex, old: Body, new: Body) -> Body | None:
    """Return both marked bodies in one, with removed steps as ghosts.

    Returns:
        None if the branches of both together do not nest.
    """
    sides = Boxes(old.vertices, old.output), Boxes(new.vertices, new.output)
    try:
        both = with_ghosts(*sides, match_boxes(changes, old, new))
        decompose(both.vertices, both.output)
    except NotSeriesParallelError:
        return None
    return replace(new, vertices=both.vertices, output=both.output)


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
    for head in comparison.new.heads:
        old_head = _find_old_head(changes, head, rest)
        if old_head is None:
            heads.append(_added_head(subjects[1], head))
        else:
            del rest[old_head.path]
            heads.append(_paired_head(changes, subjects, old_head, head))
    heads += _removed_heads(changes, subjects[0], trunks, rest.values())
    return Heads(
        old=[sides.old for sides in heads if sides.old is not None],
        new=[sides.new for sides in heads if sides.new is not None],
        both=[sides.both for sides in heads],
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
    placed = subject.heads[head.path].source, _group(head, head_label(head), body)
    return _HeadSides(None, placed, placed)


def _paired_head(
    changes: ChangeIndex, subjects: tuple[FigureSubject, FigureSubject], old: Head, new: Head
) -> _HeadSides:
    bodies = mark_bodies(changes, _head_body(subjects[0], old), _head_body(subjects[1], new))
    merged = merge_bodies(changes, *bodies) or bodies[1]
    labels = head_label(old), head_label(new)
    both = " -> ".join(dict.fromkeys(labels))
    sources = subjects[0].heads[old.path].source, subjects[1].heads[new.path].source
    return _HeadSides(
        (sources[0], _group(old, labels[0], bodies[0])),
        (sources[1], _group(new, labels[1], bodies[1])),
        (sources[1], _group(new, both, merged)),
    )


def _removed_heads(
    changes: ChangeIndex,
    subject: FigureSubject,
    trunks: tuple[Body, Body],
    heads: Iterable[Head],
) -> Iterator[_HeadSides]:
    """Yield the heads that only the old side has, at the new box that they stood at."""
    matches = match_boxes(changes, *trunks)
    ends = {vertex.name: vertex.paths[-1] for vertex in trunks[1].vertices if vertex.paths}
    for head in heads:
        body = _mark_all(_head_body(subject, head), REMOVED, struck=True)
        group = _group(head, head_label(head), body)
        source = subject.heads[head.path].source
        box = next((v.name for v in trunks[0].vertices if source in v.paths), source)
        at = ends.get(matches.get(box, ""), source)
        yield _HeadSides((source, group), None, (at, group))


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
