"""`config`: the settings of a project, as the commands read them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from inception_dsl.channels import json_text
from inception_dsl.cli.arguments import Parser, describe, excuse_report
from inception_dsl.cli.output import deliver, show
from inception_dsl.tables import Column, plain_table


def add(command: Parser) -> None:
    """Add the arguments of `config`."""
    describe(
        command,
        _config,
        excuse=excuse_report,
        examples=["config show", "config show --format json"],
    )
    command.add_argument(
        "action",
        choices=["show"],
        metavar="show",
        help="print all settings of the project, and where each comes from",
    )
    command.add_argument("--format", choices=["table", "json"], default="table")


def _config(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    root, settings = driver.list_all_settings(Path.cwd())
    if args.format == "json":
        rows = [
            {
                "name": setting.name,
                "value": _plain(setting.value),
                "line": setting.place.line if setting.place else None,
            }
            for setting in settings
        ]
        deliver(json_text({"schema_version": 1, "root": root.as_posix(), "settings": rows}))
        return 0
    show(f"project: {root}\n\n")
    columns = (Column("setting", "left"), Column("value", "left"), Column("from", "left"))
    cells = [
        [
            setting.name,
            _shown(setting.value),
            f"pyproject.toml:{setting.place.line}" if setting.place else "default",
        ]
        for setting in settings
    ]
    show(plain_table(columns, cells))
    return 0


def _plain(value: object) -> object:
    """Return a value of TOML as JSON can hold it."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _shown(value: object) -> str:
    """Return a value on one line: a list by its items, a table by its keys and values."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(each)}" for key, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(_shown, value))
    return str(value)
