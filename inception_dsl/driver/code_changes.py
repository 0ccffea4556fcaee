"""Two networks of code beside each other: how they compute, and the keys of their tensors.

An import cuts code into blocks by what is alike in it, so that one edited block may give others
their names. Steps are paired by these names and by the graphs alone; the explanation with fewer
edits is told. Keys are those of the code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from inception_dsl.analysis import list_state
from inception_dsl.diff import (
    ArgumentsChanged,
    Changed,
    Comparison,
    Diff,
    Edit,
    HeadListed,
    PortsChanged,
    TextsChanged,
    compare_costs,
)
from inception_dsl.diff import compare as compare_models
from inception_dsl.diff.alike import merge_alike
from inception_dsl.diff.code_keys import tell_code_keys
from inception_dsl.diff.code_lines import list_lines, locate_findings
from inception_dsl.diff.finding import ConditionsChanged, ExpressionsChanged, RecipeListed
from inception_dsl.diff.unnamed import UnnamedDiff, compare_unnamed
from inception_dsl.expr import Apply, Binary, Name
from inception_dsl.ir import Path
from inception_dsl.rules.changes import judge_changes

if TYPE_CHECKING:
    from inception_dsl.driver.walk import Checked
    from inception_dsl.ir import Model
    from inception_dsl.spec.files import CodeStep, CodeTensor

    Tensors = tuple[Mapping[str, CodeTensor], Mapping[str, CodeTensor]]

_UNTOLD = (TextsChanged, RecipeListed, ConditionsChanged, ExpressionsChanged)
"""The topics that no author of code wrote: titles and sources, recipes, conditions of blocks."""


def compare_code(old: Checked, new: Checked) -> Comparison:
    """Compare two networks of code, with their costs."""
    models = old.model, new.model
    tensors: Tensors = old.file.tensors, new.file.tensors
    steps = {Path(path): step for path, step in new.file.steps.items()}
    diff = tell_code_keys(compare_models(*models), models, tensors)
    named = _make(old, new, models, diff, tensors, steps)
    if not _count_steps(named):
        return named
    unnamed = compare_unnamed(*models)
    diff, tensors = _name_by_graph(diff, unnamed, tensors)
    models = unnamed.old, unnamed.new
    paired = _make(old, new, models, diff, tensors, find_steps(unnamed, steps))
    ops = {node.path: node.op for node in unnamed.old.graph.nodes}
    counts = Counter(ops[path] for path, _ in diff.pairs)
    paired = replace(paired, findings=merge_alike(paired.findings, counts))
    saved = _count_steps(named) - _count_steps(paired)
    is_better = saved > 0 or (saved == 0 and _has_arguments(named.diff))
    return paired if is_better else named


def _make(
    old: Checked,
    new: Checked,
    models: tuple[Model, Model],
    diff: Diff,
    tensors: Tensors,
    steps: Mapping[Path, CodeStep],
) -> Comparison:
    """Return the comparison that some edits are, with findings at the lines of the code."""
    costs = compare_costs(old.model, old.cost, new.model, new.cost)
    found = judge_changes((models[0], old.cost), (models[1], new.cost), diff, costs)
    old_steps = {Path(path): step for path, step in old.file.steps.items()}
    lines = list_lines(models[0].graph, old_steps), list_lines(models[1].graph, steps)
    told = (finding for finding in found if not isinstance(finding.about, _UNTOLD))
    findings = tuple(locate_findings(told, *lines))
    names = old.file.reference, new.file.reference
    return Comparison(*names, *models, old.cost, new.cost, diff, costs, findings, *tensors)


def _count_steps(made: Comparison) -> int:
    """Return the number of findings on steps."""
    grave = ("CHECKPOINT", "NUMERICS", "TRAINING")
    return sum(finding.category in grave for finding in made.findings)


def _has_arguments(diff: Diff) -> bool:
    """Tell whether an edit has arguments of blocks, which no author of code wrote."""
    for edit in diff.edits:
        match edit:
            case ArgumentsChanged():
                return True
            case Changed(before=before, after=after):
                values = [value for _, value in (*before.values, *after.values)]
                if any(isinstance(value, Name | Binary | Apply) for value in values):
                    return True
            case _:
                continue
    return False


def _name_by_graph(named: Diff, unnamed: UnnamedDiff, tensors: Tensors) -> tuple[Diff, Tensors]:
    """Return the edits that the graphs alone tell, and the tensors by the names of their steps.

    The graphs say nothing of the names of training heads and outputs, which `named` has.
    """
    held: dict[str, CodeTensor] = {}
    for node in unnamed.new.graph.nodes:
        source = unnamed.sources[node.path]
        for tensor in list_state(node):
            if (known := tensors[1].get(f"{source}.{tensor.name}")) is not None:
                held[f"{node.path}.{tensor.name}"] = known
    taken = {tensor.key for tensor in held.values()}
    held |= {key: tensor for key, tensor in tensors[1].items() if tensor.key not in taken}
    models = unnamed.old, unnamed.new
    made = tell_code_keys(unnamed.diff, models, (tensors[0], held))
    ends: tuple[Edit, ...] = tuple(
        edit for edit in named.edits if isinstance(edit, HeadListed | PortsChanged)
    )
    edits = tuple(edit for edit in made.edits if not isinstance(edit, PortsChanged))
    return replace(made, edits=(*ends, *edits)), (tensors[0], held)


def find_steps(unnamed: UnnamedDiff, steps: Mapping[Path, CodeStep]) -> dict[Path, CodeStep]:
    """Return the modules behind the nodes of a comparison, by the paths that they have there."""
    known: dict[Path, CodeStep] = {}
    for path, source in unnamed.sources.items():
        if (step := steps.get(source)) is None:
            continue
        norm = steps.get(unnamed.norms[path]) if path in unnamed.norms else None
        known[path] = step if norm is None else step._replace(norm_lines=norm.lines)
    return known
