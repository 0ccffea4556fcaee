"""A block as it is read, and the rules for all of its steps together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from inception_dsl.diagnostics import Diagnostic, Fix, Label
from inception_dsl.ir import BlockDef, Call, CallDef, Node, NodeDef, Param, Path
from inception_dsl.ops import OPS
from inception_dsl.source import Span


class Note(NamedTuple):
    """A shape that an author expects: `-> 35x35x384`.

    `name` is the name in messages, `path` the step that makes the value. `joined` are the inputs of
    a concat that was merged into a wider one.
    """

    name: str
    path: str
    text: str
    span: Span
    joined: tuple[str, ...] = ()


AttributePlaces = Mapping[str, Mapping[str, Span]]
"""By a step's path, where its attributes and arguments stand; its count, under an empty name."""


class ReadBlock(NamedTuple):
    """A block as it was read: its definition, its shape notes, and the places of its words.

    Under an empty path, `places` has the defaults of the block's parameters.
    """

    definition: BlockDef
    notes: tuple[Note, ...]
    places: AttributePlaces


class Signature(NamedTuple):
    """The part of a block that callers need: its parameters, and where they and its name stand.

    Attributes:
        inputs: the names of its inputs; a single one needs no name, and has an empty one.
        outputs: the names of its outputs; a single one needs no name, and has an empty one.
    """

    params: tuple[Param, ...]
    declared: Mapping[str, Span]
    span: Span
    inputs: tuple[str, ...] = ("",)
    outputs: tuple[str, ...] = ("",)


def place_of(item: NodeDef | CallDef | Node | Call) -> Span:
    """Return where a step is written; everything that a spec makes is written somewhere."""
    span = item.origin.span
    assert span is not None
    return span


def unique_paths(steps: list[NodeDef | CallDef]) -> Iterator[Diagnostic]:
    """Yield a finding for every path that two steps have, or that is a step and holds others."""
    seen: dict[str, NodeDef | CallDef] = {}
    holders: dict[str, NodeDef | CallDef] = {}
    forks: set[str] = set()
    for step in steps:
        other = seen.get(step.path) or holders.get(step.path)
        above = list(step.path.parents)
        other = other or next((seen[path] for path in reversed(above) if path in seen), None)
        if other is not None:
            # Two unnamed bodies with the same branches clash once, not in every branch.
            fork = step.branch.parent if _is_fork(step) else None
            if fork is None or fork not in forks:
                yield _clash(step, other)
            forks.update([] if fork is None else [fork])
            continue
        seen[step.path] = step
        for path in above:
            holders.setdefault(path, step)


def _is_fork(step: NodeDef | CallDef) -> bool:
    """Tell whether a step has its path from the branch that holds it."""
    return bool(step.branch) and step.path.is_within(step.branch)


def _clash(step: NodeDef | CallDef, other: NodeDef | CallDef) -> Diagnostic:
    """Return E208 for two steps of one path, or for one that is below the other."""
    upper, lower = sorted((step, other), key=lambda one: len(one.path))
    message = f"two steps have the path `{upper.path}`"
    join = OPS[lower.op].join if isinstance(lower, NodeDef) else None
    if join is not None and upper.path == lower.path.parent:
        labels = (
            Label(place_of(upper), f"this step is `{upper.path}`"),
            Label(place_of(lower), f"{join.noun} is `{lower.path}`"),
        )
        span = labels[0].span
        fix = None if "\n" in span.text else Fix(span, f"[{span.text}]")
        return Diagnostic("E208", message, labels, fix=fix)
    labels = (Label(place_of(step), "again"), Label(place_of(other), "first"))
    if _is_fork(step):
        help = "name the body of one: `- NAME: {branches: ...}`"
    else:
        help = f"name one: `- NAME: {place_of(step).text}`"
    return Diagnostic("E208", message, labels, help=help)


def merge_concats(block: BlockDef, notes: Iterable[Note], places: AttributePlaces) -> ReadBlock:
    """Return a block in which a concat that only another concat reads is part of that one.

    A shape note on a concat that is merged keeps the paths that it joined.
    """
    readers: dict[str, list[NodeDef | CallDef]] = {
        step.path: [] for step in block.body if _is_concat(step)
    }
    for step in block.body:
        for name in step.reads:
            if name in readers:
                readers[name].append(step)
    notes, outputs = tuple(notes), set(block.outputs.values())
    noted = {note.path for note in notes}
    merged: dict[str, tuple[Path, ...]] = {}

    def read(name: Path) -> tuple[Path, ...]:
        paths = merged.get(name, (name,))
        if name not in noted:  # only a note asks for it again
            merged.pop(name, None)
        return paths

    body: list[NodeDef | CallDef] = []
    for step in block.body:
        if not _is_concat(step):
            body.append(step)
            continue
        inputs = tuple(path for name in step.inputs for path in read(name))
        readers_of = readers[step.path]
        if step.path not in outputs and len(readers_of) == 1 and _is_concat(readers_of[0]):
            merged[step.path] = inputs
        else:
            body.append(replace(step, inputs=inputs))
    kept = tuple(note._replace(joined=merged.get(note.path, ())) for note in notes)
    return ReadBlock(replace(block, body=tuple(body)), kept, places)


def _is_concat(step: NodeDef | CallDef) -> bool:
    """Tell whether a step is a concat that is always there."""
    return isinstance(step, NodeDef) and OPS[step.op].channels == "joined" and step.when is None
