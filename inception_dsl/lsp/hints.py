"""Inlay hints: the shape, the parameters and the multiply-accumulates behind each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from inception_dsl.lsp.steps import Run, SpecStep
from inception_dsl.source import Span

MAX_RUNS = 8
"""Maximum number of runs that a hint's tooltip lists."""

_UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"))


class Hint(NamedTuple):
    """A text behind a character of a file.

    Attributes:
        offset: the place of the character behind it.
        label: the text.
        tooltip: more of it, as lines of plain text.
    """

    offset: int
    label: str
    tooltip: str


def list_hints(steps: Iterable[SpecStep], *, with_costs: bool = True) -> Iterator[Hint]:
    """Yield a hint for each step that runs, or that conditions leave out everywhere."""
    for step in steps:
        label = _write_label(step, with_costs=with_costs)
        if label:
            yield Hint(_find_end(step.span), label, _write_tooltip(step))


def _find_end(span: Span) -> int:
    """Return the place behind a step: the end of its first line, and behind the colon of a key."""
    text = span.source.text
    end = span.start + len(span.text.partition("\n")[0].rstrip())
    return end + 1 if text[end : end + 1] == ":" else end


def _write_label(step: SpecStep, *, with_costs: bool) -> str:
    runs = step.runs
    if not runs:
        return "left out" if step.absent else ""
    parts = []
    if step.note is None or {run.gives for run in runs} != {step.note}:
        parts.append(_say_first([run.gives for run in runs]))
    if with_costs:
        parts += _say_counts([run.params for run in runs], "params")
        parts += _say_counts([run.macs for run in runs], "MACs")
    return ", ".join(parts)


def _say_counts(counts: Sequence[int], unit: str) -> list[str]:
    """Return a quantity of all runs as a text; none if it is zero in all of them."""
    if not any(counts):
        return []
    return [_say_first([f"{shorten_count(count)} {unit}" for count in counts])]


def _say_first(texts: Sequence[str]) -> str:
    """Return the text of the first run, with a sign if others differ."""
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]} …"


def _write_tooltip(step: SpecStep) -> str:
    lines = [_describe(run) for run in step.runs[:MAX_RUNS]]
    if more := len(step.runs) - MAX_RUNS:
        lines += [f"and {more:,} more"] if more > 0 else []
    if step.absent:
        lines.append(f"left out in {step.absent:,} call{'s' if step.absent > 1 else ''}")
    return "\n".join(lines)


def _describe(run: Run) -> str:
    copies = f"{run.copies} copies, " if run.copies > 1 else ""
    return (
        f"{run.path}: {copies}{run.reads} -> {run.gives}, {run.params:,} params, {run.macs:,} MACs"
    )


def shorten_count(count: int) -> str:
    """Return a number with three digits and a unit, as papers print it.

    Example:
        >>> shorten_count(999), shorten_count(12_253_974_624), shorten_count(45_200)
        ('999', '12.3G', '45.2K')
    """
    for size, unit in _UNITS:
        if count * 1000 >= size * 999.5:  # 999,600 is 1.00M
            number = count / size
            digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
            return f"{number:.{digits}f}{unit}"
    return str(count)
