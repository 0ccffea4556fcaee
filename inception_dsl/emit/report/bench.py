"""Write the times of networks that were run in turn: as a table, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import isfinite
from statistics import median, quantiles
from typing import Any, Literal

from inception_dsl.channels import json_text, markdown_text, printable
from inception_dsl.tables import Column, markdown_table, plain_table

SCHEMA_VERSION = 1

Weights = Literal["same", "other weights", "other outputs"]
"""The relation of a network to the spec: the same weights; weights of its own, as nothing carries
those of the spec to it; or the same weights and outputs of another shape."""

BenchFormat = Literal["table", "json", "markdown"]
"""The name of a format of times."""

MAX_DEPARTURES = 3
"""Maximum number of departures that a table names."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The place where networks were timed.

    Attributes:
        processor: its name.
        instructions: the widest of its instructions that torch uses, such as AVX2.
        cores: the cores that this process may use.
        threads: the threads of torch, and of onnxruntime.
        gpu: the name of the GPU that ran the networks; empty for the processor.
        uses_tf32: convolutions in single precision run as TF32 there.
        load: the programs that wanted a core in the minute before; None if nobody counts them.
        versions: the packages that took part, with their versions.
    """

    processor: str
    instructions: str
    cores: int
    threads: int
    gpu: str
    uses_tf32: bool
    load: float | None
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of a network.

    Attributes:
        seconds: of each round's forward pass; at least one.
        weights: its relation to the spec.
        error: the largest difference of its outputs from those of the module in double precision,
            as a share of the largest value; None unless they are comparable, and not finite if some
            output is not.
        departures: lines on its steps that are other than those of the spec.
        preparation: the seconds until it was ready, beyond the making of a module of torch.
    """

    name: str
    seconds: tuple[float, ...]
    weights: Weights
    error: float | None
    departures: tuple[str, ...] = ()
    preparation: float | None = None

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The seconds that a quarter of the rounds stays below, and that a quarter exceeds."""
        if len(self.seconds) == 1:
            return self.seconds[0], self.seconds[0]
        lower, _, upper = quantiles(self.seconds, n=4, method="inclusive")
        return lower, upper

    def exceeds(self, max_error: float) -> bool:
        """Tell whether its error is known, and larger than a bound; one that is no number is."""
        return self.error is not None and not self.error <= max_error


@dataclass(frozen=True, slots=True)
class Bench:
    """The times of networks that were run in turn.

    Attributes:
        name: the spec.
        input: the input of one image, as a spec writes it.
        bases: the names of the networks that the others are compared with.
    """

    name: str
    input: str
    batch: int
    dtype: str
    rounds: int
    machine: Machine
    timings: tuple[Timing, ...]
    bases: tuple[str, ...]

    def compare(self, timing: Timing) -> dict[str, float]:
        """Return how many times as fast a network is as each base, by their medians."""
        medians = {other.name: other.median for other in self.timings}
        return {base: medians[base] / timing.median for base in self.bases}


def _write_table(done: Bench, *, is_markdown: bool) -> str:
    columns = (
        Column("network", "left"),
        Column("median"),
        Column("quartiles"),
        Column("ready in"),
        *(Column(f"x {base}") for base in done.bases),
        Column("error"),
        Column("weights", "left"),
    )
    table = markdown_table if is_markdown else plain_table
    escape = markdown_text if is_markdown else printable
    end = "  \n" if is_markdown else "\n"
    images = "1 image" if done.batch == 1 else f"{done.batch:,} images"
    title = f"{done.name}, input {done.input}, {images} at once, {done.dtype}"
    text = table(columns, (_list_cells(done, timing) for timing in done.timings))
    first = f"{escape(title)}\n" + ("\n" if is_markdown else "")
    return f"{first}{text}\n" + "".join(f"{escape(line)}{end}" for line in _explain(done))


def _list_cells(done: Bench, timing: Timing) -> list[str]:
    lower, upper = timing.quartiles
    departs = ", departs" if timing.departures and timing.weights == "same" else ""
    return [
        timing.name,
        f"{_write_ms(timing.median)} ms",
        f"{_write_ms(lower)} to {_write_ms(upper)}",
        "-" if timing.preparation is None else f"{timing.preparation:.1f} s",
        *(f"{ratio:.2f}" for ratio in done.compare(timing).values()),
        _write_error(timing.error),
        f"{timing.weights}{departs}",
    ]


def _write_ms(seconds: float) -> str:
    """Return milliseconds with three digits, or with all before the point."""
    ms = 1000 * seconds
    digits = 0 if ms >= 100 else 1 if ms >= 10 else 2 if ms >= 1 else 3
    return f"{ms:,.{digits}f}"


def _write_error(error: float | None) -> str:
    if error is None:
        return "-"
    return f"{error:.1e}" if isfinite(error) else "not finite"


def _explain(done: Bench) -> Iterator[str]:
    rounds = "1 round" if done.rounds == 1 else f"{done.rounds:,} rounds"
    yield f"median: of the time of a forward pass in {rounds}, each of all networks in turn."
    yield "quartiles: half of the rounds took a time between them, in ms."
    if any(timing.preparation is not None for timing in done.timings):
        yield "ready in: the time to fold, pack, convert or compile it, once."
    for base in done.bases:
        yield f"x {base}: how many times as fast as {base}."
    yield (
        "error: the largest difference of outputs from those of the module in double precision, "
        "as a share of the largest value."
    )
    for timing in done.timings:
        if timing.departures and timing.weights == "same":
            more = len(timing.departures) - MAX_DEPARTURES
            listed = "; ".join(timing.departures[:MAX_DEPARTURES])
            rest = f"; and {more} more" if more > 0 else ""
            yield f"{timing.name} departs from the spec: {listed}{rest}."
    if any(timing.weights == "other weights" for timing in done.timings):
        yield "other weights: the graphs do not tell how to carry all weights over, so they differ."
    yield from _describe_machine(done.machine)


def _describe_machine(machine: Machine) -> Iterator[str]:
    count = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
    threads = "1 thread" if machine.threads == 1 else f"{machine.threads} threads"
    instructions = f", {machine.instructions}" if machine.instructions else ""
    load = f", load {machine.load:.1f} before it began" if machine.load is not None else ""
    yield f"{machine.processor}{instructions}, {count}, {threads}{load}."
    if machine.gpu:
        yield f"{machine.gpu}{', TF32 in convolutions' if machine.uses_tf32 else ''}."
    yield ", ".join(f"{name} {version}" for name, version in machine.versions) + "."


def _write_json(done: Bench) -> str:
    machine = done.machine
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "name": done.name,
            "input": done.input,
            "batch": done.batch,
            "dtype": done.dtype,
            "rounds": done.rounds,
            "machine": {
                "processor": machine.processor,
                "instructions": machine.instructions or None,
                "cores": machine.cores,
                "threads": machine.threads,
                "gpu": machine.gpu or None,
                "uses_tf32": machine.uses_tf32,
                "load": machine.load,
                "versions": dict(machine.versions),
            },
            "networks": [_make_record(done, timing) for timing in done.timings],
        }
    )


def _make_record(done: Bench, timing: Timing) -> dict[str, Any]:
    lower, upper = timing.quartiles
    is_finite = timing.error is not None and isfinite(timing.error)
    return {
        "name": timing.name,
        "seconds": {
            "median": timing.median,
            "lower_quartile": lower,
            "upper_quartile": upper,
            "fastest": min(timing.seconds),
        },
        "preparation_seconds": timing.preparation,
        "times_as_fast_as": done.compare(timing),
        "weights": timing.weights,
        "departures": list(timing.departures),
        "relative_error": timing.error if is_finite else None,
        "has_finite_outputs": is_finite if timing.error is not None else None,
    }


FORMATS: dict[BenchFormat, Callable[[Bench], str]] = {
    "table": partial(_write_table, is_markdown=False),
    "json": _write_json,
    "markdown": partial(_write_table, is_markdown=True),
}
"""The formats of times by their names."""
