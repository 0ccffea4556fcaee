"""Every class of an emitted module keeps what its parameters promise, whatever their values."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import yaml
from conftest import NET, Project
from hypothesis import given, settings
from other_params import check_other_params
from random_specs import QUICK, specs
from random_steps import Spec


def test_a_class_with_other_values_is_what_the_spec_gives_for_them(project: Project) -> None:
    counts: Counter[str] = Counter()

    @settings(QUICK, max_examples=48)
    @given(specs())
    def each(spec: Spec) -> None:
        check_other_params(project, spec, Random(len(spec.text())), counts)

    each()
    assert counts["same"] > 8
    assert counts["network same"] > 3
    assert counts["not emitted"] < 3


HEAD = "inception: 1\nname: net\ninput: 8x8x6\n"

NESTED = {
    "the input of an inner block": """\
blocks:
  bottleneck: {residual: {}, steps: [1x1 conv (in), 3x3 conv (in)]}
  outer: {params: {width: 8, n: 2}, steps: [1x1 conv (width), n x bottleneck]}
network: [outer]
""",
    "the channels behind a pixel shuffle": """\
blocks:
  inner: 1x1 conv (in)
  outer: {params: {factor: 2}, steps: [1x1 conv (144), pixelshuffle (factor factor), inner]}
network: [outer]
""",
    "one part of several": """\
blocks:
  inner: [1x1 conv (in), 1x1 conv (4)]
  outer: {params: {parts: 2}, steps: [1x1 conv (12), slice (part 1 of parts), inner]}
network: [outer]
""",
    "a size that no expression gives": """\
blocks:
  outer:
    params: {width: 4, stride: 2}
    steps: [3x3 conv (width stride stride), flatten, fc: linear (3)]
network: [outer]
""",
    "a size that two blocks pass on": """\
blocks:
  inner: {params: [kernel], steps: [kernel adaptive avgpool, flatten, fc: linear (3)]}
  outer: {params: {width: 4, kernel: 2x3}, steps: [1x1 conv (width), inner (kernel=kernel)]}
network: [outer]
""",
    "a condition that leaves out every call": """\
blocks:
  squeeze: {residual: {}, steps: [1x1 conv (in // 2), 1x1 conv (in)]}
  outer: {params: {width: 4, deep: 0}, steps: [1x1 conv (width), {when: deep > 0, steps: squeeze}]}
network: [outer]
""",
    "a gate whose channels a parameter sets": """\
blocks:
  inner: 1x1 conv (in)
  outer:
    params: {wide: 1}
    steps:
      - gate: 1x1 conv (1)
      - map: {from: input, steps: 1x1 conv (wide)}
      - both: {from: [gate, map], join: mul}
      - inner: inner
network: [outer]
""",
    "activations that have weights": """\
blocks:
  inner: [prelu (per_channel), 1x1 conv (in act prelu)]
  outer: {params: {width: 4}, steps: [1x1 conv (width), inner, scale, channels: layernorm]}
network: [outer]
""",
    "several inputs and outputs": """\
blocks:
  joint:
    inputs: [left, right]
    outputs: {sum: sum, both: wide.conv}
    params: {deep: 3}
    steps:
      - sum: {from: [left, right], join: add}
      - wide: {from: [sum, left], steps: [1x1 conv (deep)]}
  outer:
    params: {width: 4, deep: 3}
    steps:
      - one: 1x1 conv (width)
      - two: 3x3 conv (width)
      - both: {from: [one, two], steps: joint (deep=deep)}
      - last: {from: [both.sum, both.both]}
      - conv: 1x1 conv (in)
network: [outer]
""",
    "copies whose channels grow": """\
blocks:
  layer: {params: [growth], branches: {b1: identity, b2: 3x3 conv (growth)}}
  outer: {params: {growth: 2, n: 3}, steps: [n x layer (growth=growth), 1x1 conv (in)]}
network: [outer]
""",
    "a vector or a map": """\
blocks:
  outer:
    params: {flat: 1}
    steps: [1x1 conv (4), pool: {when: flat == 1, steps: global avgpool}, batchnorm, relu]
network: [outer]
""",
}


@pytest.mark.parametrize("case", NESTED)
def test_a_parameter_reaches_what_it_sets_or_is_not_offered(case: str, project: Project) -> None:
    project.write(NET, HEAD + NESTED[case])
    counts: Counter[str] = Counter()
    spec = Spec(yaml.safe_load(HEAD + NESTED[case]))
    check_other_params(project, spec, Random(0), counts, tries=8)
    assert counts["same"] + counts["offers nothing"] > 0
    assert not counts["not emitted"]
