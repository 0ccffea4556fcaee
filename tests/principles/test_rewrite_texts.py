"""`rewrite` on random texts in many layouts: comments stay, and no refusal is a fault of a text."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.rewriting import rewrite

STEPS = [
    *["1x1 conv (8)", "5x5 conv (16)", "7x7 conv (10)", "1x1 maxpool", "relu", "slice (2)"],
    *["3x3 conv (12)", "3x3 conv (8 bias norm batchnorm)", "1x1 conv (max(4, 6))"],
]
HEADS = ["1x1 conv (8)", "1x1 conv (4)", "3x3 conv (4)", "1x1 maxpool"]
NAMES = ["a", "b", "conv", "conv2", "conv_a", "merged", "merged2", "slice", "slice2", "maxpool2"]
FORESEEN = re.compile(
    "it stands alone|it is written in quotes or in its long form|they do not all begin branches|"
    r"it has no name, and `|`[\w.]+concat` would get another name"
)
"""Reasons in the network or in its layout; a step behind a concat gives the concat its name."""


class Writer:
    """A writer of random specs, whose comments have numbers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.comments = 0

    def comment(self, chance: float = 0.35) -> str:
        """Return a comment, or nothing."""
        if self.random.random() >= chance:
            return ""
        self.comments += 1
        return f"  # c{self.comments}"

    def pick(self, taken: set[str]) -> str:
        """Return a name that is free."""
        name = self.random.choice([each for each in NAMES if each not in taken])
        taken.add(name)
        return name

    def choose_steps(self) -> list[str]:
        """Return the steps of a branch for a list in brackets."""
        steps = [
            self.random.choice(HEADS),
            *self.random.choices(STEPS, k=self.random.randint(0, 2)),
        ]
        return [f'"{step}"' if "," in step else step for step in steps]

    def list_steps(self, indent: str, taken: set[str], depth: int) -> Iterator[str]:
        """Yield the lines of some steps."""
        for _ in range(self.random.randint(1, 3)):
            if comment := self.comment(0.2):
                yield indent + comment.strip()
            way, step = self.random.random(), self.random.choice(STEPS)
            if way < 0.25 and depth < 2:
                yield f"{indent}- {self.pick(taken)}:{self.comment()}"
                yield f"{indent}    branches:{self.comment()}"
                yield from self.list_branches(f"{indent}      ", set(), depth + 1)
            elif way < 0.35 and depth < 2 and len(taken) < 5:
                yield f"{indent}- branches:{self.comment()}"
                yield from self.list_branches(f"{indent}    ", taken, depth + 1)
            elif way < 0.5:
                yield f"{indent}- {self.pick(taken)}: {step}{self.comment()}"
            elif way < 0.55:
                yield f"{indent}- {self.pick(taken)}:{self.comment()}"
                yield f"{indent}    {step}{self.comment()}"
            else:
                yield f"{indent}- {step}{self.comment()}"

    def list_branches(self, indent: str, taken: set[str], depth: int) -> Iterator[str]:
        """Yield the lines of some branches."""
        for _ in range(self.random.randint(2, 3)):
            name, way = f"{indent}{self.pick(taken)}:", self.random.random()
            if way < 0.3:
                yield f"{name} {self.random.choice(HEADS)}{self.comment()}"
            elif way < 0.5:
                yield f"{name} [{', '.join(self.choose_steps())}]{self.comment()}"
            elif way < 0.6:
                yield f"{name} {{steps: [{', '.join(self.choose_steps())}]}}{self.comment()}"
            elif way < 0.75:
                yield f"{name} [{self.comment()}"
                yield from (f"{indent}  {s},{self.comment()}" for s in self.choose_steps())
                yield f"{indent}]{self.comment()}"
            else:
                yield f"{name}{self.comment()}"
                deep = indent + self.random.choice(["", "  "])
                yield f"{deep}- {self.random.choice(HEADS)}{self.comment()}"
                yield from self.list_steps(deep, set(), depth)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_texts_keep_their_comments(start: int, project: Project) -> None:
    made = 0
    for seed in range(start, start + 20):
        writer = Writer(seed)
        lines = "\n".join(writer.list_steps("  ", set(), 0))
        size = writer.random.choice(["18x18x8", "30x30x8"])
        text = f"inception: 1\nname: net\ninput: {size}\nnetwork:\n{lines}\n"
        project.write(NET, text)
        try:
            driver.measure(NET, folder=project.root)
        except SpecError:
            continue  # two steps of one name
        select = ["P811", "P812", "P814", "P815"]
        done = rewrite(NET, folder=project.root, select=select)
        unforeseen = [e for e in done.log if e.refusal and not FORESEEN.match(e.refusal)]
        assert unforeseen == [], text
        comments = [sorted(re.findall(r"# c\d+", each)) for each in (text, done.artifact.text)]
        assert comments[0] == comments[1], text
        assert not re.search(r"\S#", done.artifact.text), text  # YAML wants a blank there
        project.write(NET, done.artifact.text)
        again = rewrite(NET, folder=project.root, select=select)
        assert not again.is_changed, text
        made += done.is_changed
    assert made > 5


def test_a_pool_behind_its_convolution_keeps_names_and_comments(project: Project) -> None:
    defaults = "defaults: {conv: {norm: batchnorm, act: relu}}\n"
    head = f"inception: 1\nname: net\ninput: 14x14x12\n{defaults}"
    project.write(
        NET,
        f"{head}network:\n"
        "  # the mean over 3x3\n"
        "  - pool: 3x3 avgpool   # stride 1\n"
        "  # the projection\n"
        "  - red: 1x1 conv (4) -> 14x14x4   # a quarter\n"
        "  - 3x3 conv (2)\n",
    )
    done = rewrite(NET, folder=project.root, select=["P816"])
    assert [entry.refusal for entry in done.log] == [""]
    assert done.artifact.content.decode() == (
        f"{head}network:\n"
        "  # the projection\n"
        "  - red: 1x1 conv (4 norm none act none no_bias) -> 14x14x4   # a quarter\n"
        "  # the mean over 3x3\n"
        "  - pool: 3x3 avgpool   # stride 1\n"
        "  - batchnorm\n"
        "  - relu\n"
        "  - 3x3 conv (2)\n"
    )
