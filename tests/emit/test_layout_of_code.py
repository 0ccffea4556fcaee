"""The layout of emitted code is that of a formatter."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path
from random import Random

import pytest

from inception_dsl.emit.python.code import Atom, Choice, Code, Construct
from inception_dsl.emit.python.expressions import expression
from inception_dsl.emit.python.layout import WIDTH, docstring, layout
from inception_dsl.expr import (
    Apply,
    Binary,
    Expr,
    Name,
    Operator,
    find_functions,
    find_names,
    show,
)


def _nested(names: int, length: int) -> Code:
    """Return a choice among `names` values, each and each condition of `length` letters."""
    code: Code = Atom("z" * length)
    for index in range(names - 1):
        letter = chr(ord("a") + index)
        code = Choice(Atom(f"{letter.upper() * length} > 1"), Atom(letter * length), code)
    return code


def test_a_formatter_has_nothing_to_say_to_choices_of_choices() -> None:
    lines = []
    for names, length in product((2, 3, 4), range(5, 40, 3)):
        choice = _nested(names, length)
        lines += layout("value = ", choice, depth=0)
        lines += layout(
            "value = ", Construct(Atom("call"), (("", choice), ("key", choice))), depth=0
        )
    hold_against_the_formatter(lines)


def hold_against_the_formatter(lines: list[str]) -> None:
    source = "\n".join(lines) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated"]
    command += ["--line-length", str(WIDTH), "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def draw_number(random: Random, depth: int) -> Expr:
    """Return a random expression over parameters, a choice on a condition among them."""
    names = ("in_channels", "width", "num_classes", "growth_of_each_copy", "n")
    if depth == 0:
        return Name(random.choice(names)) if random.random() < 0.5 else random.randint(1, 2048)
    one, other = (draw_number(random, depth - random.randint(1, depth)) for _ in range(2))
    operator: Operator = random.choice(["+", "-", "*", "//"])
    function = random.choice(["max", "min", "_make_divisible"])
    third = draw_number(random, depth - 1)
    condition = draw_condition(random, random.randint(0, depth))
    options: list[Expr] = [
        *[Binary(operator, one, other)] * 3,
        Binary("+", Binary("-", one, other), third),
        Apply(function, (one, other)),
        Apply("round", (one,)),
        *[Apply("if", (condition, one, other))] * 2,
    ]
    return random.choice(options)


def draw_condition(random: Random, depth: int) -> Expr:
    """Return a random condition."""
    if depth == 0:
        comparison = random.choice(["==", "!=", "<", ">="])
        return Apply(comparison, (draw_number(random, random.randint(0, 1)), random.randint(0, 9)))
    one, other = (draw_condition(random, depth - 1) for _ in range(2))
    joined = Apply(random.choice(["and", "or"]), (one, other))
    return random.choice([joined, joined, Apply("not", (joined,)), Apply("not", (one,))])


def test_a_formatter_has_nothing_to_say_to_expressions_of_any_length() -> None:
    """Choices in arithmetic, long conditions, sums of calls: each printed as `show` prints it."""
    random = Random(0)
    lines = []
    for index in range(400):
        value = draw_number(random, random.randint(1, 4))
        code = expression(value)
        assert str(code) == show(value)
        assert (code.reads, code.uses) == (find_names(value), find_functions(value))
        arguments: tuple[tuple[str, Code], ...] = (("", code), ("key", code), ("end", Atom("1")))
        call = Construct(Atom("call"), arguments[: 1 + index % 3])
        lines += layout("value = ", call, depth=0)
        if index % 2:
            condition = expression(draw_condition(random, random.randint(1, 4)))
            lines += layout("value = ", Choice(condition, call, Atom("None")), depth=0)
    hold_against_the_formatter(lines)


@pytest.mark.parametrize("length", range(88, 106))
def test_a_formatter_leaves_the_quotes_of_a_docstring_where_they_are(
    length: int, tmp_path: Path
) -> None:
    words = "word " * 40
    for text in (f"{words[: length - 1].rstrip()}.", "x" * length):
        lines = ["class A:", *docstring([text], depth=1), "", "    x = 1", ""]
        file = tmp_path / "module.py"
        file.write_text("\n".join(lines))
        ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "100"]
        assert subprocess.run([*ruff, "--check", str(file)], check=False).returncode == 0
