"""The installed tools that count a module of torch, as functions of a module and its input."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def count_by_fvcore(module: nn.Module, image: Tensor) -> int:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(module, image)
    analysis.unsupported_ops_warnings(enabled=False)
    return int(analysis.total())


def count_by_torchinfo(module: nn.Module, image: Tensor) -> int:
    import torchinfo

    return int(torchinfo.summary(module, input_data=image, verbose=0).total_mult_adds)


def count_by_ptflops(module: nn.Module, image: Tensor) -> int:
    from ptflops import get_model_complexity_info

    shape = tuple(image.shape[1:])
    macs, _ = get_model_complexity_info(module, shape, print_per_layer_stat=False, as_strings=False)
    return int(macs)


def count_by_thop(module: nn.Module, image: Tensor) -> int:
    from thop import profile

    return int(profile(module, (image,), verbose=False)[0])


def count_by_torch(module: nn.Module, image: Tensor) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(image)
    return int(counter.get_total_flops())


def count_by_calflops(module: nn.Module, image: Tensor) -> int:
    from calflops import calculate_flops

    with contextlib.redirect_stdout(io.StringIO()):
        result: Any = calculate_flops(
            module, input_shape=tuple(image.shape), print_results=False, output_as_string=False
        )
    return int(result[0])


def count_by_deepspeed(module: nn.Module, image: Tensor) -> int:
    from deepspeed.profiling.flops_profiler import get_model_profile

    with contextlib.redirect_stdout(io.StringIO()):
        flops, _, _ = get_model_profile(
            module, args=[image], print_profile=False, detailed=False, as_string=False, warm_up=0
        )
    return int(flops)


COUNTERS: dict[str, Callable[[nn.Module, Tensor], int]] = {
    "fvcore": count_by_fvcore,
    "torchinfo": count_by_torchinfo,
    "ptflops": count_by_ptflops,
    "thop": count_by_thop,
    "torch": count_by_torch,
    "calflops": count_by_calflops,
    "deepspeed": count_by_deepspeed,
}
"""The tools for torch by the names of their conventions."""

SMALL = ("fvcore", "torchinfo", "ptflops", "thop", "torch")
"""The tools that install in seconds and import no other framework."""


def count(tool: str, module: nn.Module, image: Tensor) -> int:
    """Count a module by a tool; nothing of the tool stays in the module for the next one."""
    with torch.no_grad():
        return COUNTERS[tool](module, image)
