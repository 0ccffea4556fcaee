"""Networks of code beside themselves in a revision: the changes of a commit that has no spec."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.apart import import_apart
from inception_dsl.driver.changes import compare_pair, judge_report, list_lone_notes
from inception_dsl.driver.references import NamedInput, find_network
from inception_dsl.driver.settings import find_agreement
from inception_dsl.driver.walk import Checked, measure_file
from inception_dsl.resolve import AS_WRITTEN
from inception_dsl.spec.project import project_root
from inception_dsl.spec.target import FileTarget, read_target

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison, Finding, Report
    from inception_dsl.rules.agreement import FailOn
    from inception_dsl.spec.git import Revision

UNKNOWN = "E701"
"""The error of a target that names no network."""


def compare_code_against(
    revision: str,
    targets: Sequence[str],
    *,
    folder: Path,
    input: NamedInput = None,
    fail_on: FailOn | None = None,
) -> Report:
    """Compare networks of code with those of a revision, and leave out the equal ones.

    The revision's files are laid into a temporary folder, where a process of its own runs them.

    Args:
        targets: such as `py:models/net.py:Net`.
        input: the input of each network.
        fail_on: as for `compare`.

    Raises:
        SpecError: E009 there is no such revision, E010 the project's settings cannot be used.
    """
    from inception_dsl.diff import Unmade
    from inception_dsl.spec.git import check_out, find_revision

    agreement = find_agreement(project_root(folder.resolve()))
    files = find_revision(revision, folder)
    sides: list[_Sides] = []
    unmade: list[Unmade] = []
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        check_out(files, root)
        for target in targets:
            try:
                old = _measure_old(target, files, root, folder, input)
                new = _measure_new(target, folder, input, is_known=old is not None)
            except SpecError as error:
                unmade.append(Unmade(target, error.diagnostics))
                continue
            sides.append((old, new))
    report = replace(_report(sides, files.label.removesuffix(":")), unmade=tuple(unmade))
    full_names = {new.file.reference: new.file.full_name for _, new in sides if new is not None}
    names = [full_names[made.new_name] for made in report.comparisons]
    return judge_report(report, agreement, fail_on, names=names, asked=names, known=names)


_Sides = tuple[Checked | None, Checked | None]
"""A network in a revision, and the same in the working tree; None where there is none."""


def _report(sides: Iterable[_Sides], against: str) -> Report:
    """Return the comparisons of networks with those of a revision."""
    from inception_dsl.diff import Report
    from inception_dsl.rules.changes import judge_lone_spec

    comparisons: list[Comparison] = []
    lone: list[Finding] = []
    notes: list[Diagnostic] = []
    alike = 0
    for old, new in sides:
        if old is not None and new is not None:
            made = compare_pair(old, new)
            notes += list_lone_notes((old, new))
            if made.findings:
                comparisons.append(made)
            else:
                alike += 1
        elif (only := old or new) is not None:
            is_new = old is None
            lone.append(judge_lone_spec(only.model, only.cost, is_new=is_new, is_code=True))
    return Report(
        tuple(comparisons),
        against=against,
        lone=tuple(lone),
        alike=alike,
        warnings=tuple(dict.fromkeys(notes)),
    )


def _measure_old(
    target: str, files: Revision, root: Path, folder: Path, input: NamedInput
) -> Checked | None:
    """Return the network of a revision; None if it has no such network.

    A file that has another name there is followed.

    Raises:
        SpecError: the network cannot be imported.
    """
    within = root / folder.resolve().relative_to(files.root)
    if not within.is_dir():
        return None
    now = _name_from(folder, target)
    path = _find_file(now, folder)
    is_renamed = path is not None and not files.exists(path)
    named = _rename(now, path, files, folder) if path is not None and is_renamed else now
    if named is None:
        return None
    try:
        file = import_apart(
            named,
            folder=within,
            root=root,
            tree=files.root,
            label=files.label,
            input=input,
        )
    except SpecError as error:
        if error.diagnostics[0].code == UNKNOWN:
            return None
        raise
    return measure_file(file, AS_WRITTEN)


def _find_file(target: str, folder: Path) -> Path | None:
    """Return the file of the working tree that a target of code names, if there is one."""
    named = read_target(target)
    if isinstance(named, FileTarget) or not named.module:
        return None
    module = folder.resolve() / named.module
    if named.module.endswith(".py"):
        places = [module]
    else:
        package = folder.resolve().joinpath(*named.module.split("."))
        places = [package.with_suffix(".py"), package / "__init__.py"]
    return next((place for place in places if place.is_file()), None)


def _rename(target: str, path: Path, files: Revision, folder: Path) -> str | None:
    """Return a target with the name that its file has in a revision; None if it has none there."""
    from inception_dsl.spec.git import find_old_path

    old = find_old_path(files, path)
    named = read_target(target)
    if old is None or old.suffix != ".py" or isinstance(named, FileTarget):
        return None
    inside = Path(os.path.relpath(old, folder.resolve()))
    module = inside.as_posix()
    if not named.module.endswith(".py"):
        parts = inside.with_suffix("").parts
        if not all(part.isidentifier() for part in parts):
            return None
        module = ".".join(parts)
    return named.in_module(module)


def _name_from(folder: Path, target: str) -> str:
    """Return a target with its file named from a folder, so that it has one in a revision, too."""
    named = read_target(target)
    file = named.text if isinstance(named, FileTarget) else named.module
    if not Path(file).is_absolute():
        return target
    place = Path(os.path.relpath(Path(file).resolve(), folder.resolve())).as_posix()
    return place if isinstance(named, FileTarget) else named.in_module(place)


def _measure_new(target: str, folder: Path, input: NamedInput, *, is_known: bool) -> Checked | None:
    """Return the network of the working tree; None if it is only in the revision.

    Raises:
        SpecError: the network cannot be imported, or is on neither side.
    """
    try:
        file = find_network(target, folder, input=input)
    except SpecError as error:
        if error.diagnostics[0].code == UNKNOWN and is_known:
            return None
        raise
    return measure_file(file, AS_WRITTEN)
