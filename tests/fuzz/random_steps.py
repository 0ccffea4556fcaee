"""Steps of random specs, and specs whose steps are yet to be written.

A step is a `Step` until it is written, in its short form or its long one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from hypothesis import strategies as st

Body: TypeAlias = "Step | list[Any] | dict[str, Any]"
"""A body of the language, with steps that are yet to be written."""


@dataclass(frozen=True)
class Step:
    """A call of an op or a block.

    Attributes:
        head: what stands before the parenthesis, `2 x 3x3 conv`.
        width: the width, which has no word of its own in the short form.
        words: attributes, or a block's bindings, by name.
        bindings: whether `words` are those of a block.
        row: a row of a table.
    """

    head: str
    width: str | int | None = None
    words: tuple[tuple[str, Any], ...] = ()
    bindings: bool = False
    row: str = ""

    def short(self) -> str:
        """Return the step on one line."""
        words = [self.row] if self.row else []
        words += [str(self.width)] if self.width is not None else []
        for name, value in self.words:
            if self.bindings:
                words.append(f"{name}={value}")
            elif value is True or value is False:
                words.append(name if value else f"no_{name}")
            else:
                words.append(f"{name} {value}")
        return f"{self.head} ({' '.join(words)})" if words else self.head

    def long(self) -> dict[str, Any] | str:
        """Return the step as a mapping; in its short form if a word is a key of bodies, too."""
        if any(name == "from" for name, _ in self.words):
            return self.short()
        written: dict[str, Any] = {"op": f"{self.head} ({self.row})" if self.row else self.head}
        if self.width is not None:
            written["width"] = self.width
        return written | dict(self.words)


class Spec:
    """A spec's document, with steps that are yet to be written."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def text(self, *, long: bool = False) -> str:
        """Return the spec as YAML, with every step in its short form or in its long one."""
        plain = _written(self.document, Step.long if long else Step.short)
        dumped = yaml.safe_dump(plain, sort_keys=False, width=10**9, allow_unicode=True)
        assert isinstance(dumped, str)
        return dumped

    def __repr__(self) -> str:
        return f"Spec of\n{self.text()}"


def _written(value: Any, write: Callable[[Step], Any]) -> Any:
    match value:
        case Step():
            return write(value)
        case list():
            return [_written(item, write) for item in value]
        case dict():
            return {key: _written(item, write) for key, item in value.items()}
        case _:
            return value


ACTS = (
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "mish",
    "softplus",
    "hardtanh",
    "silu",
    "gelu",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
)
KERNELS = ("1x1", "3x3", "1x3", "3x1", "5x5", "1x7", "7x1")
WIDTHS = st.integers(1, 12)
