"""Networks of code beside themselves in a revision: the changes of a commit that has no spec."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.apart import import_apart
from inception_dsl.driver.changes import compare_pair, judge_report
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
    from inception_dsl.diff import Report, Unmade
    from inception_dsl.rules.changes import judge_lone_spec
    from inception_dsl.spec.git import check_out, find_revision

    agreement = find_agreement(project_root(folder.resolve()))
    files = find_revision(revision, folder)
    comparisons: dict[str, Comparison] = {}
    lone: list[Finding] = []
    unmade: list[Unmade] = []
    alike = 0
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
            if old is not None and new is not None:
                made = compare_pair(old, new)
                if made.findings:
                    comparisons[new.file.full_name] = made
                else:
                    alike += 1
            for side in (old, new):
                if side is not None and (old is None or new is None):
                    found = judge_lone_spec(side.model, side.cost, is_new=old is None, is_code=True)
                    lone.append(found)
    report = Report(
        tuple(comparisons.values()),
        against=files.label.removesuffix(":"),
        lone=tuple(lone),
        unmade=tuple(unmade),
        alike=alike,
    )
    names = list(comparisons)
    return judge_report(report, agreement, fail_on, names=names, asked=names, known=names)


def _measure_old(
    target: str, files: Revision, root: Path, folder: Path, input: NamedInput
) -> Checked | None:
    """Return the network of a revision; None if it has no such network.

    Raises:
        SpecError: the network cannot be imported.
    """
    within = root / folder.resolve().relative_to(files.root)
    if not within.is_dir():
        return None
    try:
        file = import_apart(
            _name_from(folder, target),
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


def _name_from(folder: Path, target: str) -> str:
    """Return a target with its file named from a folder, so that it has one in a revision, too."""
    named = read_target(target)
    file = named.text if isinstance(named, FileTarget) else named.module
    if not Path(file).is_absolute():
        return target
    place = os.path.relpath(Path(file).resolve(), folder.resolve())
    return target.replace(file, Path(place).as_posix(), 1)


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
