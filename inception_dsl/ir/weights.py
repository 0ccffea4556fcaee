"""The plan that makes the weights of a model from a checkpoint of another model.

A plan is data without torch; `bridge.weights` executes it. Keys are those of a state_dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

Order = tuple[tuple[int, int], ...]
"""An order of channels as runs, each with its first channel and its number of channels.

Runs keep the length of a plan independent of the number of channels.
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of one tensor."""

    source: str


@dataclass(frozen=True, slots=True)
class Reshape:
    """A copy of a tensor in another shape, such as a linear layer's weight for a convolution."""

    source: str


@dataclass(frozen=True, slots=True)
class Expand:
    """A tensor of one number, repeated for each channel."""

    source: str


@dataclass(frozen=True, slots=True)
class PermuteIn:
    """A weight with its input channels in another order, given as runs of old channels."""

    source: str
    order: Order


@dataclass(frozen=True, slots=True)
class PermuteOut:
    """A tensor with its first axis in another order, given as runs of old indices."""

    source: str
    order: Order


@dataclass(frozen=True, slots=True)
class Subtract:
    """The difference of two tensors, such as a norm's running mean minus a bias before the norm."""

    source: str
    subtrahend: str


@dataclass(frozen=True, slots=True)
class Fill:
    """A new tensor with one number everywhere, such as a scale of 1 or a shift of 0."""

    value: float


@dataclass(frozen=True, slots=True)
class FoldScale:
    """A weight times the scale of the norm that follows: source * gamma / sqrt(variance + eps).

    If `gamma` is None, it counts as 1.
    """

    source: str
    gamma: str | None
    variance: str
    eps: float


@dataclass(frozen=True, slots=True)
class FoldScaleTransposed:
    """A weight of a transposed convolution times the scale of the norm that follows.

    It is `FoldScale` for a weight whose second axis is that of the output channels.
    """

    source: str
    gamma: str | None
    variance: str
    eps: float


@dataclass(frozen=True, slots=True)
class FoldShift:
    """A bias folded into the norm that follows: scale * (bias - mean) + beta.

    The scale is that of `FoldScale`. If `bias` or `beta` is None, it counts as 0.
    """

    bias: str | None
    gamma: str | None
    beta: str | None
    mean: str
    variance: str
    eps: float


@dataclass(frozen=True, slots=True)
class Standardise:
    """A weight whose filters are scaled to mean 0 and variance 1, and then by numbers.

    Each filter is (filter - mean) / sqrt(variance + eps) * factor * gain. If `gain` is None, it
    counts as 1.
    """

    source: str
    gain: str | None
    factor: float
    eps: float


@dataclass(frozen=True, slots=True)
class ConcatOut:
    """Several tensors as one, joined along their first axis, as when convolutions are merged.

    Attributes:
        parts: the recipe of each part, in order; none of them is a ConcatOut itself.
    """

    parts: tuple[Recipe, ...]


Recipe = (
    Copy
    | Reshape
    | Expand
    | PermuteIn
    | PermuteOut
    | Subtract
    | Fill
    | FoldScale
    | FoldScaleTransposed
    | FoldShift
    | Standardise
    | ConcatOut
)


def list_sources(recipe: Recipe) -> tuple[str, ...]:
    """Return the keys of the old tensors that a recipe reads."""
    match recipe:
        case Copy(source) | Reshape(source) | Expand(source):
            return (source,)
        case PermuteIn(source) | PermuteOut(source):
            return (source,)
        case Standardise(source, gain):
            return tuple(key for key in (source, gain) if key is not None)
        case Subtract(source, subtrahend):
            return source, subtrahend
        case FoldScale(source, gamma, variance) | FoldScaleTransposed(source, gamma, variance):
            return tuple(key for key in (source, gamma, variance) if key is not None)
        case FoldShift(bias, gamma, beta, mean, variance):
            return tuple(key for key in (bias, gamma, beta, mean, variance) if key is not None)
        case ConcatOut(parts):
            return tuple(key for part in parts for key in list_sources(part))
        case Fill():
            return ()
        case _:
            assert_never(recipe)


def is_computed(recipe: Recipe) -> bool:
    """Tell whether a recipe computes values, which are rounded, and does not only move them."""
    match recipe:
        case Copy() | Reshape() | Expand() | PermuteIn() | PermuteOut() | Fill():
            return False
        case Subtract() | FoldScale() | FoldScaleTransposed() | FoldShift() | Standardise():
            return True
        case ConcatOut(parts):
            return any(map(is_computed, parts))
        case _:
            assert_never(recipe)


def rename_sources(recipe: Recipe, names: Mapping[str, str]) -> Recipe:
    """Return a recipe that reads its old tensors under other keys."""

    def named(key: str | None) -> str | None:
        return None if key is None else names[key]

    match recipe:
        case Fill():
            return recipe
        case Copy() | Reshape() | Expand() | PermuteIn() | PermuteOut():
            return replace(recipe, source=names[recipe.source])
        case Subtract(source, subtrahend):
            return Subtract(names[source], names[subtrahend])
        case FoldScale(source, gamma, variance) | FoldScaleTransposed(source, gamma, variance):
            weight, spread = names[source], names[variance]
            return replace(recipe, source=weight, gamma=named(gamma), variance=spread)
        case FoldShift(bias, gamma, beta, mean, variance, eps):
            keys = named(bias), named(gamma), named(beta), names[mean], names[variance]
            return FoldShift(*keys, eps)
        case Standardise(source, gain, factor, eps):
            return Standardise(names[source], named(gain), factor, eps)
        case ConcatOut(parts):
            return ConcatOut(tuple(rename_sources(part, names) for part in parts))
        case _:
            assert_never(recipe)


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """The recipe of every tensor of a new model.

    Attributes:
        recipes: each new key with its recipe, in the order of the new model.
        fresh: each new key that keeps its initial value, with the reason.
        left: each old key that no recipe reads, with the reason.
    """

    recipes: tuple[tuple[str, Recipe], ...]
    fresh: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
