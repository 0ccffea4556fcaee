"""The ops as text for a terminal: all in a table, or one with every word that it knows.

The words, defaults and FLOPs are facts of the ops. Their shapes and results are sentences that a
person has written in the manual's page on ops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from inception_dsl.ops import FANS, OPS, PAD_WORDS, SCHEMES, Attribute, Op, flop_kinds, shown
from inception_dsl.tables import Column, plain_table

_VALUES: Mapping[str, str] = {
    "width": "the number of channels, written bare",
    "natural": "a whole number of at least 0",
    "positive": "a whole number of at least 1",
    "decimal": "a number",
    "fraction": "a number from 0 to 1",
    "flag": "on or off",
    "size": "a size such as `3x3`",
    "steps": "a whole number, or a size such as `2x1` whose sides differ",
}
"""The values of a word, by the kind of its attribute."""


class OpRow(NamedTuple):
    """The sentences of the manual on an op.

    Attributes:
        step: how a spec writes the op.
        shape: the shape that it reads, and the one that it gives.
        result: the values that it gives.
    """

    step: str
    shape: str
    result: str


def write_step(op: Op) -> str:
    """Return how a spec writes an op, such as `KxK conv`."""
    if op.join:
        return f"join: {op.name}"
    return f"KxK {op.written}" if op.kernel else op.written


def read_rows(page: str) -> dict[str, OpRow]:
    """Return the sentences of the manual's page on ops, by how a spec writes the ops."""
    rows: dict[str, OpRow] = {}
    for line in page.splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split(" |")]
        if line.startswith("| `") and len(cells) == 6:
            step, _, _, shape, result, _ = cells
            rows[step] = OpRow(step, shape, result)
    return rows


def find_op(name: str) -> Op | None:
    """Return the op that a person means: by its own name, or by that of another tool."""
    key = name.strip().lower()
    for op in OPS.values():
        if key in (op.name, op.written.lower(), write_step(op).lower()):
            return op
    other = (op for op in OPS.values() if key in op.aliases or key in op.variants)
    return next(other, None)


def list_op_names() -> list[str]:
    """Return every name by which `find_op` finds an op."""
    return [
        name for op in OPS.values() for name in (op.name, op.written, *op.aliases, *op.variants)
    ]


def explain_values(attribute: Attribute) -> str:
    """Return the values that a word takes."""
    if attribute.kind == "choice":
        return "one of " + ", ".join(f"`{choice}`" for choice in attribute.choices)
    if attribute.kind == "pad":
        words = ", ".join(f"`{word}`" for word in sorted(PAD_WORDS))
        return f"{words}, a number, or a size such as `1x2`"
    if attribute.kind == "init":
        schemes = ", ".join(f"`{scheme}`" for scheme in [*SCHEMES, *FANS])
        return f"a scheme and its argument, as in `normal 0.01`, of {schemes}"
    bounds = "".join(
        f" {word} {bound}"
        for word, bound in (("above", attribute.above), ("below", attribute.below))
        if bound is not None
    )
    return _VALUES[attribute.kind] + bounds


def write_ops(rows: Mapping[str, OpRow]) -> str:
    """Return all ops in a table."""
    columns = (Column("step", "left"), Column("shape", "left"), Column("result", "left"))
    steps = map(write_step, OPS.values())
    return plain_table(columns, [list(rows[step]) for step in steps])


def write_op(op: Op, row: OpRow) -> str:
    """Return an op with its shape, its result, its words and flags, and what its FLOPs count."""
    lines = [row.step, f"  {row.shape}", f"  {row.result}", ""]
    columns = (Column("word", "left"), Column("default", "left"), Column("value", "left"))
    words = [_word(attribute) for attribute in op.own_attributes if attribute.name != op.kernel]
    if words:
        lines += plain_table(columns, words).splitlines() + [""]
    flags = [[flag, _settings(op, flag)] for flag in op.flags if op.attribute(flag) is None]
    if flags:
        head = (Column("flag", "left"), Column("sets", "left"))
        lines += plain_table(head, flags).splitlines() + [""]
    lines += _other_names(op)
    kinds = flop_kinds()
    lines += [f"FLOPs, {kind}: {kinds[kind]}" for kind in op.flop_kinds]
    return "\n".join(lines).rstrip() + "\n"


def _word(attribute: Attribute) -> list[str]:
    if attribute.kind == "flag":
        is_set = isinstance(attribute.default, bool)
        default = ("on" if attribute.default else "off") if is_set else "auto"
        return [attribute.name, default, "a flag: write it alone, or `no_` before it"]
    alias = attribute.alias_of
    value = f"another way to write `{alias}`" if alias else explain_values(attribute)
    default = "needed" if attribute.default is None else shown(attribute.default)
    return [attribute.name, default if not attribute.alias_of else "", value]


def _settings(op: Op, flag: str) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in op.flags[flag].items())


def _other_names(op: Op) -> Iterator[str]:
    if op.aliases:
        yield f"other tools' names: {', '.join(op.aliases)}"
    for name, words in op.variants.items():
        yield f"{name} of other tools: {op.written} ({' '.join(words)})"
    if op.aliases or op.variants:
        yield ""
