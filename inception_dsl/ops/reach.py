"""The windows that the units of a map read along an axis, and their composition."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import NamedTuple

MAX_PHASES = 128
"""Maximum number of windows that take turns; a map with more of them has no receptive field."""


class Window(NamedTuple):
    """The units of the input that one unit of the output reads along an axis.

    Attributes:
        size: in units of the input, dilation's gaps included; the largest of those that take turns.
        stride: from one unit's window to the next one's; 0 where all read the same one. From one
            turn to the next, if windows take turns.
        before: how far the first one lies before the first unit of the input.
        phases: the windows that take turns where several units of the output share a stride, as
            behind an upsampling; each as its first unit and the unit behind its last. Empty if
            there is only one.
    """

    size: int
    stride: int
    before: int
    phases: tuple[tuple[int, int], ...] = ()

    @property
    def period(self) -> int:
        """The number of windows in one turn."""
        return len(self.phases) or 1

    def span(self, unit: int) -> tuple[int, int]:
        """Return the first unit that a unit reads, and the one behind the last."""
        if not self.phases:
            first = unit * self.stride - self.before
            return first, first + self.size
        turn, phase = divmod(unit, len(self.phases))
        first, end = self.phases[phase]
        return first + turn * self.stride, end + turn * self.stride

    def within(self, side: int) -> Window:
        """Return the window without what lies outside a map, if all units read the same one.

        Args:
            side: the units of the map.
        """
        if self.stride or self.phases:
            return self
        first, end = self.span(0)
        first, end = max(first, 0), min(end, side)
        return Window(end - first, 0, -first)

    def then(self, behind: Window) -> Window | None:
        """Return the window of an op behind this one, in units of this one's input.

        None if more than `MAX_PHASES` windows take turns.
        """
        if not self.phases and not behind.phases:
            return Window(
                self.size + (behind.size - 1) * self.stride,
                self.stride * behind.stride,
                self.before + behind.before * self.stride,
            )
        turns = self.period // gcd(self.period, behind.stride)
        if turns * behind.period > MAX_PHASES:
            return None
        spans = [behind.span(unit) for unit in range(turns * behind.period)]
        phases = ((self.span(first)[0], self.span(end - 1)[1]) for first, end in spans)
        return take_turns(phases, turns * behind.stride * self.stride // self.period)


def take_turns(phases: Iterable[tuple[int, int]], stride: int) -> Window:
    """Return the window whose phases are given; one that is alone, or always the same, has none.

    Args:
        phases: the first unit of each, and the unit behind its last; neither ever goes back.
        stride: from one turn to the next.
    """
    spans = tuple(phases)
    first, end = spans[0]
    size = max(end - first for first, end in spans)
    step, left = divmod(stride, len(spans))
    if not left and spans == tuple((first + i * step, end + i * step) for i in range(len(spans))):
        return Window(size, step, -first)
    return Window(size, stride, -first, spans)
