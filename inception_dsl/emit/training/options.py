"""The options of a training script: the main numbers of a recipe, and those that it leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from inception_dsl.ir.learning_rate import Cosine, LearningRate, Polynomial, write_number
from inception_dsl.ir.recipe import Recipe
from inception_dsl.ir.recipe_ranges import COUNT, RATE, Range

Section = Literal["rate", "optimizer", "loss", "training"]
"""The function of a script that computes with a number; a training has all options at hand."""

_OPEN = " (left open)"

WIDTH = 96
"""The width of a line in a function, without its indentation."""


def write_literal(number: Decimal | Fraction) -> str:
    """Write an exact number as Python: `0.045`, `4e-5`, `3 / 4`."""
    return write_number(number).replace("/", " / ")


@dataclass(slots=True)
class Options:
    """The numbers that a recipe leaves open, gathered while a script is written.

    Attributes:
        opened: the help and the range of each option, by its name in Python.
        readers: the functions that read one of them.
    """

    opened: dict[str, tuple[str, Range]] = field(default_factory=dict)
    readers: set[Section] = field(default_factory=set)

    def write(
        self, number: Decimal | None, name: str, help: str, section: Section, range: Range
    ) -> str:
        """Write a number, or the option that a person must give where it is None."""
        if number is not None:
            return write_literal(number)
        self.opened[name] = (help, range)
        self.readers.add(section)
        return f"self.args.{name}" if section == "training" else f"args.{name}"

    @property
    def takes(self) -> dict[str, str]:
        """The parameter of the functions that read options."""
        sections = ("optimizer", "loss")
        return {s: ", args: argparse.Namespace" * (s in self.readers) for s in sections}

    @property
    def gives(self) -> dict[str, str]:
        """The argument of the functions that read options, in the training."""
        sections = {"optimizer": ", args", "loss": ", self.args"}
        return {s: text * (s in self.readers) for s, text in sections.items()}

    def list_for(self, recipe: Recipe) -> Iterator[str]:
        """Yield the lines that declare the options of a recipe."""
        rate = recipe.learning_rate.value
        replicas = recipe.replicas.value
        is_alone = replicas is None and not recipe.replicas.is_unknown
        count = 1 if is_alone else None if replicas is None else replicas.count
        first = None if rate is None or rate.first is None else write_literal(rate.first)
        yield from _declare("epochs", "int", "passes over the training images", recipe.epochs.value)
        yield from _declare("batch", "int", "images of a replica", recipe.batch.value)
        yield from _declare("replicas", "int", "batches of an update, on any processes", count)
        yield from _declare("learning_rate", "float", "the first learning rate", first)
        for name, (help, _) in self.opened.items():
            yield from _declare(name, "float", help, None)

    def list_checks(self, recipe: Recipe) -> Iterator[str]:
        """Yield the entries of a script's table of conditions, one for each number."""
        ranges = dict.fromkeys(("epochs", "batch", "replicas"), COUNT)
        ranges["learning_rate"] = _range_of_rate(recipe.learning_rate.value)
        ranges |= {name: range for name, (_, range) in self.opened.items()}
        ranges |= dict.fromkeys(("log_every", "checkpoint_every"), COUNT)
        ranges["workers"] = Range(Decimal(0), COUNT.high)
        for name, range in ranges.items():
            low = f"{write_literal(range.low)} {'<=' if range.with_low else '<'}"
            high = f"{'<=' if range.with_high else '<'} {_write_bound(range.high)}"
            yield f'"{low} {_write_flag(name)} {high}": {low} args.{name} {high},'


def _range_of_rate(rate: LearningRate | None) -> Range:
    """Return the first rates that a course allows: it starts and ends at no higher one."""
    course, warmup = (rate.course, rate.warmup) if rate else (None, None)
    least = course.end if isinstance(course, Cosine | Polynomial) else Decimal(0)
    least = max(least, warmup.start if warmup else Decimal(0))
    return Range(least, RATE.high) if least else RATE


def _write_flag(name: str) -> str:
    """Write the option that sets a name of Python: `--learning-rate` sets `learning_rate`."""
    return f"--{name.replace('_', '-')}"


def _write_bound(number: Decimal) -> str:
    """Write the end of a range: `1`, `1000`, `10**9`."""
    is_long = number > 1000 and number == Decimal(10) ** number.adjusted()
    return f"10**{number.adjusted()}" if is_long else write_literal(number)


def _declare(name: str, type: str, help: str, default: object) -> list[str]:
    """Return the lines of a declaration."""
    told = "required=True" if default is None else f"default={default}"
    text = help + _OPEN * (default is None)
    flag = f'"{_write_flag(name)}"'
    return break_call("add", [flag, f"type={type}", told, f'help="{text}"'])


def break_call(callee: str, arguments: Sequence[str], *, width: int = WIDTH) -> list[str]:
    """Return a call on as few lines as a formatter leaves: one, three, or one for each argument."""
    inner = ", ".join(arguments)
    if len(callee) + len(inner) + 2 <= width:
        return [f"{callee}({inner})"]
    is_short = len(inner) + 4 <= width
    lines = [inner] if is_short else [f"{argument}," for argument in arguments]
    return [f"{callee}(", *(f"    {line}" for line in lines), ")"]
