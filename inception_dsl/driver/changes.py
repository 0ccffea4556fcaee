"""Two specs beside each other: what becomes of a model between them, judged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.files import Artifact
from inception_dsl.driver.walk import Checked, measured
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.files import SpecFile, find_spec, names, project_root

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison, Report
    from inception_dsl.rules.agreement import Agreement


def compare(
    old: str,
    new: str,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: str | tuple[str, ...] | None = None,
) -> Report:
    """What becomes of a model between two specs, judged.

    Args:
        old, new: as for `check`; or `REV:path`, a file as it is in a revision of the repository.
        fail_on: a severity, `never`, or categories, where not as the project has agreed.

    Raises:
        SpecError: what is wrong with either of them, E009 there is no such revision, E010 what
            the project has agreed cannot be used.
    """
    from inception_dsl.diff import Report

    agreement = _agreement(folder)
    sides = [measured(_find(spec, folder), overrides) for spec in (old, new)]
    name = sides[1].file.full_name
    return _agreed(Report((_compared(*sides),)), agreement, fail_on, [name], [name])


def weight_plan(report: Report, path: Path) -> Artifact:
    """The plan that carries an old checkpoint over to the new spec; nothing is written."""
    from inception_dsl.diff import plan_weights
    from inception_dsl.emit.diff.weights import plan_json

    (made,) = report.comparisons
    plan = plan_weights(made.old, made.new, made.diff)
    return Artifact(path, plan_json(plan, old=made.old_name, new=made.new_name))


def compare_against(
    revision: str,
    places: Sequence[str],
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: str | tuple[str, ...] | None = None,
) -> Report:
    """What becomes of the project's specs since a revision; those that are the same left out.

    Args:
        places: names, files and folders; of nothing else is told. All specs, if there are none.
        fail_on: as for `compare`.

    Raises:
        SpecError: E009 there is no such revision, E007 no spec is at one of the places, E010 what
            the project has agreed cannot be used.
    """
    from inception_dsl.diff import Report, Unmade, match_specs
    from inception_dsl.rules.changes import judge_lone_spec, judge_renamed_spec
    from inception_dsl.spec.git import find_revision

    agreement = _agreement(folder)
    files = find_revision(revision, folder)
    roots = project_root(folder.resolve()), project_root(folder.resolve(), files)
    before = names(roots[1] / "specs", files)
    after = names(roots[0] / "specs")
    chosen = _chosen(places, sorted({*before, *after}), folder, roots[0])
    comparisons: dict[str, Comparison] = {}
    gone: dict[str, Checked] = {}
    come: dict[str, Checked] = {}
    unmade: list[Unmade] = []
    alike = 0
    for name in chosen:
        try:
            old = measured(find_spec(name, folder, files), overrides) if name in before else None
            new = measured(find_spec(name, folder), overrides) if name in after else None
        except SpecError as error:
            unmade.append(Unmade(name, error.diagnostics))
            continue
        if old is not None and new is not None:
            made = _compared(old, new)
            if made.findings:
                comparisons[name] = made
            else:
                alike += 1
        elif old is not None:
            gone[name] = old
        elif new is not None:
            come[name] = new
    models = ({name: own.model for name, own in side.items()} for side in (gone, come))
    for was, name in match_specs(*models).items():
        old, new = gone.pop(was), come.pop(name)
        made = _compared(old, new)
        renamed = judge_renamed_spec(old.model, new.model, (was, name))
        comparisons[name] = replace(made, findings=(renamed, *made.findings))
    lone = [
        judge_lone_spec(own.model, own.cost, is_new=name in come)
        for name, own in sorted({**gone, **come}.items())
    ]
    against = files.label.removesuffix(":")
    report = Report(tuple(comparisons.values()), against, tuple(lone), tuple(unmade), alike)
    return _agreed(report, agreement, fail_on, comparisons, chosen)


def _agreement(folder: Path) -> Agreement:
    """What the project that a folder is in has agreed on for changes."""
    from inception_dsl.rules.agreement import Agreement, read_agreement

    path = project_root(folder.resolve()) / "pyproject.toml"
    if not path.is_file():
        return Agreement()
    try:
        return read_agreement(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise SpecError([Diagnostic("E010", "`pyproject.toml` is not UTF-8")]) from None


def _agreed(
    report: Report,
    agreement: Agreement,
    fail_on: str | tuple[str, ...] | None,
    names: Iterable[str],
    asked: Iterable[str],
) -> Report:
    """A report judged by what is agreed.

    Args:
        names: the spec of each comparison.
        asked: every spec that was compared.
    """
    if fail_on is not None:
        agreement = replace(agreement, fail_on=fail_on)
    comparisons = tuple(
        replace(own, findings=tuple(agreement.judge(found, name) for found in own.findings))
        for name, own in zip(names, report.comparisons, strict=True)
    )
    lone = tuple(agreement.judge(found, found.at) for found in report.lone)
    by_spec = [(n, f) for n, own in zip(names, comparisons, strict=True) for f in own.findings]
    by_spec += [(found.at, found) for found in lone]
    return replace(
        report,
        comparisons=comparisons,
        lone=lone,
        warnings=tuple(agreement.unused(by_spec, asked)),
        fails=agreement.fails(found for _, found in by_spec),
    )


def _chosen(places: Sequence[str], known: list[str], folder: Path, root: Path) -> list[str]:
    """The names at some places: specs by name or by file, and all below a folder."""
    if not places:
        return known
    found: set[str] = set()
    for place in places:
        path = Path(os.path.normpath(folder.resolve() / place)).with_suffix("")
        own = {name for name in known if name == place}
        if path.is_relative_to(root / "specs"):
            own |= {name for name in known if (root / "specs" / name).is_relative_to(path)}
        if not own:
            raise SpecError([Diagnostic("E007", f"no spec is at `{place}`, then or now")])
        found |= own
    return sorted(found)


def _find(reference: str, folder: Path) -> SpecFile:
    """A spec that a person names, perhaps in a revision."""
    from inception_dsl.spec.git import find_revision, split_reference

    parts = split_reference(reference)
    if parts is None or (folder / reference).exists():
        return find_spec(reference, folder)
    revision, path = parts
    files = find_revision(revision, folder)
    is_from_here = path.startswith(("./", "../")) or not path.endswith((".yaml", ".yml"))
    return find_spec(path, folder.resolve() if is_from_here else files.root, files)


def _compared(old: Checked, new: Checked) -> Comparison:
    from inception_dsl.diff import Comparison, compare, compare_costs
    from inception_dsl.rules.changes import judge_changes

    diff = compare(old.model, new.model)
    costs = compare_costs(old.model, old.cost, new.model, new.cost)
    findings = tuple(judge_changes((old.model, old.cost), (new.model, new.cost), diff, costs))
    names = [f"{own.file.files.label}{own.cost.name}" for own in (old, new)]
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
    )
