"""The parameters of a block: what fills the holes that its calls do not agree on.

A hole whose values follow from the channels that enter, or from a parameter, needs none of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inception_dsl.ir import Value
from inception_dsl.ops import shown
from inception_dsl.recover.naming import NO_PARAMS, clean_name, number
from inception_dsl.recover.terms import Hole

FACTORS = (2, 3, 4, 5, 6, 8, 16)
"""The factors and divisors that relate one width to another."""

Column = tuple[Value | None, ...]
"""The values of a hole in all instances of a block; None where its step is not there."""

_PLAIN_STEP = re.compile(r"conv|fc|linear|layer|step|block|\d")
"""The beginnings of names of steps that do not say what their width is."""

_NO_WIDTHS = ("stride", "dilation", "act", "pad", "kernel")
"""The attributes that no width is a multiple of."""


@dataclass(slots=True)
class BlockParams:
    """The parameters of a block while they are found.

    Attributes:
        channels: the channels that enter each instance; none where several values do.
        columns: the values of each parameter.
        ratios: the parameters that multiply the channels that enter.
        texts: what a spec writes in each hole, by the hole's `id`.
        makers: the hole that each parameter was made for.
        absent: the parameters that are 0 where a step is not there.
    """

    channels: tuple[int, ...]
    columns: dict[str, Column] = field(default_factory=dict)
    ratios: set[str] = field(default_factory=set)
    texts: dict[int, str] = field(default_factory=dict)
    makers: dict[str, Hole] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def usual(self, name: str) -> Value | None:
        """Return the value of a parameter that most calls have; None if none is that common.

        A parameter that is 0 where a step is not there has 0.
        """
        if name in self.absent:
            return 0
        column = [value for value in self.columns[name] if value is not None]
        value, count = Counter(column).most_common(1)[0]
        return value if 2 * count > len(column) else None

    def rename(self, old: str, new: str) -> None:
        """Give a parameter another name."""
        self.columns = {new if name == old else name: c for name, c in self.columns.items()}
        self.makers = {new if name == old else name: hole for name, hole in self.makers.items()}
        self.ratios = {new if name == old else name for name in self.ratios}
        word = re.compile(rf"\b{old}\b")
        self.texts = {key: word.sub(new, text) for key, text in self.texts.items()}


def find_params(
    row: Sequence[Hole],
    columns: Sequence[Column],
    channels: tuple[int, ...],
    homes: Mapping[int, str],
) -> BlockParams:
    """Return the parameters that fill the holes of a block.

    Holes that all instances have come first: what these say of an instance, its other holes follow.

    Args:
        homes: the branch that a hole stands in, by the hole's `id`.
    """
    params = BlockParams(channels)
    wide = [hole for hole in row if _is_width(hole)]
    pairs = list(zip(row, columns, strict=True))
    for hole, column in sorted(pairs, key=lambda pair: None in pair[1]):
        text = _follow(hole, column, params) or _relate(column, params)
        if text is None:
            home = homes.get(id(hole), "")
            beside = [other for other in wide if homes.get(id(other), "") == home]
            is_last = bool(beside) and hole is beside[-1] and (bool(home) or hole is wide[-1])
            text = _make_param(hole, column, params, home, is_last=is_last)
        params.texts[id(hole)] = text
    bare = [name for name, hole in params.makers.items() if hole.is_bare]
    last = params.texts[id(wide[-1])] if wide and id(wide[-1]) not in homes else ""
    for name in (last, *(bare if len(bare) == 1 else ())):
        if name in params.columns and name not in params.ratios and "width" not in params.columns:
            params.rename(name, "width")
    return params


def _is_width(hole: Hole) -> bool:
    return hole.is_bare or hole.attribute == "width"


def _follow(hole: Hole, column: Column, params: BlockParams) -> str | None:
    """Return the parameter of a stride that a hole has wherever its step is there; None if none.

    The layer in a shortcut has the stride of its block, and not by chance.
    """
    if hole.attribute != "stride" or None not in column:
        return None
    of_strides = (
        name for name in params.columns if params.makers[name].attribute == hole.attribute
    )
    return next((name for name in of_strides if _equals(column, params.columns[name])), None)


def _relate(column: Column, params: BlockParams) -> str | None:
    """Return the text that gives the values of a hole; None if it needs a new parameter."""
    if len({value for value in column if value is not None}) == 1:
        return next(shown(value) for value in column if value is not None)
    bases: list[tuple[str, Column]] = [("in", params.channels)] if params.channels else []
    bases += params.columns.items()
    for name, base in bases:
        if name not in params.ratios and _equals(column, base):
            return name
    for name in params.ratios:
        if _equals(column, _product(params.columns[name], params.channels)):
            return f"{name}*in"
    for name, base in bases:
        if name not in params.ratios and not name.startswith(_NO_WIDTHS):
            for text in _scale(column, name, base):
                return text
    return None


def _equals(column: Column, base: Column) -> bool:
    """Tell whether two columns agree wherever the first has a value."""
    return all(value is None or value == of for value, of in zip(column, base, strict=True))


def _product(column: Column, channels: Sequence[int]) -> Column:
    return tuple(
        value * count if isinstance(value, int) else None
        for value, count in zip(column, channels, strict=True)
    )


def _scale(column: Column, name: str, base: Column) -> Iterator[str]:
    """Yield the expressions by which a parameter, multiplied or divided, gives the values."""
    pairs: list[tuple[int, int]] = []
    for value, of in zip(column, base, strict=True):
        if value is None:
            continue
        if not _is_whole(value) or not _is_whole(of):
            return
        pairs.append((int(str(value)), int(str(of))))
    for factor in FACTORS:
        if all(value == factor * of for value, of in pairs):
            yield f"{factor}*{name}"
        if all(value * factor == of for value, of in pairs):
            yield f"{name}//{factor}"


def _is_whole(value: Value | None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _make_param(
    hole: Hole, column: Column, params: BlockParams, home: str, *, is_last: bool
) -> str:
    """Make the parameter that fills a hole, and return the text of the hole."""
    ratio = _find_ratio(column, params.channels) if hole.is_bare and not is_last else None
    if ratio is not None:
        name = number("expand", params.columns)
        params.ratios.add(name)
    else:
        grows = sum(
            isinstance(value, int) and value > count
            for value, count in zip(column, params.channels, strict=bool(params.channels))
        )
        default = "expand" if 2 * grows > len(column) else "reduce"
        if home:
            default = home if is_last else f"{home}_{default}"
        elif is_last:
            default = "width"
        name = number(_name_param(hole, default, is_last=is_last), params.columns)
    if hole.attribute == "drop_path" and None in column:  # a body without a residual
        column = tuple(0 if value is None else value for value in column)
        params.absent.add(name)
    params.columns[name] = ratio or column
    params.makers[name] = hole
    return f"{name}*in" if ratio is not None else name


def _find_ratio(column: Column, channels: Sequence[int]) -> Column | None:
    """Return the numbers that multiply the channels that enter; None if widths read better."""
    if not channels:
        return None
    ratios: list[Value] = []
    for value, count in zip(column, channels, strict=True):
        if not isinstance(value, int) or value % count:
            return None
        ratios.append(value // count)
    return tuple(ratios) if len(set(ratios)) < len(set(column)) else None


def _name_param(hole: Hole, default: str, *, is_last: bool) -> str:
    """Return a name for the parameter that fills a hole."""
    if hole.attribute in {"act", "kernel", "pad"}:
        return hole.attribute
    if hole.attribute == "drop_path":
        return "drop"
    step = hole.step if hole.step and not _PLAIN_STEP.match(hole.step) else ""
    if hole.is_bare:
        name = step or default
    elif hole.attribute == "width":  # of a block that is called
        name = "width" if is_last or not step else step.partition("_")[0]
    else:
        name = hole.attribute
    name = clean_name(name).rstrip("_")
    if name in NO_PARAMS - {"stride", "dilation", "groups"} or clean_name(name) != name:
        name = f"{name}_width" if hole.is_bare else f"{name}_value"
    return name
