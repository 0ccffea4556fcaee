"""Reports as plain data: dicts, JSON and data frames, for programs and notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from inception_dsl.diagnostics import MissingExtraError
from inception_dsl.polynomial import ExactPolynomial

if TYPE_CHECKING:
    from pandas import DataFrame


class Record:
    """A report that gives itself as a dict, as JSON, or as a data frame of pandas.

    Dicts and JSON have the attributes of the report by their names.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict that JSON can say."""
        own = (each.name for each in fields(self) if not each.name.startswith("_"))  # type: ignore[arg-type]
        return {name: make_plain(getattr(self, name)) for name in own}

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON.

        Args:
            indent: the blanks by which each level is indented; None for a single line.
        """
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, allow_nan=False)

    def to_frame(self) -> DataFrame:
        """Return the rows of the report as a data frame of pandas.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return make_frame(self._list_rows())

    def _list_rows(self) -> Iterable[Mapping[str, object]] | Mapping[str, Any]:
        """Return its rows, or its columns by their names."""
        raise NotImplementedError


def make_frame(rows: Iterable[Mapping[str, object]] | Mapping[str, Any]) -> DataFrame:
    """Return rows, or columns by their names, as a data frame of pandas.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError("a data frame", "pandas", "pandas") from error
    return pandas.DataFrame(rows if isinstance(rows, Mapping) else [*rows])


def make_plain(value: object) -> Any:
    """Return a value as JSON can say it. A polynomial, or another number beyond JSON, is a text.

    Raises:
        TypeError: the value is of a type that no report has.

    Example:
        >>> make_plain({"shape": (3, 2), "share": Fraction(1, 3), "none": None})
        {'shape': [3, 2], 'share': '1/3', 'none': None}
    """
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
        case int():
            return int(value)
        case float():
            return value if isfinite(value) else str(value)
        case Fraction() | Decimal() | PurePath() | ExactPolynomial():
            return str(value)
        case Mapping():
            return {str(key): make_plain(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return {key: make_plain(item) for key, item in value._asdict().items()}
        case tuple() | list():
            return [make_plain(item) for item in value]
        case set() | frozenset():
            return [make_plain(item) for item in sorted(value)]
    if hasattr(value, "tolist"):  # a column of numpy
        return make_plain(value.tolist())
    if isinstance(value, Record):
        return value.to_dict()
    if is_dataclass(value):
        return {each.name: make_plain(getattr(value, each.name)) for each in fields(value)}
    raise TypeError(f"no report has a value of type {type(value).__name__}")
