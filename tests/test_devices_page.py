"""The table of docs/devices.md is that of the built-in devices.

python tests/test_devices_page.py        # write it
"""

from __future__ import annotations

import re
from pathlib import Path

from inception_dsl.analysis.devices import DEVICES, NUMBER_BYTES
from inception_dsl.cli import main
from inception_dsl.emit.report.roofline import write_amount
from inception_dsl.tables import Column, markdown_table

PAGE = Path(__file__).parents[1] / "docs/devices.md"
MARK = "<!-- table: devices -->\n\n"


def write_devices() -> str:
    types = tuple(NUMBER_BYTES)
    columns = [Column("name", "left"), Column("device", "left"), *map(Column, types)]
    columns += [Column("bandwidth"), Column("memory"), Column("source", "left")]
    rows = []
    for device in DEVICES.values():
        rates = (write_amount(device.rates.get(name, 0), "FLOP/s") for name in types)
        row = [f"`{device.name}`", device.title]
        row += [rate if not rate.startswith("0 ") else "-" for rate in rates]
        row += [write_amount(device.bandwidth, "B/s"), write_amount(device.memory, "B")]
        rows.append([*row, f"[{device.source.partition(';')[0]}]({device.link})"])
    return markdown_table(columns, rows).replace("\\", "").replace("&#8203;", "")


def make_page(page: str) -> str:
    before, mark, behind = page.partition(MARK)
    assert mark
    rest = re.sub(r"\A(?:\|[^\n]*\n)*\n?", "", behind)
    return f"{before}{MARK}{write_devices()}\n{rest}"


def test_the_page_has_the_built_in_devices() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert make_page(page) == page


PUBLISHED = {
    "h100": {"float64": 67, "float32": 67, "bfloat16": 1979 / 2, "float16": 1979 / 2},
    "h100-pcie": {"float64": 51, "float32": 51, "bfloat16": 1513 / 2, "float16": 1513 / 2},
    "a100": {"float64": 19.5, "float32": 19.5, "bfloat16": 312, "float16": 312},
    "a100-pcie": {"float64": 19.5, "float32": 19.5, "bfloat16": 312, "float16": 312},
    "v100": {"float64": 7.8, "float32": 15.7, "float16": 125},
}
"""The rates without sparsity, in TFLOP/s, that Lightning's `get_available_flops` has."""


def test_every_built_in_device_has_sound_numbers() -> None:
    for device in DEVICES.values():
        half = device.rates["float16"]
        assert device.rates.get("bfloat16", half) == half
        if single := device.rates.get("tf32"):
            assert 1.9 < half / single < 2.1  # tensor cores take half of the bits twice as fast
            assert device.rates["float32"] < single
        assert "Datasheet" in device.source
        assert device.link.startswith("https://")
        assert "nvidia.com/" in device.link
        assert main(["flops", "digits", "--device", device.name]) == 0
    for name, rates in PUBLISHED.items():
        for dtype, rate in rates.items():
            assert DEVICES[name].rates[dtype] == rate * 10**12, (name, dtype)


if __name__ == "__main__":
    PAGE.write_text(make_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
