"""A comparison turned back into a graph: what its edits do not cover stays as it was."""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.diff import (
    Added,
    ArgumentsChanged,
    Changed,
    Diff,
    Edit,
    Moved,
    OutputRewired,
    Removed,
    Reordered,
    Replaced,
    Rewired,
    SharingChanged,
)
from inception_dsl.ir import INPUT, Model, Node, inline

Facts = tuple[object, ...]
"""What a node is: its op, its attributes, what it reads, whose weights it has."""


WORDS = (Changed, Replaced, SharingChanged, ArgumentsChanged)
WIRES = (Rewired, Reordered, OutputRewired, Moved)


def facts(node: Node) -> Facts:
    return node.op, dict(node.attributes), node.inputs, node.reuses


def applied(diff: Diff, old: Model, new: Model) -> dict[str, Facts]:
    """The old graph with the edits made: of the new one, only what they cover is looked at.

    A step that no edit covers keeps its attributes, but for a width that follows from an edit.
    What it reads is what it read, under its new
    name; where that came or went, it is what stands there now.
    """
    before: dict[str, Node] = {node.path: node for node in inline(old).nodes}
    after: dict[str, Node] = {node.path: node for node in inline(new).nodes}
    pairs: dict[str, str] = dict(diff.pairs)
    renamed: dict[str, str] = {INPUT: INPUT, **pairs}
    result: dict[str, Facts] = {}
    for edit in diff.edits:
        if isinstance(edit, Added):
            for path in _below([place.new for place in edit.places], after):
                result[path] = facts(after[path])
    gone = {
        path
        for edit in diff.edits
        if isinstance(edit, Removed)
        for path in _below([place.old for place in edit.places], before)
    }
    followers = {path for edit in diff.edits for path in edit.followers}
    words = _covered(diff.edits, WORDS, after)
    wires = _covered(diff.edits, WIRES, after)
    for path, node in before.items():
        if path in gone:
            continue
        now = pairs[path]
        covered = after[now] if now in words else node
        inputs = tuple(renamed.get(name, "?") for name in node.inputs)
        reads = after[now].inputs
        has_new = any(name not in renamed.values() or name in wires for name in reads)
        if (
            now in wires
            or has_new
            or any(name in gone for name in node.inputs)
            or (any(renamed.get(name) in wires for name in node.inputs))
        ):
            inputs = reads
        reuses = covered.reuses if now in words else renamed.get(node.reuses or "")
        attributes = dict(covered.attributes)
        if now in followers and "width" in attributes:  # it may be written with `in`
            attributes["width"] = after[now].attributes["width"]
        result[now] = covered.op, attributes, inputs, reuses
    return result


def _covered(
    edits: Iterable[Edit], kinds: tuple[type[Edit], ...], nodes: dict[str, Node]
) -> set[str]:
    """The new nodes at the places of edits of some kinds, and below."""
    places = [
        (place.new or "").removesuffix("output").removesuffix(".")
        for edit in edits
        if isinstance(edit, kinds)
        for place in edit.places
    ]
    return _below(places, nodes)


def _below(places: Iterable[str | None], nodes: dict[str, Node]) -> set[str]:
    held = {place for place in places if place is not None}
    return {
        path
        for path in nodes
        if "" in held or path in held or any(path.startswith(f"{place}.") for place in held)
    }
