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
from inception_dsl.diff import KeyChange
from inception_dsl.diff.code_state import compare_idle
from inception_dsl.driver import Checked
from inception_dsl.emit.diff import FORMATS
from inception_dsl.ir import Path as StepPath
from inception_dsl.spec.files import CodeNetwork, IdleTensor

SMALL, LARGE = 225, 900
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
    """Count the calls of functions, C's included: the same every time but the first."""
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
    """The peak of memory while a spec is checked stays under 3 KB a step."""
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


HEAD = "inception: 1\nname: net\ninput: 32x32x3\n"


def steps_to_reuses(count: int) -> tuple[str, str]:
    """Return steps beside each other, and as many steps in a row that share weights."""
    old = "".join(f"- s{i}: {{from: input, steps: 1x1 conv (3)}}\n" for i in range(count))
    new = "".join(f"- r{i}: {{reuse: s0}}\n" for i in range(1, count))
    return f"{HEAD}network:\n{old}", f"{HEAD}network:\n- s0: 1x1 conv (3)\n{new}"


def calls_of_a_renamed_block(count: int) -> tuple[str, str]:
    """Return calls of one block with different arguments; the block is renamed and changes."""
    acts = ("relu", "silu", "gelu", "tanh")

    def text(name: str, kernel: int) -> str:
        convs = f"[1x1 conv (3 act act), {kernel}x{kernel} conv (3 act act)]"
        block = f"blocks:\n  {name}: {{params: {{act: relu}}, steps: {convs}}}\n"
        rows = "".join(f"- s{i}: {name} (act={acts[i % 4]})\n" for i in range(count))
        return f"{HEAD}{block}network:\n{rows}"

    return text("b", 3), text("b2", 5)


def renamed_steps(count: int) -> tuple[str, str]:
    """Return a row of steps that all have other names."""
    old, new = ("".join(f"- {p}{i}: 1x1 conv (3)\n" for i in range(count)) for p in "ab")
    return f"{HEAD}network:\n{old}", f"{HEAD}network:\n{new}"


def renamed_blocks(count: int) -> tuple[str, str]:
    """Return blocks that are called once each and have other names and kernels."""

    def text(prefix: str, kernel: int) -> str:
        convs = f"[{kernel}x{kernel} conv (3), 1x1 conv (3)]"
        blocks = "".join(f"  {prefix}{i}: {convs}\n" for i in range(count))
        return f"{HEAD}blocks:\n{blocks}network:\n" + "".join(
            f"- s{i}: {prefix}{i}\n" for i in range(count)
        )

    return text("b", 3), text("c", 5)


@pytest.mark.parametrize(
    "maker", [steps_to_reuses, calls_of_a_renamed_block, renamed_steps, renamed_blocks]
)
def test_comparisons_and_their_reports_are_linear(
    maker: Callable[[int], tuple[str, str]], project: Project
) -> None:
    def count_work(count: int) -> dict[str, int]:
        old, new = maker(count)
        project.write("old.yaml", old)
        project.write("new.yaml", new)
        reports = []

        def compare() -> None:
            reports.append(
                driver.compare("old.yaml", "new.yaml", folder=project.root, fail_on="never")
            )

        counts = {"comparison": calls(compare)}
        return counts | {
            format: calls(lambda show=show: show(reports[0]))  # type: ignore[misc]
            for format, show in FORMATS.items()
        }

    count_work(5)  # what is imported once
    small, large = count_work(60), count_work(240)
    assert {name for name in large if large[name] >= 1.1 * 240 / 60 * small[name]} == set()


def test_idle_tensors_of_code_are_told_in_linear_time() -> None:
    """Each module of a list that never runs is one change, and its tensors are none of a step."""

    def tell(count: int) -> None:
        keys = [f"idle.{index}.norm.{name}" for index in range(count) for name in ("a", "b")]
        changes = [KeyChange(None, key, None, (2,), None, StepPath(key).parent) for key in keys]
        code = CodeNetwork(idle=tuple(IdleTensor(key, (2,), ()) for key in [*keys, "idle.used"]))
        assert len(list(compare_idle(changes, (CodeNetwork(), code)))) == count

    tell(SMALL)
    small, large = (calls(lambda n=n: tell(n)) for n in (SMALL, LARGE))  # type: ignore[misc]
    assert large < 1.1 * LARGE / SMALL * small
