"""The conditions under which parts of a block are there, over its parameters and `in`.

A condition that decides all calls rightly is taken, the plainest first. A step that no such
condition decides has a parameter: its own width, which is 0 where the step is not there, or a
number of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_dsl.ir import Value
from inception_dsl.recover.merging import BodyTemplate, PartConditions
from inception_dsl.recover.naming import clean_name, name_flag, number
from inception_dsl.recover.params import BlockParams
from inception_dsl.recover.terms import CallTerm, Hole, OpTerm, Term, find_holes

Bits = tuple[bool, ...]
"""A truth for each call of a block, in the order of the calls."""


def find_conditions(
    template: BodyTemplate, params: BlockParams
) -> tuple[PartConditions, dict[int, str]] | None:
    """Return the conditions of a template and the names of steps that have one.

    A step may get a parameter. None means that nothing decides whether a residual is there.
    """
    residual = tuple(part.residual for part in template.present)
    shortcut = tuple(part.shortcut for part in template.present)
    around = [_decide_sum(residual, template, params)]
    # The shortcut of a body that is no residual is never asked for.
    asked = tuple(map(lambda has, layer: (not has) or layer, residual, shortcut))
    around.append(_decide_layer(asked, template, params))
    if None in around:
        return None
    steps: dict[int, str] = {}
    names: dict[int, str] = {}
    taken = {name for name, _ in template.layout.steps}
    for index, (name, term) in enumerate(template.layout.steps):
        bits = tuple(part.steps[index] for part in template.present)
        if all(bits):
            continue
        if not name:
            names[index] = number(_name_step(term, params), taken)
            taken.add(names[index])
        steps[index] = _decide_step(bits, term, names.get(index, name), params)
    return PartConditions(steps, around[0] or "", around[1] or ""), names


def _decide_sum(bits: Bits, template: BodyTemplate, params: BlockParams) -> str | None:
    """Return the condition of a residual: as many channels leave as enter, and as many pixels."""
    if all(bits):
        return ""
    for text, holds in _compare_ends(template, params, "==", "and"):
        if holds == bits:
            return text
    return None


def _decide_layer(bits: Bits, template: BodyTemplate, params: BlockParams) -> str | None:
    """Return the condition of a shortcut's layer."""
    if all(bits):
        return ""
    for text, holds in _compare_ends(template, params, "!=", "or"):
        if holds == bits:
            return text
    return None


def _compare_ends(
    template: BodyTemplate, params: BlockParams, sign: str, joint: str
) -> Iterator[tuple[str, Bits]]:
    """Yield conditions over the stride and the widths at both ends, with the calls that they hold.

    Args:
        sign: `==` for the conditions of a residual, `!=` for those of the layer beside it.
        joint: the word between two of them.
    """
    same = sign == "=="
    widths: list[tuple[str, Bits]] = []
    rows = list(zip(*template.rows, strict=True))
    bare = [
        (hole, column) for hole, column in zip(template.holes, rows, strict=True) if hole.is_bare
    ]
    for hole, column in reversed(bare):
        values = [end.value if end is not None else None for end in column]
        text = params.texts[id(hole)]
        if None not in values and text != "in" and params.channels:
            pairs = zip(params.channels, values, strict=True)
            bits = tuple((count == value) == same for count, value in pairs)
            widths.append((f"in {sign} {text}", bits))
    strides: list[tuple[str, Bits]] = []
    for name, column in params.columns.items():
        if params.makers[name].attribute == "stride" and _is_numbers(column):
            strides.append((f"{name} {sign} 1", tuple((value == 1) == same for value in column)))
    for stride, of_stride in strides:
        for width, of_width in widths:
            join = all if same else any
            pairs_of_bits = zip(of_stride, of_width, strict=True)
            yield f"{stride} {joint} {width}", tuple(map(join, pairs_of_bits))
    yield from widths
    yield from strides


def _decide_step(bits: Bits, term: Term, name: str, params: BlockParams) -> str:
    """Return the condition of a step; it may need a parameter."""
    for text, holds in _compare_params(params):
        if holds == bits:
            return text
    for hole in find_holes(term):
        param = params.texts[id(hole)]
        is_width = hole.is_bare or hole.attribute == "width"
        if is_width and params.makers.get(param) is hole:
            column = params.columns[param]
            params.columns[param] = tuple(0 if value is None else value for value in column)
            params.absent.add(param)
            return f"{param} > 0"
    flag = number(name_flag(name), params.columns)
    params.columns[flag] = tuple(map(int, bits))
    params.makers[flag] = Hole(flag, 1, None)
    params.absent.add(flag)
    return f"{flag} == 1"


def _compare_params(params: BlockParams) -> Iterator[tuple[str, Bits]]:
    """Yield plain conditions over one parameter, with the calls that they hold."""
    for name, column in params.columns.items():
        if not _is_numbers(column):
            continue
        yield f"{name} != 1", tuple(of != 1 for of in column)
        yield f"{name} == 1", tuple(of == 1 for of in column)
        if name in params.absent:
            yield f"{name} > 0", tuple(of != 0 for of in column)
            yield f"{name} == 0", tuple(of == 0 for of in column)
        if params.channels and name not in params.ratios and params.makers[name].is_bare:
            pairs = list(zip(column, params.channels, strict=True))
            yield f"{name} != in", tuple(of != count for of, count in pairs)
            yield f"{name} == in", tuple(of == count for of, count in pairs)


def _is_numbers(column: Sequence[Value | None]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in column)


def _name_step(term: Term, params: BlockParams) -> str:
    """Return a name for a step that is not always there."""
    match term:
        case OpTerm(head=head, words=words):
            texts = [params.texts[id(word)] for word in words if isinstance(word, Hole)]
            grows = any("expand" in text or text.endswith("*in") for text in texts)
            return "expand" if grows else clean_name(head.split()[-1])
        case CallTerm(block):
            return block
        case _:
            return "part"
