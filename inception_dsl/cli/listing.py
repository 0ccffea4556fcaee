"""`list`: the networks of the project and of the library."""

from __future__ import annotations

import argparse
import csv
import io
import shlex
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.channels import csv_cell, json_text
from inception_dsl.cli.arguments import Parser, describe, excuse_report
from inception_dsl.cli.console import FINE, exit_code
from inception_dsl.cli.output import deliver, say, show
from inception_dsl.cli.progress import Progress
from inception_dsl.diagnostics.formats import finding_document
from inception_dsl.tables import Column, markdown_table, plain_table

if TYPE_CHECKING:
    from inception_dsl.driver.listing import KnownNetwork

_COLUMNS = (
    Column("name", "left"),
    Column("title", "left"),
    Column("input"),
    Column("params"),
    Column("MACs"),
    Column("source", "left"),
)


def add(command: Parser) -> None:
    """Add the arguments of `list`."""
    describe(command, _list, excuse=excuse_report, examples=["list", "list --format json"])
    command.add_argument("--format", choices=[*FORMATS], default="table", help="default: table")


def _list(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    progress = Progress("counting")
    known = list(driver.list_networks(Path.cwd(), progress))
    progress.finish()
    (show if args.format == "table" else deliver)(FORMATS[args.format](known))
    broken = {each.name: each.error.diagnostics for each in known if each.error is not None}
    for name in broken:
        say(f"`{name}` has errors: see `inception-dsl check {shlex.quote(name)}`")
    return exit_code(chain.from_iterable(broken.values())) if broken else FINE


def _list_cells(known: Sequence[KnownNetwork]) -> list[list[str]]:
    """Return the rows of the networks that have no errors."""
    return [
        [each.name, each.title, each.input, f"{each.params:,}", f"{each.macs:,}", each.source]
        for each in known
        if each.error is None
    ]


def _write_csv(known: Sequence[KnownNetwork]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.name.lower() for column in _COLUMNS)
    for each in known:
        if each.error is None:
            words = (each.name, each.title, each.input, str(each.params), str(each.macs))
            writer.writerow(map(csv_cell, (*words, each.source)))
    return stream.getvalue()


def _write_json(known: Sequence[KnownNetwork]) -> str:
    networks = []
    for each in known:
        findings = () if each.error is None else each.error.diagnostics
        facts = {name: value for name, value in each._asdict().items() if name != "error"}
        networks.append({**facts, "findings": [finding_document(found) for found in findings]})
    return json_text({"schema_version": 1, "networks": networks})


FORMATS: dict[str, Callable[[Sequence[KnownNetwork]], str]] = {
    "table": lambda known: plain_table(_COLUMNS, _list_cells(known)),
    "json": _write_json,
    "csv": _write_csv,
    "markdown": lambda known: markdown_table(_COLUMNS, _list_cells(known)),
}
"""The formats of a list of networks; a network with errors is in JSON alone."""
