"""The attributes of ops, and their values as a spec writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Literal

from inception_dsl.expr import Expr, Number, show, show_decimal
from inception_dsl.ir import Value

Kind = Literal[
    "width",
    "natural",
    "positive",
    "decimal",
    "fraction",
    "flag",
    "choice",
    "size",
    "pad",
    "steps",
    "init",
]
"""The values that an attribute takes: `width` and `positive` are at least 1, `natural` at least 0,
a `fraction` lies from 0 to 1; a `size` is a kernel such as 3x3; `pad` is V, same, same_tf, a number
or a size; `steps` are a number, or a size whose sides differ; `init` is a scheme and its argument,
as in `normal 0.01`."""

Changes = Literal["channels", "size", "values", "training"]
"""The most that an attribute changes: the channels of the output, its height and width, its values
alone, or training alone."""

Values = Mapping[str, Value]
"""The attributes of a node."""

Symbols = Mapping[str, Value | Expr]
"""The attributes of a step as its block writes them."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an op: its kind, its default, and its effect.

    A spec writes an attribute of kind `width` bare, one of kind `flag` as its name, and the others
    as their name and a value.

    Attributes:
        default: its value where a spec gives none; None where a spec must give one.
        changes: the most that another value changes.
        choices: the values of a `choice`.
        owner: the op that the attribute belongs to, if it is another one: a conv's `eps` is its
            batch norm's. It is no word of the op, and is there only if the op has that norm.
        owner_name: its name in its owner, if that is another one: a conv has groups of its own, so
            that the `groups` of its group norm are its `norm_groups`.
        alias_of: the attribute that this one is another way to write: `keep` is one for `drop`.
        is_drawn: false for an attribute that no figure shows, or that it shows in a way of its own.
        sets_windows: it says which values of a map each unit takes, so that with another value of
            it the units may still take the same ones.
        fixes_size: with it, the height and width are its own, whatever the op reads.
        needs: the flag without which it does nothing: an eps of standardised weights.
        is_rounded: a value that no decimal equals, such as `1/3`, is rounded to the nearest float.
        is_initial: it sets the values that weights have before training, which no run of a module
            shows.
        help: how to write it, for a step without it whose author alone knows the numbers.
        above: a number lies above this bound, and `below` the other; it is neither of them.
    """

    name: str
    kind: Kind
    default: Value | None = None
    _: KW_ONLY
    changes: Changes
    choices: tuple[str, ...] = ()
    owner: str = ""
    owner_name: str = ""
    alias_of: str = ""
    is_drawn: bool = True
    sets_windows: bool = False
    fixes_size: bool = False
    needs: str = ""
    above: int | None = None
    below: int | None = None
    is_rounded: bool = False
    is_initial: bool = False
    help: str = ""

    @property
    def canonical(self) -> str:
        """The name of the attribute that it sets in the end."""
        return self.alias_of or self.name

    @property
    def name_in_owner(self) -> str:
        """The name by which the op that it belongs to reads it."""
        return self.owner_name or self.name

    @property
    def is_symbolic(self) -> bool:
        """Its value may read a parameter of the block."""
        numeric = {"width", "natural", "positive", "decimal", "fraction"}
        return self.kind in numeric or self.kind in {"size", "pad", "steps"} or self.name == "act"


def number(values: Values, name: str) -> int:
    """Return a whole-number attribute."""
    value = values[name]
    assert isinstance(value, int)
    return value


def decimal(values: Values, name: str) -> Number:
    """Return an attribute that is any number."""
    value = values[name]
    assert isinstance(value, int | Decimal)
    return value


def read_pair(values: Values, name: str) -> tuple[int, int]:
    """Return a whole number for the height and one for the width; one number is for both."""
    value = values[name]
    return value if isinstance(value, tuple) else (number(values, name), number(values, name))


def size(values: Values, name: str) -> tuple[int, int]:
    """Return an attribute that is a height and a width."""
    value = values[name]
    assert isinstance(value, tuple)
    return value


def shown(value: Value | Expr) -> str:
    """Return a value as a spec writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"{value[0]}x{value[1]}"
        case str():
            return value
        case Decimal():
            return _shorten(show_decimal(value))
        case _:
            return show(value)


def _shorten(number: str) -> str:
    """Return Python's text of a float as an author writes it: `1e-5` of `1e-05`, `1` of `1.0`."""
    digits, _, exponent = number.partition("e")
    digits = digits.removesuffix(".0")
    return f"{digits}e{int(exponent)}" if exponent else digits
