"""The comparison of a network with itself, cut into other blocks: every tensor is carried over."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Project

from inception_dsl.diff import Diff
from inception_dsl.diff.carry import plan_weights
from inception_dsl.diff.compare import compare
from inception_dsl.ir.weights import Copy

SPECS = Path(__file__).parents[2] / "specs"

RESNET50 = """\
inception: 1
name: resnet50
input: 224x224x3
defaults:
  conv: {norm: batchnorm, act: relu, init: kaiming_normal fan_out}
blocks:
  bottleneck:
    params: {width, stride: 1}
    residual:
      act: relu
      shortcut:
        when: stride != 1 or in != 4*width
        steps: 1x1 conv (4*width stride stride act none)
    steps:
      - conv1: 1x1 conv (width)
      - conv2: 3x3 conv (width stride stride)
      - conv3: 1x1 conv (4*width act none)
network:
  - conv1: 7x7 conv (64 stride 2)
  - maxpool: 3x3 maxpool (stride 2)
  - layer1: 3 x bottleneck (width=64)
  - layer2: [bottleneck (width=128 stride=2), 3 x bottleneck (width=128)]
  - layer3: [bottleneck (width=256 stride=2), 5 x bottleneck (width=256)]
  - layer4: [bottleneck (width=512 stride=2), 2 x bottleneck (width=512)]
  - avgpool: global avgpool
  - fc: linear (1000)
"""

BEFORE = """\
inception: 1
name: net
input: 32x32x3
blocks:
  unit:
    params: {width}
    residual: {act: relu}
    steps: [3x3 conv (width), 3x3 conv (width act none)]
network:
  - stem: 3x3 conv (16)
  - first: 2 x unit (width=16)
  - second: [3x3 conv (32 stride 2), unit (width=32)]
  - third: 2 x unit (width=32)
  - pool: global avgpool
  - fc: linear (10)
"""


def compare_texts(project: Project, old: str, new: str) -> tuple[Diff, int, int]:
    """Return the comparison of two specs, its copied tensors, and its other ones."""
    project.write("old.yaml", old)
    project.write("new.yaml", new)
    before, after = (project.check(name).model for name in ("old.yaml", "new.yaml"))
    diff = compare(before, after)
    plan = plan_weights(before, after, diff.pairs)
    copied = sum(isinstance(recipe, Copy) for _, recipe in plan.recipes)
    return diff, copied, len(plan.fresh) + len(plan.left)


@pytest.mark.parametrize("is_turned", [False, True], ids=["there", "back"])
def test_resnet50_with_other_blocks_carries_every_tensor_over(
    project: Project, is_turned: bool
) -> None:
    texts = [RESNET50, (SPECS / "resnet50.yaml").read_text()]
    diff, copied, others = compare_texts(project, *(texts[::-1] if is_turned else texts))
    assert (copied, others) == (320, 0)
    assert {type(edit).__name__ for edit in diff.edits}.isdisjoint({"Rewired", "Moved"})
    assert not any(edit.category == "NUMERICS" for edit in diff.edits)


def test_units_that_other_lists_hold_are_the_same_units(project: Project) -> None:
    after = BEFORE.replace(
        "  - first: 2 x unit (width=16)\n  - second: [3x3 conv (32 stride 2), unit (width=32)]\n"
        "  - third: 2 x unit (width=32)\n",
        "  - first: unit (width=16)\n"
        "  - second: [unit (width=16), 3x3 conv (32 stride 2), 3 x unit (width=32)]\n",
    )
    assert after != BEFORE
    diff, copied, others = compare_texts(project, BEFORE, after)
    assert others == 0
    assert copied == len(diff.keys) + diff.kept
    assert {edit.category for edit in diff.edits} == {"CHECKPOINT"}


def test_a_step_that_differs_in_another_cut_is_told_apart(project: Project) -> None:
    text = (SPECS / "resnet50.yaml").read_text()
    changed = RESNET50.replace("conv1: 7x7 conv (64 stride 2)", "conv1: 5x5 conv (64 stride 2)")
    diff, _, others = compare_texts(project, changed, text)
    kernels = [edit for edit in diff.edits if type(edit).__name__ == "Changed"]
    assert any(edit.category == "CHECKPOINT" for edit in kernels)
    assert others == 2  # the weight of the conv, old and new


def test_paths_decide_while_they_pair_every_step(project: Project) -> None:
    after = BEFORE.replace("unit (width=32)]", "unit (width=32), unit (width=32)]")
    diff, _, others = compare_texts(project, BEFORE, after)
    assert [type(edit).__name__ for edit in diff.edits if edit.category == "CHECKPOINT"] == [
        "Added"
    ]
    assert others > 0
