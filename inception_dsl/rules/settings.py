"""The settings of a project: `[tool.inception-dsl]` of its pyproject.toml.

A key that is not known is an error: a misspelt table would otherwise switch off its checks
silently. The tables of other tools are not looked at, unless their name means this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from inception_dsl.diagnostics import CODES, Severity, nearest
from inception_dsl.diff import CATEGORIES
from inception_dsl.rules.agreement import (
    FAIL_ON,
    SEVERITIES,
    Agreement,
    Purpose,
    Waiver,
    name_section,
    read_fail_on,
)
from inception_dsl.rules.devices import DeviceTable
from inception_dsl.source import Source, Span
from inception_dsl.spec.toml import KeyPath, Toml, read_toml

TOOL = "inception-dsl"
HINTS = f"tool.{TOOL}.hints"
DEVICES = "devices"
"""The key of the devices of a project."""

_HINTS = tuple(code for code in CODES if code.startswith("P"))
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_CHANGES = tuple(code for code in CODES if code.startswith("D"))
_WAIVER = ("code", "at", "spec", "reason")


def read_agreement(text: str, path: Path | None = None, *, purpose: Purpose = "diff") -> Agreement:
    """Return the agreement in the text of a pyproject.toml; the defaults, if it has none.

    Args:
        purpose: the command that it is for.
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: E010, it is no TOML, or a setting of this tool cannot be used.
    """
    toml, settings = _read_tool(text, path)
    return _read_section(toml, settings.get(purpose, {}), purpose)


def read_hint_severities(text: str, path: Path | None = None) -> dict[str, Severity]:
    """Return the severity that a project gives to hints about the design, by their codes.

    Args:
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: as for `read_agreement`.
    """
    toml, settings = _read_tool(text, path)
    at = ("tool", TOOL, "hints")
    section = _table(toml, at, settings.get("hints", {}), ("severity",))
    at_severity = (*at, "severity")
    return _read_severities(toml, at_severity, section.get("severity", {}), _HINTS, HINTS)


def list_device_tables(text: str, path: Path | None = None) -> dict[str, DeviceTable]:
    """Return the tables of the devices of a project, by the names of the devices.

    Args:
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: as for `read_agreement`.
    """
    toml, settings = _read_tool(text, path)
    at = ("tool", TOOL, DEVICES)
    tables = settings.get(DEVICES, {})
    if not isinstance(tables, dict):
        raise toml.error(f"`{'.'.join(at)}` is a table", at)

    def give(name: str, table: object) -> DeviceTable:
        def find(keys: tuple[str, ...]) -> Span:
            return toml.find((*at, name, *keys))

        return DeviceTable(table, find, find)

    return {name: give(name, table) for name, table in tables.items()}


def _read_tool(text: str, path: Path | None) -> tuple[Toml, Mapping[str, object]]:
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
    return toml, _table(toml, ("tool", TOOL), tools.get(TOOL, {}), (*PURPOSES, "hints", DEVICES))


def _bare(name: str) -> str:
    """Return a name in lower case, without dashes and underscores."""
    return "".join(filter(str.isalnum, name)).casefold()


def _read_section(toml: Toml, value: object, purpose: Purpose) -> Agreement:
    at = ("tool", TOOL, purpose)
    name = name_section(purpose)
    section = _table(toml, at, value, ("fail-on", "severity", "waivers"))
    fail_on = section.get("fail-on", FAIL_ON[purpose])
    if isinstance(fail_on, list):
        fail_on = ",".join(map(str, fail_on))
    if not isinstance(fail_on, str):
        message = f"`fail-on` of `{name}` is a text or a list of texts"
        raise toml.error(message, (*at, "fail-on"))
    try:
        wanted = read_fail_on(fail_on)
    except ValueError as error:
        raise toml.error(f"`fail-on` of `{name}`: {error}", (*at, "fail-on")) from None
    waivers = section.get("waivers", [])
    if not isinstance(waivers, list):
        raise toml.error(f"`waivers` of `{name}` is a list of tables", (*at, "waivers"))
    return Agreement(
        purpose=purpose,
        fail_on=wanted,
        severities=_read_severities(
            toml,
            (*at, "severity"),
            section.get("severity", {}),
            (*_CHANGES, *CATEGORIES),
            name,
        ),
        waivers=tuple(
            _read_waiver(toml, (*at, "waivers", index), waiver)
            for index, waiver in enumerate(waivers)
        ),
    )


def _read_severities(
    toml: Toml, at: KeyPath, value: object, known: Iterable[str], section: str
) -> dict[str, Severity]:
    severities: dict[str, Severity] = {}
    for name, word in _table(toml, at, value, known).items():
        severity = next((each for each in SEVERITIES if each == word), None)
        if severity is None:
            message = f"`{name}` of `{section}.severity` is one of {', '.join(SEVERITIES)}"
            raise toml.error(message, (*at, name))
        severities[name] = severity
    return severities


def _read_waiver(toml: Toml, at: KeyPath, value: object) -> Waiver:
    table = _table(toml, at, value, _WAIVER)
    for name in ("code", "at", "reason"):
        word = table.get(name)
        if not isinstance(word, str) or not word.strip():
            raise toml.error(f"a waiver needs `{name}`, a text that is not empty", (*at, name))
    code, spec = str(table["code"]), table.get("spec")
    if code not in _CHANGES:
        close = nearest(code, _CHANGES)
        help = f"write `{close}`" if close else "`inception-dsl explain` lists the codes"
        raise toml.error(f"`{code}` is no code of a change", (*at, "code"), help)
    if spec is not None and not isinstance(spec, str):
        raise toml.error("`spec` of a waiver is the name of a spec", (*at, "spec"))
    span = toml.find((*at, "at"))
    return Waiver(code, str(table["at"]), spec, str(table["reason"]), span)


def _table(toml: Toml, at: KeyPath, value: object, known: Iterable[str]) -> Mapping[str, object]:
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
