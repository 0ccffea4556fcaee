"""Settings of a recipe that contradict each other, or the network (E218)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import TensorType
from inception_dsl.ir.learning_rate import Decay, LearningRate, Length, Milestones
from inception_dsl.ir.recipe import Augmentation, Normalisation, Polyak, Recipe, RecipeSetting


def check_agreement(recipe: Recipe, inputs: Mapping[str, TensorType]) -> Iterator[Diagnostic]:
    """Find settings that contradict each other.

    Args:
        inputs: the inputs of the network.
    """
    rate = recipe.learning_rate.value
    if rate is not None:
        yield from _check_rate(rate, recipe)
    average = recipe.average.value
    if isinstance(average, Polyak) and average.start is not None:
        message = f"the average begins after {average.start}"
        yield from _check_within(message, average.start, recipe.average, recipe)
    if recipe.augment.value is not None:
        yield from _check_crop(recipe.augment.value, recipe.augment, inputs)
    if recipe.normalise.value is not None:
        yield from _check_channels(recipe.normalise.value, recipe.normalise, inputs)


def _check_rate(rate: LearningRate, recipe: Recipe) -> Iterator[Diagnostic]:
    setting = recipe.learning_rate
    if rate.warmup is not None:
        message = f"the warm-up lasts {rate.warmup.length}"
        yield from _check_within(message, rate.warmup.length, setting, recipe)
    match rate.course:
        case Decay(every=every):
            yield from _check_period(every, rate.warmup.length if rate.warmup else None, recipe)
        case Milestones(at=moments, unit=unit):
            last = Length(Decimal(moments[-1]), unit)
            message = f"the learning rate changes after {last}"
            yield from _check_within(message, last, setting, recipe)
            warmup = rate.warmup.length if rate.warmup else None
            if warmup and warmup.unit == unit and (warmup.amount or 0) > moments[0]:
                message = f"the learning rate changes after {moments[0]} {unit}"
                message += f", and the warm-up lasts {warmup}"
                yield Diagnostic("E218", message, _labels(setting))


def _check_period(every: Length, warmup: Length | None, recipe: Recipe) -> Iterator[Diagnostic]:
    """Refuse a period that never ends: the first one begins at the end of the warm-up."""
    message, end = f"the learning rate changes every {every}", every
    if warmup and warmup.unit == every.unit and warmup.amount and every.amount:
        epochs = recipe.epochs.value
        if epochs is not None and warmup.unit == "epochs" and warmup.amount >= epochs:
            return  # the warm-up has the finding
        end = Length(warmup.amount + every.amount, every.unit)
        message += f" after a warm-up of {warmup}"
    yield from _check_within(message, end, recipe.learning_rate, recipe)


def _check_within(
    message: str, length: Length, setting: RecipeSetting[object], recipe: Recipe
) -> Iterator[Diagnostic]:
    """Refuse a length that the training never comes to the end of."""
    epochs = recipe.epochs.value
    if epochs is None or length.unit != "epochs" or length.amount is None:
        return
    if length.amount >= epochs:
        plural = "" if epochs == 1 else "s"
        message += f", and the training {epochs} epoch{plural}"
        yield Diagnostic("E218", message, (*_labels(setting), *_labels(recipe.epochs)))


def _check_crop(
    augment: Augmentation, setting: RecipeSetting[object], inputs: Mapping[str, TensorType]
) -> Iterator[Diagnostic]:
    """Refuse an image that is smaller than the input that is cut out of it."""
    for name, type in inputs.items():
        if augment.resize is None or not type.is_map or augment.resize >= max(type.size):
            continue
        height, width = type.size
        of = f"the input `{name}`" if name else "the input"
        message = f"the shorter side of an image is {augment.resize} pixels"
        message += f", and {of} is {height}x{width}"
        help = f"it holds a crop with `resize {max(type.size)}` at least"
        yield Diagnostic("E218", message, _labels(setting), help=help)


def _check_channels(
    numbers: Normalisation, setting: RecipeSetting[object], inputs: Mapping[str, TensorType]
) -> Iterator[Diagnostic]:
    """Refuse means and deviations that are not one for each channel."""
    count = len(numbers.mean)
    for name, type in inputs.items():
        if count not in (1, type.channels):
            of = f"the input `{name}`" if name else "the input"
            message = f"`mean` has {count} numbers, and {of} has {type.channels} channels"
            yield Diagnostic("E218", message, _labels(setting))


def _labels(setting: RecipeSetting[object]) -> tuple[Label, ...]:
    return tuple(Label(span) for span in setting.origin.spans[:1])
