"""Parameters of blocks that no step reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.expr import find_names
from inception_dsl.ir import CallDef, StepDef
from inception_dsl.resolve.blocks import ReadBlock, Signature
from inception_dsl.resolve.scope import Table
from inception_dsl.source import Source, Span


def find_unread_params(
    blocks: Mapping[str, ReadBlock],
    signatures: Mapping[str, Signature],
    tables: Mapping[str, Table],
    source: Source,
) -> Iterator[Diagnostic]:
    """Yield W615 for each parameter that a file declares and that no step of its block reads.

    A block that extends another one shares its declarations: one of them has to read each. A
    parameter may also be a column of a table, whose rows bind all columns.

    Args:
        source: the file; what other files declare may have been read before this one changed it.
    """
    unread: dict[Span, tuple[str, str]] = {}
    read: set[Span] = set()
    for name, signature in signatures.items():
        if not signature.declared:
            continue
        names = _find_read(blocks[name]) | _find_columns(signature, tables)
        for param, span in signature.declared.items():
            if param in names:
                read.add(span)
            elif span.source is source:
                unread.setdefault(span, (name, param))
    for span, (name, param) in unread.items():
        if span not in read:
            message = f"no step of `{name}` reads its parameter `{param}`"
            help = "read it in a step, or take it out, here and in the calls that bind it"
            yield Diagnostic("W615", message, (Label(span),), help=help)


def _find_read(block: ReadBlock) -> frozenset[str]:
    """Return the names that the steps of a block read."""
    names: frozenset[str] = frozenset()
    return names.union(*map(find_step_names, block.definition.body))


def find_step_names(step: StepDef) -> frozenset[str]:
    """Return the names that a step reads: in its values, its count and its condition."""
    values = step.arguments if isinstance(step, CallDef) else step.attributes
    exprs = [*values.values(), *(expr for expr in (step.count, step.when) if expr is not None)]
    names: frozenset[str] = frozenset()
    return names.union(*(find_names(e) for e in exprs if not isinstance(e, str | tuple | int)))


def _find_columns(signature: Signature, tables: Mapping[str, Table]) -> frozenset[str]:
    """Return the columns of the tables whose rows a call of the block can name."""
    names: frozenset[str] = frozenset()
    columns = (frozenset(column for column, _ in table.columns) for table in tables.values())
    return names.union(*(each for each in columns if each <= signature.declared.keys()))
