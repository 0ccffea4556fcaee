"""Exact rewrites by value: forward and gradient in double precision, with the plan's weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
import torch
from conftest import NET, Project
from torch import Tensor, nn
from torch_category import built, randomise

from inception_dsl import driver
from inception_dsl.analysis import measure_cost
from inception_dsl.bridge import carry_weights, make_module, read_plan
from inception_dsl.bridge.weights import run_recipe
from inception_dsl.driver.rewriting import make_rewrite_plan, rewrite
from inception_dsl.driver.walk import Checked
from inception_dsl.ir import TensorType
from inception_dsl.ir.verify import verify
from inception_dsl.ir.weights import ConcatOut, Copy, Subtract, WeightPlan
from inception_dsl.passes import PASSES, compose_plans, rewrite_model
from inception_dsl.resolve import Overrides

ROOT = Path(__file__).parents[2]
NEW = "specs/new.yaml"

HEAD = "inception: 1\nname: net\ninput: 14x14x12\ndefaults: {conv: {norm: batchnorm, act: relu}}\n"

SPECS = {
    "branches of a block": (
        ["P814"],
        "blocks:\n"
        "  m:\n"
        "    params: [c, r]\n"
        "    branches:\n"
        "      a: 1x1 conv (c)\n"
        "      b: [1x1 conv (r), 3x3 conv (2*c)]\n"
        "      d: [1x1 conv (2*r), 3x3 conv (c), 3x3 conv (c)]\n"
        "      p: [3x3 avgpool, 1x1 conv (c)]\n"
        "network: [m (c=4 r=3), m (c=5 r=2)]\n",
    ),
    "two kinds of convs on one value": (
        ["P814"],
        "network:\n"
        "  branches: {a: 1x1 conv (3), b: 1x1 conv (4 linear), c: 1x1 conv (5), "
        "d: 1x1 conv (6 linear)}\n",
    ),
    "below a shortcut, in a repeated block": (
        ["P814"],
        "blocks:\n"
        "  m:\n"
        "    residual: {scale: 0.2, act: relu}\n"
        "    branches: {a: 1x1 conv (in // 2), b: [1x1 conv (4), 3x3 conv (in - in // 2)]}\n"
        "network: [2 x m]\n",
    ),
    "a bias in a conv, and one before norms that read it": (
        ["P815"],
        "network:\n"
        "  - a: 3x3 conv (8 bias)\n"
        "  - b: 3x3 conv (8 norm none act none bias)\n"
        "  - n: batchnorm\n"
        "  - m: {from: b, op: batchnorm}\n"
        "  - j: {from: [n, m], join: add}\n",
    ),
    "steps without effect": (
        ["P815"],
        "network: [a: 3x3 conv (8), 1x1 maxpool, p: 1x1 avgpool, b: 3x3 conv (4), 3x3 maxpool, "
        "rescale (factor 1)]\n",
    ),
    "a bias before the mean of a channel over the map": (
        ["P815"],
        "network: [a: 3x3 conv (8 bias norm instancenorm), "
        "b: 3x3 conv (8 bias norm none act none), instancenorm, relu]\n",
    ),
    "activations that keep all values": (
        ["P815"],
        "network:\n"
        "  - branches: {a: 3x3 conv (6), b: [1x1 conv (6 act relu6), relu], c: 1x1 conv (6)}\n"
        "  - relu\n"
        "  - r6: relu6\n"
        "  - {op: 2x2 maxpool, stride: 2}\n"
        "  - hardtanh (min 0 max 6)\n"
        "  - s: 1x1 conv (6 act sigmoid)\n"
        "  - 3x3 avgpool\n"
        "  - leaky_relu\n"
        "  - 1x1 conv (5 act tanh)\n"
        "  - hardtanh\n"
        "  - elu\n",
    ),
    "a merge of what has lost its bias": (
        ["P815", "P814"],
        "network: {branches: {a: 1x1 conv (3 bias), b: 1x1 conv (4 bias), c: 3x3 conv (2 bias)}}\n",
    ),
}


def run(
    module: nn.Module, inputs: Sequence[Tensor], *, train: bool
) -> tuple[list[Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Return the outputs, and the gradients of inputs and of parameters by their keys."""
    module.double().train(train)
    torch.manual_seed(5)
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    outputs = module(*leaves)
    tensors = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    weighed = [
        (tensor * torch.linspace(-1, 1, tensor.numel()).reshape(tensor.shape)).sum()
        for tensor in tensors
    ]
    torch.autograd.backward(torch.stack(weighed).sum())
    grads = {key: own.grad for key, own in module.named_parameters() if own.grad is not None}
    read = {str(index): leaf.grad for index, leaf in enumerate(leaves) if leaf.grad is not None}
    return [tensor.detach() for tensor in tensors], read, grads


def is_same(one: Tensor, other: Tensor) -> bool:
    """Tell whether tensors in double precision differ by rounding alone."""
    one, other = one.double(), other.double()
    return bool((one - other).norm() <= 1e-9 * other.norm() + 1e-12)


def compare(old: nn.Module, new: nn.Module, plan: WeightPlan, types: Sequence[TensorType]) -> None:
    """Make sure that two modules give the same values and gradients, in both modes."""
    randomise(old, seed=3)
    old.double()
    new.double()
    assert plan.fresh == ()
    new.load_state_dict(carry_weights(plan, old.state_dict(), new.state_dict()), strict=True)
    inputs = [torch.randn(3, *type.shape, dtype=torch.float64) for type in types]
    for train in (False, True):
        before, after = (run(module, inputs, train=train) for module in (old, new))
        assert all(map(is_same, after[0], before[0]))
        assert before[1].keys() == after[1].keys()
        assert all(is_same(after[1][key], before[1][key]) for key in before[1])
        for key, recipe in plan.recipes:
            if key in after[2] and isinstance(recipe, Copy | ConcatOut):
                carried = run_recipe(key, recipe, before[2], after[2][key])
                assert is_same(after[2][key], carried), key
    # A batch in training has moved the running statistics of both alike.
    carried_over = carry_weights(plan, old.state_dict(), new.state_dict())
    assert all(is_same(own, carried_over[key]) for key, own in new.state_dict().items())


@pytest.mark.parametrize("name", SPECS)
def test_exact_rewrites_keep_values_gradients_and_statistics(name: str, project: Project) -> None:
    select, body = SPECS[name]
    project.write(NET, HEAD + body)
    done = rewrite(NET, folder=project.root, select=select)
    assert [entry.refusal for entry in done.log] == [""] * len(done.log)
    assert {entry.code for entry in done.log} == set(select)
    plan = read_plan(make_rewrite_plan(done, project.root / "plan.json").text)
    assert plan == done.weights
    project.write(NEW, done.artifact.text)
    (old, model), (new, _) = (built(project, side) for side in (NET, NEW))
    compare(old, new, plan, list(model.inputs.values()))


def draw_join(random: Random, depth: int = 0) -> str:
    """Return random branches: 1x1 convolutions alone or first in a list, and others."""
    branches = []
    for index in range(random.randint(2, 4)):
        width, words = random.randint(1, 5), random.choice(["", " linear", " norm none", " bias"])
        conv = f"1x1 conv ({random.choice([f'{width}', f'c + {width}', f'{width}*c'])}{words})"
        behind = f"{random.choice(['1x1', '3x3'])} conv ({width})"
        long = f"{{op: 1x1 conv, width: {width}, act: relu}}"
        kinds = [
            conv,
            f"'{conv}'",
            long,
            f"[{conv}, {behind}]",
            f"[first: {conv}, {behind}]",
            behind,
        ]
        if depth < 1:
            kinds.append(draw_join(random, depth + 1))
        branches.append(f"b{index}: {random.choice([*kinds, f'[3x3 maxpool, {conv}]'])}")
    return f"{{branches: {{{', '.join(branches)}}}}}"


@pytest.mark.parametrize("seed", range(12))
def test_random_joins_keep_values_when_their_convolutions_are_merged(
    seed: int, project: Project
) -> None:
    random = Random(seed)
    block = f"blocks: {{m: {{params: [c], steps: [relu, {draw_join(random)}]}}}}\n"
    project.write(NET, f"{HEAD}{block}network: [m (c=2), m (c=3)]\n")
    done = rewrite(NET, folder=project.root, select=["P814"])
    assert all(not entry.refusal or "begins no branch" in entry.refusal for entry in done.log)
    if not done.is_changed:
        return
    project.write(NEW, done.artifact.text)
    (old, model), (new, _) = (built(project, side) for side in (NET, NEW))
    compare(old, new, done.weights, list(model.inputs.values()))


def test_dropout_behind_a_mean_keeps_what_inference_gives(project: Project) -> None:
    body = "network: [3x3 conv (8), dropout (drop 0.5), global avgpool, linear (5)]\n"
    project.write(NET, HEAD + body)
    done = rewrite(NET, folder=project.root, select=["P815"])
    assert (done.is_changed, done.is_exact, done.weights.fresh) == (True, False, ())
    project.write(NEW, done.artifact.text)
    (old, model), (new, _) = (built(project, side) for side in (NET, NEW))
    randomise(old, seed=3)
    new.load_state_dict(carry_weights(done.weights, old.state_dict(), new.state_dict()))
    inputs = [torch.randn(2, *type.shape, dtype=torch.float64) for type in model.inputs.values()]
    before, after = (run(module, inputs, train=False) for module in (old, new))
    assert all(map(is_same, after[0], before[0]))
    assert all(is_same(after[2][key], before[2][key]) for key in before[2])


@pytest.mark.parametrize(
    ("select", "body"),
    [
        (["P803"], "network: [3x3 conv (300), 3x3 conv (300), global avgpool]\n"),
        (["P804"], "network: [3x3 conv (32), relu, 2x2 maxpool (stride 2), m]\n"),
    ],
)
def test_a_plan_keeps_what_stays_and_leaves_the_rest_fresh(
    select: list[str], body: str, project: Project
) -> None:
    """The module of the result takes the plan's tensors, and its own for those that begin fresh."""
    blocks = "blocks: {m: {branches: {a: 1x1 conv (32), b: [3x3 maxpool, 1x1 conv (32)]}}}\n"
    project.write(NET, HEAD + blocks + body)
    done = rewrite(NET, folder=project.root, select=select)
    assert done.is_changed
    project.write(NEW, done.artifact.text)
    (old, model), (new, _) = (built(project, side) for side in (NET, NEW))
    fresh = new.state_dict()
    carried = carry_weights(done.weights, old.state_dict(), fresh)
    assert carried.keys() == fresh.keys()
    told = {key for key, _ in done.weights.fresh}
    assert told and all(torch.equal(carried[key], fresh[key]) for key in told)
    kept = carried.keys() - told
    assert kept and all(torch.equal(carried[key], old.state_dict()[key]) for key in kept)
    new.load_state_dict(carried)
    inputs = [torch.randn(2, *type.shape, dtype=torch.float64) for type in model.inputs.values()]
    before, after = (run(module, inputs, train=False)[0] for module in (old, new))
    assert [each.shape for each in before] == [each.shape for each in after]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("googlenet", "P814"),
        ("bn_inception", "P814"),
        ("bn_inception", "P815"),
        ("inception_v3", "P814"),
    ],
)
def test_passes_on_models_keep_values_without_a_text(spec: str, code: str) -> None:
    overrides = Overrides(input="96x96x3")
    old = driver.measure(spec, folder=ROOT, overrides=overrides)
    (chosen,) = (each for each in PASSES if each.code == code)
    done = rewrite_model(old.model, [chosen])
    assert any(not entry.refusal for entry in done.log)
    assert all(entry.is_exact for entry in done.log)
    assert verify(done.model) == []
    new = Checked(old.file, done.model, measure_cost(done.model), ())
    saved = old.cost.totals.params - new.cost.totals.params
    biases = sum(isinstance(recipe, Subtract) for _, recipe in done.weights.recipes)
    assert (old.cost.totals.macs, saved > 0) == (new.cost.totals.macs, biases > 0)
    modules = [make_module(driver.emit_module(each), each.model.name) for each in (old, new)]
    compare(modules[0], modules[1], done.weights, list(old.model.inputs.values()))


def test_plans_one_after_the_other_are_one_plan() -> None:
    """A tensor that two plans compute is told as fresh, never computed by halves."""
    first = WeightPlan((("m", Subtract("a", "b")), ("c", Copy("d"))), (("f", "new"),), ())
    copied = WeightPlan((("x", Copy("m")), ("y", ConcatOut((Copy("c"), Copy("m"))))), (), ())
    assert compose_plans(first, copied).recipes == (
        ("x", Subtract("a", "b")),
        ("y", ConcatOut((Copy("d"), Subtract("a", "b")))),
    )
    twice = WeightPlan((("x", Subtract("m", "c")), ("y", Copy("f"))), (), (("c", "gone"),))
    composed = compose_plans(first, twice)
    assert composed.recipes == ()
    assert [key for key, _ in composed.fresh] == ["x", "y"]
    assert dict(composed.left) == {"d": "gone"}


def draw_line(random: Random) -> str:
    """Return a convolution with any of the words that a factorisation must keep or share."""
    kernel, groups = random.choice([3, 5, 7]), random.choice([1, 1, 2, 4])
    dilation = random.choice([1, 1, 1, 2])
    same = (kernel - 1) * dilation // 2
    pads = ["", "V", "same_tf", f"pad {same}", f"pad {same}x0", f"pad {random.randint(0, same)}"]
    norm = random.choice(["none", "batchnorm", "layernorm", "instancenorm"])
    words = [str(random.choice([8, 16])), random.choice(pads), f"norm {norm}"]
    words += [f"groups {groups}"] * (groups > 1) + [f"dilation {dilation}"] * (dilation > 1)
    words += ["stride 2"] * (random.random() < 0.3)
    return f"{kernel}x{kernel} conv ({' '.join(filter(None, words))})"


def find_pixels(module: nn.Module, shape: tuple[int, ...]) -> list[Tensor]:
    """Return the pixels that the first unit of the result, one inside and the last one see."""
    module.double().eval()
    with torch.no_grad():
        for tensor in module.parameters():  # positive weights, so that no two ways cancel
            tensor.uniform_(0.5, 1.5)
    image = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    result = module(image).sum(1)[0]
    units = [(0, 0), (result.shape[0] // 2, result.shape[1] // 3), (-1, -1)]
    return [
        torch.autograd.grad(result[unit], image, retain_graph=True)[0].abs().sum((0, 1)) > 1e-12
        for unit in units
    ]


def test_parts_see_the_pixels_of_their_kernel(project: Project) -> None:
    random, made = Random(8), 0
    for _ in range(12):
        side = random.randint(16, 20)
        head = HEAD.replace("14x14x12", f"{side}x{side}x8").replace(
            "norm: batchnorm, act: relu", ""
        )
        project.write(NET, f"{head}network: [{draw_line(random)}]\n")
        code = random.choice(["P811", "P812"])
        done = rewrite(NET, folder=project.root, select=[code])
        if not done.is_changed:
            continue
        project.write(NEW, done.artifact.text)
        (old, model), (new, other) = (built(project, each) for each in (NET, NEW))
        assert model.root.output_types == other.root.output_types
        (input,) = model.inputs.values()
        before, after = (find_pixels(each, input.shape) for each in (old, new))
        assert all(map(torch.equal, before, after)), done.artifact.text
        made += 1
    assert made > 5
