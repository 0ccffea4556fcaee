"""The images of a training script: their random changes, and the way to the input of a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from inception_dsl.emit.training.options import break_call, write_literal
from inception_dsl.ir import Model
from inception_dsl.ir.recipe import Augmentation, Recipe

_KEPT = 0.875
"""The share of a side that the network sees of a held-out image, where training cuts freely.

Source: the authors' code of Inception-v3, `inception/image_processing.py` of tensorflow/models.
"""


class ImageFacts(TypedDict):
    """The facts of a script about images, by their names in the template."""

    height: int
    width: int
    is_grey: bool
    random: list[str]
    fixed: str
    normalise: str


def describe_images(model: Model, recipe: Recipe) -> ImageFacts:
    """Return the transforms of torchvision that a recipe asks for, as expressions."""
    height, width = model.input.size
    augment = recipe.augment.value
    return {
        "height": height,
        "width": width,
        "is_grey": model.input.channels == 1,
        "random": ["v2.Resize(SIZE)"] if augment is None else list(_changes(augment)),
        "fixed": _fixed(augment, height, width),
        "normalise": _normalise(recipe),
    }


def _changes(augment: Augmentation) -> Iterator[str]:
    """Yield the random changes of an image in their order."""
    match augment.name:
        case "inception":
            assert augment.area and augment.aspect
            area = ", ".join(map(write_literal, augment.area))
            aspect = ", ".join(map(write_literal, augment.aspect))
            words = ["SIZE", f"scale=({area})", f"ratio=({aspect})"]
            yield _call("v2.RandomResizedCrop", words, depth=2)
        case "crop":
            yield f"v2.Resize({augment.resize})"
            yield "v2.RandomCrop(SIZE)"
        case "shift":
            yield "v2.Resize(SIZE)"
            yield f"v2.RandomCrop(SIZE, padding={augment.pad})"
    if augment.mirrors:
        yield "v2.RandomHorizontalFlip()"
    colours = {name: value for name, value in augment.colours.items() if value}
    if colours:
        words = [f"{name}={write_literal(value)}" for name, value in colours.items()]
        yield _call("v2.ColorJitter", words, depth=2)


def _fixed(augment: Augmentation | None, height: int, width: int) -> str:
    """Return the way of a held-out image to the size of the input."""
    match augment:
        case Augmentation(name="inception"):
            shorter = round(min(height, width) / _KEPT)
            return f"[v2.Resize({shorter}), v2.CenterCrop(SIZE)]"
        case Augmentation(name="crop", resize=resize):
            return f"[v2.Resize({resize}), v2.CenterCrop(SIZE)]"
        case _:
            return "[v2.Resize(SIZE)]"


def _normalise(recipe: Recipe) -> str:
    if recipe.normalise.value is None:
        return ""
    pairs = (("mean", recipe.normalise.value.mean), ("std", recipe.normalise.value.std))
    words = [f"{name}=[{', '.join(map(write_literal, numbers))}]" for name, numbers in pairs]
    return _call("v2.Normalize", words, depth=3)


def _call(callee: str, arguments: list[str], *, depth: int) -> str:
    """Return a call in a list, over several lines where it is long; a comma follows it."""
    lines = break_call(callee, arguments, width=99 - 4 * depth)
    return f"\n{' ' * 4 * depth}".join(lines)
