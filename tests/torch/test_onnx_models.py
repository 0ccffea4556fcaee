"""ONNX models that are made from a spec give what the emitted module gives in inference."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path
from textwrap import dedent

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from random_operations import Drawn, operations
from random_specs import QUICK
from safetensors.torch import save_file
from torch import Tensor, nn
from torch_counts import randomise, relative_error

from inception_dsl import SpecError, driver
from inception_dsl.analysis import measure_state
from inception_dsl.bridge import make_module
from inception_dsl.driver.importing import import_target
from inception_dsl.driver.walk import Checked
from inception_dsl.driver.writing import Artifact
from inception_dsl.emit.onnx import DrawnWeights, emit_onnx
from inception_dsl.emit.onnx.model import RULES
from inception_dsl.ops import OPS
from inception_dsl.resolve import AS_WRITTEN, Overrides

HERE = Path(__file__).parent
HEAD = "inception: 1\nname: net\n"
FEW = settings(QUICK, max_examples=25)

NETWORKS = {
    "convnext_tiny": "32x32x3",
    "googlenet": "224x224x3",
    "mobilenet_v3_large": "96x96x3",
    "pytorch_fid/inception_v3": "139x139x3",
    "shufflenet_v2": "96x96x3",
    "unet": "188x188x1",
}
"""Together they have every way in which a shipped network is wired; the benchmark runs all, at
their own inputs."""


def own_module(found: Checked, seed: int) -> nn.Module:
    module = make_module(driver.emit_module(found), found.model.name).eval()
    randomise(module, seed=seed)
    return module


def make_model(found: Checked, module: nn.Module) -> bytes:
    weights = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    files = emit_onnx(found.model, weights, file="model.onnx", external_from=1 << 40)
    return files.model


def run_model(content: bytes, images: list[Tensor]) -> list[Tensor]:
    """Run a model, once its shapes are checked."""
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [input.name for input in session.get_inputs()]
    feed = {name: image.numpy() for name, image in zip(names, images, strict=True)}
    return [torch.from_numpy(output) for output in session.run(None, feed)]


def run_module(module: nn.Module, images: list[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        output = module(*images)
    return [output] if isinstance(output, Tensor) else list(output)


def hold_against_module(found: Checked, *, seed: int, batch: int = 2, shift: float = 0) -> bytes:
    """A model is as near to the module in double precision as torch is in single precision.

    Raises:
        AssertionError: it is not.
    """
    module = own_module(found, seed)
    content = make_model(found, module)
    torch.manual_seed(seed)
    images = [torch.randn(batch, *type.shape) + shift for type in found.model.inputs.values()]
    own, given = run_module(module, images), run_model(content, images)
    exact = run_module(module.double(), [image.double() for image in images])
    for wanted, by_torch, by_onnx in zip(exact, own, given, strict=True):
        assert by_onnx.shape == wanted.shape
        allowed = 2e-5 + 20 * relative_error(by_torch.double(), wanted)
        assert relative_error(by_onnx.double(), wanted) <= allowed
    return content


@pytest.mark.parametrize(("name", "input"), NETWORKS.items())
def test_a_shipped_network_gives_what_its_module_does(name: str, input: str) -> None:
    found = driver.check(name, folder=HERE, overrides=Overrides(input))
    hold_against_module(found, seed=3)


def test_random_operations_give_what_the_module_does(project: Project) -> None:
    @given(operations())
    def claim(drawn: Drawn) -> None:
        project.write(NET, drawn.spec.text())
        hold_against_module(project.check(), seed=1, batch=3, shift=drawn.shift)

    FEW(claim)()


def test_every_op_has_its_nodes() -> None:
    """A step that acts in training alone, and one that opens into others, needs none."""
    without = {name for name, op in OPS.items() if op.is_identity or op.splits}
    assert RULES.keys() == OPS.keys() - without - {"dropout"}


POOLED = """
inception: 1
name: net
input: 7x7x6
network:
  - pool: 3x3 avgpool (stride 1 {words})
  - conv: 1x1 conv (4 {norm})
  - last: 1x1 conv (3 act relu norm none)
"""


@pytest.mark.parametrize("words", ["", "count_pad", "V", "same_tf count_pad", "ceil count_pad"])
@pytest.mark.parametrize("norm", ["norm none", "norm batchnorm act relu", "no_bias norm none"])
def test_a_conv_runs_before_the_pool_that_it_reads(words: str, norm: str, project: Project) -> None:
    project.write(NET, POOLED.format(words=words, norm=norm))
    content = hold_against_module(project.check(), seed=2)
    ops = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert ops.index("Conv") < ops.index("AveragePool")


@pytest.mark.parametrize("conv", ["3x3 conv (3)", "3x3 conv (3 no_bias norm batchnorm)"])
def test_weights_take_up_the_factor_of_a_sum(conv: str, project: Project) -> None:
    steps = f"{{residual: {{scale: 0.3}}, steps: [{conv}]}}"
    project.write(NET, f"inception: 1\nname: net\ninput: 8x8x3\nnetwork: [{steps}]\n")
    content = hold_against_module(project.check(), seed=1)
    nodes = onnx.load_from_string(content).graph.node
    assert [node.op_type for node in nodes] == ["Conv", "Add", "Identity"]


def test_a_pool_with_another_reader_keeps_its_place(project: Project) -> None:
    project.write(
        NET,
        """
        inception: 1
        name: net
        input: 7x7x6
        network:
          - pool: 3x3 avgpool (stride 1)
          - branches:
              a: [1x1 conv (4)]
              b: [1x1 conv (2)]
        """,
    )
    content = hold_against_module(project.check(), seed=2)
    ops = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert ops.index("AveragePool") < ops.index("Conv")


def test_norms_are_folded_and_dropout_is_left_out() -> None:
    found = driver.check("inception_v4", folder=HERE)
    weights = DrawnWeights(measure_state(found.model.graph))
    content = emit_onnx(found.model, weights, file="model.onnx", external_from=1 << 40)
    model = onnx.load_from_string(content.model)
    ops = {node.op_type for node in model.graph.node}
    assert ops == {
        *("Conv", "Relu", "MaxPool", "AveragePool", "Concat"),
        *("GlobalAveragePool", "Flatten", "Gemm", "Identity"),
    }
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(convs) == sum(node.op == "conv" for node in found.model.graph.nodes)


def test_values_are_named_by_paths_and_the_batch_is_open() -> None:
    found = driver.check("googlenet", folder=HERE)
    weights = DrawnWeights(measure_state(found.model.graph))
    content = emit_onnx(found.model, weights, file="model.onnx").model
    model = onnx.load_from_string(content)
    (input,), (output,) = model.graph.input, model.graph.output
    assert [dim.dim_param or dim.dim_value for dim in input.type.tensor_type.shape.dim] == [
        *("N", 3, 224, 224)
    ]
    assert output.name == "output"
    given = {name for node in model.graph.node for name in node.output}
    heads = [head.path for head in found.model.heads]
    paths = {
        str(node.path)
        for node in found.model.graph.nodes
        if node.op == "conv" and not any(node.path.is_within(head) for head in heads)
    }
    assert paths <= given
    assert not any(str(head) in name for head in heads for name in given)


@pytest.mark.parametrize(
    ("steps", "outputs", "names"),
    [
        ("- trunk: conv\n  - scores: conv", "", ["output"]),
        ("- trunk: conv\n  - scores: conv", "{trunk: trunk, last: scores}", ["trunk", "last"]),
        ("- output: conv\n  - scores: conv", "", ["scores"]),
        ("- trunk: conv\n  - output: conv", "", ["output"]),
        (
            "- trunk: conv\n  - scores: dropout",
            "{trunk: trunk, scores: scores}",
            ["trunk", "scores"],
        ),
    ],
)
def test_an_output_may_have_the_name_of_a_step(
    steps: str, outputs: str, names: list[str], project: Project
) -> None:
    steps = steps.replace("conv", "3x3 conv (4)")
    text = f"{HEAD}input: 8x8x3\nnetwork:\n  {steps}\n"
    project.write(NET, text + (f"outputs: {outputs}\n" if outputs else ""))
    content = hold_against_module(project.check(), seed=3)
    assert [one.name for one in onnx.load_from_string(content).graph.output] == names


WORDS = [
    ("3x3 conv (8 norm groupnorm act relu)", "groupnorm"),
    ("groupnorm (groups 2 no_affine)", "affine: "),
    ("global avgpool\n  - groupnorm (groups 4)", "groupnorm"),
    ("upsample (factor 2)", "upsample (factor 2)"),
    ("upsample (factor 2 bilinear)", "upsample (factor 2 bilinear)"),
    ("3x3 deconv (8 stride 2 output_pad 1)", "3x3 deconv (8 stride 2 output_pad 1)"),
]


@pytest.mark.parametrize(("step", "word"), WORDS)
def test_the_language_reads_the_models_that_it_makes(
    step: str, word: str, project: Project, tmp_path: Path
) -> None:
    head = f"{HEAD}input: 16x16x8\ndefaults: {{groupnorm: {{groups: 4}}}}\n"
    project.write(NET, f"{head}network:\n  - {step}\n")
    found = project.check()
    module = own_module(found, 5)
    (tmp_path / "net.onnx").write_bytes(make_model(found, module))
    imported = import_target("net.onnx", folder=tmp_path)
    assert word in imported.text
    totals = driver.check_file(imported.file, AS_WRITTEN).cost.totals
    assert (totals.params, totals.macs) == (found.cost.totals.params, found.cost.totals.macs)


def test_weights_are_drawn_alike_each_time() -> None:
    tensors = measure_state(driver.check("mobilenet_v2", folder=HERE).model.graph)
    first, second = DrawnWeights(tensors), DrawnWeights(tensors)
    assert all(np.array_equal(first[key], second[key]) for key in tensors)
    name, tensor = next((n, t) for n, t in tensors.items() if t.role == "weight")
    bound = (6 / np.prod(tensor.shape[1:])) ** 0.5
    assert np.abs(first[name]).max() <= bound
    assert first[name].std() == pytest.approx(bound / 3**0.5, rel=0.1)


NETWORK = """
inception: 1
name: net
input: 8x8x3
network:
  - conv: 3x3 conv (4 act relu norm batchnorm)
  - global avgpool
  - fc: linear (5)
"""


@pytest.fixture
def held(project: Project) -> tuple[Checked, nn.Module, Tensor]:
    project.write(NET, NETWORK)
    found = project.check()
    module = own_module(found, 4)
    return found, module, torch.randn(2, 3, 8, 8)


def build(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `build --target onnx` in a process of its own, and say whether torch was imported."""
    script = dedent(f"""
        import sys
        from inception_dsl.__main__ import main
        words = ["build", "specs/net.yaml", "--target", "onnx", *{list(words)!r}]
        sys.argv = ["inception-dsl", *words]
        status = main()
        print("torch" if "torch" in sys.modules else "no torch")
        sys.exit(status)
    """)
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


def test_weights_of_safetensors_are_read_without_torch(
    held: tuple[Checked, nn.Module, Tensor], project: Project
) -> None:
    _, module, image = held
    save_file(module.state_dict(), project.root / "w.safetensors")
    done = build(project.root, "--weights", "w.safetensors")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no torch" in done.stdout
    content = (project.root / "generated" / "net" / "model.onnx").read_bytes()
    (given,) = run_model(content, [image])
    torch.testing.assert_close(given, run_module(module, [image])[0])


def test_weights_of_a_wrapped_checkpoint_are_found(
    held: tuple[Checked, nn.Module, Tensor], project: Project
) -> None:
    _, module, image = held
    state = {f"module.{key}": tensor for key, tensor in module.state_dict().items()}
    torch.save({"model": state, "epoch": 3}, project.root / "w.pt")
    assert build(project.root, "--weights", "w.pt").returncode == 0
    content = (project.root / "generated" / "net" / "model.onnx").read_bytes()
    (given,) = run_model(content, [image])
    torch.testing.assert_close(given, run_module(module, [image])[0])


def test_weights_of_another_network_are_refused(
    held: tuple[Checked, nn.Module, Tensor], project: Project
) -> None:
    _, module, _ = held
    state = module.state_dict()
    state["fc.weight"] = torch.zeros(6, 4)
    save_file(state, project.root / "w.safetensors")
    done = build(project.root, "--weights", "w.safetensors")
    assert done.returncode == 2
    assert "error[E803]: `fc.weight` of the checkpoint has the shape 6x4" in done.stderr
    assert not (project.root / "generated").exists()


def test_random_weights_need_no_torch_and_stay_fresh(project: Project) -> None:
    project.write(NET, NETWORK)
    assert "no torch" in build(project.root).stdout
    done = build(project.root, "--check")
    assert done.stderr == "1 file is fresh\n"
    (project.root / "generated" / "net" / "model.onnx").write_bytes(b"\xff\x00")
    done = build(project.root, "--check")
    assert done.returncode == 1
    assert "generated/net/model.onnx differs\n" in done.stdout
    assert done.stderr == "mend it with: inception-dsl build specs/net.yaml --target onnx\n"


def test_large_weights_lie_beside_the_model(project: Project, tmp_path: Path) -> None:
    project.write(NET, NETWORK.replace("conv (4", "conv (64"))
    found = project.check()
    module, image = own_module(found, 4), torch.randn(2, 3, 8, 8)
    weights = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    files = emit_onnx(found.model, weights, file="model.onnx", external_from=1)
    assert len(files.model) < 4096 < sum(map(len, files.weights))
    (tmp_path / "model.onnx").write_bytes(files.model)
    beside = Artifact(tmp_path / "model.onnx.data", b"", rest=files.weights)
    assert [beside.write(), beside.write()] == [True, False]
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(
        tmp_path / "model.onnx", providers=["CPUExecutionProvider"]
    )
    (given,) = session.run(None, {"input": image.numpy()})
    torch.testing.assert_close(torch.from_numpy(given), run_module(module, [image])[0])


def test_large_weights_are_held_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are drawn, folded and packed are no copies of the network."""
    monkeypatch.setattr("inception_dsl.emit.onnx.weights.SLAB", 1 << 14)
    conv = "1x1 conv (1000 norm batchnorm)"
    project.write(NET, f"{{inception: 1, name: net, input: 1x1x1000, network: {[conv] * 4}}}")
    found = project.check()
    tracemalloc.start()
    files = emit_onnx(
        found.model, DrawnWeights(measure_state(found.model.graph)), file="m", external_from=1
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    weights = sum(map(len, files.weights))
    assert weights >= 4 * found.cost.totals.params - 4 * 4000  # the bias of a norm is in the model
    assert peak < 1.5 * weights


def test_weights_that_run_twice_are_stored_once(project: Project) -> None:
    project.write(
        NET,
        """
        inception: 1
        name: net
        input: {left: 8x8x3, right: 8x8x3}
        blocks:
          tower: [3x3 conv (4 act relu norm batchnorm), global avgpool, fc: linear (5)]
        network:
          - one: {from: left, steps: tower}
          - two: {from: right, reuse: one}
          - both: {from: [one, two], join: concat}
        """,
    )
    content = hold_against_module(project.check(), seed=2)
    held = [constant.name for constant in onnx.load_from_string(content).graph.initializer]
    keys = ["one.conv.bn.bias", "one.conv.conv.weight", "one.fc.bias", "one.fc.weight"]
    assert sorted(held) == keys


def test_weights_before_two_norms_are_stored_twice(project: Project) -> None:
    project.write(
        NET,
        """
        inception: 1
        name: net
        input: 8x8x3
        network:
          - one: 3x3 conv (3 no_bias act none norm none)
          - norm: batchnorm
          - two: {reuse: one}
          - other: batchnorm
          - relu
        """,
    )
    content = hold_against_module(project.check(), seed=2)
    held = [constant.name for constant in onnx.load_from_string(content).graph.initializer]
    assert sum(name.endswith("weight") for name in held) == 2


def test_too_many_weights_are_not_drawn(project: Project) -> None:
    project.write(NET, "{inception: 1, name: net, input: 1x1x60000, network: [1x1 conv (60000)]}")
    with pytest.raises(SpecError, match="at most 200,000,000 are drawn") as caught:
        driver.emit_onnx_model(project.check(), output=project.root)
    assert [finding.code for finding in caught.value.diagnostics] == ["E501"]
