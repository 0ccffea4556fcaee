"""`rewrite`: the passes on the text of a spec; each rewrite is read anew and proved.

A rewrite is an edit of the spec's text, because that is what an author owns and reads. A pass says
what network the edit must give. The new text is read through the front door, so that nothing about
it is believed: a rewrite is refused if the text has an error, if a budget or a claim would break,
or if it gives another network than the pass.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.changes import compare_pair
from inception_dsl.driver.dependents import check_text, find_dependents
from inception_dsl.driver.rewrite_run import RewriteChoice, run_passes
from inception_dsl.driver.rewrite_trial import RewriteState
from inception_dsl.driver.writing import Artifact, refuse_same, replace_text
from inception_dsl.emit.spec.claims import rename
from inception_dsl.emit.spec.places import RewriteError, apply_edits
from inception_dsl.emit.spec.unchanged import prove_renamed
from inception_dsl.ir import Path as NodePath
from inception_dsl.ir.weights import WeightPlan
from inception_dsl.passes import LogEntry, keep_weights
from inception_dsl.passes.proof import DifferenceError, prove_fields, prove_read
from inception_dsl.resolve import network_name_problem
from inception_dsl.source import Source
from inception_dsl.spec.disk import SUFFIXES
from inception_dsl.spec.files import SpecFile, find_spec, place, read
from inception_dsl.spec.target import is_target
from inception_dsl.spec.tree import parse_tree

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison, Finding, Report
    from inception_dsl.driver.walk import Checked


class RewriteFaultError(RuntimeError):
    """The error of a renamed spec that differs in more than its name and claims: a fault of ours.

    Nothing is written then.
    """


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A spec with its rewrites.

    Attributes:
        artifact: the file with its new text; nothing is written yet.
        source: the path of the old spec's file.
        log: the rewrites that were made and refused, in order.
        weights: the plan that makes the weights of the new network of those of the old one.
        report: the comparison of the old network with the new one. It judges the steps whose values
            stay by their costs alone, since the plan moves their weights.
        untried: the number of rewrites that wait, since one command tries no more.
        drops_counts: the claims that `import` had counted are left out.
        followers: the names of the specs that extend it, and whose networks change, too.
    """

    artifact: Artifact
    source: Path
    log: tuple[LogEntry, ...]
    weights: WeightPlan
    report: Report
    untried: int = 0
    drops_counts: bool = False
    followers: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """A rewrite was made."""
        return any(not entry.refusal for entry in self.log)

    @property
    def is_exact(self) -> bool:
        """Every value and every gradient stays, with the weights of the plan."""
        return all(entry.refusal or entry.is_exact for entry in self.log)


def rewrite(
    reference: str,
    *,
    folder: Path,
    select: Collection[str] = (),
    at: str = "",
    output: Path | None = None,
    is_kept: bool = True,
    reduces_to: int = 2,
    width: int | None = None,
) -> Rewritten:
    """Rewrite the lines of a spec that cost more than they need; nothing is written.

    Args:
        select: the codes of the passes that run; if empty, all but those that save nothing counted.
        at: the path of the steps that may change, with all below it; empty for all.
        output: another file for the result; it gets its name, and no claims. None for the spec's
            own file.
        is_kept: the result is to be written, and not only to be seen.
        reduces_to: the part of the channels that P803 reduces to: 2 for a half, 4 for a quarter.
        width: the channels that P804 gives beside every lone pool; None for those of the hint.

    Raises:
        SpecError: the errors of the spec; E001, the result would be kept in a file of the library;
            E007, it is no spec, but a network that exists as code; E212, no step is at the path;
            E105, the name of `output` can name no network; E001, `output` does not end as a spec's
            file does, or the result would not be the same network there.
        RewriteFaultError: a new name would change more of the spec.
    """
    file = _find_file(reference, folder, output, is_kept=is_kept)
    text = basis = read(file).text
    old = check_text(file, text)
    _refuse_no_step(old, at)
    current = old
    if output is not None:
        text = _rename(file, text, output.stem)
        current = check_text(file, text)
    dependents = find_dependents(file) if output is None else ()
    weights = keep_weights(current.model.graph)
    state = RewriteState(text, current, weights, dependents=dependents)
    state = run_passes(file, state, RewriteChoice(frozenset(select), at, reduces_to, width))
    from inception_dsl.diff import Report

    done = _leave_out_kept(compare_pair(old, state.checked), state)
    if output is None:
        artifact = replace_text(file, basis, state.text)
    else:
        artifact = Artifact(output, state.text.encode())
        if any(not entry.refusal for entry in state.log):
            _check_there(place(folder.resolve() / output), state)
    return Rewritten(
        artifact,
        file.path,
        state.log,
        state.weights,
        Report((done,)),
        untried=state.untried,
        drops_counts=state.drops_counts,
        followers=state.followers,
    )


def _refuse_no_step(checked: Checked, at: str) -> None:
    """Refuse a path that no step has; an empty one is for all steps."""
    if at and not any(node.path.is_within(NodePath(at)) for node in checked.model.graph.nodes):
        message = f"no step of the network has the path `{printable(at)}`"
        raise SpecError([Diagnostic("E212", message)])


def _check_there(file: SpecFile, state: RewriteState) -> None:
    """Make sure that a new text gives its network where it will stand, too.

    The files that it uses are named from there.

    Raises:
        SpecError: E001, it would have an error there, or give another network.
    """
    try:
        read_there = check_text(file, state.text)
        prove_read(state.checked.model, read_there.model, ())
        prove_fields(state.checked.model, read_there.model, ())
    except SpecError as error:
        first = error.diagnostics[0]
        reason = f"{first.message} ({first.code})"
    except DifferenceError as error:
        reason = error.reason
    else:
        return
    message = f"the result would be another network as `{printable(file.shown)}`: {reason}"
    note = "`use` and `extends` name files from the folder of the spec"
    help = "write it into the folder of the old spec, or make that one file by `resolve`"
    raise SpecError([Diagnostic("E001", message, notes=(note,), help=help)])


def _rename(file: SpecFile, text: str, name: str) -> str:
    """Return the text of a spec with another name and without claims.

    Raises:
        RewriteFaultError: more than that would change.
    """
    tree = parse_tree(Source(file.shown, text))
    try:
        renamed = apply_edits(text, rename(tree, name))
        prove_renamed(tree, parse_tree(Source(file.shown, renamed)), name)
    except RewriteError as error:
        raise RewriteFaultError(f"`{file.shown}` cannot be renamed: {error.reason}") from None
    return renamed


_BY_WEIGHTS = frozenset(["CHECKPOINT", "NUMERICS", "TRAINING"])
"""The categories of findings that suppose that no weights are moved."""


def _leave_out_kept(comparison: Comparison, state: RewriteState) -> Comparison:
    """Return a comparison without findings that the plan of the weights makes untrue."""
    made = [entry for entry in state.log if not entry.refusal]
    is_exact = all(entry.is_exact for entry in made)

    def is_true(finding: Finding) -> bool:
        if finding.category not in _BY_WEIGHTS or finding.edit is None:
            return True
        ends = {end for place in finding.edit.places for end in (place.old, place.new) if end}
        return not (is_exact or ends <= state.kept)

    return replace(comparison, findings=tuple(filter(is_true, comparison.findings)))


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
    if output is not None and output.suffix not in SUFFIXES:
        endings = " nor ".join(SUFFIXES)
        message = f"`{printable(str(output))}` is no file of a spec: it ends in neither {endings}"
        help = f"name `{printable(str(output.with_suffix(SUFFIXES[0])))}`"
        raise SpecError([Diagnostic("E001", message, help=help)])
    if output is not None and (problem := network_name_problem(output.stem)) is not None:
        help = "the file gives the new spec its name: choose another file"
        raise SpecError([Diagnostic("E105", printable(problem), help=help)])
    return file


def make_rewrite_plan(done: Rewritten, path: Path) -> Artifact:
    """Return the plan of weights of some rewrites as a file; nothing is written.

    Raises:
        SpecError: E001, the path is that of the spec, or of the result.
    """
    from inception_dsl.emit.diff.weights import plan_json

    (made,) = done.report.comparisons
    is_new = done.artifact.path != done.source
    new = done.artifact.path.stem if is_new else made.new_name
    document = plan_json(done.weights, old=made.old_name, new=new)
    artifact = Artifact(path, document.encode())
    refuse_same(artifact, (done.source, done.artifact.path))
    return artifact
