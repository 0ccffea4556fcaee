"""Networks that exist as code become specs: of libraries, of emitted modules, and written by hand.

An import proves itself: it pairs every node, counts as torch does and compares outputs. The tests
hold it to what it must say, what it must refuse, and the text that a person reads.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import torch
import torch.nn.functional as F
from conftest import NET, Project
from torch import Tensor, nn
from torchvision.models import list_models

from inception_dsl import driver, load, trace
from inception_dsl.bridge import make_module
from inception_dsl.bridge.importing import trace_network
from inception_dsl.bridge.reading import FUNCTIONS
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import import_target
from inception_dsl.driver.importing import Imported, write_traced
from inception_dsl.ir import TensorType
from inception_dsl.spec.target import Target, read_target


def bring(module: Callable[[], nn.Module], shape: tuple[int, ...], folder: Path) -> Imported:
    """Import a module of the tests."""
    with torch.device("meta"):
        built = module()
    traced = trace_network(built, {"": TensorType(shape)}, name="net")
    return write_traced(traced, target="py:net", folder=folder, compares=True)


def causes(module: Callable[[], nn.Module], shape: tuple[int, ...], folder: Path) -> list[str]:
    """Return the messages with which the import of a module is refused."""
    with pytest.raises(SpecError) as refused:
        bring(module, shape, folder)
    assert {finding.code for finding in refused.value.diagnostics} == {"E705"}
    return [finding.message for finding in refused.value.diagnostics]


@pytest.mark.parametrize(
    "target",
    [
        "torchvision:resnet18",
        "torchvision:squeezenet1_1",
        "torchvision:densenet121",
        "torchvision:mobilenet_v3_small",
        "torchvision:shufflenet_v2_x0_5",
        "timm:tf_efficientnet_lite0",
        "timm:dla34",
        "timm:test_byobnet",
        "timm:test_convnext",
        "timm:test_efficientnet_gn",
        "timm:test_nfnet",
        "timm:test_resnet",
    ],
)
def test_networks_of_libraries_give_the_same_outputs(target: str, tmp_path: Path) -> None:
    assert import_target(target, folder=tmp_path).text.startswith("# imported by inception-dsl")


@pytest.mark.parametrize("spec", ["googlenet", "resnet50", "inception_resnet_v1", "mobilenet_v2"])
def test_an_emitted_module_comes_back_as_the_same_network(spec: str, tmp_path: Path) -> None:
    network = load(spec)
    source = network.emit()
    imported = bring(lambda: make_module(source, spec), network.input.shape, tmp_path)
    path = tmp_path / "net.yaml"
    path.write_text(imported.text)
    again = load(path)
    assert again.cost().totals.params == network.cost().totals.params
    assert again.cost().totals.macs == network.cost().totals.macs
    lines = [line for line in imported.text.splitlines() if line]
    assert len(lines) < 100


class _Mobile(nn.Module):
    """A block of a mobile network, which leaves steps and its sum out by what it is given."""

    def __init__(
        self, entering: int, expand: int, width: int, stride: int, kernel: int, gate: int
    ) -> None:
        super().__init__()
        wide = expand * entering
        self.grow = nn.Conv2d(entering, wide, 1) if expand > 1 else nn.Identity()
        self.depth = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide)
        self.gate = _Gate(wide, gate) if gate else nn.Identity()
        self.act: nn.Module = nn.ReLU() if kernel == 3 else nn.SiLU()
        self.project = nn.Conv2d(wide, width, 1)
        self.is_sum = stride == 1 and entering == width

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.gate(self.act(self.depth(self.grow(x)))))
        return x + y if self.is_sum else y


class _Gate(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, inner, 1)
        self.grow = nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.grow(self.reduce(x.mean((2, 3), keepdim=True)).relu())
        return x * gate.sigmoid()


def _mobile() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        _Mobile(8, 1, 12, 1, 3, 0),
        _Mobile(12, 4, 12, 1, 3, 0),
        _Mobile(12, 4, 16, 2, 5, 10),
        _Mobile(16, 4, 16, 1, 5, 14),
        _Mobile(16, 4, 24, 1, 3, 0),
        _Mobile(24, 4, 24, 2, 5, 18),
    )


def test_one_class_is_one_block_with_conditions(tmp_path: Path) -> None:
    text = bring(_mobile, (3, 32, 32), tmp_path).text
    assert text.count("mobile:") == 1
    for words in (
        "residual: {when: stride == 1 and in == width}",
        "when: expand != 1",
        "when: gate > 0",
        "kernel conv (expand*in stride stride groups expand*in",
        "mobile (kernel=5x5 stride=2 act=silu width=24 gate=18)",
    ):
        assert words in text, text


class _Light(nn.Module):
    """A pointwise convolution and a depthwise one."""

    def __init__(self, inner: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, width, 1)
        self.conv2 = nn.Conv2d(width, width, 5, padding=2, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(self.conv1(x)).relu()
        return y


class _Tapped(nn.Module):
    """A chain of equal layers, all of whose results are concatenated; a sum if channels allow."""

    def __init__(self, inner: int, width: int, layers: int = 4) -> None:
        super().__init__()
        reads = [inner, *(layers - 1) * [width]]
        self.layers = nn.ModuleList(_Light(read, width) for read in reads)
        self.aggregation = nn.Conv2d(inner + layers * width, 2 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for layer in self.layers:
            values.append(layer(values[-1]))
        y: Tensor = self.aggregation(torch.cat(values, 1))
        return y + x if x.shape == y.shape else y


def test_layers_that_others_read_are_not_folded(tmp_path: Path) -> None:
    rows = ((6, 4), (8, 4), (8, 5), (10, 5))
    network = nn.Sequential(*(_Tapped(*row) for row in rows))
    text = bring(lambda: network, (6, 8, 8), tmp_path).text
    assert text.count("residual: {when: ") == 1
    assert "from: [input, layers_0, layers_1, layers_2, layers_3]" in text


class _Opening(nn.Module):
    """A block that some calls begin with a pool, whose name is a word of the language."""

    def __init__(self, name: str, width: int, *, opens: bool) -> None:
        super().__init__()
        if opens:
            setattr(self, name, nn.MaxPool2d(3, 1, 1))
        self.opening = name if opens else ""
        self.first = nn.Conv2d(8, width, 3, padding=1)
        self.second = nn.Conv2d(width, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = getattr(self, self.opening)(x) if self.opening else x
        y: Tensor = self.second(self.first(x).relu())
        return y


@pytest.mark.parametrize("name", ["relu", "max", "in_channels", "conv", "none"])
def test_a_flag_of_a_condition_is_no_word_of_the_language(name: str, tmp_path: Path) -> None:
    def make() -> nn.Module:
        rows = ((16, True), (24, False), (24, True), (16, False))
        return nn.Sequential(*(_Opening(name, width, opens=opens) for width, opens in rows))

    assert " {when: " in bring(make, (8, 8, 8), tmp_path).text


class _Undecided(nn.Module):
    """A block whose sum no condition over its numbers decides."""

    def __init__(self, width: int, *, is_sum: bool, outer: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(outer, width, 1)
        self.second = nn.Conv2d(width, outer, 3, padding=1)
        self.is_sum = is_sum

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return x + y if self.is_sum else y


def test_bodies_that_nothing_tells_apart_stay_two_blocks(tmp_path: Path) -> None:
    text = bring(
        lambda: nn.Sequential(
            _Undecided(4, is_sum=True), _Undecided(4, is_sum=False), _Undecided(6, is_sum=True)
        ),
        (8, 8, 8),
        tmp_path,
    ).text
    assert "undecided_2:" in text
    assert "when" not in text


class _Mixed(nn.Module):
    """A block whose five widths all differ from call to call."""

    def __init__(self, entering: int, widths: tuple[int, int, int, int, int]) -> None:
        super().__init__()
        self.branch1 = nn.Conv2d(entering, widths[0], 1)
        self.branch2 = nn.Sequential(
            nn.Conv2d(entering, widths[1], 1), nn.Conv2d(widths[1], widths[2], 3, padding=1)
        )
        self.branch3 = nn.Sequential(
            nn.Conv2d(entering, widths[3], 1), nn.Conv2d(widths[3], widths[4], 5, padding=2)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x)], 1)


class _Tabled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mixed3a = _Mixed(3, (7, 5, 6, 2, 9))
        self.mixed3b = _Mixed(22, (8, 5, 10, 4, 3))
        self.mixed4a = _Mixed(21, (9, 11, 6, 7, 2))
        self.mixed4b = _Mixed(17, (4, 13, 7, 2, 8))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mixed4b(self.mixed4a(self.mixed3b(self.mixed3a(x))))
        return y


def test_many_numbers_of_many_calls_are_a_table(tmp_path: Path) -> None:
    text = bring(_Tabled, (3, 8, 8), tmp_path).text
    assert "columns: [branch1, branch2_reduce, branch2, branch3_reduce, branch3]" in text
    assert "3b:      [      8,              5,      10,              4,       3]" in text
    assert "mixed4a: mixed (mixed.4a)" in text


class _Plain(nn.Module):
    """Rows of equal layers, a module that repeats, and steps whose names are numbered."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 3, 3, padding=1) for _ in range(4)), nn.MaxPool2d(2)
        )
        for index in range(3):
            width = 6 * 2**index
            change = nn.Sequential(nn.Conv2d(width // 2, width, 1), nn.ReLU(), nn.AvgPool2d(2))
            self.add_module(
                f"transition{index}", nn.Sequential(nn.BatchNorm2d(width // 2), *change)
            )
        self.unit_0 = _Undecided(4, is_sum=True, outer=24)
        self.unit_1 = _Undecided(4, is_sum=True, outer=24)

    def forward(self, x: Tensor) -> Tensor:
        for child in self.children():
            x = child(x)
        return x


def test_equal_parts_are_written_once(tmp_path: Path) -> None:
    text = bring(_Plain, (3, 32, 32), tmp_path).text
    for words in (
        "[4 x 3x3 conv (3), 2x2 maxpool (stride 2)]",
        "transition: 3 x transition",
        "unit: 2 x undecided",
    ):
        assert words in text, text


class _Functional(nn.Module):
    """A network whose layers are called by keyword, in place and under one name."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(input=x, weight=self.conv.weight, bias=self.conv.bias, padding=1)
        y = self.relu(self.bn(y))
        z = F.avg_pool2d(input=y, kernel_size=3, stride=1, padding=1)
        z += y
        z = F.relu(z, True)
        z = z * F.relu6(z + 3) / 6
        pooled = F.adaptive_avg_pool2d(z, 1).view(z.size(0), -1)
        y = F.dropout(pooled, p=0.2, training=self.training)
        return F.linear(y, self.fc.weight, self.fc.bias)


def test_functional_calls_are_read_by_their_arguments_names(tmp_path: Path) -> None:
    text = bring(_Functional, (3, 16, 16), tmp_path).text
    assert "3x3 avgpool (count_pad)" in text
    assert "hardswish" in text
    assert "dropout (drop 0.2)" in text


class _Gated(nn.Module):
    """A squeeze-and-excitation gate of 1x1 maps, between two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3)
        self.reduce = nn.Conv2d(16, 4, 1)
        self.grow = nn.Conv2d(4, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        gate = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.grow(F.silu(self.reduce(gate))))


def test_a_gate_is_a_product_of_branches(tmp_path: Path) -> None:
    assert "join: mul" in bring(_Gated, (3, 16, 16), tmp_path).text


class _Shuffled(nn.Module):
    """A unit of ShuffleNet: half of the channels pass, and all are shuffled."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept, changed = x[:, :8, :8, :].chunk(2, dim=1)  # a slice that takes all changes nothing
        y = torch.cat([kept, self.conv(changed)], 1)
        batch, channels, height, width = y.shape
        y = y.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return y.view(batch, channels, height, width)[:, 1:4]


def test_slices_and_shuffles_have_their_words(tmp_path: Path) -> None:
    text = bring(_Shuffled, (8, 8, 8), tmp_path).text
    for words in ("slice (part 1 of 2)", "shuffle (groups 2)", "slice (3 from 1)"):
        assert words in text


class _Scaled(nn.Module):
    """A learnt scale and shift of the channels, of a map whose channels come last or first."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.shift = nn.Parameter(torch.zeros(6))
        self.gain = nn.Parameter(torch.ones(6, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = x.permute(0, 2, 3, 1) * self.scale + self.shift
        return y.permute(0, 3, 1, 2) * self.gain.view(1, 6, 1, 1)


def test_a_learnt_scale_is_read_in_both_orders_of_axes(tmp_path: Path) -> None:
    text = bring(_Scaled, (6, 8, 8), tmp_path).text
    assert "scale (bias)" in text
    assert text.count("scale") == 2 + text.count("rescale")


class _AcrossWidth(nn.Module):
    """A weight that torch repeats along the height and the channels, not along the map."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x * self.scale)


class _Fixed(nn.Module):
    """A convolution whose weights are a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.ones(3, 1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel
        assert isinstance(kernel, Tensor)
        return F.conv2d(x, kernel, groups=3)


class _Computed(nn.Conv2d):
    """A convolution whose weights are standardised."""

    def forward(self, input: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return F.conv2d(input, weight, self.bias)


class _Overwritten(nn.Module):
    """A network that reads a map after a view of it was changed in place."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.view(x.shape)
        y.relu_()
        return torch.cat([torch.sigmoid(y), torch.tanh(x)], 1)


class _Unknown(nn.Module):
    """A network that does two things which the language cannot say."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cumsum(x, 1) + torch.cumprod(x, 1)


class _Then(nn.Module):
    """A convolution, and a function behind it."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(self.conv(x))


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (lambda x: x[:, [1, 0, *range(2, 8)]], "slices of another kind"),
        (lambda x: x.flip(1), "values that are moved"),
        (lambda x: x.transpose(2, 3), "axes of a map that are exchanged"),
        (lambda x: x.mT, "axes of a map that are exchanged"),
        (lambda x: torch.stack([x, x]), "tensors with a new axis"),
        (lambda x: x.view(2 * len(x), -1), "a reshape that mixes the images"),
        (lambda x: x.half().float(), "numbers of another type"),
        (lambda x: x.bool(), "numbers of another type"),
        (lambda x: F.dropout(x, 0.5), "values that are dropped at random in inference"),
        (lambda x: F.batch_norm(x, None, None, training=True), "a batch norm of the batch's own"),
        (lambda x: F.leaky_relu(x, -0.5), "an activation with this argument"),
        (lambda x: F.group_norm(x, 2, eps=0), "a group norm"),
        (lambda x: x * float("nan"), "a number that is not finite: `mul`"),
        (lambda x: x - torch.ones(8, 1, 1, device=x.device), "values that the network does not"),
        (lambda x: torch.cat([x, torch.zeros(2, 1, 8, 8).to(x.device)], 1), "does not compute"),
        (lambda x: F.pad(x, (1, 1), value=0.5), "padding with another number"),
        (lambda x: x.softmax(3), "a softmax over the pixels"),
        (lambda x: x.unsqueeze(1), "with a new axis, as a stack has"),
        (lambda x: x.view(len(x), 8, 4, 2, 4, 2), "a map with other axes"),
        (lambda x: x.view(len(x), 2, 4, 64), "a map with other axes"),
        (lambda x: x.flatten(2), "maps that are read as tokens"),
        (lambda x: x.view(len(x), 4, 2, 8, 8).sum(2), "means, sums, deviations or extrema"),
        (lambda x: x.max(1).values, "a result whose axes are in another order, or one by one"),
        (lambda x: x.min(1).values, "means, sums, deviations or extrema"),
        (lambda x: torch.max(x, torch.ones(8, 1, 1, device=x.device)), "does not compute"),
        (lambda x: x.repeat_interleave(2, 1), "values that are repeated"),
        (lambda x: x.repeat(1, 1, 2, 1), "values that are repeated"),
        (
            lambda x: F.batch_norm(x, *torch.ones(2, 8).to(x.device)),
            "weights that are computed in the forward pass",
        ),
        (lambda x: F.dropout2d(x), "values that are dropped at random in inference"),
        (lambda x: None, "a result that is no tensor"),
        (lambda x: torch.zeros_like(x), "a result that is not computed from the input"),
    ],
)
def test_a_refusal_names_its_true_cause(
    function: Callable[[Tensor], object], cause: str, tmp_path: Path
) -> None:
    assert cause in causes(lambda: _Then(function), (3, 10, 10), tmp_path)[0]


@pytest.mark.parametrize(
    ("function", "step"),
    [
        (lambda x: x * x * x, "{from: [input, input], join: mul}"),
        (lambda x: x + x + x, "{from: [input, input], join: add}"),
        (lambda x: x.softmax(1), "softmax"),
        (lambda x: x.mean((2, 3))[:, 2:5], "slice (3 from 2)"),
    ],
)
def test_a_function_behind_a_convolution_is_a_step(
    function: Callable[[Tensor], object], step: str, tmp_path: Path
) -> None:
    assert step in bring(lambda: _Then(function), (3, 10, 10), tmp_path).text


def test_a_sum_beside_one_that_drops_paths_is_imported(project: Project) -> None:
    both = "{join: add, branches: {a: 1x1 conv (4), b: 3x3 conv (4)}}"
    steps = f"[{both}, {{steps: relu, residual: {{drop_path: 0.1}}}}]"
    project.write(NET, f"{{inception: 1, name: net, input: 8x8x3, network: {steps}}}")
    source = driver.emit_module(project.check())
    imported = bring(lambda: make_module(source, "net"), (3, 8, 8), project.root)
    assert "drop_path: 0.1" in imported.text


@pytest.mark.parametrize(
    ("layer", "cause"),
    [
        (lambda: nn.BatchNorm2d(3, eps=0.0), "a norm in this form"),
        (lambda: nn.BatchNorm2d(3, eps=1e-30), "a number with more digits or zeros"),
        (lambda: nn.BatchNorm2d(3, momentum=None), "a batch norm whose momentum is 0 or None"),
        (lambda: nn.Dropout(1.0), "`dropout`"),
        (nn.Identity, "a network without steps"),
    ],
)
def test_a_layer_with_values_that_no_spec_has_is_refused(
    layer: Callable[[], nn.Module], cause: str, tmp_path: Path
) -> None:
    (message,) = causes(lambda: nn.Sequential(layer()), (3, 8, 8), tmp_path)
    assert cause in message


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x.data * 2, "rescale (factor 2)"),
        (lambda x: F.relu(F.pad(x, (0, 0, 0, 0, 0, 0))), "{act: relu}"),
        (lambda x: F.relu(x[:, :, ...]), "{act: relu}"),
        (lambda x: F.relu(F.dropout2d(x, 0.0)), "{act: relu}"),
        (lambda x: x.to(torch.float32).contiguous().sigmoid(), "{act: sigmoid}"),
    ],
)
def test_functions_that_change_nothing_are_not_in_the_spec(
    function: Callable[[Tensor], object], words: str, tmp_path: Path
) -> None:
    assert words in bring(lambda: _Then(function), (3, 10, 10), tmp_path).text


@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose2d(8, 6, 4, 2, 1, bias=False),
        nn.ConvTranspose2d(8, 8, 3, 2, (1, 0), output_padding=1, groups=2),
    ],
)
def test_a_transposed_convolution_is_read(layer: nn.Module, tmp_path: Path) -> None:
    assert "deconv" in bring(lambda: _Then(layer.to("meta")), (3, 10, 10), tmp_path).text


class _Unread(nn.Module):
    """A network that computes a head, and does not return it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.head = nn.Conv2d(8, 50, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        self.head(y)
        return F.relu(y)


def test_a_head_that_nothing_reads_is_left_out_and_told(tmp_path: Path) -> None:
    imported = bring(_Unread, (3, 10, 10), tmp_path)
    (note,) = imported.notes
    assert note.code == "W622"
    assert note.message == "3,650 of 3,874 parameters are left out; 224 are those of inference"
    assert note.notes == ("no result that is imported depends on `head` 3,650",)
    assert "{params: 224, macs: 13824," in imported.text


class _Alias(nn.Module):
    """A network that runs a convolution under the second of its names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.same = self.conv
        self.body = nn.Sequential(self.conv, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x))


def test_a_module_of_several_names_is_one(tmp_path: Path) -> None:
    imported = bring(_Alias, (3, 10, 10), tmp_path)
    assert not imported.notes
    assert "params: 224" in imported.text


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("def __init__(self): raise SystemExit(0)", "E702"),
        ("def __init__(self): self.width = 3", "E702"),
        ("def forward(self, x): raise SystemExit(0)", "E704"),
        ("def forward(self, x): raise ValueError", "E704"),
        ("def __init__(self): __import__('os')._exit(0)", "E702"),
        ("def forward(self, x): __import__('os')._exit(0)", "E704"),
    ],
)
def test_a_network_that_ends_the_process_is_a_finding(
    lines: str, code: str, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(
        f"from torch import nn\n\n\nclass Net(nn.Module):\n    {lines}\n"
    )
    with pytest.raises(SpecError) as refused:
        import_target("py:net.py:Net", folder=tmp_path, input="8x8x3")
    assert [finding.code for finding in refused.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("target", "text", "line", "told"),
    [
        ("py:nosuch:Net", "", None, "No module named 'nosuch'"),
        ("py:net.py:Net", "width = 3\ndef Net(:\n", "def Net(:", "SyntaxError"),
        ("py:net.py:Net", "import json\njson.loads('')\n", "json.loads('')", "JSONDecodeError"),
        ("py:net.py:Net", "Net = 3\n", None, "`py:net.py:Net` is of `int`"),
    ],
)
def test_a_failure_stands_at_no_line_of_python_itself(
    target: str, text: str, line: str | None, told: str, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(text)
    with pytest.raises(SpecError) as refused:
        import_target(target, folder=tmp_path, input="8x8x3")
    (finding,) = refused.value.diagnostics
    assert told in " ".join([finding.message, *finding.notes])
    assert [label.span.text for label in finding.labels] == ([line] if line else [])


def test_an_input_with_its_channels_first_is_told(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\n\nnet = nn.Conv2d(3, 8, 3)\n")
    with pytest.raises(SpecError) as refused:
        import_target("py:net.py:net", folder=tmp_path, input="3x32x32")
    assert "write 32x32x3" in str(refused.value.diagnostics[0].help)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (_Fixed, ["fixed values"]),
        (lambda: nn.Sequential(_Computed(3, 8, 3)), ["weights that are computed"]),
        (_Overwritten, ["values that are overwritten"]),
        (_AcrossWidth, ["a learnt map"]),
        (_Unknown, ["`cumsum`", "`cumprod`"]),
    ],
)
def test_a_refusal_names_every_cause(
    module: Callable[[], nn.Module], words: list[str], tmp_path: Path
) -> None:
    shape = (6, 6, 6) if module is _AcrossWidth else (3, 8, 8)
    messages = causes(module, shape, tmp_path)
    assert all(word in message for word, message in zip(words, messages, strict=True))


def test_a_cause_stands_at_the_line_of_the_users_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        bring(_Unknown, (3, 8, 8), tmp_path)
    (label,) = refused.value.diagnostics[0].labels
    assert label.span.source.name.endswith("test_import.py")
    assert label.span.text == "return torch.cumsum(x, 1) + torch.cumprod(x, 1)"


@pytest.mark.parametrize(
    "target",
    [
        "timm:",
        "py:net.py",
        "py:net.py:Net@__import__('os')",
        "py:net.py:Net@width=__import__('os').getpid()",
        "py:net.py:Net@width=1,width=2",
        "py:net.py:Net@**{'a': 1}",
        "py:net.py:Net@width=1)(2",
        f"timm:{'x' * 2000}",
    ],
)
def test_a_malformed_target_is_refused_unread(target: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_target(target)
    assert [finding.code for finding in refused.value.diagnostics] == ["E701"]


def test_arguments_are_literals() -> None:
    target = read_target("py:a.b:make@width=32,act='relu',depths=(3, 4),flag=True")
    assert isinstance(target, Target)
    assert target.arguments == {"width": 32, "act": "relu", "depths": (3, 4), "flag": True}


def test_what_a_network_prints_stays_out_of_the_spec(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import sys\nfrom torch import nn\nprint('hello')\nsys.__stdout__.write('hello')\n\n\n"
        "class Loud(nn.Module):\n    def forward(self, x):\n        print('hello')\n"
        "        return x\n\n\ndef make(width):\n    print('world')\n"
        "    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), Loud())\n"
    )
    command = [sys.executable, "-m", "inception_dsl", "import", "py:net.py:make@width=4"]
    done = subprocess.run(
        [*command, "--input", "8x8x3"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("# imported")
    assert "hello" not in done.stdout
    assert "3x3 conv (4 V)" in done.stdout


def test_a_relative_import_is_told_the_name_of_its_package(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.py").write_text("from . import parts\n")
    with pytest.raises(SpecError) as error:
        driver.import_target("py:models/net.py:Net@n=3", folder=tmp_path, input="8x8x3")
    (finding,) = error.value.diagnostics
    assert finding.code == "E702"
    assert finding.help == "name it in its package, as in `py:models.net:Net@n=3`"


def test_an_input_that_nothing_reads_is_told_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.conv = nn.Conv2d(3, 4, 3)\n\n    def forward(self, left, right):\n"
        "        self.conv(right)\n        return self.conv(left)\n"
    )
    inputs = {"left": "8x8x3", "right": "8x8x3"}
    with pytest.raises(SpecError) as error:
        driver.import_target("py:net.py:Net", folder=tmp_path, input=inputs)
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.labels[0].span.line) == ("E705", 9)
    assert "`right`" in finding.message


def test_every_command_takes_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n"
        "    default_cfg = {'input_size': (3, 8, 8)}\n\n"
        "    def __init__(self):\n        super().__init__(nn.Conv2d(3, 4, 3), nn.ReLU())\n"
    )
    target = "py:net.py:Net"
    for words in (["check"], ["flops"], ["diff", target], ["build"], ["resolve"]):
        assert main([*words, target]) == 0
    module = (tmp_path / "generated" / "net" / "model.py").read_text()
    assert "generated by inception-dsl from py:net.py:Net" in module


def test_a_module_is_traced_where_it_is_and_stays_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()).train()
    network = trace(module, "32x32x3")
    assert network.cost().totals.params == sum(own.numel() for own in module.parameters())
    assert all(own.device.type == "cpu" for own in module.parameters())
    assert module.training


@pytest.mark.parametrize("values", ["torch.zeros(1)", "torch.zeros(1).item()"])
def test_weights_stay_shared_wherever_a_network_is_built(values: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Sequential):\n"
        "    def __init__(self):\n"
        f"        print({values})\n"
        "        first, second = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)\n"
        "        second.weight = first.weight\n"
        "        super().__init__(first, second)\n"
    )
    with pytest.raises(SpecError) as refused:
        import_target("py:net.py:Net", folder=tmp_path, input="8x8x3")
    (finding,) = refused.value.diagnostics
    assert "weights that another step uses" in finding.message


def test_a_parameter_that_is_always_on_the_cpu_is_moved(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.gain = nn.Parameter(torch.Tensor([0.5]))\n\n"
        "    def forward(self, x):\n        return torch.relu(self.gain * x)\n"
    )
    text = import_target("py:net.py:Net", folder=tmp_path, input="8x8x3").text
    assert "scale (one)" in text


@pytest.mark.parametrize("fault", [TypeError, AssertionError, ValueError, AttributeError])
def test_a_fault_of_a_reader_is_no_refusal(
    fault: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(reader: object, input: object) -> None:
        raise fault

    monkeypatch.setitem(FUNCTIONS, "contiguous", read)
    with pytest.raises(fault):
        bring(lambda: _Then(lambda x: F.relu(x.contiguous())), (3, 10, 10), tmp_path)


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (lambda x: F.normalize(x, dim=(1, 2)), "a norm over other axes"),  # type: ignore[arg-type]
        (
            lambda x: x.view(2, 2, 4, 8, 8).relu().view(2, 8, 8, 8),
            "an activation of a tensor with other axes",
        ),
        (lambda x: x.contiguous(memory_format=torch.channels_last).cummax(1)[0], "`cummax`"),
    ],
)
def test_arguments_that_a_function_does_not_know_are_a_cause(
    function: Callable[[Tensor], object], cause: str, tmp_path: Path
) -> None:
    assert cause in causes(lambda: _Then(function), (3, 10, 10), tmp_path)[0]


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    slope, side = numpy.float64(0.25), numpy.int64(2)

    def change(x: Tensor) -> Tensor:
        return F.avg_pool2d(F.leaky_relu(x, slope), side)  # type: ignore[arg-type]

    text = bring(lambda: _Then(change), (3, 10, 10), tmp_path).text
    assert "slope 0.25" in text or "slope: 0.25" in text
    assert "2x2 avgpool (stride 2)" in text


class _OfForm(nn.Module):
    """A network that gives a parameter the type and the axes of a map."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x * self.gain.type_as(x))


def test_a_parameter_in_the_type_of_a_map_is_that_parameter(tmp_path: Path) -> None:
    assert "scale" in bring(_OfForm, (3, 8, 8), tmp_path).text


@pytest.mark.parametrize("name", ["resnet50", "specs/net.yaml"])
def test_a_target_without_a_library_is_told_which_there_are(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", name]) == 2
    error = capsys.readouterr().err
    assert f"error[E701]: `{name}` names no library and no Python file" in error
    assert ("write `timm:resnet50`, `torchvision:resnet50` or" in error) == (name == "resnet50")


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("resnet_50", "write `resnet50`"),
        ("resnet51", "names that begin alike are `resnet50`"),
        ("nosuch", f"`torchvision.models.list_models()` lists all {len(list_models())} names"),
    ],
)
def test_an_unknown_name_of_a_library_is_told_with_known_ones(
    name: str, help: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as refused:
        import_target(f"torchvision:{name}", folder=tmp_path)
    assert [finding.help for finding in refused.value.diagnostics] == [help]
