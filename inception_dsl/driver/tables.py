"""`table`: the tables of papers."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.analysis.paper_rows import list_call_rows, list_paper_rows
from inception_dsl.driver.symbolic import tell_no_block
from inception_dsl.driver.walk import Checked
from inception_dsl.emit.report.paper_table import (
    TableKind,
    make_calls_table,
    make_network_table,
)
from inception_dsl.emit.report.table_text import PaperTable


def tabulate(
    checked: Checked, kind: TableKind = "layers", columns: Sequence[str] | None = None
) -> PaperTable:
    """Return the table of a network.

    Args:
        columns: the names of its columns; the usual ones of the kind for None.
    """
    rows = list_paper_rows(checked.model, checked.cost, joins_alike=kind == "inputs")
    return make_network_table(rows, kind, columns)


def tabulate_calls(networks: Sequence[Checked], block: str) -> PaperTable:
    """Return the table of the calls of a block in some networks.

    Raises:
        SpecError: E513, one of them has no such block.
    """
    rows = []
    title = block
    for checked in networks:
        definitions = {each.name: each for each in checked.model.blocks[:-1]}
        if block not in definitions:
            raise tell_no_block(checked.model.name, block, list(definitions))
        title = definitions[block].title or block
        rows += list_call_rows(checked.model, checked.cost, block)
    return make_calls_table(rows, block, title)
