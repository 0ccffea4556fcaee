"""Code beside a spec: every departure of a network that exists as code from the spec of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.driver.changes import find_side, judge_report, name_side, name_steps
from inception_dsl.driver.references import NamedInput
from inception_dsl.driver.selection import list_known_specs
from inception_dsl.driver.settings import find_agreement
from inception_dsl.driver.walk import Checked, measure_file
from inception_dsl.ir import TensorType
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.project import project_root
from inception_dsl.spec.target import is_file_target

if TYPE_CHECKING:
    from torch import nn

    from inception_dsl.diff import Comparison, Report
    from inception_dsl.diff.unnamed import UnnamedDiff
    from inception_dsl.rules.agreement import FailOn
    from inception_dsl.spec.files import SpecFile

LOSS_UNKNOWN = "W623"
"""The note of an import on the weights of losses, which are not compared."""

MAX_SHOWN = 3
"""Maximum number of steps that a warning names."""


def verify_code(
    spec: str,
    code: str | nn.Module,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: FailOn | None = None,
) -> Report:
    """Compare a network that exists as code with its spec, whatever its parts are called.

    Args:
        spec: as for `compare`.
        code: a target such as `timm:inception_v4`, or a module of torch.
        overrides: another input, for both; parameters of the spec.
        fail_on: as for `compare`.

    Raises:
        SpecError: the errors of the spec; those of an import of the code; E010 the settings of the
            project cannot be used.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.diff import Report

    agreement = find_agreement(project_root(folder.resolve()), "verify")
    old = measure_file(find_side(spec, folder, overrides.input), overrides)
    new = measure_file(_find_code(code, old, overrides.input, folder), AS_WRITTEN)
    name = old.file.full_name
    known = list_known_specs(folder) if any(waiver.spec for waiver in agreement.waivers) else []
    comparison, warnings = _compare(old, new)
    notes = (note for note in new.file.notes if note.code != LOSS_UNKNOWN)
    report = Report((comparison,), warnings=(*old.warnings, *notes, *warnings))
    judged = judge_report(report, agreement, fail_on, names=[name], asked=[name], known=known)
    return _merge(judged)


def _find_code(code: str | nn.Module, old: Checked, input: NamedInput, folder: Path) -> SpecFile:
    """Return the spec of a network of code, at the input of the spec that it is held against."""
    from inception_dsl.driver.importing import import_module, import_target, make_name

    is_file = isinstance(code, str) and is_file_target(code)
    wanted = None if is_file and input is None else _write_inputs(old.model.inputs)
    if isinstance(code, str):
        return import_target(code, folder=folder, input=wanted, compares=False).file
    name = make_name(type(code).__name__)
    return import_module(code, wanted, name=name, folder=folder).file


def _write_inputs(types: Mapping[str, TensorType]) -> NamedInput:
    """Return the inputs of a spec as a caller writes them."""
    texts = {name: str(type) for name, type in types.items()}
    return texts if len(texts) > 1 else next(iter(texts.values()))


def _compare(old: Checked, new: Checked) -> tuple[Comparison, list[Diagnostic]]:
    from inception_dsl.diff import Comparison, compare_costs
    from inception_dsl.diff.code_lines import list_lines, locate_findings
    from inception_dsl.diff.unnamed import compare_unnamed
    from inception_dsl.driver.code_changes import find_steps
    from inception_dsl.rules.changes import judge_edits

    unnamed = compare_unnamed(old.model, new.model)
    assert new.file.code is not None
    steps = find_steps(unnamed, name_steps(new.file.code))
    lines = list_lines(unnamed.old.graph, None), list_lines(unnamed.new.graph, steps)
    findings = tuple(locate_findings(judge_edits(unnamed.diff.edits), *lines))
    costs = compare_costs(old.model, old.cost, new.model, new.cost)
    comparison = Comparison(
        old_name=name_side(old),
        new_name=new.file.reference,
        old=unnamed.old,
        new=unnamed.new,
        old_cost=old.cost,
        new_cost=new.cost,
        diff=unnamed.diff,
        costs=tuple(cost for cost in costs if cost.measure in ("params", "macs")),
        findings=findings,
        aim="verify",
    )
    return comparison, list(_tell_undecided(unnamed))


def _tell_undecided(unnamed: UnnamedDiff) -> Iterator[Diagnostic]:
    """Yield the warning about steps whose partner is not certain (W626)."""
    paths = unnamed.undecided
    if not paths:
        return
    shown = ", ".join(f"`{path}`" for path in paths[:MAX_SHOWN])
    more = f" and {len(paths) - MAX_SHOWN} more" if len(paths) > MAX_SHOWN else ""
    count = f"{len(paths)} steps" if len(paths) > 1 else "1 step"
    nodes = {node.path: node for node in (*unnamed.new.graph.nodes, *unnamed.old.graph.nodes)}
    span = nodes[paths[0]].origin.span
    yield Diagnostic(
        "W626",
        f"the graphs alone do not tell the partners of {count} for certain",
        (Label(span),) if span is not None else (),
        notes=(f"{shown}{more}", "the departures are told as for the likeliest partners"),
    )


def _merge(report: Report) -> Report:
    """Return a report in which no two findings say the same of several steps."""
    from inception_dsl.diff.alike import merge_alike

    (comparison,) = report.comparisons
    ops = {node.path: node.op for node in comparison.old.graph.nodes}
    counts = Counter(ops[path] for path, _ in comparison.diff.pairs)
    merged = replace(comparison, findings=merge_alike(comparison.findings, counts))
    return replace(report, comparisons=(merged,))
