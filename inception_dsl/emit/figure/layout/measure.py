"""The size of every kind of element: the way from a tree to elements that can be placed."""

from __future__ import annotations

from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Mesh,
    Parallel,
    Residual,
    Series,
    StepGroup,
    Stub,
    leaves,
)
from inception_dsl.emit.figure.layout.elements import (
    MeasuredGroup,
    MeasuredLeaf,
    MeasuredParallel,
    MeasuredResidual,
    MeasuredSeries,
    MeasuredStub,
)
from inception_dsl.emit.figure.layout.leaf_box import text_span
from inception_dsl.emit.figure.layout.measured import MeasuredElement
from inception_dsl.emit.figure.styles import Style

_OF_A_COLUMN = frozenset(["box", "pill"])
"""The forms of leaves that are as wide as their column."""


def measure(element: Element, style: Style, width: float = 0) -> MeasuredElement:
    """Measure an element.

    Args:
        width: the least width of its boxes, if it is a column.

    Raises:
        MissingExtraError: branches do not nest, and there is no Graphviz.
    """
    match element:
        case Leaf():
            return MeasuredLeaf(element, style, width if element.form in _OF_A_COLUMN else 0)
        case Series(items):
            boxes = [measure(item, style, _width_in(item, width)) for item in items]
            return MeasuredSeries(boxes, style)
        case Parallel(branches):
            return MeasuredParallel([measure(branch, style) for branch in branches], style)
        case Residual(side, body, join):
            return MeasuredResidual(
                measure(body, style),
                measure(side, style),
                MeasuredLeaf(join, style),
                style,
                is_bare=not side.items,
                side_is_first=element.side_is_first,
            )
        case Stub(body):
            return MeasuredStub(measure(body, style))
        case StepGroup(_, _, body):
            has_badge = any(leaf.mark and leaf.mark.badge for leaf in leaves(body))
            return MeasuredGroup(element, measure(body, style, width), has_badge=has_badge)
        case Mesh(vertices):
            sizes = [measure(vertex.element, style) for vertex in vertices]
            # Few figures have a mesh, which needs the interface to Graphviz.
            from inception_dsl.emit.figure.layout.mesh import MeasuredMesh

            return MeasuredMesh(element, sizes)


def _width_in(item: Element, width: float) -> float:
    """Return the minimum width of an element of a column: the column's for a box, else none."""
    return width if isinstance(item, Leaf) else 0


def column_width(tree: Series, style: Style) -> float:
    """Return the width that all boxes of a column have: that of the widest text."""
    boxes = (item for item in tree.items if isinstance(item, Leaf) and item.form in _OF_A_COLUMN)
    return max((text_span(leaf, style) for leaf in boxes), default=0.0)
