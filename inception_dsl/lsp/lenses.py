"""Code lenses: the totals of the network above its steps, and its budget line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.analysis import Quantities
from inception_dsl.driver.reading import OpenReading
from inception_dsl.ir import Model, Multiple, Quantity, write_types
from inception_dsl.lsp.hints import shorten_count
from inception_dsl.spec.tree import Mapping, Tree


class Lens(NamedTuple):
    """A text above the line of a character of the spec's own file."""

    offset: int
    text: str


def list_lenses(reading: OpenReading) -> Iterator[Lens]:
    """Yield the totals of a network, and each line of its budget beside what is counted."""
    if reading.made is None or reading.quantities is None or reading.loaded is None:
        return
    model, quantities = reading.made.model, reading.quantities
    name = reading.file.shown
    key = _find_key(reading.loaded.tree, "network", name) or _find_key(
        reading.loaded.tree, "inception", name
    )
    if key is not None:
        yield Lens(key, _write_totals(model, quantities))
    for bound in model.budget:
        span = bound.origin.span
        counted = quantities.find(bound.measure, bound.at, with_heads=False)
        if span is not None and span.source.name == name and isinstance(counted, int):
            of = f"{bound.quantity.text}{_write_room(bound.quantity, counted)}"
            yield Lens(span.start, f"{bound.place}: {counted:,} of {of}")


def _write_room(bound: Quantity | Multiple, counted: int) -> str:
    """Return the part of a bound that a quantity leaves, or by which it exceeds it."""
    if isinstance(bound, Multiple) or not bound.amount or bound.relation not in ("<", "<="):
        return ""
    percent = 100 * (bound.amount - counted) / bound.amount
    return f", {percent:.1f} % left" if percent >= 0 else f", {-percent:.1f} % over"


def _find_key(tree: Tree, key: str, name: str) -> int | None:
    """Return the place of a key at the top of a file."""
    entry = tree.items.get(key) if isinstance(tree, Mapping) else None
    return entry.key.start if entry is not None and entry.key.source.name == name else None


def _write_totals(model: Model, quantities: Quantities) -> str:
    totals = quantities.cost.totals
    depth = quantities.find("depth", None, with_heads=False)
    heads = quantities.cost.totals_with_heads.params - totals.params
    aside = f", heads {shorten_count(heads)} params more" if heads else ""
    return (
        f"{write_types(model.inputs)} -> {write_types(model.outputs)}: "
        f"{totals.params:,} params, {shorten_count(totals.macs)} MACs, "
        f"{shorten_count(totals.flops)} FLOPs, {depth} layers deep{aside}"
    )
