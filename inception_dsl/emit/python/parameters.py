"""The types of a block's parameters in emitted code, and expressions over them in Python.

The spec language computes with exact numbers. Python computes exactly with whole numbers, so most
expressions are written as they are. Where a decimal or a division would bring in a float, the code
computes with `Fraction`s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from inception_dsl.emit.python.code import (
    Atom,
    Code,
    Parameter,
    annotation,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.expressions import expression
from inception_dsl.emit.python.torch_table import activation_class
from inception_dsl.expr import Apply, Binary, Expr, Name, show_decimal
from inception_dsl.ir import Param, Value
from inception_dsl.ops import ACTIVATIONS, PAD_WORDS

Kind = Literal["int", "float", "pair", "activation"]

_ANNOTATIONS: dict[Kind, tuple[str, tuple[str, ...]]] = {
    "int": ("int", ()),
    "float": ("float", ()),
    "pair": ("tuple[int, int]", ()),
    "activation": ("type[nn.Module]", ("nn",)),
}
_NOTHING = "V"
"""The padding that is none; emitted code writes 0."""

_NEGATIONS = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
"""The comparison that holds where another does not."""


class ParamType(NamedTuple):
    """The type of a parameter in emitted code.

    Attributes:
        kind: the type of its values. A pair is a kernel or a padding with two sides; one that is
            always square is a whole number.
        is_optional: it may be None, which stands for the padding `same`.
    """

    kind: Kind
    is_optional: bool = False

    @property
    def annotation(self) -> Atom:
        """The type as Python writes it."""
        text, uses = _ANNOTATIONS[self.kind]
        return annotation(f"{text} | None" if self.is_optional else text, *uses)


INT = ParamType("int")
ParamTypes = Mapping[str, ParamType]
"""The types of a block's parameters, by name."""


def find_type(values: Iterable[Value]) -> ParamType:
    """Return the type of a parameter that has these values, its default included."""
    known = list(values)
    words = {value for value in known if isinstance(value, str)}
    if words - PAD_WORDS:
        return ParamType("activation")
    is_optional = not words <= {_NOTHING}
    if any(isinstance(value, tuple) and value[0] != value[1] for value in known):
        return ParamType("pair", is_optional)
    is_float = any(isinstance(value, Decimal) for value in known)
    return ParamType("float" if is_float else "int", is_optional)


def argument(value: Value | Expr, type: ParamType, types: ParamTypes) -> Code:
    """Return a parameter's value as a call writes it.

    Args:
        type: the parameter's.
        types: those of the parameters that the value may read.
    """
    match value:
        case str() if type.kind == "activation":
            is_known = value in ACTIVATIONS or value == "none"
            return symbol(activation_class(value)) if is_known else symbol("nn.Identity")
        case str():
            value = 0 if value == _NOTHING else value
            if isinstance(value, str):
                return Atom("None")
        case (side, other) if type.kind == "int" and side == other:
            return literal(side)
        case tuple():
            return literal(value)
        case Name(name) if name in types:
            is_side = type.kind == "pair" and types[name].kind == "int"
            return literal((value, value)) if is_side else local(name)
    if type.kind == "pair":
        height = width = write_int(value, types)
        return expression((height, width))
    if type.kind == "float":
        is_whole = isinstance(value, int)
        return Atom(f"{value}.0") if is_whole else expression(write_float(value, types))
    return expression(write_int(value, types))


def declare(param: Param, type: ParamType) -> Parameter:
    """Return a parameter of a block as a constructor declares it."""
    default = None if param.default is None else argument(param.default, type, {})
    return Parameter(param.name, type.annotation, default)


def write_size(value: Value | Expr, types: ParamTypes) -> tuple[Expr, Expr]:
    """Return the two sides of a kernel or of another size."""
    match value:
        case (first, second):
            return first, second
        case Name(name) if name in types and types[name].kind == "pair":
            return Apply("item", (value, 0)), Apply("item", (value, 1))
        case str():
            raise AssertionError(value)
        case _:
            side = write_int(value, types)
            return side, side


def write_pad(value: Value | Expr, types: ParamTypes) -> Value | Expr:
    """Return a padding: a word, a number, a pair, or a choice of `same` and one of the others.

    A parameter that may be None is such a choice.
    """
    if not isinstance(value, Name) or value.name not in types:  # or the channels that enter
        return value if isinstance(value, str | tuple) else write_int(value, types)
    type = types[value.name]
    sides = Apply("pair", write_size(value, types)) if type.kind == "pair" else value
    if not type.is_optional:
        return sides
    return Apply("if", (Apply("is", (value, "None")), "same", sides))


def write_condition(condition: Expr, types: ParamTypes) -> Expr:
    """Return a condition over parameters in Python."""
    match condition:
        case Apply("not", (Apply(function, operands),)) if function in _NEGATIONS:
            return write_condition(Apply(_NEGATIONS[function], operands), types)
        case Apply("and" | "or" | "not" as function, operands):
            inner = (write_condition(_expr(operand), types) for operand in operands)
            return Apply(function, tuple(inner))
        case Apply(function, (left, str() as word)):
            return _compare_word(function, _expr(left), word)
        case Apply(function, (str() as word, right)):
            return _compare_word(function, _expr(right), word)
        case Apply(function, (left, right)):
            sides = [_expr(left), _expr(right)]
            if any(map(_is_computed, sides)):  # exactly, so that 3 * 0.1 is 0.3
                return Apply(function, tuple(_write(side, types)[0] for side in sides))
            named = [types[s.name] for s in sides if isinstance(s, Name) and s.name in types]
            is_pair = any(type.kind == "pair" for type in named)
            return Apply(function, tuple(_side(side, types, is_pair=is_pair) for side in sides))
        case _:
            raise AssertionError(condition)


def _compare_word(function: str, param: Expr, word: str) -> Expr:
    """Return the comparison of a parameter with a word: an activation, or a padding."""
    is_same = function == "=="
    if word == _NOTHING:
        return Apply(function, (param, 0))
    if word in PAD_WORDS:
        return Apply("is" if is_same else "is not", (param, "None"))
    return Apply("is" if is_same else "is not", (param, activation_class(word)))


def _side(value: Expr, types: ParamTypes, *, is_pair: bool) -> Expr:
    """Return a side of a comparison; a whole number beside a pair stands for a square."""
    match value:
        case Name(name):
            is_side = is_pair and name in types and types[name].kind != "pair"
            return Apply("pair", (value, value)) if is_side else value
        case Apply("pair", (height, width)) if height == width and not is_pair:
            return _expr(height)
        case int() | Decimal():
            return Apply("pair", (value, value)) if is_pair else value
        case _:
            return value


def _is_computed(value: Expr) -> bool:
    """Tell whether a side of a comparison is an expression, not a name, a number or a size."""
    match value:
        case Apply("pair"):
            return False
        case _:
            return isinstance(value, Binary | Apply)


def write_int(value: Expr, types: ParamTypes) -> Expr:
    """Return an expression whose value is whole, as Python computes it exactly."""
    code, is_fraction = _write(value, types)
    match code:
        case Apply("Fraction", (left, right)):
            assert not isinstance(left, str) and not isinstance(right, str)
            return Binary("//", left, right)
        case _:
            return Apply("int", (code,)) if is_fraction else code


def write_float(value: Expr, types: ParamTypes) -> Expr:
    """Return an expression whose value is a float: an exact one, rounded once at the end."""
    if not _computes_more(value):
        return value
    code, is_fraction = _write(value, types)
    return Apply("float", (code,)) if is_fraction else code


def _computes_more(value: Expr) -> bool:
    """Tell whether an expression has a function or an exact division."""
    match value:
        case Binary(operator, left, right):
            return operator == "/" or _computes_more(left) or _computes_more(right)
        case _:
            return isinstance(value, Apply)


def _write(value: Expr, types: ParamTypes) -> tuple[Expr, bool]:
    """Return an expression in Python, and whether its value is a `Fraction`."""
    match value:
        case Decimal() if Decimal(show_decimal(value)) != value:  # no float is written like it
            return Apply("Fraction", value.as_integer_ratio()), True
        case Decimal():
            return Apply("_exact", (value,)), True
        case Name(name) if name in types and types[name].kind == "float":
            return Apply("_exact", (value,)), True
        case Binary(operator, left, right):
            (one, one_is_fraction), (other, other_is_fraction) = (
                _write(left, types),
                _write(right, types),
            )
            is_fraction = one_is_fraction or other_is_fraction
            if operator == "/" and not is_fraction:
                return Apply("Fraction", (one, other)), True
            is_floored = operator == "//"
            return Binary(operator, one, other), is_fraction and not is_floored
        case Apply("if", (condition, one, other)):
            chosen = [_write(each, types) for each in (one, other) if not isinstance(each, str)]
            is_fraction = any(each for _, each in chosen)
            test = write_condition(_expr(condition), types)
            return Apply("if", (test, *(code for code, _ in chosen))), is_fraction
        case Apply(function, operands):
            written = [_write(each, types) for each in operands if not isinstance(each, str)]
            return _call(function, written)
        case _:
            return value, False


def _call(function: str, operands: list[tuple[Expr, bool]]) -> tuple[Expr, bool]:
    """Return a function of operands that are in Python, and whether its value is a `Fraction`."""
    is_fraction = any(each for _, each in operands)
    codes = tuple(code for code, _ in operands)
    match function:
        case "max" | "min":
            if is_fraction:  # so that all are of one type
                codes = tuple(c if each else Apply("Fraction", (c,)) for c, each in operands)
            return Apply(function, codes), is_fraction
        case "make_divisible":
            divisor = Apply("int", codes[1:]) if operands[1][1] else codes[1]
            return Apply("_make_divisible", (codes[0], divisor)), False
        case _ if not is_fraction:  # it is whole already
            return codes[0], False
    match function, codes[0]:
        case "floor", Apply("Fraction", (left, right)):
            return Binary("//", _expr(left), _expr(right)), False
        case "ceil", Apply("Fraction", (left, right)):
            return Apply("-", (Binary("//", Apply("-", (left,)), _expr(right)),)), False
        case "round", _:
            return Apply("round", codes), False
        case _:
            return Apply(f"math.{function}", codes), False


def _expr(operand: Expr | str) -> Expr:
    assert not isinstance(operand, str)
    return operand
