"""Modules of libraries that compute an op of the language in several calls of torch are read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import yaml
from test_import import bring, causes
from timm.layers.eca import CecaModule, EcaModule
from timm.layers.grn import GlobalResponseNorm
from timm.layers.selective_kernel import SelectiveKernel
from timm.layers.split_attn import SplitAttn
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from inception_dsl import load
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import import_target
from inception_dsl.driver.importing import Imported, import_module


class _Row(nn.Module):
    """The gate of ECA-Net's authors, who turn a map of one place into a row of channels."""

    def __init__(self, **settings: int | bool | str) -> None:
        super().__init__()
        words: dict[str, int | bool | str] = {"padding": 1, "bias": False, **settings}
        filters = int(words.pop("filters", 1))
        self.conv = nn.Conv1d(1, filters, 3, **words)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        y = F.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)
        y = torch.sigmoid(self.conv(y)).transpose(-1, -2).unsqueeze(-1)
        return x * y.expand_as(x)


class _NormedRow(nn.Module):
    """A batch norm of a row, for which the row is one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x.mean((2, 3)).unsqueeze(1))
        return y.squeeze(1)


class _RepeatedRow(nn.Module):
    """A row and a vector, whose product has a value for each pair of images."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.mean((2, 3))
        return (y.unsqueeze(1) * torch.sigmoid(y)).squeeze(1)


class _UnitLength(nn.Module):
    """A layer whose result has the length 1, as FaceNet's embedding has."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(12, 6)

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.embed(x.flatten(1)), p=2, dim=1)


def test_a_result_of_unit_length_is_an_l2norm(tmp_path: Path) -> None:
    assert "l2norm" in bring(_UnitLength, (3, 2, 2), tmp_path).text


@pytest.mark.parametrize(
    ("module", "kernel"),
    [
        (lambda: EcaModule(kernel_size=5), 5),
        (lambda: EcaModule(channels=64), 3),
        (_Row, 3),
        (lambda: _Row(padding="same"), 3),
    ],
)
def test_a_gate_of_neighbouring_channels_is_a_channelconv(
    module: Callable[[], nn.Module], kernel: int, tmp_path: Path
) -> None:
    text = bring(module, (64, 7, 6), tmp_path).text
    assert f"channelconv (kernel {kernel})" in text
    assert "join: mul" in text


@pytest.mark.parametrize(
    "module",
    [
        lambda: CecaModule(kernel_size=3),
        lambda: EcaModule(channels=16, use_mlp=True),
        lambda: _Row(bias=True),
        lambda: _Row(padding=2, dilation=2),
        _NormedRow,
    ],
    ids=["circular", "two convolutions", "bias", "dilation", "norm"],
)
def test_another_form_of_a_convolution_along_the_channels_is_refused(
    module: Callable[[], nn.Module], tmp_path: Path
) -> None:
    (first, *_) = causes(module, (16, 5, 6), tmp_path)
    assert "along the channels in another form" in first


def test_a_product_of_a_row_and_a_vector_is_refused(tmp_path: Path) -> None:
    (message,) = causes(_RepeatedRow, (16, 5, 6), tmp_path)
    assert "a sum or a product of other shapes" in message


class _Response(nn.Module):
    """The response norm as its authors write it, on maps whose channels come last."""

    def __init__(self, eps: float = 1e-6) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, 6))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, 6))
        self.eps = eps

    def share(self, x: Tensor) -> Tensor:
        length: Tensor = torch.norm(x, p=2, dim=(1, 2), keepdim=True)
        return length / (length.mean(dim=-1, keepdim=True) + self.eps)

    def forward(self, x: Tensor) -> Tensor:
        y = x.permute(0, 2, 3, 1)
        y = self.gamma * (y * self.share(y)) + self.beta + y
        return y.permute(0, 3, 1, 2)


class _OtherSum(_Response):
    """A response norm that is added to another map than it reads."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.permute(0, 2, 3, 1)
        y = self.gamma * (y * self.share(y)) + self.beta + torch.relu(y)
        return y.permute(0, 3, 1, 2)


class _SharesAgain(_Response):
    """A response norm whose shares are read twice."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.permute(0, 2, 3, 1)
        share = self.share(y)
        y = (self.gamma * (y * share) + self.beta + y) * share
        return y.permute(0, 3, 1, 2)


class _OtherMean(_Response):
    """Lengths that are divided by the mean of other lengths."""

    def share(self, x: Tensor) -> Tensor:
        other: Tensor = torch.norm(torch.relu(x), p=2, dim=(1, 2), keepdim=True)
        length: Tensor = torch.norm(x, p=2, dim=(1, 2), keepdim=True)
        return length / (other.mean(dim=-1, keepdim=True) + self.eps)


class _OtherLength(_Response):
    """Lengths that are sums of absolute values."""

    def share(self, x: Tensor) -> Tensor:
        length: Tensor = torch.norm(x, p=1, dim=(1, 2), keepdim=True)
        return length / (length.mean(dim=-1, keepdim=True) + self.eps)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (lambda: GlobalResponseNorm(6, channels_last=False), "grn"),
        (lambda: GlobalResponseNorm(6, eps=0.5, channels_last=False), "grn (eps 0.5)"),
        (_Response, "grn"),
        (lambda: _Response(eps=0.25), "grn (eps 0.25)"),
    ],
    ids=["timm", "eps", "authors", "authors' eps"],
)
def test_a_response_norm_is_one_op(
    module: Callable[[], nn.Module], words: str, tmp_path: Path
) -> None:
    text = bring(module, (6, 4, 5), tmp_path).text
    assert words in text
    assert "join:" not in text and "scale" not in text and "residual" not in text


EMITTED = """\
inception: 1
name: net
input: 5x4x6
network:
  - 3x3 conv (6 act relu)
  - grn (eps 0.5)
  - attention:
      branches:
        whole: identity
        gate: [global avgpool, channelconv (kernel 3), sigmoid]
      join: mul
  - grn
"""


def test_these_ops_come_back_from_an_emitted_module(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(EMITTED)
    source = load(path).emit()
    text = bring(lambda: make_module(source, "net"), (6, 4, 5), tmp_path).text
    assert text.count(": grn") == 2
    assert text.count("channelconv (kernel 3)") == 1


@pytest.mark.parametrize("module", [_OtherSum, _SharesAgain, _OtherMean, _OtherLength])
def test_another_response_norm_is_refused(module: Callable[[], nn.Module], tmp_path: Path) -> None:
    (first, *_) = causes(module, (6, 4, 5), tmp_path)
    assert "means, sums, deviations or extrema" in first


@pytest.mark.parametrize(
    ("target", "op"),
    [
        ("timm:ecaresnet26t", "channelconv"),
        ("timm:eca_nfnet_l0", "channelconv"),
        ("timm:convnextv2_atto", "grn"),
    ],
)
def test_networks_with_these_modules_give_the_same_outputs(
    target: str, op: str, tmp_path: Path
) -> None:
    assert op in import_target(target, folder=tmp_path).text


class _Blur(nn.Module):
    """The blur of Zhang's package: a reflection pad and a convolution with a fixed filter."""

    filter: Tensor

    def __init__(
        self, channels: int, row: tuple[float, ...] = (1, 2, 1), *, repeats: bool = True
    ) -> None:
        super().__init__()
        filter = torch.tensor(row, device="cpu")
        filter = filter[:, None] * filter
        filter = (filter / filter.sum()).expand(channels if repeats else 1, 1, -1, -1).clone()
        self.register_buffer("filter", filter)
        self.pad = nn.ReflectionPad2d(len(row) // 2)
        self.repeats = repeats

    def forward(self, x: Tensor) -> Tensor:
        filter = self.filter if self.repeats else self.filter.expand(x.shape[1], 1, -1, -1)
        return F.conv2d(self.pad(x), filter, stride=2, groups=x.shape[1])


def bring_with_values(module: nn.Module, shape: tuple[int, ...], folder: Path) -> Imported:
    """Import a module whose buffers have values."""
    height, width = shape[1:]
    return import_module(module, f"{height}x{width}x{shape[0]}", name="net", folder=folder)


@pytest.mark.parametrize("repeats", [True, False])
def test_a_convolution_with_fixed_binomial_weights_is_a_blur(repeats: bool, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), _Blur(4, (1, 3, 3, 1), repeats=repeats)).eval()
    text = bring_with_values(module, (3, 9, 8), tmp_path).text
    assert "4x4 blur (stride 2 V)" in text
    path = tmp_path / "net.yaml"
    path.write_text(text)
    network = load(path)
    rebuilt = network.module().eval()
    rebuilt.load_state_dict(
        dict(zip(rebuilt.state_dict(), module[0].state_dict().values(), strict=True))
    )
    image = torch.randn(2, 3, 9, 8)
    assert torch.equal(rebuilt(image), module(image))
    with FlopCounterMode(display=False) as counter:
        module(image)
    assert counter.get_total_flops() == 2 * 2 * network.cost().totals.macs
    again = bring_with_values(rebuilt, (3, 9, 8), tmp_path).text
    assert "4x4 blur (stride 2 V)" in again


def test_a_convolution_with_other_fixed_weights_is_refused(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), _Blur(4, (1, 1, 1)))
    with pytest.raises(SpecError) as refused:
        bring_with_values(module, (3, 9, 8), tmp_path)
    (finding,) = refused.value.diagnostics
    assert "fixed values, which a buffer holds: `conv2d`" in finding.message


def test_a_network_of_a_library_with_blurs_gives_the_same_outputs(tmp_path: Path) -> None:
    text = import_target("timm:resnetblur18", folder=tmp_path, input="64x64x3").text
    assert "3x3 blur (stride 2" in text


def test_a_network_may_change_its_input_in_place(tmp_path: Path) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x *= 255
            y: Tensor = self.conv(x)
            return y

    assert "rescale (factor 255)" in bring(Scaled, (3, 6, 6), tmp_path).text


class _Named(Tensor):
    """A tensor under the name of another class."""


def test_a_result_under_the_name_of_a_subclass_is_that_result(tmp_path: Path) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.conv(x)
            with torch._C.DisableTorchFunction():
                return y.as_subclass(_Named)

    assert "3x3 conv (4 V)" in bring(Named, (3, 6, 6), tmp_path).text


def _grouped() -> nn.Module:
    """Return convolutions with norms in a row; the last one has groups, and so has its norm."""
    convs = [nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 64, 3, groups=4)]
    norms = [nn.BatchNorm2d(8), nn.BatchNorm2d(8), nn.GroupNorm(32, 64)]
    pairs = zip(convs, norms, strict=True)
    return nn.Sequential(*(layer for conv, norm in pairs for layer in (conv, norm, nn.ReLU())))


def test_groups_of_a_convolution_stay_apart_from_those_of_its_norm(tmp_path: Path) -> None:
    """The spec sets both where a step has both, and takes a checkpoint whose keys are numbers."""
    text = bring(_grouped, (3, 12, 12), tmp_path).text
    assert "groups 4 norm groupnorm" in text
    assert "groupnorm: {groups: 32}" in text
    path = tmp_path / "net.yaml"
    path.write_text(text)
    module, old = load(path).module().eval(), _grouped().eval()
    tensors = dict(zip(module.state_dict(), old.state_dict().values(), strict=True))
    module.load_state_dict(tensors)
    image = torch.rand(2, 3, 12, 12)
    torch.testing.assert_close(module(image), old(image))


def test_a_weight_for_all_channels_is_written_where_most_have_one_for_each(tmp_path: Path) -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.PReLU(6), nn.MaxPool2d(2), nn.PReLU(6), nn.MaxPool2d(2), nn.PReLU())

    assert "prelu (no_per_channel)" in bring(build, (6, 8, 8), tmp_path).text


class _Selection(nn.Module):
    """A choice between two convolutions, stacked by concats along a new axis."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, 8, 1), nn.Conv2d(3, 8, 3, padding=1)])
        self.fc, self.fcs = nn.Linear(8, 4), nn.ModuleList([nn.Linear(4, 8), nn.Linear(4, 8)])

    def forward(self, x: Tensor) -> Tensor:
        maps = torch.cat([conv(x).unsqueeze_(dim=1) for conv in self.convs], dim=1)
        z = self.fc(torch.sum(maps, dim=1).mean(-1).mean(-1))
        gates = torch.cat([fc(z).unsqueeze(1) for fc in self.fcs], dim=1).softmax(1)
        return (maps * gates.unsqueeze(-1).unsqueeze(-1)).sum(dim=1)


class _Splits(nn.Module):
    """A choice between two halves of a map, as the authors of ResNeSt write it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.fc = nn.Conv2d(3, 8, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        halves = torch.split(self.stem(x), 4, dim=1)
        gates = self.fc(F.adaptive_avg_pool2d(halves[0] + halves[1], 1))
        gates = F.softmax(gates.view(len(x), 1, 2, -1).transpose(1, 2), dim=1).reshape(len(x), -1)
        parts = torch.split(gates.view(len(x), -1, 1, 1), 4, dim=1)
        return parts[0] * halves[0] + parts[1] * halves[1]


@pytest.mark.parametrize(
    "module",
    [
        _Splits,
        _Selection,
        lambda: nn.Sequential(nn.Conv2d(3, 8, 1), SplitAttn(8, 8, norm_layer=nn.BatchNorm2d)),
        lambda: nn.Sequential(nn.Conv2d(3, 32, 1), SelectiveKernel(32, 32)),
    ],
)
def test_a_choice_between_branches_is_a_softmax_over_parts(
    module: Callable[[], nn.Module], tmp_path: Path
) -> None:
    assert "partsoftmax (parts 2)" in bring(module, (3, 16, 16), tmp_path).text


def test_a_softmax_over_parts_of_groups_is_refused(tmp_path: Path) -> None:
    def module() -> nn.Module:
        attention = SplitAttn(8, 8, groups=2, norm_layer=nn.BatchNorm2d)
        return nn.Sequential(nn.Conv2d(3, 8, 1), attention)

    assert causes(module, (3, 16, 16), tmp_path)


class _Attention(nn.Module):
    """A gate of places as CBAM has it, from the mean and the largest of all channels."""

    def __init__(self, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stem, self.conv = nn.Conv2d(3, 8, 3), nn.Conv2d(2, 1, 7, padding=3)
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x * torch.sigmoid(self.conv(self.pool(x))).expand_as(x)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: torch.cat([x.mean(1, keepdim=True), torch.max(x, dim=1, keepdim=True)[0]], 1),
        lambda x: torch.cat((x.max(1)[0].unsqueeze(1), torch.mean(x, 1).unsqueeze(1)), dim=1),
        lambda x: torch.stack([x.mean(dim=1), x.amax(1)], dim=1),
    ],
)
def test_pools_over_channels_are_words(pool: Callable[[Tensor], Tensor], tmp_path: Path) -> None:
    text = bring(lambda: _Attention(pool), (3, 12, 12), tmp_path).text
    assert "channelmaxpool" in text
    assert "channelavgpool" in text


class _Written(nn.Module):
    """A network whose forward pass is a function."""

    def __init__(self, run: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self.conv(x))


@pytest.mark.parametrize(
    "run",
    [
        lambda x: torch.cat([x], 1),
        lambda x: torch.stack([x]).sum(0) + x.view(len(x), 1, *x.shape[1:]).sum(1),
        lambda x: torch.stack([x], dim=1).mean(dim=1) + x,
        lambda x: torch.cat([x, x.new_zeros(len(x), 0, *x.shape[2:])], 1),
    ],
)
def test_a_join_of_one_map_is_no_step(run: Callable[[Tensor], Tensor], tmp_path: Path) -> None:
    found = bring(lambda: _Written(run), (3, 12, 12), tmp_path)
    assert "concat" not in found.text
    assert "channelpad" not in found.text


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4)), "channelpad (before 4 after 4)"),
        (lambda x: F.pad(x, (1, 0, 0, 0, 0, 3), "constant", 0), "channelpad (after 3)"),
        (lambda x: F.pad(x, (0, 0, 0, 0, 2, 0, 0, 0)), "channelpad (before 2)"),
        (lambda x: torch.cat([x[:, 2].unsqueeze(1), x[:, -1][:, None]], 1), "slice (1 from 7)"),
        (lambda x: x.view(len(x), x.size(1), -1).max(dim=2)[0], "global maxpool"),
        (lambda x: x * x.mean(1, keepdim=True), "channelavgpool"),
        (lambda x: torch.cat([x, x.new_zeros(len(x), 3, *x.shape[2:])], 1), "channelpad (after 3)"),
        (lambda x: torch.cat([torch.zeros_like(x[:, :2]), x], 1), "channelpad (before 2)"),
        (lambda x: F.max_pool2d(x, x.size(2), stride=x.size(2)).flatten(1), "global maxpool"),
        (lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear"), "upsample (size 5x5 bil"),
        (lambda x: 1 - x.sigmoid(), "rescale (factor -1 offset 1)"),
        (lambda x: x / 127.5 - 1, "divide (by 127.5)"),
        (lambda x: torch.stack([x, x * 2, x * 4]).mean(dim=0), "divide (by 3)"),
        (lambda x: F.log_softmax(x.mean((2, 3)), dim=1), "log_softmax"),
        (lambda x: (x - x.sigmoid()).abs(), "abs"),
        (lambda x: x[:, :2].repeat(1, 4, 1, 1) * x, "from: [slice_1, slice_1, slice_1, slice_1]"),
        (lambda x: torch.tile(x.mean((2, 3)), (1, 2)), "from: [global_avgpool, global_avgpool]"),
        (lambda x: torch.max(*x.chunk(2, 1)), "join: maximum"),
        (lambda x: torch.minimum(x.tanh(), x.sigmoid()).max(x.relu()), "join: minimum"),
        (lambda x: torch.maximum(x, x.mean((2, 3), keepdim=True)), "join: maximum"),
    ],
)
def test_functions_are_words(run: Callable[[Tensor], Tensor], words: str, tmp_path: Path) -> None:
    assert words in bring(lambda: _Written(run), (3, 12, 12), tmp_path).text


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (lambda x: torch.cat([x, torch.zeros_like(x).add_(1)], 1), "values that the network does"),
        (lambda x: torch.mul(*torch.max(x, 1, keepdim=True)), "the places of the largest values"),
        (lambda x: F.pad(x, (0, 0, 0, 0, 1, 1), "constant", 2), "channels of zeros"),
        (lambda x: torch.cat([x.mean(1), x.mean(1)], 1), "a concat along another axis"),
        (lambda x: x.mean(1), "a result whose axes"),
    ],
)
def test_channels_in_other_forms_are_refused(
    run: Callable[[Tensor], Tensor], what: str, tmp_path: Path
) -> None:
    found = causes(lambda: _Written(run), (3, 10, 10), tmp_path)
    assert [cause for cause in found if what in str(cause)], found


class _Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.b1 = nn.Conv2d(8, 4, 1)
        self.b3 = nn.Sequential(nn.Conv2d(8, 4, 1), nn.Conv2d(4, 4, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.b1(x), self.b3(x)], dim=1)


def test_a_child_that_begins_with_the_name_of_its_module_keeps_its_own(tmp_path: Path) -> None:
    module = nn.Sequential(OrderedDict(a=_Pair(), b=_Pair(), c=_Pair()))
    imported = import_module(module, "8x8x8", name="net", folder=tmp_path)
    (block,) = yaml.safe_load(imported.text)["blocks"].values()
    assert list(block["branches"]) == ["b1", "b3"]
    steps = yaml.safe_load(imported.text)["network"]
    assert [name for step in steps for name in step] == ["a", "b", "c"]


class _Held(nn.Module):
    """A network whose function holds a layer of its own: a lambda, or a partial of one."""

    def __init__(self, *, partly: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        conv = self.conv
        self.run: Callable[[Tensor], Tensor] = lambda x: conv(x)
        if partly:
            self.run = partial(lambda layer, x: layer(x), conv)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.run(x))


@pytest.mark.parametrize("partly", [True, False])
def test_a_layer_that_a_function_holds_is_that_of_the_network(partly: bool, tmp_path: Path) -> None:
    text = import_module(_Held(partly=partly), "8x8x3", name="net", folder=tmp_path).text
    assert "conv: 3x3 conv (4 V)" in text


def test_a_layer_that_no_module_registers_is_told(tmp_path: Path) -> None:
    class Lost(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Conv2d(3, 4, 3)]

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.layers[0](x)
            return result

    with pytest.raises(SpecError) as refused:
        bring_with_values(Lost(), (3, 8, 8), tmp_path)
    (finding,) = refused.value.diagnostics
    assert "layers that no module registers: `conv2d`" in finding.message
    assert finding.help == "hold them in an `nn.ModuleList` or `nn.ModuleDict`"


def test_a_result_that_another_name_overwrites_is_refused(tmp_path: Path) -> None:
    class Overwritten(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.conv(x)
            made[:, :2].mul_(3)
            return made

    messages = causes(Overwritten, (3, 8, 8), tmp_path)
    assert any("values that are overwritten under another name" in message for message in messages)
