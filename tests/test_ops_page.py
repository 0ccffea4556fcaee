"""docs/ops.md has a row for every op; a script writes its words, defaults and FLOPs.

python tests/test_ops_page.py        # write the page as the ops are now

A person writes the text around the tables, and the cells `shape` and `result` of each row. The
script adds a row for an op that has none, with `?` in these cells.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_dsl.ops import OPS, SCHEMES, Op, flop_kinds, shown
from inception_dsl.ops.attribute import Attribute

PAGE = Path(__file__).parents[1] / "docs" / "ops.md"

OPS_HEAD = "| step | words | flags | shape | result | FLOPs |"
KINDS_HEAD = "| kind | FLOPs |"
UNWRITTEN = "?"

BY_STEP = {
    f"`{f'join: {op.name}' if op.join else f'KxK {op.written}' if op.kernel else op.written}`": op
    for op in OPS.values()
}
"""The ops by the first cells of their rows."""


def make_page(page: str) -> str:
    """Return the page with the words, flags and FLOPs of every op as the ops are now."""
    missing = [step for step in BY_STEP if f"\n| {step} |" not in page]
    lines: list[str] = []
    table = ""
    for line in [*page.splitlines(), ""]:
        if not line.startswith("|"):
            if table == OPS_HEAD:
                rows = cells_by_step(lines)
                here = [step for step in missing if BY_STEP[step].family in families(rows)]
                lines += [row(step, UNWRITTEN, UNWRITTEN) for step in here]
                missing = [step for step in missing if step not in here]
            table = ""
        elif table == "":
            table = line
            if table == KINDS_HEAD:
                kinds = flop_kinds().items()
                lines += [line, "|---|---|", *(f"| {kind} | {text} |" for kind, text in kinds)]
        elif table == OPS_HEAD and line.startswith("| `"):
            step, _, _, shape, result, _ = split(line)
            if step in BY_STEP:
                lines.append(row(step, shape, result))
            continue
        if table != KINDS_HEAD:
            lines.append(line)
    if missing:
        lines += ["## Other ops", "", OPS_HEAD, "|---|---|---|---|---|---|"]
        lines += [*(row(step, UNWRITTEN, UNWRITTEN) for step in missing), ""]
    return "\n".join(lines)


def split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" |")]


def cells_by_step(lines: list[str]) -> dict[str, list[str]]:
    """Return the cells of the rows of ops, by the first."""
    rows = [split(line) for line in lines if line.startswith("| `")]
    return {cells[0]: cells for cells in rows if cells[0] in BY_STEP}


def families(rows: dict[str, list[str]]) -> set[str]:
    return {BY_STEP[step].family for step in rows}


def row(step: str, shape: str, result: str) -> str:
    op = BY_STEP[step]
    words = ", ".join(
        word(op, attribute) for attribute in op.attributes if has_value(op, attribute)
    )
    kinds = ", ".join(op.flop_kinds)
    return f"| {step} | {words} | {flags(op)} | {shape} | {result} | {kinds} |"


def has_value(op: Op, attribute: Attribute) -> bool:
    """Tell whether a spec writes the attribute with a value."""
    is_kernel = attribute.name == op.kernel
    return not (is_kernel or attribute.owner or attribute.kind == "flag")


def word(op: Op, attribute: Attribute) -> str:
    if attribute.kind == "width":
        return "width"
    if attribute.alias_of:
        return f"`{attribute.name}` for `{attribute.alias_of}`"
    if attribute.default in (None, "auto"):
        return f"`{attribute.name}`"
    return f"`{attribute.name} {shown(attribute.default)}`"


def flags(op: Op) -> str:
    """Return the flags of an op, those of one attribute together with its default."""
    groups: dict[str, list[str]] = {}
    for flag, values in op.flags.items():
        groups.setdefault(next(iter(values)) if len(values) == 1 else flag, []).append(flag)
    return "; ".join(flag_group(op, name, words) for name, words in groups.items())


def flag_group(op: Op, name: str, words: list[str]) -> str:
    attribute = op.attribute(name)
    text = ", ".join(f"`{word}`" for word in words)
    if attribute is None:
        values = " ".join(setting(key, value) for key, value in op.flags[name].items())
        return f"{text} (`{values}`)"
    if attribute.kind != "flag":
        return text
    defaults = {True: "on", False: "off"}
    default = attribute.default
    return f"{text} ({defaults[default] if isinstance(default, bool) else default})"


def setting(name: str, value: object) -> str:
    return (
        {True: name, False: f"no_{name}"}[value] if isinstance(value, bool) else f"{name} {value}"
    )


def test_the_page_is_fresh() -> None:
    page = PAGE.read_text()
    assert page == make_page(page), "write it with: python tests/test_ops_page.py"


def test_every_op_has_one_row_and_nothing_else_has_one() -> None:
    steps = [split(line)[0] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    of_ops = [step for step in steps if step in BY_STEP]
    assert sorted(of_ops) == sorted(BY_STEP)
    tables = PAGE.read_text().split(OPS_HEAD)[1:]
    in_tables = [line for table in tables for line in table.strip().split("\n\n")[0].splitlines()]
    assert [split(line)[0] for line in in_tables if not line.startswith("|---")] == of_ops


@pytest.mark.parametrize("step", BY_STEP)
def test_a_row_has_every_word_and_default(step: str) -> None:
    op = BY_STEP[step]
    _, words, flags, shape, result, kinds = cells_by_step(PAGE.read_text().splitlines())[step]
    for known in op.words():
        assert f"`{known}" in words + flags, known
    for attribute in op.attributes:
        if has_value(op, attribute) and attribute.default is not None and not attribute.alias_of:
            assert f"`{attribute.name} {shown(attribute.default)}`" in words
    assert kinds == ", ".join(op.flop_kinds)
    assert UNWRITTEN not in (shape, result) and shape and result, "write the shape and the result"


def test_the_page_names_every_scheme_of_first_weights() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    first_cells = " ".join(split(line)[0] for line in rows if split(line)[0] not in BY_STEP)
    assert {cell.split()[0] for cell in first_cells.split("`")[1::2]} == {"init", *SCHEMES}


if __name__ == "__main__":
    PAGE.write_text(make_page(PAGE.read_text()))
