"""Findings of a comparison: the code and the severity of every edit, and of changed costs.

Findings are data; `emit.diff` makes their sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from inception_dsl.analysis import CostReport, find_quantity
from inception_dsl.diagnostics import severity_of
from inception_dsl.diff import (
    Added,
    ArgumentRenamed,
    ArgumentsChanged,
    BlockRenamed,
    BudgetBroken,
    BudgetChanged,
    Category,
    Changed,
    CodeTopic,
    CostsChanged,
    Diff,
    DrawChanged,
    Edit,
    EndChanged,
    Finding,
    FormChanged,
    FreezingChanged,
    HeadListed,
    IdleTensorsListed,
    LossChanged,
    Measured,
    Moved,
    NumbersChanged,
    OutputRewired,
    ParameterListed,
    PortsChanged,
    RecipeChanged,
    RecipeListed,
    Removed,
    Renamed,
    Reordered,
    Reparented,
    Replaced,
    Rewired,
    SharingChanged,
    SpecListed,
    SpecRenamed,
    StepEdit,
    TextChange,
    TextsChanged,
    Topic,
    TrainingChanged,
)
from inception_dsl.diff.code_state import CodeChange
from inception_dsl.diff.conditions import compare_conditions
from inception_dsl.diff.expressions import compare_expressions
from inception_dsl.ir import Bound, Model, Multiple
from inception_dsl.source import Span

Priced = tuple[Model, CostReport]
"""A model with its cost."""

_Spans = tuple[Span | None, Span | None]
"""The lines in the old and in the new spec."""


def judge_changes(
    old: Priced, new: Priced, diff: Diff, costs: Sequence[Measured]
) -> Iterator[Finding]:
    """Yield a finding for every edit, in the order of the specs, then those of costs."""
    yield from judge_edits(diff.edits)
    yield from _compare_recipes(old[0], new[0])
    yield from _compare_texts(old[0], new[0])
    for change in compare_conditions(old[0], new[0]):
        yield _finding("D751", "COSMETIC", change, (change.old, change.new))
    for expression in compare_expressions(old[0], new[0]):
        yield _finding("D751", "COSMETIC", expression, (expression.old, expression.new))
    changed = tuple(measured for measured in costs if measured.difference)
    if changed:
        yield _finding("D741", "COST", CostsChanged(changed), (None, new[0].network.origin.span))
    yield from _compare_budgets(old, new)


def judge_edits(edits: Iterable[Edit]) -> Iterator[Finding]:
    """Yield a finding for every edit."""
    for edit in edits:
        old_span = edit.old.span if edit.old else None
        new_span = edit.new.span if edit.new else None
        yield _finding(_code(edit), edit.category, edit, (old_span, new_span))


def judge_code(changes: Iterable[CodeChange]) -> Iterator[Finding]:
    """Yield a finding for every change of code that no step of a spec shows."""
    for change in changes:
        code, category = _judge_code(change.about)
        old = next((spot.old for spot in change.spots if spot.old is not None), None)
        new = next((spot.new for spot in change.spots if spot.new is not None), None)
        finding = _finding(code, category, change.about, (old, new))
        yield replace(finding, spots=change.spots)


def _judge_code(about: CodeTopic) -> tuple[str, Category]:
    match about:
        case IdleTensorsListed(keys=keys):
            codes = {"added": "D712", "removed": "D713", "reshaped": "D711"}
            return codes[keys[0].kind], "CHECKPOINT"
        case FreezingChanged() | DrawChanged() | TrainingChanged():
            return "D731", "TRAINING"
        case NumbersChanged():
            return "D711", "CHECKPOINT"
        case FormChanged():
            return "D702", "INTERFACE"
        case ArgumentRenamed():
            return "D701", "INTERFACE"
        case _:
            assert_never(about)


def judge_lone_spec(
    model: Model, cost: CostReport, *, is_new: bool, is_code: bool = False
) -> Finding:
    """Return the finding of a spec, or of a network of code, that stands on one side only."""
    totals = cost.totals
    span = model.network.origin.span
    listed = SpecListed(cost.name, is_new, totals.params, totals.macs, is_code)
    if is_new:
        return _finding("D706", "INTERFACE", listed, (None, span))
    return _finding("D705", "INTERFACE", listed, (span, None))


def judge_renamed_spec(old: Model, new: Model, names: tuple[str, str]) -> Finding:
    """Return the finding of a spec that has another name; `names` are the old and the new one."""
    spans = old.network.origin.span, new.network.origin.span
    return _finding("D707", "INTERFACE", SpecRenamed(*names), spans)


def _finding(code: str, category: Category, about: Topic, spans: _Spans) -> Finding:
    return Finding(code, category, severity_of(code), about, *spans)


def _code(edit: Edit) -> str:
    """Return the code of an edit's finding."""
    match edit:
        case EndChanged():
            return "D701" if edit.end == "input" else "D702"
        case PortsChanged(category="COSMETIC"):
            return "D751"
        case PortsChanged():
            return "D701" if edit.end == "input" else "D702"
        case HeadListed():
            return "D703"
        case ParameterListed():
            return "D704"
        case _:
            return _step_code(edit)


def _step_code(edit: StepEdit) -> str:
    """Return the code of the finding of an edit of steps."""
    match edit.category:
        case "CHECKPOINT":
            return _checkpoint_code(edit)
        case "NUMERICS":
            return "D725" if edit.elsewhere else _numerics_code(edit)
        case "TRAINING":
            return "D731"
        case "COSMETIC":
            return "D751"
        case _:
            assert_never(edit.category)


def _checkpoint_code(edit: StepEdit) -> str:
    match edit:
        case Added():
            return "D712"
        case Removed():
            return "D713"
        case Renamed() | Reparented() | Moved():
            return "D714"
        case Changed() | Replaced() | SharingChanged() | ArgumentsChanged() | BlockRenamed():
            return "D711"
        case Rewired() | Reordered() | OutputRewired() | LossChanged():
            return "D711"
        case _:
            assert_never(edit)


def _numerics_code(edit: StepEdit) -> str:
    match edit:
        case Added() | Removed():
            return "D724"
        case Reordered():
            return "D722"
        case Rewired() | OutputRewired() | Moved() | Reparented():
            return "D723"
        case Changed() | Replaced() | SharingChanged() | ArgumentsChanged() | BlockRenamed():
            return "D721"
        case Renamed() | LossChanged():
            return "D721"
        case _:
            assert_never(edit)


def _compare_texts(old: Model, new: Model) -> Iterator[Finding]:
    """Yield the finding of names, titles and sources, of the network and of its blocks."""
    changes = (
        TextChange("name", old.name, new.name),
        TextChange("title", old.title, new.title),
        TextChange("source", old.source, new.source),
    )
    texts = tuple(change for change in changes if change.before != change.after)
    before = {block.name: (block.title, block.source) for block in old.blocks[:-1]}
    blocks = tuple(
        block.name
        for block in new.blocks[:-1]
        if before.get(block.name, (block.title, block.source)) != (block.title, block.source)
    )
    if texts or blocks:
        spans = old.network.origin.span, new.network.origin.span
        yield _finding("D751", "COSMETIC", TextsChanged(texts, blocks), spans)


def _compare_recipes(old: Model, new: Model) -> Iterator[Finding]:
    """Yield the finding of a recipe on one side alone, or of each setting that changes."""
    before, after = old.recipe, new.recipe
    if before is not None and after is not None:
        for key, setting in after.settings.items():
            old_setting = before.settings[key]
            if (old_setting.value, old_setting.is_unknown) != (setting.value, setting.is_unknown):
                spans = old_setting.origin.span, setting.origin.span or after.origin.span
                changed = RecipeChanged(key, old_setting, setting)
                yield _finding("D732", "TRAINING", changed, spans)
    elif before is not None:
        listed = RecipeListed(before, is_new=False)
        spans = before.origin.span, new.network.origin.span
        yield _finding("D732", "TRAINING", listed, spans)
    elif after is not None:
        listed = RecipeListed(after, is_new=True)
        yield _finding("D732", "TRAINING", listed, (None, after.origin.span))


def _compare_budgets(old: Priced, new: Priced) -> Iterator[Finding]:
    """Yield the findings of budgets that change, then of those that no longer hold."""
    before = {(bound.place, bound.quantity.text): bound for bound in old[0].budget}
    after = {(bound.place, bound.quantity.text): bound for bound in new[0].budget}
    removed = [bound for key, bound in before.items() if key not in after]
    added = [bound for key, bound in after.items() if key not in before]
    for bound in added:
        old_bound = next((each for each in removed if each.place == bound.place), None)
        if old_bound is not None:
            removed.remove(old_bound)
        yield _budget_finding(old_bound, bound)
    for bound in removed:
        yield _budget_finding(bound, None)
    for bound in after.values():
        yield from _check_bound(bound, old, new, is_old=False)
    for key, bound in before.items():
        if key not in after:
            yield from _check_bound(bound, old, new, is_old=True)


def _budget_finding(old: Bound | None, new: Bound | None) -> Finding:
    """Return the finding of a budget that is added or removed, or has another bound."""
    old_span = old.origin.span if old else None
    new_span = new.origin.span if new else None
    return _finding("D743", "COST", BudgetChanged(old, new), (old_span, new_span))


def _check_bound(bound: Bound, old: Priced, new: Priced, *, is_old: bool) -> Iterator[Finding]:
    """Yield the finding of a budget that the old network kept and the new one does not.

    A multiple of another network is judged by `check` alone, which measures that one.
    """
    if isinstance(bound.quantity, Multiple):
        return
    before, after = (
        find_quantity(model, cost, bound.measure, bound.at, with_heads=False)
        for model, cost in (old, new)
    )
    if not isinstance(before, int) or not isinstance(after, int):
        return
    if bound.quantity.holds(before) and not bound.quantity.holds(after):
        span = new[0].network.origin.span
        broken = BudgetBroken(bound, before, after, is_old)
        yield _finding("D742", "COST", broken, (None, span))
