"""Work and memory grow with the number of steps, not with its square, as calls and bytes count."""

from __future__ import annotations

import cProfile
import pstats
import runpy
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis import measure_depths, measure_fields, measure_memory
from inception_dsl.driver import Checked

SMALL, LARGE = 450, 1800
GROWN = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "growth.py"))["spec"]

ANALYSES: dict[str, Callable[[Checked], object]] = {
    "emit": driver.emit_module,
    "memory": lambda found: measure_memory(found.model),
    "fields": lambda found: measure_fields(found.model),
    "depths": lambda found: measure_depths(found.model),
}


def checked(steps: int, project: Project) -> Checked:
    project.write(NET, GROWN(steps))
    return project.check()


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, C's included: the same every time but the first."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_checking_is_linear(project: Project) -> None:
    checked(SMALL, project)  # what is imported once
    small, large = (calls(lambda n=n: checked(n, project)) for n in (SMALL, LARGE))  # type: ignore[misc]
    assert large < 1.1 * LARGE / SMALL * small


@pytest.mark.parametrize("analysis", ANALYSES)
def test_analyses_and_emission_are_linear(analysis: str, project: Project) -> None:
    models = [checked(steps, project) for steps in (SMALL, LARGE)]
    ANALYSES[analysis](models[0])  # what is imported once
    small, large = (calls(lambda m=m: ANALYSES[analysis](m)) for m in models)  # type: ignore[misc]
    assert large < 1.1 * LARGE / SMALL * small


def test_memory_is_linear_and_small(project: Project) -> None:
    """What is alive at the most while a spec is checked: under 3 KB a step."""
    checked(SMALL, project)  # what is imported once
    peaks = []
    for steps in (SMALL, LARGE):
        project.write(NET, GROWN(steps))
        tracemalloc.start()
        project.check()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / (LARGE - SMALL) < 3000
