"""The lines of a comparison's figure: those that are new, gone, or enter a join elsewhere."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inception_dsl.diff import Moved, Reordered, Rewired
from inception_dsl.emit.diff.index import Body, ChangeIndex
from inception_dsl.emit.diff.marks import REMOVED, REWIRED
from inception_dsl.emit.diff.notation import detail_text, shorten
from inception_dsl.emit.figure.content.tree import Mark, Vertex, leaves
from inception_dsl.emit.figure.layout.scene import Edge, Scene
from inception_dsl.emit.figure.styles import EDGE
from inception_dsl.ir import INPUT
from inception_dsl.sequences import find_rising

MAX_MOVED = 3
"""Maximum number of moved inputs that a box names."""

Line = tuple[str, str]
"""The names of the boxes at which a line starts and ends."""


@dataclass(frozen=True, slots=True)
class MarkedLines:
    """The lines that differ.

    Attributes:
        old, new: the looks of lines on each side.
        gone: the lines of the old side alone whose two boxes are still there: by the name of the
            new box that they entered, the new box that they left, and their place there.
    """

    old: dict[Line, Mark] = field(default_factory=dict)
    new: dict[Line, Mark] = field(default_factory=dict)
    gone: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def both(self) -> dict[Line, Mark]:
        """The looks of lines where both sides are one figure."""
        return self.old | self.new


def mark_lines(
    changes: ChangeIndex, old: Body, new: Body, matches: Mapping[str, str]
) -> MarkedLines:
    """Return the lines that differ between two bodies.

    Args:
        matches: the new box that each old box is, by the old one's name.
    """
    marked = MarkedLines()
    names = (_name_ends(old), _name_ends(new))
    before = {vertex.name: vertex for vertex in old.vertices}
    origins = {match: before[name] for name, match in matches.items()}
    known = {**matches, INPUT: INPUT}
    for vertex in new.vertices:
        origin = origins.get(vertex.name)
        if origin is None or not _is_rewired(changes, vertex, new):
            continue
        inputs = [known.get(name, "") for name in origin.inputs]
        kept, read = set(inputs), set(vertex.inputs)
        for place, (name, source) in enumerate(zip(inputs, origin.inputs, strict=True)):
            if name and name not in read:
                marked.old[names[0][source], names[0][origin.name]] = REMOVED
                marked.gone.setdefault(vertex.name, []).append((name, place))
        for source in vertex.inputs:
            if source not in kept:
                marked.new[names[1][source], names[1][vertex.name]] = REWIRED
        if Counter(inputs) == Counter(vertex.inputs):
            for start, end in find_moved(inputs, vertex.inputs):
                marked.old[names[0][origin.inputs[start]], names[0][origin.name]] = REWIRED
                marked.new[names[1][vertex.inputs[end]], names[1][vertex.name]] = REWIRED
    return marked


def _is_rewired(changes: ChangeIndex, vertex: Vertex, body: Body) -> bool:
    paths = (scope / path for scope in body.scopes for path in vertex.paths)
    edits = (edit for path in paths for edit in changes.direct.get(path, ()))
    return any(isinstance(edit, Rewired | Moved | Reordered) for edit in edits)


def _name_ends(body: Body) -> dict[str, str]:
    """Return the name by which lines call each box of a body."""
    names: dict[str, str] = {INPUT: body.entering.name}
    for vertex in body.vertices:
        for leaf in leaves(vertex.element):
            names[vertex.name] = leaf.name
    return names


def recolour_lines(scene: Scene, looks: Mapping[Line, Mark]) -> Scene:
    """Return a scene with the looks of some lines; those of boxes that came or went stay."""
    if not looks:
        return scene

    def recolour(edge: Edge) -> Edge:
        mark = looks.get((edge.source, edge.target))
        if mark is None or edge.colour != EDGE:
            return edge
        colour, width = mark.edge or edge.colour, mark.width or edge.width
        return replace(edge, colour=colour, width=width, dash=mark.edge_dash)

    return replace(scene, edges=tuple(map(recolour, scene.edges)))


def order_text(edit: Reordered) -> str:
    """Return the inputs that stand at another place: `(pool 1st -> 4th)`."""
    before, after = shorten(edit.before, edit.after)
    if Counter(before) != Counter(after):  # some have another name, too
        return detail_text(edit)
    moved = find_moved(before, after)
    if not 0 < len(moved) <= MAX_MOVED:
        return detail_text(edit)
    texts = (f"{before[start]} {_nth(start)} -> {_nth(end)}" for start, end in moved)
    return f"({', '.join(texts)})"


def _nth(index: int) -> str:
    number = index + 1
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def find_moved(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the places, old and new, of the fewest items that must move to sort the rest.

    Both sequences have the same items, and each may have one several times.
    """
    places: dict[Hashable, deque[int]] = defaultdict(deque)
    for place, item in enumerate(after):
        places[item].append(place)
    targets = [places[item].popleft() for item in before]
    kept = set(find_rising(targets))
    return [(start, end) for start, end in enumerate(targets) if start not in kept]
