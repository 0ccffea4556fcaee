"""Weights carried over edits around a step of each op: values, and the tensors that are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from conftest import Project
from test_carry import carried, planned
from torch import Tensor, nn

from inception_dsl.ir.weights import Copy, Fill, FoldScale

HEAD = "inception: 1\nname: net\ninput: 9x9x3\ndefaults: {groupnorm: {groups: 4}}\n"

# Steps that keep 8 channels, and also take 16.
KEEPING = {
    "conv": "3x3 conv (in)",
    "conv and batch norm": "3x3 conv (in norm batchnorm act relu)",
    "conv and group norm": "3x3 conv (in norm groupnorm)",
    "conv and layer norm": "3x3 conv (in norm layernorm)",
    "conv and instance norm": "3x3 conv (in norm instancenorm)",
    "conv and prelu": "3x3 conv (in act prelu)",
    "grouped conv": "3x3 conv (in groups 4)",
    "depthwise conv": "3x3 conv (in groups in)",
    "separable conv": "3x3 sepconv (in)",
    "standardised conv": "3x3 conv (in standardised)",
    "standardised conv with a gain": "3x3 conv (in gain 2 norm batchnorm)",
    "transposed conv": "3x3 deconv (in norm batchnorm)",
    "transposed conv in groups": "3x3 deconv (in groups 2)",
    "batch norm": "batchnorm",
    "group norm": "groupnorm",
    "layer norm": "layernorm",
    "instance norm": "instancenorm (affine)",
    "length": "l2norm",
    "response": "grn",
    "scale": "scale (bias)",
    "one scale": "scale (one init 0)",
    "rescale": "rescale (factor 2)",
    "norm of neighbours": "lrn",
    "prelu": "prelu (per_channel)",
    "shuffle": "shuffle (groups 4)",
    "two parts": "{branches: {a: slice (part 1 of 2), b: [slice (part 2 of 2), 3x3 conv (in)]}}",
    "pixel shuffle and back": "[pixelshuffle (factor 2), pixelunshuffle (factor 2)]",
    "pad and crop": "[pad (top 1), 3x3 conv (in), crop (top 1)]",
    "up and down": "[upsample (factor 2), 2x2 conv (in stride 2 V)]",
    "gate of neighbours": (
        "{join: mul, branches: {p: identity, q: [global avgpool, channelconv (kernel 3), sigmoid]}}"
    ),
    "gate": (
        "{join: mul, branches: {p: identity, "
        "q: [1x1 adaptive avgpool, s: 1x1 conv (4 act relu), e: 1x1 conv (in * 2 act sigmoid)]}}"
    ),
    "gate of places": "{join: mul, branches: {p: identity, q: 1x1 conv (1 act sigmoid)}}",
    "residual": "{residual: {}, steps: [3x3 conv (in), scale (init 0.1)]}",
}
# In a branch, `in` is the channels of the block: those of its steps are written out.
KEEPING["two parts"] = KEEPING["two parts"].replace("3x3 conv (in)", "3x3 conv (in//2)")
KEEPING["gate"] = KEEPING["gate"].replace("in * 2", "in")


MOVING = {"shuffle", "two parts"}
"""The steps that give other channels than they read, so that what stands behind reads others."""


def block(step: str) -> str:
    written = step if step[0] in "{[" else f'"{step}"'
    return f"blocks:\n  b: {{steps: [{{u: {written}}}]}}\n"


def net(step: str, *steps: str) -> str:
    """Return a spec whose block `b` is a step."""
    return HEAD + block(step) + "network:\n" + "".join(f"  - {line}\n" for line in steps)


def outputs(module: nn.Module, images: Tensor, *paths: str) -> list[Any]:
    """Return what parts of a module give, or the module itself for the path ``."""
    given: dict[str, Any] = {}

    def keep(path: str) -> Callable[[Any, Any, Any], None]:
        def hook(part: nn.Module, args: Any, result: Any) -> None:
            given[path] = result

        return hook

    handles = [module.get_submodule(path).register_forward_hook(keep(path)) for path in paths]
    with torch.no_grad():
        module(images)
    for handle in handles:
        handle.remove()
    return [given[path] for path in paths]


def hold_equal(old: nn.Module, new: nn.Module, *paths: str, channels: int = 3) -> None:
    """Assert that parts of two modules give the same for random images.

    Raises:
        AssertionError: one does not.
    """
    images = torch.randn(2, channels, 9, 9)
    pairs = zip(outputs(old, images, *paths), outputs(new, images, *paths), strict=True)
    for before, after in pairs:
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("op", KEEPING)
def test_renamed_steps_compute_the_same(op: str, project: Project) -> None:
    """The step, the conv before it and the block's call have other names; one list is new."""
    was = net(KEEPING[op], "c: 3x3 conv (8)", "p: b", "v: 3x3 conv (5)")
    now = net(KEEPING[op], "l: [d: 3x3 conv (8), q: b]", "v: 3x3 conv (5)").replace("{u:", "{w:")
    plan = planned(project, was, now)
    assert (plan.fresh, plan.left) == ((), ())
    hold_equal(*carried(project, plan), "")


@pytest.mark.parametrize("op", KEEPING)
def test_steps_behind_a_wider_one_are_told_and_those_before_it_are_carried(
    op: str, project: Project
) -> None:
    steps = ["s: 3x3 conv (8)", "before: b", "c: 3x3 conv (8)", "p: b", "v: 3x3 conv (5)"]
    was = net(KEEPING[op], *steps)
    steps[2] = "c: 3x3 conv (16)"
    plan = planned(project, was, net(KEEPING[op], *steps))
    old, new = carried(project, plan)
    shapes = [{key: t.shape for key, t in side.state_dict().items()} for side in (old, new)]
    same = {key for key, shape in shapes[1].items() if shapes[0].get(key) == shape}
    reasons = dict(plan.fresh)
    assert {"c.weight", "c.bias"} <= reasons.keys()
    assert reasons.keys() == shapes[1].keys() - same
    assert all(reason.startswith("it had the shape") for reason in reasons.values())
    assert dict(plan.recipes) == {key: Copy(key) for key in shapes[1] if key in same}
    hold_equal(old, new, "s", "before")


@pytest.mark.parametrize("op", KEEPING)
@pytest.mark.parametrize(("fewer", "more"), [(1, 2), (2, 3)])
def test_copies_that_both_sides_have_compute_the_same(
    op: str, fewer: int, more: int, project: Project
) -> None:
    """A step that is not repeated is the first of several copies."""
    counts = {1: "b", 2: "2 x b", 3: "3 x b"}
    specs = [
        net(KEEPING[op], "c: 3x3 conv (8)", f"p: {counts[count]}", "v: 3x3 conv (5)")
        for count in (fewer, more)
    ]
    grown = planned(project, *specs)
    old, new = carried(project, grown)
    last = {key for key in new.state_dict() if key.startswith(f"p.{more - 1}.")}
    filled = {key for key, recipe in grown.recipes if isinstance(recipe, Fill)}
    assert {key for key, _ in grown.fresh} | filled == last
    assert (grown.left, bool(grown.fresh and filled)) == ((), False)
    kept = ["c"] if fewer == 1 else ["c", "p.0", "p.1"]
    hold_equal(old, new, *([""] if filled else kept))
    shrunk = planned(project, *reversed(specs))
    old, new = carried(project, shrunk)
    is_folded = any(isinstance(recipe, FoldScale) for _, recipe in shrunk.recipes)
    if op in MOVING:
        assert dict(shrunk.fresh) == {
            "v.weight": "it reads its channels in an order that no recipe can restore"
        }
    else:
        assert shrunk.fresh == ()
        told = {key for key, _ in shrunk.left}
        assert told == ({key for key in last if "batches" in key} if is_folded else last)
    hold_equal(old, new, *([""] if is_folded else kept))


@pytest.mark.parametrize("op", KEEPING)
def test_a_step_under_a_condition_keeps_its_weights_while_it_is_there(
    op: str, project: Project
) -> None:
    body = KEEPING[op] if KEEPING[op][0] in "{[" else f'"{KEEPING[op]}"'
    text = (
        f"{HEAD}blocks:\n  b:\n    params: {{on: 1}}\n    steps:\n"
        f"      - a: 1x1 conv (8)\n      - u: {{when: on == 1, steps: {body}}}\n"
        "      - z: 1x1 conv (8 norm batchnorm)\n"
        "network:\n  - c: 3x3 conv (8)\n  - p: b (on=1)\n  - v: 3x3 conv (5)\n"
    )
    renamed = text.replace("- p: b", "- q: b")
    plan = planned(project, text, renamed)
    assert (plan.fresh, plan.left) == ((), ())
    hold_equal(*carried(project, plan), "")
    without = text.replace("(on=1)", "(on=0)")
    gone = planned(project, text, without)
    told = {key.rpartition(".")[0].partition(".u.")[0] for key, _ in gone.fresh}
    assert told == ({"p.z.conv"} if op in MOVING else set())
    is_folded = any(isinstance(recipe, FoldScale) for _, recipe in gone.recipes)
    assert all(".u." in f"{key}." for key, _ in gone.left if not key.startswith("p.z."))
    hold_equal(*carried(project, gone), *([""] if is_folded else ["p.a"]))
    come = planned(project, without, text)
    filled = {key for key, recipe in come.recipes if isinstance(recipe, Fill)}
    old, new = carried(project, come)
    keys = {key for key in new.state_dict() if key.startswith("p.u.")}
    assert {key for key, _ in come.fresh} | filled == keys
    hold_equal(old, new, *([""] if filled else ["p.a"]))


CONV = "c: 1x1 conv (8)"
LAST = "v: 3x3 conv (5)"

# Steps before and after, which with the carried weights compute the same.
EQUAL: dict[str, tuple[list[str], list[str]]] = {
    **{
        f"{norm} of a conv written apart": (
            [f"c: 1x1 conv (8 norm {norm})", LAST],
            [CONV, f"n: {norm}", LAST],
        )
        for norm in ("batchnorm", "groupnorm", "layernorm", "instancenorm")
    },
    **{
        f"{norm} behind a conv put into it": (
            ["c: 1x1 conv (8 no_bias)", f"n: {norm}", LAST],
            [f"c: 1x1 conv (8 norm {norm})", LAST],
        )
        for norm in ("batchnorm", "groupnorm", "layernorm", "instancenorm")
    },
    "batch norm behind a bias put into the conv": (
        [CONV, "n: batchnorm", "relu", LAST],
        ["c: 1x1 conv (8 norm batchnorm act relu)", LAST],
    ),
    "batch norm of a conv with a bias written apart": (
        ["c: 1x1 conv (8 norm batchnorm bias)", LAST],
        ["c: 1x1 conv (8 no_bias)", "n: batchnorm", LAST],
    ),
    "batch norm behind a conv taken out": ([CONV, "n: batchnorm", LAST], [CONV, LAST]),
    "batch norm behind a transposed conv taken out": (
        ["c: 2x2 deconv (8 stride 2)", "n: batchnorm", LAST],
        ["c: 2x2 deconv (8 stride 2)", LAST],
    ),
    "batch norm behind a linear layer taken out": (
        ["global avgpool", "c: linear (8)", "n: batchnorm", "v: linear (5)"],
        ["global avgpool", "c: linear (8)", "v: linear (5)"],
    ),
    "batch norm put in": ([CONV, LAST], [CONV, "n: batchnorm (eps 0.5)", LAST]),
    "scale put in": ([CONV, LAST], [CONV, "n: scale (init 0)", LAST]),
    "one scale put in": ([CONV, LAST], [CONV, "n: scale (one bias)", LAST]),
    "response put in": ([CONV, LAST], [CONV, "n: grn", LAST]),
    "prelu put in": ([CONV, LAST], [CONV, "n: prelu", LAST]),
    "several put in": ([CONV, LAST], [CONV, "batchnorm", "scale", "relu: prelu", LAST]),
    "batch norm put in at the end": ([CONV, LAST], [CONV, LAST, "n: batchnorm"]),
    "layer scale put into a residual": (
        [CONV, "r: {residual: {}, steps: [e: 3x3 conv (8)]}", LAST],
        [CONV, "r: {residual: {}, steps: [e: 3x3 conv (8), s: scale (init 1e-6)]}", LAST],
    ),
    "one factor for each channel": (
        [CONV, "n: scale (one bias)", LAST],
        [CONV, "n: scale (bias)", LAST],
    ),
    "one slope for each channel": ([CONV, "prelu", LAST], [CONV, "prelu (per_channel)", LAST]),
    "plain weights for standardised ones": (
        ["c: 3x3 conv (8 standardised weight_eps 0.5)", LAST],
        ["c: 3x3 conv (8)", LAST],
    ),
    "plain weights for those with a gain": (
        ["c: 3x3 conv (8 gain 2 groups 1 norm batchnorm)", LAST],
        ["c: 3x3 conv (8 norm batchnorm)", LAST],
    ),
    "a gate of linear layers by convolutions": (
        [
            CONV,
            "g: {join: mul, branches: {p: identity, q: [global avgpool, e: linear (8 act relu)]}}",
            LAST,
        ],
        [
            CONV,
            "g: {join: mul, branches: {p: identity, "
            "q: [1x1 adaptive avgpool, e: 1x1 conv (8 act relu)]}}",
            LAST,
        ],
    ),
    "a head by a convolution": (
        [CONV, "flatten", "v: linear (5)"],
        [CONV, "v: 9x9 conv (5 V)", "flatten"],
    ),
    "a head by a linear layer": (
        [CONV, "v: 9x9 conv (5 V)", "flatten"],
        [CONV, "flatten", "v: linear (5)"],
    ),
}


@pytest.mark.parametrize("edit", EQUAL)
def test_the_same_function_in_other_steps_takes_the_old_weights(
    edit: str, project: Project
) -> None:
    was, now = EQUAL[edit]
    plan = planned(project, *(net("relu", *steps, "o: b") for steps in (was, now)))
    assert plan.fresh == ()
    hold_equal(*carried(project, plan), "")


# Steps before and after, the new tensors that are told, and the old ones.
TOLD: dict[str, tuple[list[str], list[str], set[str], set[str]]] = {
    "group norm put in": ([CONV, LAST], [CONV, "n: groupnorm", LAST], {"n"}, set()),
    "layer norm put in": ([CONV, LAST], [CONV, "n: layernorm", LAST], {"n"}, set()),
    "group norm taken out": ([CONV, "n: groupnorm", LAST], [CONV, LAST], set(), {"n"}),
    "scale taken out": ([CONV, "n: scale", LAST], [CONV, LAST], set(), {"n"}),
    "batch norm behind a conv without a bias taken out": (
        ["c: 1x1 conv (8 no_bias)", "n: batchnorm", LAST],
        ["c: 1x1 conv (8 no_bias)", LAST],
        set(),
        {"n"},
    ),
    "a bias before a layer norm": (
        [CONV, "n: layernorm", LAST],
        ["c: 1x1 conv (8 norm layernorm)", LAST],
        set(),
        {"c"},
    ),
    "one factor for all channels": (
        [CONV, "n: scale", LAST],
        [CONV, "n: scale (one)", LAST],
        {"n"},
        {"n"},
    ),
    "a gain for standardised weights": (
        ["c: 3x3 conv (8 standardised)", LAST],
        ["c: 3x3 conv (8 gain 1)", LAST],
        {"c"},
        set(),
    ),
    "a scale in a branch of its own": (
        [CONV, LAST],
        [CONV, "m: {branches: {a: identity, b: [scale (init 1e-6), 1x1 conv (2)]}}", LAST],
        {"m", "v"},
        {"v"},
    ),
    "a linear layer for a convolution that slides": (
        [CONV, "v: 3x3 conv (5)", "global avgpool", "w: linear (5)"],
        [CONV, "global avgpool", "v: linear (5)", "w: linear (5)"],
        {"v"},
        {"v"},
    ),
    "a weight that another step shares": (
        [CONV, "a: 1x1 conv (8)", "d: {from: c, steps: 1x1 conv (8)}", LAST],
        [CONV, "a: 1x1 conv (8)", "d: {from: c, reuse: a}", LAST],
        set(),
        {"d"},
    ),
}


@pytest.mark.parametrize("edit", TOLD)
def test_tensors_that_nothing_is_made_of_are_told(edit: str, project: Project) -> None:
    was, now, fresh, left = TOLD[edit]
    specs = [net("relu", "s: 3x3 conv (4)", *steps, "o: b") for steps in (was, now)]
    plan = planned(project, *specs)
    assert {key.partition(".")[0] for key, _ in plan.fresh} == fresh
    told = {key.partition(".")[0] for key, _ in plan.left if "num_batches" not in key}
    assert told == left
    hold_equal(*carried(project, plan), "s")


PAIR = HEAD.replace("input: 9x9x3", "input: {left: 9x9x3, right: 9x9x3}") + "network:\n"
TWO = "  - a: {from: left, steps: 1x1 conv (6)}\n  - b: {from: right, steps: 1x1 conv (6)}\n"
ONE = "  - a: {from: left, steps: 1x1 conv (6)}\n  - b: {from: right, reuse: a}\n"
JOINED = "  - m: {from: [a, b], join: concat}\n  - v: 3x3 conv (5)\n"
TURNED = JOINED.replace("[a, b]", "[b, a]")

INPUTS = {
    "other names": (TWO + JOINED, TWO + JOINED),
    "another order of the concat": (TWO + JOINED, TWO + TURNED),
    "shared weights in another order": (ONE + JOINED, ONE + TURNED),
    "weights shared no longer": (ONE + JOINED, TWO + JOINED),
    "the inputs themselves in another order": (
        "  - m: {from: [left, right], join: concat}\n  - v: 3x3 conv (5)\n",
        "  - m: {from: [right, left], join: concat}\n  - v: 3x3 conv (5)\n",
    ),
}


@pytest.mark.parametrize("edit", INPUTS)
def test_networks_of_several_inputs_compute_the_same(edit: str, project: Project) -> None:
    was, now = INPUTS[edit]
    new = PAIR + now
    if edit == "other names":
        new = new.replace("left", "first").replace("right", "second")
    plan = planned(project, PAIR + was, new)
    assert plan.fresh == ()
    before, after = carried(project, plan)
    images = torch.randn(2, 3, 9, 9), torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(after(*images), before(*images), rtol=1e-4, atol=1e-4)


def test_a_block_whose_inputs_have_another_order_computes_the_same(project: Project) -> None:
    head = HEAD.replace("input: 9x9x3", "input: {left: 9x9x3, right: 9x9x3}")
    inner = "x1: {from: p, steps: 1x1 conv (6)}, x2: {from: q, steps: 3x3 conv (6)}"
    old, new = (
        f"{head}blocks:\n  j: {{inputs: {inputs}, steps: [{inner}, m: {{from: {order}, join: "
        f"concat}}]}}\nnetwork:\n  - j: {{from: {reads}, steps: j}}\n  - v: 3x3 conv (5)\n"
        for inputs, order, reads in (
            ("[p, q]", "[x1, x2]", "[left, right]"),
            ("[q, p]", "[x2, x1]", "[right, left]"),
        )
    )
    plan = planned(project, old, new)
    assert plan.fresh == ()
    assert plan.recipes[-2][0] == "v.weight"
    before, after = carried(project, plan)
    images = torch.randn(2, 3, 9, 9), torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(after(*images), before(*images), rtol=1e-4, atol=1e-4)
