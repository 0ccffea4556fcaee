"""`review`: the job that looks at a pull request."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import UNUSABLE, Parser, describe
from inception_dsl.cli.console import FINDINGS, FINE, print_findings, shown
from inception_dsl.cli.output import deliver, say, show_done, show_line
from inception_dsl.cli.progress import Progress
from inception_dsl.diagnostics import SEVERITIES, SpecError

if TYPE_CHECKING:
    from inception_dsl.driver.reviewing import Review

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable with the file of the summary of a job of GitHub Actions."""


def add(command: Parser) -> None:
    """Add the arguments of `review`."""
    describe(
        command,
        _review,
        examples=["review --against origin/main -o review", "review --github -o review"],
    )
    command.add_argument(
        "--against", metavar="REV", help="the revision that the change is compared with"
    )
    command.add_argument(
        "--github",
        action="store_true",
        help="in a job of GitHub Actions: take the revision from the event, fetch it if the clone "
        "is shallow, annotate lines, write the job's summary, and keep one comment of the pull "
        "request up to date, for which GITHUB_TOKEN is the token",
    )
    command.add_argument(
        "--no-comment", action="store_true", help="with --github, write no comment"
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="write comment.md, findings.sarif, check.json, changes.json and changes.svg to DIR",
    )


def _review(args: argparse.Namespace) -> int:
    from inception_dsl import driver
    from inception_dsl.driver.reviewing import (
        Review,
        list_grave_findings,
        review_project,
        write_review,
    )

    folder = Path.cwd()
    if not args.github and args.against is None:
        say("error: give `--against REV`, or `--github` in a job of GitHub Actions")
        return UNUSABLE
    progress = Progress("reviewing")
    base, number, code = args.against or "", None, FINDINGS
    try:
        if args.github:
            base, number = _find_base(args.against, folder)
        review = review_project(base, folder=folder, on_start=progress)
    except SpecError as error:  # a review that fails still has its comment and its files
        review, code = Review(base, error.diagnostics, None, None, fails=True), UNUSABLE
    progress.finish()
    files = write_review(review, folder=folder)
    if args.output:
        driver.write_all(
            driver.Artifact(Path(args.output) / name, text.encode()) for name, text in files.items()
        )
        for name in files:
            show_done(f"wrote      {shown(Path(args.output) / name)}")
    if args.github:
        _tell_github(review, files["comment.md"], number, with_comment=not args.no_comment)
    else:
        print_findings(list_grave_findings(review))
    _sum_up(review)
    return code if review.fails else FINE


def _find_base(against: str | None, folder: Path) -> tuple[str, int | None]:
    """Return the revision to compare with, and the number of the pull request if there is one."""
    from inception_dsl.driver.pull_request import find_base, read_event

    if against is not None:
        return against, None
    event = read_event(os.environ)
    return find_base(event, folder), event.number


def _tell_github(review: Review, comment: str, number: int | None, *, with_comment: bool) -> None:
    """Print annotations, write the summary of the job, and keep the comment up to date."""
    from inception_dsl import driver
    from inception_dsl.diagnostics.formats import to_github
    from inception_dsl.driver.pull_request import find_forge, keep_comment
    from inception_dsl.driver.reviewing import list_review_findings

    place = driver.stand_at_root(Path.cwd(), annotates=True)
    deliver(to_github(place.see(list_review_findings(review)), root=place.folder))
    if summary := os.environ.get(SUMMARY):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(f"{comment}\n")
    forge = find_forge(os.environ)
    if with_comment and number is not None and forge is not None:
        say(keep_comment(forge, number, comment, is_needed=not review.is_clean))


def _sum_up(review: Review) -> None:
    """Print a line on each part of a review."""
    from inception_dsl.emit.diff.words import report_line

    found = Counter(finding.severity for finding in review.findings)
    counts = [
        f"{found[severity]} {severity}{'s' * (found[severity] != 1)}" for severity in SEVERITIES
    ]
    show_line(f"check: {', '.join(counts)}")
    if not review.keeps_generated:
        show_line("generated files: the project keeps none")
    elif review.stale is None:
        show_line("generated files: not compared, as there are errors")
    else:
        show_line(f"generated files: {len(review.stale)} stale")
        for path in review.stale:
            show_line(f"  {path}")
    report = review.report
    show_line("changes: not compared" if report is None else f"changes {report_line(report)}")
    show_line(f"result: the change {'fails' if review.fails else 'passes'}")
