"""Specs as text: one made whole, one formatted, a new one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.references import find_network
from inception_dsl.driver.selection import (
    OnStart,
    begin_each,
    choose_files,
    ignore_start,
    tell_nothing,
)
from inception_dsl.driver.walk import read_model
from inception_dsl.driver.writing import Artifact, replace_text
from inception_dsl.resolve import AS_WRITTEN, name_problem, network_name_problem
from inception_dsl.source import Source
from inception_dsl.spec.files import SpecFile, find_spec, read
from inception_dsl.spec.project import SPECS, project_root

SCHEMA = "spec.schema.json"
"""The name of the file with the JSON Schema of specs."""


def expand_spec(reference: str, *, folder: Path) -> str:
    """Return a spec as one file, everything that it uses in it.

    Raises:
        SpecError: the errors of the spec.
    """
    return expand_file(find_network(reference, folder))


def expand_file(file: SpecFile, *, states: bool = True) -> str:
    """Return a spec as one file, everything that it uses in it.

    Args:
        states: its budget and its claims are in it.

    Raises:
        SpecError: the errors of the spec.
    """
    from inception_dsl.emit.spec import expand, format_spec
    from inception_dsl.emit.spec.claims import drop_statements
    from inception_dsl.emit.spec.places import apply_edits
    from inception_dsl.spec.tree import parse_tree

    loaded, _, made = read_model(file, AS_WRITTEN)
    text = expand(loaded.tree, made.model, with_notes=not loaded.suspends_notes)
    if not states:
        text = apply_edits(text, drop_statements(parse_tree(Source(file.shown, text))))
    return format_spec(Source(file.shown, text))


def format_all(
    references: Sequence[str], *, folder: Path, on_start: OnStart = ignore_start
) -> Iterator[tuple[str, Artifact | SpecError]]:
    """Yield the files that a person names, or all spec files of the project, formatted.

    Nothing is written.

    Args:
        on_start: called when the work on a file begins.
    """
    chosen = choose_files(references, folder)
    if not chosen:
        yield SPECS, tell_nothing(folder)
    for name, file in begin_each(chosen, on_start):
        if isinstance(file, SpecError):
            yield name, file
            continue
        try:
            yield name, _format(file)
        except SpecError as error:
            yield name, error


def format_file(reference: str, *, folder: Path) -> Artifact:
    """Return a spec's file with its steps in their one form; nothing is written.

    Raises:
        SpecError: E0xx, it cannot be read.
    """
    return _format(find_network(reference, folder))


def _format(file: SpecFile) -> Artifact:
    from inception_dsl.emit.spec import format_spec

    source = read(file)
    return replace_text(file, source.text, format_spec(source))


def begin_spec(name: str, base: str | None, *, folder: Path) -> tuple[Artifact, ...]:
    """Return a new spec in the project's `specs/`, and the schema that its editor line names.

    Nothing is written.

    Raises:
        SpecError: E001 it, or another file in place of the schema, is there already, E006 the base
            lies outside the project, E007 it has no such name, E105 a bad name.
    """
    from inception_dsl.emit.spec import write_extending_spec, write_modeline, write_new_spec

    *above, bare = name.split("/")
    problems = [*map(name_problem, above), network_name_problem(bare)]
    problem = next(filter(None, problems), None)
    if problem is not None:
        raise SpecError([Diagnostic("E105", problem)])
    root = project_root(folder.resolve())
    path = root / SPECS / f"{name}.yaml"
    if os.path.lexists(path):
        raise SpecError([Diagnostic("E001", f"`{name}` is there already")])
    schema = _find_schema(root)
    line = write_modeline(Path(os.path.relpath(schema.path, path.parent)).as_posix())
    if base is None:
        text = write_new_spec(bare)
    else:
        text = write_extending_spec(bare, _name_from(find_spec(base, folder), path, root))
    return Artifact(path, f"{line}{text}".encode(), root), schema


def _find_schema(root: Path) -> Artifact:
    """Return the schema that the editors of a project read: in its `specs/`, so that it is shared.

    A checkout of this package has its own.

    Raises:
        SpecError: E001, another file stands in its place.
    """
    from inception_dsl.spec.json_schema import ID, json_schema

    package = Path(__file__).resolve().parents[1]
    folder = package if package.parent == root.resolve() else root / SPECS
    schema = Artifact(folder / SCHEMA, json_schema().encode(), root)
    present = schema.read()
    if present is not None and not schema.is_fresh() and ID.encode() not in present:
        message = f"`{SPECS}/{SCHEMA}` is there already, and is no schema of specs"
        help = "move it: editors look for the schema of specs there"
        raise SpecError([Diagnostic("E001", message, help=help)])
    return schema


def _name_from(base: SpecFile, path: Path, root: Path) -> str:
    """Return the text by which a new spec extends a base: its name, or its path from there.

    Raises:
        SpecError: E006, the base lies outside the project.
    """
    is_elsewhere = not base.path.is_relative_to(root.resolve())
    if base.is_built_in or base.path.is_relative_to((root / SPECS).resolve()):
        return base.full_name
    if is_elsewhere:
        raise SpecError([Diagnostic("E006", f"`{base.reference}` lies outside the project")])
    return Path(os.path.relpath(base.path, path.parent.resolve())).as_posix()
