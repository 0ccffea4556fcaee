"""Modules for inference give what the modules for training give in inference."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from random_operations import Drawn, operations
from random_specs import QUICK, specs, wired_specs
from random_steps import Spec
from torch import Tensor, nn
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.cli import main as run_command
from inception_dsl.driver.walk import Checked
from inception_dsl.resolve import Overrides

HERE = Path(__file__).parent

NETWORKS = {
    "convnext_tiny": "32x32x3",
    "densenet121": "32x32x3",
    "digits": "",
    "efficientnet_b0": "32x32x3",
    "googlenet": "96x96x3",
    "mobilenet_v3_large": "32x32x3",
    "regnet_y_400mf": "32x32x3",
    "shufflenet_v2": "32x32x3",
    "squeezenet1_1": "64x64x3",
}
"""Together they have every way in which a shipped network is wired; `benchmarks/inference.py` runs
all of them, at their own inputs."""


def own_module(found: Checked, seed: int) -> nn.Module:
    module = make_module(driver.emit_module(found), found.model.name).eval()
    randomise(module, seed=seed)
    return module


def run_source(source: str) -> ModuleType:
    """Return an emitted file as a module."""
    made = ModuleType("emitted_inference")
    exec(compile(source, "inference.py", "exec"), made.__dict__)
    return made


def write_source(found: Checked) -> str:
    (artifact,) = driver.emit_inference_module(found, output=HERE).artifacts
    return artifact.content.decode()


def run_module(module: nn.Module, images: list[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        output = module(*images)
    return [output] if isinstance(output, Tensor) else list(output)


def hold_against_module(
    found: Checked, *, seed: int, batch: int = 2, shift: float = 0, single: float = 2e-6
) -> Any:
    """The module for inference gives what that for training does, packed and not.

    Args:
        single: maximum relative error in single precision.

    Raises:
        AssertionError: it does not.
    """
    module = own_module(found, seed)
    made = run_source(write_source(found))
    torch.manual_seed(seed)
    images = [torch.randn(batch, *type.shape) + shift for type in found.model.inputs.values()]
    own = run_module(module, images)
    network = made.from_checkpoint(module.state_dict())
    plain = run_module(network, images)
    made.prepare(network, *(image[:1] for image in images))
    assert all(layer.packed is not None for layer in network.modules() if hasattr(layer, "packed"))
    packed = run_module(network, images)
    wide = [image.double() for image in images]
    exact = run_module(module.double(), wide)
    network = made.from_checkpoint(module.state_dict(), dtype=torch.float64)
    for one, wanted in zip(run_module(network, wide), exact, strict=True):
        assert relative_error(one, wanted) <= 1e-12
    for wanted, by_torch, one, other in zip(exact, own, plain, packed, strict=True):
        allowed = single + 5 * relative_error(by_torch.double(), wanted)
        assert relative_error(one.double(), wanted) <= allowed
        assert relative_error(other.double(), wanted) <= allowed
    return network


@pytest.mark.parametrize(("name", "input"), NETWORKS.items())
def test_a_shipped_network_gives_what_its_module_does(name: str, input: str) -> None:
    found = driver.check(name, folder=HERE, overrides=Overrides(input or None))
    hold_against_module(found, seed=3)


def test_random_networks_give_what_the_module_does(project: Project) -> None:
    def hold(spec: Spec) -> None:
        project.write(NET, spec.text())
        hold_against_module(project.check(), seed=1, single=2e-5)

    settings(QUICK, max_examples=14)(given(specs())(hold))()
    settings(QUICK, max_examples=10)(given(wired_specs())(hold))()


def test_random_operations_give_what_the_module_does(project: Project) -> None:
    @given(operations())
    def claim(drawn: Drawn) -> None:
        project.write(NET, drawn.spec.text())
        hold_against_module(project.check(), seed=1, batch=3, shift=drawn.shift, single=2e-5)

    settings(QUICK, max_examples=16)(claim)()


def test_fixed_numbers_that_no_checkpoint_has_are_those_of_the_module(project: Project) -> None:
    """A network is made without memory for its weights; the numbers of a blur must be there."""
    project.write(NET, "inception: 1\nname: net\ninput: 9x9x3\nnetwork: [3x3 blur (stride 2)]\n")
    hold_against_module(project.check(), seed=2)


SUMS = """
inception: 1
name: net
input: 8x8x4
defaults: {conv: {norm: batchnorm}}
blocks:
  unit: {residual: {act: relu, scale: 0.3}, steps: [3x3 conv (4 act relu), 1x1 conv (4)]}
network:
  - first: unit
  - second: unit
  - third: {branches: {kept: identity, made: unit}}
  - fourth: {residual: {shortcut: 1x1 conv (6)}, steps: [3x3 conv (6)]}
"""


def test_a_sum_overwrites_a_value_that_nothing_reads_afterwards(project: Project) -> None:
    project.write(NET, SUMS)
    found = project.check()
    hold_against_module(found, seed=4)
    lines = [line for line in write_source(found).splitlines() if "added=" in line]
    in_place = ["in_place=True" in line for line in lines]
    assert in_place == [False, True, False, True]  # the input, a sum, a value of a concat, a conv


def test_a_sum_takes_a_gradient_to_the_value_that_is_added(project: Project) -> None:
    project.write(NET, SUMS)
    found = project.check()
    module = own_module(found, 5)
    made = run_source(write_source(found))
    network = made.from_checkpoint(module.state_dict())
    image = torch.randn(1, 4, 8, 8)
    made.prepare(network, image)
    gradients: list[Tensor] = []
    for one in (module, network):
        read = image.clone().requires_grad_()
        gradients += torch.autograd.grad(one(read).square().sum(), read)
    assert relative_error(*gradients) <= 1e-4


NETWORK = """
inception: 1
name: net
input: 8x8x3
defaults: {conv: {norm: batchnorm, act: relu}}
network:
  - stem: 3x3 conv (4)
  - mixed:
      branches:
        left: [1x1 conv (4), 3x3 conv (4)]
        pool: [3x3 avgpool (stride 1), 1x1 conv (2)]
  - top: global avgpool
  - fc: linear (5)
heads:
  aux: {at: stem, steps: [global avgpool, linear (5)]}
"""


@pytest.fixture
def found(project: Project) -> Checked:
    project.write(NET, NETWORK)
    return project.check()


@pytest.fixture
def state(found: Checked) -> dict[str, Tensor]:
    return own_module(found, 4).state_dict()


def test_the_forward_pass_has_a_line_for_a_step(found: Checked) -> None:
    _, _, forward = write_source(found).partition("    def forward(self, x: Tensor) -> Tensor:\n")
    body, _, _ = forward.partition("\n\n\n")
    assert (
        body
        == """\
        x = x.contiguous(memory_format=torch.channels_last)
        x = self.stem(x)  # N x 4 x 8 x 8

        # mixed
        left = self.mixed.left.conv(x)  # N x 4 x 8 x 8
        left = self.mixed.left.conv2(left)  # N x 4 x 8 x 8
        pool = self.mixed.pool.conv(x)  # N x 2 x 8 x 8
        pool = F.relu(self.mixed.pool.avgpool(pool))  # N x 2 x 8 x 8
        x = torch.cat([left, pool], dim=1)  # N x 6 x 8 x 8
        del left, pool

        x = self.top(x)  # N x 6
        x = self.fc(x)  # N x 5
        return x"""
    )


def test_a_checkpoint_that_lacks_or_adds_a_tensor_is_refused(
    found: Checked, state: dict[str, Tensor]
) -> None:
    load = run_source(write_source(found)).from_checkpoint
    load({key: tensor for key, tensor in state.items() if not key.startswith("aux.")})
    for key in ("stem.bn.running_var", "mixed.left.conv.conv.weight", "fc.bias"):
        less = {other: tensor for other, tensor in state.items() if other != key}
        with pytest.raises(RuntimeError, match=f"lacks .'{key}'. and has .. besides"):
            load(less)
    for key in ("stem.conv.bias", "auxiliary.weight"):
        with pytest.raises(RuntimeError, match=f"lacks .. and has .'{key}'. besides"):
            load({**state, key: torch.zeros(4)})
    with pytest.raises(RuntimeError, match=r"size mismatch for fc\.weight"):
        load({**state, "fc.weight": torch.zeros(6, 6)})


def test_weights_are_those_of_no_other_module(found: Checked, state: dict[str, Tensor]) -> None:
    network = run_source(write_source(found)).from_checkpoint(state)
    before = network.fc.weight.clone()
    state["fc.weight"].zero_()
    assert torch.equal(network.fc.weight, before)
    assert not any(weight.requires_grad for weight in network.parameters())
    assert sorted(network.state_dict()) == sorted(
        f"{path}.{name}"
        for path in ("stem", "mixed.left.conv", "mixed.left.conv2", "mixed.pool.conv", "fc")
        for name in ("bias", "weight")
    )


def test_packed_weights_are_never_stale(found: Checked, state: dict[str, Tensor]) -> None:
    made = run_source(write_source(found))
    network, image = made.from_checkpoint(state), torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        wanted = network(image)
        made.prepare(network, image)
        assert network.stem.packed is not None
        for copied in (deepcopy(network), network.float()):
            assert copied.stem.packed is None
            torch.testing.assert_close(copied(image), wanted)
        made.prepare(network, image)
        network.load_state_dict({key: 2 * own for key, own in network.state_dict().items()})
        assert network.stem.packed is None
        made.prepare(network.double(), image.double())
        assert network.stem.packed is None, "oneDNN has no convolution in double precision"


def test_without_fused_convolutions_nothing_is_packed(
    found: Checked, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run_source(write_source(found))
    network, image = made.from_checkpoint(state), torch.randn(1, 3, 8, 8)
    monkeypatch.setattr(made, "_has_fused_convolution", lambda x: False)
    made.prepare(network, image)
    assert network.stem.packed is None
    torch.testing.assert_close(network(image), own_module(found, 4)(image))


def test_gradients_reach_an_image_through_packed_weights(
    found: Checked, state: dict[str, Tensor]
) -> None:
    made = run_source(write_source(found))
    network, image = made.from_checkpoint(state), torch.randn(1, 3, 8, 8, requires_grad=True)
    made.prepare(network, image)
    (given,) = torch.autograd.grad(network(image).sum(), image)
    (wanted,) = torch.autograd.grad(own_module(found, 4)(image).sum(), image)
    torch.testing.assert_close(given, wanted)


def test_half_precision_is_rounded_from_double(found: Checked, state: dict[str, Tensor]) -> None:
    made = run_source(write_source(found))
    half = made.from_checkpoint(state, dtype=torch.bfloat16)
    exact = made.from_checkpoint(state, dtype=torch.float64)
    for key, weight in half.state_dict().items():
        assert torch.equal(weight, exact.state_dict()[key].bfloat16())
    image = torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        made.prepare(half, image.bfloat16())
        given, wanted = half(image.bfloat16()), exact(image.double())
    assert given.dtype == torch.bfloat16
    assert relative_error(given.double(), wanted) < 0.05


def test_a_network_with_packed_weights_is_exported(
    found: Checked, state: dict[str, Tensor]
) -> None:
    made = run_source(write_source(found))
    network, images = made.from_checkpoint(state), torch.randn(3, 3, 8, 8)
    made.prepare(network, images)
    shapes = ({0: torch.export.Dim("batch")},)
    exported = torch.export.export(network, (images[:2],), dynamic_shapes=shapes)
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(images), network(images))


OTHERS = {
    "a pool that counts padding": "- 3x3 avgpool (stride 1 count_pad)\n  - 1x1 conv (2)",
    "weights that run twice": "- one: {steps: [3x3 conv (3), 1x1 conv (3)]}\n"
    "  - again: {from: one, reuse: one}",
    "weights behind which two norms stand": "- one: 3x3 conv (3 norm none act none)\n"
    "  - norm: batchnorm\n  - two: {from: norm, reuse: one}\n  - last: batchnorm",
    "an activation with a weight": "- 3x3 conv (4 act prelu)\n  - 1x1 conv (2 norm none act prelu)",
    "standardised weights": "- 3x3 conv (4 standardised gain 1.5)\n"
    "  - 3x3 conv (4 norm none standardised)",
    "a norm alone": "- batchnorm\n  - relu\n  - 1x1 conv (4)\n  - global avgpool\n  - batchnorm",
    "TensorFlow's padding": "- 3x3 conv (4 stride 2 same_tf)\n  - 2x2 sepconv (4 same_tf)",
    "the largest of branches": "- wide:\n      branches: {a: 1x1 conv (4), b: 1x1 conv (4)}\n"
    "      join: maximum\n  - relu",
    "a deconv": "- 3x3 deconv (6 stride 2)\n  - 3x3 deconv (6 groups 3)",
}


@pytest.mark.parametrize("steps", OTHERS.values(), ids=OTHERS)
def test_a_network_gives_what_its_module_does(steps: str, project: Project) -> None:
    head, _, _ = NETWORK.partition("  - stem")
    project.write(NET, f"{head}  {steps}\n")
    hold_against_module(project.check(), seed=2, single=1e-5)


def test_several_outputs_have_names(project: Project) -> None:
    head, _, _ = NETWORK.partition("  - stem")
    project.write(NET, f"{head}  - a: 3x3 conv (4)\n  - b: 1x1 conv (2)\noutputs: {{a: a, b: b}}\n")
    network = hold_against_module(project.check(), seed=2, single=1e-5)
    given = network(torch.randn(1, 3, 8, 8, dtype=torch.float64))
    assert given._fields == ("a", "b")


def test_a_build_writes_the_file_and_a_plain_one_leaves_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(NET, NETWORK)
    monkeypatch.chdir(project.root)
    command = ["build", "--target", "inference"]
    assert run_command(command) == 0
    file = project.root / "generated" / "net" / "inference.py"
    assert file.read_text(encoding="utf-8") == write_source(project.check())
    assert run_command(["build"]) == run_command(["build", "--check"]) == 0
    assert run_command([*command, "--check"]) == 0
    file.write_bytes(file.read_bytes() + b"\n")
    capsys.readouterr()
    assert run_command([*command, "--check"]) == 1
    told = capsys.readouterr()
    assert "mend it with: inception-dsl build net --target inference" in told.err
    (project.root / NET).unlink()
    project.write("specs/other.yaml", NETWORK.replace("net\n", "other\n", 1))
    assert run_command(["build", "--check"]) == 1
    assert "no spec makes generated/net: delete it" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--verify", "--gallery", "--weights=w.pt"])
def test_options_of_other_targets_are_refused(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["build", "googlenet", "--target", "inference", word]) == 2
    assert capsys.readouterr().err.startswith(f"error: `{word.partition('=')[0]}` is for")


def test_the_norms_that_stay_are_told_with_the_reason(project: Project) -> None:
    project.write(
        NET,
        """
        inception: 1
        name: net
        input: 8x8x3
        network:
          - batchnorm
          - stem: 3x3 conv (4 norm batchnorm)
          - one: 3x3 conv (4 norm none act none)
          - norm: batchnorm
          - left: {from: one, steps: 1x1 conv (4 norm batchnorm)}
          - sum: {from: [norm, left], join: add}
          - batchnorm
          - groupnorm (groups 2)
        """,
    )
    text = " ".join((run_source(write_source(project.check())).__doc__ or "").split())
    assert (
        "2 norms are folded into the weights before them. 3 norms are a factor and an offset of "
        "each channel: 1 on an input; 1 behind `conv`, whose value other steps read; 1 behind "
        "`add`. 1 norm is computed from each image." in text
    )
