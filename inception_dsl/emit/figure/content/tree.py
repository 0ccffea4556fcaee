"""The steps of a figure before they have places: in series, in parallel, around a residual.

A tree knows neither places nor a style. To draw a model in another light (a difference, say), build
its tree, replace leaves with `map_leaves`, and give them a `Mark`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.ir import Path

Form = Literal["box", "pill", "sum", "product", "point"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a box, struck through if it no longer holds."""

    text: str
    bold: bool = False
    struck: bool = False
    small: bool = False
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The aspects in which a leaf differs from its kind; an aspect that is None does not differ.

    Attributes:
        edge: the colour of the lines that touch it, and `edge_dash` their dashes.
        badge: a sign in a disc at its corner: `+`, `-` or `delta`.
        hatched: slanted lines are drawn over it.
        faded: its text is grey.
        old_ink: the colour of words beside it that no longer hold.
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
    old_ink: str | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One box, the circle of an add or a mul, or a point that is not seen.

    Attributes:
        paths: the steps that it stands for, by their paths in the body.
        kind: its kind of step, by which the palette paints it.
        lines: its text, the first line its name.
        shape: the shape of its output; empty if that differs from call to call.
        note: the text beside it; `old_note` stands before it, struck through.
        footnotes: the numbers of the footnotes beside it.
        tooltip: the text that a viewer shows of it.
        copies: the number of copies that follow each other; more than one are drawn as cards.
        steps: the absolute paths of the steps that it stands for, in every call of the body.
        shade: its step in the ramp of costs, from 0; None in a figure without costs.
    """

    paths: tuple[Path, ...]
    kind: str
    lines: tuple[Line, ...] = ()
    shape: str = ""
    note: str = ""
    old_note: str = ""
    footnotes: tuple[int, ...] = ()
    tooltip: str = ""
    form: Form = "box"
    copies: int = 1
    mark: Mark | None = None
    steps: tuple[Path, ...] = ()
    shade: int | None = None

    @property
    def name(self) -> str:
        """The paths of its steps, separated by spaces: the name of the box in a file."""
        return " ".join(self.paths)

    @property
    def is_point(self) -> bool:
        """Tell whether the leaf is the start of several inputs, or the end of several outputs."""
        return self.form == "point"

    @property
    def is_circle(self) -> bool:
        """Tell whether the leaf is an add or a mul, drawn as a sign."""
        return self.form in {"sum", "product"}


@dataclass(frozen=True, slots=True)
class Series:
    """Elements one after the other; none at all is a bare line."""

    items: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Parallel:
    """Branches beside each other, in the order in which the join behind reads them."""

    branches: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Residual:
    """A body and a side that leads around it, both read by the circle of an add or a mul.

    `side` is bare for an identity; it stands left of the body if it comes first in the join.
    """

    side: Series
    body: Series
    join: Leaf
    side_is_first: bool

    def in_order(self) -> tuple[Series, Series]:
        """Return side and body in the order in which the join reads them."""
        return (self.side, self.body) if self.side_is_first else (self.body, self.side)


@dataclass(frozen=True, slots=True)
class Stub:
    """A branch that nothing reads: it ends without an arrow."""

    body: Series


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps in a frame of their own, under a label.

    Attributes:
        old_label: a label that no longer holds, which stands before it, struck through.
        mark: the aspects in which the frame and its label differ from others.
    """

    path: Path
    label: str
    body: Series
    is_head: bool = False
    old_label: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Tangle:
    """A place at which branches do not nest: a step leads to a join and past it, too.

    Attributes:
        step: the name of the step; it lies in a branch that the join ends.
        join: the name of the join: an input of it depends on the step.
        other: the name of a step that reads the branch, too, and does not need the join.
    """

    step: str
    join: str
    other: str


@dataclass(frozen=True, slots=True)
class Mesh:
    """Steps whose branches do not nest: a graph that is not series-parallel.

    Attributes:
        output: the name of the step whose output leaves the mesh.
        source: the name by which the steps read the mesh's input.
        block: the name of the block that holds the steps.
        tangle: the first place at which branches do not nest; None if they do, but parallels
            nest too deep for a tree.
    """

    vertices: tuple[Vertex, ...]
    output: str
    source: str
    block: str
    tangle: Tangle | None = None

    @property
    def lines(self) -> int:
        """The number of lines within it."""
        return sum(len(vertex.inputs) for vertex in self.vertices)


Element = Leaf | Series | Parallel | Residual | Stub | StepGroup | Mesh


@dataclass(frozen=True, slots=True)
class Vertex:
    """A step without a place in a tree: its name, the names of its inputs, and its element."""

    name: str
    inputs: tuple[str, ...]
    element: Element

    @property
    def is_port(self) -> bool:
        """Tell whether the leaf is an input or an output, or the point at which these meet."""
        return isinstance(self.element, Leaf) and self.element.form in {"pill", "point"}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The steps that its element stands for."""
        paths = (path for leaf in leaves(self.element) for path in leaf.paths)
        return tuple(dict.fromkeys(paths))


def leaves(element: Element) -> Iterator[Leaf]:
    """Yield the leaves of a tree, in the order in which they run."""
    match element:
        case Leaf():
            yield element
        case _:
            for part in parts_of(element):
                yield from leaves(part)


def parts_of(element: Element) -> tuple[Element, ...]:
    """Return the elements that an element consists of; a leaf has none."""
    match element:
        case Leaf():
            return ()
        case Series(items):
            return items
        case Parallel(branches):
            return branches
        case Residual(side, body, join):
            return (side, body, join)
        case Stub(body) | StepGroup(_, _, body):
            return (body,)
        case Mesh(vertices):
            return tuple(vertex.element for vertex in vertices)


def meshes(element: Element) -> Iterator[Mesh]:
    """Yield the meshes of a tree, those within others after them."""
    if isinstance(element, Mesh):
        yield element
    for part in parts_of(element):
        yield from meshes(part)


def leaf_at(tree: Series, path: str) -> Leaf:
    """Return the last leaf of the steps at a path or below it: the one that makes their output."""
    (*_, last) = (leaf for leaf in leaves(tree) if any(step.is_within(path) for step in leaf.paths))
    return last


def map_leaves(element: Series, change: Callable[[Leaf], Leaf]) -> Series:
    """Return the same tree with every leaf replaced by `change` of it."""
    return Series(tuple(map_element(item, change) for item in element.items))


def map_element(element: Element, change: Callable[[Leaf], Leaf]) -> Element:
    """Return the same element with every leaf replaced by `change` of it."""
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
        case Stub(body) | StepGroup(_, _, body):
            return replace(element, body=map_leaves(body, change))
        case Mesh(vertices):
            changed = (replace(v, element=map_element(v.element, change)) for v in vertices)
            return replace(element, vertices=tuple(changed))
