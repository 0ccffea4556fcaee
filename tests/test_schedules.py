"""Arguments that change evenly from the first copy of a block to the last."""

from __future__ import annotations

from fractions import Fraction

import pytest
from conftest import NET, Project, needs_torch
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl import driver
from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.figure import Request
from inception_dsl.expr import Apply, Binary, Name, show
from inception_dsl.ir import Call, Value
from inception_dsl.schedule import BY, TO, evaluate_copy, write_copy

SPEC = """\
inception: 1
name: net
input: 8x8x8
params: {{p: 0.2}}
blocks:
  block:
    params: {{drop: 0, width: 8}}
    residual: {{drop_path: drop, when: in == width}}
    steps: 1x1 conv (width)
network:
  - {0}
  - block (width=12 drop=0.5)
"""

ENDS = st.tuples(st.integers(0, 10**6), st.integers(1, 10**6))


def arguments(project: Project, step: str, name: str) -> list[Value]:
    project.write(NET, SPEC.format(step))
    body = project.check().model.root.body[:-1]
    return [call.arguments[name] for call in body if isinstance(call, Call)]


@given(first=ENDS, last=ENDS, count=st.integers(2, 40))
def test_emitted_code_computes_the_nearest_floats(
    first: tuple[int, int], last: tuple[int, int], count: int
) -> None:
    schedule = Apply(TO, (Binary("/", *first), Binary("/", *last)))
    start, end = Fraction(*first), Fraction(*last)
    written = write_copy(schedule, Name("i"), count)
    values = [evaluate_copy(schedule, {}, index, count) for index in range(count)]
    exact = [start + (end - start) * index / (count - 1) for index in range(count)]
    assert [float(value) for value in values] == [float(value) for value in exact]
    if written is not None:
        computed = [eval(show(written), {"i": index}) for index in range(count)]
        assert computed == [float(value) for value in exact]


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        ("3 x block (drop=0.02 to 0.05)", ["0.02", "0.035", "0.05"]),
        ("3 x block (drop=0.3 to 0)", ["0.3", "0.15", "0"]),
        ("4 x block (drop=0 to 0.1)", ["0", "0.03333333333333333", "0.06666666666666667", "0.1"]),
        ("2 x block (drop=0.1*3/17 to 0.1)", ["0.01764705882352941", "0.1"]),
        ("3 x block (drop=p/2 to p)", ["0.1", "0.15", "0.2"]),
        ("1 x block (drop=0.1 to 0.2/2)", ["0.1"]),
        ("{op: 3 x block, drop: 0.1 to 0.2}", ["0.1", "0.15", "0.2"]),
        ("3 x block (drop=0.1 by 0.1)", ["0.1", "0.2", "0.3"]),
        (
            "3 x block (drop=0.2*3/17 by -0.1/17)",
            ["0.03529411764705882", "0.029411764705882353", "0.023529411764705882"],
        ),
        ("1 x block (drop=p by 0.1)", ["0.2"]),
        ("{op: 2 x block, drop: 0.1 by p}", ["0.1", "0.3"]),
    ],
)
def test_copies_have_evenly_spaced_values(step: str, wanted: list[str], project: Project) -> None:
    assert list(map(str, arguments(project, step, "drop"))) == wanted


def test_whole_numbers_stay_whole(project: Project) -> None:
    widths = arguments(project, "3 x block (width=8 to 16)", "width")
    assert widths == [8, 12, 16]
    assert all(isinstance(width, int) for width in widths)


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        ("3 x block (drop=0.02 to 0.05)", "*(Block(drop=(4 + 3 * i) / 200) for i in range(3))"),
        ("9 x block (drop=0.1*6/17 to 0.1*14/17)", "*(Block(drop=(i + 6) / 170) for i in"),
        ("4 x block (drop=0.3 to 0)", "*(Block(drop=(3 - i) / 10) for i in range(4))"),
        ("3 x block (drop=0.1 to 0.1)", "*(Block(drop=0.1) for i in range(3))"),
        ("2 x block (drop=0.02 to 0.05)", "(Block(drop=0.02), Block(drop=0.05))"),
        ("3 x block (drop=0 to 1e-99)", "Block(drop=5e-100)"),
        ("3 x block (width=8 to 12)", "Block(8, width=10)"),
        ("3 x block (drop=0.02 by 0.015)", "*(Block(drop=(4 + 3 * i) / 200) for i in range(3))"),
        ("3 x block (drop=0 by 0.1/17)", "*(Block(drop=i / 170) for i in range(3))"),
        ("2 x block (drop=0.02 by 0.03)", "(Block(drop=0.02), Block(drop=0.05))"),
    ],
)
def test_copies_are_written_as_one_loop(step: str, wanted: str, project: Project) -> None:
    project.write(NET, SPEC.format(step))
    assert wanted in driver.emit_module(project.check())


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("n x block (drop=0 to 0.1)", "write `by` with the growth for `to`"),
        ("n x block (drop=0 by 1e-99)", "a fraction that is too long"),
        ("n x block (width=12 by 4)", "whose input channels and arguments differ"),
        ("{when: n == 4, op: 1 x block, drop: 0 to 0.1}", "would have no value"),
        ("{when: n == 4, op: 3 x block, drop: 1/0 to 0.1}", "would have no value"),
        ("120 x block (drop=0 to 1e-99)", "a fraction that is too long"),
    ],
)
def test_copies_that_no_class_can_make_are_refused(
    inner: str, reason: str, project: Project
) -> None:
    body = f"  inner: {{params: [n], steps: [{inner}]}}\nnetwork:"
    spec = SPEC.format("inner (n=3)").replace("network:", body)
    project.write(NET, spec.replace("inner (n=3)", "inner (n=p*15)"))
    with pytest.raises(SpecError) as caught:
        driver.emit(project.check(), output=project.root)
    finding = next(each for each in caught.value.diagnostics if each.severity == "error")
    assert (finding.code, reason in finding.message) == ("E501", True)


@needs_torch
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_parameter_counts_copies_that_grow(count: int, project: Project) -> None:
    body = "  inner: {params: [n, d], steps: [n x block (drop=d by d/8)]}\nnetwork:"
    spec = SPEC.format(f"inner (n={count} d=0.1)").replace("network:", body)
    project.write(NET, spec)
    found = project.check()
    text = driver.emit_module(found)
    assert "*(Block(drop=float(_exact(d) + _exact(d) / 8 * i)) for i in range(n))" in text
    inner = found.model.root.body[0]
    assert isinstance(inner, Call)
    drops = [call.arguments["drop"] for call in inner.body if isinstance(call, Call)]
    assert [float(str(drop)) for drop in drops] == pytest.approx(
        [0.1 + index * 0.0125 for index in range(count)], rel=1e-15
    )
    assert driver.verify(found) == []


@given(first=ENDS, growth=ENDS, count=st.integers(1, 40))
def test_emitted_code_computes_the_nearest_floats_of_a_growth(
    first: tuple[int, int], growth: tuple[int, int], count: int
) -> None:
    schedule = Apply(BY, (Binary("/", *first), Binary("/", *growth)))
    exact = [Fraction(*first) + Fraction(*growth) * index for index in range(count)]
    values = [evaluate_copy(schedule, {}, index, count) for index in range(count)]
    assert [float(value) for value in values] == [float(value) for value in exact]
    written = write_copy(schedule, Name("i"), count)
    if written is not None:
        computed = [eval(show(written), {"i": index}) for index in range(count)]
        assert computed == [float(value) for value in exact]


def test_a_figure_shows_one_value_of_a_single_copy(project: Project) -> None:
    block = "blocks: {block: {params: [p], steps: 1x1 conv (p)}}"
    network = "network: [{a: 1 x block (p=4 by 1)}, {b: 3 x block (p=5 by 1)}]"
    project.write(NET, f"inception: 1\nname: net\ninput: 8x8x3\n{block}\n{network}\n")
    figure = driver.draw(project.check(), Request("poster")).content
    assert b">5 to 7<" in figure
    assert b" to 4<" not in figure
