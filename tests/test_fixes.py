"""A fix is a help only if it mends: it is tried in memory, within bounds."""

from __future__ import annotations

import pytest
from conftest import NET, Project

from inception_dsl import bounds
from inception_dsl.diagnostics import Diagnostic, Fix, nearest, nearest_term
from inception_dsl.driver import fixes
from inception_dsl.ops import WRITTEN
from inception_dsl.resolve.habits import LACKING, op_of

HEAD = "inception: 1\nname: net\ninput: 32x32x3\n"


def helps(spec: str, project: Project) -> list[str | None]:
    project.write(NET, HEAD + spec)
    return [finding.help for finding in project.findings()]


def test_a_fix_that_mends_is_the_help(project: Project) -> None:
    assert helps("network: [3x3 covn (16) -> 32x32x16]\n", project) == ["write `conv`"]


def test_a_fix_that_makes_a_shape_on_its_line_wrong_is_no_help(project: Project) -> None:
    """The note says that the map grows: no conv was meant."""
    assert helps("network: [3x3 covn (16 stride 2) -> 64x64x16]\n", project) == [None]


def test_a_fix_whose_word_is_wrong_as_well_is_no_help(project: Project) -> None:
    spec = "network: [a: 3x3 conv (8)]\nheads: {b: {at: a, steps: flatten, los_weight: lots}}\n"
    assert helps(spec, project) == [None]


def test_a_key_of_another_kind_of_value_is_no_help(project: Project) -> None:
    spec = "network: [a: relu]\nhead: [flatten]\n"
    assert helps(spec, project) == [None]


def test_each_of_several_fixes_is_judged_alone(project: Project) -> None:
    spec = "network:\n  - 3x3 covn (16 stride 2) -> 64x64x16\n  - 3x3 cnov (8)\n"
    assert helps(spec, project) == [None, "write `conv`"]


def test_a_fix_in_a_file_that_is_used_is_tried_too(project: Project) -> None:
    project.write("specs/blocks/b.yaml", "inception: 1\nblocks: {b: 3x3 covn (8)}\n")
    assert helps("use: [blocks/b]\nnetwork: b\n", project) == ["write `conv`"]


def test_of_many_wrong_fixes_a_few_are_tried(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many findings there are, the spec is read a handful of times."""
    readings = []
    load = fixes.load  # type: ignore[attr-defined]

    def counting(*arguments: object, **options: object) -> object:
        readings.append(arguments)
        return load(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(fixes, "load", counting)
    spec = "network:\n" + "  - 3x3 covn (16 stride 2) -> 64x64x16\n" * 3
    spec += "".join(f"  - s{i}: 3x3 co{i}nv (16) -> 9x9x9\n" for i in range(30))
    helps(spec, project)
    assert len(readings) <= 2 + fixes.MAX_TRIALS


def test_all_trials_cost_at_most_one_reading_of_the_largest_model(project: Project) -> None:
    assert (fixes.MAX_TRIALS + 1) * fixes.MAX_NODES <= bounds.MAX_NODES
    spec = "network:\n  - many: {0} x relu\n  - 3x3 covn (16)\n"
    assert helps(spec.format(fixes.MAX_NODES - 10), project) == ["write `conv`"]
    assert helps(spec.format(fixes.MAX_NODES + 10), project) == [None]


def test_a_large_spec_is_read_once_and_told_without_fixes(project: Project) -> None:
    steps = "".join(f"  - s{i}: 1x1 conv (3)  # {'x' * 60}\n" for i in range(1500))
    assert len(steps) > fixes.MAX_BYTES
    assert helps(f"network:\n{steps}  - 3x3 covn (16)\n", project) == [None]


def test_a_fix_tells_which_text_it_replaces_unless_that_is_shown() -> None:
    from inception_dsl.source import Source, Span

    source = Source("net.yaml", "3x3 conv (8 linear no_bias)")
    fix = Fix(Span(source, 12, 18), "norm none act none", "or leave one out")
    assert fix.help(fix.span) == "write `norm none act none`, or leave one out"
    assert fix.help(Span(source, 19, 26)) == (
        "write `norm none act none` in place of `linear`, or leave one out"
    )
    assert Fix(Span(source, 12, 19), "").help(Span(source, 12, 19)) == "take out `linear `"
    assert Diagnostic("E202", "x").fix is None


def test_what_the_language_has_is_not_told_as_lacking() -> None:
    assert not LACKING & {name.lower() for name in WRITTEN}
    assert not [name for name in LACKING if op_of(name)]


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("strde", ["stride", "pad"], "stride"),
        ("cnov", ["conv"], "conv"),
        ("ReLU", ["relu", "relu6"], "relu"),
        ("deconv", ["conv"], None),
        ("lppool", ["maxpool", "avgpool"], None),
        ("conv3", ["conv2"], None),
        ("inception_4d", ["inception_4a"], None),
        ("4c", ["4a", "4b"], None),
        ("on", ["in"], None),
        ("inception_vv4", ["inception_v4", "inception_v3"], "inception_v4"),
        ("reduction_c", ["reduction_a", "reduction_b"], None),
    ],
)
def test_only_a_misspelt_name_is_near(name: str, known: list[str], meant: str | None) -> None:
    assert nearest(name, known) == meant


OTHERS = """
    channelcrop channelnorm convt dconv deepconv dsconv gdn gnconv groupconv hmish lin minpool pconv
    tconv wsconv unshuffle
"""
"""Terms that are no op, and mean something else than the op with the nearest name."""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("convv", "conv"), ("cov", "conv"), ("convs", "conv"), ("maxpol", "maxpool")),
        *(
            ("batchnrom", "batchnorm"),
            ("softnax", "softmax"),
            ("adaptive avgpol", "adaptive avgpool"),
        ),
        *((name, None) for name in OTHERS.split() if name not in {"dconv", "dsconv"}),
    ],
)
def test_a_term_has_one_slip_of_the_keyboard(name: str, meant: str | None) -> None:
    assert nearest_term(name, WRITTEN) == meant


def test_an_advice_for_a_term_names_no_other_op(project: Project) -> None:
    for name in OTHERS.split():
        project.write(NET, f"inception: 1\nname: net\ninput: 8x8x4\nnetwork:\n  - {name}\n")
        (finding,) = project.findings()
        assert finding.code == "E201"
        assert finding.fix is None, name


def test_counted_names_keep_the_digit_of_their_block(project: Project) -> None:
    spec = "blocks: {b3: 1x1 conv (3), c: relu}\nnetwork: [b3, b3, c, c]\n"
    project.write(NET, HEAD + spec)
    names = [item.path for item in project.check().model.root.body]
    assert names == ["b3", "b3_2", "c", "c2"]


@pytest.mark.parametrize(
    ("steps", "help"),
    [
        ("cnov (16)", "write `conv`"),
        ("Conv2d (3 16 3)", "write `conv`"),
    ],
)
def test_a_step_that_lacks_something_too_gets_its_help(
    steps: str, help: str, project: Project
) -> None:
    """The name is mended; the kernel that lacks is the next finding."""
    assert helps(f"network: [{steps}]\n", project) == [help]


@pytest.mark.parametrize(
    ("step", "help"),
    [
        ("3x3 conv (filters 32)", "write `32` in place of `filters 32`"),
        ("3x3 conv (out_channels=32)", "write `32`"),
        ("3x3 conv (8 stride 2x2)", "write `2`"),
        ("3x3 conv (in*0.5)", "`floor(in * 0.5)` and `ceil(in * 0.5)` are whole"),
        ("dropout (p 0.5)", "write `drop`"),
        ("relu (slop=3)", None),
    ],
)
def test_words_of_other_tools_are_told_ours(step: str, help: str | None, project: Project) -> None:
    assert helps(f"network: [{step}]\n", project) == [help]


def test_a_width_by_its_name_is_told_alone(project: Project) -> None:
    spec = "params: {num_classes: 5}\nnetwork: [global avgpool, linear (num_classes=5)]\n"
    assert helps(spec, project) == ["write `5`"]


def test_an_input_with_spaces_is_written_without(project: Project) -> None:
    project.write(NET, "inception: 1\nname: net\ninput: 32 x 32 x 3\nnetwork: relu\n")
    assert [finding.help for finding in project.findings()] == ["write `32x32x3`"]


def test_a_budget_of_a_number_alone_is_told_exact(project: Project) -> None:
    spec = "budget: {macs: 50M}\nnetwork: [3x3 conv (8)]\n"
    assert helps(spec, project) == ["a number alone is exact: write `<= 50M` for an upper bound"]
    assert helps("budget: {macs: 50K}\nnetwork: [3x3 conv (8)]\n", project) == [None]


def test_groups_of_a_norm_from_defaults_are_shown(project: Project) -> None:
    spec = "defaults: {groupnorm: {groups: 16}}\nnetwork: [3x3 conv (8 norm groupnorm)]\n"
    project.write(NET, HEAD + spec)
    (finding,) = project.findings()
    assert [label.span.text for label in finding.labels] == ["8", "16"]
