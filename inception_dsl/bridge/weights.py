"""The executor of weight plans, which makes the new model's tensors of the old ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, assert_never, get_type_hints

from inception_dsl.bridge.checkpoint import CheckpointError, read_checkpoint
from inception_dsl.diagnostics import CallerValueError
from inception_dsl.ir.weights import (
    ConcatOut,
    Copy,
    Expand,
    Fill,
    FoldScale,
    FoldScaleTransposed,
    FoldShift,
    Order,
    PermuteIn,
    PermuteOut,
    Recipe,
    Reshape,
    Standardise,
    Subtract,
    WeightPlan,
    list_sources,
)

if TYPE_CHECKING:
    from torch import Tensor

_RECIPES: tuple[type[Recipe], ...] = (
    Copy,
    Reshape,
    Expand,
    PermuteIn,
    PermuteOut,
    Subtract,
    Fill,
    FoldScale,
    FoldScaleTransposed,
    FoldShift,
    Standardise,
    ConcatOut,
)


def carry_weights(
    plan: WeightPlan, old: Mapping[str, Any], new: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the state_dict of the new model, with everything that the plan carries over.

    A checkpoint may wrap the state_dict, as in `{"model": ...}`, or have a prefix such as `module.`
    before its keys: if only one reading fits, a warning tells which was taken. Tensors may be of
    another dtype or on another device than the new model's, as `load_state_dict` allows.

    Args:
        old: the old checkpoint.
        new: the new model's own state_dict; a tensor that the plan leaves fresh stays as it is.

    Raises:
        CheckpointError: the checkpoint lacks a tensor that the plan reads, or a tensor has another
            shape than the plan expects; `new` is not the new model's state_dict.

    Example:
        `model.load_state_dict(carry_weights(read_plan(text), checkpoint, model.state_dict()))`.
    """
    keys = dict.fromkeys(key for _, recipe in plan.recipes for key in list_sources(recipe))
    tensors = read_checkpoint(old, list(keys))
    unknown = [key for key, _ in (*plan.recipes, *plan.fresh) if key not in new]
    if unknown:
        message = f"the new model has no tensor `{unknown[0]}`: the plan is for another network"
        raise CheckpointError(message)
    result = dict(new)
    for key, recipe in plan.recipes:
        if all(source in tensors for source in list_sources(recipe)):  # else a count of batches
            result[key] = run_recipe(key, recipe, tensors, new[key])
    return result


def read_plan(text: str) -> WeightPlan:
    """Return the plan that `inception-dsl diff --weights` wrote.

    Raises:
        ValueError: the text is no plan, or a plan of another version.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise CallerValueError("this is no plan of weights: it is nested too deeply") from None
    except ValueError as error:
        raise CallerValueError(f"this is no plan of weights: it is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema_version") != 2:
        raise CallerValueError("this is no plan of weights of version 2")
    recipes = tuple(
        (key, _read_recipe(key, recipe)) for key, recipe in _read_mapping(document, "tensors")
    )
    fresh, left = (_read_reasons(document, name) for name in ("fresh", "left"))
    return WeightPlan(recipes, fresh, left)


def _read_mapping(document: Mapping[str, object], name: str) -> list[tuple[str, object]]:
    mapping = document.get(name)
    if not isinstance(mapping, dict):
        raise CallerValueError(f"`{name}` of a plan of weights is an object")
    return list(mapping.items())


def _read_reasons(document: Mapping[str, object], name: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(reason)) for key, reason in _read_mapping(document, name))


def _read_recipe(key: str, document: object) -> Recipe:
    """Return the recipe of a tensor.

    Raises:
        ValueError: there is no such recipe, or it has other values than such a recipe takes.
    """
    values = dict(document) if isinstance(document, dict) else {}
    name = values.pop("recipe", None)
    kind = next((kind for kind in _RECIPES if kind.__name__ == name), None)
    if kind is None:
        names = ", ".join(kind.__name__ for kind in _RECIPES)
        raise CallerValueError(f"the recipe of the tensor `{key}` is none of {names}")
    if kind is ConcatOut:
        return _read_parts(key, values)
    types = get_type_hints(kind)
    for field, value in values.items():
        if field in types and not _fits(value, types[field]):
            raise CallerValueError(
                f"`{field}` of the tensor `{key}` has a value that it cannot take"
            )
    if values.keys() != types.keys():
        raise CallerValueError(f"a `{name}`, as of the tensor `{key}`, has {', '.join(types)}")
    if "order" in values:
        values["order"] = tuple((first, count) for first, count in values["order"])
    return kind(**values)


def _read_parts(key: str, values: Mapping[str, object]) -> ConcatOut:
    """Return the recipe of a tensor that is made of several.

    Raises:
        ValueError: the parts are none, or one has parts itself.
    """
    documents = values.get("parts")
    if values.keys() != {"parts"} or not isinstance(documents, list) or not documents:
        raise CallerValueError(f"a `ConcatOut`, as of the tensor `{key}`, has a list of parts")
    if any(isinstance(each, dict) and each.get("recipe") == "ConcatOut" for each in documents):
        raise CallerValueError(f"a part of the tensor `{key}` has parts itself")
    return ConcatOut(tuple(_read_recipe(key, document) for document in documents))


def _fits(value: object, type: object) -> bool:
    """Tell whether a value of JSON is of the type that a recipe's field has."""
    if type == Order:
        return isinstance(value, list) and all(map(_is_run, value))
    if type is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) or (value is None and type == str | None)


def _is_run(value: object) -> bool:
    """Tell whether a value of JSON is a run of channels: its first one, and their number."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(number, int) and number >= 0 for number in value)
    )


def run_recipe(key: str, recipe: Recipe, old: Mapping[str, Tensor], like: Tensor) -> Tensor:
    """Return the tensor that a recipe makes, with the shape, dtype and device of `like`.

    If `like` is on the meta device, the tensor stays on the device of the old ones.
    """
    try:
        made = _run(recipe, {source: old[source].detach() for source in list_sources(recipe)}, like)
    except (IndexError, RuntimeError) as error:
        message = f"`{key}` cannot be made of the old checkpoint: {error}"
        raise CheckpointError(message) from None
    if made.dim() == 1 and like.dim() == 0:  # as torch saved a number before version 0.4
        made = made[0]
    if made.shape != like.shape:
        shapes = f"{tuple(like.shape)}, and the old checkpoint gives {tuple(made.shape)}"
        raise CheckpointError(f"`{key}` has the shape {shapes}")
    device = made.device if like.is_meta else like.device
    return made.to(device=device, dtype=like.dtype, copy=True)


def _run(recipe: Recipe, old: Mapping[str, Tensor], like: Tensor) -> Tensor:
    import torch

    match recipe:
        case Copy(source):
            return old[source]
        case Reshape(source):
            return old[source].reshape(like.shape)
        case Expand(source):
            return old[source].expand(like.shape)
        case PermuteIn(source, order):
            return _reorder(old[source], 1, order)
        case PermuteOut(source, order):
            return _reorder(old[source], 0, order)
        case Subtract(source, subtrahend):
            return _exact(old[source]) - _exact(old[subtrahend])
        case Fill(value):
            return torch.full_like(like, value)
        case FoldScale() | FoldScaleTransposed() | FoldShift():
            return _fold(recipe, old)
        case ConcatOut(parts):
            return torch.cat([_run(part, old, like) for part in parts])
        case Standardise(source, gain, factor, eps):
            return _standardise(old[source], old[gain] if gain else None, factor, eps)
        case _:
            assert_never(recipe)


def _fold(recipe: FoldScale | FoldScaleTransposed | FoldShift, old: Mapping[str, Tensor]) -> Tensor:
    """Return a weight or a bias with the norm behind it in it."""
    import torch

    match recipe:
        case FoldScale(source, gamma, variance, eps):
            weight = _exact(old[source])
            scale = _scale(old, gamma, variance, eps)
            return weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
        case FoldScaleTransposed(source, gamma, variance, eps):
            weight = _exact(old[source])
            scale = _scale(old, gamma, variance, eps)
            return weight * scale.reshape(1, -1, *[1] * (weight.dim() - 2))
        case FoldShift(bias, gamma, beta, mean, variance, eps):
            centre = _exact(old[mean])
            before = _exact(old[bias]) if bias else torch.zeros_like(centre)
            moved = (before - centre) * _scale(old, gamma, variance, eps)
            return moved + _exact(old[beta]) if beta else moved


def _standardise(weight: Tensor, gain: Tensor | None, factor: float, eps: float) -> Tensor:
    """Return a weight whose filters have mean 0, and the variance that their numbers say."""
    import torch

    filters = _exact(weight).flatten(1)
    centred = filters - filters.mean(1, keepdim=True)
    scaled = factor * centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + eps)
    if gain is not None:
        scaled = scaled * _exact(gain).reshape(-1, 1)
    return scaled.reshape(weight.shape)


def _reorder(tensor: Tensor, axis: int, order: Order) -> Tensor:
    """Return a tensor with one axis in another order."""
    import torch

    channels = sum(count for _, count in order)
    if tensor.dim() <= axis or tensor.shape[axis] != channels:
        shape = tuple(tensor.shape)
        message = f"a tensor of the shape {shape} has not {channels} channels to put in order"
        raise IndexError(message)
    return torch.cat([tensor.narrow(axis, first, count) for first, count in order], axis)


def _exact(tensor: Tensor) -> Tensor:
    """Return a tensor in double precision, which Apple's GPUs lack."""
    return tensor.cpu().double() if tensor.device.type == "mps" else tensor.double()


def _scale(old: Mapping[str, Tensor], gamma: str | None, variance: str, eps: float) -> Tensor:
    import torch

    scale = torch.rsqrt(_exact(old[variance]) + eps)
    return scale * _exact(old[gamma]) if gamma else scale
