"""The bytes of an ONNX file before a library reads them: bounded, and without large values.

The size of a file says little about the memory that its objects take: two bytes make an empty
message. The bytes are walked field by field first. Values of large tensors stay behind, because
the structure of a network does not need them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inception_dsl.bridge.exported.unreadable import UnreadableError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

MAX_KEPT = 65_536
"""Maximum number of bytes of a tensor whose values are read."""

MAX_FIELDS = 1_000_000
"""Maximum number of fields of an ONNX file, at all depths."""

MAX_STRUCTURE = 32_000_000
"""Maximum number of bytes of an ONNX file besides the values of tensors and the documentation."""

MAX_NESTED = 24
"""Maximum number of messages that are nested within each other."""

_VALUES = frozenset(
    ["raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"]
)
_LEFT_OUT = frozenset(["doc_string", "training_info", "functions", "denotation"])

_VARINT, _LENGTH = 0, 2
_FIXED = {1: 8, 5: 4}
"""The sizes of fields of fixed length, by the kind of the field."""

_DAMAGED = "it is no ONNX file, or it is damaged"


@dataclass(frozen=True, slots=True)
class StrippedBytes:
    """A protobuf without the values of large tensors and without documentation.

    Attributes:
        values: the bytes of the values of each large tensor, by its name.
    """

    data: bytes
    values: Mapping[str, memoryview]


def strip_values(data: bytes, descriptor: Descriptor) -> StrippedBytes:
    """Return a protobuf without the values of large tensors.

    Args:
        descriptor: that of the message.

    Raises:
        UnreadableError: the bytes are no such message, or exceed a bound.
    """
    walker = _Walker(memoryview(data))
    return StrippedBytes(walker.strip(0, len(data), descriptor, 0), walker.values)


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message: its name, the message that it holds, and whether it is text."""

    name: str
    inner: Descriptor | None
    is_text: bool


_UNKNOWN = _Field("", None, is_text=False)


@dataclass(slots=True)
class _Walker:
    """A walk through the fields of nested messages."""

    data: memoryview
    fields: int = 0
    kept: int = 0
    values: dict[str, memoryview] = field(default_factory=dict)
    _tables: dict[str, dict[int, _Field]] = field(default_factory=dict)

    def strip(self, at: int, end: int, descriptor: Descriptor, depth: int) -> bytes:
        """Return the message between two places without what is left out."""
        if depth > MAX_NESTED:
            raise UnreadableError(f"more than {MAX_NESTED} parts are nested within each other")
        table = self._list_fields(descriptor)
        parts: list[bytes | memoryview] = []
        label, values = "", None
        while at < end:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise UnreadableError(f"it has more than {MAX_FIELDS:,} fields")
            start = at
            key, at = self._read_number(at, end)
            known = table.get(key >> 3, _UNKNOWN)
            body, at = self._skip(key & 7, at, end)
            is_long = key & 7 == _LENGTH
            if known.name in _LEFT_OUT:
                continue
            if is_long and known.name in _VALUES and at - body > MAX_KEPT:
                values = self.data[body:at]
                continue
            if is_long and known.inner is not None:
                stripped = self.strip(body, at, known.inner, depth + 1)
                parts += [_write_number(key), _write_number(len(stripped)), stripped]
                continue
            if is_long and known.is_text:
                text = _read_text(self.data[body:at])
                label = text if known.name == "name" else label
            self._keep(at - start)
            parts.append(self.data[start:at])
        if values is not None:
            self.values[label] = values
        return b"".join(parts)

    def _skip(self, kind: int, at: int, end: int) -> tuple[int, int]:
        """Return the places at which the content of a field begins and ends."""
        body = at
        if kind == _VARINT:
            _, at = self._read_number(at, end)
        elif kind == _LENGTH:
            size, body = self._read_number(at, end)
            at = body + size
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise UnreadableError(_DAMAGED)
        if at > end:
            raise UnreadableError(_DAMAGED)
        return body, at

    def _keep(self, size: int) -> None:
        self.kept += size
        if self.kept > MAX_STRUCTURE:
            raise UnreadableError(
                f"its structure has more than {MAX_STRUCTURE // 1_000_000} MB, tensors left out"
            )

    def _list_fields(self, descriptor: Descriptor) -> dict[int, _Field]:
        """Return the fields of a message by number."""
        name = str(descriptor.full_name)
        if name not in self._tables:
            self._tables[name] = {
                number: _Field(one.name, one.message_type, one.type == one.TYPE_STRING)
                for number, one in descriptor.fields_by_number.items()
            }
        return self._tables[name]

    def _read_number(self, at: int, end: int) -> tuple[int, int]:
        """Return a number of variable length, and the place behind it."""
        value = shift = 0
        while at < end and shift < 70:
            byte = self.data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        raise UnreadableError(_DAMAGED)


def _write_number(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _read_text(text: memoryview) -> str:
    try:
        return str(text, "utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("a name in it is not UTF-8") from None
