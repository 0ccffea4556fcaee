"""The search for the rewrites of a spec that have a proof: all at once, then halves of them.

`driver.rewrite_trial` tries a text. This says what is tried, and when to stop.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from inception_dsl.analysis.dense import Inference, list_inference
from inception_dsl.driver.rewrite_trial import (
    RewriteState,
    Writer,
    try_alone,
    try_together,
)
from inception_dsl.ir import Model, Path
from inception_dsl.passes import PASSES, Pass, Proposal
from inception_dsl.passes.reduce import REDUCE, reduce_to
from inception_dsl.passes.shrink import SHRINK, shrink_by
from inception_dsl.spec.files import SpecFile

MAX_REWRITES = 200
"""Maximum number of rewrites of one spec that one command tries."""

MAX_READ = 20_000
"""Maximum number of nodes that one command reads for them; the first rewrite is always tried."""


@dataclass(frozen=True, slots=True)
class RewriteChoice:
    """The rewrites that are wanted.

    Attributes:
        codes: the codes of the passes that run; empty for all but those that run on request.
        at: the path of the steps that may change, with all below it; empty for all.
        reduces_to: the part of the channels that P803 reduces to: 2 for a half, 4 for a quarter.
        width: the channels that P804 gives beside every lone pool; None for those that the layers
            beside the pool widen by.
    """

    codes: frozenset[str] = frozenset()
    at: str = ""
    reduces_to: int = 2
    width: int | None = None

    def list_passes(self) -> list[Pass]:
        """Return the passes that run, in order."""
        if not self.codes:
            return [each for each in PASSES if not each.is_asked_for]
        meant = {REDUCE.code: reduce_to(self.reduces_to), SHRINK.code: shrink_by(self.width)}
        return [meant.get(each.code, each) for each in PASSES if each.code in self.codes]

    def propose(self, each: Pass, model: Model, run: Inference) -> Iterator[Proposal]:
        """Yield the proposals of a pass that are wanted, and that no other one has a better for."""
        running = {chosen.code for chosen in self.list_passes()}
        for proposal in each.propose(model, run):
            is_at = not self.at or any(path.is_within(Path(self.at)) for path in proposal.paths)
            if not is_at or proposal.better in running:
                continue
            if proposal.is_asked_for and each.code not in self.codes and not proposal.refusal:
                reason = f"it is made only where `--select {each.code}` asks for it"
                yield replace(proposal, refusal=reason)
            else:
                yield proposal


def run_passes(
    file: SpecFile, state: RewriteState, choice: RewriteChoice, *, most: int = MAX_REWRITES
) -> RewriteState:
    """Return a spec after the rewrites of some passes; each has its share of the readings.

    Args:
        most: the number of readings after which no more is tried.
    """
    # The old text, the new one and the comparison of both are read, too.
    graphs = (state.checked.model.graph, *(each.now.model.graph for each in state.dependents))
    nodes = max(1, sum(len(graph.nodes) for graph in graphs))
    most = min(most, max(1, MAX_READ // nodes - 3))
    chosen = choice.list_passes()
    state = replace(state, passes=tuple(chosen))
    run = list_inference(state.checked.model, state.checked.cost)
    for index, each in enumerate(chosen):
        share = max(1, (most - state.tries) // (len(chosen) - index))
        state, run = _run(file, state, run, each, choice, state.tries + share)
    return state


def _run(
    file: SpecFile,
    state: RewriteState,
    run: Inference,
    each: Pass,
    choice: RewriteChoice,
    most: int,
) -> tuple[RewriteState, Inference]:
    """Return a spec after the rewrites of a pass.

    All are tried at once. If they have no proof together, half of them are, and so on: a budget or
    a claim stops few of many, and costs few readings.

    Args:
        run: the inference of the spec; that of the new one is returned.
        most: the number of readings after which no more is tried.
    """
    seen: set[tuple[Path, str]] = set()
    size, was_made = sys.maxsize, False
    while True:
        found = choice.propose(each, state.checked.model, run)
        new = [own for own in found if (own.path, own.what) not in seen]
        if not new:
            return state, run
        writer = Writer(file, state.text)
        chances, rest = writer.sort_out(state.checked.model, new)
        text, failed = state.text, None
        while chances and state.text == text and state.tries < most:
            size = min(size, len(chances))
            failed = None
            if size == 1:
                proposal = chances.pop(0).proposal
                seen.add((proposal.path, proposal.what))
                state = try_alone(file, state, writer, proposal)
                continue
            state, refusal = try_together(file, state, writer, chances[:size])
            if refusal is None:
                seen.update(
                    (chance.proposal.path, chance.proposal.what) for chance in chances[:size]
                )
            else:
                reason = f"with {size - 1:,} more, {refusal.reason}"
                failed = replace(refusal, reason=reason)
                size, was_made = size // 2, False
        if state.text != text:
            size, was_made = size * 2 if was_made else size, True
            run = list_inference(state.checked.model, state.checked.cost)
            continue
        if failed is not None:
            state = state.refuse(chances[0].proposal, failed, tries=state.tries)
        for proposal in rest:
            state = try_alone(file, state, writer, proposal)
        return replace(state, untried=state.untried + len(chances)), run
