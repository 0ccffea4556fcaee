"""Sections 3.1 and 3.2: large kernels as several small ones (P811, P812, P813)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import groupby
from operator import add

from inception_dsl.analysis.dense import Savings
from inception_dsl.analysis.factors import (
    SEPARABLE_GRIDS,
    EvenPair,
    Factorisation,
    describe_elsewhere,
    find_better_rows,
    find_even_pairs,
    find_nested,
    find_separable,
    is_linear,
)
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.ir import NodeDef
from inception_dsl.ops import OPS
from inception_dsl.rules.principles.words import (
    make_finding,
    say_count,
    say_kernel,
    say_nodes,
    say_percent,
    say_rewrite,
    say_savings,
)
from inception_dsl.rules.subject import Subject
from inception_dsl.source import Span


def large_kernels(subject: Subject) -> Iterator[Diagnostic]:
    """Find kernels from 5x5 on that cost less as several 3x3 (P811)."""
    run = subject.quantities.inference
    found = [each for each in find_nested(run) if not each.obstacle]
    notes = _tell_even(found)
    if rows := find_better_rows(run, found).values():
        savings = reduce(add, (each.savings for each in rows))
        which = "it" if len(found) == 1 else f"{say_count(len(rows))} of these lines"
        notes.append(f"as a row and a column (P812), {which} would save {savings.macs:,} MACs")
    yield from _report("P811", found, subject, notes)


def _tell_even(found: Sequence[Factorisation]) -> list[str]:
    """Return a note on the paper's own widths, for all lines together."""
    if all(each.even is None for each in found):
        return []
    savings = reduce(add, (each.even or each.savings for each in found))
    return [
        "with a width that grows by the same factor in each part, as in Section 3.1, all together "
        f"save {savings.macs:,} MACs"
    ]


def square_kernels(subject: Subject) -> Iterator[Diagnostic]:
    """Find square kernels on maps of 12 to 20 that cost less as a row and a column (P812)."""
    run = subject.quantities.inference
    grids = f"maps of {SEPARABLE_GRIDS[0]} to {SEPARABLE_GRIDS[-1]}"
    found = [each for each in find_separable(run) if not each.obstacle]
    notes = [f"only {grids} count: on larger ones it does not work well (Section 3.2)"]
    elsewhere = describe_elsewhere([node for each in found for node in each.others])
    if elsewhere:
        notes.append(f"some of these lines also run {elsewhere}")
    yield from _report("P812", found, subject, notes)


def even_kernels(subject: Subject) -> Iterator[Diagnostic]:
    """Find two 2x2 in a row, which save less than a row and a column would (P813)."""
    for pair in find_even_pairs(subject.quantities.inference):
        message = (
            f"{say_nodes(pair.first)} and the 2x2 behind it see what a 3x3 sees, "
            f"for {say_percent(pair.savings.percent)} fewer MACs"
        )
        places = [(pair.first.span, "this 2x2"), (pair.second.span, "and this one")]
        yield from make_finding("P813", message, places, [_compare(pair)])


def _compare(pair: EvenPair) -> str:
    share = say_percent(pair.separated.percent)
    more = pair.separated.macs - pair.savings.macs
    return f"a 1x3 and a 3x1 see it for {share} fewer: {more:,} MACs less than both 2x2"


def _report(
    code: str, found: Sequence[Factorisation], subject: Subject, notes: Sequence[str]
) -> Iterator[Diagnostic]:
    """Yield one finding about all lines of a factorisation, the largest savings first."""
    if not found:
        return
    ordered = sorted(found, key=lambda each: -each.savings.macs)
    first = ordered[0]
    savings: Savings = reduce(add, (each.savings for each in ordered))
    message = (
        f"{say_nodes(first.step)}: {_say_parts(first)} what {say_kernel(first.kernel)} sees, "
        f"for {say_percent(first.savings.percent)} fewer MACs"
    )
    together = f"all together save {say_savings(savings, subject.cost)}"
    words = {"in": "come in", "width": "go out"}
    between = " or ".join(words[inner] for inner in words if inner in {e.inner for e in ordered})
    cheaper = ", whichever costs less" if " or " in between else ""
    width = (
        f"the first parts give as many channels as {between}{cheaper}, and keep norm and activation"
    )
    places = [(each.step.span, _tell(each)) for each in ordered]
    yield from make_finding(
        code,
        message,
        places,
        [together, width, *_tell_linear(ordered), *notes],
        _help(code, ordered, subject),
    )


def _tell_linear(found: Sequence[Factorisation]) -> Iterator[str]:
    """Yield a note on the lines without an activation, whose parts have none between them."""
    linear = [each.step for each in found if is_linear(each)]
    if linear:
        more = f" and {len(linear) - 1:,} more lines" if len(linear) > 1 else ""
        yield (
            f"`{linear[0].nodes[0].path}`{more} has no activation of its own: its parts are linear "
            "between, which Section 3.1 found to be worse; write the activation into the line first"
        )


def _help(code: str, found: Sequence[Factorisation], subject: Subject) -> str:
    """Return the way to a rewrite; what must come first if none of the lines can be rewritten."""
    if all(each.step.nodes[0].path.copy is not None for each in found):
        return "a repeated step is rewritten once it is a block of its own"
    if all(each.others for each in found):
        return "give the calls on these maps a block of their own, and rewrite that"
    spans = [each.step.span for each in found]
    if all(_is_parametric(span, subject) for span in spans):
        return "the kernel is a parameter: give these calls a block of their own that writes it"
    return say_rewrite(subject, code, [each.step for each in found])


def _is_parametric(span: Span | None, subject: Subject) -> bool:
    """Tell whether a parameter gives the kernel of a line."""
    for block in subject.model.blocks:
        for step in block.body:
            if isinstance(step, NodeDef) and step.origin.span == span is not None:
                return not isinstance(step.attributes.get(OPS[step.op].kernel or ""), tuple)
    return False


def _say_parts(found: Factorisation) -> str:
    groups = [(kernel, len(list(same))) for kernel, same in groupby(found.kernels)]
    if len(groups) == 1:
        ((kernel, count),) = groups
        return f"{say_count(count)} {say_kernel(kernel)} see"
    return f"{' and '.join(say_kernel(kernel) for kernel, _ in groups)} see"


def _tell(found: Factorisation) -> str:
    read = sorted({node.input_types[0].channels for node in found.step.nodes})
    given = sorted({node.type.channels for node in found.step.nodes})
    share = say_percent(found.savings.percent)
    return f"{_range(read)} to {_range(given)} channels: saves {found.savings.macs:,} MACs, {share}"


def _range(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]}..{numbers[-1]}"
