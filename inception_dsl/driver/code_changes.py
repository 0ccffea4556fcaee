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
    Added,
    ArgumentsChanged,
    Changed,
    Comparison,
    Diff,
    Edit,
    Finding,
    HeadListed,
    PortsChanged,
    Removed,
    TextsChanged,
    compare_costs,
)
from inception_dsl.diff import compare as compare_models
from inception_dsl.diff.alike import merge_alike
from inception_dsl.diff.code_keys import CodeKeys, tell_code_keys
from inception_dsl.diff.code_lines import list_lines, locate_findings
from inception_dsl.diff.code_state import (
    compare_draws,
    compare_freezing,
    compare_idle,
    compare_numbers,
    compare_runs,
    find_dropped,
)
from inception_dsl.diff.finding import ConditionsChanged, ExpressionsChanged, RecipeListed
from inception_dsl.diff.unnamed import UnnamedDiff, compare_unnamed
from inception_dsl.driver.changes import name_steps
from inception_dsl.expr import Apply, Binary, Name
from inception_dsl.ir import Path
from inception_dsl.ops import OPS
from inception_dsl.rules.changes import judge_changes, judge_code

if TYPE_CHECKING:
    from inception_dsl.driver.walk import Checked
    from inception_dsl.ir import Model
    from inception_dsl.spec.files import CodeNetwork, CodeStep, CodeTensor

    Tensors = tuple[Mapping[str, CodeTensor], Mapping[str, CodeTensor]]

_UNTOLD = (TextsChanged, RecipeListed, ConditionsChanged, ExpressionsChanged)
"""The topics that no author of code wrote: titles and sources, recipes, conditions of blocks."""


def compare_code(old: Checked, new: Checked) -> Comparison:
    """Compare two networks of code, with their costs."""
    models = old.model, new.model
    code = _find_code(old), _find_code(new)
    idle = code[0].idle, code[1].idle
    tensors: Tensors = code[0].tensors, code[1].tensors
    steps = name_steps(code[1])
    told = tell_code_keys(compare_models(*models, are_code=True), models, tensors, idle)
    named = _make(old, new, models, told, tensors, steps)
    if not _count_steps(named):
        return named
    unnamed = compare_unnamed(*models, are_code=True)
    ends = tuple(edit for edit in told.diff.edits if isinstance(edit, HeadListed | PortsChanged))
    tensors = tensors[0], _name_by_graph(unnamed, tensors[1])
    models = unnamed.old, unnamed.new
    told = _add_ends(tell_code_keys(unnamed.diff, models, tensors, idle), ends)
    paired = _make(old, new, models, told, tensors, find_steps(unnamed, steps))
    ops = {node.path: node.op for node in unnamed.old.graph.nodes}
    counts = Counter(ops[path] for path, _ in told.diff.pairs)
    paired = replace(paired, findings=merge_alike(paired.findings, counts))
    saved = _count_steps(named) - _count_steps(paired)
    is_better = saved > 0 or (saved == 0 and _has_arguments(named.diff))
    return paired if is_better else named


def _find_code(checked: Checked) -> CodeNetwork:
    """Return the network that a spec was made of."""
    assert checked.file.code is not None
    return checked.file.code


def _make(
    old: Checked,
    new: Checked,
    models: tuple[Model, Model],
    told: CodeKeys,
    tensors: Tensors,
    steps: Mapping[Path, CodeStep],
) -> Comparison:
    """Return the comparison that some edits are, with findings at the lines of the code."""
    diff, code = told.diff, (_find_code(old), _find_code(new))
    costs = compare_costs(old.model, old.cost, new.model, new.cost)
    found = judge_changes((models[0], old.cost), (models[1], new.cost), diff, costs)
    lines = list_lines(models[0].graph, name_steps(code[0])), list_lines(models[1].graph, steps)
    shown = (finding for finding in found if not _is_of_import(finding))
    located = list(locate_findings(shown, *lines))
    dropped = find_dropped(located, code)
    changes = (
        *compare_idle(told.untold, code),
        *compare_freezing(told.pairs, code),
        *compare_draws(dropped.steps, code),
        *compare_numbers(told.pairs, code),
        *compare_runs(code, has_ports=any(isinstance(e, PortsChanged) for e in diff.edits)),
    )
    kept = [finding for finding in located if finding not in dropped.findings]
    names = old.file.reference, new.file.reference
    findings = (*kept, *judge_code(changes))
    return Comparison(*names, *models, old.cost, new.cost, diff, costs, findings, *tensors)


def _is_of_import(finding: Finding) -> bool:
    """Tell whether a finding is about the spec that an import wrote, and not about the code."""
    match finding.about:
        case Added() | Removed() as edit:
            ops = [None if words.is_call else OPS[words.kind] for words in edit.content.steps]
            is_skip = all(op is not None and op.is_identity for op in ops)
            return edit.category == "COSMETIC" and is_skip
        case _:
            return isinstance(finding.about, _UNTOLD)


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


def _name_by_graph(
    unnamed: UnnamedDiff, tensors: Mapping[str, CodeTensor]
) -> Mapping[str, CodeTensor]:
    """Return the tensors of the new network by the names that its steps have in a comparison."""
    held: dict[str, CodeTensor] = {}
    for node in unnamed.new.graph.nodes:
        source = unnamed.sources[node.path]
        for tensor in list_state(node):
            if (known := tensors.get(f"{source}.{tensor.name}")) is not None:
                held[f"{node.path}.{tensor.name}"] = known
    taken = {tensor.key for tensor in held.values()}
    return held | {key: tensor for key, tensor in tensors.items() if tensor.key not in taken}


def _add_ends(told: CodeKeys, ends: tuple[Edit, ...]) -> CodeKeys:
    """Return edits that the graphs alone tell, with those of training heads and outputs.

    The graphs say nothing of their names.
    """
    edits = tuple(edit for edit in told.diff.edits if not isinstance(edit, PortsChanged))
    return told._replace(diff=replace(told.diff, edits=(*ends, *edits)))


def find_steps(unnamed: UnnamedDiff, steps: Mapping[Path, CodeStep]) -> dict[Path, CodeStep]:
    """Return the modules behind the nodes of a comparison, by the paths that they have there."""
    known: dict[Path, CodeStep] = {}
    for path, source in unnamed.sources.items():
        if (step := steps.get(source)) is None:
            continue
        norm = steps.get(unnamed.norms[path]) if path in unnamed.norms else None
        known[path] = step if norm is None else step._replace(norm_lines=norm.lines)
    return known
