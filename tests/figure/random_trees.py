"""Random trees of steps, and what must hold of their figures whatever their form.

`test_layout` tries a few; `benchmarks/layout.py` tries as many as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise

from hypothesis import strategies as st
from read_svg import Rect, read

from inception_dsl.emit.figure.content.decompose import decompose
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Mesh,
    Parallel,
    Residual,
    Series,
    StepGroup,
    Stub,
    Vertex,
    leaves,
    map_leaves,
)
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.arrange import place_columns, place_tree
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.styles import DIRECTIONS, PRESETS, Style
from inception_dsl.ir import Path

words = st.sampled_from(
    [
        "x",
        "3x3 Conv",
        "(96 stride 2 V)",
        "<&>\"'é",
        "漢漢漢漢漢漢漢漢",
        "WWWWWWWWWWWWWWWWWWWWWWWW",
        "i l 1 . : |",
    ]
)
"""Texts of all widths: drawing each letter at random takes most of a run."""

leaf = st.builds(
    Leaf,
    paths=st.just(()),
    kind=st.sampled_from(["conv1", "conv3", "flat", "join", "projection", "plain"]),
    lines=st.one_of(
        st.tuples(st.builds(Line, words, bold=st.just(value=True))),
        st.tuples(st.builds(Line, words, bold=st.just(value=True)), st.builds(Line, words)),
    ),
    note=st.sampled_from(["", "", "35x35x384", "Output: 17x17x1024"]),
    copies=st.sampled_from([1, 1, 1, 4]),
)
circle = st.builds(Leaf, st.just(()), st.just("circle"), form=st.sampled_from(["sum", "product"]))


def branches(depth: int) -> st.SearchStrategy[Series]:
    """Branches: bare, of steps, ending in a fork that the join behind reads, or never read."""
    steps = series(depth, least=1)
    if not depth:
        return st.one_of(st.just(Series()), steps)
    forked = st.tuples(steps, parallels(depth - 1)).map(lambda two: Series((*two[0].items, two[1])))
    stub = steps.map(lambda body: Series((Stub(body),)))
    return st.one_of(st.just(Series()), steps, steps, forked, stub)


def parallels(depth: int) -> st.SearchStrategy[Parallel]:
    # One is read at least: what nothing reads has no join.
    read_ones = series(depth, least=1)
    others = st.lists(branches(depth), min_size=1, max_size=4)
    return st.tuples(read_ones, others).map(lambda two: Parallel((two[0], *two[1])))


def residual(depth: int) -> st.SearchStrategy[Residual]:
    side = st.one_of(st.just(Series()), series(0, least=1))
    return st.builds(Residual, side, series(depth, least=1), circle, st.booleans())


def series(depth: int, least: int = 0) -> st.SearchStrategy[Series]:
    """Steps in a row; a parallel stands before a box that joins it."""
    items: st.SearchStrategy[tuple[Element, ...]] = st.tuples(leaf)
    if depth:
        items = st.one_of(
            items,
            items,
            st.tuples(parallels(depth - 1), leaf),
            st.tuples(parallels(depth - 1), circle),
            st.tuples(residual(depth - 1)),
            series(depth - 1, least=1).map(lambda body: (StepGroup(Path("g"), "a group", body),)),
        )
    rows = st.lists(items, min_size=least, max_size=3)
    return rows.map(lambda row: Series(tuple(item for part in row for item in part)))


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> Series:
    """A tree that begins with a box and ends in one, every box with a path of its own.

    At a depth of 3 a tree has hundreds of boxes, and reading its figure takes a second.
    """
    middle = draw(series(depth, least=1))
    tree = Series((draw(leaf), *middle.items, draw(leaf)))
    numbers = count()
    return map_leaves(tree, lambda own: replace(own, paths=(Path(f"p{next(numbers)}"),)))


styles = st.builds(
    replace,
    st.sampled_from(list(PRESETS.values())),
    direction=st.sampled_from(DIRECTIONS),
    is_tight=st.booleans(),
)


def edges(tree: Series) -> set[tuple[str, str]]:
    """From where to where lines have to go."""
    found: set[tuple[str, str]] = set()
    _through(tree, set(), found)
    return found


def _through(element: Element, sources: set[str], found: set[tuple[str, str]]) -> set[str]:
    """Return the boxes that an element reads from, and those that it leads on to."""
    match element:
        case Leaf():
            found |= {(source, element.name) for source in sources}
            return {element.name}
        case Series(items):
            for item in items:
                sources = _through(item, sources, found)
            return sources
        case Parallel(own):
            return {path for branch in own for path in _through(branch, sources, found)}
        case Residual(side, body, join):
            ends = _through(side, sources, found) | _through(body, sources, found)
            return _through(join, ends, found)
        case Stub(body):
            _through(body, sources, found)
            return set()
        case StepGroup(_, _, body):
            return _through(body, sources, found)
        case Mesh():
            raise AssertionError("a tree that is drawn at random has no mesh")


def parallels_in(element: Element) -> Iterator[Parallel]:
    match element:
        case Series(items):
            for item in items:
                yield from parallels_in(item)
        case Parallel(own):
            yield element
            for branch in own:
                yield from parallels_in(branch)
        case Residual(side, body, _):
            yield from parallels_in(side)
            yield from parallels_in(body)
        case Stub(body) | StepGroup(_, _, body):
            yield from parallels_in(body)
        case Leaf():
            pass


def assert_shows(svg: str, tree: Series) -> None:
    """A figure shows its tree, and no box, line or text of it overlaps another."""
    figure = read(svg)
    assert figure.edges() == edges(tree)
    assert [box.path for box in sorted(figure.boxes, key=lambda box: int(box.path[1:]))] == [
        own.name for own in leaves(tree)
    ]
    width, height = float(figure.root.attrib["width"]), float(figure.root.attrib["height"])
    sheet = Rect(-0.1, -0.1, width + 0.1, height + 0.1)
    for index, box in enumerate(figure.boxes):
        for other in figure.boxes[index + 1 :]:
            assert not box.place.overlaps(other.place), (box.path, other.path)
            for note in other.note_places():
                assert not box.place.overlaps(note), (box.path, other.notes)
        for line in figure.lines:
            for point in line.points:
                assert not box.place.holds(point), (box.path, line.source, line.target)
                assert sheet.holds(point, inset=0), (line.source, line.target)
        for text in box.texts[: len(box.lines)]:
            size, bold = float(text.attrib.get("font-size", 11)), "font-weight" in text.attrib
            half = text_width(text.text or "", size, bold=bold) / 2
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            assert box.place.left < x - half
            assert x + half < box.place.right
            assert box.place.top < y - 0.72 * size
            assert y + 0.21 * size < box.place.bottom
        assert sheet.holds((box.place.left, box.place.top), inset=0)
        assert sheet.holds((box.place.right, box.place.bottom), inset=0)
    places = {box.path: box.place for box in figure.boxes}
    for parallel in parallels_in(tree):
        spans = [[places[own.name] for own in leaves(branch)] for branch in parallel.branches]
        for left, right in pairwise(span for span in spans if span):
            assert max(place.right for place in left) < min(place.left for place in right)


def vertices(tree: Series) -> list[Vertex]:
    """The boxes of a tree with what they read, in the order in which they run."""
    inputs: dict[str, list[str]] = {own.name: [] for own in leaves(tree)}

    def through(element: Element, sources: list[str]) -> list[str]:
        match element:
            case Leaf():
                inputs[element.name] += sources
                return [element.name]
            case Series(items):
                for item in items:
                    sources = through(item, sources)
                return sources
            case Parallel(own):
                return [path for branch in own for path in through(branch, sources)]
            case Residual(side, body, join, first):
                ends = [through(side, sources), through(body, sources)]
                both = [*ends[0], *ends[1]] if first else [*ends[1], *ends[0]]
                return through(join, both)
            case Stub(body):
                through(body, sources)
                return []
            case StepGroup(_, _, body):
                return through(body, sources)
            case Mesh():
                raise AssertionError("a tree that is drawn at random has no mesh")

    through(tree, [])
    return [Vertex(own.name, tuple(inputs[own.name]), own) for own in leaves(tree)]


def assert_nothing_overlaps(tree: Series, style: Style) -> None:
    assert_shows(to_svg(place_tree(tree, style), title=""), tree)


def assert_nothing_overlaps_in_columns(tree: Series, style: Style, columns: int) -> None:
    assert_shows(to_svg(place_columns(tree, style, columns), title=""), tree)


def assert_is_decomposed_into_itself(tree: Series) -> None:
    """The graph of a tree is taken apart into a tree with the same boxes and lines."""
    first, *others = vertices(tree)
    found = decompose(others, others[-1].name, source=first.name)
    again = Series((first.element, *found.items))
    assert edges(again) == edges(tree)
    assert {own.name for own in leaves(again)} == {own.name for own in leaves(tree)}
