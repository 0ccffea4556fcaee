"""`explain`: the meaning of findings, the ops, and the pages of the manual."""

from __future__ import annotations

import argparse

from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.output import show
from inception_dsl.diagnostics import CODES, nearest, page
from inception_dsl.diagnostics.pages import MANUAL, manual_page
from inception_dsl.tables import Column, plain_table


def add(command: Parser) -> None:
    """Add the arguments of `explain`."""
    describe(
        command, _explain, examples=["explain E304", "explain language", "explain conv", "explain"]
    )
    command.add_argument(
        "subjects",
        nargs="*",
        type=_subject,
        metavar="SUBJECT",
        help="a code, as in E304, or its name; a page of the manual; an op; without one, a list "
        "of codes and pages",
    )


def _explain(args: argparse.Namespace) -> int:
    if args.subjects:
        show("\n".join(map(_page, args.subjects)))
        return 0
    columns = (Column("code", "left"), Column("name", "left"), Column("meaning", "left"))
    rows = [[code, kind.name, kind.meaning] for code, kind in CODES.items()]
    show(plain_table(columns, rows))
    show("\n")
    of_pages = (Column("page", "left"), Column("subject", "left"))
    show(plain_table(of_pages, [[topic, about] for topic, about in MANUAL.items()]))
    return 0


def _page(subject: str) -> str:
    if subject in CODES:
        return page(subject)
    if subject in MANUAL:
        return manual_page(subject)
    from inception_dsl.cli.ops import page_of_op

    return page_of_op(subject)


def _subject(text: str) -> str:
    """Return the code, the page or the op that a person means."""
    by_name = {kind.name: code for code, kind in CODES.items()}
    if text.upper() in CODES:
        return text.upper()
    if text.lower() in by_name:
        return by_name[text.lower()]
    if text.lower() in MANUAL:
        return text.lower()
    from inception_dsl.emit.report.op_page import find_op, list_op_names

    if find_op(text):
        return text
    known = by_name | {code: code for code in CODES}
    close = nearest(text, known)
    if close is None:
        known = {name: name for name in (*MANUAL, *list_op_names())}
        close = nearest(text, known)
    way_out = f"write `{known[close]}`" if close else "`inception-dsl explain` lists the codes"
    raise argparse.ArgumentTypeError(f"nothing is named `{text}`: {way_out}")
