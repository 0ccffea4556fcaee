"""The same rewrites in the specs that depend on a spec: each must give the network they give there.

The text of the spec is changed once. A spec that extends it may set other defaults or other lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_dsl.analysis.dense import list_inference
from inception_dsl.driver.dependents import Dependent, DependentError, check_dependents
from inception_dsl.driver.walk import Checked
from inception_dsl.passes import Merge, Pass, Proposal, apply_proposals
from inception_dsl.passes.merge import keep_members
from inception_dsl.passes.proof import DifferenceError, prove_read
from inception_dsl.spec.files import SpecFile


def follow(
    dependents: tuple[Dependent, ...],
    passes: Sequence[Pass],
    base: SpecFile,
    text: str,
    proposals: Sequence[Proposal],
) -> Iterator[Dependent]:
    """Yield the specs whose networks change with the new text of a spec, with their new networks.

    Args:
        passes: those that have made the proposals.
        base: the spec that they depend on.
        text: its new text.
        proposals: the rewrites that the text makes.

    Raises:
        DependentError: one of them would have an error, or become another network.
    """
    for each, new in check_dependents(dependents, base, text):
        model = each.now.model
        made = list(_repeat(passes, each.now, proposals))
        fresh = {node.path for own in made for swap in own.swaps for node in swap.new}
        try:
            prove_read(apply_proposals(model, made).model, new.model, fresh)
        except DifferenceError as error:
            reason = f"`{each.file.shown}`, which extends this spec, would become another network"
            raise DependentError(f"{reason}: {error.reason}") from None
        yield replace(each, now=new)


def _repeat(
    passes: Sequence[Pass], checked: Checked, proposals: Sequence[Proposal]
) -> Iterator[Proposal]:
    """Yield the rewrites of a network that change the same lines as those of another network.

    A merge may have left out some of its steps; it leaves them out here, too.
    """
    run = list_inference(checked.model, checked.cost)
    codes = {own.code for own in proposals}
    there = [
        (own, _list_places(own))
        for each in passes
        if each.code in codes
        for own in each.propose(checked.model, run)
        if not own.refusal
    ]
    for wanted in proposals:
        places = _list_places(wanted)
        for own, known in there:
            if own.code != wanted.code:
                continue
            if known == places:
                yield own
            elif isinstance(own.edit, Merge) and set(places) < set(known):
                yield keep_members(checked.model, own, [known.index(place) for place in places])


def _list_places(proposal: Proposal) -> list[tuple[str, int] | None]:
    """Return the file and the place of each line of a rewrite; None for a step of no text."""
    spans = (step.span for step in proposal.steps)
    return [(span.source.name, span.start) if span else None for span in spans]
