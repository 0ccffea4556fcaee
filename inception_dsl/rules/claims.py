"""The rule that every claim of a source holds, or that the spec notes a deviation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from inception_dsl.analysis import Quantities
from inception_dsl.analysis.quantities import SeveralTypes
from inception_dsl.bounds import MAX_CLAIMED_NODES
from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Label, nearest, shorten
from inception_dsl.ir import Claim, Path, Quantity, TensorType
from inception_dsl.rules.subject import Subject, labels_at, shares


def claims_hold(subject: Subject) -> Iterator[Diagnostic]:
    """Find failing claims (E402), deviations from claims that hold (E403) and unknown paths (E212).

    The claims at each other input are judged together, so that one other model at a time is kept.
    E003 refuses the claims if these models are too many or too large.
    """
    entries: dict[tuple[TensorType, ...] | None, list[tuple[int, list[Claim]]]] = {}
    for index, entry in enumerate(_entries(subject.model.claims)):
        entries.setdefault(entry[0].inputs, []).append((index, entry))
    refused = _refuse(list(entries), subject)
    if refused is not None:
        yield refused
        return
    findings: list[tuple[int, Diagnostic]] = []
    for inputs, judged in entries.items():
        quantities = subject.at_inputs(inputs)
        is_short = len(quantities.model.heads) < len(subject.model.heads)
        for index, entry in judged:
            if is_short and entry[0].with_heads:
                findings.append((index, _lack_heads(entry[0], quantities)))
                continue
            findings.extend((index, finding) for finding in _entry(entry, quantities))
            if len(findings) >= MAX_FINDINGS:
                break
    for _, finding in sorted(findings, key=lambda indexed: indexed[0]):
        yield finding


def _entries(claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """Yield the claims of each entry; a claim that no text wrote is one by itself."""
    numbered = enumerate(claims)
    for _, group in groupby(numbered, key=lambda pair: pair[1].origin.spans[1:] or pair[0]):
        yield [claim for _, claim in group]


def _refuse(inputs: list[tuple[TensorType, ...] | None], subject: Subject) -> Diagnostic | None:
    """Return E003 if the claims of all inputs together take too long to check."""
    others = [types for types in inputs if types not in (None, subject.model.root.input_types)]
    nodes = len(subject.cost.rows)
    if len(others) * nodes <= MAX_CLAIMED_NODES:
        return None
    first_beyond = others[MAX_CLAIMED_NODES // nodes]
    claim = next(claim for claim in subject.model.claims if claim.inputs == first_beyond)
    message = f"claims at {len(others):,} other inputs of a model of {nodes:,} nodes"
    note = f"inputs times nodes may be at most {MAX_CLAIMED_NODES:,}"
    return Diagnostic("E003", message, _entry_labels(claim), (note,))


def _entry(claims: list[Claim], quantities: Quantities) -> Iterator[Diagnostic]:
    """Judge the claims of one entry; a deviation explains any that fail."""
    values = [quantities.find(c.measure, c.at, with_heads=c.with_heads) for c in claims]
    if None in values:
        yield _nowhere(claims[0], quantities)
        return
    pairs: list[tuple[Claim, int | str]] = []
    for claim, figure in zip(claims, values, strict=True):
        if isinstance(figure, SeveralTypes):
            yield _explain_several(claim, figure)
            return
        if figure is not None:
            pairs.append((claim, figure))
    first, figure = pairs[0]
    if first.deviates is None:
        for claim, value in pairs:
            if not _holds(claim, value):
                text = claim.value.text if isinstance(claim.value, Quantity) else claim.value
                message = f"{_what(claim)} is {_shown(value)}, and {_source(claim)} {text}"
                help = "if the source is wrong, say so: `deviates: why`"
                labels = (*labels_at(claim.origin), *_made_of(claim, quantities))
                yield Diagnostic(
                    "E402", message, labels, help=help, expected=text, found=str(value)
                )
    elif all(_holds(claim, value) for claim, value in pairs):
        message = f"{_what(first)} is {_shown(figure)}, as {_source(first)}: it does not deviate"
        yield Diagnostic("E403", message, labels_at(first.origin), help="take `deviates` out")


def _made_of(claim: Claim, quantities: Quantities) -> list[Label]:
    """Return labels for the step that a claim is of, and for the largest parts of its quantity."""
    origin = quantities.origins.get(Path(claim.at or ""))
    step = labels_at(origin, f"this is `{claim.at}`") if origin else ()
    at, heads = claim.at, claim.with_heads
    parts = shares(quantities, claim.measure, at, with_heads=heads)
    return [*step, *(part for part in parts if part.span not in [label.span for label in step])]


def _lack_heads(claim: Claim, quantities: Quantities) -> Diagnostic:
    """Return E402 for a claim on training heads at an input at which one cannot run."""
    message = f"{_what(claim)} with heads has no value at {quantities.cost.input}"
    note = "a training head cannot run there"
    return Diagnostic("E402", message, labels_at(claim.origin), (note,))


def _explain_several(claim: Claim, types: SeveralTypes) -> Diagnostic:
    """Return E215 or E216 for a claim on one of several inputs or outputs that names none."""
    names = ", ".join(f"`{name}`" for name in types.names)
    has = f"`{claim.at}` has" if claim.at else "the network has"
    message = f"{has} {len(types.names)} {types.kind}s: {names}"
    labels = labels_at(claim.origin, f"`{claim.measure}` is of one of them")
    if types.kind == "input":
        help = "claim the `shape` of a step that reads it"
        return Diagnostic("E215", message, labels, help=help)
    path = f"{claim.at}.{types.names[0]}" if claim.at else types.names[0]
    return Diagnostic("E216", message, labels, help=f"name one, as in `at: {path}`")


def _nowhere(claim: Claim, quantities: Quantities) -> Diagnostic:
    places = quantities.origins
    depth = str(claim.at).count(".")
    alike = (path for path in places if path.count(".") == depth)
    close = nearest(str(claim.at), alike) or nearest(str(claim.at), places)
    message = f"no step has the path `{shorten(str(claim.at))}`"
    help = f"its path may be `{close}`" if close else None
    others = labels_at(places[Path(close)], f"`{close}` is here") if close else ()
    return Diagnostic("E212", message, (*_entry_labels(claim), *others), help=help)


def _entry_labels(claim: Claim) -> tuple[Label, ...]:
    """Return the label of the entry that a claim stands in."""
    return tuple(Label(span) for span in claim.origin.spans[1:2])


def _source(claim: Claim) -> str:
    return f"{claim.source} claims" if claim.source else "it is claimed"


def _holds(claim: Claim, value: int | str) -> bool:
    if isinstance(claim.value, Quantity):
        return isinstance(value, int) and claim.value.holds(value)
    return value == claim.value


def _what(claim: Claim) -> str:
    of = f"`{claim.at}`" if claim.at else "the network"
    return f"`{claim.measure}` of {of}"


def _shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
