"""Cost reports for programs: JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from inception_dsl.analysis import group
from inception_dsl.channels import csv_cell, json_text
from inception_dsl.emit.report.layout import Layout, build_scope, build_whole_scope, measure_ratios
from inception_dsl.emit.report.measures import MEASURES, Facts, RowScope

if TYPE_CHECKING:
    from inception_dsl.analysis import ConventionCount, Windows

SCHEMA_VERSION = 1


def write_json(networks: Sequence[Facts], layout: Layout) -> str:
    """Return networks as JSON: totals, heads, and a row for each node or group."""
    documents = [_build_document(facts, layout) for facts in networks]
    head: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
    if layout.against is not None:
        head["against"] = layout.against.cost.name
        for document, facts in zip(documents, networks, strict=True):
            document["ratios"] = measure_ratios(facts, layout.against, layout)
    if len(documents) == 1 and layout.against is None:
        return json_text({**head, **documents[0]})
    return json_text({**head, "models": documents})


def _build_document(facts: Facts, layout: Layout) -> dict[str, Any]:
    cost = facts.cost
    document: dict[str, Any] = {
        "name": cost.name,
        "input": cost.input,
        "batch": cost.batch,
        "dtype": facts.dtype,
        "totals": cost.totals._asdict(),
        "totals_with_heads": cost.totals_with_heads._asdict(),
        "heads": {head.name: head.totals._asdict() for head in cost.heads},
        "flops_by_kind": dict(cost.flops_by_kind),
    }
    if facts.memory is not None:
        memory = asdict(facts.memory)
        del memory["by_path"]
        document["memory"] = memory
    if facts.counts:
        document["conventions"] = {
            name: _build_count(count) for name, count in facts.counts.items()
        }
        if facts.is_imported:
            from inception_dsl.emit.report.conventions import OF_STOCK_LAYERS

            document["conventions_note"] = OF_STOCK_LAYERS
    rows: list[dict[str, Any]] = []
    if layout.by is None or layout.by == "path":
        for row in cost.rows:
            cost_of_row = {**row._asdict(), "flops_by_kind": dict(row.flops_by_kind)}
            rows.append({**cost_of_row, **_collect_facts(facts, row.path)})
    else:
        for grouped in group(cost, layout.by):
            nodes = len(grouped.paths)
            summed: dict[str, Any] = {"path": grouped.name, "nodes": nodes}
            summed |= grouped.totals._asdict()
            if facts.counts:
                scope = build_scope(grouped)
                summed["conventions"] = {
                    name: MEASURES[name].read(facts, scope) for name in facts.counts
                }
            rows.append(summed)
    return {**document, "rows": rows}


def _build_count(count: ConventionCount) -> dict[str, Any]:
    """Return the count of a network by a convention, and what it is made of."""
    convention = count.convention
    return {
        "total": count.total,
        "tool": convention.title,
        "version": convention.version,
        "unit": convention.unit,
        "called": convention.calls_it,
        "by_kind": {
            each.kind: {"layers": each.layers, "count": each.counted, "biases": each.biases}
            for each in count.kinds
        },
        "not_counted": list(count.left_out),
    }


def _collect_facts(facts: Facts, path: str) -> dict[str, Any]:
    """Return the measurements of a node besides its cost.

    A receptive field that varies along an axis is null there.
    """
    known: dict[str, Any] = {}
    if facts.counts:
        known["conventions"] = {
            name: count.by_path.get(path) for name, count in facts.counts.items()
        }
    if facts.memory is not None:
        known["memory"] = facts.memory.by_path.get(path)
    if facts.depths is not None:
        known["depth"] = facts.depths[path]
    if facts.fields is not None:
        field = facts.fields[path]
        known["field"] = {"height": _write_axis(field.height), "width": _write_axis(field.width)}
    return known


def _write_axis(windows: Windows | None) -> dict[str, int | float] | None:
    """Return a receptive field along an axis; a stride of a fraction of a pixel as a decimal."""
    if windows is None:
        return None
    stride = windows.stride if isinstance(windows.stride, int) else float(windows.stride)
    return {
        "start": windows.start,
        "stride": stride,
        "size": windows.size,
        "centre": windows.centre,
    }


def write_csv(networks: Sequence[Facts], layout: Layout) -> str:
    """Return networks as CSV: a row for each node or group, or for each network."""
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    lead = ["name", "input", "batch"]
    if layout.against is not None:
        ratios = (f"{name}_ratio" for name in layout.ratio_columns)
        writer.writerow([*lead, *layout.total_columns, *ratios])
        for facts in networks:
            values = _read_values(facts, build_whole_scope(facts), layout.total_columns)
            multiples = measure_ratios(facts, layout.against, layout).values()
            writer.writerow(map(csv_cell, [*_read_lead(facts), *values, *multiples]))
        return stream.getvalue()
    by = layout.by or "path"
    writer.writerow([*lead, by, *layout.total_columns])
    for facts in networks:
        for grouped in group(facts.cost, by):
            values = _read_values(facts, build_scope(grouped), layout.total_columns)
            writer.writerow(map(csv_cell, [*_read_lead(facts), grouped.name, *values]))
    return stream.getvalue()


def _read_lead(facts: Facts) -> list[str | int]:
    return [facts.cost.name, facts.cost.input, facts.cost.batch]


def _read_values(facts: Facts, scope: RowScope, columns: Iterable[str]) -> list[Any]:
    return [MEASURES[name].read(facts, scope) for name in columns]
