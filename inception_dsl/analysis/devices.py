"""The peak rates and the memory of devices, as data, with the source of each.

A rate is that of dense matrices, in the fastest units of the device for a type of numbers. A data
sheet that prints a rate for sparse matrices has twice the dense one.

Units: rates in FLOPs per second, bandwidth in bytes per second, memory in bytes. A GB is 10^9
bytes, as it is on data sheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.analysis.dtypes import BYTES

NUMBER_BYTES = {**BYTES, "tf32": BYTES["float32"]}
"""The number of bytes in memory of each type of numbers that a device multiplies.

A number of tf32 is a float32 in memory, which tensor cores round before they multiply it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that runs networks.

    Attributes:
        name: the name that the command line takes, or the file that describes the device.
        title: the device's name for readers.
        rates: the peak rate by type of numbers, a key of `NUMBER_BYTES`.
        bandwidth: the most bytes that its memory reads and writes in a second.
        memory: the bytes that its memory holds.
        source: a sentence that says where the numbers are from.
    """

    name: str
    title: str
    rates: Mapping[str, int]
    bandwidth: int
    memory: int
    source: str


_GB = 10**9
_GFLOPS = 10**9
_TFLOPS = 10**12

_HOPPER = {
    "float64": 67 * _TFLOPS,
    "float32": 67 * _TFLOPS,
    "tf32": 989 * _TFLOPS // 2,
    "bfloat16": 1979 * _TFLOPS // 2,
    "float16": 1979 * _TFLOPS // 2,
}
_AMPERE = {
    "float64": 19_500 * _GFLOPS,
    "float32": 19_500 * _GFLOPS,
    "tf32": 156 * _TFLOPS,
    "bfloat16": 312 * _TFLOPS,
    "float16": 312 * _TFLOPS,
}
_ADA = {
    "float32": 30_300 * _GFLOPS,
    "tf32": 120 * _TFLOPS // 2,
    "bfloat16": 242 * _TFLOPS // 2,
    "float16": 242 * _TFLOPS // 2,
}
_HALVED = "half of the rates it prints with sparsity"

DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        Device(
            name="h200",
            title="NVIDIA H200 SXM",
            rates=_HOPPER,
            bandwidth=4_800 * _GB,
            memory=141 * _GB,
            source=f"NVIDIA H200 Tensor Core GPU Datasheet, H200 SXM; tf32, bfloat16 and float16: "
            f"{_HALVED}",
        ),
        Device(
            name="h100",
            title="NVIDIA H100 SXM",
            rates=_HOPPER,
            bandwidth=3_350 * _GB,
            memory=80 * _GB,
            source=f"NVIDIA H100 Tensor Core GPU Datasheet, H100 SXM; tf32, bfloat16 and float16: "
            f"{_HALVED}",
        ),
        Device(
            name="a100",
            title="NVIDIA A100 80GB SXM",
            rates=_AMPERE,
            bandwidth=2_039 * _GB,
            memory=80 * _GB,
            source="NVIDIA A100 Tensor Core GPU Datasheet, A100 80GB SXM; the rates without "
            "sparsity",
        ),
        Device(
            name="l4",
            title="NVIDIA L4",
            rates=_ADA,
            bandwidth=300 * _GB,
            memory=24 * _GB,
            source=f"NVIDIA L4 Tensor Core GPU Datasheet; tf32, bfloat16 and float16: {_HALVED}",
        ),
    )
}
"""The built-in devices by their names."""
