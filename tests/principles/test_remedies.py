"""`rewrite` writes the paper's remedies: a reduction before wide kernels, pools side by side."""

from __future__ import annotations

import re

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis.dense import list_inference
from inception_dsl.analysis.shrinking import find_shrinkings
from inception_dsl.analysis.unreduced import find_unreduced
from inception_dsl.cli import main
from inception_dsl.driver.rewriting import Rewritten, rewrite

HEAD = "inception: 1\nname: net\n"


def rewritten(
    text: str, project: Project, code: str, *, to: int = 2, width: int | None = None
) -> Rewritten:
    """Rewrite a spec; the result is a good spec whose outputs have the names of before."""
    project.write(NET, HEAD + text)
    old = project.check()
    done = rewrite(NET, folder=project.root, select=[code], reduces_to=to, width=width)
    project.write(NET, done.artifact.text)
    new = project.check()
    assert new.model.outputs == old.model.outputs
    return done


@pytest.mark.parametrize("to", [2, 4])
@pytest.mark.parametrize(
    ("steps", "after"),
    [  # `@` is a part of 256, and `<A:B>` is A for a half and B for a quarter
        ("[a: 3x3 conv (64)]", "[a_a: 1x1 conv (@), a: 3x3 conv (64)]"),
        ("['3x3 conv (64 V act relu)']", "[1x1 conv (@ V act relu), '3x3 conv (64 V act relu)']"),
        ("[3x3 conv (64 pad 1)]", "[1x1 conv (@ V), 3x3 conv (64 pad 1)]"),
        ("{op: 5x1 conv, width: 128}", "[1x1 conv (@), {op: 5x1 conv, width: 128}]"),
        ("[1x1 conv (300), m (c=150)]", "1x1 conv (2*c), b_a: 1x1 conv (<c:c//2>), b: ..."),
        ("[n, 1x1 conv (300), n]", "steps: [1x1 conv (<in//2:in//4>), 3x3 conv (in)]"),
        ("[1x1 conv (256), k (c=64.5)]", "conv (4*c), a_a: 1x1 conv (<4*c//2:4*c//4>), a: ..."),
        ("[h (c=512)]", "(c/2 + 6), 1x1 conv (<(c/2 + 6)//2:(c/2 + 6)//4>), "),
        ("[v (c=600)]", "1x1 conv (c//2), 1x1 conv (<c//4:c//8>), '3x3 conv (max"),
    ],
)
def test_a_reduction_saves_what_the_hint_counts(
    steps: str, after: str, to: int, project: Project
) -> None:
    blocks = (
        "blocks: {m: {params: [c], steps: [1x1 conv (2*c), b: 3x3 conv (64)]}, "
        "n: {residual: {}, steps: [3x3 conv (in)]}, "
        "k: {params: [c], steps: [1x1 conv (4*c), a: 3x3 conv (64)]}, "
        "h: {params: [c], steps: [1x1 conv (c/2 + 6), 3x3 conv (64)]}, "
        "v: {params: [c], steps: [1x1 conv (c//2), '3x3 conv (max(c, 8))']}}\n"
    )
    text = f"input: 20x20x256\n{blocks}network: {steps}\n"
    project.write(NET, HEAD + text)
    checked = project.check()
    found = list(find_unreduced(list_inference(checked.model, checked.cost)))
    saved = sum((each.half if to == 2 else each.quarter).macs for each in found)
    params = sum((each.half if to == 2 else each.quarter).params for each in found)
    done = rewritten(text, project, "P803", to=to)
    assert [entry.refusal for entry in done.log] == [""] * len(found) != []
    costs = done.report.comparisons[0]
    before, now = costs.old_cost.totals, costs.new_cost.totals
    assert (before.macs - now.macs, before.params - now.params) == (saved, params)
    shown = after.replace("@", str(256 // to))
    shown = re.sub("<(.*?):(.*?)>", "\\1" if to == 2 else "\\2", shown)
    assert shown.partition("...")[0] in done.artifact.text
    assert {reason for _, reason in done.weights.fresh} == {
        "behind a reduction, a convolution has other weights"
    }
    assert not rewritten(done.artifact.text.removeprefix(HEAD), project, "P803").is_changed


def test_a_line_that_reads_few_channels_elsewhere_is_not_reduced(project: Project) -> None:
    text = "input: 20x20x1\nblocks: {m: {steps: [a: 3x3 conv (256)]}}\nnetwork: [m, b: m, c: m]\n"
    (entry,) = rewritten(text, project, "P803").log
    assert entry.refusal == "its line runs at `m.a`, too, where it needs none"


PAIRS = [
    (
        "input: 66x66x64\nnetwork:\n  # a stem\n  - conv: 3x3 conv (128 act relu)  # widens\n"
        "  - p: 3x3 maxpool (stride 2) -> 33x33x128  # shrinks\n  - relu\n",
        "input: 66x66x64\nnetwork:\n  # a stem\n  # widens\n  - p:\n      out: 33x33x128\n"
        "      branches:\n        conv: 3x3 conv (64 stride 2 act relu)\n"
        "        pool: 3x3 maxpool (stride 2)  # shrinks\n  - relu\n",
    ),
    (
        "input: 66x66x64\nnetwork: [3x3 maxpool (stride 2 V ceil), "
        "{c: '3x3 conv (128 act relu)'}, 2x2 maxpool, 1x1 conv (8)]\n",
        "input: 66x66x64\nnetwork: [{c: {branches: {conv: 3x3 conv (64 stride 2 act relu), "
        "pool: 3x3 maxpool (stride 2 V ceil)}}}, maxpool2: 2x2 maxpool, 1x1 conv (8)]\n",
    ),
    (
        "input: 66x66x64\nnetwork:\n  - 3x3 maxpool (stride 2)\n  - 1x1 conv (100)\n"
        "  - 1x1 conv (8)\n",
        "input: 66x66x64\nnetwork:\n  - conv:\n      branches:\n"
        "        conv: 1x1 conv (36 stride 2)\n        pool: 3x3 maxpool (stride 2)\n"
        "  - conv2: 1x1 conv (8)\n",
    ),
    (
        "input: 66x66x64\nnetwork: [3x3 conv (128), 3x3 maxpool (stride 2x4), c: 1x1 conv (8)]\n",
        "input: 66x66x64\nnetwork: [maxpool: {branches: {conv: 3x3 conv (64 stride 2x4), "
        "pool: 3x3 maxpool (stride 2x4)}}, c: 1x1 conv (8)]\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_convolution_beside_its_pool_costs_what_the_hint_counts(
    before: str, after: str, project: Project
) -> None:
    project.write(NET, HEAD + before)
    checked = project.check()
    (found,) = find_shrinkings(list_inference(checked.model, checked.cost).nodes)
    done = rewritten(before, project, "P804")
    assert [entry.refusal for entry in done.log] == [""]
    assert done.artifact.text == HEAD + after
    costs = done.report.comparisons[0]
    was = found.pool_first if found.order == "pool first" else found.conv_first
    saved = costs.old_cost.totals.macs - costs.new_cost.totals.macs
    assert saved == was - found.side_by_side
    assert not rewritten(done.artifact.text.removeprefix(HEAD), project, "P804").is_changed


MODULE = """\
input: 56x56x64
defaults: {conv: {norm: batchnorm, act: relu}}
blocks:
  m:
    branches: {a: 1x1 conv (48), b: [1x1 conv (16), 3x3 conv (48)], p: [3x3 maxpool, 1x1 conv (32)]}
network:
  - conv: 3x3 conv (64)
  - pool1: 3x3 maxpool (stride 2 V ceil)  -> 28x28x64  # shrinks
  - relu
  - inception: m -> 28x28x128
  - pool2: 3x3 maxpool (stride 2)
  - last: 1x1 conv (8)
"""


def test_a_module_behind_a_pool_reads_the_channels_of_a_new_convolution(project: Project) -> None:
    done = rewritten(MODULE, project, "P804")
    assert [entry.refusal for entry in done.log] == [""]
    assert done.artifact.text == HEAD + MODULE.replace(
        "  - pool1: 3x3 maxpool (stride 2 V ceil)  -> 28x28x64  # shrinks\n",
        "  - pool1:\n      out: 28x28x128\n      branches:\n        conv: 3x3 conv (64 stride 2)\n"
        "        pool: 3x3 maxpool (stride 2 V ceil)  # shrinks\n",
    )
    costs = done.report.comparisons[0]
    new, old = costs.new_cost.totals.macs, costs.old_cost.totals.macs
    project.write(NET, HEAD + MODULE)
    (hint,) = (
        each
        for each in driver.check(NET, folder=project.root, hints=True).warnings
        if each.code == "P804"
    )
    assert hint.help is not None
    told = f"the network has {new:,} MACs then, and {old:,} now: {new - old:,} more"
    assert hint.help.endswith(told)
    fresh = dict(done.weights.fresh)
    assert fresh["pool1.conv.conv.weight"] == "the convolution is new"
    assert fresh["inception.a.conv.weight"] == "it reads more channels"
    assert "inception.a.bn.weight" not in fresh
    done = rewritten(MODULE, project, "P804", width=32)
    assert [str(entry.path) for entry in done.log] == ["pool1", "pool2"]
    assert done.artifact.text.count("[1x1 conv (32), 3x3 conv (32 stride 2)]") == 2


@pytest.mark.parametrize(
    ("like", "width", "after"),
    [
        ("3x3 conv (64 pad 1 act relu)", 96, "3x3 conv (96 stride 2 pad 1 act relu)"),
        (
            "3x3 conv (64 V act relu)",
            32,
            "[1x1 conv (32 V act relu), 3x3 conv (32 stride 2 same act relu)]",
        ),
        ("3x3 conv (64 pad 1)", 32, "a 1x1 like `conv` would have `pad 1`, and a larger map"),
        (
            "3x3 conv (64 norm groupnorm)",
            24,
            "a 1x1 like `conv` is wrong: "
            "32 groups of `groupnorm` do not divide 24 channels: 24 = 32 x 0 + 24",
        ),
    ],
)
def test_a_new_convolution_is_padded_to_the_size_of_the_pool(
    like: str, width: int, after: str, project: Project
) -> None:
    text = f"input: 66x66x48\nnetwork: [{like}, 3x3 maxpool (stride 2), r: 1x1 conv (8)]\n"
    done = rewritten(text, project, "P804", width=width)
    (entry,) = done.log
    assert entry.refusal == ("" if done.is_changed else after)
    assert (f"conv: {after}, pool: " in done.artifact.text) is done.is_changed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("network: [3x3 conv (128), relu, 2x2 maxpool (stride 2), 1x1 conv (8)]", "steps stand "),
        ("network: [m, 1x1 conv (16), m, 1x1 conv (8)]\nblocks: {m: @}", "its line runs at "),
        ("network: [{steps: 3x3 conv (128)}, 2x2 maxpool (stride 2)]", "the two steps do not"),
        ("network: [3x3 conv (128), {op: 2x2 maxpool, stride: 2}]", "it is written in its long"),
        (
            "network: [c: 3x3 conv (128), p: 2x2 maxpool (stride 2)]\noutputs: [c, p]",
            "`c` is read elsewhere, too",
        ),
        ("network: @\nclaims: [{at: c, weights: 73728, source: me}]", "another line of the spec"),
        (
            "network: [2x2 maxpool (stride 2), m]\n"
            "blocks: {m: {branches: {a: 1x1 conv (64), b: 1x1 conv (32)}}}",
            "no convolution stands beside it",
        ),
    ],
)
def test_a_reduction_is_refused_with_its_reason(text: str, reason: str, project: Project) -> None:
    pair = "[c: 3x3 conv (128), p: 2x2 maxpool (stride 2)]"
    (entry, *_) = rewritten(f"input: 64x64x64\n{text.replace('@', pair)}\n", project, "P804").log
    assert entry.refusal.startswith(reason)


WIDE = """\
inception: 1
name: wide
input: 20x20x256
network: [3x3 conv (256), 2x2 maxpool (stride 2)]
"""


def test_options_are_for_their_codes(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    project.write(NET, HEAD + MODULE)
    for option, code in ((["--quarter"], "P803"), (["--width", "8"], "P804")):
        assert main(["rewrite", NET, *option]) == 2
        assert f"`{option[0]}` is for `--select {code}`" in capsys.readouterr().err
        project.write("specs/wide.yaml", WIDE)
        assert main(["rewrite", "wide", "--select", code, *option, "--dry-run"]) == 0
    for width in ("0", "-3", "x", "9" * 30):
        with pytest.raises(SystemExit):
            main(["rewrite", NET, "--select", "P804", f"--width={width}"])
    capsys.readouterr()
