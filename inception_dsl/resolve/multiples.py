"""The meaning of a number beside an op that is no count: `2x upsample`, `3 conv (64)`, `crop (28)`.

A number before an op may be a kernel, a stride, a factor or a count, and each one makes another
network. A fix is proposed only for the one meaning that an op leaves open; else the help names all.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from decimal import Decimal
from typing import NamedTuple

from inception_dsl.ops import RESCALE, WRITTEN, Op
from inception_dsl.resolve.habits import meanings_of, op_of
from inception_dsl.spec.step import MAX_LENGTH

SURE_FACTOR, MAX_FACTOR = 4, 32
"""The bounds on a number that may be a factor or a size.

Up to the first it is a factor, above the second a size, and between them either one. The largest
factor of the field is that of FCN-32s.
"""

_TIMES = "[xX\u00d7*]"
_SIGN = re.compile(_TIMES)
_NUMBER = re.compile(rf"{_TIMES}?([0-9]+(?:\.[0-9]+)?){_TIMES}?")
_OUTER = re.compile(rf"{_NUMBER.pattern}(?![0-9.])|[A-Za-z_]\w*|\S")
_STEP = re.compile(r"([^()]*)(?:\((.*)\))?[ \t]*")
_SIDES = re.compile("([0-9]+)x([0-9]+)")


class Advice(NamedTuple):
    """The meaning of a number: a text to write, or a sentence; neither, if nobody can tell."""

    instead: str | None = None
    help: str | None = None


class NumberedOp(NamedTuple):
    """A number beside an op, in a step's text.

    Attributes:
        is_multiple: a sign of multiplication stands beside the number.
        name: the op's name, or the word that is none.
        words: the other words of the step.
        end: the place of the last character, the closing bracket included.
    """

    number: str
    is_multiple: bool
    name: str
    op: Op | None
    words: str
    end: int


def advise_step(text: str, blocks: Container[str]) -> tuple[NumberedOp, Advice] | None:
    """Return the meaning of a step with a number beside its op; None if it is no such step.

    Args:
        blocks: the blocks that a step may name: a number before one is its count.
    """
    numbered = _read(text) if len(text) <= MAX_LENGTH else None
    if numbered is None or numbered.name in blocks:
        return None
    if (op := numbered.op) is None:
        meanings = meanings_of(numbered.name)
        return (numbered, Advice(help=f"name the op: {meanings}")) if meanings else None
    kernel = op.attribute(op.kernel)
    whole = numbered.number.isdigit()
    if kernel is not None and op.attribute("stride") is None and whole:
        square = f"{numbered.number}x{numbered.number}"
        return numbered, Advice(_as_step(f"{square} {op.written}", numbered.words))
    if kernel is not None:
        return numbered, Advice(help=_list_meanings(op, numbered.number) if whole else None)
    names = required_numbers(op)
    if not names:
        takes_numbers = any(a.kind in ("positive", "natural") for a in op.own_attributes)
        return (numbered, Advice()) if takes_numbers else None
    if any(re.search(rf"\b{name}\b", numbered.words) for way in (names, *op.ways) for name in way):
        return numbered, Advice()
    if numbered.is_multiple and whole:
        advice = Advice(f"{names[0]} {numbered.number}")
    else:
        advice = advise_number(op, numbered.number)
    if advice.instead is None:
        return numbered, advice
    return numbered, Advice(_as_step(op.written, f"{advice.instead} {numbered.words}".strip()))


def _as_step(call: str, words: str) -> str:
    return f"{call} ({words})" if words else call


def _read(text: str) -> NumberedOp | None:
    """Return the number and the op of a step's text; None if it has not exactly one of each."""
    if (match := _STEP.fullmatch(text.partition("->")[0])) is None:
        return None
    outer, inner = [word[0] for word in _OUTER.finditer(match[1])], (match[2] or "").split()
    signs = [word for word in outer if _SIGN.fullmatch(word)]
    numbers = [word for word in outer if _NUMBER.fullmatch(word)]
    if not numbers and inner and _NUMBER.fullmatch(inner[0]):
        numbers.append(inner.pop(0))
    names = [word for word in outer if word not in (*signs, *numbers)]
    if len(numbers) != 1 or not names:
        return None
    number = _NUMBER.fullmatch(numbers[0])
    assert number is not None
    name, op, others = _find_op(names)
    if op is not None and not all(word in op.flags for word in others):
        return None
    is_multiple = bool(signs) or number[0] != number[1]
    words = " ".join([*others, *inner])
    return NumberedOp(number[1], is_multiple, name, op, words, len(match[0].rstrip()))


def _find_op(names: list[str]) -> tuple[str, Op | None, list[str]]:
    """Return the op that some of a step's words name, with its name and the other words.

    Args:
        names: the words outside the brackets.
    """
    for length in (2, 1):
        for start in range(len(names) - length + 1):
            name = " ".join(names[start : start + length])
            op = WRITTEN.get(name) or WRITTEN.get(op_of(name) or "")
            if op is not None:
                return name, op, names[:start] + names[start + length :]
    return names[0], None, names[1:]


def _list_meanings(op: Op, number: str) -> str:
    """Return the ways to write the numbers that an op with a kernel takes."""
    kernel = f"`{number}x{number} {op.written}`"
    return f"a kernel is {kernel}, a stride `stride {number}`, a count `{number} x`"


def required_numbers(op: Op) -> Sequence[str]:
    """List the attributes that take a whole number, one for each way to write the op."""
    if op.width:
        return ()
    names = [way[0] for way in op.ways] or [a.name for a in op.attributes if a.default is None]
    given = (op.attribute(name) for name in names)
    return [a.name for a in given if a is not None and a.kind == "positive"]


def advise_number(op: Op, number: str) -> Advice:
    """Return the meaning of a number, or of a size such as `28x28`, alone among an op's words."""
    size, names = _size_of(op), _meant_by_number(op)
    if (sides := _SIDES.fullmatch(number)) is not None:
        height, width = int(sides[1]), int(sides[2])
        if height == width and required_numbers(op):
            return advise_number(op, str(height))
        is_size = size is not None and min(height, width) > SURE_FACTOR
        return Advice(f"{size} {number}" if is_size else None)
    if size is not None and number.isdigit():
        return _factor_or_size(op, size, int(number))
    attributes = [op.attribute(name) for name in names]
    if any(a and a.is_initial for a in attributes):
        if fixed := advise_rescale(op, number):
            return Advice(help=f"its first value is `{names[0]} {number}`; {fixed}")
        if number.isdigit() and int(number) > 1:
            return Advice()  # rather a number of channels than a first value
    if any(a is not None and a.kind == "positive" for a in attributes) and not number.isdigit():
        if len(names) != 1:
            return Advice()
        whole, other = f"`{names[0]}` is a whole number", advise_size(op, names[0])
        return Advice(help=f"{whole}; {other}" if other else whole)
    words = [f"`{a.name}`" for a in op.attributes if a.kind == "decimal"]
    if not names and op.family == "activation" and words:
        return Advice(help=f"a number stands behind its word: {' or '.join(words)}")
    return Advice(" ".join(f"{name} {number}" for name in names) or None)


def advise_rescale(op: Op, number: str) -> str | None:
    """Return how to do by one number what an op does by a value or a weight; None without a way."""
    if not op.by_number:
        return None
    return f"by one fixed number it is `{RESCALE.written} ({op.by_number.format(number)})`"


def _factor_or_size(op: Op, size: str, number: int) -> Advice:
    """Return the meaning of a whole number in a step that takes a size, or else a factor or sides.

    Args:
        size: the attribute that is the size.
    """
    square = f"{size} {number}x{number}"
    factors = required_numbers(op)
    if factors and number <= SURE_FACTOR:
        return Advice(f"{factors[0]} {number}")
    if factors and number > MAX_FACTOR:
        return Advice(square)
    other, what = (factors[0], factors[0]) if factors else (op.ways[0][0], "side")
    return Advice(help=f"write a {what} as `{other} {number}`, a size as `{square}`")


def advise_size(op: Op, name: str) -> str | None:
    """Return how an op takes a size that a whole number does not give; None if it takes none.

    Args:
        name: the attribute that is a whole number.
    """
    size = _size_of(op)
    if size is None or name not in required_numbers(op):
        return None
    return f"a size that no whole {name} gives is written as `{size} HxW`"


def _size_of(op: Op) -> str | None:
    """Return the attribute of a way of an op that is a size."""
    names = (way[0] for way in op.ways)
    return next((n for n in names if (a := op.attribute(n)) and a.kind == "size"), None)


def _meant_by_number(op: Op) -> Sequence[str]:
    """Return the attributes of an op that a number alone most likely sets: all sides of a `pad`."""
    if op.ways:
        way, *others = op.ways
        return way if len(way) == 1 or not others else ()
    part = next((a.name for a in op.attributes if a.kind == "fraction"), None)
    if part is not None:
        return (part,)
    first = next((a for a in op.attributes if a.kind != "flag"), None)
    if first is None or first.kind not in {"positive", "decimal"}:
        return ()
    if first.above is not None and first.default is not None and op.family != "activation":
        return ()
    can_stand_alone = first.default is None or (
        isinstance(first.default, int | Decimal) and first.default >= 0
    )
    return (first.name,) if can_stand_alone and not op.kernel else ()
