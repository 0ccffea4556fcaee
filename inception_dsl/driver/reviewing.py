"""The review of a change to a project: its check, its generated files, its comparison with a base.

It is the work of a job that looks at a pull request. It writes nothing, and asks nobody but git.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.diagnostics import Diagnostic, SpecError, has_grave, merge_findings
from inception_dsl.driver.against import compare_against
from inception_dsl.driver.building import GENERATED, plan_build
from inception_dsl.driver.checking import check_all
from inception_dsl.driver.policies import Policies
from inception_dsl.driver.selection import OnStart, ignore_start
from inception_dsl.driver.standpoint import stand_at_root
from inception_dsl.driver.walk import Checked
from inception_dsl.spec.project import project_root

if TYPE_CHECKING:
    from inception_dsl.diff import Report

COMMENT_LIMIT = 65_536
"""Maximum number of characters of a comment on GitHub."""

MAX_LISTED = 50
"""Maximum number of findings of a check, and of stale files, that a comment lists."""


class Review(NamedTuple):
    """The review of a change.

    Attributes:
        base: the revision that the change is compared with.
        findings: all findings of the check, and those that keep a comparison from being made.
        stale: the generated files that are not what their specs make, by their paths from the
            root of the repository; None if they were not compared.
        report: the comparison with the base; None if it could not be made.
        fails: the project wants the job to fail.
        keeps_generated: the project keeps generated files.
    """

    base: str
    findings: tuple[Diagnostic, ...]
    stale: tuple[str, ...] | None
    report: Report | None
    fails: bool
    keeps_generated: bool = True

    @property
    def is_clean(self) -> bool:
        """There is nothing to say of the change."""
        if self.findings or self.stale or self.report is None:
            return False
        return not (self.report.findings or self.report.unmade or self.report.warnings)


def review_project(base: str, *, folder: Path, on_start: OnStart = ignore_start) -> Review:
    """Review the project that a folder is in, as a change of a base revision.

    Raises:
        SpecError: E010, the settings of the project cannot be used.
    """
    policies = Policies()
    fail_on = policies.fail_on(folder)
    findings = _check(policies, folder, on_start)
    keeps_generated = (project_root(folder.resolve()) / GENERATED).is_dir()
    stale = _find_stale(folder, findings) if keeps_generated else None
    report: Report | None = None
    is_made = True
    try:
        report = compare_against(base, (), folder=folder, on_start=on_start)
        is_made = not report.unmade
    except SpecError as error:
        findings += [found for found in error.diagnostics if found not in findings]
        is_made = False
    fails = bool(stale) or not is_made or (report is not None and report.fails)
    fails = fails or has_grave(findings, fail_on)
    return Review(base, tuple(findings), stale, report, fails, keeps_generated)


def _check(policies: Policies, folder: Path, on_start: OnStart) -> list[Diagnostic]:
    told: list[tuple[str, Diagnostic]] = []
    for spec, outcome in check_all((), folder=folder, on_start=on_start, policies=policies):
        match outcome:
            case SpecError(diagnostics=own) | Checked(warnings=own):
                told += [(spec, finding) for finding in own]
    told += [("", found) for found in policies.find_unused(folder, hints=False, is_whole=True)]
    return merge_findings(told)


def _find_stale(folder: Path, findings: list[Diagnostic]) -> tuple[str, ...] | None:
    """Return the stale files of a project; append the errors that keep them from being made."""
    place = stand_at_root(folder, annotates=False)
    try:
        build = plan_build((), folder=folder)
        paths = [*(artifact.path for artifact in build.find_stale()), *build.orphans]
    except SpecError as error:
        if not any(finding.severity == "error" for finding in findings):
            findings += error.diagnostics
        return None
    return tuple(place.name(path) for path in paths)


def write_comment(review: Review, *, folder: Path) -> str:
    """Return a review as a comment in Markdown, no longer than GitHub takes."""
    from inception_dsl.channels import markdown_code
    from inception_dsl.diagnostics.formats import to_markdown
    from inception_dsl.emit.diff.markdown import diff_markdown

    place = stand_at_root(folder, annotates=True)
    parts: list[str] = []
    if review.findings:
        shown = place.see(review.findings)
        parts.append(f"### Findings of `inception-dsl check`\n\n{to_markdown(shown[:MAX_LISTED])}")
        parts += _tell_more(len(shown), "findings")
    if review.stale:
        listed = "".join(f"- {markdown_code(path)}\n" for path in review.stale[:MAX_LISTED])
        help = "`inception-dsl build` makes them anew."
        parts.append(f"### Generated files that are stale\n\n{listed}\n{help}\n")
        parts += _tell_more(len(review.stale), "files")
    text = "\n".join(parts)
    if len(text) > COMMENT_LIMIT // 2:
        text = f"### Findings\n\n{len(review.findings)} findings are in the job's log.\n"
    if review.report is None:
        return f"{text}\n**The change could not be compared with its base.**\n"
    report = place.see_report(review.report)
    rest = diff_markdown(report, limit=COMMENT_LIMIT - len(text) - 1_000)
    return f"{text}\n{rest}" if text else rest


def _tell_more(count: int, noun: str) -> list[str]:
    return [f"_And {count - MAX_LISTED} more {noun}._\n"] if count > MAX_LISTED else []


def list_review_findings(review: Review) -> list[Diagnostic]:
    """Return all findings of a review: of the check, and of the comparison."""
    from inception_dsl.emit.diff.machine import list_diagnostics

    changes = () if review.report is None else list_diagnostics(review.report)
    return list(dict.fromkeys([*review.findings, *changes]))


def list_grave_findings(review: Review) -> list[Diagnostic]:
    """Return the findings of the check, and the changes that are errors: what a log shows."""
    checked = set(review.findings)
    findings = list_review_findings(review)
    return [each for each in findings if each in checked or each.severity == "error"]


def write_review(review: Review, *, folder: Path) -> dict[str, str]:
    """Return the files of a review by their names: a comment, findings, and a figure of changes."""
    from inception_dsl.diagnostics.formats import to_json, to_sarif
    from inception_dsl.emit.diff import FORMATS

    place = stand_at_root(folder, annotates=True)
    findings = list_review_findings(review)
    files = {
        "comment.md": write_comment(review, folder=folder),
        "findings.sarif": to_sarif(place.see(findings), root=place.folder, command="review"),
    }
    plain = stand_at_root(folder, annotates=False)
    files["check.json"] = to_json(plain.see(review.findings), root=plain.folder)
    if review.report is not None:
        files["changes.json"] = FORMATS["json"](plain.see_report(review.report))
        if review.report.comparisons or review.report.unmade:
            try:
                files["changes.svg"] = FORMATS["svg"](review.report)
            except SpecError as error:  # a change too large for a figure
                from inception_dsl.emit.figure.notice import notice_svg

                files["changes.svg"] = notice_svg(error.diagnostics)
    return files
