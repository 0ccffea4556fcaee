"""A comparison turned back into a graph: what its edits do not cover stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

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
from inception_dsl.expr import Binary, Name, evaluate
from inception_dsl.ir import Attributes, Call, Model, Node, NodeDef, Path

Facts = tuple[object, ...]
"""A node as data: its op, its attributes, its inputs, and the node whose weights it has."""

Env = dict[str, Any]
"""Values by the names that an expression reads."""

ROOT = Path()
"""The path of the network itself."""

WORDS = (Changed, Replaced, SharingChanged, ArgumentsChanged)
WIRES = (Rewired, Reordered, OutputRewired, Moved)


def facts(node: Node) -> Facts:
    return node.op, dict(node.attributes), node.inputs, node.reuses


def applied(diff: Diff, old: Model, new: Model) -> dict[str, Facts]:
    """The old graph with the edits made: of the new one, only what they cover is looked at.

    A step that no edit covers keeps its attributes. If it follows from an edit, it keeps its words:
    the old line says its attributes, with the channels that come in now as `in`. What it reads is
    what it read, under its new name; where that came or went, it is what stands there now.
    """
    before: dict[str, Node] = {node.path: node for node in old.graph.nodes}
    after: dict[str, Node] = {node.path: node for node in new.graph.nodes}
    pairs: dict[str, str] = dict(diff.pairs)
    entries = set(old.graph.inputs) & set(new.graph.inputs)
    renamed: dict[str, str] = {**{path: path for path in entries}, **pairs}
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
    old_lines, new_lines = _lines_of(old), _lines_of(new)
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
        if now in followers and now not in words:
            attributes = _read_again(old_lines, node.path, new_lines, after[now].path)
        result[now] = covered.op, attributes, inputs, reuses
    return result


@dataclass(frozen=True)
class Line:
    """A step with the line that wrote it, the call that holds it and the channels called `in`."""

    step: Node | Call
    written: Attributes
    scope: Path
    channels: int


Lines = dict[Path, Line]


def _lines_of(model: Model) -> Lines:
    """Every step of a model by its absolute path, and the network itself."""
    return {ROOT: Line(model.root, {}, ROOT, 0), **dict(_lines_below(model, model.root, ROOT))}


def _lines_below(model: Model, call: Call, scope: Path) -> Iterator[tuple[Path, Line]]:
    (block,) = [block for block in model.blocks if block.name == call.block]
    definitions = {step.path: step for step in block.body}
    types = {path: type for step in call.body for path, type in step.types.items()}
    for step in call.body:
        definition = definitions.get(step.path) or definitions[step.path.parent]
        written = definition.attributes if isinstance(definition, NodeDef) else definition.arguments
        channels = call.input_types[0].channels  # a block of several inputs has no `in`
        for head in model.heads if scope == ROOT else ():
            if head.holds(step.path):  # its `in` is what it stands at; of copies, the last one
                channels = [t for path, t in types.items() if path.is_within(head.at)][-1].channels
        yield scope / step.path, Line(step, written, scope, channels)
        if isinstance(step, Call):
            yield from _lines_below(model, step, scope / step.path)


def _read_again(
    old: dict[Path, Line], old_path: Path, new: dict[Path, Line], new_path: Path
) -> Env:
    """The values that an old line gives its step, where the step stands now."""
    line = old[old_path]
    values: Env = dict(line.step.attributes if isinstance(line.step, Node) else line.step.arguments)
    for name, expr in line.written.items():
        if isinstance(expr, Name | Binary):
            env = _read_again(old, line.scope, new, new[new_path].scope)
            env["in"] = new[new_path].channels
            values[name] = env[expr.name] if isinstance(expr, Name) else evaluate(expr, env)
    return values


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
