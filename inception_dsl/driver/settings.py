"""The settings of a project: its pyproject.toml, read through the one door for files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.project import project_root

if TYPE_CHECKING:
    from inception_dsl.rules.agreement import Agreement, Purpose
    from inception_dsl.rules.devices import DeviceTable
    from inception_dsl.rules.settings import ProjectSetting

MAX_SETTINGS = 1_000_000
"""Maximum number of bytes of a pyproject.toml."""


def find_agreement(root: Path, purpose: Purpose = "diff") -> Agreement:
    """Return the settings for changes, or for another purpose, in a project's pyproject.toml.

    Raises:
        SpecError: E006 the file lies outside the project, E010 it cannot be used.
    """
    from inception_dsl.rules.settings import read_agreement

    text, path = read_settings(root)
    return read_agreement(text, path, purpose=purpose)


def weigh_hints(findings: Iterable[Diagnostic], root: Path) -> list[Diagnostic]:
    """Return findings with the severities that a project gives to hints.

    Raises:
        SpecError: as for `find_agreement`.
    """
    from inception_dsl.rules.settings import read_hint_severities

    text, path = read_settings(root)
    levels = read_hint_severities(text, path)
    return [
        replace(finding, level=levels[finding.code]) if finding.code in levels else finding
        for finding in findings
    ]


def find_device_tables(root: Path) -> dict[str, DeviceTable]:
    """Return the tables of the devices that a project's pyproject.toml has, by their names.

    Raises:
        SpecError: as for `find_agreement`.
    """
    from inception_dsl.rules.settings import list_device_tables

    text, path = read_settings(root)
    return list_device_tables(text, path) if text else {}


def list_all_settings(folder: Path) -> tuple[Path, list[ProjectSetting]]:
    """Return the root of the project around a folder, and all settings of the project.

    Raises:
        SpecError: as for `find_agreement`, of any table.
    """
    from inception_dsl.rules.settings import list_settings

    root = project_root(folder.resolve())
    return root, list_settings(*read_settings(root))


def read_settings(root: Path) -> tuple[str, Path | None]:
    """Return the text of a project's pyproject.toml, and its path; an empty one if it has none.

    Raises:
        SpecError: E006 the file lies outside the project, E010 it cannot be read.
    """
    path = root / "pyproject.toml"
    if not DISK.exists(path) and not DISK.is_link(path):
        return "", None
    target = DISK.resolve(path)
    if target is None:
        message = "`pyproject.toml` cannot be read: its links lead in a circle"
        raise SpecError([Diagnostic("E010", message)])
    if not target.is_relative_to(root.resolve()):
        raise SpecError([Diagnostic("E006", "`pyproject.toml` lies outside the project")])
    try:
        text = DISK.read(target, MAX_SETTINGS + 1)
        if len(text) > MAX_SETTINGS:
            message = f"`pyproject.toml` is larger than {MAX_SETTINGS:,} bytes"
            raise SpecError([Diagnostic("E010", message)])
        return text.decode(), target
    except OSError as error:
        message = f"`pyproject.toml` cannot be read: {error.strerror}"
        raise SpecError([Diagnostic("E010", message)]) from None
    except UnicodeDecodeError:
        raise SpecError([Diagnostic("E010", "`pyproject.toml` is not UTF-8")]) from None
