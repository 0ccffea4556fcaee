"""Several specs at once: each is checked or measured, and a fault of one stops no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.selection import (
    Chosen,
    OnStart,
    begin_each,
    choose,
    choose_libraries,
    find_clashes,
    ignore_start,
    tell_nothing,
)
from inception_dsl.driver.walk import (
    Checked,
    CheckedLibrary,
    LibraryError,
    check_file,
    check_library,
    measure_file,
)
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.load import Loaded, load
from inception_dsl.spec.project import SPECS

if TYPE_CHECKING:
    from inception_dsl.driver.policies import Policies

CheckResult = Checked | CheckedLibrary | SpecError


def check_all(
    references: Sequence[str],
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    hints: bool = False,
    on_start: OnStart = ignore_start,
    policies: Policies | None = None,
) -> Iterator[tuple[str, CheckResult]]:
    """Check each spec that a person names, or all of the project.

    A library is checked if it is named, or if no network of the project reads it. The last outcome
    reports specs that would be built to one folder.

    Args:
        on_start: called when the check of a spec begins.
        policies: the policies of the projects, which grade and ignore findings; None for none.
    """
    read: set[Path] = set()
    files = []
    libraries: list[tuple[str, Loaded]] = []
    chosen = choose(references, folder, input=overrides.input, with_libraries=True)
    others = [] if references else choose_libraries(folder)
    if not chosen and not others:
        yield SPECS, tell_nothing(folder)
    for name, file in begin_each(chosen, on_start):
        if isinstance(file, SpecError):
            yield name, file
            continue
        try:
            check = check_file if policies is None else policies.check
            checked = check(file, overrides, hints=hints, read=read)
        except LibraryError as error:
            libraries.append((name, error.loaded))
            continue
        except SpecError as error:
            yield name, error
        else:
            yield name, checked
        if file.files is DISK:  # a target is no spec of the project
            files.append(file)
    for name, loaded in libraries:
        yield name, _check_library(loaded)
    yield from _check_unread(others, read)
    if clashes := find_clashes(files, among_all=bool(references)):
        yield "", SpecError(clashes)


def _check_unread(
    libraries: Sequence[Chosen], read: set[Path]
) -> Iterator[tuple[str, CheckResult]]:
    """Check the libraries that no network reads."""
    for name, file in libraries:
        if isinstance(file, SpecError):
            yield name, file
        elif file.path not in read:
            try:
                loaded = load(file)
            except SpecError as error:
                yield name, error
                continue
            yield name, _check_library(loaded)


def _check_library(loaded: Loaded) -> CheckedLibrary | SpecError:
    try:
        return check_library(loaded)
    except SpecError as error:
        return error


def measure_all(
    references: Sequence[str],
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    batch: int = 1,
    on_start: OnStart = ignore_start,
) -> Iterator[tuple[str, Checked | SpecError]]:
    """Measure each network that a person names, or all of the project.

    Args:
        on_start: called when the work on a network begins.
    """
    is_empty = True
    chosen = choose(references, folder, input=overrides.input)
    for name, file in begin_each(chosen, on_start):
        try:
            if isinstance(file, SpecError):
                raise file
            yield name, measure_file(file, overrides, batch)
        except LibraryError as error:
            if not references:
                continue
            yield name, error
        except SpecError as error:
            yield name, error
        is_empty = False
    if is_empty:
        yield SPECS, tell_nothing(folder)
