"""Modules in their form for training have the values and gradients of the modules beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
import torch
from conftest import NET, Project
from torch import Tensor, nn
from torch_category import randomise

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.cli import main as run_command
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.walk import Checked
from inception_dsl.resolve import AS_WRITTEN, Overrides

HERE = Path(__file__).parent
NAME = "net"
HEAD = "inception: 1\nname: net\ninput: 14x14x12\ndefaults: {conv: {norm: batchnorm, act: relu}}\n"
HEADS = (
    "params: {classes: 5}\n"
    "blocks:\n"
    "  m:\n"
    "    branches:\n"
    "      a: 1x1 conv (3)\n"
    "      b: [1x1 conv (4), 3x3 conv (6)]\n"
    "      pool: [3x3 avgpool, 1x1 conv (2)]\n"
    "network:\n"
    "  - stem: 3x3 conv (8)\n"
    "  - m: 2 x m\n"
    "  - global avgpool\n"
    "  - dropout (keep 0.5)\n"
    "  - linear (classes)\n"
    "heads: [{at: stem, name: aux, steps: [global avgpool, linear (classes)]}]\n"
)
BODIES = {
    "blocks that merge, a pool, dropout": HEADS.replace(HEADS[HEADS.index("heads") :], ""),
    "a pool whose mean counts padding": (
        "network: {branches: {a: [3x3 avgpool (count_pad), 1x1 conv (3)], b: 1x1 conv (4)}}\n"
    ),
    "a pool and a convolution without a norm": (
        "network: {branches: {a: [3x3 avgpool, 1x1 conv (3 norm none act none bias)], "
        "b: 1x1 conv (4)}}\n"
    ),
    "named steps in a list of lines": (
        "network:\n  - pool: 3x3 avgpool\n  - red: 1x1 conv (4) -> 14x14x4\n"
        "  - last: 3x3 conv (2)\n"
    ),
    "an activation with weights, and a norm of each image": (
        "network: {branches: {a: [3x3 avgpool, 1x1 conv (3 act prelu)], "
        "b: [3x3 avgpool, 1x1 conv (4 norm layernorm)], c: 1x1 conv (2 act prelu)}}\n"
    ),
}


def write_form(
    found: Checked, *, recomputes: bool = False, overrides: Overrides = AS_WRITTEN
) -> driver.Emission:
    return driver.emit_training_module(
        found, output=HERE, overrides=overrides, recomputes=recomputes
    )


def run_source(emission: driver.Emission) -> ModuleType:
    """Return an emitted file as a module."""
    (artifact,) = emission.artifacts
    made = ModuleType("emitted_training")
    exec(compile(artifact.content.decode(), "training.py", "exec"), made.__dict__)
    return made


def take_step(
    module: nn.Module, inputs: Sequence[Tensor], *, times: int = 1
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Return the outputs in training, and the gradients of the parameters by their keys.

    Args:
        times: the number of backward passes, whose mean the gradients are.
    """
    torch.manual_seed(5)
    outputs = module.train()(*inputs)
    tensors = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    total = torch.stack([(each * each.detach().cos()).sum() for each in tensors]).sum()
    for _ in range(times):
        total.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    grads = {
        key: own.grad / times for key, own in module.named_parameters() if own.grad is not None
    }
    return [tensor.detach() for tensor in tensors], grads


def is_same(one: Tensor, other: Tensor) -> bool:
    """Tell whether tensors in double precision differ by rounding alone."""
    one, other = one.double(), other.double()
    return bool((one - other).norm() <= 1e-10 * other.norm() + 1e-12)


def hold_against_module(found: Checked, made: ModuleType, *, times: int = 1) -> None:
    """Make sure that a step of training does the same in both modules.

    Raises:
        AssertionError: it does not.
    """
    torch.set_default_dtype(torch.float64)
    try:
        module = make_module(driver.emit_module(found), found.model.name)
        randomise(module, seed=3)
        network = made.from_checkpoint(module.state_dict())
    finally:
        torch.set_default_dtype(torch.float32)
    back = made.to_checkpoint(network)
    assert back.keys() == module.state_dict().keys()
    own = module.state_dict()
    assert all(torch.equal(tensor, own[key]) for key, tensor in back.items())
    inputs = [torch.randn(3, *type.shape).double() for type in found.model.inputs.values()]
    wanted, grads = take_step(module, inputs)
    given, own_grads = take_step(network, inputs, times=times)
    assert all(map(is_same, given, wanted))
    carried = made._divide_tensors(own_grads, made._list_parts())
    assert carried.keys() == grads.keys()
    assert all(is_same(carried[key], grads[key]) for key in grads)
    after = made.to_checkpoint(network)
    assert all(is_same(after[key], own) for key, own in module.state_dict().items())
    with torch.no_grad():
        wanted, given = (
            [output] if isinstance(output := each.eval()(*inputs), Tensor) else list(output)
            for each in (module, network)
        )
    assert all(map(is_same, given, wanted))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("recomputes", [False, True])
def test_a_step_does_the_same(name: str, recomputes: bool, project: Project) -> None:
    project.write(NET, HEAD + BODIES[name])
    found = project.check()
    made = run_source(write_form(found, recomputes=recomputes))
    hold_against_module(found, made, times=2 if recomputes else 1)


def test_a_shipped_network_does_the_same() -> None:
    overrides = Overrides("96x96x3")
    found = driver.check("googlenet", folder=HERE, overrides=overrides)
    made = run_source(write_form(found, recomputes=True, overrides=overrides))
    parts = [step for step, widths in made._list_parts().items() if len(widths) > 1]
    assert len(parts) == 9  # arXiv:1409.4842, Table 1: nine inception modules
    hold_against_module(found, made)


def test_the_form_of_inception_v4_merges_each_module_and_moves_its_pools() -> None:
    """Figures 3 to 8 of arXiv:1602.07261: 14 modules, a reduction and the stem have siblings."""
    found = driver.check("inception_v4", folder=HERE)
    (artifact,) = write_form(found).artifacts
    source = artifact.content.decode()
    made = run_source(driver.Emission((artifact,), ()))
    widths = [list(each.values()) for each in made._list_parts().values() if len(each) > 1]
    assert widths == [
        [64, 64],
        *[[96, 64, 64]] * 4,
        *[[384, 192, 192]] * 7,
        [192, 256],
        *[[256, 384, 384]] * 3,
    ]
    assert source.count("avgpool=nn.AvgPool2d") == 3
    for block in ("A", "B", "C"):
        body = source[source.index(f"class Inception{block}(") :]
        assert body.index("conv=nn.Conv2d(") < body.index("avgpool=nn.AvgPool2d(")


def test_parameters_of_a_network_may_be_set(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    project.write(NET, HEAD + BODIES["blocks that merge, a pool, dropout"])
    assert run_command(["build", NET, "--target", "train", "--set", "classes=7"]) == 0
    source = (project.root / "generated" / NAME / "training.py").read_text()
    made = ModuleType("emitted_training")
    exec(compile(source, "training.py", "exec"), made.__dict__)
    network = getattr(made, NAME)()
    assert network(torch.randn(2, 12, 14, 14)).shape == (2, 7)
    assert run_command(["build", NET, "--target", "train", "--set", "classes=7", "--check"]) == 0
    assert run_command(["build", NET, "--target", "train", "--check"]) == 1
    assert "--target train" in capsys.readouterr().err
    assert run_command(["build"]) == 0  # the file is no orphan
    assert run_command(["build", "--check"]) == 0


def test_a_checkpoint_without_a_tensor_is_refused(project: Project) -> None:
    project.write(NET, HEAD + BODIES["blocks that merge, a pool, dropout"])
    found = project.check()
    made = run_source(write_form(found))
    state = make_module(driver.emit_module(found), NAME).state_dict()
    del state["m.0.a.conv.weight"]
    with pytest.raises(RuntimeError, match=r"lacks \['m\.0\.a\.conv\.weight'\]"):
        made.from_checkpoint(state)


def test_channels_of_another_network_are_refused(project: Project) -> None:
    body = "network: {branches: {a: 1x1 conv (3), b: 1x1 conv (6)}}\n"
    project.write(NET, HEAD + body.replace("3", "7").replace("6", "3").replace("7", "6"))
    state = make_module(driver.emit_module(project.check()), NAME).state_dict()
    project.write(NET, HEAD + body)
    made = run_source(write_form(project.check()))
    with pytest.raises(RuntimeError, match=r"a\.conv\.weight has 6 channels in place of 3"):
        made.from_checkpoint(state)


def list_reasons(findings: Sequence[Diagnostic]) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in findings]


def test_a_convolution_that_cannot_be_merged_is_told(project: Project) -> None:
    init = "init xavier_uniform"
    body = f"network: {{branches: {{a: 1x1 conv (3 {init}), b: 1x1 conv (4 {init})}}}}\n"
    project.write(NET, HEAD + body)
    emission = write_form(project.check())
    ((code, message),) = list_reasons(emission.findings)
    assert code == "P814"
    assert "`a` stays as it is: their initial weights depend on their widths" in message
    assert run_source(emission)._list_parts() == {}


def test_a_bias_before_a_mean_with_padding_stays(project: Project) -> None:
    body = (
        "network: {branches: {a: [3x3 avgpool (count_pad), 1x1 conv (3 bias)], b: 1x1 conv (4)}}\n"
    )
    project.write(NET, HEAD + body)
    ((code, message),) = list_reasons(write_form(project.check()).findings)
    assert (code, "counts padding" in message) == ("P816", True)


def test_budgets_and_claims_stop_no_rewrite(project: Project) -> None:
    """They are about the spec; the form is another network with the same values."""
    body = BODIES["blocks that merge, a pool, dropout"]
    project.write(NET, HEAD + body)
    flops = project.check().cost.totals.flops
    project.write(NET, f"{HEAD}budget: {{flops: '>= {flops}'}}\n{body}")
    emission = write_form(project.check())
    assert emission.findings == ()
    assert len(run_source(emission)._list_parts()) > 0


@pytest.mark.parametrize("name", ["from_checkpoint", "to_checkpoint"])
def test_a_network_with_the_name_of_a_function_is_refused(name: str, project: Project) -> None:
    spec = f"specs/{name}.yaml"
    project.write(spec, f"inception: 1\nname: {name}\ninput: 8x8x3\nnetwork: [3x3 conv (4)]\n")
    found = driver.check(spec, folder=project.root)
    with pytest.raises(SpecError) as caught:
        write_form(found)
    assert [each.code for each in caught.value.diagnostics] == ["E501"]


def test_blocks_run_again_only_where_training_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["build", "googlenet", "--checkpoint-blocks"]) == 2
    assert "`--checkpoint-blocks` is for `--target train`" in capsys.readouterr().err


def count_kept(network: nn.Module, inner: Sequence[nn.Module] = ()) -> int:
    """Return the bytes that torch keeps for the backward pass besides parameters.

    Args:
        inner: modules; their inputs count, and nothing else that is kept inside them.
    """
    sizes: dict[int, int] = {}
    depth = 0

    def note(tensor: Tensor) -> Tensor:
        if depth == 0:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def enter(_: nn.Module, read: tuple[Tensor, ...]) -> None:
        nonlocal depth
        for tensor in read:
            note(tensor)
        depth += 1

    def leave(*_: object) -> None:
        nonlocal depth
        depth -= 1

    for module in inner:
        module.register_forward_pre_hook(enter)
        module.register_forward_hook(leave)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = network(torch.randn(2, 3, 96, 96))
    params = {each.untyped_storage().data_ptr() for each in network.parameters()}
    assert outputs is not None  # while they are held, no storage is used again
    return sum(size for place, size in sizes.items() if place not in params)


def test_blocks_that_run_again_keep_their_inputs_alone() -> None:
    """Torch itself counts the tensors that the backward pass waits for."""
    overrides = Overrides("96x96x3")
    found = driver.check("googlenet", folder=HERE, overrides=overrides)
    plain, form = (
        write_form(found, recomputes=recomputes, overrides=overrides)
        for recomputes in (False, True)
    )
    (artifact,) = form.artifacts
    blocks = re.findall(rb"_recompute\(self\.(\w+)", artifact.content)
    assert len(blocks) == 9  # arXiv:1409.4842, Table 1: nine inception modules
    network = run_source(plain).googlenet().train()
    inner = [network.get_submodule(block.decode()) for block in blocks]
    everything = count_kept(run_source(plain).googlenet().train())
    outside = count_kept(network, inner)
    assert count_kept(run_source(form).googlenet().train()) == outside < everything
