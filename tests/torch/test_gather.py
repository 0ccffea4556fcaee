"""Windows that take the same values: what the comparison of two ops says, and what torch does."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest
import torch
from conftest import Project
from torch import Tensor
from torch.nn import functional as F

from inception_dsl import driver
from inception_dsl.ir import TensorType
from inception_dsl.ops import OPS, ShapeError
from inception_dsl.ops.gather import take_alike

Words = dict[str, Any]

SIZES = [(1, 1), (1, 2), (2, 2), (3, 3), (4, 3), (5, 5)]

POOLS: list[tuple[str, Words]] = [
    *(
        (op, {"kernel": (k, k), "stride": stride, "pad": pad, "ceil": ceil, **counted})
        for k, stride, pad, ceil in product((1, 2, 3), (1, 2), ("V", "same"), (False, True))
        for op, counted in (
            ("maxpool", {}),
            ("avgpool", {"count_pad": False}),
            ("avgpool", {"count_pad": True}),
        )
    ),
    *((f"adaptive_{kind}pool", {"output": (n, n)}) for kind in ("max", "avg") for n in (1, 2, 3)),
    ("identity", {}),
]
CONVS: list[tuple[str, Words]] = [
    ("conv", {"kernel": (3, 3), "stride": stride, "pad": pad, "dilation": dilation, "norm": "none"})
    for stride, pad, dilation in product((1, 2), ("V", "same", 1, 2, 3), (1, 2, 3))
]


DECONVS: list[tuple[str, Words]] = [
    (
        "deconv",
        {
            "kernel": (kernel, kernel),
            "stride": stride,
            "pad": pad,
            "output_pad": more,
            "dilation": dilation,
            "norm": "none",
        },
    )
    for kernel, stride, pad, more, dilation in product(
        (3,), (1, 2, 3), ("V", "same", 1, 2), (0, 1), (1, 2, 3)
    )
]
MODES: list[Words] = [
    {"mode": "nearest", "align_corners": False},
    {"mode": "bilinear", "align_corners": False},
    {"mode": "bilinear", "align_corners": True},
]
SIDES = ("top", "bottom", "left", "right")
RESIZES: list[tuple[str, Words]] = [
    *(("upsample", {**how, **mode}) for how in ({"factor": 1}, {"factor": 2}) for mode in MODES),
    *(
        ("upsample", {"size": size, **mode})
        for size in ((1, 1), (2, 2), (4, 4), (6, 6), (8, 6))
        for mode in MODES
    ),
    *(
        ("pad", {**dict(zip(SIDES, sides, strict=True)), "mode": mode})
        for sides in ((0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 0, 0), (2, 0, 0, 1))
        for mode in ("zero", "reflect", "replicate")
    ),
    *(
        ("crop", dict(zip(SIDES, sides, strict=True)))
        for sides in ((0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0))
    ),
    *(("crop", {"size": size}) for size in ((1, 1), (2, 2), (3, 3))),
    *(("adaptive_avgpool", {"output": (n, n), "enlarge": True}) for n in (1, 2, 6)),
    ("pixelshuffle", {"factor": 1}),
    ("identity", {}),
]


def torch_gives(op: str, words: Words, image: Tensor) -> Tensor:
    """Return the result of torch for an image."""
    if op in ("identity", "pixelshuffle"):
        return image
    if op == "upsample":
        aligned = words["align_corners"] if words["mode"] == "bilinear" else None
        size, factor = words.get("size"), words.get("factor")
        return F.interpolate(image, size, factor, words["mode"], aligned)
    if op in ("pad", "crop"):
        height, width = image.shape[2:]
        if "size" in words:
            top, left = ((a - b) // 2 for a, b in zip((height, width), words["size"], strict=True))
            return image[:, :, top : top + words["size"][0], left : left + words["size"][1]]
        top, bottom, left, right = (words[side] for side in SIDES)
        if op == "crop":
            return image[:, :, top : height - bottom, left : width - right]
        mode = "constant" if words["mode"] == "zero" else words["mode"]
        return F.pad(image, (left, right, top, bottom), mode)
    if op == "adaptive_maxpool":
        largest: Tensor = F.adaptive_max_pool2d(image, words["output"])
        return largest
    if op == "adaptive_avgpool":
        return F.adaptive_avg_pool2d(image, words["output"])
    kernel, stride, dilation = words["kernel"], words["stride"], words.get("dilation", 1)
    pad: Any = {"V": 0, "same": (kernel[0] - 1) * dilation // 2}.get(words["pad"], words["pad"])
    match op:
        case "deconv":
            torch.manual_seed(1)
            weight = torch.randn(image.shape[1], 4, *kernel, dtype=image.dtype)
            more = words["output_pad"]
            return F.conv_transpose2d(image, weight, None, stride, pad, more, 1, dilation)
        case "conv":
            torch.manual_seed(1)
            weight = torch.randn(4, image.shape[1], *kernel, dtype=image.dtype)
            return F.conv2d(image, weight, None, stride, pad, dilation)
        case "maxpool":
            return F.max_pool2d(image, kernel, stride, pad, ceil_mode=words["ceil"])
        case _:
            return F.avg_pool2d(image, kernel, stride, pad, words["ceil"], words["count_pad"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "ops", [POOLS, CONVS, DECONVS, RESIZES], ids=["pools", "convs", "deconvs", "resizes"]
)
def test_two_ops_take_the_same_values_exactly_if_torch_gives_the_same(
    ops: list[tuple[str, Words]], size: tuple[int, int]
) -> None:
    given = TensorType((2, *size))
    torch.manual_seed(0)
    image = torch.randn(3, *given.shape, dtype=torch.float64)
    made = []
    for op, words in ops:
        try:
            gathers = OPS[op].gathers
            assert gathers is not None
            OPS[op].infer({**words, "width": 4, "groups": 1, "act": "none"}, (given,))
            taken = gathers(words, given)
        except ShapeError:
            continue
        made.append((op, words, taken, torch_gives(op, words, image)))
    assert len(made) > 2
    alike = 0
    for (op, words, one, gave), (other_op, others, other, gives) in combinations(made, 2):
        is_same = gave.shape == gives.shape and torch.allclose(gave, gives, rtol=1e-12, atol=1e-12)
        assert take_alike(one, other) == is_same, (op, words, other_op, others)
        alike += is_same
    assert alike


def test_a_mean_that_is_divided_twice_by_powers_of_two_is_exact(project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 1x1x3\nnetwork:\n  - 3x3 conv (4)\n"
    said = {}
    for kernel in ("2x2", "6x6"):
        for op in ("maxpool", "avgpool"):
            project.write(f"specs/{op}.yaml", f"{head}  - pool: {kernel} {op} (same_tf)\n")
        report = driver.compare("specs/maxpool.yaml", "specs/avgpool.yaml", folder=project.root)
        said[kernel] = {finding.code for finding in report.findings} & {"D721", "D725"}
    assert said == {"2x2": {"D725"}, "6x6": {"D721"}}
