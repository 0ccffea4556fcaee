"""What comes out of the stages of two models, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import Call, Model, TensorType


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the network, copies taken together, and what it gives; None where it is not."""

    name: str
    old: TensorType | None
    new: TensorType | None


def compare_stages(old: Model, new: Model) -> tuple[Stage, ...]:
    """The stages that give another shape, or come or go and change it; the new model's first."""
    before, after = _outputs(old), _outputs(new)
    stages = [Stage(name, before.get(name), type) for name, type in after.items()]
    gone = [Stage(name, type, None) for name, type in before.items() if name not in after]
    idle = _idle(old) | _idle(new)
    return tuple(
        stage
        for stage in [*stages, *gone]
        if stage.old != stage.new and not (stage.name in idle and None in (stage.old, stage.new))
    )


def _outputs(model: Model) -> dict[str, TensorType]:
    return {stage: types[-1] for stage, types in _types(model).items()}


def _idle(model: Model) -> set[str]:
    """The stages that keep the shape of what they read."""
    return {stage for stage, types in _types(model).items() if len(set(types)) == 1}


def _types(model: Model) -> dict[str, list[TensorType]]:
    """What enters each stage, then what its steps give."""
    heads = {head.path for head in model.heads}
    found: dict[str, list[TensorType]] = {}
    for item in model.root.body:
        stage = item.path.partition(".")[0]
        if stage not in heads:
            enters = item.input_type if isinstance(item, Call) else item.input_types[0]
            found.setdefault(stage, [enters]).append(item.type)
    return found
