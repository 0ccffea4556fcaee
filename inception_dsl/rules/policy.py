"""A project's policy for `check`: severities, ignored findings, and the findings of a baseline.

The policy stands in `[tool.inception-dsl.check]` of pyproject.toml. An author also ignores a
finding by a comment at its line, `# inception-dsl: ignore W601: the reason`. Only findings that
judge a network can be ignored: its budgets, its claims, warnings and hints. A finding that keeps a
spec from being read is never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from inception_dsl.diagnostics import (
    CODES,
    NEVER,
    SEVERITIES,
    Diagnostic,
    Label,
    Severity,
    nearest,
)
from inception_dsl.rules.tool_table import (
    TOOL,
    fits,
    read_severities,
    read_table,
    read_tool,
)
from inception_dsl.source import Source, Span
from inception_dsl.spec.toml import KeyPath, Toml

SECTION = f"tool.{TOOL}.check"

JUDGING = tuple(
    code
    for code, kind in CODES.items()
    if (code[0] in "WP" or code in ("E401", "E402", "E403")) and code not in ("W603", "W630")
)
"""The codes of findings that judge a network, and can be ignored."""

_GRADED = tuple(code for code in JUDGING if not code.startswith("P"))
"""The codes whose severity the policy sets; hints on the design have a table of their own."""

MARK = "inception-dsl:"
"""The word by which a comment speaks to this tool."""

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*inception-dsl:[^\n]*")
_IGNORE = re.compile(
    r"#\s*inception-dsl:\s*ignore\s+([A-Za-z0-9]+(?:\s*,\s*[A-Za-z0-9]+)*)\s*:\s*(\S.*)"
)


class Ignore(NamedTuple):
    """An entry of the settings by which a project ignores findings.

    Attributes:
        path: the file of the findings from the project's root; `*` stands for any text. None for
            all files.
        span: its place in the settings.
    """

    code: str
    path: str | None
    reason: str
    span: Span

    def covers(self, finding: Diagnostic, shown: str) -> bool:
        """Tell whether it ignores a finding of a spec.

        Args:
            shown: the path of the spec from the project's root.
        """
        if finding.code != self.code:
            return False
        at = finding.labels[0].span.source.name if finding.labels else shown
        return self.path is None or fits(at, self.path)


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """Everything that a project has agreed on for `check`.

    Attributes:
        fail_on: the severity on which `check` fails, or a graver one; or `never`.
        baseline: the file of the findings that were there before, from the project's root.
    """

    fail_on: str = "error"
    severities: Mapping[str, Severity] = field(default_factory=dict)
    ignores: tuple[Ignore, ...] = ()
    baseline: str | None = None


class IgnoreComment(NamedTuple):
    """A comment in a spec by which its author ignores a finding of one code.

    Attributes:
        line: the line of the findings: that of the comment, or the next one with a step or a key if
            the comment stands alone.
        span: the comment.
    """

    code: str
    reason: str
    line: int
    span: Span


def read_policy(text: str, path: Path | None = None) -> CheckPolicy:
    """Return the policy in the text of a pyproject.toml; the default one, if it has none.

    Args:
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: E010, it is no TOML, or a setting of this tool cannot be used.
    """
    toml, settings = read_tool(text, path)
    at = ("tool", TOOL, "check")
    keys = ("fail-on", "severity", "ignore", "baseline")
    section = read_table(toml, at, settings.get("check", {}), keys)
    fail_on = section.get("fail-on", "error")
    choices = (*SEVERITIES, NEVER)
    if fail_on not in choices:
        message = f"`fail-on` of `{SECTION}` is one of {', '.join(choices)}"
        close = nearest(str(fail_on), choices)
        raise toml.error(message, (*at, "fail-on"), f"write `{close}`" if close else None)
    baseline = section.get("baseline")
    if baseline is not None and (not isinstance(baseline, str) or not baseline):
        message = f"`baseline` of `{SECTION}` is the path of a file from the project's root"
        raise toml.error(message, (*at, "baseline"))
    ignores = section.get("ignore", [])
    if not isinstance(ignores, list):
        raise toml.error(f"`ignore` of `{SECTION}` is a list of tables", (*at, "ignore"))
    return CheckPolicy(
        fail_on=str(fail_on),
        severities=read_severities(
            toml, (*at, "severity"), section.get("severity", {}), _GRADED, SECTION
        ),
        ignores=tuple(
            _read_ignore(toml, (*at, "ignore", index), ignore)
            for index, ignore in enumerate(ignores)
        ),
        baseline=baseline,
    )


def _read_ignore(toml: Toml, at: KeyPath, value: object) -> Ignore:
    table = read_table(toml, at, value, ("code", "path", "reason"))
    for name in ("code", "reason"):
        word = table.get(name)
        if not isinstance(word, str) or not word.strip():
            message = f"an entry of `ignore` needs `{name}`, a text that is not empty"
            raise toml.error(message, (*at, name))
    code, path = str(table["code"]), table.get("path")
    if code not in JUDGING:
        raise toml.error(_tell_code(code), (*at, "code"), _way_out(code))
    if path is not None and (not isinstance(path, str) or not path):
        raise toml.error("`path` of an entry of `ignore` is a path", (*at, "path"))
    return Ignore(code, path, str(table["reason"]), toml.find((*at, "code")))


def _tell_code(code: str) -> str:
    if code in CODES:
        return f"a finding {code} cannot be ignored"
    return f"no finding has the code `{code}`"


def _way_out(code: str) -> str | None:
    if code in CODES:
        return "budgets, claims, warnings and hints can be: E401 to E403, W and P"
    close = nearest(code, JUDGING)
    return f"write `{close}`" if close else "`inception-dsl explain` lists the codes"


def find_comments(source: Source) -> Iterator[IgnoreComment | Diagnostic]:
    """Yield the comments of a spec that ignore findings, and an error for each wrong one (E108)."""
    if MARK not in source.text:
        return
    lines = source.text.split("\n")
    start = 0
    for number, line in enumerate(lines, 1):
        if match := _COMMENT.search(line):
            span = Span(source, start + match.start(), start + len(line.rstrip()))
            is_alone = not line[: match.start()].strip()
            at = _next_line(lines, number) if is_alone else number
            yield from _read_comment(span, at)
        start += len(line) + 1


def _next_line(lines: list[str], number: int) -> int:
    """Return the number of the next line that is neither empty nor a comment."""
    for at in range(number, len(lines)):
        if lines[at].strip() and not lines[at].lstrip().startswith("#"):
            return at + 1
    return number


def _read_comment(span: Span, line: int) -> Iterator[IgnoreComment | Diagnostic]:
    match = _IGNORE.fullmatch(span.text)
    if match is None:
        message = "a comment for inception-dsl does not say what it ignores, and why"
        help = f"write `# {MARK} ignore W601: the reason`"
        yield Diagnostic("E108", message, (Label(span),), help=help)
        return
    for code in re.split(r"\s*,\s*", match[1]):
        if code in JUDGING:
            yield IgnoreComment(code, match[2], line, span)
        else:
            yield Diagnostic("E108", _tell_code(code), (Label(span),), help=_way_out(code))
