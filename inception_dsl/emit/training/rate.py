"""The learning rate of a training script, as the body of a function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.emit.training.options import Options, write_literal
from inception_dsl.ir.learning_rate import (
    Cosine,
    Course,
    Decay,
    LearningRate,
    Length,
    Milestones,
    Polynomial,
    Unit,
)
from inception_dsl.ir.recipe import Recipe
from inception_dsl.ir.recipe_ranges import FACTOR, LENGTH, POSITIVE


@dataclass(frozen=True, slots=True)
class RateCode:
    """The function of the learning rate: parameters, body, and the arguments of its call."""

    parameters: str
    body: tuple[str, ...]
    arguments: str


def write_rate(recipe: Recipe, options: Options) -> RateCode:
    """Write the learning rate of a recipe as a function of the step.

    The time runs in the unit of the course, so that a change falls exactly on its step.
    """
    rate = recipe.learning_rate.value or LearningRate(None)
    if rate.course is None and rate.warmup is None:
        return RateCode("args: argparse.Namespace", (f"return float({_FIRST})",), "self.args")
    unit = _unit_of(rate)
    now = "step" if unit == "steps" else "epoch"
    lines = ["epoch = step / epoch_steps"] * (unit == "epochs")
    is_read_once = rate.warmup is None and not isinstance(rate.course, Cosine | Polynomial)
    first = _FIRST if is_read_once else "first"
    lines += [f"first: float = {_FIRST}"] * (not is_read_once)
    since = now
    if rate.warmup is not None:
        length, start = rate.warmup.length, rate.warmup.start
        lines.append(f"warmup = {_write_length(length, unit, 'warmup', options)}")
        low = write_literal(start)
        risen = f"{low} + (first - {low})" if start else "first"
        lines += [f"if {now} < warmup:", f"    return {risen} * {now} / warmup"]
        since = f"({now} - warmup)"
    total = "args.epochs" if rate.warmup is None else "(args.epochs - warmup)"
    lines += _write_course(rate.course, now, since, options, first=first, total=total)
    if unit == "steps" and (rate.warmup is None or rate.warmup.length.unit == "steps"):
        return RateCode("step: int, args: argparse.Namespace", tuple(lines), "self.step, self.args")
    return RateCode(
        "step: int, epoch_steps: int, args: argparse.Namespace",
        tuple(lines),
        "self.step, self.epoch_steps, self.args",
    )


_FIRST = "args.learning_rate"


def _unit_of(rate: LearningRate) -> Unit:
    """Return the unit in which the time of a learning rate runs."""
    match rate.course:
        case Decay(every=Length(unit=unit)) | Milestones(unit=unit):
            return unit
        case None if rate.warmup is not None:
            return rate.warmup.length.unit
        case _:
            return "epochs"


def _write_length(length: Length, unit: Unit, name: str, options: Options) -> str:
    """Write a length in the unit of the time."""
    amount = options.write(length.amount, name, f"its length in {length.unit}", "rate", LENGTH)
    if length.unit == unit:
        return amount
    return f"{amount} {'*' if unit == 'steps' else '/'} epoch_steps"


def _write_course(
    course: Course | None, now: str, since: str, options: Options, *, first: str, total: str
) -> Iterator[str]:
    """Yield the statements behind the warm-up.

    Args:
        now, since: the time since the start of the training, and since the end of the warm-up.
        first: the first rate.
        total: the epochs behind the warm-up.
    """
    match course:
        case None:
            yield f"return {first}"
        case Decay(factor, every, is_continuous):
            by = options.write(factor, "factor", "multiplies the rate", "rate", FACTOR)
            help = f"{every.unit} between two changes of the rate"
            length = options.write(every.amount, "every", help, "rate", LENGTH)
            times = f"({since} {'/' if is_continuous else '//'} {length})"
            yield f"return float({first} * {by} ** {times})"
        case Milestones(factor, at, _):
            by = options.write(factor, "factor", "multiplies the rate", "rate", FACTOR)
            moments = f"({', '.join(map(str, at))}{',' * (len(at) == 1)})"
            yield f"passed = sum({now} >= moment for moment in {moments})"
            yield f"return float({first} * {by}**passed)"
        case Cosine(end) | Polynomial(end=end):
            yield f"done = {since} / {total}"
            low = write_literal(end)
            rest = f"({first} - {low})" if end else first
            if isinstance(course, Cosine):
                share = "(1 + math.cos(math.pi * done)) / 2"
            else:
                help = "of the part of the training that is left"
                power = options.write(course.power, "power", help, "rate", POSITIVE)
                share = f"(1 - done) ** {power}"
            yield f"return float({f'{low} + ' if end else ''}{rest} * {share})"
