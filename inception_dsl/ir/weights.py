"""How weights move from one model to another: a plan of recipes, data without torch.

The bridge has the one executor. Keys are those of a state_dict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Copy:
    """The tensor as it is."""

    source: str


@dataclass(frozen=True, slots=True)
class PermuteIn:
    """A weight with its input channels in another order: new channel i is old channel order[i]."""

    source: str
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PermuteOut:
    """A tensor whose first axis stands in another order: new place i is old place order[i]."""

    source: str
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Subtract:
    """One tensor less another: a norm's running mean less the bias that went before it."""

    source: str
    subtrahend: str


@dataclass(frozen=True, slots=True)
class Fill:
    """One number everywhere, by which a new tensor changes nothing."""

    value: float


@dataclass(frozen=True, slots=True)
class FoldScale:
    """A conv's weight times the scale of the batch norm behind it; `gamma` None is a scale of 1."""

    source: str
    gamma: str | None
    variance: str
    eps: float


@dataclass(frozen=True, slots=True)
class FoldShift:
    """The bias that a conv has once the batch norm behind it is part of it."""

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
    """What becomes of a checkpoint.

    Attributes:
        recipes: by the new key, in the order of the new model.
        fresh: new keys that get nothing, and why: they keep what they were initialised with.
        left: old keys that nothing is made of, and why.
    """

    recipes: tuple[tuple[str, Recipe], ...]
    fresh: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
