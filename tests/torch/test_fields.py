"""Receptive fields, held against gradients, and against what is published of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from random_specs import QUICK, specs
from random_steps import ACTS, Spec
from test_language import HEAD, NETWORKS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.functional import pad

from inception_dsl import driver
from inception_dsl.analysis import Windows, measure_fields
from inception_dsl.bridge import make_module
from inception_dsl.driver import Checked
from inception_dsl.resolve import Overrides

FOLDER = Path(__file__).parent

PUBLISHED = {
    # Distill 2019, Table 1, of TF-slim's networks: the last map before it is pooled to a vector.
    "alexnet": ("pool5", 195),
    "vgg16": ("stage5.maxpool", 212),
    "tf_slim/inception_v2": ("inception_5b.concat", 699),
    "timm/inception_v3": ("mixed_7c.concat", 1311),
    "inception_v4": ("inception_c.2.concat", 2071),
    "timm/inception_resnet_v2": ("conv2d_7b", 3039),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_fields(name: str) -> None:
    path, size = PUBLISHED[name]
    model = driver.measure(name, folder=FOLDER).model
    field = measure_fields(model)[path]
    assert field.height is not None
    assert field.width is not None
    assert (field.height.size, field.width.size, field.height.stride) == (size, size, 32)


def even_weights(module: nn.Module) -> None:
    """Makes every gradient positive: weights are means."""
    for child in module.modules():
        if isinstance(child, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.constant_(child.weight, 1 / child.weight[0].numel())
            if child.bias is not None:
                nn.init.zeros_(child.bias)
        elif isinstance(child, nn.GroupNorm) and child.affine:
            nn.init.constant_(child.bias, 100)  # so that no value is lost to a ReLU
        elif type(child).__name__.startswith("_Scale"):
            nn.init.ones_(child.get_parameter("weight"))
        elif type(child).__name__ == "_GlobalResponseNorm2d":
            weight = child.get_parameter("weight")
            weight.data = torch.arange(1, len(weight) + 1).to(weight)


def mean_for_max(
    x: Tensor,
    size: Any,
    stride: Any,
    pad: Any = 0,
    dilation: int = 1,
    *,
    ceil_mode: bool = False,
    **_: Any,
) -> Tensor:
    """Return a mean instead of a maximum, whose gradient would reach one pixel of its window."""
    return F.avg_pool2d(x.nan_to_num(neginf=0), size, stride, pad, ceil_mode)


def adaptive_mean_for_max(x: Tensor, size: Any, return_indices: bool) -> Tensor:
    """The same for an adaptive pool."""
    return F.adaptive_avg_pool2d(x, size)


def mean_added(*dims: int) -> Callable[..., Tensor]:
    """Return a sum with a mean in place of a norm, whose gradients would cancel each other."""

    def add(x: Tensor, *_: Any, **__: Any) -> Tensor:
        return x + x.mean(dim=dims, keepdim=True)

    return add


def mean_of_both(x: Tensor, y: Tensor) -> Tensor:
    """Return a mean instead of the larger or the smaller value, whose gradient reaches one."""
    return (x + y) / 2


def length_by_channel(x: Tensor, **_: Any) -> Tensor:
    """Return lengths that differ from channel to channel: those of equal ones cancel each other."""
    factors = torch.arange(1, x.shape[1] + 1)[:, None, None]
    return 1 + factors * x.mean((2, 3), keepdim=True)


def padded_by_zeros(
    x: Tensor, sides: Any, mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return a map in zeros: where lines are mirrored or repeated, units see them twice."""
    return pad(x, sides, value=value)


def passed_on(x: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return a value without its activation, which may be flat at it and lose the gradient."""
    return x


IN_PLACE_OF = {
    "torch.nn.functional.max_pool2d": mean_for_max,
    "torch.nn.functional.adaptive_max_pool2d": adaptive_mean_for_max,
    "torch.nn.functional.layer_norm": mean_added(-1),
    "torch.nn.functional.normalize": mean_added(1),
    "torch.nn.functional.softmax": mean_added(1),
    "torch.nn.functional.log_softmax": mean_added(1),
    "torch.nn.functional.instance_norm": mean_added(2, 3),
    **dict.fromkeys(("torch.maximum", "torch.minimum"), mean_of_both),
    "torch.linalg.vector_norm": length_by_channel,
    "torch.nn.functional.pad": padded_by_zeros,
    **dict.fromkeys(("torch.sigmoid", "torch.tanh"), passed_on),
    **{f"torch.nn.functional.{act}": passed_on for act in (*ACTS, "prelu")},
}
"""Functions by name, with others whose gradients reach all pixels that a unit reads."""


def is_seen(
    windows: Windows,
    unit: int,
    side: int,
    actual: tuple[int, int],
    *,
    gaps: bool,
    largest_stride: int | Fraction,
) -> bool:
    """A unit sees from the first to the last of some pixels.

    Where a stride leaves the last pixels of a map out, less than two strides of them, a window may
    reach into the padding behind those that are left, and see fewer; where dilation leaves `gaps`,
    the first pixel of a window that begins in the padding may lie in one. A unit that sees the
    whole map has no stride: what was left out before it follows from the largest stride there is.
    """
    first, end = windows.span(unit)
    assert end - first <= windows.size
    is_first = actual[0] == max(first, 0) or (gaps and first < 0 <= actual[0])
    stride = windows.stride or largest_stride
    if end + 2 * stride > side:
        last = min(end, side) - 1
        return is_first and last - max(2 * stride, 1) < actual[1] <= last
    return is_first and actual[1] == end - 1


def reaches_out(span: tuple[int, int], side: int) -> bool:
    """Tell whether a unit sees padding, too."""
    return span[0] < 0 or span[1] > side


def hold_against_gradients(found: Checked, *, most: int) -> int:
    """Units see what has a gradient; gives how many were looked at.

    Args:
        most: how many nodes to look at.

    Raises:
        AssertionError: one sees something else.
    """
    model = found.model
    fields = measure_fields(model)
    module = make_module(driver.emit_module(found), model.name).double().eval()
    even_weights(module)
    outputs: dict[str, Tensor] = {}
    for path, child in module.named_modules():
        child.register_forward_hook(
            lambda own, args, result, path=path: outputs.__setitem__(path, result)
        )
    shapes = [type.shape for type in model.inputs.values()]
    images = [torch.rand(1, *shape, dtype=torch.float64) / 2 + 0.25 for shape in shapes]
    for image in images:
        image.requires_grad_()
    with ExitStack() as patches:
        for name, function in IN_PLACE_OF.items():
            patches.enter_context(patch(name, function))
        module(*images)
    again = {node.reuses for node in model.graph.nodes}
    nodes = [n for n in model.graph.nodes if n.type.is_map and outputs.get(n.path) is not None]
    gaps = any(node.attributes.get("dilation", 1) != 1 for node in model.graph.nodes)
    largest = max(
        (
            windows.stride
            for field in fields.values()
            for windows in (field.height, field.width)
            if windows is not None
        ),
        default=1,
    )
    looked_at = 0
    for node in nodes[:: -(-len(nodes) // most)] if nodes else []:
        field = fields[node.path]
        if field.height is None or field.width is None or node.reuses or node.path in again:
            continue
        height, width = node.type.size
        places = [(height // 2, width // 2), ((height - 1) // 2, (width - 1) // 2)]
        places += [(0, 0), (height - 1, width - 1)]
        for row, column in places:
            value = outputs[node.path][0, :, row, column].sum()
            gradients = torch.autograd.grad(value, images, retain_graph=True, allow_unused=True)
            # Several inputs lie upon each other, so they have one size.
            pixels_read = [grad[0].abs().amax(0) for grad in gradients if grad is not None]
            rows, columns = torch.stack(pixels_read).amax(0).nonzero().T
            tall, wide = shapes[0][1:]
            sides = ((field.height, row, tall, rows), (field.width, column, wide, columns))
            if not len(rows):  # the unit reads the padding of a map alone
                assert any(
                    reaches_out(windows.span(unit), side) for windows, unit, side, _ in sides
                )
                continue
            for windows, unit, side, pixels in sides:
                actual = int(pixels.min()), int(pixels.max())
                said = windows, unit, side, actual
                assert is_seen(*said, gaps=gaps, largest_stride=largest), (node.path, *said)
            looked_at += 1
    return looked_at


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_every_part_of_the_language(spec: str, project: Project) -> None:
    project.write(NET, HEAD + spec)
    found = project.check()
    looked_at = hold_against_gradients(found, most=30)
    # Where weights are used twice, a hook sees what its path gave last: those are left out.
    assert looked_at or any(node.reuses for node in found.model.graph.nodes)


@pytest.mark.parametrize(
    ("name", "input"), [("googlenet", "96x96x3"), ("tf_slim/inception_v2", "65x64x3")]
)
def test_networks(name: str, input: str) -> None:
    found = driver.check(name, folder=FOLDER, overrides=Overrides(input))
    assert hold_against_gradients(found, most=8) >= 20


def test_random_networks(project: Project) -> None:
    looked_at = 0

    @settings(QUICK, max_examples=15)
    @given(specs())
    def claim(spec: Spec) -> None:
        nonlocal looked_at
        project.write(NET, spec.text())
        looked_at += hold_against_gradients(project.check(), most=6)

    claim()
    assert looked_at > 100
