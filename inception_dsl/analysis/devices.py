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
        link: the address of the data sheet; empty if there is none.
        is_measured: the numbers are those of the machine at hand, measured just now.
    """

    name: str
    title: str
    rates: Mapping[str, int]
    bandwidth: int
    memory: int
    source: str
    link: str = ""
    is_measured: bool = False


_GB = 10**9
_TFLOPS = 10**12

_HALVED = "tf32, bfloat16 and float16: half of the rates that it prints with sparsity"


def _build(
    name: str,
    title: str,
    rates: Mapping[str, float],
    *,
    bandwidth: int,
    memory: int,
    source: str,
    link: str,
) -> Device:
    """Return a device from its data sheet: rates in TFLOP/s, GB/s and GB."""
    return Device(
        name=name,
        title=title,
        rates={dtype: round(rate * _TFLOPS) for dtype, rate in rates.items()},
        bandwidth=bandwidth * _GB,
        memory=memory * _GB,
        source=source,
        link=link,
    )


_HOPPER = {
    "float64": 67,
    "float32": 67,
    "tf32": 989 / 2,
    "bfloat16": 1979 / 2,
    "float16": 1979 / 2,
}
_AMPERE = {"float64": 19.5, "float32": 19.5, "tf32": 156, "bfloat16": 312, "float16": 312}
_A100_SHEET = (
    "https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/"
    "nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf"
)
_H100_SHEET = "https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet"

DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        _build(
            "h200",
            "NVIDIA H200 SXM",
            _HOPPER,
            bandwidth=4_800,
            memory=141,
            source=f"NVIDIA H200 Tensor Core GPU Datasheet, H200 SXM; {_HALVED}",
            link="https://resources.nvidia.com/en-us-data-center-overview-mc/"
            "en-us-data-center-overview/hpc-datasheet-sc23-h200",
        ),
        _build(
            "h100",
            "NVIDIA H100 SXM",
            _HOPPER,
            bandwidth=3_350,
            memory=80,
            source=f"NVIDIA H100 Tensor Core GPU Datasheet, H100 SXM; {_HALVED}",
            link=_H100_SHEET,
        ),
        _build(
            "h100-pcie",
            "NVIDIA H100 PCIe",
            {
                "float64": 51,
                "float32": 51,
                "tf32": 756 / 2,
                "bfloat16": 1513 / 2,
                "float16": 1513 / 2,
            },
            bandwidth=2_000,
            memory=80,
            source=f"NVIDIA H100 Tensor Core GPU Datasheet, H100 PCIe; {_HALVED}",
            link=_H100_SHEET,
        ),
        _build(
            "a100",
            "NVIDIA A100 80GB SXM",
            _AMPERE,
            bandwidth=2_039,
            memory=80,
            source="NVIDIA A100 Tensor Core GPU Datasheet, A100 80GB SXM; without sparsity",
            link=_A100_SHEET,
        ),
        _build(
            "a100-pcie",
            "NVIDIA A100 80GB PCIe",
            _AMPERE,
            bandwidth=1_935,
            memory=80,
            source="NVIDIA A100 Tensor Core GPU Datasheet, A100 80GB PCIe; without sparsity",
            link=_A100_SHEET,
        ),
        _build(
            "l4",
            "NVIDIA L4",
            {"float32": 30.3, "tf32": 120 / 2, "bfloat16": 242 / 2, "float16": 242 / 2},
            bandwidth=300,
            memory=24,
            source=f"NVIDIA L4 Tensor Core GPU Datasheet; {_HALVED}",
            link="https://resources.nvidia.com/en-us-data-center-overview/l4-gpu-datasheet",
        ),
        _build(
            "v100",
            "NVIDIA V100 32GB SXM2",
            {"float64": 7.8, "float32": 15.7, "float16": 125},
            bandwidth=900,
            memory=32,
            source="NVIDIA V100 Tensor Core GPU Datasheet, V100 SXM2 with 32 GB",
            link="https://images.nvidia.com/content/technologies/volta/pdf/"
            "volta-v100-datasheet-update-us-1165301-r5.pdf",
        ),
    )
}
"""The built-in devices by their names."""
