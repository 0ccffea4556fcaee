"""The difference of two texts: git makes the new text of the old one, and long texts are quick."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path
from random import Random
from time import process_time

import pytest

from inception_dsl.emit import difference
from inception_dsl.emit.difference import compare_lines


def apply(old: list[str], lines: list[str], folder: Path) -> list[str]:
    """Return the lines that git makes of a text and a difference."""
    (folder / "text").write_text("".join(f"{line}\n" for line in old))
    patch = "".join(f"{line}\n" for line in lines)
    command = ["git", "apply", "--unidiff-zero", "-p0", "-"]
    if lines:
        subprocess.run(command, input=patch, text=True, cwd=folder, check=True)
    return (folder / "text").read_text().splitlines()


@pytest.mark.parametrize("seed", range(8))
def test_a_difference_makes_the_new_text_of_the_old_one(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(seed)
    monkeypatch.setattr(difference, "MAX_PIECE", random.choice([4, 30]))
    words = [f"line {index}" for index in range(random.choice([3, 40]))]
    old = [random.choice(words) for _ in range(random.randint(5, 60))]
    new = [line for line in old if random.random() < 0.9]
    for _ in range(random.randint(0, 9)):
        place = random.randint(0, len(new))
        new[place:place] = [random.choice([*words, "new"])] * random.randint(0, 3)
    lines = list(compare_lines(old, new, "text", "text"))
    assert apply(old, lines, tmp_path) == new


def test_a_short_text_is_compared_as_difflib_does() -> None:
    old, new = list("abcdefghijk"), list("abcdxfghijlk")
    expected = list(difflib.unified_diff(old, new, "old", "new", lineterm=""))
    assert list(compare_lines(old, new, "old", "new")) == expected


@pytest.mark.parametrize("line", ["- s{}: 3x3 conv (256)", "- 3x3 conv (256)"])
def test_thousands_of_lines_between_others_are_found_at_once(line: str) -> None:
    old = [line.format(index) for index in range(5_000)]
    new = [each for kept in old for each in ("- 1x1 conv (128)", kept)]
    start = process_time()
    lines = list(compare_lines(old, new, "net.yaml", "net.yaml"))
    assert process_time() - start < 1
    assert sum(each.startswith("+-") for each in lines) == 5_000
    assert not any(each.startswith("--") for each in lines[1:])
