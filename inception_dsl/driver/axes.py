"""The axes of a sweep: their names, the values that they take, the places that they set.

An axis is a parameter of the network, a side of an input, a cell of a table, an argument or a
number of a step, or the number of its copies. In the template, a name stands for the number that it
sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Literal, NamedTuple

from inception_dsl.diagnostics import Diagnostic, SpecError, nearest
from inception_dsl.expr import Name
from inception_dsl.ir import NETWORK, CallDef, NodeDef, Value
from inception_dsl.ops import OPS, WORDS, shown
from inception_dsl.resolve import Template
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.resolve.unread import find_step_names
from inception_dsl.resolve.values import SIZE, parameter_value

MAX_VALUES = 1_000_000
"""Maximum number of values of an axis."""

MAX_NAMED = 12
"""Maximum number of axes that a message names."""

COPIES = "copies"
"""The name of the number of copies of a step: `inception_a.copies`."""

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_EXPONENT = re.compile(r"[0-9.]+[eE][+-]?[0-9]+")
_SHAPE = re.compile(r"([0-9]{1,12})x([0-9]{1,12})x([0-9]{1,12})")
_RANGE = re.compile(rf"({_NUMBER.pattern}):({_NUMBER.pattern})(?::({_NUMBER.pattern}))?")

AxisKind = Literal["parameter", "input", "cell", "step", "unclear"]
"""The kind of place that an axis sets; `unclear` if two places have its name."""


class Axis(NamedTuple):
    """An axis of a sweep and its values in order.

    Attributes:
        denominator: the least common denominator of the values that are numbers.
    """

    name: str
    values: tuple[Value, ...]
    denominator: int

    def write(self, index: int) -> str:
        """Return a value as a spec writes it."""
        return shown(self.values[index])


def read_axes(texts: Sequence[str]) -> list[Axis]:
    """Return the axes that a caller writes: `reduction_a.k=128:320:32,width=16,24`.

    A range has its first value, its last one at most, and its step.

    Raises:
        SpecError: E511 an axis that is named twice, E512 values that are none or too many.
    """
    axes: dict[str, Axis] = {}
    for name, items in _split(texts):
        if name in axes:
            raise refusal("E511", f"the axis `{name}` is named twice")
        values: list[Value] = []
        for item in items:
            values.extend(_read_values(name, item))
            if len(values) > MAX_VALUES:
                raise refusal("E512", f"the axis `{name}` has more than {MAX_VALUES:,} values")
        if len(set(values)) < len(values):
            raise refusal("E512", f"the axis `{name}` has a value twice")
        denominators = {v.as_integer_ratio()[1] for v in values if isinstance(v, Decimal)}
        axes[name] = Axis(name, tuple(values), lcm(*denominators))
    return list(axes.values())


def _split(texts: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the items of each axis; a text without `=` is one more item."""
    if not any(texts):
        help = "an axis and its values are written as in `reduction_a.k=128:320:32`"
        raise refusal("E511", "no axis is given", help)
    name, items = "", list[str]()
    for part in ",".join(texts).split(","):
        before, equals, after = part.partition("=")
        if not equals:
            if not name:
                help = "as in `--sweep reduction_a.k=128:320:32,width=16,24`"
                raise refusal("E511", f"`{part[:60]}` names no axis and no value", help)
            items.append(part.strip())
            continue
        if name:
            yield name, items
        name, items = before.strip(), [after.strip()]
    yield name, items


def count_rows(texts: Sequence[str]) -> int:
    """Return the number of rows of a grid, without its values.

    Raises:
        SpecError: E511 and E512, a text or a range that cannot be read.
    """
    rows = 1
    for name, items in _split(texts):
        rows *= sum(1 if (r := _read_range(name, item)) is None else r.length for item in items)
    return rows


class _Range(NamedTuple):
    first: Fraction
    step: Fraction
    length: int

    def list_values(self) -> Iterator[int | Decimal]:
        """Yield its values; they have at most 9 decimals, so that all are exact."""
        by = lcm(self.first.denominator, self.step.denominator)
        first, step = int(self.first * by), int(self.step * by)
        numerators = range(first, first + step * self.length, step)
        if by == 1:
            yield from numerators
            return
        for numerator in numerators:
            whole, rest = divmod(numerator, by)
            yield Decimal(numerator) / by if rest else whole


def _read_range(name: str, text: str) -> _Range | None:
    """Return the range that a text is; None if it is another value."""
    bounds = _RANGE.fullmatch(text)
    if bounds is None:
        return None
    first, last = Fraction(bounds[1]), Fraction(bounds[2])
    step = Fraction(bounds[3] or 1)
    if step == 0 or first > last:
        why = "its step is 0" if step == 0 else "it ends before it begins"
        raise refusal("E512", f"the range `{text}` of `{name}` is empty: {why}")
    count = int((last - first) // step) + 1
    if count > MAX_VALUES:
        raise refusal("E512", f"the axis `{name}` has more than {MAX_VALUES:,} values")
    return _Range(first, step, count)


def _read_values(name: str, text: str) -> Iterator[Value]:
    if (span := _read_range(name, text)) is not None:
        yield from span.list_values()
    elif _NUMBER.fullmatch(text):
        yield _as_number(Fraction(text))
    elif text in WORDS or SIZE.fullmatch(text):
        yield parameter_value(text)
    elif (problem := _find_surplus_digits(text)) is not None:
        help = "a number has at most 12 digits and 9 decimals"
        raise refusal("E512", f"`{text[:60]}` of `{name}` {problem}", help)
    else:
        help = "a number, a range such as 128:320:32, or a word of an op"
        if "-" in text and text not in WORDS and not text.strip("-+.:0123456789"):
            help = "a value and a step have no sign; a range goes up, as in 128:320:32"
        elif (sides := _SHAPE.fullmatch(text)) is not None:
            help = "the sides of an input are axes: `H={},W={},C={}`".format(*sides.groups())
        elif _EXPONENT.fullmatch(text):
            help = "write the digits of the number, without an exponent"
        raise refusal("E512", f"`{text[:60]}` is no value of `{name}`", help)


def _find_surplus_digits(text: str) -> str | None:
    """Return what is wrong with the digits of a number or a range; None if it is something else."""
    numbers = text.split(":")
    if len(numbers) > 3 or not all(map(_DIGITS.fullmatch, numbers)):
        return None
    if any(len(number.partition(".")[0]) > 12 for number in numbers):
        return "is too large"
    return None if all(map(_NUMBER.fullmatch, numbers)) else "has too many decimals"


def _as_number(value: Fraction) -> int | Decimal:
    if value.denominator == 1:
        return value.numerator
    return Decimal(value.numerator) / Decimal(value.denominator)  # at most 9 decimals: exact


class Slot(NamedTuple):
    """The place that an axis sets.

    Attributes:
        inputs: of an input, its name and the sides that the axis is.
    """

    kind: AxisKind
    inputs: tuple[tuple[str, int], ...] = ()


def list_slots(template: Template, tables: Mapping[str, Sequence[str]]) -> dict[str, Slot]:
    """Return all axes that a network can have, by their names.

    Args:
        tables: the columns of each row of a table, by `table.row`.
    """
    params = {name: Slot("parameter") for name in template.arguments}
    sides: dict[str, Slot] = {}
    for name, type in template.inputs.items():
        letters = ("C", "H", "W")[: len(type.shape)]
        sides[name or "input"] = Slot("input", ((name, 1), (name, 2)))
        for lead in (f"{name or 'input'}.", *([] if name else [""])):
            sides |= {f"{lead}{x}": Slot("input", ((name, i),)) for i, x in enumerate(letters)}
    steps = {axis: Slot("step") for axis in _list_numbers(template)}
    cells = {f"{row}.{c}": Slot("cell") for row, columns in tables.items() for c in columns}
    both = dict.fromkeys(cells.keys() & steps.keys(), Slot("unclear"))
    return {
        **params,
        **steps,
        **{n: s for n, s in sides.items() if n not in params},
        **cells,
        **both,
    }


def _list_numbers(template: Template) -> Iterator[str]:
    """Yield the numbers of the network's steps, as axes."""
    for step in template.blocks[NETWORK].definition.body:
        yield from (f"{step.path}.{name}" for name in _list_of_step(template, step))


def _list_of_step(template: Template, step: NodeDef | CallDef) -> Iterator[str]:
    if step.count is not None:
        yield COPIES
    if isinstance(step, CallDef):
        yield from (p.name for p in template.blocks[step.block].definition.params)
        return
    for attribute in OPS[step.op].attributes:
        if attribute.name in step.attributes and attribute.is_symbolic:
            yield attribute.name


def find_slot(name: str, slots: Mapping[str, Slot]) -> Slot:
    """Return the place that an axis sets.

    Raises:
        SpecError: E511, the network has no such place.
    """
    slot = slots.get(name)
    if slot is not None and slot.kind == "unclear":
        message = f"`{name}` is a cell of a table and a number of a step"
        raise refusal("E511", message, "give the step, or the table, another name")
    if slot is not None:
        return slot
    step, _, last = name.rpartition(".")
    within = [other for other in slots if step and other.rpartition(".")[0] == step]
    if within:
        close = nearest(last, [other.rpartition(".")[2] for other in within])
        close = f"{step}.{close}" if close else None
    else:
        close = nearest(name, slots)
    there = within or list(slots)
    named = ", ".join(f"`{other}`" for other in there[:MAX_NAMED])
    more = f" and {len(there) - MAX_NAMED} more" if len(there) > MAX_NAMED else ""
    help = f"write `{close}`" if close else f"there are {named}{more}"
    raise refusal("E511", f"the network has no axis `{name[:80]}`", help)


def refuse_shapes(axes: Sequence[Axis], slots: Mapping[str, Slot]) -> None:
    """Refuse a height and a width as one value of a side of an input.

    Raises:
        SpecError: E512.
    """
    for axis in axes:
        shape = next((value for value in axis.values if isinstance(value, tuple)), None)
        if slots[axis.name].kind != "input" or shape is None:
            continue
        lead = f"{name}." if (name := slots[axis.name].inputs[0][0]) else ""
        sides = ",".join(f"{lead}{x}={n}" for x, n in zip("HW", shape, strict=True))
        message = f"`{shown(shape)}` is no value of `{axis.name}`, which is a number"
        raise refusal("E512", message, f"the sides of an input are axes: `{sides}`")


def refuse_hidden(
    template: Template, opened: Template, axes: Sequence[str], slots: Mapping[str, Slot]
) -> None:
    """Refuse an axis without effect, because others set every number that it sets.

    Args:
        opened: the template in whose steps names stand for the numbers that they set.

    Raises:
        SpecError: E511.
    """
    before, after = (_find_read(each) for each in (template, opened))
    for name in axes:
        if name in before - after:
            other = next(n for n in axes if slots[n].kind == "step" and _sets(template, n, name))
            message = f"the axes `{other}` and `{name}` set the same number"
            raise refusal("E511", message, "nothing else reads it: leave one of them out")


def _find_read(template: Template) -> set[str]:
    """Return the parameters of the network, and the cells of tables, that are read."""
    read: set[str] = set()
    for name, block in template.blocks.items():
        names = {each for step in block.definition.body for each in find_step_names(step)}
        read |= names if name == NETWORK else {each for each in names if "." in each}
    return read


def _sets(template: Template, axis: str, name: str) -> bool:
    """Tell whether an axis stands in the place of a number that a name sets."""
    body = template.blocks[NETWORK].definition.body
    pairs = ((step, _open_step(step, [axis])) for step in body)
    return any(name in find_step_names(old) - find_step_names(new) for old, new in pairs)


def open_steps(template: Template, names: Sequence[str]) -> Template:
    """Return a network in whose steps names stand for the numbers that they set."""
    network = template.blocks[NETWORK]
    body = tuple(_open_step(step, names) for step in network.definition.body)
    opened: ReadBlock = network._replace(definition=replace(network.definition, body=body))
    return replace(template, blocks={**template.blocks, NETWORK: opened})


def _open_step(step: NodeDef | CallDef, names: Sequence[str]) -> NodeDef | CallDef:
    lead = f"{step.path}."
    own = {n.removeprefix(lead): Name(n) for n in names if n.startswith(lead)}
    own = {name: hole for name, hole in own.items() if "." not in name}
    if COPIES in own and step.count is not None:
        step = replace(step, count=own.pop(COPIES))
    if not own:
        return step
    if isinstance(step, CallDef):
        return replace(step, arguments={**step.arguments, **own})
    return replace(step, attributes={**step.attributes, **own})


def refusal(code: str, message: str, help: str | None = None) -> SpecError:
    """Return the error of a sweep that cannot be run."""
    return SpecError([Diagnostic(code, message, help=help)])
