"""The steps of a figure before they have places: in series, in parallel, around a residual.

A tree knows neither shapes nor costs nor a style. To draw a model in another light (a difference,
say), build its tree, replace leaves with `map_leaves`, and give them a `Mark`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Form = Literal["box", "pill", "sum", "product"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a box; `struck` for what it no longer says."""

    text: str
    bold: bool = False
    struck: bool = False
    small: bool = False
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How a leaf departs from the look of its kind; None leaves an aspect as it is.

    Attributes:
        edge: the colour of the lines that touch it, and `edge_dash` their dashes.
        badge: a sign in a disc at its corner: `+`, `-` or `delta`.
        hatched: slanted lines are drawn over it.
        faded: its text is grey.
    """

    fill: str | None = None
    stroke: str | None = None
    width: float | None = None
    dash: str | None = None
    text: str | None = None
    edge: str | None = None
    edge_dash: str | None = None
    badge: Literal["+", "-", "delta"] | None = None
    hatched: bool = False
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """One box, or the circle of an add or a mul.

    Attributes:
        path: the steps that it stands for, separated by spaces.
        kind: what it is, for the palette.
        lines: its text, the first line its name.
        shape: what it gives; empty where that differs from call to call.
        note: what stands beside it.
        footnotes: the numbers of the footnotes that its note carries.
        tooltip: what a viewer shows of it.
        copies: how many of it follow each other; more than one are drawn as cards.
        width: a least width, for boxes in a column.
    """

    path: str
    kind: str
    lines: tuple[Line, ...] = ()
    shape: str = ""
    note: str = ""
    footnotes: tuple[int, ...] = ()
    tooltip: str = ""
    form: Form = "box"
    copies: int = 1
    width: float = 0
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One after the other; none is a bare line."""

    items: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Parallel:
    """Beside each other, in the order in which the join behind them reads them."""

    branches: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Residual:
    """A body and what goes around it, both read by the circle of an add or a mul.

    `side` is bare for an identity; it stands left of the body if it comes first in the join.
    """

    side: Series
    body: Series
    join: Leaf
    side_is_first: bool

    def in_order(self) -> tuple[Series, Series]:
        """Side and body in the order in which the join reads them."""
        return (self.side, self.body) if self.side_is_first else (self.body, self.side)


@dataclass(frozen=True, slots=True)
class Stub:
    """A branch that nothing reads: it ends without an arrow."""

    body: Series


@dataclass(frozen=True, slots=True)
class Group:
    """Steps in a frame of their own, under a label."""

    path: str
    label: str
    body: Series
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Mesh:
    """Steps whose lines cross, however they are placed: a graph that is not series-parallel.

    `source` is the path by which they read what enters, `output` the step that leads on.
    """

    vertices: tuple[Vertex, ...]
    output: str
    source: str


Element = Leaf | Series | Parallel | Residual | Stub | Group | Mesh


@dataclass(frozen=True, slots=True)
class Vertex:
    """A step to be placed in a tree: what it reads, and how it is drawn."""

    path: str
    inputs: tuple[str, ...]
    element: Element


def leaves(element: Element) -> Iterator[Leaf]:
    """The leaves of a tree, in the order in which they run."""
    match element:
        case Leaf():
            yield element
        case Series(parts) | Parallel(parts):
            for part in parts:
                yield from leaves(part)
        case Residual(side, body, join):
            yield from leaves(side)
            yield from leaves(body)
            yield join
        case Stub(body) | Group(_, _, body):
            yield from leaves(body)
        case Mesh(vertices):
            for vertex in vertices:
                yield from leaves(vertex.element)


def leaf_at(tree: Series, path: str) -> Leaf:
    """The leaf that gives what the steps at a path give, or below it: the last of theirs."""
    (*_, last) = (
        leaf
        for leaf in leaves(tree)
        for own in leaf.path.split()
        if own == path or own.startswith(f"{path}.")
    )
    return last


def map_leaves(element: Series, change: Callable[[Leaf], Leaf]) -> Series:
    """The same tree with every leaf replaced by what `change` makes of it."""
    return Series(tuple(_mapped(item, change) for item in element.items))


def _mapped(element: Element, change: Callable[[Leaf], Leaf]) -> Element:
    match element:
        case Leaf():
            return change(element)
        case Series():
            return map_leaves(element, change)
        case Parallel(branches):
            return Parallel(tuple(map_leaves(branch, change) for branch in branches))
        case Residual(side, body, join):
            return replace(
                element,
                side=map_leaves(side, change),
                body=map_leaves(body, change),
                join=change(join),
            )
        case Stub(body) | Group(_, _, body):
            return replace(element, body=map_leaves(body, change))
        case Mesh(vertices):
            changed = (replace(v, element=_mapped(v.element, change)) for v in vertices)
            return replace(element, vertices=tuple(changed))
