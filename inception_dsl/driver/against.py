"""The specs of a project beside those of a revision: changed, renamed, added, removed, the same."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.changes import compare_pair, judge_report
from inception_dsl.driver.selection import OnStart, ignore_start, list_known_specs, tell_clash
from inception_dsl.driver.settings import find_agreement
from inception_dsl.driver.standpoint import stand_in
from inception_dsl.driver.walk import Checked, LibraryError, measure_file
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.files import locate
from inception_dsl.spec.project import (
    SPECS,
    Files,
    bare_name,
    enclosing_project,
    is_in_blocks,
    nothing_found,
    project_root,
    spec_paths,
)
from inception_dsl.spec.target import is_target

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison, Report
    from inception_dsl.rules.agreement import FailOn

_Pairs = Mapping[str, tuple[Checked | None, Checked | None]]
"""By name, the old and the new network; None if there is none."""


def compare_against(
    revision: str,
    places: Sequence[str],
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: FailOn | None = None,
    on_start: OnStart = ignore_start,
) -> Report:
    """Compare the specs of a project with those of a revision, and leave out the equal ones.

    Args:
        places: the names, files and folders that are compared; without any, all specs of the
            project that `folder` is in. They may be targets of code instead.
        fail_on: as for `compare`.
        on_start: called when the work on a spec begins.

    Raises:
        SpecError: E009 there is no such revision, E007 no spec is at one of the places, E010 the
            project's settings cannot be used, E011 the project has no spec, then or now.
    """
    from inception_dsl.diff import Unmade
    from inception_dsl.spec.git import find_revision

    if any(map(is_target, places)):
        return _compare_code(revision, places, folder, overrides, fail_on)
    root = _root_of(places, folder)
    agreement = find_agreement(root)
    # The specs may be a submodule, whose revisions are its own.
    files = find_revision(revision, root / SPECS if (root / SPECS).is_dir() else root)
    before, after = _specs_of(root, files), _specs_of(root, DISK)
    chosen = _choose(places, sorted({*before, *after}), folder, root)
    pairs: dict[str, tuple[Checked | None, Checked | None]] = {}
    unmade: list[Unmade] = []
    for index, name in enumerate(chosen):
        on_start(index, len(chosen), name)
        try:
            old = _measure(before.get(name, []), root, files, folder, overrides)
            new = _measure(after.get(name, []), root, DISK, folder, overrides)
        except SpecError as error:
            unmade.append(Unmade(name, error.diagnostics))
            continue
        if old is not None or new is not None:
            pairs[name] = old, new
    if not pairs and not unmade:
        raise SpecError([nothing_found(root, folder)])
    comparisons, report = _report_on(pairs)
    sides = (side for pair in pairs.values() for side in pair if side is not None)
    told = dict.fromkeys(finding for side in sides for finding in side.warnings)
    label = files.label.removesuffix(":")
    report = replace(report, against=label, unmade=tuple(unmade), warnings=tuple(told))
    known = [*before, *after, *(list_known_specs(folder) if agreement.waivers else ())]
    return judge_report(report, agreement, fail_on, names=comparisons, asked=chosen, known=known)


def _compare_code(
    revision: str,
    places: Sequence[str],
    folder: Path,
    overrides: Overrides,
    fail_on: FailOn | None,
) -> Report:
    """Compare networks of code with those of a revision.

    Raises:
        SpecError: as for `compare_code_against`; E007, specs are among them.
    """
    from inception_dsl.driver.code_against import compare_code_against

    specs = [place for place in places if not is_target(place)]
    if specs:
        message = f"`{specs[0]}` is a spec, and other places are code"
        raise SpecError([Diagnostic("E007", message, help="compare specs and code apart")])
    return compare_code_against(
        revision, places, folder=folder, input=overrides.input, fail_on=fail_on
    )


def _root_of(places: Sequence[str], folder: Path) -> Path:
    """Return the project that places are in, which a person may name from outside of it.

    Raises:
        SpecError: E007, they are in several.
    """
    here = project_root(folder.resolve())
    paths = (Path(os.path.normpath(folder.resolve() / place)) for place in places)
    roots = {enclosing_project(path) or here for path in paths} or {here}
    if len(roots) > 1:
        message = "the places lie in several projects"
        raise SpecError([Diagnostic("E007", message, help="compare one project at a time")])
    return roots.pop()


def _specs_of(root: Path, files: Files) -> dict[str, list[Path]]:
    """Return the paths of a project's specs by their names; a name should have one."""
    paths: dict[str, list[Path]] = {}
    for path in spec_paths(root, files):
        beside = path.relative_to(root / SPECS)
        if not is_in_blocks(beside):
            paths.setdefault(bare_name(beside), []).append(path)
    return paths


def _measure(
    paths: Sequence[Path], root: Path, files: Files, folder: Path, overrides: Overrides
) -> Checked | None:
    """Return the network at a path, or None if there is none.

    Raises:
        SpecError: the errors of the spec; E503 several specs have one name.
    """
    if not paths:
        return None
    if len(paths) > 1:
        raise SpecError([tell_clash([path.relative_to(root).as_posix() for path in paths])])
    try:
        file = locate(paths[0], root, stand_in(folder).name(paths[0]), files)
        return measure_file(file, overrides)
    except LibraryError:
        return None


def _report_on(pairs: _Pairs) -> tuple[dict[str, Comparison], Report]:
    """Return the comparisons by the names of the new specs, and the report of all."""
    from inception_dsl.diff import Report, match_specs
    from inception_dsl.rules.changes import judge_lone_spec, judge_renamed_spec

    comparisons: dict[str, Comparison] = {}
    gone: dict[str, Checked] = {}
    come: dict[str, Checked] = {}
    alike = 0
    for name, (old, new) in pairs.items():
        if old is not None and new is not None:
            made = compare_pair(old, new)
            if made.findings:
                comparisons[name] = made
            else:
                alike += 1
        elif old is not None:
            gone[name] = old
        elif new is not None:
            come[name] = new
    models = ({name: side.model for name, side in specs.items()} for specs in (gone, come))
    for old_name, name in match_specs(*models).items():
        before, after = gone.pop(old_name), come.pop(name)
        made = compare_pair(before, after)
        renamed = judge_renamed_spec(before.model, after.model, (old_name, name))
        comparisons[name] = replace(made, findings=(renamed, *made.findings))
    lone = [
        judge_lone_spec(checked.model, checked.cost, is_new=name in come)
        for name, checked in sorted({**gone, **come}.items())
    ]
    return comparisons, Report(tuple(comparisons.values()), lone=tuple(lone), alike=alike)


def _choose(places: Sequence[str], known: list[str], folder: Path, root: Path) -> list[str]:
    """Return the names at some places: specs by name or by file, and all below a folder.

    Raises:
        SpecError: E007, no spec is at a place.
    """
    if not places:
        return known
    chosen: set[str] = set()
    for place in places:
        text = os.path.normpath(folder.resolve() / place)
        for suffix in SUFFIXES:
            text = text.removesuffix(suffix)
        path = Path(text)
        at = {name for name in known if (root / SPECS / name).is_relative_to(path)}
        at |= {name for name in known if name == place}
        if not at:
            raise SpecError([Diagnostic("E007", f"no spec is at `{place}`, then or now")])
        chosen |= at
    return sorted(chosen)
