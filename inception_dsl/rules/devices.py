"""The table of a device, as a user writes it in YAML or in a pyproject.toml.

A number has a unit, as data sheets print it: `989 TFLOP/s`, `3350 GB/s`, `80 GB`. A key that is not
known is an error, and so is a number out of bounds: both would otherwise make a wrong bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from inception_dsl.analysis.devices import NUMBER_BYTES, Device
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest, shorten
from inception_dsl.source import Span

MAX_ERRORS = 20
"""Maximum number of errors that are told about one table."""
MAX_TEXT = 300
"""Maximum number of characters of a title or a source."""
MAX_AMOUNT = 10**18
"""Maximum number of FLOPs or bytes, a second or in all."""

_KEYS = ("title", "rates", "bandwidth", "memory", "source")
_NEEDED = ("rates", "bandwidth", "memory", "source")
_SHORT_NAMES = {
    "fp64": "float64",
    "fp32": "float32",
    "bf16": "bfloat16",
    "fp16": "float16",
}
"""The names that data sheets have for types of numbers."""
_AMOUNT = re.compile(r"([-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?) ?([A-Za-z/]*)")


class _Dimension(NamedTuple):
    """The units of a number.

    Attributes:
        noun: the noun for an error.
        units: the amount of each unit, by its name.
        usual: a number as an error shows it.
    """

    noun: str
    units: Mapping[str, int]
    usual: str


def _scale(*names: str) -> dict[str, int]:
    """Return the units with decimal prefixes."""
    prefixes = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
    return {f"{prefix}{name}": factor for prefix, factor in prefixes.items() for name in names}


_BINARY = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_RATE = _Dimension("a rate", _scale("FLOP/s", "FLOPS"), "19.5 TFLOP/s")
_BANDWIDTH = _Dimension(
    "a bandwidth",
    {**_scale("B/s"), **{f"{unit}/s": factor for unit, factor in _BINARY.items()}},
    "300 GB/s",
)
_MEMORY = _Dimension("a memory size", {**_scale("B"), **_BINARY}, "24 GB")


@dataclass(frozen=True, slots=True)
class DeviceTable:
    """The table of a device as it is written.

    Attributes:
        values: a text, a number, a truth value, a list or a mapping by each key.
        find: the function from the keys that lead to a value to its place.
        find_key: the function from those keys to the place of the last of them.
    """

    values: object
    find: Callable[[tuple[str, ...]], Span]
    find_key: Callable[[tuple[str, ...]], Span]


def read_device(name: str, table: DeviceTable) -> Device:
    """Return the device that a table describes.

    Args:
        name: the name of the device; its title, too, if the table has none.

    Raises:
        SpecError: E013, a key is not known, is missing, or has a value that it cannot have.
    """
    reader = _Reader(table)
    device = reader.read(name)
    if device is None:
        raise SpecError(reader.errors[:MAX_ERRORS])
    return device


class _Reader:
    """The reading of one table; it gathers all of its errors."""

    def __init__(self, table: DeviceTable) -> None:
        self._table = table
        self.errors: list[Diagnostic] = []

    def read(self, name: str) -> Device | None:
        values = self._table.values
        if not isinstance(values, dict):
            self._error("a device is a table of `rates`, `bandwidth`, `memory` and `source`", ())
            return None
        self._check_keys(values, (), _KEYS)
        for key in _NEEDED:
            if key not in values:
                self._error(f"a device needs `{key}`", (), _EXAMPLES[key])
        texts = {
            key: self._read_text(values[key], key) for key in ("title", "source") if key in values
        }
        rates = dict(self._read_rates(values["rates"])) if "rates" in values else {}
        bandwidth = self._read(values, "bandwidth", _BANDWIDTH)
        memory = self._read(values, "memory", _MEMORY)
        if self.errors:
            return None
        return Device(
            name=name,
            title=texts.get("title", name),
            rates=rates,
            bandwidth=bandwidth,
            memory=memory,
            source=texts["source"],
        )

    def _error(self, message: str, keys: tuple[str, ...], help: str | None = None) -> None:
        labels = (Label(self._table.find(keys)),)
        self.errors.append(Diagnostic("E013", message, labels, help=help))

    def _check_keys(
        self, values: Mapping[str, object], keys: tuple[str, ...], known: tuple[str, ...]
    ) -> None:
        for name in values:
            if name not in known:
                close = _SHORT_NAMES.get(name.lower()) if keys else None
                close = close or nearest(name, known)
                help = f"write `{close}`" if close else f"there are {', '.join(known)}"
                where = "`rates`" if keys else "a device"
                message = f"{where} has no key `{shorten(name)}`"
                labels = (Label(self._table.find_key((*keys, name))),)
                self.errors.append(Diagnostic("E013", message, labels, help=help))

    def _read_text(self, value: object, key: str) -> str:
        if not isinstance(value, str) or not value.strip():
            self._error(f"`{key}` is a text that is not empty", (key,))
        elif len(value) > MAX_TEXT:
            self._error(f"`{key}` has more than {MAX_TEXT} characters", (key,))
        return str(value).strip()

    def _read_rates(self, value: object) -> Iterator[tuple[str, int]]:
        if not isinstance(value, dict) or not value:
            message = "`rates` has a peak rate for each type of numbers, at least for one"
            self._error(message, ("rates",), _EXAMPLES["rates"])
            return
        self._check_keys(value, ("rates",), tuple(NUMBER_BYTES))
        for name, text in value.items():
            if name in NUMBER_BYTES:
                yield name, self._read_amount(text, ("rates", name), _RATE)

    def _read(self, values: Mapping[str, object], key: str, dimension: _Dimension) -> int:
        return self._read_amount(values[key], (key,), dimension) if key in values else 0

    def _read_amount(self, value: object, keys: tuple[str, ...], dimension: _Dimension) -> int:
        """Return a number in FLOPs or bytes; 0 if it is wrong."""
        help = f"write a number and a unit, as in `{dimension.usual}`"
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        text = str(value) if is_number or isinstance(value, str) else ""
        match = _AMOUNT.fullmatch(text.strip())
        if match is None:
            quoted = f"`{shorten(text)}`" if text else "this"
            self._error(f"{quoted} is not {dimension.noun}", keys, help)
            return 0
        unit = match[2]
        if unit not in dimension.units:
            close = _suggest(unit, dimension)
            message = f"`{shorten(text)}` lacks a unit"
            if unit:
                message = f"`{unit}` is not a unit for {dimension.noun}"
            self._error(message, keys, f"write `{match[1]} {close}`" if close else help)
            return 0
        amount = Decimal(match[1]) * dimension.units[unit]
        if amount < 1:
            self._error(f"{dimension.noun} is more than 0, and this is `{text}`", keys)
        elif amount > MAX_AMOUNT:
            most = MAX_AMOUNT // dimension.units[unit]
            self._error(f"`{text}` is more than {most:,} {unit}", keys)
        return int(amount)


_EXAMPLES = {
    "rates": "write `rates: {float32: 19.5 TFLOP/s}`",
    "bandwidth": "write `bandwidth: 300 GB/s`",
    "memory": "write `memory: 24 GB`",
    "source": "say where the numbers are from, as in `source: the vendor's data sheet`",
}


def _suggest(unit: str, dimension: _Dimension) -> str | None:
    """Return the unit that a text means if only its case is wrong; bits are no bytes."""
    if "b" in unit:  # `Gb/s`, `Gib`, `gbit`: no unit that is known has a small b
        return None
    folded = {name.lower(): name for name in dimension.units}
    return folded.get(unit.lower())
