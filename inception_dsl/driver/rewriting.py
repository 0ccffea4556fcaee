"""`rewrite`: the passes on the text of a spec; each rewrite is read anew and proved.

A rewrite is an edit of the spec's text, because that is what an author owns and reads. A pass says
what network the edit must give. The new text is read through the front door, so that nothing about
it is believed: a rewrite is refused if the text has an error, if a budget or a claim would break,
or if it gives another network than the pass.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis.dense import list_inference
from inception_dsl.bounds import MAX_BYTES, MAX_NODES
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.changes import compare_pair
from inception_dsl.driver.walk import Checked, judge_model
from inception_dsl.driver.writing import Artifact
from inception_dsl.emit.spec.merge import merge_steps
from inception_dsl.emit.spec.places import RewriteError, TextEdit, apply_edits
from inception_dsl.emit.spec.rewrite import (
    divide_step,
    drop_bias,
    drop_counts,
    drop_step,
    rename,
)
from inception_dsl.ir import Path as NodePath
from inception_dsl.ir.weights import WeightPlan
from inception_dsl.passes import (
    PASSES,
    Divide,
    DropBias,
    DropStep,
    Edit,
    LogEntry,
    Merge,
    Pass,
    Proposal,
    apply_proposals,
    compose_plans,
    keep_weights,
)
from inception_dsl.passes.apply import rename_plan
from inception_dsl.passes.contract import log_proposal
from inception_dsl.passes.proof import DifferenceError, prove_fields, prove_read
from inception_dsl.resolve import (
    AS_WRITTEN,
    find_odd_statements,
    network_name_problem,
    read_network,
)
from inception_dsl.source import Source, Span
from inception_dsl.spec.files import SpecFile, find_spec, read
from inception_dsl.spec.load import Trial, load
from inception_dsl.spec.target import is_target
from inception_dsl.spec.tree import Tree, parse_tree

if TYPE_CHECKING:
    from inception_dsl.diff import Report

MAX_REWRITES = 200
"""Maximum number of rewrites of one spec that one command tries."""

MAX_READ = 40_000
"""Maximum number of nodes that one command reads for them; the first rewrite is always tried."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A spec with its rewrites.

    Attributes:
        artifact: the file with its new text; nothing is written yet.
        log: the rewrites that were made and refused, in order.
        weights: the plan that makes the weights of the new network of those of the old one.
        report: the comparison of the old network with the new one.
        is_cut: one command tries no more; others may wait.
        drops_counts: the claims that `import` had counted are left out.
    """

    artifact: Artifact
    log: tuple[LogEntry, ...]
    weights: WeightPlan
    report: Report
    is_cut: bool = False
    drops_counts: bool = False

    @property
    def is_changed(self) -> bool:
        """A rewrite was made."""
        return any(not entry.refusal for entry in self.log)

    @property
    def is_exact(self) -> bool:
        """Every value and every gradient stays, with the weights of the plan."""
        exact = {each.code for each in PASSES if each.is_exact}
        return all(entry.refusal or entry.code in exact for entry in self.log)


@dataclass(frozen=True, slots=True)
class _State:
    """A spec between two rewrites.

    Attributes:
        weights: the plan from the first network to this one.
        tries: the number of texts that were read.
    """

    text: str
    checked: Checked
    weights: WeightPlan
    log: tuple[LogEntry, ...] = ()
    tries: int = 0
    drops_counts: bool = False

    def refuse(self, proposal: Proposal, reason: str, *, tries: int) -> _State:
        """Return the spec after a rewrite that was refused."""
        return replace(self, log=(*self.log, log_proposal(proposal, reason)), tries=tries)


def rewrite(
    reference: str,
    *,
    folder: Path,
    select: Collection[str] = (),
    at: str = "",
    output: Path | None = None,
    is_kept: bool = True,
) -> Rewritten:
    """Rewrite the lines of a spec that cost more than they need; nothing is written.

    Args:
        select: the codes of the passes that run; if empty, all but those that save nothing counted.
        at: the path of the steps that may change, with all below it; empty for all.
        output: another file for the result; it gets its name, and no claims. None for the spec's
            own file.
        is_kept: the result is to be written, and not only to be seen.

    Raises:
        SpecError: the errors of the spec; E001, the result would be kept in a file of the library;
            E007, it is no spec, but a network that exists as code; E212, no step is at the path;
            E105, the name of `output` can name no network.
    """
    file = _find_file(reference, folder, output, is_kept=is_kept)
    text = read(file).text
    old = check_text(file, text)
    if at and not any(node.path.is_within(NodePath(at)) for node in old.model.graph.nodes):
        message = f"no step of the network has the path `{printable(at)}`"
        raise SpecError([Diagnostic("E212", message)])
    current = old
    if output is not None:
        text = apply_edits(text, rename(parse_tree(read(file)), output.stem))
        current = check_text(file, text)
    # The old text, the new one and the comparison of both are read, too.
    most = min(MAX_REWRITES, max(1, MAX_READ // max(1, len(old.model.graph.nodes)) - 3))
    state = _State(text, current, keep_weights(current.model.graph))
    for each in PASSES:
        if each.code in select or not (select or each.is_asked_for):
            state = _run(file, state, each, at, most)
    from inception_dsl.diff import Report

    path, bound = (output, None) if output else (file.path, file.root)
    return Rewritten(
        Artifact(path, state.text.encode(), bound),
        state.log,
        state.weights,
        Report((compare_pair(old, state.checked),)),
        is_cut=state.tries >= most,
        drops_counts=state.drops_counts,
    )


def _find_file(reference: str, folder: Path, output: Path | None, *, is_kept: bool) -> SpecFile:
    if is_target(reference):
        message = f"`{printable(reference)}` exists as code, and has no text to rewrite"
        help = "write its spec first: `inception-dsl import`"
        raise SpecError([Diagnostic("E007", message, help=help)])
    file = find_spec(reference, folder)
    if is_kept and file.is_built_in and output is None:
        message = f"`{file.full_name}` is a spec of the library, which stays as it is"
        help = "name a file for the result: `-o specs/NAME.yaml`"
        raise SpecError([Diagnostic("E001", message, help=help)])
    if output is not None and (problem := network_name_problem(output.stem)) is not None:
        help = "the file gives the new spec its name: choose another file"
        raise SpecError([Diagnostic("E105", printable(problem), help=help)])
    return file


def make_rewrite_plan(done: Rewritten, path: Path) -> Artifact:
    """Return the plan of weights of some rewrites as a file; nothing is written."""
    from inception_dsl.emit.diff.weights import plan_json

    (made,) = done.report.comparisons
    document = plan_json(done.weights, old=made.old_name, new=made.new_name)
    return Artifact(path, document.encode())


def _run(file: SpecFile, state: _State, each: Pass, at: str, most: int) -> _State:
    """Return a spec after every rewrite of a pass: tried all at once, then one by one."""
    seen: set[tuple[NodePath, str]] = set()
    is_changed, is_together = True, True
    while is_changed:
        is_changed = False
        run = list_inference(state.checked.model, state.checked.cost)
        found = [own for own in each.propose(state.checked.model, run) if _is_at(own, at)]
        new = [own for own in found if (own.path, own.what) not in seen]
        if is_together and len(new) > 1:
            made = _try_together(file, state, new)
            seen.update((entry.path, entry.what) for entry in made.log[len(state.log) :])
            is_together, is_changed = False, made.text != state.text
            state = made
            if is_changed:
                continue
        for proposal in new:
            if state.tries >= most:
                return state
            seen.add((proposal.path, proposal.what))
            made = _try(file, state, proposal)
            is_changed = made.text != state.text
            state = made
            if is_changed:
                break
    return state


def _try_together(file: SpecFile, state: _State, proposals: Sequence[Proposal]) -> _State:
    """Return a spec with all rewrites that can be written, or with none if they have no proof."""
    chosen: list[Proposal] = []
    edits: list[TextEdit] = []
    for proposal in proposals:
        with suppress(RewriteError):
            edits += _list_edits(file, state.text, proposal)
            chosen.append(proposal)
    if len(chosen) < 2:
        return state
    made = replace(state, text=apply_edits(state.text, edits), tries=state.tries + 1)
    try:
        return _prove(file, state, made, chosen)
    except (SpecError, RewriteError, DifferenceError):
        return replace(state, tries=made.tries)


def _is_at(proposal: Proposal, at: str) -> bool:
    return not at or any(path.is_within(NodePath(at)) for path in proposal.paths)


def _try(file: SpecFile, state: _State, proposal: Proposal) -> _State:
    """Return a spec with a rewrite, or with the refusal of it in its log.

    If it cannot be made with counted names, it is tried with written ones.
    """
    tried: set[str] = set()
    refusal, tries = "", state.tries
    for may_count in (True, False):
        try:
            edits = _list_edits(file, state.text, proposal, may_count=may_count)
        except RewriteError as error:
            return state.refuse(proposal, error.reason, tries=tries)
        text = apply_edits(state.text, edits)
        if text in tried:
            break
        tried.add(text)
        tries += 1
        try:
            return _prove_or_drop_counts(file, replace(state, tries=tries), text, proposal)
        except SpecError as error:
            refusal = _explain(error)
        except (RewriteError, DifferenceError) as error:
            refusal = error.reason
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


def _prove_or_drop_counts(file: SpecFile, state: _State, text: str, proposal: Proposal) -> _State:
    """Return a spec with a rewrite; claims that only `import` has counted go if they would break.

    Such a count is true of the old network alone, and no author's claim.

    Raises:
        SpecError, RewriteError, DifferenceError: as `_prove` raises them.
    """
    try:
        return _prove(file, state, replace(state, text=text), [proposal])
    except SpecError as error:
        edits = drop_counts(parse_tree(Source(read(file).name, text)))
        if not edits or {each.code for each in error.diagnostics} != {"E402"}:
            raise
        made = replace(state, text=apply_edits(text, edits), drops_counts=True)
        return _prove(file, state, made, [proposal])


def _list_edits(
    file: SpecFile, text: str, proposal: Proposal, *, may_count: bool = True
) -> list[TextEdit]:
    """Return the edits of the text that a rewrite makes.

    Args:
        may_count: new steps may have no names, so that they are counted.

    Raises:
        RewriteError: the rewrite is refused.
    """
    if proposal.refusal:
        raise RewriteError(proposal.refusal)
    source = Source(read(file).name, text)
    spans: list[Span] = []
    for step in proposal.steps:
        if step.span is None or step.span.source.name != source.name:
            where = step.span.source.name if step.span else "no text"
            raise RewriteError(f"the line stands in {where}, which other specs may use")
        spans.append(Span(source, step.span.start, step.span.end))
    return _edit(parse_tree(source), spans, proposal.edit, may_count=may_count)


def _edit(tree: Tree, spans: list[Span], edit: Edit | None, *, may_count: bool) -> list[TextEdit]:
    """Return the edits of the text that a proposal wants.

    Raises:
        RewriteError: they cannot be made.
    """
    match edit:
        case Divide(kernels, inner, taken):
            return divide_step(tree, spans[0], kernels, inner, taken, may_count=may_count)
        case DropBias():
            return drop_bias(tree, spans[0])
        case DropStep():
            return drop_step(tree, spans[0])
        case Merge(name, slices):
            return merge_steps(tree, spans, name, slices)
        case None:
            raise RewriteError("no text can say it")


def _prove(file: SpecFile, state: _State, made: _State, proposals: Sequence[Proposal]) -> _State:
    """Return a spec with some rewrites, which gives the network that their pass gives.

    Raises:
        SpecError: the new text is wrong.
        RewriteError: the costs change by something else than the hint counts.
        DifferenceError: it gives another network.
    """
    new = check_text(file, made.text)
    old = state.checked
    expected = apply_proposals(old.model, proposals)
    fresh = {node.path for own in proposals for swap in own.swaps for node in swap.new}
    names = prove_read(expected.model, new.model, fresh)
    changed = {path for own in proposals for path in own.paths}
    prove_fields(old.model, new.model, changed)
    before, after = old.cost.totals, new.cost.totals
    saved = before.macs - after.macs, before.params - after.params
    savings = reduce(add, (own.savings for own in proposals))
    if saved != (savings.macs, savings.params):
        raise RewriteError("parameters and MACs would not change by what the hint counts")
    plan = rename_plan(expected.weights, new.model.graph, names)
    weights = compose_plans(state.weights, plan)
    return replace(made, checked=new, weights=weights, log=(*state.log, *expected.log))


def check_text(file: SpecFile, text: str) -> Checked:
    """Return the model of a spec whose file has another text, judged by every rule.

    Raises:
        SpecError: the errors of the text, without fixes.
    """
    loaded = load(file, trial=Trial({read(file).name: text}, MAX_BYTES))
    template = read_network(loaded, AS_WRITTEN, max_nodes=MAX_NODES)
    odd = find_odd_statements(loaded)
    return judge_model(file, template, template.instantiate(), odd, AS_WRITTEN)
