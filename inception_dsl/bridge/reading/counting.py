"""The multiply-accumulates of a call, by torch's own formulas."""

from __future__ import annotations

from math import prod

from torch.utils.flop_counter import conv_flop_count

from inception_dsl.bridge.calls import TorchCall


def count_macs(call: TorchCall) -> int:
    """Return the multiply-accumulates of a call that the language can say."""
    if call.name not in _WEIGHTED:
        return 0
    given = dict(zip(("input", "weight"), call.arguments, strict=False)) | call.keywords
    before, weight = given["input"].shape, given["weight"].shape
    after = call.results[0].shape
    if call.name == "linear":
        return prod(after) * int(weight[1])
    is_transposed = call.name == "conv_transpose2d"
    return int(conv_flop_count(before, weight, [*after], transposed=is_transposed)) // 2


_WEIGHTED = frozenset(["conv1d", "conv2d", "conv_transpose2d", "linear"])
"""The functions with multiply-accumulates, of those that the language can say."""
