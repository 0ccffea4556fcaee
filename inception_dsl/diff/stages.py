"""The shapes that the stages of two models give, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.analysis import stage_names
from inception_dsl.diff.edits import Stage
from inception_dsl.diff.view import View
from inception_dsl.ir import Call, Path, TensorType


@dataclass(frozen=True, slots=True)
class _Given:
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
    stage_of = stage_names(new.model)
    kept = {name for name in before if stage_of(pairs.get(before[name].maker, name)) == name}
    found: list[Stage] = []
    for name, own in after.items():
        was = old.nodes.get(back.get(own.maker, ""))
        if was is None and name in kept:
            found.append(Stage(name, before[name].type, own.type))
        elif was is not None or own.type != own.enters:
            found.append(Stage(name, was.type if was else None, own.type))
    ends = {own.maker for own in after.values()}
    for name, own in before.items():
        now = new.nodes.get(pairs.get(own.maker, ""))
        if (name in kept and name in after) or (now and now.path in ends):
            continue
        if now is not None or own.type != own.enters:
            found.append(Stage(name, own.type, now.type if now else None))
    return tuple(stage for stage in found if stage.old != stage.new)


def _stages(view: View) -> dict[str, _Given]:
    heads = {head.path for head in view.model.heads}
    stage_of = stage_names(view.model)
    found: dict[str, _Given] = {}
    for item in view.model.root.body:
        name = stage_of(item.path)
        if name not in heads:
            enters = item.input_type if isinstance(item, Call) else item.input_types[0]
            first = found[name].enters if name in found else enters
            found[name] = _Given(first, item.type, view.find_maker(item.path))
    return found
