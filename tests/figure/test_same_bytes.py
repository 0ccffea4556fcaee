"""A figure is the same bytes on every Python: 3.12 adds floats otherwise, each has its Unicode."""

from __future__ import annotations

import ast
import builtins
import sys
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl import driver
from inception_dsl.characters import is_printable, is_wide
from inception_dsl.emit.figure import DETAILS, Request, render_figure
from inception_dsl.emit.figure.styles import PRESETS

PACKAGE = Path(inception_dsl.__file__).parent
ROOT = PACKAGE.parent


def naive_sum(values: Iterable[float], start: float = 0) -> float:
    """Add numbers as Python 3.11 does."""
    total = start
    for value in values:
        total = total + value
    return total


def compensated_sum(values: Iterable[float], start: float = 0) -> float:
    """Add numbers as Python does from 3.12 on (Neumaier, 1974)."""
    total, lost = start, 0.0
    for value in values:
        if isinstance(total, int) and isinstance(value, int):
            total += value
            continue
        longer = total + value
        if abs(total) >= abs(value):
            lost += (total - longer) + value
        else:
            lost += (value - longer) + total
        total = longer
    return total + lost if lost else total


def test_both_sums_differ() -> None:
    tenths = [0.1] * 10
    assert naive_sum(tenths) != compensated_sum(tenths) == 1.0


@pytest.mark.parametrize("spec", ["community/lucid_v1", "inception_v4", "googlenet", "densenet121"])
def test_a_figure_does_not_depend_on_how_python_adds_floats(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = driver.measure(spec, folder=ROOT)

    def draw_all(add: Callable[..., float]) -> list[bytes]:
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "sum", add)
            return [
                render_figure(checked.model, checked.cost, Request(detail, style=style)).content
                for detail in DETAILS
                for style in PRESETS.values()
            ]

    assert draw_all(naive_sum) == draw_all(compensated_sum)


def test_a_character_is_printable_if_the_running_python_says_so() -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"}
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if category != "Cn":  # another version may know it
            assert is_printable(char) == (char == " " or category not in hidden), hex(code)
    assert not is_printable("\ufffe")


def test_east_asian_characters_and_emoji_are_wide() -> None:
    letters = [chr(code) for code in (*range(0x4E00, 0x9FFF), *range(0xAC00, 0xD7A3))]
    assert all(map(is_wide, [*letters, "ひ", "カ", "🙂"]))
    assert not any(map(is_wide, "aé≤Ωя"))


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("emit/**/*.py")), ids=lambda path: path.stem)
def test_emitters_do_not_ask_the_unicode_tables_of_the_running_python(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not names & {"isprintable", "isalpha", "isalnum", "east_asian_width"}
    assert "unicodedata" not in modules
