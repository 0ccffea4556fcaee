"""What a source claims is so, or the spec says why not."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import find_figure
from inception_dsl.diagnostics import Diagnostic, Label, nearest
from inception_dsl.ir import Claim, Figure, inline
from inception_dsl.rules.subject import Subject


def claims_hold(subject: Subject) -> Iterator[Diagnostic]:
    """E402 for a claim that fails and E403 for a deviation that is none; E212 for a place."""
    for claim in subject.model.claims:
        model, cost = subject.at_input(claim.input)
        found = find_figure(model, cost, claim.measure, claim.at, with_heads=claim.with_heads)
        label = Label(claim.origin.spans[0])
        if found is None:
            close = nearest(str(claim.at), [node.path for node in inline(model).nodes])
            message = f"no step has the path `{claim.at}`"
            help = f"write `{close}`" if close else None
            yield Diagnostic("E212", message, (label,), help=help)
            continue
        source = f"{claim.source} claims" if claim.source else "it is claimed"
        if _holds(claim, found):
            if claim.deviates is not None:
                message = f"{_what(claim)} is {_shown(found)}, as {source}: it does not deviate"
                help = "take `deviates` out"
                yield Diagnostic("E403", message, (label,), help=help)
        elif claim.deviates is None:
            text = claim.value.text if isinstance(claim.value, Figure) else claim.value
            message = f"{_what(claim)} is {_shown(found)}, and {source} {text}"
            help = "if the source is wrong, say so: `deviates: why`"
            yield Diagnostic("E402", message, (label,), help=help)


def _holds(claim: Claim, found: int | str) -> bool:
    if isinstance(claim.value, Figure):
        return isinstance(found, int) and claim.value.holds(found)
    return found == claim.value


def _what(claim: Claim) -> str:
    of = f"`{claim.at}`" if claim.at else "the network"
    return f"`{claim.measure}` of {of}"


def _shown(found: int | str) -> str:
    return f"{found:,}" if isinstance(found, int) else found
