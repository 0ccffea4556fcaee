"""The specs of a project that extend a spec: a change of its text changes them, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.bounds import MAX_BYTES, MAX_NODES
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.walk import judge_model
from inception_dsl.ir import Graph
from inception_dsl.resolve import AS_WRITTEN, read_network
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.files import SpecFile, locate
from inception_dsl.spec.load import Trial, load
from inception_dsl.spec.project import spec_paths

_WORD = b"extends"
"""A text without it extends nothing."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """A spec that extends another one.

    Attributes:
        graph: its network as it is now.
    """

    file: SpecFile
    graph: Graph


class DependentError(Exception):
    """The error of a spec that a change of its base would break."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def find_dependents(base: SpecFile) -> tuple[Dependent, ...]:
    """Return the specs of the project that extend a spec, and have no errors now.

    They may extend it over others. Nothing extends a spec of the library from inside of it.
    """
    if base.is_built_in or base.files is not DISK:
        return ()
    return tuple(_find(base))


def _find(base: SpecFile) -> Iterator[Dependent]:
    root = base.root.resolve()
    for path in spec_paths(root):
        if not path.name.endswith(SUFFIXES):
            continue
        try:
            file = locate(path, root, path.name)
            if file.path == base.path or _WORD not in DISK.read(file.path, MAX_BYTES):
                continue
            loaded = load(file)
            if base.path in loaded.paths and not loaded.is_library:
                yield Dependent(file, _read(file, {}))
        except (SpecError, OSError):
            continue  # it is wrong already


def _read(file: SpecFile, texts: dict[str, str]) -> Graph:
    """Return the network of a spec, judged by every rule, while other files have other texts.

    Raises:
        SpecError: its errors.
    """
    loaded = load(file, trial=Trial(texts, MAX_BYTES))
    template = read_network(loaded, AS_WRITTEN, max_nodes=MAX_NODES)
    made = template.instantiate()
    return judge_model(file, template, made, [], AS_WRITTEN).model.graph


def check_dependents(
    dependents: tuple[Dependent, ...], base: SpecFile, text: str
) -> tuple[str, ...]:
    """Return the names of the specs whose networks change with the text of their base.

    Raises:
        DependentError: one of them would have an error.
    """
    changed: list[str] = []
    for each in dependents:
        try:
            graph = _read(each.file, {base.shown: text})
        except SpecError as error:
            first = error.diagnostics[0]
            reason = f"`{each.file.shown}`, which extends this spec, would break: {first.message}"
            raise DependentError(f"{reason} ({first.code})") from None
        if _list_facts(graph) != _list_facts(each.graph):
            changed.append(each.file.shown)
    return tuple(changed)


def _list_facts(graph: Graph) -> list[object]:
    """Return all that a network computes, without the lines that wrote it."""
    nodes = [(node.path, node.inputs, node.op, node.attributes, node.type) for node in graph.nodes]
    return [*nodes, graph.outputs]
