"""One rewrite of a spec, tried: the edits of its text, and the proof of the network that they give.

Nothing about the new text is believed. It is read through the front door, judged by every rule, and
held against the network that the pass gives. `driver.rewriting` chooses what is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from shlex import quote
from typing import NamedTuple

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.dependents import (
    Dependent,
    DependentError,
    check_text,
)
from inception_dsl.driver.rewrite_followers import follow
from inception_dsl.driver.walk import Checked
from inception_dsl.emit.spec.beside import write_beside
from inception_dsl.emit.spec.claims import drop_counts
from inception_dsl.emit.spec.merge import find_obstacles, merge_steps
from inception_dsl.emit.spec.places import RewriteError, StepPlaces, TextEdit, apply_edits
from inception_dsl.emit.spec.pools import write_pool_behind
from inception_dsl.emit.spec.rewrite import divide_step, drop_bias, drop_step, move_behind
from inception_dsl.emit.spec.unchanged import prove_rest
from inception_dsl.ir import Model, Path
from inception_dsl.ir.weights import WeightPlan
from inception_dsl.passes import (
    Divide,
    DropBias,
    DropStep,
    Edit,
    LogEntry,
    Merge,
    MoveBehind,
    Pass,
    PoolBehind,
    Proposal,
    Reduction,
    apply_proposals,
    compose_plans,
)
from inception_dsl.passes.apply import rename_plan
from inception_dsl.passes.contract import log_proposal
from inception_dsl.passes.merge import keep_members, leave_member
from inception_dsl.passes.proof import DifferenceError, prove_fields, prove_read
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.source import Source, Span
from inception_dsl.spec.files import SpecFile
from inception_dsl.spec.tree import parse_tree


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason against a rewrite.

    Attributes:
        error: the code of the first error that the new text would have, if that is the reason.
        is_of_others: specs that depend on this one are the reason.
    """

    reason: str
    error: str = ""
    is_of_others: bool = False


@dataclass(frozen=True, slots=True)
class RewriteState:
    """A spec between two rewrites.

    Attributes:
        weights: the plan from the first network to this one.
        tries: the number of texts that were read.
        untried: the number of rewrites that no text was read for.
        kept: the paths of steps, old and new, whose rewrites keep all values and gradients.
        dependents: the specs that depend on this one, and must stay without errors.
        followers: the names of those whose networks change, too.
        passes: the passes that run; a spec that depends on this one must follow each rewrite.
        overrides: the changes to the spec's input and parameters with which it is read.
    """

    text: str
    checked: Checked
    weights: WeightPlan
    log: tuple[LogEntry, ...] = ()
    tries: int = 0
    untried: int = 0
    drops_counts: bool = False
    kept: frozenset[Path] = frozenset()
    dependents: tuple[Dependent, ...] = ()
    followers: tuple[str, ...] = ()
    passes: tuple[Pass, ...] = ()
    overrides: Overrides = AS_WRITTEN

    def refuse(self, proposal: Proposal, refusal: Refusal, *, tries: int) -> RewriteState:
        """Return the spec after a rewrite that was refused."""
        entry = log_proposal(proposal, refusal.reason, refusal.error)
        fits = refusal.is_of_others or refusal.error == "E402"
        entry = replace(entry, fits_elsewhere=fits)
        return replace(self, log=(*self.log, entry), tries=tries)


class Chance(NamedTuple):
    """A rewrite that can be written, with its edits of the text."""

    proposal: Proposal
    edits: Sequence[TextEdit]


class Writer:
    """A writer of the edits that proposals make in one text, which is parsed once.

    Attributes:
        places: the places of all steps of the text.
    """

    def __init__(self, file: SpecFile, text: str) -> None:
        self._file = file
        self._source = Source(file.shown, text)
        self.places = StepPlaces(parse_tree(self._source))

    def sort_out(
        self, model: Model, proposals: Iterable[Proposal]
    ) -> tuple[list[Chance], list[Proposal]]:
        """Return the rewrites that can be written, and the others."""
        chances: list[Chance] = []
        rest: list[Proposal] = []
        for whole in proposals:
            proposal, left = self._choose_members(model, whole)
            rest += left
            if proposal is None:
                continue
            try:
                chances.append(Chance(proposal, self.list_edits(proposal)))
            except RewriteError:
                rest.append(proposal)
        return chances, rest

    def _choose_members(
        self, model: Model, proposal: Proposal
    ) -> tuple[Proposal | None, list[Proposal]]:
        """Return a merge without the steps whose texts keep them out of it, and their refusals.

        It is None if fewer than two steps are left. Another rewrite stays as it is.
        """
        if not isinstance(proposal.edit, Merge) or proposal.refusal:
            return proposal, []
        try:
            obstacles = find_obstacles(self.places, self.find_spans(proposal))
        except RewriteError:
            return proposal, []
        kept = [index for index in range(len(proposal.steps)) if index not in obstacles]
        if not obstacles:
            return proposal, []
        left = [leave_member(proposal, *obstacle) for obstacle in obstacles.items()]
        return keep_members(model, proposal, kept) if len(kept) > 1 else None, left

    def list_edits(self, proposal: Proposal, *, may_count: bool = True) -> list[TextEdit]:
        """Return the edits of the text that a rewrite makes.

        Args:
            may_count: new steps may have no names, so that they are counted.

        Raises:
            RewriteError: the rewrite is refused.
        """
        if proposal.refusal:
            raise RewriteError(proposal.refusal)
        return _edit(self.places, self.find_spans(proposal), proposal.edit, may_count=may_count)

    def find_spans(self, proposal: Proposal) -> list[Span]:
        """Return the texts of the steps of a rewrite.

        Raises:
            RewriteError: one of them stands in another file.
        """
        file, source = self._file, self._source
        spans: list[Span] = []
        for step in proposal.steps:
            if step.span is None or step.span.source.name != source.name:
                where = step.span.source.name if step.span else "no text"
                way = (
                    f"`inception-dsl resolve {quote(file.reference)}` prints all of it as one file"
                )
                raise RewriteError(f"the line stands in {where}, which other specs may use; {way}")
            spans.append(Span(source, step.span.start, step.span.end))
        return spans


def try_together(
    file: SpecFile, state: RewriteState, writer: Writer, chances: Sequence[Chance]
) -> tuple[RewriteState, Refusal | None]:
    """Return a spec with several rewrites, or with none and the reason if they have no proof."""
    edits = [edit for chance in chances for edit in chance.edits]
    proposals = [chance.proposal for chance in chances]
    tries = state.tries + 1
    try:
        made = replace(state, text=apply_edits(state.text, edits), tries=tries)
        return _prove(file, state, made, writer, proposals), None
    except SpecError as error:
        refusal = Refusal(_explain(error), error.diagnostics[0].code)
    except (RewriteError, DifferenceError, DependentError) as error:
        refusal = Refusal(error.reason, is_of_others=isinstance(error, DependentError))
    return replace(state, tries=tries), refusal


def try_alone(
    file: SpecFile, state: RewriteState, writer: Writer, proposal: Proposal
) -> RewriteState:
    """Return a spec with a rewrite, or with the refusal of it in its log.

    If it cannot be made with counted names, it is tried with written ones.
    """
    tried: set[str] = set()
    refusal, tries = Refusal(""), state.tries
    for may_count in (True, False):
        try:
            text = apply_edits(state.text, writer.list_edits(proposal, may_count=may_count))
        except RewriteError as error:
            return state.refuse(proposal, Refusal(error.reason), tries=tries)
        if text in tried:
            break
        tried.add(text)
        tries += 1
        try:
            return _prove_or_drop_counts(file, replace(state, tries=tries), text, writer, proposal)
        except SpecError as error:
            refusal = Refusal(_explain(error), error.diagnostics[0].code)
        except (RewriteError, DifferenceError, DependentError) as error:
            refusal = Refusal(error.reason, is_of_others=isinstance(error, DependentError))
    return state.refuse(proposal, refusal, tries=tries)


_WHAT_BREAKS = {
    "E401": "a budget would break",
    "E402": "a claim would break",
    "E212": "another line of the spec names the step",
}


def _explain(error: SpecError) -> str:
    """Return the reason of a refusal for the first error of the new text."""
    first = error.diagnostics[0]
    reason = _WHAT_BREAKS.get(first.code, "the new text would have an error")
    return f"{reason}: {first.message} ({first.code})"


def _prove_or_drop_counts(
    file: SpecFile, state: RewriteState, text: str, writer: Writer, proposal: Proposal
) -> RewriteState:
    """Return a spec with a rewrite; claims that only `import` has counted go if they would break.

    Such a count is true of the old network alone, and no author's claim.

    Raises:
        SpecError, RewriteError, DifferenceError, DependentError: as `_prove` raises them.
    """
    try:
        return _prove(file, state, replace(state, text=text), writer, [proposal])
    except SpecError as error:
        edits = drop_counts(parse_tree(Source(file.shown, text)))
        if not edits or {each.code for each in error.diagnostics} != {"E402"}:
            raise
        made = replace(state, text=apply_edits(text, edits), drops_counts=True)
        return _prove(file, state, made, writer, [proposal])


def _edit(
    places: StepPlaces, spans: list[Span], edit: Edit | None, *, may_count: bool
) -> list[TextEdit]:
    """Return the edits of the text that a proposal wants.

    Raises:
        RewriteError: they cannot be made.
    """
    match edit:
        case Divide():
            return divide_step(places, spans[0], edit, may_count=may_count)
        case DropBias():
            return drop_bias(places, spans[0])
        case DropStep():
            return drop_step(places, spans[0])
        case Merge(name, slices):
            return merge_steps(places, spans, name, slices, keeps_names=not may_count)
        case MoveBehind():
            return move_behind(places, spans)
        case PoolBehind():
            return write_pool_behind(places, spans, edit)
        case Reduction():
            return write_beside(places, spans, edit)
        case None:
            raise RewriteError("no text can say it")


def _prove(
    file: SpecFile,
    state: RewriteState,
    made: RewriteState,
    writer: Writer,
    proposals: Sequence[Proposal],
) -> RewriteState:
    """Return a spec with some rewrites, which gives the network that their pass gives.

    Raises:
        SpecError: the new text is wrong.
        RewriteError: the costs change by something else than the hint counts, or more of the text
            changes than the steps.
        DifferenceError: it gives another network.
        DependentError: a spec that depends on it would break.
    """
    new = check_text(file, made.text, overrides=made.overrides)
    spans = [span for own in proposals for span in writer.find_spans(own)]
    after = parse_tree(Source(file.shown, made.text))
    prove_rest(writer.places, after, spans, drops_counts=made.drops_counts)
    old = state.checked
    expected = apply_proposals(old.model, proposals)
    fresh = {node.path for own in proposals for swap in own.swaps for node in swap.new}
    names = prove_read(expected.model, new.model, fresh)
    changed = {path for own in proposals for path in own.paths}
    if all(own.keeps_fields for own in proposals):
        prove_fields(old.model, new.model, changed)
    old_totals, new_totals = old.cost.totals, new.cost.totals
    saved = old_totals.macs - new_totals.macs, old_totals.params - new_totals.params
    savings = reduce(add, (own.savings for own in proposals))
    if saved != (savings.macs, savings.params):
        raise RewriteError("parameters and MACs would not change by what the hint counts")
    following = follow(state.dependents, state.passes, file, made.text, proposals)
    followed = {each.file.shown: each for each in following}
    plan = rename_plan(expected.weights, new.model.graph, names)
    weights = compose_plans(state.weights, plan)
    kept = state.kept
    if all(own.is_exact for own in proposals):
        kept |= changed | {names[path] for path in fresh}
    log = (*state.log, *expected.log)
    return replace(
        made,
        checked=new,
        weights=weights,
        log=log,
        kept=kept,
        dependents=tuple(followed.get(each.file.shown, each) for each in state.dependents),
        followers=tuple(dict.fromkeys((*state.followers, *followed))),
    )
