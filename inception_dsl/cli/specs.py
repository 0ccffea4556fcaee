"""`fmt`, `resolve`, `schema` and `new`: specs as text."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from inception_dsl import driver
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    SPEC_HELP,
    Commands,
    print_difference,
    shown,
    subparser,
)


def add(commands: Commands) -> None:
    """Adds `fmt`, `resolve`, `schema` and `new`."""
    fmt = subparser(
        commands,
        "fmt",
        _fmt,
        "write the steps of specs in their one form, in place",
        "  inception-dsl fmt\n  inception-dsl fmt --check specs/inception_v4.yaml\n",
    )
    fmt.add_argument("specs", nargs="*", metavar="SPEC", help=f"{SPEC_HELP}; default: all files")
    fmt.add_argument("--check", action="store_true", help="write nothing; exit 1 and show why")
    expanding = subparser(
        commands,
        "resolve",
        _resolve,
        "print a spec as one file, all that it uses and extends in it",
        "  inception-dsl resolve timm/inception_v4\n",
    )
    expanding.add_argument("spec", metavar="SPEC", help=SPEC_HELP)
    subparser(
        commands,
        "schema",
        _schema,
        "print the JSON Schema of a spec, for editors",
        "  inception-dsl schema > spec.schema.json\n",
    )
    new = subparser(
        commands,
        "new",
        _new,
        "begin a spec in specs/",
        "  inception-dsl new my_network\n  inception-dsl new my_v4 --from inception_v4\n",
    )
    new.add_argument("name", metavar="NAME", help="its name, and that of its file")
    new.add_argument("--from", dest="base", metavar="SPEC", help="a spec that it starts from")


def _fmt(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    artifacts = [
        driver.formatted(spec, folder=folder) for spec in args.specs or driver.own_files(folder)
    ]
    stale = [artifact for artifact in artifacts if artifact.written() != artifact.text]
    for artifact in stale:
        if args.check:
            print_difference(artifact)
        else:
            driver.write(artifact)
            print(f"wrote      {shown(artifact.path)}")
    if args.check and stale:
        names = shlex.join(shown(artifact.path) for artifact in stale)
        print(f"mend it with: inception-dsl fmt {names}", file=sys.stderr)
        return FINDINGS
    print(f"{len(artifacts)} files are formatted", file=sys.stderr)
    return FINE


def _resolve(args: argparse.Namespace) -> int:
    sys.stdout.write(driver.expanded(args.spec, folder=Path.cwd()))
    return FINE


def _schema(args: argparse.Namespace) -> int:
    from inception_dsl.spec.json_schema import json_schema

    sys.stdout.write(json_schema())
    return FINE


def _new(args: argparse.Namespace) -> int:
    artifact = driver.begun(args.name, args.base, folder=Path.cwd())
    driver.write(artifact)
    print(f"wrote      {shown(artifact.path)}")
    return FINE
