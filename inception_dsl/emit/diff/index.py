"""The edits of a comparison by the steps that they touch: the facts that mark a box."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inception_dsl.diff import (
    Added,
    ArgumentsChanged,
    Changed,
    Comparison,
    Edit,
    EndChanged,
    HeadListed,
    LossChanged,
    ParameterListed,
    PortsChanged,
    Removed,
    Renamed,
    Reparented,
)
from inception_dsl.emit.figure.content.tree import Leaf, Vertex
from inception_dsl.ir import Model, Path, find_range

MAX_SITES = 8
"""Maximum number of lines that share a change in the figure; others are told above it."""

Spoken = Mapping[Path, frozenset[str]]
"""The attributes or arguments that the boxes of a comparison show whatever their values are."""


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
        direct: the edits at each new path, those left out that only remove steps.
        touched: the same paths, sorted, so that those below one path stand together.
        gone: the edits that remove steps, by old paths; `gone_paths` has these paths, sorted.
        followers: the nodes of which only the shape or the cost follows.
        shared: the edits that would mark nearly every box; they are told above the drawing.
        tinted: the new nodes that a shared edit touches.
        other_values: the new nodes that run with other attributes than before, but for those that
            a shared edit changes, or one that makes no difference.
        blocks, old_blocks: the blocks that some edit changes; of the old ones, those that lose
            steps.
        old_nodes, new_nodes: the nodes at each path and below it.
        spoken: for the old side and the new one.
    """

    pairs: Mapping[str, Path]
    back: Mapping[str, Path]
    direct: Mapping[Path, Sequence[Edit]]
    touched: Sequence[Path]
    gone: Mapping[Path, Sequence[Edit]]
    gone_paths: Sequence[Path]
    followers: frozenset[Path]
    shared: Sequence[Edit]
    tinted: frozenset[Path]
    other_values: frozenset[Path]
    blocks: frozenset[str]
    old_blocks: frozenset[str]
    old_nodes: Mapping[str, Sequence[Path]]
    new_nodes: Mapping[str, Sequence[Path]]
    spoken: tuple[Spoken, Spoken]

    def find_within(self, holders: Iterable[Path]) -> list[Path]:
        """Return the touched paths that are one of the holders or lie below one, each once."""
        return _find_within(self.direct, self.touched, holders)

    def find_gone_within(self, holders: Iterable[Path]) -> list[Path]:
        """Return the removed old paths that are one of the holders or lie below one, each once."""
        return _find_within(self.gone, self.gone_paths, holders)


def _find_within(
    edits: Mapping[Path, Sequence[Edit]], paths: Sequence[Path], holders: Iterable[Path]
) -> list[Path]:
    within: dict[Path, None] = {}
    for holder in holders:
        if holder in edits:
            within[holder] = None
        start, end = find_range(paths, holder)
        within.update(dict.fromkeys(paths[start:end]))
    return list(within)


def index_changes(comparison: Comparison) -> ChangeIndex:
    """Return the edits of a comparison by the steps that they touch."""
    diff = comparison.diff
    edits = [edit for edit in diff.edits if _marks_boxes(edit)]
    shared = [edit for edit in edits if _is_shared(edit)]
    marked = [edit for edit in edits if not _is_shared(edit)]
    direct: dict[Path, list[Edit]] = {}
    gone: dict[Path, list[Edit]] = {}
    for edit in marked:
        for place in edit.places:
            if place.new is not None:
                direct.setdefault(place.new, []).append(edit)
            elif place.old is not None:
                gone.setdefault(place.old, []).append(edit)
    new_nodes = _nodes_within(comparison.new)
    followers = frozenset(path for edit in diff.edits for path in edit.followers)
    differing = _compare_values(comparison, shared)
    return ChangeIndex(
        pairs=dict(diff.pairs),
        back={new: old for old, new in diff.pairs},
        direct=direct,
        touched=sorted(direct),
        gone=gone,
        gone_paths=sorted(gone),
        followers=followers,
        shared=shared,
        tinted=frozenset(
            node
            for edit in shared
            for place in edit.places
            if place.new is not None
            for node in new_nodes.get(place.new, ())
        ),
        other_values=frozenset(new for _, new in differing),
        blocks=frozenset(block for edit in marked for block in _changed_blocks(edit)),
        old_blocks=frozenset(
            edit.old.block for edit in marked if isinstance(edit, Removed) and edit.old
        ),
        old_nodes=_nodes_within(comparison.old),
        new_nodes=new_nodes,
        spoken=_list_spoken(marked, differing, followers),
    )


def _marks_boxes(edit: Edit) -> bool:
    """Tell whether boxes can show an edit; a frame shows that of a head, words tell the others."""
    match edit:
        case ParameterListed() | HeadListed() | LossChanged() | PortsChanged():
            return False
        case EndChanged(end=end):
            return end == "input"
        case _:
            return edit.category != "COSMETIC"


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


def _compare_values(
    comparison: Comparison, shared: Iterable[Edit]
) -> dict[tuple[Path, Path], frozenset[str]]:
    """Return the attributes that differ at each pair of nodes.

    Those of shared edits are left out, and those that make no difference.
    """
    told: dict[Path, set[str]] = {}
    untold = (edit for edit in comparison.diff.edits if edit.category == "COSMETIC")
    for edit in (*shared, *untold):
        if isinstance(edit, Changed):
            for place in edit.places:
                if place.new is not None:
                    told.setdefault(place.new, set()).update(edit.names)
    old = {node.path: node for node in comparison.old.graph.nodes}
    new = {node.path: node for node in comparison.new.graph.nodes}
    differing: dict[tuple[Path, Path], frozenset[str]] = {}
    for old_path, new_path in comparison.diff.pairs:
        before, after = old[old_path], new[new_path]
        if before.op != after.op or before.attributes == after.attributes:
            continue
        names = {
            name
            for name in before.attributes.keys() | after.attributes.keys()
            if before.attributes.get(name) != after.attributes.get(name)
        }
        if names := names - told.get(new_path, set()):
            differing[old_path, new_path] = frozenset(names)
    return differing


def _list_spoken(
    edits: Iterable[Edit],
    differing: Mapping[tuple[Path, Path], frozenset[str]],
    followers: Container[Path],
) -> tuple[Spoken, Spoken]:
    """Return what boxes must show on either side, so that they show what changes."""
    sides: tuple[dict[Path, frozenset[str]], dict[Path, frozenset[str]]] = ({}, {})

    def add(paths: Sequence[Path | None], names: frozenset[str]) -> None:
        for spoken, path in zip(sides, paths, strict=True):
            if path is not None:
                for at in {path, path.step}:
                    spoken[at] = spoken.get(at, frozenset()) | names

    for edit in edits:
        match edit:
            case Changed():
                names = frozenset(edit.names)
            case ArgumentsChanged():
                names = frozenset(change.name for change in edit.arguments)
            case _:
                continue
        for place in edit.places:
            add((place.old, place.new), names)
    for (old_path, new_path), names in differing.items():
        if new_path not in followers:
            add((old_path, new_path), names)
    return sides


def _nodes_within(model: Model) -> dict[str, list[Path]]:
    nodes: dict[str, list[Path]] = {}
    for node in model.graph.nodes:
        for holder in (node.path, *node.path.parents):
            nodes.setdefault(holder, []).append(node.path)
    return nodes


def list_nodes(
    vertex: Vertex, scopes: Sequence[Path], nodes: Mapping[str, Sequence[Path]]
) -> Iterator[Path]:
    """Yield the nodes that a box stands for, in some calls of the block that holds it."""
    for scope in scopes:
        for path in vertex.paths:
            yield from nodes.get(scope / path, ())


def step_within(path: Path, holders: Container[Path]) -> Path:
    """Return a path within its holder; the same for all copies of the holder."""
    holder = next(holder for holder in (path, *path.parents, Path()) if holder in holders)
    inner = path.relative_to(holder)
    return inner.relative_to(inner.first) if inner.first.copy is not None else inner


def is_listed(edit: Edit) -> bool:
    """Tell whether an edit adds or removes steps, so that boxes below its places show it."""
    return isinstance(edit, Added | Removed)
