"""The shapes that the stages of two models give, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inception_dsl.analysis import build_stage_lookup
from inception_dsl.diff.edits import Stage
from inception_dsl.diff.view import View
from inception_dsl.ir import Path, TensorType


class _Given(NamedTuple):
    """The type that a stage reads, the type it gives, and the node that makes it."""

    enters: TensorType
    type: TensorType
    maker: Path


def compare_stages(old: View, new: View, pairs: Mapping[Path, Path]) -> tuple[Stage, ...]:
    """Return the stages that give another shape, or that change it and come or go; new ones first.

    A stage that has another name, or another holder, is still the same.
    """
    before, after = _stages(old), _stages(new)
    back = {b: a for a, b in pairs.items()}
    stage_of = build_stage_lookup(new.model)
    kept = {name for name in before if stage_of(pairs.get(before[name].maker, name)) == name}
    old_ends = {stage.maker for stage in before.values()}
    differing: list[Stage] = []
    for name, stage in after.items():
        old_maker = old.nodes.get(back.get(stage.maker, ""))
        # A step that has moved to the end of a stage has made no stage's value before.
        is_new_end = old_maker is None or old_maker.path not in old_ends
        if is_new_end and name in kept:
            differing.append(Stage(name, before[name].type, stage.type))
        elif old_maker is not None or stage.type != stage.enters:
            differing.append(Stage(name, old_maker.type if old_maker else None, stage.type))
    ends = {stage.maker for stage in after.values()}
    for name, stage in before.items():
        new_maker = new.nodes.get(pairs.get(stage.maker, ""))
        if (name in kept and name in after) or (new_maker and new_maker.path in ends):
            continue
        if new_maker is not None or stage.type != stage.enters:
            differing.append(Stage(name, stage.type, new_maker.type if new_maker else None))
    return tuple(stage for stage in differing if stage.old != stage.new)


def _stages(view: View) -> dict[str, _Given]:
    heads = {head.path for head in view.model.heads}
    stage_of = build_stage_lookup(view.model)
    stages: dict[str, _Given] = {}
    for item in view.model.root.body:
        name = stage_of(item.path)
        if name not in heads and len(item.types) == 1:  # several values have no one shape
            enters = item.input_types[0]
            first = stages[name].enters if name in stages else enters
            stages[name] = _Given(first, item.type, view.find_maker(item.path))
    return stages
