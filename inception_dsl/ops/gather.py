"""The values of a map that an op's units take, by which two settings of an op are compared.

`pad 0` and `V`, or `same` and `same_tf`, may mean the same, and on a small map all windows may take
the same few values. Therefore windows are compared by the values that they take.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Literal

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Values, read_pair, size
from inception_dsl.ops.facts import How
from inception_dsl.ops.reach import Window
from inception_dsl.ops.window import pads_itself, slide, windows

MAX_UNITS = 4096
"""Maximum number of units along an axis that are compared one by one; longer axes take the same
only if they take it by the same rule."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The values that one unit takes along one axis; padding is left out.

    Attributes:
        first: the index of the first value.
        count: the number of values.
        step: the distance between them; 0 for a single value.
        weight: the index of the first value's weight; 0 without weights.
        divisor: the number by which their sum is divided: 1 for one value as it is; 0 for the
            largest of several.
        mix: the numbers besides these that set how values are combined: of two that are
            interpolated the part of the second, as a fraction; of a transposed convolution the
            distance of their weights; of a mean that is divided twice, because the first division
            counts padding, its first divisor.
    """

    first: int
    count: int
    step: int
    weight: int
    divisor: int
    mix: tuple[int, ...] = ()


_NOTHING = Taken(0, 0, 0, 0, 0)


def _as_it_is(index: int) -> Taken:
    """Return one value as it is."""
    return Taken(index, 1, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class Gather:
    """The values that an op's units take along one axis of a map.

    Attributes:
        units: the number of units.
        rule: equal rules take equal values.
        take: the values that a unit takes.
        period: the number of sizes of the map after which the way that windows lie repeats.
        extent: the size of a window; on a larger map, some window meets no padding.
    """

    units: int
    rule: Hashable
    take: Callable[[int], Taken] = field(compare=False)
    period: int
    extent: int


Gathers = tuple[Gather, Gather]
"""The values that units take along height and width."""


def take_alike(one: Gathers | None, other: Gathers | None) -> bool:
    """Tell whether two ops take the same values of one map; False if that is not known."""
    if one is None or other is None:
        return False
    return all(_is_alike(*axes) for axes in zip(one, other, strict=True))


def _is_alike(one: Gather, other: Gather) -> bool:
    if one.units != other.units:
        return False
    if one.rule == other.rule:
        return True
    if one.units > MAX_UNITS:
        return False
    return all(one.take(unit) == other.take(unit) for unit in range(one.units))


def gather_own_place(values: Values, input: TensorType) -> Gathers | None:
    """Return the values of an op that gives what it reads."""
    if not input.is_map:
        return None
    height, width = (
        Gather(side, ("own", side), _as_it_is, period=1, extent=1) for side in input.size
    )
    return height, width


def gather_flat(values: Values, input: TensorType) -> Gathers | None:
    """Return the values of an op that flattens a map; only a map of one place is as it was."""
    return gather_own_place(values, input) if input.is_map and input.size == (1, 1) else None


def gather_whole(how: How, input: TensorType) -> Gathers:
    """Return the values of an op whose one unit takes the whole map."""
    height, width = (_whole(side, how) for side in input.size)
    return height, width


def _whole(side: int, how: How) -> Gather:
    taken = _combine(0, side, 1, how, divisor=side)
    return Gather(1, (how, side), lambda _: taken, period=1, extent=1)


def gather_adaptive(how: How, values: Values, input: TensorType) -> Gathers:
    """Return the values of an op whose windows make a map of the size in `output`."""
    sizes = zip(input.size, size(values, "output"), strict=True)
    height, width = (_adaptive(side, wanted, how) for side, wanted in sizes)
    return height, width


def _adaptive(side: int, wanted: int, how: How) -> Gather:
    def take(unit: int) -> Taken:
        # torch's window i runs from floor(i * side / wanted) to ceil((i + 1) * side / wanted).
        first, end = unit * side // wanted, -(-(unit + 1) * side // wanted)
        return _combine(first, end - first, 1, how, divisor=end - first)

    return Gather(wanted, ("adaptive", how, side), take, period=wanted, extent=wanted)


def gather_interpolated(
    input: TensorType, units: tuple[int, int], *, is_linear: bool, is_aligned: bool
) -> Gathers:
    """Return the values of an upsampling to a number of units along both axes.

    Args:
        is_linear: values are interpolated; else the nearest one is taken.
        is_aligned: the outermost units lie at the outermost values.
    """
    height, width = (
        _interpolate(side, count, is_linear=is_linear, is_aligned=is_aligned)
        for side, count in zip(input.size, units, strict=True)
    )
    return height, width


def _interpolate(side: int, units: int, *, is_linear: bool, is_aligned: bool) -> Gather:
    def take(unit: int) -> Taken:
        if not is_linear:
            return _as_it_is(unit * side // units)
        if not is_aligned:  # at (unit + 1/2) * side / units - 1/2
            place, scale = max((2 * unit + 1) * side - units, 0), 2 * units
        elif units == 1:
            place, scale = 0, 1
        else:
            place, scale = unit * (side - 1), units - 1
        first, left = divmod(place, scale)
        if left == 0 or first >= side - 1:
            return _as_it_is(min(first, side - 1))
        common = gcd(left, scale)
        if 2 * left == scale:
            return Taken(first, 2, 1, 0, 2)
        return Taken(first, 2, 1, 0, 1, mix=(left // common, scale // common))

    rule = ("interpolated", side, units, is_linear, is_aligned)
    return Gather(units, rule, take, period=units, extent=side)


def gather_transposed(
    input: TensorType,
    units: tuple[int, int],
    *,
    kernel: tuple[int, int],
    pads: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
) -> Gathers:
    """Return the values of a transposed convolution with this number of units along both axes."""
    axes = zip(input.size, units, kernel, pads, strides, dilations, strict=True)
    height, width = (_transpose(*axis) for axis in axes)
    return height, width


def _transpose(side: int, units: int, kernel: int, pad: int, stride: int, dilation: int) -> Gather:
    common = gcd(stride, dilation)
    # Weights that meet one unit lie `apart` from each other, and their values `step`.
    apart, step = stride // common, dilation // common
    inverse = pow(step, -1, apart)

    def take(unit: int) -> Taken:
        place = unit + pad
        if place % common:
            return _NOTHING
        # The place is value * stride + weight * dilation.
        first = place // common * inverse % apart
        least = max(-((stride * (side - 1) - place) // dilation), 0)
        most = min(kernel - 1, place // dilation)
        first += -((first - least) // apart) * apart if first < least else 0
        count = max((most - first) // apart + 1, 0)
        if count == 0:
            return _NOTHING
        value = (place - first * dilation) // stride
        if count == 1:
            return Taken(value, 1, 0, first, 0)
        return Taken(value, count, -step, first, 0, mix=(apart,))

    rule = ("transposed", side, units, kernel, pad, stride, dilation)
    extent = (kernel - 1) * dilation // stride + 2
    return Gather(units, rule, take, period=1, extent=extent)


Outside = Literal["zero", "mirror", "edge"]
"""The values around a map: zeros, the map mirrored at its outermost values, or these repeated."""


def gather_shifted(
    input: TensorType, margins: tuple[tuple[int, int], tuple[int, int]], outside: Outside
) -> Gathers:
    """Return the values of an op that adds units to the sides of a map, or takes some off.

    Args:
        margins: the units above and below, then left and right; negative where they are taken off.
    """
    height, width = (
        _shift(side, *margin, outside) for side, margin in zip(input.size, margins, strict=True)
    )
    return height, width


def _shift(side: int, before: int, behind: int, outside: Outside) -> Gather:
    def take(unit: int) -> Taken:
        place = unit - before
        if 0 <= place < side:
            return _as_it_is(place)
        match outside:
            case "zero":
                return _NOTHING
            case "edge":
                return _as_it_is(0 if place < 0 else side - 1)
            case "mirror":
                return _as_it_is(-place if place < 0 else 2 * (side - 1) - place)

    units = before + side + behind
    rule = ("shifted", side, before, behind, outside)
    return Gather(units, rule, take, period=1, extent=1 + max(abs(before), abs(behind)))


def gather_windows(how: How, values: Values, input: TensorType) -> Gathers:
    """Return the values of an op whose windows slide over the map."""
    axes = zip(
        input.size,
        slide(values, input),
        windows(values, input),
        size(values, "kernel"),
        read_pair(values, "dilation") if "dilation" in values else (1, 1),
        strict=True,
    )
    height, width = (_slide(values, how, *axis) for axis in axes)
    return height, width


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slide:
    """A window that slides along an axis."""

    how: How
    side: int
    units: int
    before: int
    kernel: int
    stride: int
    dilation: int
    counts_padding: bool
    pads_all: bool
    divides_twice: bool

    def take(self, unit: int) -> Taken:
        """Return the values that a unit takes."""
        start = unit * self.stride - self.before
        skipped = -(start // self.dilation) if start < 0 else 0  # in the padding before the map
        last = min(self.kernel - 1, (self.side - 1 - start) // self.dilation)
        count = max(last - skipped + 1, 0)
        divisor = count
        if self.counts_padding:
            end = start + self.kernel
            divisor = (end if self.pads_all else min(end, self.side + self.before)) - start
        first = start + skipped * self.dilation
        taken = _combine(first, count, self.dilation, self.how, divisor=divisor, weight=skipped)
        rounds = self.kernel & (self.kernel - 1)  # a division by a power of two is exact
        if self.divides_twice and count < self.kernel and rounds:
            return replace(taken, mix=(self.kernel,))
        return taken


def _slide(
    values: Values, how: How, side: int, units: int, window: Window, kernel: int, dilation: int
) -> Gather:
    end = (units - 1) * window.stride + window.size - window.before
    meets_padding = window.before > 0 or end > side
    counts_padding = values.get("count_pad", False) is True and meets_padding
    sliding = _Slide(
        how=how,
        side=side,
        units=units,
        before=window.before,
        kernel=kernel,
        stride=window.stride if units > 1 else 1,
        dilation=dilation if kernel > 1 else 1,
        counts_padding=counts_padding,
        # TensorFlow's padding reaches as far as the windows do.
        pads_all=counts_padding and values["pad"] == "same_tf",
        divides_twice=how == "mean" and not values["count_pad"] and pads_itself(values),
    )
    return Gather(units, sliding, sliding.take, period=window.stride, extent=window.size)


def _combine(
    first: int, count: int, step: int, how: How, *, divisor: int, weight: int = 0
) -> Taken:
    """Return the values that a unit takes, in the one form that equal ones share."""
    if count == 0:
        return Taken(0, 0, 0, 0, -1 if how == "largest" else 0)
    match how:
        case "weighted":
            return Taken(first, count, step if count > 1 else 0, weight, 0)
        case "largest":
            return Taken(first, count, step if count > 1 else 0, 0, 1 if count == 1 else 0)
        case "mean":
            return Taken(first, count, step if count > 1 else 0, 0, divisor)
