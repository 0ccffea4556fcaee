"""Boxes shaded by their share of the network's cost, and the legend of the shades."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from inception_dsl.emit.figure.content.labels import show_amount
from inception_dsl.emit.figure.content.subject import FigureSubject
from inception_dsl.emit.figure.content.tree import Leaf, Line
from inception_dsl.emit.figure.request import Shading
from inception_dsl.emit.figure.styles import INK
from inception_dsl.ir import Path

_SHARES = (0, 1, 3, 10, 30)
"""Highest percentage of each step of the ramp but the last, which has no bound."""

_UNITS: dict[Shading, str] = {"params": " params", "macs": " MACs", "memory": "B of outputs"}


class Legend(NamedTuple):
    """The meaning of the shades of a figure.

    Attributes:
        meanings: the share of the total at each step of the ramp, from 0.
    """

    caption: str
    meanings: tuple[str, ...]


def cost_legend(subject: FigureSubject, cost: Shading) -> Legend:
    """Return the legend of a figure that is shaded by a cost."""
    total = show_amount(getattr(subject.total([Path()]), cost)) + _UNITS[cost]
    meanings = ("none", *(f"to {share}%" for share in _SHARES[1:]), "more")
    return Legend(f"Share of {total}:", meanings)


def shade_leaf(leaf: Leaf, subject: FigureSubject, cost: Shading) -> Leaf:
    """Return a leaf with its share of the network's cost."""
    if leaf.form == "pill":
        return leaf
    total: int = getattr(subject.total([Path()]), cost)
    amount: int = getattr(subject.total(leaf.steps), cost)
    percent = 100 * amount / total if total else 0.0
    lines = leaf.lines
    if amount and not leaf.is_circle:
        text = f"{percent:.1f}%" if percent >= 0.05 else "< 0.1%"
        lines = (*lines, Line(text, small=True, colour=INK))
    step = sum(percent > share for share in _SHARES)
    return replace(leaf, lines=lines, mark=None, shade=step)
