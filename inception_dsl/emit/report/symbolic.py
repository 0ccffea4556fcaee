"""Costs as polynomials: text for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from inception_dsl.analysis.symbolic import CallPoint, Piece, Symbol, SymbolicCost, SymbolicMeasure
from inception_dsl.channels import json_text, printable
from inception_dsl.conditions import Condition, ValueRegion, ValueSpan, show_condition, show_span
from inception_dsl.ir import Value
from inception_dsl.ops import shown
from inception_dsl.polynomial import ExactPolynomial, list_terms, show
from inception_dsl.tables import Column, plain_table

SCHEMA_VERSION = 1

TITLES: Mapping[SymbolicMeasure, str] = {
    "params": "params",
    "weights": "weights",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "depth": "depth",
}
"""The headings of costs."""

MAX_WIDTH = 100
"""Maximum length of a line of a polynomial."""

MAX_PATHS = 3
"""Maximum number of calls that a row of the table names."""


def write_symbolic_text(report: SymbolicCost) -> str:
    """Return polynomials for people: the symbols, then each piece with its conditions."""
    owner = f"block {report.block} of {report.name}" if report.block else report.name
    forms = list(dict.fromkeys(_write_inputs(piece) for piece in report.pieces))
    inputs = " or ".join(forms)
    lines = [f"{owner}, input {inputs}"]
    lines.extend(f"  {line}" for line in _describe(report.symbols))
    for piece in report.pieces:
        lines += ["", *_write_piece(piece, is_input_told=len(forms) > 1)]
    lines += ["", *_write_points(report).splitlines(), ""]
    lines += ["MACs: multiply-accumulates of conv and linear weights, for one image in inference."]
    lines += ["All symbols are whole numbers of at least 1, within the bounds of the language."]
    return "".join(f"{printable(line)}\n" for line in lines)


def _write_inputs(piece: Piece) -> str:
    return ", ".join(f"{name} {text}".strip() for name, text in piece.inputs.items())


def _describe(symbols: Sequence[Symbol]) -> Iterator[str]:
    """Yield the meanings of symbols; those of one meaning stand together."""
    together: dict[str, list[str]] = {}
    for symbol in symbols:
        together.setdefault(symbol.meaning, []).append(symbol.name)
    for meaning, names in together.items():
        is_several = len(names) > 1 and meaning.startswith("parameter ")
        yield f"{', '.join(names)}: {meaning.replace('parameter', 'parameters', is_several)}"


def _write_piece(piece: Piece, *, is_input_told: bool) -> Iterator[str]:
    titles = {measure: TITLES[measure] for measure in piece.costs}
    width = max(map(len, titles.values()))
    for measure, polynomial in piece.costs.items():
        yield from _wrap(f"{titles[measure]:{width}} = ", polynomial)
    conditions = list(_list_forms(piece)) if is_input_told else []
    conditions += _list_conditions(piece)
    if conditions:
        yield "where"
        yield from (f"  {condition}" for condition in conditions)
    else:
        yield "everywhere"


def _wrap(lead: str, polynomial: ExactPolynomial) -> Iterator[str]:
    """Yield the lines of a polynomial; a denominator stands behind it."""
    whole = polynomial.scale(polynomial.denominator)
    terms = list_terms(whole)
    end = ""
    line = lead
    if polynomial.denominator > 1:
        end = f" / {polynomial.denominator}"
        if len(terms) > 1:
            line, end = f"{lead}(", f"){end}"
    for index, (coefficient, monomial) in enumerate(terms):
        text = show(ExactPolynomial({monomial: coefficient.numerator}))
        if index:
            text = f" - {text[1:]}" if coefficient < 0 else f" + {text}"
        if len(line) + len(text) > MAX_WIDTH:
            yield line
            line = f"{' ' * (len(lead) - 1)}{text}"
        else:
            line += text
    yield f"{line or '0'}{end}" if terms else f"{line}0"


def _list_forms(piece: Piece) -> Iterator[str]:
    """Yield which inputs are maps and which are vectors, of a block that reads both."""
    for name, type in zip(piece.inputs, piece.points[0].inputs, strict=True):
        which = f"the input {name}".rstrip()
        yield f"{which} is a {'map' if type.is_map else 'vector'}"


def _list_conditions(piece: Piece) -> Iterator[str]:
    """Yield the conditions of a piece, those within the bounds of the language left out."""
    region = piece.region
    for name, value in piece.settings.items():
        yield f"{name} = {shown(value)}"
    for name, held in region.pinned.items():
        place = piece.held.get(name)
        yield f"{name} = {held}" + (f", which a step needs as a number: {place}" if place else "")
    for name, span in region.spans.items():
        if said := show_span(name, span, 1):
            yield ", ".join(said)
    for condition in region.others:
        yield show_condition(condition)


def _write_points(report: SymbolicCost) -> str:
    points = [point for piece in report.pieces for point in piece.points]
    measures = list(report.pieces[0].costs)
    names = list(points[0].arguments)
    has_paths = any(point.paths for point in points)
    first = [Column("call", "left")] if has_paths else []
    columns = (
        *first,
        *map(Column, names),
        Column("input"),
        *(Column(TITLES[measure]) for measure in measures),
    )
    rows = [
        [
            *([_name_calls(point.paths)] if has_paths else []),
            *(shown(point.arguments[name]) for name in names),
            ", ".join(map(str, point.inputs)),
            *(f"{point.costs[measure]:,}" for measure in measures),
        ]
        for point in points
    ]
    return plain_table(columns, rows)


def _name_calls(paths: Sequence[str]) -> str:
    more = len(paths) - MAX_PATHS
    named = ", ".join(paths[: MAX_PATHS if more > 0 else None])
    return f"{named} and {more:,} more" if more > 0 else named


def write_symbolic_json(report: SymbolicCost) -> str:
    """Return polynomials as JSON: the terms of each as numerators, with their exponents."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "name": report.name,
            "block": report.block,
            "inputs": dict(report.inputs),
            "symbols": [symbol._asdict() for symbol in report.symbols],
            "pieces": [_build_piece(piece) for piece in report.pieces],
        }
    )


def _build_piece(piece: Piece) -> dict[str, Any]:
    return {
        "costs": {measure: _build_polynomial(p) for measure, p in piece.costs.items()},
        "inputs": dict(piece.inputs),
        "settings": {name: shown(value) for name, value in piece.settings.items()},
        "conditions": _build_region(piece.region, piece.held),
        "points": [_build_point(point) for point in piece.points],
    }


def _build_polynomial(polynomial: ExactPolynomial) -> dict[str, Any]:
    return {
        "text": show(polynomial),
        "denominator": polynomial.denominator,
        "terms": [
            {"numerator": int(coefficient * polynomial.denominator), "exponents": dict(monomial)}
            for coefficient, monomial in list_terms(polynomial)
        ],
    }


def _build_region(region: ValueRegion, held: Mapping[str, str]) -> dict[str, Any]:
    return {
        "held": {
            name: {"value": _build_number(value), "at": held.get(name)}
            for name, value in region.pinned.items()
        },
        "spans": {name: _build_span(span) for name, span in region.spans.items()},
        "others": _build_conditions(region.others),
        "bounds": _build_conditions(region.bounds),
    }


def _build_number(value: int | Fraction) -> int | str:
    return value if isinstance(value, int) else str(value)


def _build_span(span: ValueSpan) -> dict[str, int | None]:
    return {"from": span.first, "to": span.high, "every": span.modulus}


def _build_conditions(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    return [
        {
            "text": show_condition(condition),
            "polynomial": _build_polynomial(condition.polynomial),
            "is": condition.relation.replace("_", " "),
            **({"by": condition.modulus} if condition.modulus else {"of": 0}),
        }
        for condition in conditions
    ]


def _build_point(point: CallPoint) -> dict[str, Any]:
    def number(value: Value) -> int | str:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return int(value) if is_whole and isinstance(value, int) else shown(value)

    return {
        "calls": list(point.paths),
        "arguments": {name: number(value) for name, value in point.arguments.items()},
        "inputs": [str(type) for type in point.inputs],
        "values": dict(point.values),
        "costs": dict(point.costs),
    }


SYMBOLIC_FORMATS = {"table": write_symbolic_text, "json": write_symbolic_json}
"""The functions that write polynomials, by the name of each format."""
