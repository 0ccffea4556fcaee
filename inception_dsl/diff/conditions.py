"""Conditions that are written in another way, and that decide alike in every call.

A condition that decides otherwise in a call adds or removes steps there, which are edits already.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diff.finding import ConditionsChanged
from inception_dsl.expr import Expr, Name
from inception_dsl.ir import BlockDef, Model, Path, walk_calls
from inception_dsl.simplify import substitute


def compare_conditions(old: Model, new: Model) -> Iterator[ConditionsChanged]:
    """Yield the conditions of steps in blocks of one name that changed, and that no call shows.

    Other names of a block's parameters are no change, as everywhere.
    """
    absent_before, absent_after = _find_absent(old), _find_absent(new)
    old_blocks = {block.name: block for block in old.blocks}
    for block in new.blocks:
        old_block = old_blocks.get(block.name)
        if old_block is None:
            continue
        calls = absent_before[block.name].keys() & absent_after[block.name].keys()
        before = _read_conditions(old_block, match_names(old_block, block))
        changes: dict[tuple[Expr | None, Expr | None], list[Path]] = {}
        for path, condition in _read_conditions(block, {}).items():
            decisions = (
                (path in absent_before[block.name][call], path in absent_after[block.name][call])
                for call in calls
            )
            if path in before and before[path] != condition and all(a == b for a, b in decisions):
                changes.setdefault((before[path], condition), []).append(path)
        for (was, became), paths in changes.items():
            steps = [step for side in (old_block, block) for step in side.body]
            spans = [step.origin.span for step in steps if step.path == paths[0]]
            yield ConditionsChanged(block.name, tuple(paths), was, became, spans[0], spans[1])


def _find_absent(model: Model) -> dict[str, dict[Path, frozenset[Path]]]:
    """Return the steps that conditions leave out, by block and by the path of the call."""
    absent: dict[str, dict[Path, frozenset[Path]]] = {block.name: {} for block in model.blocks}
    for call in walk_calls(model.root):
        absent[call.block][call.path] = frozenset(call.absent)
    return absent


def _read_conditions(block: BlockDef, names: dict[str, Expr | str]) -> dict[Path, Expr | None]:
    return {
        step.path: None if step.when is None else substitute(step.when, names)
        for step in block.body
    }


def match_names(old: BlockDef, new: BlockDef) -> dict[str, Expr | str]:
    """Return the new names of parameters that are renamed, by their old names and in order."""
    before, after = ([param.name for param in block.params] for block in (old, new))
    gone = [name for name in before if name not in after]
    came = [name for name in after if name not in before]
    if len(gone) != len(came):
        return {}
    return {name: Name(other) for name, other in zip(gone, came, strict=True)}
