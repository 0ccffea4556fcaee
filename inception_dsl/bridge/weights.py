"""The executor of weight plans: old tensors to new ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inception_dsl.ir.weights import (
    Copy,
    Fill,
    FoldScale,
    FoldShift,
    PermuteIn,
    PermuteOut,
    Recipe,
    Subtract,
    WeightPlan,
)

if TYPE_CHECKING:
    from torch import Tensor

_RECIPES: tuple[type[Recipe], ...] = (
    Copy,
    PermuteIn,
    PermuteOut,
    Subtract,
    Fill,
    FoldScale,
    FoldShift,
)


def carry_weights(
    plan: WeightPlan, old: Mapping[str, Tensor], new: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The state_dict of the new model, with all of the old one that the plan carries over.

    Args:
        old: the old checkpoint.
        new: the new model's own state_dict: what the plan leaves fresh stays as it is there.

    Raises:
        KeyError: a checkpoint lacks a tensor that the plan reads, or is not the new model's.
        ValueError: a tensor that is made has not the shape of the new model's.

    Example:
        `model.load_state_dict(carry_weights(read_plan(text), checkpoint, model.state_dict()))`.
    """
    result = dict(new)
    for key, recipe in plan.recipes:
        made = _made(recipe, old, new[key])
        if made.shape != new[key].shape:
            raise ValueError(f"`{key}` is {tuple(new[key].shape)}, and {tuple(made.shape)} is made")
        result[key] = made
    return result


def read_plan(text: str) -> WeightPlan:
    """The plan that `inception-dsl diff --weights` wrote.

    Raises:
        ValueError: it is none, or of another version.
    """
    document = json.loads(text)
    if document.get("schema_version") != 1:
        raise ValueError("this is no plan of weights of version 1")
    kinds = {kind.__name__: kind for kind in _RECIPES}
    recipes = tuple((key, _recipe(kinds, dict(own))) for key, own in document["tensors"].items())
    return WeightPlan(recipes, tuple(document["fresh"].items()), tuple(document["left"].items()))


def _recipe(kinds: Mapping[str, type[Recipe]], own: dict[str, Any]) -> Recipe:
    kind = kinds[own.pop("recipe")]
    fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in own.items()}
    return kind(**fields)


def _made(recipe: Recipe, old: Mapping[str, Tensor], like: Tensor) -> Tensor:
    import torch

    match recipe:
        case Copy(source):
            return old[source].clone()
        case PermuteIn(source, order):
            return old[source][:, list(order)].clone()
        case PermuteOut(source, order):
            return old[source][list(order)].clone()
        case Subtract(source, subtrahend):
            return old[source] - old[subtrahend]
        case Fill(value):
            return torch.full_like(like, value)
        case FoldScale(source, gamma, variance, eps):
            weight = old[source]
            scale = _scale(old, gamma, variance, eps)
            return weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
        case FoldShift(bias, gamma, beta, mean, variance, eps):
            before = old[bias] if bias else torch.zeros_like(old[mean])
            return old[beta] + (before - old[mean]) * _scale(old, gamma, variance, eps)


def _scale(old: Mapping[str, Tensor], gamma: str | None, variance: str, eps: float) -> Tensor:
    import torch

    scale = torch.rsqrt(old[variance] + eps)
    return scale * old[gamma] if gamma else scale
