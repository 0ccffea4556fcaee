"""The least time of networks on a device, as text for people and for programs.

Every format says that the time is a lower bound, and has the rates that it was derived from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from inception_dsl.analysis import Grouping
from inception_dsl.analysis.devices import Device
from inception_dsl.analysis.roofline import (
    MAX_FITTING,
    GroupTime,
    PassTime,
    RooflineReport,
    group_times,
)
from inception_dsl.channels import csv_cell, json_text
from inception_dsl.emit.report.layout import ReportFormat
from inception_dsl.emit.report.text import MARKDOWN, PLAIN, TextForm
from inception_dsl.tables import Column

_KINDS = ("inference", "training step")


def render_rooflines(
    networks: Sequence[RooflineReport], by: Grouping | None, *, format: ReportFormat
) -> str:
    """Return the least time of some networks on one device in a format of `flops`.

    Args:
        by: the property that the steps of a row share; None gives stages, and paths to programs.
    """
    match format:
        case "table":
            return _write_text(PLAIN, networks, by or "stage")
        case "markdown":
            return _write_text(MARKDOWN, networks, by or "stage")
        case "json":
            documents = [_build_document(report, by or "path") for report in networks]
            whole = documents[0] if len(documents) == 1 else {"models": documents}
            return json_text({"schema_version": 1, **whole})
        case "csv":
            return _write_csv(networks, by or "path")


def _write_text(form: TextForm, networks: Sequence[RooflineReport], by: Grouping) -> str:
    parts = []
    for report in networks:
        head = f"{form.heading}{form.text(_name(report))}"
        parts.append(f"{head}{form.gap}{_write_groups(form, report, by)}")
        parts[-1] += f"\n{_write_passes(form, report)}"
    sentences = [form.text(sentence) for sentence in list_sentences(networks)]
    text = "\n".join(parts) + f"\n{form.gap.join(sentences)}\n"
    device = networks[0].device
    return f"{text}\n{form.code(write_device(device))}" if device.is_measured else text


def write_device(device: Device) -> str:
    """Return the table of a device in YAML, as `--device` reads it."""
    import json

    def write(amount: int, unit: str) -> str:
        return write_amount(amount, unit).replace(",", "")

    rates = ", ".join(f"{name}: {write(rate, 'FLOP/s')}" for name, rate in device.rates.items())
    return (
        f"title: {json.dumps(device.title)}\n"
        f"rates: {{{rates}}}\n"
        f"bandwidth: {write(device.bandwidth, 'B/s')}\n"
        f"memory: {write(device.memory, 'B')}\n"
        f"source: {json.dumps(device.source)}\n"
    )


def _name(report: RooflineReport) -> str:
    cost = report.cost
    batch = f"{cost.name}, input {cost.input}, batch {cost.batch}, {report.dtype}"
    return f"{batch}, on {report.device.title}"


def _write_groups(form: TextForm, report: RooflineReport, by: Grouping) -> str:
    columns = [
        Column(by, "left"),
        Column("nodes"),
        Column("MACs"),
        Column("bytes"),
        Column("FLOPs/byte"),
        Column("compute"),
        Column("bandwidth"),
        Column("time"),
        Column("% of time"),
        Column("bound by", "left"),
    ]
    whole = report.inference.seconds
    rows = [
        [
            group.name,
            f"{len(group.steps):,}",
            f"{group.macs:,}",
            f"{group.bytes:,}",
            f"{2 * group.macs / group.bytes:,.1f}" if group.bytes else "-",
            write_seconds(group.compute),
            write_seconds(group.transfer),
            write_seconds(group.seconds),
            f"{100 * group.seconds / whole:.1f}" if whole else "-",
            _write_limit(group),
        ]
        for group in group_times(report, by)
    ]
    return form.table(columns, rows)


def _write_limit(group: GroupTime) -> str:
    """Return what the steps of a row wait for, with its part of their time unless it is all."""
    if not group.seconds:
        return "-"
    compute = group.compute_percent
    name, percent = ("compute", compute) if compute > 50 else ("bandwidth", 100 - compute)
    return name if percent == 100 else f"{name} {min(percent, 99.9):.1f} %"


def _write_passes(form: TextForm, report: RooflineReport) -> str:
    columns = [
        Column("total", "left"),
        Column("FLOPs of MACs"),
        Column("bytes"),
        Column("time"),
        Column("images/s"),
        Column("fused"),
        Column("memory"),
        Column("largest batch"),
    ]
    rows = [
        [
            kind,
            f"{each.operations:,}",
            f"{each.bytes:,}",
            write_seconds(each.seconds),
            f"{report.cost.batch / each.seconds:,.0f}" if each.seconds else "-",
            write_seconds(each.floor),
            f"{each.memory:,}",
            _write_batch(each.fitting),
        ]
        for kind, each in zip(_KINDS, (report.inference, report.training), strict=True)
    ]
    return form.table(columns, rows)


def _write_batch(fitting: int) -> str:
    if not fitting:
        return "none fits"
    return f"{fitting:,}" if fitting < MAX_FITTING else f"{MAX_FITTING:,} or more"


def list_sentences(networks: Sequence[RooflineReport]) -> Iterator[str]:
    """Yield the meaning of the numbers, and the way in which they were derived."""
    report = networks[0]
    device, dtype = report.device, report.dtype
    rate = device.rates[dtype]
    ridge = Fraction(rate, device.bandwidth)
    peak = "measured rate" if device.is_measured else "peak"
    lead = "a lower bound, not a measurement"
    if device.is_measured:
        lead = "an estimate from rates that this machine just reached, not a measurement"
    yield (
        f"time: {lead}. A step takes at least the longer of compute and bandwidth (roofline; "
        "Williams et al. 2009); steps run one after the other. Starting a step counts as nothing, "
        "though it takes microseconds on a GPU."
    )
    yield "images/s: the images of the batch for each second of the time."
    yield (
        f"compute: 2 FLOPs for a MAC, at the {peak} of {write_amount(rate, 'FLOP/s')} in {dtype}. "
        "Convolutions by Winograd or FFT multiply less: the bound does not hold for them."
    )
    yield (
        f"bandwidth: a step reads its inputs and parameters once and writes its result once, at "
        f"{write_amount(device.bandwidth, 'B/s')}."
    )
    yield (
        f"bound by: a step with more than {float(ridge):,.1f} FLOPs for a byte waits for compute, "
        "any other for bandwidth; with its part of the time where steps differ."
    )
    yield (
        "fused: the bound if fusion and caches keep all values between steps out of memory, so "
        "that only parameters, inputs and outputs move."
    )
    yield (
        "training step: forward with the training heads, backward, and the update by "
        f"{', '.join(dict.fromkeys(map(_name_optimizer, networks)))}."
    )
    yield (
        "memory: bytes alive at once. In inference, those of the module at its peak; in a training "
        "step no less than parameters, values of the optimizer, and the values kept for the pass "
        "backward, or the gradients."
    )
    yield (
        f"largest batch: the largest with a memory of {write_amount(device.memory, 'B')} at most. "
        "The allocator, the driver and workspaces need memory, too."
    )
    if dtype == "float32" and "tf32" in device.rates:
        yield (
            "float32: torch runs convolutions in tf32 on this device unless it is told otherwise; "
            f"`--dtype tf32` has that peak, {write_amount(device.rates['tf32'], 'FLOP/s')}."
        )
    yield f"source: {device.source}."
    if device.is_measured:
        yield (
            "These rates are those of this machine just now; another run measures others. To keep "
            "them, write the lines below to a file, and name it, as in `--device cpu.yaml`. "
            "`inception-dsl bench` measures the time of a network itself."
        )


def _name_optimizer(report: RooflineReport) -> str:
    values = {0: "no value", 1: "1 value"}.get(report.slots, f"{report.slots} values")
    return f"an optimizer that keeps {values} for a parameter"


def write_seconds(seconds: float) -> str:
    """Return a time with three digits, in the largest unit that keeps one before the point.

    Example:
        >>> write_seconds(0.0012345), write_seconds(0.9996e-6), write_seconds(12345.6)
        ('1.23 ms', '1.00 us', '12,346 s')
    """
    if not seconds:
        return "0 s"
    rounded = float(f"{seconds:.2e}")
    unit, factor = next(
        (each for each in _TIMES if rounded * each[1] > 0.9999), _TIMES[-1]
    )  # the product of a rounded time may be a little below 1
    amount = rounded * factor
    if amount > 999:
        return f"{seconds * factor:,.0f} {unit}"
    digits = 2 if amount < 9.999 else 1 if amount < 99.99 else 0
    return f"{amount:.{digits}f} {unit}"


_TIMES = (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9))
_PREFIXES = (("P", 10**15), ("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))


def write_amount(amount: int, unit: str) -> str:
    """Return an amount with all of its digits, as a data sheet has it.

    Example:
        >>> write_amount(989_500_000_000_000, "FLOP/s"), write_amount(80_000_000_000, "B")
        ('989.5 TFLOP/s', '80 GB')
    """
    if amount % 2**30 == 0 and unit.startswith("B"):
        return f"{amount // 2**30:,} Gi{unit}"
    usual = (each for each in _PREFIXES if amount >= each[1])
    prefix, factor = next(usual, ("", 1))
    whole, rest = divmod(amount, factor)
    digits = f"{rest:0{len(str(factor)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole:,}{f'.{digits}' if digits else ''} {prefix}{unit}"


def _build_document(report: RooflineReport, by: Grouping) -> dict[str, Any]:
    cost = report.cost
    return {
        "name": cost.name,
        "input": cost.input,
        "batch": cost.batch,
        "dtype": report.dtype,
        "device": _build_device(report.device, report.dtype),
        "inference": _build_pass(report.inference),
        "training": {**_build_pass(report.training), "optimizer_values": report.slots},
        "rows": [
            {
                by: group.name,
                "nodes": len(group.steps),
                "macs": group.macs,
                "bytes": group.bytes,
                "compute_seconds": group.compute,
                "bandwidth_seconds": group.transfer,
                "least_seconds": group.seconds,
                "compute_bound_percent": group.compute_percent,
            }
            for group in group_times(report, by)
        ],
        "sentences": list(list_sentences([report])),
    }


def _build_device(device: Device, dtype: str) -> dict[str, Any]:
    return {
        "name": device.name,
        "title": device.title,
        "flops_per_second": device.rates[dtype],
        "bytes_per_second": device.bandwidth,
        "memory_bytes": device.memory,
        "source": device.source,
        "is_measured": device.is_measured,
    }


def _build_pass(each: PassTime) -> dict[str, Any]:
    return {
        "flops_of_macs": each.operations,
        "bytes": each.bytes,
        "least_seconds": each.seconds,
        "least_seconds_fused": each.floor,
        "memory_bytes": each.memory,
        "largest_batch": each.fitting,
    }


def _write_csv(networks: Sequence[RooflineReport], by: Grouping) -> str:
    import csv
    import io

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = ["name", "input", "batch", "dtype", "device", by, "macs", "bytes"]
    times = ["compute_seconds", "bandwidth_seconds", "least_seconds", "compute_bound_percent"]
    writer.writerow([*names, *times])
    for report in networks:
        cost = report.cost
        lead = [cost.name, cost.input, cost.batch, report.dtype, report.device.name]
        for group in group_times(report, by):
            amounts = [group.macs, group.bytes, group.compute, group.transfer, group.seconds]
            row = [*lead, group.name, *amounts, group.compute_percent]
            writer.writerow(map(csv_cell, row))
    return stream.getvalue()
