"""What a source claims is so, or the spec says why not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from inception_dsl.analysis import find_figure
from inception_dsl.diagnostics import Diagnostic, Label, nearest
from inception_dsl.ir import Call, Claim, Figure, Model, Origin
from inception_dsl.rules.subject import Subject, shares


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
                labels = (Label(claim.origin.spans[0]), *_made_of(claim, subject))
                yield Diagnostic("E402", message, labels, help=help, expected=text, found=str(own))
    elif all(_holds(claim, own) for claim, own in pairs):
        message = f"{_what(first)} is {_shown(figure)}, as {_source(first)}: it does not deviate"
        yield Diagnostic("E403", message, (label,), help="take `deviates` out")


def _find(claim: Claim, subject: Subject) -> int | str | None:
    model, cost = subject.at_input(claim.input)
    return find_figure(model, cost, claim.measure, claim.at, with_heads=claim.with_heads)


def _made_of(claim: Claim, subject: Subject) -> list[Label]:
    """The step that a claim is made of, and the largest parts of its figure."""
    model, cost = subject.at_input(claim.input)
    found = dict(_places(model)).get(claim.at or "")
    step = [Label(found.spans[0], f"this is `{claim.at}`")] if found and found.spans else []
    at, heads = claim.at, claim.with_heads
    parts = shares(model, cost, claim.measure, at, with_heads=heads)
    return [*step, *(part for part in parts if part.span not in [own.span for own in step])]


def _places(model: Model) -> Iterator[tuple[str, Origin]]:
    """The path of every step, and where it is written; those of calls before those within."""
    pending: list[tuple[str, Call]] = [("", model.root)]
    while pending:
        prefix, call = pending.pop()
        for item in call.body:
            yield prefix + item.path, item.origin
            if isinstance(item, Call):
                pending.append((f"{prefix}{item.path}.", item))


def _nowhere(claim: Claim, subject: Subject) -> Diagnostic:
    places = dict(_places(subject.model))
    depth = str(claim.at).count(".")
    alike = [path for path in places if path.count(".") == depth]
    close = nearest(str(claim.at), alike) or nearest(str(claim.at), places)
    message = f"no step has the path `{claim.at}`"
    help = f"its path may be `{close}`" if close else None
    spans = places[close].spans if close else ()
    others = [Label(span, f"`{close}` is here") for span in spans[:1]]
    return Diagnostic("E212", message, (Label(claim.origin.spans[1]), *others), help=help)


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
