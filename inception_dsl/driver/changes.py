"""Two specs beside each other: their comparison, judged by the settings of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.references import NamedInput, find_network
from inception_dsl.driver.selection import list_known_specs
from inception_dsl.driver.settings import find_agreement
from inception_dsl.driver.walk import Checked, measure_file
from inception_dsl.ir import Path as StepPath
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.files import CodeNetwork, CodeStep, SpecFile, find_spec
from inception_dsl.spec.project import project_root
from inception_dsl.spec.target import is_target

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison, Finding, Report
    from inception_dsl.driver.writing import Artifact
    from inception_dsl.ir.weights import WeightPlan
    from inception_dsl.rules.agreement import Agreement, FailOn


WEIGHTS_LEFT = "W622"
"""The note of an import on tensors that no step uses; a comparison has findings on them."""


def compare(
    old: str,
    new: str,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: FailOn | None = None,
) -> Report:
    """Compare two specs and judge the changes.

    Args:
        old, new: as for `check`; or `REV:path`, a file as it is in a revision of the repository.
        fail_on: a severity, `never`, or categories, where not as the project has agreed.

    Raises:
        SpecError: the errors of either spec, E009 there is no such revision, E010 the settings of
            the project cannot be used.
    """
    agreement = find_agreement(project_root(folder.resolve()))
    files = [find_side(spec, folder, overrides.input) for spec in (old, new)]
    sides = [measure_file(file, overrides) for file in files]
    return compare_measured(sides[0], sides[1], agreement, folder=folder, fail_on=fail_on)


def compare_measured(
    old: Checked, new: Checked, agreement: Agreement, *, folder: Path, fail_on: FailOn | None = None
) -> Report:
    """Compare two networks that have been measured, and judge the changes; see `compare`."""
    from inception_dsl.diff import Report

    sides = (old, new)
    name = new.file.full_name
    known = list_known_specs(folder) if any(waiver.spec for waiver in agreement.waivers) else []
    told = [finding for side in sides for finding in side.warnings]
    told += list_lone_notes(sides)
    report = Report((compare_pair(old, new),), warnings=tuple(dict.fromkeys(told)))
    return judge_report(report, agreement, fail_on, names=[name], asked=[name], known=known)


def list_lone_notes(sides: Sequence[Checked]) -> Iterator[Diagnostic]:
    """Yield the notes of imports, on what no spec says, that one of two networks alone has."""
    known = [{_name_note(note) for note in side.file.notes} for side in sides]
    for side, others in zip(sides, reversed(known), strict=True):
        if all(each.file.is_imported for each in sides):
            lone = (note for note in side.file.notes if _name_note(note) not in others)
            yield from (note for note in lone if note.code != WEIGHTS_LEFT)


def _name_note(note: Diagnostic) -> tuple[str, object]:
    """Return what a note says, without totals of the whole network."""
    return note.code, note.notes or note.message


def make_weight_plan(
    report: Report, path: Path, specs: Iterable[str] = (), *, folder: Path | None = None
) -> Artifact:
    """Return the plan that carries an old checkpoint over to the new spec; nothing is written.

    Args:
        specs: the two specs as a person has named them.
        folder: where that person stands; None for the working folder.

    Raises:
        SpecError: E001, the path is that of one of the specs.
    """
    from inception_dsl.driver.writing import Artifact, refuse_same
    from inception_dsl.emit.diff.weights import plan_json

    (made,) = report.comparisons
    plan = plan_carry(made)
    artifact = Artifact(path, plan_json(plan, old=made.old_name, new=made.new_name).encode())
    files = [find_side(spec, folder or Path.cwd(), None) for spec in specs if not is_target(spec)]
    refuse_same(artifact, [file.path for file in files if file.files is DISK])
    return artifact


def plan_carry(made: Comparison) -> WeightPlan:
    """Return the plan that carries a checkpoint of the old network over to the new one."""
    from inception_dsl.diff.carry import plan_weights
    from inception_dsl.diff.code_names import name_as_in_code

    plan = plan_weights(made.old, made.new, made.diff.pairs)
    tensors = made.old_tensors, made.new_tensors
    return name_as_in_code(plan, (made.old, made.new), tensors)


def judge_report(
    report: Report,
    agreement: Agreement,
    fail_on: FailOn | None,
    *,
    names: Iterable[str],
    asked: Iterable[str],
    known: Iterable[str],
) -> Report:
    """Return a report judged by the project's settings.

    Args:
        names: the spec of each comparison.
        asked: every spec that was compared.
        known: every spec that a waiver may name.
    """
    if fail_on is not None:
        agreement = replace(agreement, fail_on=fail_on)
    comparisons = tuple(
        replace(
            comparison,
            findings=tuple(agreement.judge(finding, name) for finding in comparison.findings),
        )
        for name, comparison in zip(names, report.comparisons, strict=True)
    )
    lone = tuple(agreement.judge(finding, finding.at) for finding in report.lone)
    by_spec = [
        (name, finding)
        for name, comparison in zip(names, comparisons, strict=True)
        for finding in comparison.findings
    ]
    by_spec += [(finding.at, finding) for finding in lone]
    exceeded = tuple(agreement.find_exceeded(comparisons))
    return replace(
        report,
        comparisons=comparisons,
        lone=lone,
        warnings=(*exceeded, *report.warnings, *agreement.unused(by_spec, asked, known)),
        fails=bool(exceeded) or agreement.fails(finding for _, finding in by_spec),
    )


def find_side(reference: str, folder: Path, input: NamedInput) -> SpecFile:
    """Return a network that a person names, perhaps in a revision."""
    if ":" not in reference or is_target(reference):
        return find_network(reference, folder, input=input)
    from inception_dsl.spec.git import find_revision, split_reference

    parts = split_reference(reference)
    if parts is None or DISK.exists(folder / reference):
        return find_spec(reference, folder)
    revision, path = parts
    if is_target(path):
        message = f"`{printable(reference)}` is code of a revision, which no file here holds"
        help = f"write `diff --against {printable(revision)} {printable(path)}`"
        raise SpecError([Diagnostic("E007", message, help=help)])
    files = find_revision(revision, folder)
    is_from_here = path.startswith(("./", "../")) or not path.endswith(SUFFIXES)
    return find_spec(path, folder.resolve() if is_from_here else files.root, files)


def compare_pair(old: Checked, new: Checked) -> Comparison:
    """Compare two models, with their costs."""
    from inception_dsl.diff import Comparison, compare, compare_costs
    from inception_dsl.diff.finding import ConditionsChanged, ExpressionsChanged, RecipeListed
    from inception_dsl.rules.changes import judge_changes

    if old.file.is_imported and new.file.is_imported:
        from inception_dsl.driver.code_changes import compare_code

        return compare_code(old, new)
    diff = compare(old.model, new.model)
    costs = compare_costs(old.model, old.cost, new.model, new.cost)
    findings = tuple(judge_changes((old.model, old.cost), (new.model, new.cost), diff, costs))
    if old.file.is_imported or new.file.is_imported:  # code does not tell how it was trained
        # The conditions and the expressions of an imported block are made from its calls.
        untold = RecipeListed | ConditionsChanged | ExpressionsChanged
        findings = tuple(each for each in findings if not isinstance(each.about, untold))
        findings = tuple(locate_in_code(old, new, findings))
    names = [name_side(checked) for checked in (old, new)]
    return Comparison(
        names[0],
        names[1],
        old.model,
        new.model,
        old.cost,
        new.cost,
        diff,
        costs,
        findings,
        {} if old.file.code is None else old.file.code.tensors,
        {} if new.file.code is None else new.file.code.tensors,
    )


def name_side(checked: Checked) -> str:
    """Return the name by which a report calls a network: that of its spec, or its target."""
    file = checked.file
    return file.reference if file.is_imported else f"{file.files.label}{checked.cost.name}"


def name_steps(code: CodeNetwork) -> dict[StepPath, CodeStep]:
    """Return the modules of a network of code by the paths of the nodes of its spec."""
    return {StepPath(path): step for path, step in code.steps.items()}


def locate_in_code(old: Checked, new: Checked, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings at the lines of the code that a network is."""
    from inception_dsl.diff.code_lines import list_lines, locate_findings

    lines = [
        list_lines(
            checked.model.graph,
            None if (code := checked.file.code) is None else name_steps(code),
        )
        for checked in (old, new)
    ]
    return locate_findings(findings, *lines)
