"""What comes out of the stages of two models, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import Model, TensorType


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the network, copies taken together, and what it gives; None where it is not."""

    name: str
    old: TensorType | None
    new: TensorType | None


def compare_stages(old: Model, new: Model) -> tuple[Stage, ...]:
    """The stages of which one model has none, or another shape, in the order of the new one."""
    before, after = _outputs(old), _outputs(new)
    stages = [Stage(name, before.get(name), type) for name, type in after.items()]
    gone = [Stage(name, type, None) for name, type in before.items() if name not in after]
    return tuple(stage for stage in [*stages, *gone] if stage.old != stage.new)


def _outputs(model: Model) -> dict[str, TensorType]:
    heads = {head.path for head in model.heads}
    return {
        stage: item.type
        for item in model.root.body
        if (stage := item.path.partition(".")[0]) not in heads
    }
