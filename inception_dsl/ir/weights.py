"""The plan that makes the weights of a model out of a checkpoint of another: data without torch.

The bridge has the one executor. Keys are those of a state_dict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

Order = tuple[tuple[int, int], ...]
"""Channels in an order, as runs: the first channel of each, and the number of channels.

A plan is so as long as the specs are, however many channels they have.
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """The tensor as it is."""

    source: str


@dataclass(frozen=True, slots=True)
class PermuteIn:
    """A weight with its input channels in another order: runs of old channels, one by one."""

    source: str
    order: Order


@dataclass(frozen=True, slots=True)
class PermuteOut:
    """A tensor with its first axis in another order: runs of old places, one by one."""

    source: str
    order: Order


@dataclass(frozen=True, slots=True)
class Subtract:
    """One tensor minus another: a norm's running mean minus the bias that stood before the norm."""

    source: str
    subtrahend: str


@dataclass(frozen=True, slots=True)
class Fill:
    """One number everywhere: a new tensor that changes nothing."""

    value: float


@dataclass(frozen=True, slots=True)
class FoldScale:
    """A weight with the scale of the norm behind it: source * gamma / sqrt(variance + eps).

    `gamma` None is a scale of 1.
    """

    source: str
    gamma: str | None
    variance: str
    eps: float


@dataclass(frozen=True, slots=True)
class FoldShift:
    """A bias with the shift of the norm behind it: scale * (bias - mean) + beta.

    The scale is the one of `FoldScale`; `bias` None is a bias of 0.
    """

    bias: str | None
    gamma: str | None
    beta: str
    mean: str
    variance: str
    eps: float


Recipe = Copy | PermuteIn | PermuteOut | Subtract | Fill | FoldScale | FoldShift


def sources(recipe: Recipe) -> tuple[str, ...]:
    """Return the keys of the old tensors that a recipe reads."""
    match recipe:
        case Copy(source) | PermuteIn(source) | PermuteOut(source):
            return (source,)
        case Subtract(source, subtrahend):
            return source, subtrahend
        case FoldScale(source, gamma, variance):
            return tuple(key for key in (source, gamma, variance) if key is not None)
        case FoldShift(bias, gamma, beta, mean, variance):
            return tuple(key for key in (bias, gamma, beta, mean, variance) if key is not None)
        case Fill():
            return ()
        case _:
            assert_never(recipe)


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """The recipe of every tensor of a new model.

    Attributes:
        recipes: the recipes by the new key, in the order of the new model.
        fresh: the new keys without a recipe, and why; they keep their initial values.
        left: the old keys that no recipe reads, and why.
    """

    recipes: tuple[tuple[str, Recipe], ...]
    fresh: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
