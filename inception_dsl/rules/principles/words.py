"""The words that the findings about design share: percentages, places and their rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from shlex import quote

from inception_dsl.analysis import CostReport
from inception_dsl.analysis.dense import Kernel, Savings, WrittenStep
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.rules.subject import RewriteOffer, Subject
from inception_dsl.source import Span

MAX_PLACES = 4
"""Maximum number of lines that one finding shows."""

MAX_REASONS = 2
"""Maximum number of reasons against a rewrite that one finding gives."""

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def say_count(count: int) -> str:
    """Return a small number as a word."""
    return COUNTS[count] if count < len(COUNTS) else f"{count:,}"


def say_kernel(kernel: Kernel) -> str:
    """Return a kernel as a spec writes it."""
    return f"{kernel[0]}x{kernel[1]}"


def say_percent(percent: float) -> str:
    """Return a share without decimals; with one, if it is small."""
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.1f}%"


def say_nodes(step: WrittenStep) -> str:
    """Return the path of a line's first node, and the number of the others."""
    more = len(step.nodes) - 1
    return f"`{step.nodes[0].path}`" + (f" and {more:,} more" if more else "")


def make_finding(
    code: str,
    message: str,
    places: Sequence[tuple[Span | None, str]],
    notes: Iterable[str] = (),
    help: str | None = None,
) -> Iterator[Diagnostic]:
    """Yield a finding about some lines, and show the first ones."""
    shown: dict[Span, str] = {}
    for span, text in places:
        if span is not None:
            shown.setdefault(span, text)
    labels = tuple(Label(span, text) for span, text in list(shown.items())[:MAX_PLACES])
    more = len(shown) - MAX_PLACES
    rest = (f"and {more:,} more line{'s' if more > 1 else ''}",) if more > 0 else ()
    yield Diagnostic(code, message, labels, (*notes, *rest), help)


def say_rewrite(
    subject: Subject,
    code: str,
    steps: Sequence[WrittenStep],
    *,
    with_cost: bool = False,
) -> str:
    """Return the way to a rewrite: its command, what must come first, or why there is none.

    Args:
        with_cost: what it writes is told with the multiply-accumulates of the whole network.
    """
    name = quote(subject.reference)
    if subject.is_imported:
        return f"`inception-dsl import {name}` writes a spec, which `rewrite` can change"
    files = dict.fromkeys(step.span.source.name for step in steps if step.span is not None)
    if files and subject.file not in files:
        where, way = (
            ", ".join(files),
            f"`inception-dsl resolve {name}` prints all of it as one file",
        )
        return f"the lines stand in {where}: {way}, which `rewrite` can change"
    command = f"inception-dsl rewrite {name} --select {code}"
    offer = None if subject.try_rewrite is None else subject.try_rewrite(code)
    if offer is None or not offer.is_tried:
        return f"`{command} --dry-run` tells whether it can be written"
    if subject.is_built_in or offer.is_new:
        command = f"{command} -o specs/NAME.yaml"
    told = _say_offer(command, offer, [step.nodes[0].path for step in steps])
    is_written = any(not reason for reason in offer.refusals.values())
    return told + (_say_cost(offer) if with_cost and is_written else "")


def _say_offer(command: str, offer: RewriteOffer, paths: Sequence[str]) -> str:
    """Return what a rewrite of some lines has come to when it was tried."""
    told = [path for path in paths if path in offer.refusals]
    refused = [path for path in told if offer.refusals[path]]
    if not told:
        return f"`{command} --dry-run` tells whether it can be written"
    reasons = _say_reasons(offer, refused)
    if len(refused) == len(told) == len(paths):
        return f"`rewrite` refuses it at {reasons}"
    rest = f"; it leaves out {reasons}" if refused else ""
    if len(refused) == len(told):
        return f"`{command} --dry-run` tells whether it can be written{rest}"
    which = ", without the claims of this spec" if offer.is_new else ""
    return f"`{command}` writes it{which}{rest}"


def _say_reasons(offer: RewriteOffer, refused: Sequence[str]) -> str:
    """Return the first lines that are refused, each with its reason; the rest is counted."""
    places: dict[str, list[str]] = {}
    for path in refused:
        places.setdefault(offer.refusals[path], []).append(path)
    told: list[str] = []
    for reason, (first, *others) in list(places.items())[:MAX_REASONS]:
        more = f" and {len(others):,} more" if others else ""
        told.append(f"`{first}`{more}: {reason}")
    rest = sum(len(members) for members in list(places.values())[MAX_REASONS:])
    told += [f"and {rest:,} more for other reasons"] * bool(rest)
    return "; ".join(told)


def _say_cost(offer: RewriteOffer) -> str:
    """Return the multiply-accumulates of the network with and without what a rewrite writes."""
    if offer.macs is None:
        return ""
    old, new = offer.macs
    return (
        f"; the network has {new:,} MACs then, and {old:,} now: "
        f"{abs(new - old):,} {'more' if new > old else 'fewer'}"
    )


def say_savings(savings: Savings, total: CostReport) -> str:
    """Return the multiply-accumulates and parameters that some steps save, of those of all."""
    share = say_percent(100 * savings.macs / total.totals.macs)
    params = savings.params
    change = f"{abs(params):,} {'fewer' if params >= 0 else 'more'} parameters"
    return f"{savings.macs:,} MACs ({share} of the network's), and {change}"
