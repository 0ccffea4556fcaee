"""The results of batch norms that a trace gives at once, against torch's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import batch_norm

from inception_dsl.bridge.norms import normalize_at_once


def states(dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    """Return the averages, scale and shift of a norm of four channels on the meta device."""
    names = ("running_mean", "running_var", "weight", "bias")
    return {name: torch.empty(4, device="meta", dtype=dtype) for name in names}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 3), (1, 4, 3, 5), (2, 4, 3, 3, 3)])
def test_the_result_has_the_type_that_torch_gives(shape: tuple[int, ...], training: bool) -> None:
    input = torch.empty(shape, device="meta")
    made = normalize_at_once(input, **states(), training=training)
    expected = batch_norm(input, **states(), training=training)
    assert made is not None
    assert (made.shape, made.dtype, made.stride()) == (
        expected.shape,
        expected.dtype,
        expected.stride(),
    )


@pytest.mark.parametrize(
    ("shape", "norm", "training"),
    [
        ((2, 5, 3, 3), states(), False),  # other channels
        ((1, 4, 1, 1), states(), True),  # one value per channel
        ((2, 4, 3, 3), {"running_mean": None, "running_var": None}, False),  # no averages
        ((4,), states(), False),  # no channels
    ],
)
def test_what_torch_refuses_is_left_to_torch(
    shape: tuple[int, ...], norm: dict[str, Any], training: bool
) -> None:
    input = torch.empty(shape, device="meta")
    assert normalize_at_once(input, **norm, training=training) is None
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        batch_norm(input, **norm, training=training)


def test_a_tensor_with_values_or_of_another_order_or_type_is_left_to_torch() -> None:
    input = torch.empty(2, 4, 3, 3, device="meta")
    assert normalize_at_once(torch.empty(2, 4, 3, 3), **states()) is None
    assert normalize_at_once(input.to(memory_format=torch.channels_last), **states()) is None
    assert normalize_at_once(input, **states(torch.float64)) is None
