"""The hints about design: their figures against two specs, the paper, and brute force."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis import CostReport, settle_classes
from inception_dsl.analysis.balance import find_imbalances, measure_stages
from inception_dsl.analysis.dense import Inference, Savings, list_inference
from inception_dsl.analysis.factors import find_even_pairs, find_nested, find_separable
from inception_dsl.analysis.idle import find_idle
from inception_dsl.analysis.representation import find_smallest_cut, measure_representation
from inception_dsl.analysis.shrinking import find_shrinkings
from inception_dsl.analysis.unreduced import find_unreduced
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver import Checked
from inception_dsl.ir import Model
from inception_dsl.rules.principles.balance import OUT_OF_BALANCE
from inception_dsl.rules.principles.bottlenecks import LEAST_KEPT
from inception_dsl.rules.principles.factorisations import large_kernels
from inception_dsl.rules.subject import Subject

ROOT = Path(__file__).parents[2]
HEAD = "inception: 1\nname: net\n"
NORMED = "defaults: {conv: {norm: batchnorm, act: relu}}\n"


def measure(text: str, project: Project) -> Checked:
    """Return the model of a spec, and its cost."""
    project.write(NET, HEAD + text)
    return driver.measure(NET, folder=project.root)


def run_of(checked: Checked) -> Inference:
    """Return the nodes that inference runs."""
    return list_inference(checked.model, checked.cost)


def design_hints(spec: str, folder: Path = ROOT) -> dict[str, Diagnostic]:
    """Return the hints about the design of a network by their codes; of each the first one."""
    found = driver.check(spec, folder=folder, hints=True).warnings
    return {hint.code: hint for hint in reversed(found) if hint.code.startswith("P")}


def counted(before: Checked, after: Checked) -> Savings:
    """Return the totals of two networks, as `flops` counts them."""
    old, new = before.cost.totals, after.cost.totals
    return Savings(old.macs, new.macs, old.params, new.params)


def same_difference(found: Savings, two_networks: Savings) -> bool:
    return (found.macs, found.params) == (two_networks.macs, two_networks.params)


def brute_force(reads: dict[str, list[str]], sizes: dict[str, int], late: set[str]) -> int:
    """Try every set of nodes that may have run, and return the size of the smallest cut."""
    names = list(reads)
    best = None
    for choice in product([False, True], repeat=len(names)):
        ran = {name for name, has in zip(names, choice, strict=True) if has}
        if any(read in reads and read not in ran for name in ran for read in reads[name]):
            continue
        crossing = {
            path
            for path in sizes
            if (path in ran or path not in reads)
            and (path in late or any(path in reads[name] for name in names if name not in ran))
        }
        size = sum(sizes[path] for path in crossing)
        best = size if best is None else min(best, size)
    assert best is not None
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_smallest_cut_is_that_of_brute_force(seed: int) -> None:
    rng = random.Random(seed)
    inputs = [f"i{number}" for number in range(rng.randint(1, 3))]
    reads: dict[str, list[str]] = {}
    for number in range(rng.randint(1, 8)):
        known = [*inputs, *reads]
        reads[f"n{number}"] = rng.sample(known, rng.randint(1, min(3, len(known))))
    # The last node is read later, and sometimes others; one input may be read later anyway.
    late = {f"n{len(reads) - 1}"} | {name for name in reads if rng.random() < 0.2}
    free_of_cost = {path for path in inputs if rng.random() < 0.2}
    sizes = {path: rng.randint(1, 30) for path in [*inputs, *reads] if path not in free_of_cost}
    size, values = find_smallest_cut(reads, sizes, late)
    assert size == brute_force(reads, sizes, late) == sum(sizes[path] for path in values)


def kept(spec: str) -> dict[str, float]:
    """Return the part of the representation that each step of a shipped network keeps."""
    checked = driver.measure(spec, folder=ROOT)
    curve = measure_representation(checked.model, run_of(checked).nodes)
    return {str(point.step): point.keeps for point in curve}


def test_reductions_beside_pools_keep_what_their_shapes_say() -> None:
    v3, v4 = kept("inception_v3"), kept("inception_v4")
    assert v3["mixed_6a"] == (17 * 17 * 768) / (35 * 35 * 288)
    assert v3["mixed_7a"] == (8 * 8 * 1280) / (17 * 17 * 768)
    assert v4["reduction_a"] == (17 * 17 * 1024) / (35 * 35 * 384)
    assert v4["reduction_b"] == (8 * 8 * 1536) / (17 * 17 * 1024)
    assert min(v3["mixed_7a"], v4["reduction_b"]) > LEAST_KEPT
    assert not {"P801"} & {*design_hints("inception_v3"), *design_hints("inception_v4")}


def test_pools_without_widening_keep_a_quarter() -> None:
    assert [kept("googlenet")[f"pool{index}"] for index in range(1, 5)] == [0.25] * 4
    shown = design_hints("googlenet")["P801"]
    assert [label.text for label in shown.labels] == [
        "802,816 -> 200,704 values, 25%",
        "602,112 -> 150,528 values, 25%",
        "376,320 -> 94,080 values, 25%",
        "163,072 -> 40,768 values, 25%",
    ]


@pytest.mark.parametrize(
    ("body", "is_named"),
    [
        ("[a: 1x1 conv (16), b: 3x3 conv (64)]", True),
        ("[a: 1x1 conv (32), b: 3x3 conv (64)]", False),
        ("[a: 1x1 conv (16), b: 1x1 conv (64)]", False),  # nothing looks at the map again
        ("[a: {residual: {}, steps: [1x1 conv (16), 3x3 conv (64)]}, b: 3x3 conv (64)]", False),
        ("[a: {branches: {l: 1x1 conv (8), r: 1x1 conv (8)}}, b: 3x3 conv (64)]", True),
        ("[a: [1x1 conv (16), 1x1 conv (64)], b: 3x3 conv (64)]", True),
        ("[a: 2x2 maxpool (stride 2), b: {branches: {l: relu, r: 3x3 conv (64)}}]", True),
        ("[a: global avgpool, b: linear (64)]", False),
    ],
)
def test_a_step_that_squeezes_before_the_last_look_is_a_bottleneck(
    body: str, is_named: bool, project: Project
) -> None:
    project.write(NET, f"{HEAD}input: 32x32x64\nnetwork: {body}\n")
    assert ("P801" in design_hints(NET, project.root)) is is_named


@pytest.mark.parametrize(
    ("step", "help"),
    [
        ("1x1 conv (8)", "let the squeeze keep more channels"),
        ("3x3 conv (64 stride 2)", "give the layers that shrink the map more channels"),
        ("2x2 maxpool (stride 2)", "widen before a map shrinks"),
        ("[1x1 conv (48), 2x2 avgpool (stride 2)]", "widen before a map shrinks"),
    ],
)
def test_the_way_out_of_a_bottleneck_is_that_of_its_kind(
    step: str, help: str, project: Project
) -> None:
    project.write(NET, f"{HEAD}input: 32x32x64\nnetwork: [a: {step}, b: 3x3 conv (64)]\n")
    assert str(design_hints(NET, project.root)["P801"].help).startswith(help)


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        ("5x5 conv (48)", "3x3 conv (48), 3x3 conv (48)", 28.0),
        ("7x7 conv (48)", "3x3 conv (48), 3x3 conv (48), 3x3 conv (48)", None),
        ("5x5 conv (96)", "3x3 conv (in), 3x3 conv (96)", None),
        ("5x5 conv (24)", "3x3 conv (24), 3x3 conv (24)", None),
        ("5x5 conv (192 stride 2)", "3x3 conv (in), 3x3 conv (192 stride 2)", None),
        ("5x5 conv (192 stride 2 V)", "3x3 conv (in V), 3x3 conv (192 stride 2 V)", None),
        ("5x5 conv (64 dilation 2)", "3x3 conv (in dilation 2), 3x3 conv (64 dilation 2)", None),
        ("3 x 5x5 conv (48)", ", ".join(["3x3 conv (48)"] * 6), 28.0),
    ],
)
def test_nested_kernels_save_the_difference_of_two_networks(
    before: str, after: str, percent: float | None, project: Project
) -> None:
    head = f"input: 28x28x48\n{NORMED}"
    old = measure(f"{head}network: [{before}]\n", project)
    new = measure(f"{head}network: [{after}]\n", project)
    (found,) = find_nested(run_of(old))
    assert same_difference(found.savings, counted(old, new))
    assert percent is None or found.savings.percent == pytest.approx(percent)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("5x5 conv (192)", "3x3 conv (96), 3x3 conv (192)"),
        ("5x5 conv (75)", "3x3 conv (60), 3x3 conv (75)"),
        ("7x7 conv (162)", "3x3 conv (72), 3x3 conv (108), 3x3 conv (162)"),
    ],
)
def test_widths_that_grow_evenly_save_the_difference_of_two_networks(
    before: str, after: str, project: Project
) -> None:
    head = f"input: 28x28x48\n{NORMED}"
    old = measure(f"{head}network: [{before}]\n", project)
    new = measure(f"{head}network: [{after}]\n", project)
    (found,) = find_nested(run_of(old))
    assert found.even is not None
    assert same_difference(found.even, counted(old, new))
    (same,) = find_nested(run_of(measure(f"{head}network: [5x5 conv (48)]\n", project)))
    assert same.even is None


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        ("3x3 conv (48)", "1x3 conv (48), 3x1 conv (48)", 100 / 3),
        ("7x7 conv (48 V)", "1x7 conv (48 V), 7x1 conv (48 V)", None),
        ("7x7 conv (64)", "1x7 conv (in), 7x1 conv (64)", None),
    ],
)
def test_rows_and_columns_save_the_difference_of_two_networks(
    before: str, after: str, percent: float | None, project: Project
) -> None:
    head = f"input: 18x18x48\n{NORMED}"
    old = measure(f"{head}network: [{before}]\n", project)
    new = measure(f"{head}network: [{after}]\n", project)
    (found,) = find_separable(run_of(old))
    assert same_difference(found.savings, counted(old, new))
    assert percent is None or found.savings.percent == pytest.approx(percent)


@pytest.mark.parametrize(
    ("input", "step"),
    [
        ("35x35x48", "3x3 conv (48)"),
        ("11x11x48", "3x3 conv (48)"),
        ("17x17x48", "3x3 conv (48 stride 2)"),
        ("17x17x48", "3x3 conv (48 groups 48)"),
        ("17x17x48", "3x3 sepconv (48)"),
        ("17x17x48", "3x3 deconv (48)"),
        ("224x224x3", "7x7 conv (64 stride 2)"),
        ("17x17x48", "1x7 conv (48)"),
    ],
)
def test_kernels_that_the_paper_says_nothing_of_are_left_alone(
    input: str, step: str, project: Project
) -> None:
    run = run_of(measure(f"input: {input}\nnetwork: [{step}]\n", project))
    assert [*find_nested(run), *find_separable(run)] == []


def test_two_2x2_save_a_ninth_and_a_row_and_a_column_a_third(project: Project) -> None:
    head = "input: 300x300x8\nnetwork: "
    pair = measure(head + "[2x2 conv (8), 2x2 conv (8)]\n", project)
    whole = measure(head + "[3x3 conv (8 V)]\n", project)
    rows = measure(head + "[1x3 conv (8 V), 3x1 conv (8 V)]\n", project)
    (found,) = find_even_pairs(run_of(pair))
    assert same_difference(found.savings, counted(whole, pair))
    assert same_difference(found.separated, counted(whole, rows))
    assert round(found.savings.percent) == 11
    assert round(found.separated.percent) == 33


def test_a_reduction_saves_the_difference_of_two_networks(project: Project) -> None:
    head = f"input: 14x14x512\n{NORMED}network: "
    old = measure(head + "[c: 3x3 conv (320 stride 2)]\n", project)
    (found,) = find_unreduced(run_of(old))
    for channels, savings in ((256, found.half), (128, found.quarter)):
        new = measure(head + f"[r: 1x1 conv ({channels}), c: 3x3 conv (320 stride 2)]\n", project)
        assert same_difference(savings, counted(old, new))


def test_the_three_ways_to_a_smaller_map_cost_what_three_networks_cost(project: Project) -> None:
    head = "input: 56x56x64\nnetwork: "
    pool = "3x3 maxpool (stride 2)"
    first = measure(f"{head}[{pool}, 3x3 conv (128)]\n", project)
    last = measure(f"{head}[3x3 conv (128), {pool}]\n", project)
    beside = measure(f"{head}{{branches: {{p: {pool}, c: 3x3 conv (64 stride 2)}}}}\n", project)
    for network, order in ((first, "pool first"), (last, "conv first")):
        (found,) = find_shrinkings(run_of(network).nodes)
        assert found.order == order
        assert found.pool_first == first.cost.totals.macs
        assert found.conv_first == last.cost.totals.macs == 4 * found.pool_first
        assert found.side_by_side == beside.cost.totals.macs
    assert list(find_shrinkings(run_of(beside).nodes)) == []


def test_a_bias_before_statistics_costs_the_difference_of_two_networks(project: Project) -> None:
    for old_text, new_text in (
        ("3x3 conv (8 bias norm batchnorm)", "3x3 conv (8 norm batchnorm)"),
        ("[3x3 conv (8), batchnorm]", "[3x3 conv (8 no_bias), batchnorm]"),
    ):
        old = measure(f"input: 9x9x4\nnetwork: {old_text}\n", project)
        new = measure(f"input: 9x9x4\nnetwork: {new_text}\n", project)
        (found,) = find_idle(run_of(old))
        assert found.reason == "bias before a norm"
        assert same_difference(found.savings, counted(old, new))
        assert list(find_idle(run_of(new))) == []


@pytest.mark.parametrize(
    ("rest", "count"),
    [
        ("outputs: {raw: c, end: r}", 0),
        ("heads: {aux: {at: c, loss_weight: 0.3, steps: [flatten, linear (4)]}}", 0),
        ("  - d: {from: input, reuse: c}\n  - {from: [r, d], join: add}", 0),
        ("  - d: {from: input, reuse: c}\n  - m: batchnorm\n  - {from: [r, m], join: add}", 2),
        ("outputs: {end: r}", 1),
    ],
)
def test_a_bias_that_something_else_reads_has_an_effect(
    rest: str, count: int, project: Project
) -> None:
    text = f"input: 9x9x4\nnetwork:\n  - c: 3x3 conv (8)\n  - batchnorm\n  - r: relu\n{rest}\n"
    found = list(find_idle(run_of(measure(text, project))))
    assert sum(len(each.step.nodes) for each in found) == count


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("[flatten, linear (8), softmax, linear (4)]", "softmax inside"),
        ("[flatten, linear (8), softmax]", None),
        ("[dropout (drop 0.2), global avgpool]", "dropout before a mean"),
        ("[global avgpool, dropout (drop 0.2)]", None),
        ("[dropout (drop 0.2), 3x3 conv (4), global avgpool]", None),
        ("[3x3 conv (32 bias norm groupnorm)]", None),
        ("[3x3 conv (4), relu, batchnorm]", None),
        ("[3x3 conv (4 bias norm instancenorm)]", "bias before a norm"),
        ("[3x3 conv (4), layernorm]", None),
        ("[3x3 conv (4 norm batchnorm), batchnorm]", "norm behind a norm"),
        ("[3x3 conv (4 norm batchnorm act relu), batchnorm]", None),
        ("[3x3 conv (4 norm batchnorm), dropout, batchnorm]", None),
        ("[relu, dropout, relu]", "keeps its values"),
        ("[relu6, 3x3 avgpool, relu]", "keeps its values"),
        ("[{branches: {a: relu, b: 1x1 conv (4 act sigmoid)}}, relu]", "keeps its values"),
        ("[{branches: {a: relu, b: 1x1 conv (4)}}, relu]", None),
        ("[relu6, dropout, relu6]", None),
        ("[relu, relu6]", None),
        ("[relu, prelu]", None),
        ("[relu, pad (top 1), relu]", None),
        ("[relu, 3x3 avgpool (count_pad), relu]", None),
        ("[relu, 1x1 conv (4), relu]", None),
        ("[dropout (drop 0), relu]", "does nothing"),
        ("[global avgpool, flatten]", "does nothing"),
        ("[relu, identity, 3x3 conv (4)]", None),
        ("[m, m (k=3x3)]", None),
        ("[m]", None),
    ],
)
def test_steps_without_effect_are_named(body: str, reason: str | None, project: Project) -> None:
    block = "blocks: {m: {params: {k: 1x1}, steps: [3x3 conv (4), k maxpool]}}\n"
    run = run_of(measure(f"input: 9x9x4\n{block}network: {body}\n", project))
    assert [found.reason for found in find_idle(run)] == ([reason] if reason else [])


def test_only_the_middle_of_xception_is_out_of_balance() -> None:
    for spec, named in (("xception", [(19, 19)]), ("inception_v3", []), ("resnet50", [])):
        stages = measure_stages(run_of(driver.measure(spec, folder=ROOT)).nodes)
        found = list(find_imbalances(stages, OUT_OF_BALANCE))
        assert [each.stage.grid for each in found] == named
        for each in found:
            proposed = each.depth * each.width**2
            assert proposed == pytest.approx(each.stage.depth * each.stage.width**2, rel=0.01)


def test_shortcuts_speak_against_a_deep_stage() -> None:
    notes = design_hints("xception")["P802"].notes
    assert "9 shortcuts skip layers of it, which makes depth cheap to train" in notes[-1]


@pytest.mark.parametrize(
    ("steps", "help"),
    [
        ("3x3 conv (48)", "`inception-dsl rewrite specs/net.yaml --select P812` writes it"),
        ("3 x 3x3 conv (48)", "a repeated step is rewritten once it is a block of its own"),
        ("b, 3x3 maxpool (stride 3), b", "give the calls on these maps a block of their own, and"),
        (
            "k (s=3x3), k (s=5x5)",
            "the kernel is a parameter: give these calls a block of their own",
        ),
        (
            "u",
            "the lines stand in specs/used.yaml: `inception-dsl resolve specs/net.yaml`",
        ),
    ],
)
def test_a_hint_names_the_rewrite_that_there_is(steps: str, help: str, project: Project) -> None:
    blocks = "blocks: {b: [3x3 conv (48), 1x1 conv (48)], k: {params: [s], steps: s conv (48)}}\n"
    project.write("specs/used.yaml", "inception: 1\nblocks: {u: 3x3 conv (48)}\n")
    blocks += "use: [used]\n"
    project.write(NET, f"{HEAD}input: 18x18x48\n{blocks}network: [{steps}]\n")
    found = design_hints(NET, project.root)["P812"]
    assert found.help is not None
    assert found.help.startswith(help)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ('[a: "3x3 conv (48)", b: {op: 3x3 conv, width: 48}]\n', "@` writes it"),
        (
            "[a: 3x3 conv (48)]\nclaims: [{depth: 1, source: a paper}]\n",
            "@ -o specs/NAME.yaml` writes it, without the claims of this spec",
        ),
        (
            "[a: 3x3 conv (48)]\nbudget: {depth: 1}\n",
            "`rewrite` refuses it at `a`: a budget would break: `net` is 2 convs and linears deep",
        ),
        (
            "[a: 3x3 conv (48), b: 2 x 3x3 conv (48), c: 2 x 3x3 conv (48)]\n",
            "@` writes it; it leaves out `b.0` and 1 more: it is a repeated step",
        ),
        (
            '[a: 3x3 conv (48), b: 2 x 3x3 conv (48), c: "3x3\\x20conv (48)"]\n',
            "@` writes it; it leaves out `b.0`: it is a repeated step: write its copies one by"
            " one, or make it a block; `c`: its quotes hold an escape",
        ),
        (
            '[a: "3x3\\x20conv (48)"]\n',
            "`rewrite` refuses it at `a`: its quotes hold an escape",
        ),
        (f"[{', '.join(['relu'] * 2000)}, 3x3 conv (48)]\n", "@ --dry-run` tells whether it"),
    ],
)
def test_a_hint_offers_a_rewrite_that_works_and_tells_why_none_does(
    text: str, help: str, project: Project
) -> None:
    project.write(NET, f"{HEAD}input: 18x18x48\nnetwork: {text}")
    found = str(design_hints(NET, project.root)["P812"].help)
    command = "`inception-dsl rewrite specs/net.yaml --select P812"
    assert found.startswith(help.replace("@", command))


def test_kernels_of_a_parameter_are_named_by_their_calls(project: Project) -> None:
    """The figures are those of the calls with one kernel, and the other calls stay out."""
    block = "blocks: {k: {params: [s], steps: s conv (48)}}\n"
    run = run_of(measure(f"input: 28x28x48\n{block}network: [k (s=7x7), k (s=3x3)]\n", project))
    alone = run_of(measure("input: 28x28x48\nnetwork: [7x7 conv (48)]\n", project))
    both = run_of(
        measure(f"input: 28x28x48\n{block}network: [k (s=7x7), k (s=5x5), k (s=7x7)]\n", project)
    )
    (found,), (expected,) = find_nested(run), find_nested(alone)
    assert found.savings == expected.savings
    assert [len(each.step.nodes) for each in find_nested(both)] == [1, 2]


def test_a_hint_on_large_kernels_names_the_better_rewrite(project: Project) -> None:
    body = "[5x5 conv (48), 3x3 maxpool (stride 2), 5x5 conv (48)]"
    project.write(NET, f"{HEAD}input: 36x36x48\nnetwork: {body}\n")
    saved = (25 - 10) * 48 * 48 * 18 * 18
    note = f"as a row and a column (P812), one of these lines would save {saved:,} MACs"
    assert note in design_hints(NET, project.root)["P811"].notes


def test_a_hint_on_code_names_the_import(project: Project) -> None:
    checked = measure("input: 35x35x48\nnetwork: [5x5 conv (48)]\n", project)
    classes = settle_classes(checked.model)

    def measure_at(input: object) -> tuple[Model, CostReport]:
        raise AssertionError(input)

    for file, is_imported, help in (
        (
            "torchvision:inception_v3",
            True,
            "`inception-dsl import torchvision:inception_v3` writes a",
        ),
        (
            NET,
            False,
            "`inception-dsl rewrite specs/net.yaml --select P811 --dry-run` tells whether",
        ),
    ):
        subject = Subject(
            checked.model, checked.cost, classes, measure_at, file, file, is_imported=is_imported
        )
        (found,) = large_kernels(subject)
        assert str(found.help).startswith(help)


def test_a_hint_on_a_spec_of_the_library_names_a_file_for_the_result(project: Project) -> None:
    help = "`inception-dsl rewrite alexnet --select P811 -o specs/NAME.yaml` writes it"
    assert design_hints("alexnet", project.root)["P811"].help == help


def test_a_project_makes_a_hint_an_error(project: Project) -> None:
    project.write(NET, f"{HEAD}input: 35x35x48\nnetwork: [5x5 conv (48)]\n")
    assert design_hints(NET, project.root)["P811"].severity == "note"
    settings = '[tool.inception-dsl.hints]\nseverity = {P811 = "error"}\n'
    project.write("pyproject.toml", settings)
    with pytest.raises(SpecError) as failed:
        driver.check(NET, folder=project.root, hints=True)
    assert [(hint.code, hint.severity) for hint in failed.value.diagnostics] == [("P811", "error")]
    driver.check(NET, folder=project.root)  # hints are given on request alone
    for wrong in ('severity = {D711 = "note"}', 'severity = {P811 = "fatal"}', "P811 = 1"):
        project.write("pyproject.toml", f"[tool.inception-dsl.hints]\n{wrong}\n")
        with pytest.raises(SpecError) as refused:
            driver.check(NET, folder=project.root, hints=True)
        assert [finding.code for finding in refused.value.diagnostics] == ["E010"]
