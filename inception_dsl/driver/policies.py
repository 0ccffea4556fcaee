"""The policies of projects, applied to the findings of their specs.

A finding is ignored by a comment at its line, by the settings, or by the baseline, which has the
findings that a project began with. A comment or a setting that ignores nothing is told, if all
that it could ignore was looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.channels import json_text
from inception_dsl.diagnostics import CODES, Diagnostic, Label, SpecError
from inception_dsl.driver.judged import JudgedError
from inception_dsl.driver.settings import read_settings
from inception_dsl.driver.walk import Checked, check_file
from inception_dsl.resolve import Overrides
from inception_dsl.source import Source
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.files import SpecFile
from inception_dsl.spec.project import project_root

if TYPE_CHECKING:
    from inception_dsl.driver.writing import Artifact
    from inception_dsl.rules.policy import CheckPolicy, Ignore, IgnoreComment

MAX_BASELINE = 10_000_000
"""Maximum number of bytes of a baseline."""

_NAMES_TOOL = re.compile(r"inception[\W_]?dsl", re.IGNORECASE)
"""A text that may have settings of this tool."""

_Known = tuple[str, str, str]
"""A finding in a baseline: its code, its file from the project's root, its message."""


class _Project(NamedTuple):
    """The policy of a project, and how many times it still ignores each finding of its baseline."""

    root: Path
    policy: CheckPolicy | None
    left: Counter[_Known]


class Policies:
    """The policies of all projects that a command meets, and what they have ignored so far.

    Attributes:
        ignored: the number of findings that were ignored.
    """

    def __init__(self, *, uses_baseline: bool = True) -> None:
        """Begin.

        Args:
            uses_baseline: ignore the findings of baselines.
        """
        self.ignored = 0
        self._uses_baseline = uses_baseline
        self._projects: dict[Path, _Project] = {}
        self._comments: dict[Source, dict[int, list[IgnoreComment]]] = {}
        self._sources: dict[Path, Source] = {}
        self._wrong: dict[Path, list[Diagnostic]] = {}
        self._used: set[tuple[str, Path | None, int]] = set()
        self._settled: dict[Path, SpecFile] = {}
        self._forgiven: set[tuple[_Known, int]] = set()
        self._seen: dict[tuple[Path, _Known, int], None] = {}

    def check(
        self,
        file: SpecFile,
        overrides: Overrides,
        *,
        hints: bool = False,
        read: set[Path] | None = None,
    ) -> Checked:
        """Check a spec file as `check_file` does, and apply the policy of its project.

        Raises:
            SpecError: as for `check_file`; E108 a comment cannot be used; E010 as for settings.
        """
        paths: set[Path] = set()
        try:
            checked = check_file(file, overrides, hints=hints, read=paths)
        except JudgedError as error:
            checked = error.checked
        finally:
            if read is not None:
                read |= paths
        findings = [*self._scan(paths), *self.settle(file, checked.warnings)]
        if any(finding.severity == "error" for finding in findings):
            raise SpecError(findings)
        if not overrides and file.is_in_tree:
            self._settled[file.path] = file
        return replace(checked, warnings=tuple(findings))

    def settle(self, file: SpecFile, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return the findings of a spec that its project does not ignore, as severe as it has them.

        Raises:
            SpecError: E010, the settings or the baseline of the project cannot be used.
        """
        project = self._project_of(file)
        settled = []
        for finding in findings:
            self._seen[file.root, _identify(file, finding), _start_of(finding)] = None
            if self._is_ignored(file, finding, project):
                self.ignored += 1
                continue
            level = project.policy.severities.get(finding.code) if project.policy else None
            settled.append(replace(finding, level=level) if level else finding)
        return settled

    def fail_on(self, folder: Path) -> str:
        """Return the severity on which the project around a folder fails.

        Raises:
            SpecError: E010, its settings cannot be used.
        """
        policy = self._load(project_root(folder.resolve())).policy
        return policy.fail_on if policy else "error"

    def _is_ignored(self, file: SpecFile, finding: Diagnostic, project: _Project) -> bool:
        from inception_dsl.rules.policy import JUDGING

        if finding.code not in JUDGING:
            return False
        for label in finding.labels[:1]:
            source, line = label.span.source, label.span.line
            for comment in self._comments_of(source).get(line, ()):
                if comment.code == finding.code:
                    self._used.add((comment.code, source.path, comment.span.start))
                    return True
        for ignore in project.policy.ignores if project.policy else ():
            if ignore.covers(finding, file.shown):
                self._used.add((ignore.code, ignore.span.source.path, ignore.span.start))
                return True
        known = _identify(file, finding)
        place = (known, _start_of(finding))
        if place not in self._forgiven and project.left[known] > 0:
            project.left[known] -= 1
            self._forgiven.add(place)
        return place in self._forgiven

    def _comments_of(self, source: Source) -> dict[int, list[IgnoreComment]]:
        """Return the comments of a text that ignore findings, by the lines of these findings."""
        from inception_dsl.rules.policy import find_comments

        if source not in self._comments:
            by_line: dict[int, list[IgnoreComment]] = {}
            for comment in find_comments(source):
                if not isinstance(comment, Diagnostic):
                    by_line.setdefault(comment.line, []).append(comment)
            self._comments[source] = by_line
        return self._comments[source]

    def _scan(self, paths: Iterable[Path]) -> Iterator[Diagnostic]:
        """Yield the errors of comments in files of the working tree that were read (E108)."""
        from inception_dsl.rules.policy import MARK, find_comments

        for path in sorted(paths):
            if path not in self._wrong:
                self._wrong[path] = []
                source = _read_source(path, MARK)
                if source is not None:
                    self._sources[path] = source
                    self._wrong[path] = [
                        found for found in find_comments(source) if isinstance(found, Diagnostic)
                    ]
            yield from self._wrong[path]

    def find_unused(self, folder: Path, *, hints: bool, is_whole: bool) -> Iterator[Diagnostic]:
        """Find comments and settings that ignore nothing (W630).

        Args:
            hints: hints were looked for, too.
            is_whole: the specs of a whole project were checked, so that libraries and settings can
                be judged, too.
        """
        for path, source in sorted(self._sources.items()):
            if path not in self._settled and not is_whole:
                continue
            for comments in self._comments_of(source).values():
                for comment in comments:
                    if self._is_idle(comment.code, path, comment.span.start, hints=hints):
                        message = f"line {comment.line} has no {comment.code} to ignore"
                        note = f"its reason was: {comment.reason}"
                        help = "take the comment out"
                        yield Diagnostic("W630", message, (Label(comment.span),), (note,), help)
        if not is_whole:
            return
        project = self._load(project_root(folder.resolve()))
        for ignore in project.policy.ignores if project.policy else ():
            if self._is_idle(ignore.code, ignore.span.source.path, ignore.span.start, hints=hints):
                yield _tell_idle(ignore)
        left = (n for (code, _, _), n in project.left.items() if hints or not _is_hint(code))
        if gone := sum(left):
            are = (
                "1 finding of the baseline is"
                if gone == 1
                else f"{gone:,} findings of the baseline are"
            )
            message = f"{are} gone"
            help = "`inception-dsl check --write-baseline` writes it anew"
            yield Diagnostic("W630", message, help=help)

    def _is_idle(self, code: str, path: Path | None, start: int, *, hints: bool) -> bool:
        return (code, path, start) not in self._used and (hints or not _is_hint(code))

    def make_baseline(self, folder: Path) -> Artifact:
        """Return the baseline of all findings that were met; nothing is written.

        Raises:
            SpecError: E010, the settings of the project name no file for it.
        """
        from inception_dsl.driver.writing import Artifact
        from inception_dsl.rules.policy import JUDGING, SECTION

        project = self._load(project_root(folder.resolve()))
        if project.policy is None or project.policy.baseline is None:
            message = f"`baseline` of `{SECTION}` names no file"
            help = f'write `baseline = "specs/baseline.json"` below `[{SECTION}]` in pyproject.toml'
            raise SpecError([Diagnostic("E010", message, help=help)])
        counts = Counter(
            known for root, known, _ in self._seen if known[0] in JUDGING and root == project.root
        )
        findings = [
            {"code": code, "file": path, "message": message, "count": count}
            for (code, path, message), count in sorted(counts.items())
        ]
        document = json_text({"schema_version": 1, "findings": findings})
        return Artifact(project.root / project.policy.baseline, document.encode(), project.root)

    def _project_of(self, file: SpecFile) -> _Project:
        if file.is_built_in:
            return _Project(file.root, None, Counter())
        return self._load(file.root)

    def _load(self, root: Path) -> _Project:
        if root not in self._projects:
            text, path = read_settings(root)
            policy, left = None, Counter[_Known]()
            if _NAMES_TOOL.search(text):
                from inception_dsl.rules.policy import read_policy

                policy = read_policy(text, path)
                if policy.baseline is not None and self._uses_baseline:
                    left = _read_baseline(root, policy.baseline)
            self._projects[root] = _Project(root, policy, left)
        return self._projects[root]


def _is_hint(code: str) -> bool:
    """Tell whether a finding comes with hints alone, or from outside of `check`."""
    return code.startswith("P") or CODES[code].severity == "note"


def _identify(file: SpecFile, finding: Diagnostic) -> _Known:
    at = finding.labels[0].span.source.name if finding.labels else file.shown
    return finding.code, at, finding.message


def _start_of(finding: Diagnostic) -> int:
    return finding.labels[0].span.start if finding.labels else -1


def _read_source(path: Path, mark: str) -> Source | None:
    """Return the text of a file that has a mark, or None."""
    root = project_root(path.parent)
    try:
        text = DISK.read(path, MAX_BASELINE).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return Source(path.relative_to(root).as_posix(), text, path) if mark in text else None


def _read_baseline(root: Path, name: str) -> Counter[_Known]:
    """Return the findings of a baseline with their numbers.

    Raises:
        SpecError: E010, the file cannot be used.
    """
    import json

    shown = f"the baseline `{name}`"
    target = DISK.resolve(root / name)
    if target is None or not target.is_relative_to(root.resolve()):
        raise SpecError([Diagnostic("E006", f"{shown} lies outside the project")])
    if not DISK.exists(target):
        help = "`inception-dsl check --write-baseline` writes it"
        raise SpecError([Diagnostic("E010", f"{shown} is not there", help=help)])
    try:
        document = json.loads(DISK.read(target, MAX_BASELINE))
        if document["schema_version"] != 1:
            raise ValueError("another version")
        return Counter(
            {
                (str(each["code"]), str(each["file"]), str(each["message"])): int(each["count"])
                for each in document["findings"]
            }
        )
    except OSError as error:
        message = f"{shown} cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        message = f"{shown} has not the form that `check --write-baseline` writes"
    raise SpecError([Diagnostic("E010", message)])


def _tell_idle(ignore: Ignore) -> Diagnostic:
    where = f"`{ignore.path}`" if ignore.path else "the project"
    message = f"{where} has no {ignore.code} to ignore"
    note = f"its reason was: {ignore.reason}"
    help = "take the entry out of pyproject.toml"
    return Diagnostic("W630", message, (Label(ignore.span),), (note,), help)
