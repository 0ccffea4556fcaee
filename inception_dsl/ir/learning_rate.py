"""The numbers of a recipe and its learning rate, as facts.

Numbers are exact: `4e-5` is a `Decimal`, `3/4` a `Fraction`. None stands for a number that the
source leaves open. `str` of a value prints it as a spec writes it.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

Number = Decimal | Fraction
"""An exact number of a recipe; `float` of it is the number that a program computes with."""

Unit = Literal["epochs", "steps"]
"""The unit of a length of a training; a step is one update of the weights."""


def write_number(number: Number | None) -> str:
    """Print a number as a spec writes it: `0.045`, `4e-5`, `3/4`; None as `unknown`."""
    if number is None:
        return "unknown"
    if isinstance(number, Fraction):
        return str(number)
    if number and number.adjusted() < -4:
        digits = "".join(map(str, number.normalize().as_tuple().digits))
        mantissa = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
        return f"{'-' if number < 0 else ''}{mantissa}e{number.adjusted()}"
    return f"{number:f}"


def write_call(name: str, words: list[str]) -> str:
    """Print a name, with words in brackets if there are any."""
    return f"{name} ({' '.join(words)})" if words else name


class Length(NamedTuple):
    """A length of a training in epochs or steps; None for a number that the source leaves open."""

    amount: Decimal | None
    unit: Unit

    def __str__(self) -> str:
        """Print the length: `2 epochs`."""
        return f"{write_number(self.amount)} {self.unit}"


class Warmup(NamedTuple):
    """The first part of a training, in which the rate grows evenly from `start` to its first."""

    length: Length
    start: Decimal = Decimal(0)


class Decay(NamedTuple):
    """The rate is multiplied by `factor` after every `every`; in between, too, if continuous."""

    factor: Decimal | None
    every: Length
    is_continuous: bool = False


class Milestones(NamedTuple):
    """The rate is multiplied by `factor` at each of some moments, counted from the start."""

    factor: Decimal | None
    at: tuple[int, ...]
    unit: Unit


class Cosine(NamedTuple):
    """The rate falls to `end` along half a cosine, over the whole training."""

    end: Decimal = Decimal(0)


class Polynomial(NamedTuple):
    """The rate falls to `end` as a power of the part of the training that is left."""

    power: Decimal | None
    end: Decimal = Decimal(0)


Course = Decay | Milestones | Cosine | Polynomial


class LearningRate(NamedTuple):
    """The learning rate of a training, as a function of the time.

    Attributes:
        first: the rate behind the warm-up; None if the source leaves it open.
        course: its course from there; None if it stays.
        warmup: the warm-up; None if there is none.
    """

    first: Decimal | None
    course: Course | None = None
    warmup: Warmup | None = None

    def __str__(self) -> str:
        """Print the rate: `0.1 cosine (to 0.001 warmup 5 epochs)`."""
        text, words = write_number(self.first), []
        match self.course:
            case Decay(factor, every, is_continuous):
                text += f" x {write_number(factor)} every {every}"
                words += ["continuous"] if is_continuous else []
            case Milestones(factor, at, unit):
                text += f" x {write_number(factor)} at {' '.join(map(str, at))} {unit}"
            case Cosine(end):
                text += " cosine"
                words += [f"to {write_number(end)}"] if end else []
            case Polynomial(power, end):
                text += " polynomial"
                words += [f"power {write_number(power)}"]
                words += [f"to {write_number(end)}"] if end else []
        if self.warmup is not None:
            words += [f"warmup {self.warmup.length}"]
            words += [f"from {write_number(self.warmup.start)}"] if self.warmup.start else []
        return write_call(text, words)

    def at(self, epoch: float, *, epochs: int, steps_per_epoch: int) -> float:
        """Return the rate at a moment of a training.

        Args:
            epoch: the epochs that are over, as a fraction.
            epochs: the length of the training.

        Raises:
            ValueError: the source leaves a number of it open.
        """
        first, start = _known(self.first), 0.0
        if self.warmup is not None:
            start = _in_epochs(self.warmup.length, steps_per_epoch)
            if epoch < start:
                low = float(self.warmup.start)
                return low + (first - low) * epoch / start
        match self.course:
            case None:
                return first
            case Decay(factor, every, is_continuous):
                times = (epoch - start) / _in_epochs(every, steps_per_epoch)
                return first * _known(factor) ** (times if is_continuous else math.floor(times))
            case Milestones(factor, at, unit):
                now = epoch if unit == "epochs" else epoch * steps_per_epoch
                return first * _known(factor) ** sum(moment <= now for moment in at)
            case Cosine(end):
                share = (1 + math.cos(math.pi * (epoch - start) / (epochs - start))) / 2
            case Polynomial(power, end):
                share = (1 - (epoch - start) / (epochs - start)) ** _known(power)
        return float(end) + (first - float(end)) * share


def _known(number: Decimal | None) -> float:
    if number is None:
        raise ValueError("the source leaves a number of the learning rate open")
    return float(number)


def _in_epochs(length: Length, steps_per_epoch: int) -> float:
    amount = _known(length.amount)
    return amount if length.unit == "epochs" else amount / steps_per_epoch
