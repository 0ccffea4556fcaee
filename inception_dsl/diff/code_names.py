"""A plan of weights whose networks exist as code: with the keys and the shapes that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inception_dsl.analysis.state import measure_state
from inception_dsl.ir import Model
from inception_dsl.ir.weights import (
    Copy,
    Fill,
    Recipe,
    Reshape,
    WeightPlan,
    list_sources,
    rename_sources,
)

if TYPE_CHECKING:
    from inception_dsl.spec.files import CodeTensor

_NOT_THERE = "the old code has no such tensor"
_OTHER_SHAPE = "a tensor of it has another shape in the code"


def name_as_in_code(
    plan: WeightPlan,
    models: tuple[Model, Model],
    tensors: tuple[Mapping[str, CodeTensor], Mapping[str, CodeTensor]],
) -> WeightPlan:
    """Return a plan with the keys of the code that either spec was made of; else the plan itself.

    A tensor that the new code lacks is left out.

    Args:
        models: the old model and the new one.
        tensors: of a model that was made of code, the tensors there by the keys of its spec.
    """
    if not any(tensors):
        return plan
    old, new = map(_Side, models, tensors)
    recipes: list[tuple[str, Recipe]] = []
    fresh: list[tuple[str, str]] = []
    for key, recipe in plan.recipes:
        if not new.has(key):
            continue
        fitted = _fit(key, recipe, old, new)
        if isinstance(fitted, str):
            fresh.append((new.name(key), fitted))
        else:
            recipes.append((new.name(key), fitted))
    fresh += [(new.name(key), reason) for key, reason in plan.fresh if new.has(key)]
    left = tuple((old.name(key), reason) for key, reason in plan.left if old.has(key))
    return WeightPlan(tuple(recipes), tuple(fresh), left)


def _fit(key: str, recipe: Recipe, old: _Side, new: _Side) -> Recipe | str:
    """Return a recipe by the names of the code, or the reason why there is none."""
    sources = list_sources(recipe)
    if not all(map(old.has, sources)):
        return _NOT_THERE
    named = rename_sources(recipe, {source: old.name(source) for source in sources})
    if all(map(old.has_shape, sources)) and new.has_shape(key):
        return named
    match named:
        case Copy(source) | Reshape(source):
            return Reshape(source)
        case Fill():
            return named
        case _:
            return _OTHER_SHAPE


@dataclass(slots=True)
class _Side:
    """A model and the tensors of the code that it was made of; none if it is a spec."""

    model: Model
    tensors: Mapping[str, CodeTensor]
    _shapes: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._shapes = {key: own.shape for key, own in measure_state(self.model.graph).items()}

    def has(self, key: str) -> bool:
        """Tell whether the code has the tensor."""
        return not self.tensors or key in self.tensors

    def name(self, key: str) -> str:
        """Return the key that the tensor has in the code."""
        return self.tensors[key].key if key in self.tensors else key

    def has_shape(self, key: str) -> bool:
        """Tell whether the tensor has the same shape in the code."""
        return key not in self.tensors or self.tensors[key].shape == self._shapes[key]
