"""A quantity along the column of a schema: one number for each box that has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from inception_dsl.analysis.representation import Narrowing
from inception_dsl.emit.figure.content.labels import show_amount
from inception_dsl.emit.figure.content.subject import FigureSubject
from inception_dsl.emit.figure.content.tree import Series, leaves
from inception_dsl.emit.figure.request import CurveKind


class CurvePoint(NamedTuple):
    """The value of a curve at a box, and its text."""

    value: int
    text: str


class Curve(NamedTuple):
    """A quantity along a column.

    Attributes:
        caption: the name of the quantity.
        points: by the names of boxes, in order.
        is_line: its points are joined; if false, each stands for itself.
    """

    caption: str
    points: Mapping[str, CurvePoint]
    is_line: bool


_CAPTIONS: dict[CurveKind, str] = {
    "representation": "Values behind each step",
    "macs": "MACs, row by row",
    "params": "Parameters, row by row",
}


def draw_curve(
    subject: FigureSubject, tree: Series, kind: CurveKind, steps: Sequence[Narrowing]
) -> Curve:
    """Return a quantity along the boxes of a schema.

    Args:
        steps: the representation at each step, for its curve.
    """
    if kind == "representation":
        values = dict(_list_values(tree, steps))
    else:
        values = {
            leaf.name: getattr(subject.total(leaf.steps), kind)
            for leaf in leaves(tree)
            if leaf.form == "box"
        }
    points = {name: CurvePoint(value, show_amount(value)) for name, value in values.items()}
    return Curve(_CAPTIONS[kind], points, is_line=kind == "representation")


def _list_values(tree: Series, steps: Sequence[Narrowing]) -> Iterator[tuple[str, int]]:
    """Yield the values that leave each box: of the last one, where a step has several."""
    last: dict[str, str] = {}
    for leaf in leaves(tree):
        if leaf.form != "point" and leaf.paths:
            last[leaf.paths[-1]] = leaf.name
            last[leaf.paths[-1].first] = leaf.name
    if steps:
        first = next(leaves(tree))
        yield first.name, steps[0].enters
    for point in steps:
        if point.step in last:
            yield last[point.step], point.leaves
