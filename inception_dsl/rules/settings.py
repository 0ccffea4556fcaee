"""The settings of a project for changes, for hints and of devices.

They stand in `[tool.inception-dsl]` of its pyproject.toml; those for `check` are a policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from inception_dsl.diagnostics import CODES, Severity, nearest
from inception_dsl.diff import CATEGORIES
from inception_dsl.rules.agreement import (
    FAIL_ON,
    Agreement,
    Purpose,
    Waiver,
    name_section,
    read_fail_on,
)
from inception_dsl.rules.devices import DeviceTable
from inception_dsl.rules.tool_table import TOOL, read_severities, read_table, read_tool
from inception_dsl.source import Span
from inception_dsl.spec.toml import KeyPath, Toml

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
    toml, settings = read_tool(text, path)
    return _read_section(toml, settings.get(purpose, {}), purpose)


def read_hint_severities(text: str, path: Path | None = None) -> dict[str, Severity]:
    """Return the severity that a project gives to hints about the design, by their codes.

    Args:
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: as for `read_agreement`.
    """
    toml, settings = read_tool(text, path)
    at = ("tool", TOOL, "hints")
    section = read_table(toml, at, settings.get("hints", {}), ("severity",))
    at_severity = (*at, "severity")
    return read_severities(toml, at_severity, section.get("severity", {}), _HINTS, HINTS)


class ProjectSetting(NamedTuple):
    """A setting of a project.

    Attributes:
        name: its keys, as in `check.severity.W601`.
        place: its line in pyproject.toml; None for a default.
    """

    name: str
    value: object
    place: Span | None


def list_settings(text: str, path: Path | None = None) -> list[ProjectSetting]:
    """Return all settings of a project, and the defaults of those that it leaves out.

    Args:
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: as for `read_agreement`, of any table.
    """
    from inception_dsl.rules.policy import read_policy

    toml, table = read_tool(text, path)
    policy = read_policy(text, path)
    agreements = {purpose: read_agreement(text, path, purpose=purpose) for purpose in PURPOSES}
    read_hint_severities(text, path)
    list_device_tables(text, path)
    defaults: dict[str, object] = {"check.fail-on": policy.fail_on}
    defaults |= {f"{purpose}.fail-on": each.fail_on for purpose, each in agreements.items()}
    written = list(_list_values(toml, ("tool", TOOL), table))
    names = {setting.name for setting in written}
    left = [
        ProjectSetting(name, value, None) for name, value in defaults.items() if name not in names
    ]
    return [*left, *written]


def _list_values(toml: Toml, at: KeyPath, table: Mapping[str, object]) -> Iterator[ProjectSetting]:
    """Yield the values of a table and of those in it; a list is one value."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _list_values(toml, (*at, key), value)
        else:
            yield ProjectSetting(".".join(map(str, (*at, key)[2:])), value, toml.find((*at, key)))


def list_device_tables(text: str, path: Path | None = None) -> dict[str, DeviceTable]:
    """Return the tables of the devices of a project, by the names of the devices.

    Args:
        path: where the file is, for those who open it at a finding.

    Raises:
        SpecError: as for `read_agreement`.
    """
    toml, settings = read_tool(text, path)
    at = ("tool", TOOL, DEVICES)
    tables = settings.get(DEVICES, {})
    if not isinstance(tables, dict):
        raise toml.error(f"`{'.'.join(at)}` is a table", at)

    def give(name: str, table: object) -> DeviceTable:
        def find(keys: tuple[str, ...]) -> Span:
            return toml.find((*at, name, *keys))

        return DeviceTable(table, find, find)

    return {name: give(name, table) for name, table in tables.items()}


def _read_section(toml: Toml, value: object, purpose: Purpose) -> Agreement:
    at = ("tool", TOOL, purpose)
    name = name_section(purpose)
    section = read_table(toml, at, value, ("fail-on", "severity", "waivers"))
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
        severities=read_severities(
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


def _read_waiver(toml: Toml, at: KeyPath, value: object) -> Waiver:
    table = read_table(toml, at, value, _WAIVER)
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
