"""Two graphs in one: the new graph, and the removed steps of the old one in their places."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.emit.figure.content.decompose import NotSeriesParallelError
from inception_dsl.emit.figure.content.tree import Vertex
from inception_dsl.ir import INPUT


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of a figure, each after its inputs, and the box of its output."""

    vertices: Sequence[Vertex]
    output: str


def with_ghosts(
    old: Boxes,
    new: Boxes,
    matches: dict[str, str],
    gone: Mapping[str, Sequence[tuple[str, int]]],
) -> Boxes:
    """Return the new graph with removed steps as ghosts in their places.

    Args:
        matches: which new box an old one is; an old one without any is gone.
        gone: removed lines that are drawn, too: by the name of the new box that they entered, the
            new box that they left, and their place among the old inputs.

    Raises:
        NotSeriesParallelError: they read each other, old ones new ones and the other way round.
    """
    names = {vertex.name: matches.get(vertex.name, f"-{vertex.name}") for vertex in old.vertices}
    names[INPUT] = INPUT
    ghosts = {
        names[vertex.name]: replace(
            vertex, name=names[vertex.name], inputs=tuple(names[p] for p in vertex.inputs)
        )
        for vertex in old.vertices
        if vertex.name not in matches
    }
    before = {names[v.name]: [names[p] for p in v.inputs] for v in old.vertices}
    vertices = dict(ghosts)
    for vertex in new.vertices:
        inputs = list(vertex.inputs)
        for index, path in enumerate(before.get(vertex.name, [])):
            if path in ghosts and path not in inputs:
                behind = _behind(path, ghosts)
                if len(before[vertex.name]) == 1 and [behind] == inputs:
                    inputs = [path]
                else:
                    inputs.insert(min(index, len(inputs)), path)
        for path, index in gone.get(vertex.name, ()):
            if path not in inputs:
                inputs.insert(min(index, len(inputs)), path)
        vertices[vertex.name] = replace(vertex, inputs=tuple(inputs))
    output, last = new.output, names.get(old.output, "")
    if last in ghosts and _behind(last, ghosts) == output:
        output = last
    return Boxes(_in_order(vertices), output)


def _behind(path: str, ghosts: dict[str, Vertex]) -> str:
    """Return the step that a chain of ghosts reads."""
    while path in ghosts and len(ghosts[path].inputs) == 1:
        path = ghosts[path].inputs[0]
    return path


def _in_order(vertices: dict[str, Vertex]) -> list[Vertex]:
    """Return the vertices, each after those it reads; of two that may come next, the first.

    Raises:
        NotSeriesParallelError: they read each other, old ones new ones and the other way round.
    """
    readers: dict[str, list[str]] = {}
    for vertex in vertices.values():
        for path in set(vertex.inputs) - {INPUT}:
            readers.setdefault(path, []).append(vertex.name)
    waits = {path: len(set(vertex.inputs) - {INPUT}) for path, vertex in vertices.items()}
    ready = deque(path for path, count in waits.items() if not count)
    done: list[Vertex] = []
    while ready:
        path = ready.popleft()
        done.append(vertices[path])
        for reader in readers.get(path, ()):
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)
    if len(done) < len(vertices):
        raise NotSeriesParallelError
    return done
