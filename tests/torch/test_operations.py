"""Every operation by value: emitted modules against formulas, in random steps of all words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from random_operations import Drawn, operations
from random_specs import QUICK
from reference_operations import Reference
from torch import Tensor, nn
from torch_counts import randomise

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.ir import Model, TensorType

MANY = settings(QUICK, max_examples=80)


def assert_close(given: Tensor, expected: Tensor, what: str) -> None:
    torch.testing.assert_close(given, expected, rtol=1e-9, atol=1e-9, msg=f"{what}: {{}}".format)


@dataclass(frozen=True)
class Emitted:
    """A random spec with its model and its emitted module."""

    drawn: Drawn
    model: Model
    source: str


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Emitted]:
    """Random specs in which every operation is."""
    root = tmp_path_factory.mktemp("operations")
    (root / "pyproject.toml").touch()
    project = Project(root)
    made: list[Emitted] = []

    @given(operations())
    def take(drawn: Drawn) -> None:
        made.append(emit(drawn, project))

    MANY(take)()
    return made


def emit(drawn: Drawn, project: Project) -> Emitted:
    project.write(NET, drawn.spec.text())
    checked = project.check()
    return Emitted(drawn, checked.model, driver.emit_module(checked))


def hold_against_formulas(emitted: Emitted, source: str, *, seed: int = 0) -> Counter[str]:
    """Every case of a spec gives what its formula does, and has the shape that the analysis says.

    Args:
        source: the source of the module, perhaps with a fault.
        seed: of weights and images.

    Returns:
        The cases, by operation.

    Raises:
        AssertionError: one does not.
    """
    drawn, model = emitted.drawn, emitted.model
    torch.manual_seed(seed)
    module = make_module(source, "net").double().train(drawn.training)
    randomise(module, seed=seed)
    for child in module.modules():
        if isinstance(child, nn.Dropout):
            child.eval()
    reference = Reference(module.state_dict(), training=drawn.training)
    images = torch.randn(3, *model.input.shape, dtype=torch.float64) + drawn.shift
    kept = images.clone()
    with torch.no_grad():
        given = module(images)
    assert torch.equal(images, kept), "the images were written over"
    types: dict[str, TensorType] = {node.path: node.type for node in model.graph.nodes}
    expected = []
    for name, case in drawn.cases.items():
        value = case.compute(reference, f"{name}.own", images)
        expected.append(value.flatten(1))
        if (own := types.get(f"{name}.own")) is not None:
            assert own.shape == value.shape[1:], f"{name} ({case.op})"
    assert given.shape[1] == sum(value.shape[1] for value in expected)
    parts = given.split([value.shape[1] for value in expected], dim=1)
    for (name, case), part, value in zip(drawn.cases.items(), parts, expected, strict=True):
        assert_close(part, value, f"{name} ({case.op})")
    state = module.state_dict()
    assert state.keys() == reference.state.keys()
    for name, statistic in reference.state.items():
        assert_close(state[name], statistic, name)
    return Counter(case.op for case in drawn.cases.values())


def test_operations_give_what_their_formulas_do(emitted: Sequence[Emitted]) -> None:
    counts = Counter[str]()
    for each in emitted:
        counts.update(hold_against_formulas(each, each.source))
    often = ("conv", "sepconv", "maxpool", "avgpool", "lrn", "groupnorm", "mul", "slice")
    counted = {op: counts[op] + counts[f"{op} in a block"] for op in (*often, *OTHER_SIZES)}
    assert min(counted.values()) >= 5, counted
    assert min(counts[op] for op in BY_IMAGE) >= 3, counts
    assert min(counts[op] for op in OF_CHANNELS) >= 1, counts
    assert min(counts[f"{op} of a vector"] for op in ON_VECTORS) >= 1, counts


EXTREMA = ("maximum", "minimum")
OF_CHANNELS = (
    "blur",
    "channelavgpool",
    "channelmaxpool",
    "channelpad",
    "divide",
    "log_softmax",
    "abs",
    *EXTREMA,
)
OTHER_SIZES = ("deconv", "upsample", "pad", "crop", "pixelunshuffle", "pixelshuffle")
BY_IMAGE = ("layernorm", "instancenorm", "l2norm", "grn", "scale")
ON_VECTORS = (
    *("batchnorm", "groupnorm", "layernorm", "l2norm", "scale"),
    *("channelconv", "partsoftmax"),
)


FAULTS = {
    "a zero wins a maximum": ('value=float("-inf")', "value=0.0"),
    "the odd pixel comes first": (
        "[left, width - left, top, height - top]",
        "[width - left, left, height - top, top]",
    ),
    "padding is in the mean": ("return mean / F.avg_pool2d(", "return mean + 0 * F.avg_pool2d("),
    "padding is not in the mean": ("return mean\n", "pass\n"),
    "torch's own default counts padding": (", count_include_pad=False", ""),
    "dilation makes no window larger": ("(height - 1) * down + 1", "height"),
    "a window that overhangs is left out": (", ceil_mode=True", ""),
    "the depthwise convolution strides twice": (
        "out_channels, 1, bias=bias",
        "out_channels, 1, stride, bias=bias",
    ),
    "a multiplier mixes channels": ("            groups=in_channels,\n", "            groups=1,\n"),
    "a residual is scaled on the wrong side": (" + 0.1 * ", " * 0.1 + "),
    "an activation is in place on what is read again": ("nn.ReLU()", "nn.ReLU(inplace=True)"),
    "a group norm has one group": (
        "nn.GroupNorm(num_groups=2,",
        "nn.GroupNorm(num_groups=1,",
    ),
    "a crop begins a row too early": ("self.top : height", "max(self.top - 1, 0) : height - 1"),
    "the odd row of a crop is taken off at its beginning": (
        "(x.shape[2] - self.height) // 2",
        "(x.shape[2] - self.height + 1) // 2",
    ),
    "a deconv without a norm forgets its dilation": (
        "self.dilation,\n",
        "\n",
    ),
    "an output padding is left out": (", output_padding=1", ""),
    "corners are not aligned": (", align_corners=True", ""),
    "a mirror repeats the outermost line": ("nn.ReflectionPad2d", "nn.ReplicationPad2d"),
    "pixels are taken from the wrong channels": ("nn.PixelShuffle(2)", "nn.PixelShuffle(1)"),
    "filters are not standardised": ("return filters.reshape_as(weight)", "return weight"),
    "a gain is not learnt": ("(self.gain * self.scale)", "(0 * self.gain + self.scale)"),
    "a gain is of no size": (".numel() ** -0.5", ".numel() ** -1"),
    "a layer norm reads rows for channels": ("permute(0, 2, 3, 1)", "permute(0, 3, 2, 1)"),
    "a length has no bound": ("F.normalize(x, dim=1, eps=self.eps)", "x / x.norm(dim=1)"),
    "a response is of the rows": ("dim=[2, 3]", "dim=[2]"),
    "a response is not compared": ("length.mean(1, keepdim=True)", "1"),
    "a response is not added": ("torch.addcmul(x + ", "torch.addcmul(0 * x + "),
    "a scale is the last axis's": ("self.weight[:, None, None]", "self.weight[:, None]"),
    "a shift is left out": ("x + self.bias", "x"),
    "a channel's filter has no zeros around": ("padding=self.padding", 'padding="valid"'),
    "a filter stands beside its channel": ("F.conv1d(row,", "F.conv1d(row.roll(1, 2),"),
    "a shuffle has one group": ("nn.ChannelShuffle(2)", "nn.ChannelShuffle(1)"),
    "a part is the one before": ("dim=1)[1]", "dim=1)[0]"),
    "a range begins one later": ("x[:, 1:", "x[:, 2:"),
    "a shift is no parameter": ("nn.Parameter(torch.zeros(num_features))", "0.0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_emitted_code_is_caught(fault: str, emitted: Sequence[Emitted]) -> None:
    right, wrong = FAULTS[fault]
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        for each in emitted:
            if right in each.source:
                hold_against_formulas(each, each.source.replace(right, wrong))


@pytest.mark.parametrize(
    ("words", "drop"),
    [("drop 0", 0.0), ("drop 0.25", 0.25), ("drop 0.8", 0.8), ("keep 0.8", 0.2)],
)
def test_dropout_drops_as_often_as_it_says_and_scales_the_rest(
    words: str, drop: float, project: Project
) -> None:
    head = "inception: 1\nname: net\ninput: 50x50x4\nnetwork:\n"
    project.write(NET, f"{head}  - dropout ({words})\n")
    source = driver.emit_module(project.check())
    module = make_module(source, "net").train()
    torch.manual_seed(0)
    given = module(torch.ones(4, 4, 50, 50))
    kept = given != 0
    assert given[kept].allclose(torch.tensor(1 / (1 - drop or 1)))
    assert abs(float(kept.float().mean()) - (1 - drop)) < 0.02
