"""The table `[tool.inception-dsl]` of a pyproject.toml, and the errors in it.

A key that is not known is an error: a misspelt table would otherwise switch off its checks
silently. The tables of other tools are not looked at, unless their name means this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from inception_dsl.diagnostics import SEVERITIES, Severity, nearest
from inception_dsl.source import Source
from inception_dsl.spec.toml import KeyPath, Toml, read_toml

TOOL = "inception-dsl"

SECTIONS = ("check", "diff", "verify", "hints", "devices")
"""The tables that the table of this tool may have."""


def read_tool(text: str, path: Path | None) -> tuple[Toml, Mapping[str, object]]:
    """Return the file, and the settings of this tool in it.

    Raises:
        SpecError: E010, it is no TOML, or its table of this tool is misspelt.
    """
    toml = read_toml(Source("pyproject.toml", text, path))
    tools = toml.document.get("tool", {})
    if not isinstance(tools, dict):
        raise toml.error("`tool` is a table", ("tool",))
    for name in tools:
        if name != TOOL and _bare(name) == _bare(TOOL):
            message = f"`tool.{name}` is not the table of this tool"
            raise toml.error(message, ("tool", name), f"write `[tool.{TOOL}]`")
    return toml, read_table(toml, ("tool", TOOL), tools.get(TOOL, {}), SECTIONS)


def _bare(name: str) -> str:
    """Return a name in lower case, without dashes and underscores."""
    return "".join(filter(str.isalnum, name)).casefold()


def read_severities(
    toml: Toml, at: KeyPath, value: object, known: Iterable[str], section: str
) -> dict[str, Severity]:
    """Return a table of severities by codes or categories.

    Args:
        known: the codes and categories that it may have.
        section: the name of the table above it.

    Raises:
        SpecError: E010, it has another key, or a value that is no severity.
    """
    severities: dict[str, Severity] = {}
    for name, word in read_table(toml, at, value, known).items():
        severity = next((each for each in SEVERITIES if each == word), None)
        if severity is None:
            message = f"`{name}` of `{section}.severity` is one of {', '.join(SEVERITIES)}"
            raise toml.error(message, (*at, name))
        severities[name] = severity
    return severities


def read_table(
    toml: Toml, at: KeyPath, value: object, known: Iterable[str]
) -> Mapping[str, object]:
    """Return a table all of whose keys are known.

    Raises:
        SpecError: E010, it is no table, or has another key.
    """
    where = ".".join(name for name in at if isinstance(name, str))
    if not isinstance(value, dict):
        raise toml.error(f"`{where}` is a table", at)
    names = tuple(known)
    for name in value:
        if name not in names:
            close = nearest(name, names)
            choices = ", ".join(names) if len(names) < 8 else "the codes of its findings"
            help = f"write `{close}`" if close else f"it may have {choices}"
            raise toml.error(f"`{where}` has no key `{name}`", (*at, name), help)
    return value


def fits(text: str, pattern: str) -> bool:
    """Tell whether a text fits a pattern, in which `*` stands for any text."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *inner, last = others
    if not text.startswith(first) or not text.endswith(last):
        return False
    start, end = len(first), len(text) - len(last)
    for part in inner:
        at = text.find(part, start, max(end, 0))
        if at < 0:
            return False
        start = at + len(part)
    return start <= end
