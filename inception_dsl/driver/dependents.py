"""The specs of a project that depend on a spec: a change of its text may change or break them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inception_dsl.bounds import MAX_BYTES, MAX_NODES
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.walk import Checked, judge_model
from inception_dsl.ir import Graph, Origin
from inception_dsl.resolve import (
    AS_WRITTEN,
    Overrides,
    find_odd_statements,
    list_multiples,
    read_network,
)
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.files import SpecFile, find_used, locate
from inception_dsl.spec.load import Loaded, load
from inception_dsl.spec.memory import edit_file
from inception_dsl.spec.project import spec_paths

_MAY_DEPEND = re.compile(rb"extends|[<>]=?\s*[0-9.]+\s*x\s|\\")
"""A text without such bytes extends nothing, and bounds nothing by another network."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """A spec that depends on another one.

    Attributes:
        now: its network with the text that the other one has now.
        extends: it extends the other one; else its budget alone depends on that.
    """

    file: SpecFile
    now: Checked
    extends: bool


class DependentError(Exception):
    """The error of a spec that a change of another one would break."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_text(
    file: SpecFile,
    text: str,
    *,
    edited: SpecFile | None = None,
    overrides: Overrides = AS_WRITTEN,
) -> Checked:
    """Return the model of a spec, judged by every rule, as if a file had another text.

    Args:
        edited: the file that has the other text; None for the spec's own.
        overrides: changes to the spec's input and parameters.

    Raises:
        SpecError: the errors of the spec, without fixes.
    """
    trial = edit_file(file, (edited or file).path, text)
    loaded = load(trial)
    template = read_network(loaded, overrides, max_nodes=MAX_NODES)
    odd = find_odd_statements(loaded)
    checked = judge_model(trial, template, template.instantiate(), odd, overrides)
    return replace(checked, file=file)


def find_dependents(base: SpecFile) -> tuple[Dependent, ...]:
    """Return the specs of the project that depend on a spec, and have no errors now.

    They extend it, or have a budget that is a multiple of it; perhaps by way of others. Nothing in
    the library depends on a spec outside it.
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
            data = DISK.read(file.path, MAX_BYTES)
            if file.path == base.path or _MAY_DEPEND.search(data) is None:
                continue
            loaded = load(file)
            extends = base.path in loaded.paths
            if loaded.is_library or not (extends or base.path in _list_measured(loaded)):
                continue
            yield Dependent(file, check_text(file, data.decode("utf-8-sig")), extends)
        except (SpecError, OSError):
            continue  # it is wrong already


def _list_measured(loaded: Loaded) -> Iterator[Path]:
    """Yield the files of the specs that a spec's budget is a multiple of."""
    for multiple, span in list_multiples(loaded):
        yield from load(find_used(multiple.of, loaded.file, span)).paths


def check_dependents(
    dependents: tuple[Dependent, ...], base: SpecFile, text: str
) -> Iterator[tuple[Dependent, Checked]]:
    """Yield the specs whose networks change with the text of another one, and those networks.

    Raises:
        DependentError: one of them would have an error.
    """
    for each in dependents:
        try:
            new = check_text(each.file, text, edited=base)
        except SpecError as error:
            first = error.diagnostics[0]
            how = "which extends this spec" if each.extends else "whose budget depends on this spec"
            reason = f"`{each.file.shown}`, {how}, would break: {first.message} ({first.code})"
            raise DependentError(reason) from None
        if _without_origins(new.model.graph) != _without_origins(each.now.model.graph):
            yield each, new


def _without_origins(graph: Graph) -> Graph:
    """Return a network without the lines that wrote it."""
    nodes = (replace(node, origin=Origin()) for node in graph.nodes)
    return replace(graph, nodes=tuple(nodes))
