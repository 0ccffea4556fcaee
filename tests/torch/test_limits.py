"""Attributes at their limits: what `check` accepts, torch builds and runs in both modes.

Numbers lie at the ends of what an attribute takes, and just beyond. Modules are built and run on
the meta device, so that a width of a billion costs nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.bounds import MAX_NUMBER
from inception_dsl.diagnostics import SpecError
from inception_dsl.ops import STEP_OPS, Attribute, Op

LIMITS: dict[str, list[object]] = {
    "width": [1, 7, MAX_NUMBER],
    "natural": [0, 1, MAX_NUMBER],
    "positive": [1, 2, 3, 7, MAX_NUMBER],
    "steps": [1, 2, 3, "1x2", "3x1", MAX_NUMBER],
    "decimal": ["0", "1e-45", "1e-320", "1e-999", "1e9", "0.5"],
    "fraction": ["0", "1", "0.5", "1e-999"],
    "pad": ["V", "same", "same_tf", 0, 1, 2, 5, MAX_NUMBER, "0x3", "3x0"],
    "size": ["1x1", "3x5", "8x8", "9x9", "1000000x1000000"],
    "init": ["torch", "normal 1e-999", "normal 1e9", "kaiming_normal fan_in", "xavier_uniform"],
}
KERNELS = ["1x1", "2x2", "3x3", "1x7", "8x8", "9x9"]
INPUTS = ["8x8x4", "1x1x6"]
STEPS_PER_OP = 25


def words(attribute: Attribute) -> list[str]:
    """Return ways to write an attribute at its limits."""
    match attribute.kind:
        case "flag":
            return [attribute.name, f"no_{attribute.name}"]
        case "choice":
            return [f"{attribute.name} {choice}" for choice in attribute.choices]
        case "width":
            return [str(value) for value in LIMITS["width"]]
        case kind:
            return [f"{attribute.name} {value}" for value in LIMITS[kind]]


def steps(op: Op, rng: random.Random) -> Iterator[str]:
    """Yield steps of an op, each with one or two attributes at a limit."""
    attributes = [a for a in op.attributes if a.name != op.kernel and not a.owner]
    for _ in range(STEPS_PER_OP if attributes else 1):
        chosen = rng.sample(attributes, min(len(attributes), rng.choice([1, 2])))
        written = [rng.choice(words(attribute)) for attribute in chosen]
        if not any(a.kind == "width" for a in chosen) and any(
            a.kind == "width" for a in attributes
        ):
            written.insert(0, "8")
        kernel = f"{rng.choice(KERNELS)} " if op.kernel else ""
        yield f"{kernel}{op.written}" + (f" ({' '.join(written)})" if written else "")


@pytest.mark.parametrize("op", STEP_OPS, ids=lambda op: op.name)
def test_torch_runs_every_step_that_check_accepts(op: Op, project: Project) -> None:
    rng = random.Random(op.name)
    outcomes: Counter[str] = Counter()
    for step in steps(op, rng):
        before = "global avgpool, " if op.name in {"linear", "partsoftmax"} else ""
        head = f"inception: 1\nname: net\ninput: {rng.choice(INPUTS)}\n"
        project.write(NET, f'{head}network: [{before}"{step}"]\n')
        try:
            checked = project.check()
        except SpecError:
            outcomes["refused"] += 1
            continue
        assert driver.verify(checked) == [], step
        outcomes["run"] += 1
    assert outcomes["run"]


@pytest.mark.parametrize(
    "step",
    [
        "batchnorm (eps 0)",
        "batchnorm (eps 1e-999)",
        "3x3 sepconv (1000000000000 multiplier 1000000000000)",
        "1000000x1000000 conv (8)",
    ],
)
def test_a_step_that_torch_refuses_is_refused(step: str, project: Project) -> None:
    project.write(NET, f"inception: 1\nname: net\ninput: 1x1x6\nnetwork: [{step}]\n")
    with pytest.raises(SpecError):
        project.check()
