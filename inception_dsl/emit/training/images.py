"""The images of a training script: their random changes, and the way to the input of a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from inception_dsl.emit.training.options import WIDTH, break_call, write_literal
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
    images: list[list[str]]


def describe_images(model: Model, recipe: Recipe) -> ImageFacts:
    """Return the transforms of torchvision that a recipe asks for, as lists of expressions."""
    height, width = model.input.size
    augment = recipe.augment.value
    random = ["v2.Resize(SIZE)"] if augment is None else list(_changes(augment))
    to_input = ["v2.Grayscale()"] * (model.input.channels == 1)
    to_input += ["v2.PILToTensor()", "v2.ToDtype(torch.float32, scale=True)", *_normalise(recipe)]
    lists = {"RANDOM": random, "FIXED": _fixed(augment, height, width), "INPUT": to_input}
    assignments = [_assign(name, changes) for name, changes in lists.items()]
    return {"height": height, "width": width, "images": assignments}


def _changes(augment: Augmentation) -> Iterator[str]:
    """Yield the random changes of an image in their order."""
    match augment.name:
        case "inception":
            assert augment.area and augment.aspect
            area = ", ".join(map(write_literal, augment.area))
            aspect = ", ".join(map(write_literal, augment.aspect))
            words = ["SIZE", f"scale=({area})", f"ratio=({aspect})"]
            yield _call("v2.RandomResizedCrop", words)
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
        yield _call("v2.ColorJitter", words)


def _fixed(augment: Augmentation | None, height: int, width: int) -> list[str]:
    """Return the way of a held-out image to the size of the input."""
    match augment:
        case Augmentation(name="inception"):
            shorter = round(max(height, width) / _KEPT)
            return [f"v2.Resize({shorter})", "v2.CenterCrop(SIZE)"]
        case Augmentation(name="crop", resize=resize):
            return [f"v2.Resize({resize})", "v2.CenterCrop(SIZE)"]
        case _:
            return ["v2.Resize(SIZE)"]


def _normalise(recipe: Recipe) -> Iterator[str]:
    if recipe.normalise.value is None:
        return
    pairs = (("mean", recipe.normalise.value.mean), ("std", recipe.normalise.value.std))
    words = [f"{name}=[{', '.join(map(write_literal, numbers))}]" for name, numbers in pairs]
    yield _call("v2.Normalize", words)


def _assign(name: str, changes: list[str]) -> list[str]:
    """Return the lines that give a list a name: one, or one for each change."""
    line = f"{name} = [{', '.join(changes)}]"
    is_short = len(line) <= WIDTH and "\n" not in line
    return [line] if is_short else [f"{name} = [", *(f"    {c}," for c in changes), "]"]


def _call(callee: str, arguments: list[str]) -> str:
    """Return a call in a list, over several lines where it is long; a comma follows it."""
    return "\n    ".join(break_call(callee, arguments, width=WIDTH - 1))
