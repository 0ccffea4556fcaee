"""The tables of papers, out of the rows of a network: layers, inputs, stages, calls of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from inception_dsl.analysis.paper_rows import (
    CallRow,
    PaperRow,
    PaperRows,
    Printed,
    WidthKey,
)
from inception_dsl.analysis.width_roles import WidthRole
from inception_dsl.emit.report.table_text import (
    Cell,
    CellSides,
    ColumnHeading,
    PaperTable,
    TableColumn,
)
from inception_dsl.ir import TensorType
from inception_dsl.ops import shown

TableKind = Literal["layers", "inputs", "stages"]

LEGENDS = {
    "params": "params: learnt values.",
    "weights": "weights: parameters without biases and norms.",
    "MACs": "MACs: multiply-accumulates of conv and linear weights, for one image.",
    "depth": "depth: convs and linears in a row.",
}


class RowColumn(NamedTuple):
    """A column of a network's table.

    Attributes:
        measure: the measure of the sources' numbers that the cells are held against; empty if none
            is.
    """

    heading: str
    align: Literal["left", "right"]
    read: Callable[[PaperRows, PaperRow], Cell]
    measure: str = ""


def _read_types(types: Iterable[TensorType]) -> Cell:
    """Return types as a cell; several are a text."""
    listed = list(types)
    if len(listed) != 1:
        return Cell(", ".join(map(str, listed)))
    (type,) = listed
    return Cell(CellSides((*type.size, type.channels)) if type.is_map else type.channels)


def _read_patch(rows: PaperRows, row: PaperRow) -> Cell:
    del rows
    if row.patch is None:
        return Cell(None)
    stride = row.patch.stride
    strides = () if stride is None else stride[:1] if stride[0] == stride[1] else stride
    return Cell(CellSides(row.patch.kernel, strides))


def _read_remarks(rows: PaperRows, row: PaperRow) -> Cell:
    return Cell(row.source) if row.patch is None else _read_patch(rows, row)


def _read_step(rows: PaperRows, row: PaperRow) -> Cell:
    del rows
    if len(row.paths) > 2:
        return Cell(f"{row.paths[0]} to {row.paths[-1]}")
    return Cell(", ".join(row.paths))


def _read_kind(rows: PaperRows, row: PaperRow) -> Cell:
    del rows
    return Cell(f"{row.copies} x {row.kind}" if row.copies > 1 else row.kind)


def _read_sum(measure: str) -> Callable[[PaperRows, PaperRow], Cell]:
    def read(rows: PaperRows, row: PaperRow) -> Cell:
        del rows
        return Cell(row.costs[measure], is_amount=measure != "depth")

    return read


def _read_share(measure: str) -> Callable[[PaperRows, PaperRow], Cell]:
    def read(rows: PaperRows, row: PaperRow) -> Cell:
        whole = rows.totals[measure]
        return Cell(f"{100 * row.costs[measure] / whole:.1f} %" if whole else None)

    return read


ROW_COLUMNS = {
    "step": RowColumn("step", "left", _read_step),
    "type": RowColumn("type", "left", _read_kind),
    "patch": RowColumn("patch size/stride", "left", _read_patch),
    "remarks": RowColumn("patch size/stride or remarks", "left", _read_remarks),
    "input": RowColumn("input size", "right", lambda _, row: _read_types(row.input), "input"),
    "output": RowColumn("output size", "right", lambda _, row: _read_types(row.output), "shape"),
    "depth": RowColumn("depth", "right", _read_sum("depth"), "depth"),
    "params": RowColumn("params", "right", _read_sum("params"), "params"),
    "weights": RowColumn("weights", "right", _read_sum("weights"), "weights"),
    "macs": RowColumn("MACs", "right", _read_sum("macs"), "macs"),
    "flops": RowColumn("FLOPs", "right", _read_sum("flops"), "flops"),
    "params_share": RowColumn("% of params", "right", _read_share("params")),
    "macs_share": RowColumn("% of MACs", "right", _read_share("macs")),
}
"""The columns of a network's table by the names that `--columns` takes, besides `widths`."""

_OF_STEPS = {"shape", "input", "depth"}
"""The measures that make no total by themselves."""

COLUMNS = (*ROW_COLUMNS, "widths")


def find_usual_columns(kind: TableKind, rows: PaperRows) -> tuple[str, ...]:
    """Return the columns of a kind of table.

    GoogLeNet's paper counts weights, and a spec says so by its claims; the column is then theirs.
    """
    match kind:
        case "layers":
            claimed = {each.measure for row in rows.rows for each in row.printed}
            learnt = "weights" if "weights" in claimed and "params" not in claimed else "params"
            return ("step", "type", "patch", "output", "depth", "widths", learnt, "macs")
        case "inputs":
            return ("type", "remarks", "input")
        case "stages":
            return ("step", "type", "output", "params", "params_share", "macs", "macs_share")


def make_network_table(
    rows: PaperRows, kind: TableKind, columns: Sequence[str] | None = None
) -> PaperTable:
    """Return the table of a network.

    Args:
        columns: the names of columns; the usual ones of the kind for None.
    """
    names = columns or find_usual_columns(kind, rows)
    heads: list[TableColumn] = []
    for name in names:
        if name == "widths":
            heads += [TableColumn(_name_width(key)) for key in rows.widths]
        else:
            heads.append(
                TableColumn(ColumnHeading(ROW_COLUMNS[name].heading), ROW_COLUMNS[name].align)
            )
    notes: dict[str, None] = {}
    cells = [_make_cells(rows, row, names, notes) for row in rows.rows]
    measures = {ROW_COLUMNS[name].measure for name in names if name in ROW_COLUMNS} - {""}
    total = _make_total(rows, names, notes) if measures - _OF_STEPS else None
    caption = f"{rows.title}, input {rows.input}"
    headings = {ROW_COLUMNS[name].heading for name in names if name in ROW_COLUMNS}
    remarks = [LEGENDS[heading] for heading in LEGENDS if heading in headings]
    if told := _count_printed(rows, measures, has_total=total is not None):
        remarks.append(told)
    return PaperTable(
        caption, f"{rows.name}-{kind}", tuple(heads), tuple(cells), total, tuple(notes),
        tuple(remarks),
    )  # fmt: skip


def _make_cells(
    rows: PaperRows, row: PaperRow, names: Sequence[str], notes: dict[str, None]
) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for name in names:
        if name == "widths":
            cells += [_read_width(row, key) for key in rows.widths]
            continue
        column = ROW_COLUMNS[name]
        cells.append(_mark(column.read(rows, row), column.measure, row.printed, notes))
    return tuple(cells)


def _make_total(rows: PaperRows, names: Sequence[str], notes: dict[str, None]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for place, name in enumerate(names):
        if name == "widths":
            cells += [Cell(None)] * len(rows.widths)
            continue
        measure = ROW_COLUMNS[name].measure
        if measure in rows.totals:
            amount = Cell(rows.totals[measure], is_amount=measure != "depth")
            cells.append(_mark(amount, measure, rows.printed, notes))
        else:
            cells.append(Cell("total" if place == 0 else None))
    return tuple(cells)


def _mark(cell: Cell, measure: str, printed: Iterable[Printed], notes: dict[str, None]) -> Cell:
    """Return a cell with the note on the numbers that sources print in its place, and others.

    Args:
        notes: the notes of the table, in order; takes this one.
    """
    wrong = [each for each in printed if measure and each.measure == measure and not each.holds]
    if not wrong:
        return cell
    note = "; ".join(map(_write_printed, wrong))
    notes.setdefault(note)
    return cell._replace(note=list(notes).index(note))


def _write_printed(printed: Printed) -> str:
    source = f"{printed.source}: " if printed.source else ""
    reason = f" ({printed.reason})" if printed.reason else ""
    return f"{source}{printed.text}{reason}"


def _count_printed(rows: PaperRows, measures: set[str], *, has_total: bool) -> str:
    """Return a sentence on the numbers that sources print in the places of the cells."""
    printed = [each for row in rows.rows for each in row.printed]
    printed += rows.printed if has_total else ()
    if "shape" in measures:  # what a row reads is what another one gives
        measures = measures - {"input"}
    judged = [each for each in printed if each.measure in measures]
    if not judged:
        return ""
    holding = sum(each.holds for each in judged)
    rest = "" if holding == len(judged) else "; the notes have the others"
    return f"Values that sources print here: {len(judged)}; {holding} agree{rest}."


def _name_width(key: WidthKey) -> ColumnHeading:
    if not isinstance(key, WidthRole):
        return ColumnHeading(key)
    if key.kind == "projection":
        return ColumnHeading("pool proj")
    double = {1: "", 2: "double "}.get(key.length, f"{key.length} x ")
    return ColumnHeading(
        f"{double}#", CellSides(key.kernel), " reduce" if key.kind == "reduction" else ""
    )


def _read_width(row: PaperRow, key: WidthKey) -> Cell:
    if key not in row.widths:
        return Cell(None)
    first, last = row.widths[key]
    if first != last:
        return Cell(f"{shown(first)} to {shown(last)}")
    is_number = isinstance(first, int) and not isinstance(first, bool)
    return Cell(first if is_number else shown(first))  # type: ignore[arg-type]


def make_calls_table(rows: Sequence[CallRow], block: str, title: str) -> PaperTable:
    """Return the table of the calls of a block in one or several networks."""
    networks = list(dict.fromkeys(row.network for row in rows))
    params = list(dict.fromkeys(name for row in rows for name in row.arguments))
    has_copies = any(row.copies > 1 for row in rows)
    columns = [TableColumn(ColumnHeading("network"), "left")] if len(networks) > 1 else []
    columns.append(TableColumn(ColumnHeading("step"), "left"))
    columns += [TableColumn(ColumnHeading("copies"))] if has_copies else []
    columns += [TableColumn(ColumnHeading(name)) for name in params]
    columns += map(TableColumn, map(ColumnHeading, ("input size", "output size", "params", "MACs")))
    cells = []
    for row in rows:
        line = [Cell(row.network)] if len(networks) > 1 else []
        line.append(Cell(row.path))
        line += [Cell(row.copies)] if has_copies else []
        line += [Cell(shown(row.arguments[n]) if n in row.arguments else None) for n in params]
        line += [_read_types(row.input), _read_types(row.output)]
        line += [Cell(row.costs[name], is_amount=True) for name in ("params", "macs")]
        cells.append(tuple(line))
    remarks = (LEGENDS["params"], LEGENDS["MACs"])
    label = f"{'-'.join(networks)}-{block}"
    return PaperTable(title, label, tuple(columns), tuple(cells), remarks=remarks)
