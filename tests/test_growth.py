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
from hostile_specs import alike_branches, many_claims, many_heads, unread_steps

from inception_dsl import driver
from inception_dsl.analysis import measure_depths, measure_fields, measure_memory
from inception_dsl.diagnostics import SpecError
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
    first, *models = [checked(steps, project) for steps in (SMALL, SMALL, LARGE)]
    ANALYSES[analysis](first)  # what is imported once; a model keeps its flat graph
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


@pytest.mark.parametrize("maker", [many_heads, many_claims, unread_steps, alike_branches])
def test_checking_and_emitting_are_linear_in_what_a_spec_lists(
    maker: Callable[[int], str], project: Project
) -> None:
    def work(count: int) -> int:
        project.write(NET, maker(count))

        def check_and_emit() -> None:
            try:
                checked = project.check()
            except SpecError:  # no claim holds
                return
            driver.emit_module(checked)

        return calls(check_and_emit)

    work(2)  # what is imported once
    none, small, large = work(1), work(25), work(100)
    assert large - none < 1.1 * 100 / 25 * (small - none)
