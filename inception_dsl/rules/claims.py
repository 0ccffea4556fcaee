"""What a source claims is so, or the spec says why not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from inception_dsl.analysis import find_figure
from inception_dsl.diagnostics import Diagnostic, Label, nearest
from inception_dsl.ir import Claim, Figure, inline
from inception_dsl.rules.subject import Subject


def claims_hold(subject: Subject) -> Iterator[Diagnostic]:
    """E402 for a claim that fails and E403 for a deviation that is none; E212 for a place."""
    for _, entry in groupby(subject.model.claims, key=lambda claim: claim.origin.spans[1]):
        yield from _entry(list(entry), subject)


def _entry(claims: list[Claim], subject: Subject) -> Iterator[Diagnostic]:
    """What is found of the claims of one entry, of which a deviation explains any that fail."""
    found = [_find(claim, subject) for claim in claims]
    if None in found:
        yield _nowhere(claims[0], subject)
        return
    pairs = [(c, figure) for c, figure in zip(claims, found, strict=True) if figure is not None]
    first, figure = pairs[0]
    label = Label(first.origin.spans[0])
    if first.deviates is None:
        for claim, own in pairs:
            if not _holds(claim, own):
                text = claim.value.text if isinstance(claim.value, Figure) else claim.value
                message = f"{_what(claim)} is {_shown(own)}, and {_source(claim)} {text}"
                help = "if the source is wrong, say so: `deviates: why`"
                where = Label(claim.origin.spans[0])
                yield Diagnostic(
                    "E402", message, (where,), help=help, expected=text, found=str(own)
                )
    elif all(_holds(claim, own) for claim, own in pairs):
        message = f"{_what(first)} is {_shown(figure)}, as {_source(first)}: it does not deviate"
        yield Diagnostic("E403", message, (label,), help="take `deviates` out")


def _find(claim: Claim, subject: Subject) -> int | str | None:
    model, cost = subject.at_input(claim.input)
    return find_figure(model, cost, claim.measure, claim.at, with_heads=claim.with_heads)


def _nowhere(claim: Claim, subject: Subject) -> Diagnostic:
    close = nearest(str(claim.at), [node.path for node in inline(subject.model).nodes])
    message = f"no step has the path `{claim.at}`"
    help = f"its path may be `{close}`" if close else None
    return Diagnostic("E212", message, (Label(claim.origin.spans[1]),), help=help)


def _source(claim: Claim) -> str:
    return f"{claim.source} claims" if claim.source else "it is claimed"


def _holds(claim: Claim, found: int | str) -> bool:
    if isinstance(claim.value, Figure):
        return isinstance(found, int) and claim.value.holds(found)
    return found == claim.value


def _what(claim: Claim) -> str:
    of = f"`{claim.at}`" if claim.at else "the network"
    return f"`{claim.measure}` of {of}"


def _shown(found: int | str) -> str:
    return f"{found:,}" if isinstance(found, int) else found
