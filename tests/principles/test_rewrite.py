"""`rewrite`: texts before and after to the letter, refusals, proofs, and random networks."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import NET, Project
from hypothesis import given, settings
from random_specs import QUICK, specs
from random_steps import Spec

from inception_dsl import driver
from inception_dsl.analysis import measure_fields
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import rewrite_run, rewrite_trial
from inception_dsl.driver.dependents import check_text
from inception_dsl.driver.rewriting import Rewritten, rewrite
from inception_dsl.driver.walk import Checked
from inception_dsl.ir import Model
from inception_dsl.ir import Path as NodePath
from inception_dsl.passes.proof import DifferenceError, prove_fields, prove_read
from inception_dsl.resolve import Overrides
from inception_dsl.spec.files import SpecFile

ROOT = Path(__file__).parents[2]
HEAD = "inception: 1\nname: net\ninput: 35x35x48\n"


def rewritten(text: str, project: Project, *select: str, at: str = "") -> Rewritten:
    project.write(NET, text)
    return rewrite(NET, folder=project.root, select=select, at=at)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "network:\n  - conv1:  5x5 conv (64) -> 35x35x64  # the stem\n  - relu\n",
            "network:\n  - conv1_a: 3x3 conv (48)\n"
            "  - conv1:  3x3 conv (64) -> 35x35x64  # the stem\n  - relu\n",
        ),
        (
            "network: [a: 5x5 conv (64 V act relu), b: 1x1 conv (4)]\n",
            "network: [a_a: 3x3 conv (48 V act relu), a: 3x3 conv (64 V act relu), "
            "b: 1x1 conv (4)]\n",
        ),
        (
            "network: [1x1 conv (48), 5x5 conv (64), relu]\n",
            "network: [1x1 conv (48), 3x3 conv (48), 3x3 conv (64), relu]\n",
        ),
        (
            "network: [5x5 conv (64), relu, 1x1 conv (4), 1x1 conv (5)]\n",
            "network: [conv_a: 3x3 conv (48), 3x3 conv (64), relu, 1x1 conv (4), 1x1 conv (5)]\n",
        ),
        (
            "network: [5x5 conv (64), relu, conv2: 1x1 conv (4)]\n",
            "network: [conv_a: 3x3 conv (48), 3x3 conv (64), relu, conv2: 1x1 conv (4)]\n",
        ),
        (
            "network: [5x5 conv (64), {op: 1x1 conv, width: 4}, conv_a: relu]\n",
            "network: [conv_b: 3x3 conv (48), 3x3 conv (64), {op: 1x1 conv, width: 4}, "
            "conv_a: relu]\n",
        ),
        (
            "network: [5x5 conv (64), {branches: {conv2: relu, conv_a: tanh}}]\n",
            "network: [conv_b: 3x3 conv (48), 3x3 conv (64), "
            "{branches: {conv2: relu, conv_a: tanh}}]\n",
        ),
        (
            "network: [5x5 conv (64), relu]\nclaims: [{at: conv, shape: 35x35x64}]\n",
            "network: [conv_a: 3x3 conv (48), 3x3 conv (64), relu]\n"
            "claims: [{at: conv, shape: 35x35x64}]\n",
        ),
        (
            "network:\n  - 5x5 conv (64)\n  - relu\n",
            "network:\n  - 3x3 conv (48)\n  - 3x3 conv (64)\n  - relu\n",
        ),
        (
            "network:\n  - a:  # wide\n      5x5 conv (48)\n  - relu\n",
            "network:\n  - a_a: 3x3 conv (48)\n  - a:  # wide\n      3x3 conv (48)\n  - relu\n",
        ),
        (
            "network: [{a: 5x5 conv (48)}, relu]\n",
            "network: [{a_a: 3x3 conv (48)}, {a: 3x3 conv (48)}, relu]\n",
        ),
        (
            'network: ["a": 5x5 conv (48), relu]\n',
            'network: [a_a: 3x3 conv (48), "a": 3x3 conv (48), relu]\n',
        ),
        (
            "network: [a: 5x5 conv (48), a_a: relu]\n",
            "network: [a_b: 3x3 conv (48), a: 3x3 conv (48), a_a: relu]\n",
        ),
        (
            "network:\n  branches:\n    l: 5x5 conv (max(48, 2))\n    r: relu\n",
            "network:\n  branches:\n    "
            'l: ["3x3 conv (max(48, 2))", "3x3 conv (max(48, 2))"]\n    r: relu\n',
        ),
        ("network: 7x7 conv (48)\n", "network: [3x3 conv (48), 3x3 conv (48), 3x3 conv (48)]\n"),
        (
            "network:\n  branches:\n    l: 5x5 conv (64)  # wide\n    r: relu\n",
            "network:\n  branches:\n    l: [3x3 conv (48), 3x3 conv (64)]  # wide\n    r: relu\n",
        ),
        (
            "blocks:\n  m: {params: [r, c], steps: [1x1 conv (r), relu, 5x5 conv (2*c)]}\n"
            "network: [m (r=8 c=8), m (r=16 c=10)]\n",
            "blocks:\n  m: {params: [r, c], steps: [1x1 conv (r), relu, 3x3 conv (r), "
            "3x3 conv (2*c)]}\nnetwork: [m (r=8 c=8), m (r=16 c=10)]\n",
        ),
        (
            "blocks: {m: [relu, 5x5 conv (64)]}\nnetwork: [m, 1x1 conv (16), m]\n",
            "blocks: {m: [relu, 3x3 conv (in), 3x3 conv (64)]}\nnetwork: [m, 1x1 conv (16), m]\n",
        ),
        (
            "network: [{join: add, branches: {a: 1x1 conv (1), b: 1x1 conv (48)}}, "
            "c: 5x5 conv (64)]\n",
            "network: [{join: add, branches: {a: 1x1 conv (1), b: 1x1 conv (48)}}, "
            "c_a: 3x3 conv (48), c: 3x3 conv (64)]\n",
        ),
        (
            "network: [slice (part 1 of 2), c: 5x5 conv (64)]\n",
            "network: [slice (part 1 of 2), c_a: 3x3 conv (24), c: 3x3 conv (64)]\n",
        ),
        (
            'network: ["5x5 conv (64)", relu]\n',
            'network: [3x3 conv (48), "3x3 conv (64)", relu]\n',
        ),
        (
            "network:\n  branches:\n    l: '5x5 conv (64 act relu)'  # wide\n    r: relu\n",
            "network:\n  branches:\n    l: [3x3 conv (48 act relu), '3x3 conv (64 act relu)']"
            "  # wide\n    r: relu\n",
        ),
        (
            "network:\n  - a:\n      op: 5x5 conv  # one\n      width: 64  # two\n      act: relu\n"
            "      bias: true\n      title: A\n      out: 35x35x64\n  - relu\n",
            "network:\n  - a_a: 3x3 conv (48 act relu bias)\n  - a:\n      op: 3x3 conv  # one\n"
            "      width: 64  # two\n      act: relu\n      bias: true\n      title: A\n"
            "      out: 35x35x64\n  - relu\n",
        ),
        (
            "network: [a: relu, {op: 5x5 conv, width: 64, from: input}, "
            "b: {from: a, op: 5x5 conv (64)}]\noutputs: [conv, b]\n",
            "network: [a: relu, conv_a: {from: input, op: 3x3 conv (48)}, "
            "{op: 3x3 conv, width: 64, from: conv_a}, b_a: {from: a, op: 3x3 conv (48)}, "
            "b: {from: b_a, op: 3x3 conv (64)}]\noutputs: [conv, b]\n",
        ),
        (
            "network:\n  branches:\n    l:  # one\n      # two\n      op: 5x5 conv (64)  # three\n"
            "      # four\n      act: relu\n    # five\n    r: {op: 5x5 conv, width: 64}\n",
            "network:\n  branches:\n    l:  # one\n      # two\n      - 3x3 conv (48 act relu)\n"
            "      - op: 3x3 conv (64)  # three\n        # four\n        act: relu\n    # five\n"
            "    r: [3x3 conv (48), {op: 3x3 conv, width: 64}]\n",
        ),
        (
            "params: {k: 1}\nnetwork: [a: {op: 5x5 conv, width: 64, when: k == 1}]\n",
            "params: {k: 1}\nnetwork: [a_a: {when: k == 1, op: 3x3 conv (48)}, "
            "a: {op: 3x3 conv, width: 64, when: k == 1}]\n",
        ),
        (
            "network: [a: 5x5 conv (192 stride 2 dilation 1 norm batchnorm)]\n",
            "network: [a_a: 3x3 conv (48 dilation 1 norm batchnorm), "
            "a: 3x3 conv (192 stride 2 dilation 1 norm batchnorm)]\n",
        ),
    ],
)
def test_a_rewrite_changes_its_step_and_nothing_else(
    before: str, after: str, project: Project
) -> None:
    done = rewritten(HEAD + before, project, "P811")
    assert {entry.refusal for entry in done.log} == {""}
    assert done.artifact.text == HEAD + after
    assert (project.root / NET).read_text() == HEAD + before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("network: [3 x 5x5 conv (48)]\n", "it is a repeated step"),
        ('network: ["5x5\\x20conv (48)"]\n', "its quotes hold an escape"),
        ("network: [a: {op: 5x5 conv, width: 48, from: [input]}]\n", "its `from` is no single"),
        (
            "network: [a: {op: 5x5 conv, width: 48, from: input, when: 1 == 1}]\n",
            "it has both `from` and `when`",
        ),
        ("params: {k: 5x5}\nnetwork: [k conv (48)]\n", "its kernel is a parameter"),
        ("network: [5x5 conv (48)]\nbudget: {depth: 1}\n", "a budget would break: "),
        (
            "network: [c: 5x5 conv (48)]\nclaims: [{depth: 1, source: a paper}]\n",
            "a claim would break: ",
        ),
    ],
)
def test_a_rewrite_is_refused_with_its_reason(text: str, reason: str, project: Project) -> None:
    done = rewritten(HEAD + text, project, "P811")
    assert [entry.refusal.startswith(reason) for entry in done.log] == [True]
    assert done.artifact.text == HEAD + text
    assert not done.is_changed


BLOCK = """\
blocks:
  m:                                   # a module
    params: [c, r]
    # what follows
    branches:                          # joined in this order
      # the first
      a:      1x1 conv (c)             -> 35x35x8
      # the second
      b:                               # with a list
        # inside
        - reduce: 1x1 conv (max(r, 2))
        - 3x3 conv (c)
        - conv2: 3x3 conv (c)
      c: [1x1 conv (r), 1x1 conv (c)]  # in brackets
      pool: [3x3 maxpool, 1x1 conv (c)]
network: [m (c=8 r=3)]
"""

MERGED = """\
blocks:
  m:                                   # a module
    params: [c, r]
    order: [a, b, c, pool]
    # what follows
    branches:                          # joined in this order
      merged: 1x1 conv (c + max(r, 2) + r)
      # the first
      a:      {from: merged, steps: slice (c)             -> 35x35x8}
      # the second
      b:                               # with a list
        from: merged
        steps:
        # inside
        - reduce: "slice (max(r, 2) from c)"
        - 3x3 conv (c)
        - conv2: 3x3 conv (c)
      c: {from: merged, steps: ["slice (r from c + max(r, 2))", conv2: 1x1 conv (c)]}  # in brackets
      pool: [3x3 maxpool, 1x1 conv (c)]
network: [m (c=8 r=3)]
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BLOCK, MERGED),
        (BLOCK.replace("\n", "\r\n"), MERGED.replace("\n", "\r\n")),
        (
            "network:\n  - relu\n  - branches: {a: 1x1 conv (4), b: 1x1 conv (5)}\n",
            "network:\n  - relu\n  - order: [a, b]\n    branches: {merged: 1x1 conv (9), "
            "a: {from: merged, steps: slice (4)}, b: {from: merged, steps: slice (5 from 4)}}\n",
        ),
        (
            "network: {branches: {'a': 1x1 conv (4), merged: [1x1 conv (5)]}, "
            "order: [merged, a]}\n",
            "network: {branches: {merged2: 1x1 conv (9), 'a': {from: merged2, steps: slice (4)}, "
            "merged: {from: merged2, steps: [slice (5 from 4)]}}, order: [merged, a]}\n",
        ),
        (
            "network:\n  branches:\n    a:\n      # a title\n      title: A\n      steps:\n"
            "      - 1x1 conv (4)\n      - slice (2)\n    b: {steps: 1x1 conv (5)}\n",
            "network:\n  order: [a, b]\n  branches:\n    merged: 1x1 conv (9)\n    a:\n"
            "      from: merged\n      # a title\n      title: A\n      steps:\n"
            "      - slice_a: slice (4)\n      - slice (2)\n"
            "    b: {from: merged, steps: slice (5 from 4)}\n",
        ),
        (
            "network:\n  branches:\n    a:  # one\n    # two\n    - 1x1 conv (4)  # three\n"
            "    - branches:\n        l: relu\n        # four\n        r: tanh\n"
            "    # five\n    b: 1x1 conv (5)\n",
            "network:\n  order: [a, b]\n  branches:\n    merged: 1x1 conv (9)\n    a:  # one\n"
            "      from: merged\n      steps:\n      # two\n      - slice (4)  # three\n"
            "      - branches:\n          l: relu\n          # four\n          r: tanh\n"
            "    # five\n    b: {from: merged, steps: slice (5 from 4)}\n",
        ),
        (
            "network: [branches: {a: 1x1 conv (4), b: 1x1 conv (5)}, relu, merged: tanh]\n",
            "network: [{branches: {merged2: 1x1 conv (9), a: {from: merged2, steps: slice (4)}, "
            "b: {from: merged2, steps: slice (5 from 4)}}, order: [a, b]}, relu, merged: tanh]\n",
        ),
        (
            "network:\n  branches:\n    a: {op: 1x1 conv, width: 4}\n    b: '1x1 conv (5)'\n"
            "    c:\n      - op: 1x1 conv\n        width: 6\n        out: 35x35x6\n      - relu\n",
            "network:\n  order: [a, b, c]\n  branches:\n    merged: 1x1 conv (15)\n"
            "    a: {from: merged, steps: slice (4)}\n"
            "    b: {from: merged, steps: slice (5 from 4)}\n"
            "    c:\n      from: merged\n      steps:\n      - slice (6 from 9) -> 35x35x6\n"
            "      - relu\n",
        ),
        (
            "network: {residual: {}, join: add, branches: {a: 1x1 conv (in), b: 1x1 conv (48)}}\n",
            None,
        ),
    ],
)
def test_convolutions_on_one_value_become_a_branch(
    before: str, after: str | None, project: Project
) -> None:
    done = rewritten(HEAD + before, project, "P814")
    if after is None:  # `in` is no word outside a block
        assert done.log != ()
    else:
        assert [entry.refusal for entry in done.log] == [""]
        assert done.artifact.text == HEAD + after
    assert rewritten(HEAD + before, project).log == ()  # on request alone


OUTSIDE = "it begins no branch of the join of the others"


@pytest.mark.parametrize(
    ("text", "left", "merged"),
    [
        (
            "[{branches: {a: [branches: {c: 1x1 conv (4)}], b: 1x1 conv (5), d: 1x1 conv (6)}}]",
            {"a.c": OUTSIDE},
            ("b", "d"),
        ),
        (
            "{branches: {a: 2 x 1x1 conv (4), b: 1x1 conv (5)}}",
            {"a.0": "it is a repeated step"},
            (),
        ),
        (
            "{branches: {a: {residual: {}, steps: [1x1 conv (4), 1x1 conv (48)]}, "
            "b: 1x1 conv (5), c: 1x1 conv (6)}}",
            {"a.conv": "its branch has `residual`, which may read the input"},
            ("b", "c"),
        ),
        (
            "{branches: {a: 1x1 conv (4 init kaiming_normal fan_out), "
            "b: 1x1 conv (5 init kaiming_normal fan_out)}}",
            {"a": "their initial weights depend on their widths"},
            (),
        ),
        (
            "{branches: {a: 1x1 conv (4), b: 1x1 conv (5 init normal 0.1), c: 1x1 conv (5)}}",
            {"b": "its initial weights are drawn in another way"},
            ("a", "c"),
        ),
        (
            "{branches: {a: 1x1 conv (4 act prelu), b: 1x1 conv (5 act prelu)}}",
            {"a": "each has a `act.weight` of one number for all channels"},
            (),
        ),
        (
            "{branches: {a: {op: 1x1 conv, width: 4, title: t}, b: 1x1 conv (5), c: 1x1 conv (6)}}",
            {"a": "its long form has `title`"},
            ("b", "c"),
        ),
        (
            "[b: 1x1 conv (5), d: {from: input, reuse: b}, "
            "j: {from: input, branches: {a: 1x1 conv (4), c: 1x1 conv (5)}}]\noutputs: [b, d, j]",
            {"b": "it shares its weights with `d`", "d": "it shares its weights with `b`"},
            ("j.a", "j.c"),
        ),
        (
            "[r: relu, {branches: {a: 1x1 conv (4), b: 1x1 conv (5)}}]\n"
            "heads: {h: {at: r, steps: [1x1 conv (5), global avgpool]}}",
            {"h.conv": "it stands in the training head `h`, which inference does not run"},
            ("a", "b"),
        ),
    ],
)
def test_a_step_that_cannot_join_is_left_out_with_its_reason(
    text: str, left: dict[str, str], merged: tuple[str, ...], project: Project
) -> None:
    done = rewritten(f"{HEAD}network: {text}\n", project, "P814")
    refused = {str(each.path): each.refusal for each in done.log if each.refusal}
    assert refused.keys() == left.keys()
    for path, reason in left.items():
        assert refused[path].startswith(reason)
    assert [tuple(map(str, each.paths)) for each in done.log if not each.refusal] == [
        merged
    ] * bool(merged)
    assert done.artifact.text.count(": slice") == len(merged)


def test_a_slice_keeps_the_name_that_another_line_needs(project: Project) -> None:
    text = (
        f"{HEAD}network: {{branches: {{a: [1x1 conv (4), relu], b: 1x1 conv (5)}}}}\n"
        "claims: [{at: a.conv, shape: 35x35x4, source: a paper}]\n"
    )
    done = rewritten(text, project, "P814")
    assert [entry.refusal for entry in done.log] == [""]
    assert "a: {from: merged, steps: [conv: slice (4), relu]}" in done.artifact.text


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        (
            "P811",
            "7x7 conv (8 pad 3)",
            "[a_a: 3x3 conv (8 pad 1), a_b: 3x3 conv (8 pad 1), a: 3x3 conv (8 pad 1)]",
        ),
        (
            "P811",
            "5x5 conv (8 pad 1 act relu)",
            "[a_a: 3x3 conv (8 pad 1 act relu), a: 3x3 conv (8 V act relu)]",
        ),
        ("P812", "3x3 conv (8 pad 1x0)", "[a_a: 1x3 conv (8 V), a: 3x1 conv (8 pad 1x0)]"),
        (
            "P812",
            "{op: 5x5 conv (8), pad: 2}",
            '[a_a: 1x5 conv (8 pad 0x2), a: {op: 5x1 conv (8), pad: "2x0"}]',
        ),
        (
            "P812",
            "3x3 conv (8 groups 2 norm groupnorm)",
            "[a_a: 1x3 conv (8 groups 2 norm groupnorm), a: 3x1 conv (8 groups 2 norm groupnorm)]",
        ),
        (
            "P811",
            "5x5 conv (12 norm groupnorm)",
            "a part of it would be wrong: 4 groups of "
            "`groupnorm` do not divide 6 channels: 6 = 4 x 1 + 2",
        ),
        ("P811", "m (p=2)", "its padding is a parameter"),
        (
            "P811",
            "d (g=2), b: d (g=8)",
            "its line runs at `b.conv`, too, where it mixes no channels",
        ),
        ("P811", "5x5 conv (8 groups 8)", ""),
    ],
)
def test_parts_share_the_padding_and_keep_groups_and_norms(
    code: str, before: str, after: str, project: Project
) -> None:
    size = "18x18x6" if "12" in before else "18x18x8"
    text = (
        f"inception: 1\nname: net\ninput: {size}\ndefaults: {{groupnorm: {{groups: 4}}}}\n"
        "blocks: {m: {params: [p], steps: [5x5 conv (8 pad p)]}, "
        "d: {params: [g], steps: [5x5 conv (8 groups g)]}}\n"
        f"network: [a: {before}]\n"
    )
    done = rewritten(text, project, code)
    assert [entry.refusal for entry in done.log] == [after.partition("[")[0]] * bool(after)
    assert after in done.artifact.text or not done.is_changed


@pytest.mark.parametrize(
    ("code", "step", "text"),
    [
        ("P811", "a", "[a: 5x5 conv (48), b: {reuse: a}]"),
        ("P812", "a", "[p: 3x3 maxpool (stride 2), a: 3x3 conv (48), b: {reuse: a}]"),
        ("P815", "a", "[a: 3x3 conv (48 bias), n: batchnorm, b: {reuse: a}, m: {reuse: n}]"),
    ],
)
def test_lines_that_share_weights_or_stand_in_heads_are_told(
    code: str, step: str, text: str, project: Project
) -> None:
    log = rewritten(f"{HEAD}network: {text}\n", project, code).log
    told = {str(entry.path): entry.refusal for entry in log}
    assert told[step] == "it shares its weights with `b` by `reuse`"
    alone = text.partition(", b:")[0].removeprefix("[")
    head = f"{HEAD}network: [z: relu]\nheads: {{h: {{at: z, steps: [{alone}, global avgpool]}}}}\n"
    (entry,) = rewritten(head, project, code).log
    assert entry.path == f"h.{step}"
    assert entry.refusal == "it stands in the training head `h`, which inference does not run"
    block = (
        f"{HEAD}blocks: {{m: [{alone}]}}\nnetwork: [m, r: relu]\n"
        "heads: {h: {at: r, steps: [m, global avgpool]}}\n"
    )
    entries = rewritten(block, project, code).log
    assert {each.refusal for each in entries} == {"its line runs in the training head `h`, too"}


def test_a_step_with_other_keys_in_its_long_form_stays(project: Project) -> None:
    text = f"{HEAD}network: [relu, r: {{op: relu, title: twice}}, 1x1 conv (8)]\n"
    (entry,) = rewritten(text, project, "P815").log
    assert entry.refusal == "its long form has `title`"


def test_of_two_norms_in_a_row_the_second_goes_on_request(project: Project) -> None:
    text = f"{HEAD}network: [3x3 conv (8 norm batchnorm), batchnorm, relu]\n"
    assert not rewritten(text, project).is_changed
    done = rewritten(text, project, "P815")
    assert done.artifact.text == text.replace(", batchnorm,", ",")
    assert (done.is_exact, [entry.refusal for entry in done.log]) == (False, [""])
    assert {key for key, _ in done.weights.left} >= {"batchnorm.weight", "batchnorm.running_mean"}


def test_idle_steps_go_by_default_if_nothing_changes_and_else_on_request(
    project: Project,
) -> None:
    text = (
        f"{HEAD}network:\n  - 3x3 conv (8)\n  - 1x1 maxpool  # nothing\n  # a comment\n"
        "  - 3x3 maxpool (stride 2)\n  - dropout (drop 0.2) -> 18x18x8  # drawn\n  # between\n"
        "  - global avgpool  # the mean\n  - softmax  # odd\n  - linear (4)\n"
    )
    taken = text.replace("- 1x1 maxpool  # nothing", "# nothing").replace(
        "  - 3x3 maxpool", "  - maxpool2: 3x3 maxpool"
    )
    done = rewritten(text, project)
    reason = "it is made only where `--select P815` asks for it"
    assert [entry.refusal for entry in done.log] == ["", reason, reason]
    assert (done.artifact.text, done.is_exact) == (taken, True)
    done = rewritten(text, project, "P815")
    assert [entry.refusal for entry in done.log] == [""] * 3
    moved = taken.replace("  - softmax  # odd\n", "  # odd\n").replace(
        "  - dropout (drop 0.2) -> 18x18x8  # drawn\n  # between\n  - global avgpool  # the mean\n",
        "  - global avgpool  # the mean\n  # between\n  - dropout (drop 0.2)  # drawn\n",
    )
    assert (done.artifact.text, done.is_exact) == (moved, False)
    told = dict(done.weights.fresh)
    assert told == dict.fromkeys(
        ("linear.weight", "linear.bias"), "it reads the values that the softmax has read"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[dropout (drop 0.2), global avgpool]", "[global avgpool, dropout (drop 0.2)]"),
        (
            "[d: {op: dropout, drop: 0.2}, 'global avgpool', relu]",
            "['global avgpool', d: {op: dropout, drop: 0.2}, relu]",
        ),
        (  # the block gives what it gave
            "[1x1 conv (8), t: [dropout (drop 0.2), gap: global avgpool], linear (4)]",
            "[1x1 conv (8), t: [gap: global avgpool, dropout (drop 0.2)], linear (4)]",
        ),
        ("[dropout (drop 0.2), relu, global avgpool]", None),
        ("[d: dropout (drop 0.2), global avgpool]\noutputs: [d, avgpool]", None),
    ],
)
def test_dropout_moves_behind_the_mean(before: str, after: str | None, project: Project) -> None:
    done = rewritten(f"{HEAD}network: {before}\n", project, "P815")
    if after is None:
        assert not done.is_changed
    else:
        assert done.artifact.text == f"{HEAD}network: {after}\n"
        assert done.report.comparisons[0].diff.stages == () or "t: " not in before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[relu, 1x1 maxpool, tanh]", "[relu, tanh]"),
        ("[relu, 1x1 maxpool]", "[relu]"),
        (
            "[\n  relu,  # one\n  1x1 maxpool,  # two\n  # three\n  tanh,  # four\n]",
            "[\n  relu,  # one\n  # two\n  # three\n  tanh,  # four\n]",
        ),
        (
            "[\n  relu,  # one\n  # two\n  1x1 maxpool  # three\n]",
            "[\n  relu  # one\n  # two\n  # three\n]",
        ),
        ("[\n  relu, 1x1 maxpool,  # one\n]", "[\n  relu,  # one\n]"),
        (
            "\n  - a: relu\n  - n: # one\n      1x1 maxpool # two\n  - tanh",
            "\n  - a: relu\n  # one\n  # two\n  - tanh",
        ),
        (
            '[1x1 maxpool, "2x2 maxpool (stride 2)", {op: 3x3 maxpool, stride: 2}]',
            '[maxpool2: "2x2 maxpool (stride 2)", maxpool3: {op: 3x3 maxpool, stride: 2}]',
        ),
    ],
)
def test_a_comment_of_a_step_that_goes_stays(before: str, after: str, project: Project) -> None:
    done = rewritten(f"{HEAD}network: {before}\n", project, "P815")
    assert [entry.refusal for entry in done.log] == [""]
    assert done.artifact.text == f"{HEAD}network: {after}\n"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("[1x1 maxpool]\n", "it stands alone: without it, no step would be left there"),
        (
            "[n: 1x1 maxpool, relu]\nclaims: [{at: n, shape: 35x35x48}]\n",
            "another line of the spec names the step: no step has the path `n` (E212)",
        ),
        (
            "\n  - 1x1 maxpool\n  - op: 3x3 maxpool\n    stride: 2\n",
            "it has no name, and `maxpool2` behind it would be counted anew",
        ),
    ],
)
def test_a_step_that_cannot_go_stays_with_a_reason(
    rest: str, reason: str, project: Project
) -> None:
    (entry,) = rewritten(f"{HEAD}network: {rest}", project, "P815").log
    assert entry.refusal == reason


BEHIND = """\
# about the defaults
defaults: {conv: {norm: batchnorm, act: relu}}
heads: {aux: {at: a, steps: [global avgpool, linear (4)]}}

budget: {params: "<= 200K", depth: "<= 9"}   # exam
# tail
"""


@pytest.mark.parametrize(
    "claims",
    [
        "claims:\n  - {at: a, shape: 35x35x48, source: counted by us}\n",
        "claims:   # mine\n- at: a\n  shape: 35x35x48\n  source: counted by us   # end\n",
        "claims: [{at: a, shape: 35x35x48, source: counted by us}]   # mine\n",
    ],
)
def test_claims_are_left_out_with_their_lines_alone(
    claims: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = "network:\n  - a: 5x5 conv (48)\n  - b: 3x3 conv (4)\n"
    monkeypatch.chdir(project.root)
    for text in (f"{HEAD}{network}{claims}{BEHIND}", f"{HEAD}{claims}{network}{BEHIND}"):
        project.write(NET, text)
        assert main(["rewrite", NET, "--select", "P811", "-o", "specs/new.yaml", "--force"]) == 0
        new = (project.root / "specs/new.yaml").read_text()
        assert new.endswith(BEHIND)
        assert "  - a_a: 3x3 conv (48)\n  - a: 3x3 conv (48)\n  - b: 3x3 conv (4)\n" in new
        assert not {"claims", "mine", "end"} & set(new.replace(":", " ").split())


def test_a_comment_behind_a_claim_that_goes_stays(project: Project) -> None:
    text = (
        f"{HEAD}network: [a: 5x5 conv (48), b: 3x3 conv (4 bias), n: batchnorm]\nclaims:\n"
        "  - {at: a, in: 48, source: a paper}\n"
        "  - params: 59388\n    source: counted by torch\n  # about the budget\n"
        'budget: {params: "<= 60K"}\n'
    )
    done = rewritten(text, project, "P811")
    assert done.artifact.text.endswith('  # about the budget\nbudget: {params: "<= 60K"}\n')


def test_counts_of_an_import_are_left_out_when_they_would_break(project: Project) -> None:
    text = (
        f"{HEAD}network: [a: 5x5 conv (48), b: 3x3 conv (4 bias), n: batchnorm]\nclaims:\n"
        "  - {at: a, in: 48, source: a paper}\n"
        "  - {params: 59388, source: counted by torch}\n"
    )
    done = rewritten(text, project, "P811")
    assert ([entry.refusal for entry in done.log], done.drops_counts) == ([""], True)
    assert done.artifact.text.endswith("claims:\n  - {at: a, in: 48, source: a paper}\n")
    only = text.replace("  - {at: a, in: 48, source: a paper}\n", "")
    assert "claims" not in rewritten(only, project, "P811").artifact.text
    paper = text.replace("counted by torch", "Table 1")
    (entry,) = rewritten(paper, project, "P811").log
    assert entry.refusal.startswith("a claim would break: ")


def test_a_step_that_also_runs_on_large_maps_is_refused(project: Project) -> None:
    blocks = "blocks: {b: [r: 1x1 conv (48), c: 3x3 conv (48)]}\n"
    shared = f"{HEAD}{blocks}network: [b, 3x3 maxpool (stride 2), b]\n"
    (entry,) = rewritten(shared, project, "P812").log
    assert entry.refusal.startswith("its line runs on 35x35, too")
    alone = f"{HEAD}{blocks}network: [3x3 maxpool (stride 2), b]\n"
    done = rewritten(alone, project, "P812")
    assert "c_a: 1x3 conv (48), c: 3x1 conv (48)" in done.artifact.text


@pytest.mark.parametrize(
    ("step", "codes"),
    [
        ("5x5 conv (48)", ["P812"]),
        ("5x5 conv (96)", ["P812"]),
        ("5x5 conv (100)", ["P811", "P812", "P812"]),
        ("7x7 conv (20)", ["P811", "P812", "P812", "P812"]),
        ("7x7 conv (24 V)", ["P812"]),
        ("7x7 conv (24)", ["P812"]),
    ],
)
def test_passes_together_save_as_much_as_the_best_order(
    step: str, codes: list[str], project: Project
) -> None:
    text = f"{HEAD}network: [a: {step}, b: 1x1 conv (4)]\n".replace("35x35", "18x18")
    both = rewritten(text, project)
    assert [entry.code for entry in both.log] == codes
    rows = rewritten(text, project, "P812")
    project.write("specs/pairs.yaml", rewritten(text, project, "P811").artifact.text)
    pairs = rewrite("specs/pairs.yaml", folder=project.root, select=["P812"])
    ends = [done.report.comparisons[0].new_cost.totals.macs for done in (both, rows, pairs)]
    assert ends[0] == min(ends)


def test_a_comparison_says_nothing_of_weights_that_the_plan_moves(project: Project) -> None:
    text = (
        f"{HEAD}network:\n  - a: 5x5 conv (48 bias norm batchnorm)\n  - branches:\n"
        "      l: 1x1 conv (4)\n      r: [1x1 conv (5), relu]\n"
    )
    assert categories(rewritten(text, project, "P814", "P815")) == {"COST"}
    assert categories(rewritten(text, project, "P811", "P814")) == {"COST", "CHECKPOINT"}


def categories(done: Rewritten) -> set[str]:
    return {finding.category for finding in done.report.comparisons[0].findings}


def test_a_line_of_a_used_file_is_refused(project: Project) -> None:
    block = "inception: 1\nblocks: {b: 5x5 conv (48)}\n"
    project.write("specs/blocks/b.yaml", block)
    (entry,) = rewritten(f"{HEAD}use: [blocks/b]\nnetwork: [b]\n", project, "P811").log
    assert entry.refusal == (
        "the line stands in specs/blocks/b.yaml, which other specs may use; "
        "`inception-dsl resolve specs/net.yaml` prints all of it as one file"
    )


def test_a_bias_before_a_norm_is_switched_off(project: Project) -> None:
    text = (
        f"{HEAD}network:\n"
        "  - a: 3x3 conv (8 bias norm batchnorm)  # the first\n"
        "  - b: 3x3 conv (8)\n"
        "  - batchnorm\n"
        "  - c: 3x3 conv (8 bias)\n"
        "  - batchnorm\n"
    )
    done = rewritten(text, project, "P815")
    assert done.artifact.text == text.replace("8 bias", "8 no_bias").replace("(8)", "(8 no_bias)")
    assert done.report.comparisons[0].diff.edits != ()
    assert rewritten(done.artifact.text, project, "P815").log == ()
    (entry,) = rewritten(f"{HEAD}network: [3x3 conv (8 linear), batchnorm]\n", project, "P815").log
    assert entry.refusal == "`linear` sets the bias and more"
    shared = "[c: 3x3 conv (48 bias), batchnorm, d: {reuse: c}, batchnorm]"
    reasons = [e.refusal for e in rewritten(f"{HEAD}network: {shared}\n", project, "P815").log]
    assert reasons == [f"it shares its weights with `{other}` by `reuse`" for other in "dc"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("[a: 3x3 conv (8), b: 3x3 conv (8), c: {from: b, op: relu}]", "`c` would read another"),
        ("[a: 3x3 conv (8), b: 3x3 conv (8), d: {from: a, op: relu}]", "would get another name"),
        ("[a: 3x3 conv (8), b: 3x3 conv (8), c: {from: a, op: relu6}]", "`c` would change"),
        ("[a: 5x5 conv (8), b: 3x3 conv (8), c: {from: a, op: relu}]", "`a` would change"),
        ("[a: 3x3 conv (8), b: 3x3 conv (8), c: {from: a, op: relu}, relu]", "an output would"),
        (
            "[a: 3x3 conv (8), b: 3x3 conv (8), c: {from: a, op: relu}, "
            "r: {from: b, op: tanh}, d: {from: c, op: identity}]",
            "an output",
        ),
        ("[a: 3x3 conv (8), b: {from: input, reuse: a}, c: {from: a, op: relu}]", "`b` would"),
        ("[a: 3x3 conv (9), b: 3x3 conv (8), c: {from: a, op: relu}]", "the outputs of the"),
    ],
)
def test_the_proof_finds_every_other_change(changed: str, reason: str, project: Project) -> None:
    networks = []
    kept = "[a: 3x3 conv (8), b: 3x3 conv (8), c: {from: a, op: relu}]"
    for body in (kept, kept.replace("a", "z"), changed):
        project.write(NET, f"{HEAD}network: {body}\n".replace("relz", "relu"))
        networks.append(driver.measure(NET, folder=project.root).model)
    old, renamed, other = networks
    a, z = NodePath("a"), NodePath("z")
    assert prove_read(old, renamed, {a}) == {a: z, NodePath("b"): "b", NodePath("c"): "c"}
    with pytest.raises(DifferenceError, match=reason):
        prove_read(old, other, {a})


def test_the_proof_finds_other_pixels(project: Project) -> None:
    networks = []
    for step in ("3x3 conv (8)", "5x5 conv (8)"):
        project.write(NET, f"{HEAD}network: [a: {step}, b: relu]\n")
        networks.append(driver.measure(NET, folder=project.root).model)
    old, other = networks
    prove_fields(old, old, [])
    with pytest.raises(DifferenceError, match="`b` would see another part"):
        prove_fields(old, other, [NodePath("a")])
    with pytest.raises(DifferenceError, match="the outputs would see another part"):
        prove_fields(old, other, [NodePath("a"), NodePath("b")])


def test_line_ends_of_windows_stay(project: Project) -> None:
    text = f"{HEAD}network:\n  - a: 5x5 conv (48)\n  - relu\n".replace("\n", "\r\n")
    new = rewritten(text, project, "P811").artifact.text
    assert new.count("\r\n") == new.count("\n") == text.count("\n") + 1


def test_a_network_that_exists_as_code_has_no_text(project: Project) -> None:
    with pytest.raises(SpecError, match="has no text to rewrite"):
        rewrite("timm:resnet18", folder=project.root)


def test_a_path_chooses_the_steps(project: Project) -> None:
    text = f"{HEAD}network: [a: 5x5 conv (48), b: [c: 5x5 conv (48), d: 5x5 conv (48)]]\n"
    done = rewritten(text, project, "P811", at="b.d")
    assert [str(entry.path) for entry in done.log] == ["b.d"]
    assert len(rewritten(text, project, "P811", at="b").log) == 2
    with pytest.raises(SpecError, match="no step of the network has the path `nowhere`"):
        rewritten(text, project, "P811", at="nowhere")


def test_a_large_network_is_rewritten_in_several_turns(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite_run, "MAX_READ", 30)
    steps = [f"  - s{index}: 5x5 conv (48)\n" for index in range(6)]
    text = f"{HEAD}network:\n{''.join(steps)}"
    done = rewritten(text, project, "P811")
    assert [entry.refusal for entry in done.log] == [""] * 6  # one text has them all
    claims = "claims: [{at: s0, weights: 57600, source: a paper}]\n"
    done = rewritten(f"{text}{claims}", project, "P811")
    assert ([entry.error for entry in done.log], done.untried) == (["E402"], 6)


def test_a_claim_that_stops_one_of_many_costs_few_readings(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def count(file: SpecFile, text: str, *, overrides: Overrides) -> Checked:
        reads.append(text)
        return check_text(file, text, overrides=overrides)

    monkeypatch.setattr(rewrite_trial, "check_text", count)
    steps = "".join(f"  - s{index}: 5x5 conv (48)\n" for index in range(32))
    claims = "claims: [{at: s13, weights: 57600, source: a paper}]\n"
    done = rewritten(f"{HEAD}network:\n{steps}{claims}", project, "P811")
    refused = [entry.path for entry in done.log if entry.refusal]
    assert (len(done.log), refused, done.untried) == (32, ["s13"], 0)
    assert len(reads) < 24


def test_every_pass_has_its_turn_and_a_cut_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rewrite_run, "MAX_READ", 10)
    monkeypatch.chdir(project.root)
    steps = "".join(f"  - s{index}: 5x5 conv (48)\n" for index in range(6))
    text = f"{HEAD}budget: {{depth: <= 7}}\nnetwork:\n{steps}"
    project.write(NET, f"{text}  - b: 1x1 conv (8 bias norm batchnorm)\n")
    code, _, errors = run(capsys, "rewrite", NET, "--dry-run")
    assert (code, "P815 at `b`: " in errors) == (0, True)
    assert "refused P811 at `s0`: with 5 more, a budget would break: " in errors
    assert "6 more are not tried, since one command tries no more: run it again" in errors
    project.write(NET, text.replace("<= 7", "<= 6"))
    code, _, errors = run(capsys, "rewrite", NET, "--check")
    assert (code, errors.splitlines()[1:]) == (
        1,
        [
            "6 more are not tried, since one command tries no more: choose by `--at`",
            "nothing is rewritten",
        ],
    )


def test_googlenet_gets_pairs_of_3x3(project: Project) -> None:
    output = project.root / "specs" / "googlenet_3x3.yaml"
    done = rewrite("googlenet", folder=project.root, select=["P811"], output=output)
    driver.write_all([done.artifact])
    new = driver.check("googlenet_3x3", folder=project.root)
    old = driver.measure("googlenet", folder=ROOT)
    assert {node.attributes.get("kernel") for node in old.model.graph.nodes} >= {(5, 5)}
    branches = [node for node in new.model.graph.nodes if ".b5x5." in node.path]
    kernels = [node.attributes["kernel"] for node in branches]
    assert kernels == [(1, 1), (3, 3), (3, 3)] * 9
    assert old.cost.totals.macs - new.cost.totals.macs == 67_699_968
    assert new.model.outputs == old.model.outputs
    with pytest.raises(SpecError, match="stays as it is"):
        rewrite("googlenet", folder=project.root)
    with pytest.raises(SpecError, match="`3x3` is no name"):
        rewrite("googlenet", folder=project.root, output=output.with_name("3x3.yaml"))
    log = rewrite("googlenet", folder=ROOT, select=["P811"]).log
    assert [entry.error for entry in log] == ["E402"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    return code, *capsys.readouterr()


def test_the_command_shows_writes_and_checks(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{HEAD}network:\n  - a: 5x5 conv (48)\n"
    project.write(NET, text)
    monkeypatch.chdir(project.root)
    linear = "P811 at `a`: 5x5 becomes 3x3 and 3x3, without an activation between"
    for mode, ended in (("--dry-run", 0), ("--check", 1)):
        code, output, errors = run(capsys, "rewrite", NET, mode)
        assert (code, errors) == (ended, f"{linear}\n")
        assert "-  - a: 5x5 conv (48)\n+  - a_a: 3x3 conv (48)\n+  - a: 3x3 conv (48)\n" in output
        assert "MACs" in output
        assert (project.root / NET).read_text() == text
    code, output, _ = run(capsys, "rewrite", NET, "--weights", "plan.json")
    wrote = ["wrote      specs/net.yaml", "wrote      plan.json"]
    assert (code, output.splitlines()[-2:]) == (0, wrote)
    plan = json.loads((project.root / "plan.json").read_text())
    assert {"a_a.weight", "a.weight"} <= plan["fresh"].keys()
    assert "3x3 conv (48)" in (project.root / NET).read_text()
    assert run(capsys, "rewrite", NET, "--check") == (0, "", "nothing is rewritten\n")
    project.write(NET, f"{HEAD}network: [3x3 conv (8 bias norm batchnorm)]\n")
    code, output, _ = run(capsys, "rewrite", NET, "--dry-run")
    assert "weights    5 tensors stay, 1 is made of others\nvalues     stay" in output
    project.write("specs/other.yaml", "mine\n")
    more = ["-o", "specs/other.yaml", "--select", "P811"]
    project.write(NET, text)
    code, _, errors = run(capsys, "rewrite", NET, *more)
    assert code == 2
    assert "`specs/other.yaml` is there already" in errors
    assert run(capsys, "rewrite", NET, *more, "--dry-run")[0] == 2
    assert run(capsys, "rewrite", NET, *more, "--check")[0] == 1
    assert (project.root / "specs/other.yaml").read_text() == "mine\n"
    for _ in range(2):  # the second time, the file is the same
        assert run(capsys, "rewrite", NET, *more, "--force")[0] == 0
    assert run(capsys, "rewrite", NET, *more)[0] == 0
    assert run(capsys, "rewrite", NET, *more, "--check")[0] == 0
    with pytest.raises(SystemExit):
        main(["rewrite", NET, "--select", "P801"])
    codes = "P803, P804, P811, P812, P814, P815, P816"
    assert f"`P801` is no rewrite: {codes} are" in capsys.readouterr().err


def test_a_rewrite_that_saves_nothing_counted_says_so(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    body = "network: {branches: {a: 1x1 conv (8), b: 1x1 conv (4)}}\n"
    project.write(NET, f"{HEAD}{body}")
    code, output, errors = run(capsys, "rewrite", NET, "--select", "P814")
    assert code == 0, errors
    assert "\ncosts      stay\nweights " in output
    assert "no change" not in output


def list_pixels(model: Model) -> dict[str, list[object]]:
    """Return the fields of all nodes along both axes; where all units see one, its pixels alone."""
    sizes = [type.size for type in model.inputs.values()]
    most = [max(sides) for sides in zip(*sizes, strict=True)]
    return {
        path: [
            axis and (axis if axis.stride else range(max(axis.start, 0), min(axis.end, side)))
            for axis, side in zip((field.height, field.width), most, strict=True)
        ]
        for path, field in measure_fields(model).items()
    }


def keep(spec: Spec, select: Sequence[str]) -> int:
    """Rewrite a random spec, compare both networks, and return the number of rewrites."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        project.write("pyproject.toml", "")
        project.write(NET, spec.text())
        old = project.check()
        done = rewrite(NET, folder=project.root, select=select)
        project.write(NET, done.artifact.text)
        new = project.check()
    assert (old.model.inputs, old.model.outputs) == (new.model.inputs, new.model.outputs)
    fields = [list_pixels(side.model) for side in (old, new)]
    ends = zip(old.model.graph.outputs.values(), new.model.graph.outputs.values(), strict=True)
    assert all(fields[0][before] == fields[1][after] for before, after in ends)
    made = [entry for entry in done.log if not entry.refusal]
    assert new.cost.totals.macs <= old.cost.totals.macs
    assert bool(made) is (done.artifact.text != spec.text())
    return len(made)


@settings(QUICK, max_examples=6)
@given(specs())
def test_random_networks_keep_their_shapes_and_fields(spec: Spec) -> None:
    keep(spec, ())
