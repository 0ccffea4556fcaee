"""Rewrites of a spec that save: each is made in the text, read anew, and proved before it stays.

A rewrite is an edit of the spec's text, because that is what an author owns and reads. The text is
read through the front door, so that nothing about the result is believed: a rewrite is refused if
the new text has an error, if a budget or a claim would break, or if any other step changes. Weights
move by the plan of the comparison, which leaves the parts of a factorised kernel fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis.dense import Inference, Savings, WrittenStep, list_inference
from inception_dsl.analysis.factors import Factorisation, find_nested, find_separable
from inception_dsl.analysis.field import measure_fields
from inception_dsl.analysis.idle import find_idle
from inception_dsl.bounds import MAX_BYTES, MAX_NODES
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.changes import compare_pair
from inception_dsl.driver.walk import Checked, judge_model
from inception_dsl.driver.writing import Artifact
from inception_dsl.emit.spec.rewrite import (
    RewriteError,
    TextEdit,
    apply_edits,
    divide_step,
    drop_bias,
    rename,
)
from inception_dsl.ir import INPUT, Model, NodeDef
from inception_dsl.ir import Path as NodePath
from inception_dsl.ops import OPS
from inception_dsl.ops.attribute import shown
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
class Proposal:
    """A rewrite of one line that saves.

    Attributes:
        code: the code of the hint that names it.
        step: the line with the nodes that it wrote.
        what: the change in words.
        write: the edits, from the tree of the file and the line.
        savings: the difference that the rewrite must make to the network.
        refusal: the reason that speaks against it from the start; empty if none does.
    """

    code: str
    step: WrittenStep
    what: str
    write: Callable[[Tree, Span], list[TextEdit]]
    savings: Savings
    refusal: str = ""

    @property
    def path(self) -> NodePath:
        """The path of the first node."""
        return self.step.nodes[0].path


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A rewrite that was made or refused.

    Attributes:
        places: the number of nodes that the line writes.
        refusal: the reason against it; empty if it was made.
        is_read: its text was written and read.
    """

    code: str
    path: NodePath
    places: int
    what: str
    refusal: str = ""
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A spec with its rewrites.

    Attributes:
        artifact: the file with its new text; nothing is written yet.
        log: the rewrites that were made and refused, in order.
        report: the comparison of the old network with the new one.
        is_cut: one command tries no more; others may wait.
    """

    artifact: Artifact
    log: tuple[LogEntry, ...]
    report: Report
    is_cut: bool = False

    @property
    def is_changed(self) -> bool:
        """A rewrite was made."""
        return any(not entry.refusal for entry in self.log)


Find = Callable[[Model, Inference], Iterator[Proposal]]
"""A pass: it proposes rewrites of a model, whose inference is given."""


def _propose_nested(model: Model, run: Inference) -> Iterator[Proposal]:
    for found in find_nested(run):
        yield _divide("P811", model, found)


def _propose_separable(model: Model, run: Inference) -> Iterator[Proposal]:
    for found in find_separable(run):
        grids = {"x".join(map(str, node.type.size)) for node in found.others}
        refusal = ""
        if found.others:
            where = ", ".join(sorted(grids))
            refusal = f"its line runs on {where}, too; it is for maps of 12 to 20 without a stride"
        proposal = _divide("P812", model, found)
        yield replace(proposal, refusal=refusal or proposal.refusal)


def _divide(code: str, model: Model, found: Factorisation) -> Proposal:
    inner = _write_width(model, found.step) if found.inner == "in" else None
    refusal = "" if inner or found.inner == "width" else "the channels that come in have no name"
    kernels = " and ".join(f"{height}x{width}" for height, width in found.kernels)
    what = f"{found.kernel[0]}x{found.kernel[1]} becomes {kernels}"
    write = partial(divide_step, kernels=found.kernels, inner=inner)
    return Proposal(code, found.step, what, write, found.savings, refusal)


def _write_width(model: Model, step: WrittenStep) -> str | None:
    """Return the channels that a step reads, as its block can write them; None if it cannot.

    The width of the step before it is written again, so that it follows the same parameters.
    """
    for block in model.blocks:
        steps = {other.path: other for other in block.body}
        for own in block.body:
            if own.origin.span != step.span:
                continue
            path = own.inputs[0]
            while isinstance(before := steps.get(path), NodeDef):
                op = OPS[before.op]
                if op.width:
                    return shown(before.attributes[op.width])
                if op.channels not in ("separate", "grouped", "positional", "shuffled"):
                    break
                path = before.inputs[0]
            if path == INPUT and block is not model.network:
                return "in"
    channels = {node.input_types[0].channels for node in step.nodes}
    return str(channels.pop()) if len(channels) == 1 else None


def _propose_idle(model: Model, run: Inference) -> Iterator[Proposal]:
    for found in find_idle(run):
        is_bias = found.reason == "bias before a norm"
        refusal = "" if is_bias else "no rewrite is known for it"
        what = "the bias is switched off" if is_bias else found.reason
        yield Proposal("P815", found.step, what, drop_bias, found.savings, refusal)


PASSES: dict[str, Find] = {
    "P811": _propose_nested,
    "P812": _propose_separable,
    "P815": _propose_idle,
}
"""The passes by the code of their hint, in the order in which they run."""


def rewrite(
    reference: str,
    *,
    folder: Path,
    select: Collection[str] = (),
    at: str = "",
    output: Path | None = None,
) -> Rewritten:
    """Rewrite the lines of a spec that cost more than they need; nothing is written.

    Args:
        select: the codes of the passes that run; all of them if empty.
        at: the path of the steps that may change, with all below it; empty for all.
        output: another file for the result; it gets its name, and no claims. None for the spec's
            own file.

    Raises:
        SpecError: the errors of the spec; E001, it is a file of the library and has no `output`;
            E007, it is no spec, but a network that exists as code; E212, no step is at the path;
            E105, the name of `output` can name no network.
    """
    if is_target(reference):
        message = f"`{printable(reference)}` exists as code, and has no text to rewrite"
        help = "write its spec first: `inception-dsl import`"
        raise SpecError([Diagnostic("E007", message, help=help)])
    file = find_spec(reference, folder)
    if file.is_built_in and output is None:
        message = f"`{file.full_name}` is a spec of the library, which stays as it is"
        help = "name a file for the result: `-o specs/NAME.yaml`"
        raise SpecError([Diagnostic("E001", message, help=help)])
    if output is not None and (problem := network_name_problem(output.stem)) is not None:
        help = "the file gives the new spec its name: choose another file"
        raise SpecError([Diagnostic("E105", printable(problem), help=help)])
    text = read(file).text
    old = check_text(file, text)
    if output is not None:
        source = read(file)
        text = apply_edits(text, rename(parse_tree(source), output.stem))
    if at and not any(node.path.is_within(NodePath(at)) for node in old.model.graph.nodes):
        message = f"no step of the network has the path `{printable(at)}`"
        raise SpecError([Diagnostic("E212", message)])
    log: list[LogEntry] = []
    # The old text, the new one and the comparison of both are read, too.
    most = min(MAX_REWRITES, max(1, MAX_READ // max(1, len(old.model.graph.nodes)) - 3))
    current = old if output is None else check_text(file, text)
    for code, find in PASSES.items():
        if not select or code in select:
            text, current = _run(file, text, current, find, at, log, most)
    comparison = compare_pair(old, current)
    path, bound = (output, None) if output else (file.path, file.root)
    from inception_dsl.diff import Report

    return Rewritten(
        Artifact(path, text.encode(), bound), tuple(log), Report((comparison,)), _count(log) >= most
    )


def _count(log: Iterable[LogEntry]) -> int:
    return sum(entry.is_read for entry in log)


def _run(
    file: SpecFile,
    text: str,
    current: Checked,
    find: Find,
    at: str,
    log: list[LogEntry],
    most: int,
) -> tuple[str, Checked]:
    """Return the text after every rewrite of a pass, and its model."""
    seen: set[NodePath] = set()
    is_changed = True
    while is_changed:
        is_changed = False
        for proposal in find(current.model, list_inference(current.model, current.cost)):
            if _count(log) >= most:
                return text, current
            if proposal.path in seen or not _is_at(proposal, at):
                continue
            seen.add(proposal.path)
            entry = LogEntry(proposal.code, proposal.path, len(proposal.step.nodes), proposal.what)
            try:
                changed = _write(file, text, proposal)
            except RewriteError as refusal:
                log.append(replace(entry, refusal=refusal.reason, is_read=False))
                continue
            try:
                text, current = changed, _prove(file, changed, current, proposal)
            except RewriteError as refusal:
                log.append(replace(entry, refusal=refusal.reason))
                continue
            log.append(entry)
            is_changed = True
            break
    return text, current


def _is_at(proposal: Proposal, at: str) -> bool:
    return not at or any(node.path.is_within(NodePath(at)) for node in proposal.step.nodes)


def _write(file: SpecFile, text: str, proposal: Proposal) -> str:
    """Return the text with one rewrite.

    Raises:
        RewriteError: the rewrite is refused.
    """
    if proposal.refusal:
        raise RewriteError(proposal.refusal)
    name, span = read(file).name, proposal.step.span
    if span is None or span.source.name != name:
        where = span.source.name if span else "no text"
        raise RewriteError(f"the line stands in {where}, which other specs may use")
    source = Source(name, text)
    edits = proposal.write(parse_tree(source), Span(source, span.start, span.end))
    return apply_edits(text, edits)


def _prove(file: SpecFile, changed: str, current: Checked, proposal: Proposal) -> Checked:
    """Return the model of a text with one rewrite, which differs as it should from the old one.

    Raises:
        RewriteError: the rewrite is refused.
    """
    try:
        new = check_text(file, changed)
    except SpecError as error:
        first = error.diagnostics[0]
        raise RewriteError(f"{first.code}, {first.message}") from None
    prove_alike(current.model, new.model, {node.path for node in proposal.step.nodes})
    before, after = current.cost.totals, new.cost.totals
    saved = before.macs - after.macs, before.params - after.params
    if saved != (proposal.savings.macs, proposal.savings.params):
        raise RewriteError("parameters and MACs would not change by what the hint counts")
    return new


def check_text(file: SpecFile, text: str) -> Checked:
    """Return the model of a spec whose file has another text, judged by every rule.

    Raises:
        SpecError: the errors of the text, without fixes.
    """
    loaded = load(file, trial=Trial({read(file).name: text}, MAX_BYTES))
    template = read_network(loaded, AS_WRITTEN, max_nodes=MAX_NODES)
    odd = find_odd_statements(loaded)
    return judge_model(file, template, template.instantiate(), odd, AS_WRITTEN)


def prove_alike(old: Model, new: Model, rewritten: Collection[NodePath]) -> None:
    """Make sure that two models differ in some steps alone, which see the same and give the same.

    Every other node must be there in both, with the same op, attributes and types. It must read the
    same nodes, or the parts of a rewritten one, and see the same pixels of the input.

    Raises:
        RewriteError: something else changes.
    """
    if (old.inputs, old.outputs) != (new.inputs, new.outputs):
        raise RewriteError("the inputs or the outputs of the network would change")
    new_nodes = {node.path: node for node in new.graph.nodes}
    old_fields, new_fields = measure_fields(old), measure_fields(new)
    kept = {node.path for node in old.graph.nodes} - set(rewritten)
    for node in old.graph.nodes:
        if node.path in rewritten:
            continue
        other = new_nodes.get(node.path)
        if other is None:
            raise RewriteError(f"`{node.path}` would get another name")
        facts = (node.op, node.attributes, node.input_types, node.type)
        if facts != (other.op, other.attributes, other.input_types, other.type):
            raise RewriteError(f"`{node.path}` would change")
        if any(
            before != after and (before not in rewritten or after in kept)
            for before, after in zip(node.inputs, other.inputs, strict=True)
        ):
            raise RewriteError(f"`{node.path}` would read another step")
        if old_fields[node.path] != new_fields[node.path]:
            raise RewriteError(f"`{node.path}` would see another part of the image")
    pairs = zip(old.graph.outputs.values(), new.graph.outputs.values(), strict=True)
    if any(old_fields[before] != new_fields[after] for before, after in pairs):
        raise RewriteError("the outputs would see another part of the image")
