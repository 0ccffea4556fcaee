"""The category of a change by torch: equal keys and shapes, equal inference, equal training?

Two emitted modules are given the same weights; what they then do decides the category, and nothing
of the package's own reasoning.
"""

from __future__ import annotations

import torch
from conftest import Project
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import StepCategory, StepEdit
from inception_dsl.diff.edit_facts import StepFacts
from inception_dsl.ir import Model, TensorType

OLD, NEW = "specs/old.yaml", "specs/net.yaml"


def edits_between(project: Project, old: str, new: str) -> tuple[StepEdit, ...]:
    """The edits that are found between two specs, those to callers left out."""
    project.write(OLD, old)
    project.write(NEW, new)
    (comparison,) = driver.compare(OLD, NEW, folder=project.root).comparisons
    return tuple(edit for edit in comparison.diff.edits if isinstance(edit, StepFacts))


GRAVITY: list[StepCategory] = ["CHECKPOINT", "NUMERICS", "TRAINING", "COSMETIC"]
"""The categories that torch can confirm, the gravest first."""

OTHER_SIZES = (*range(1, 8), 16, 17)
"""Numbers of pixels by which other inputs are higher and wider."""


def torchs_category(project: Project, *, weights: int = 1) -> StepCategory:
    """Return the category of the change between two specs of a project, as torch finds it."""
    sides = [built(project, name) for name in (OLD, NEW)]
    (old, before), (new, after) = sides
    shapes = [{k: v.shape for k, v in side.state_dict().items()} for side, _ in sides]
    if shapes[0] != shapes[1]:
        return "CHECKPOINT"
    trained = False
    for seed in range(1, weights + 1):
        randomise(old, seed)
        new.load_state_dict(old.state_dict())
        images = [torch.randn(3, *type.shape) for type in before.inputs.values()]
        with torch.no_grad():
            if not _same(old.eval()(*images), new.eval()(*images)):
                return "NUMERICS"
        steps = zip(_trained(old, before, images), _trained(new, after, images), strict=True)
        trained |= not all(is_close(*pair) for pair in steps)
    return "TRAINING" if trained else "COSMETIC"


def judge(project: Project, old: str, new: str) -> str:
    """Return the verdict on an edit: `diff` and torch agree, or one of them finds it graver.

    A verdict of a disagreement begins with `graver:` or `milder:`, as `diff` finds the edit.
    """
    if old == new:
        return "nothing edited"
    try:
        edits = edits_between(project, old, new)
        confirmed = torchs_category(project, weights=3)
    except SpecError as error:
        return f"refused: {error.diagnostics[0].code}"
    grades: list[StepCategory] = [edit.category for edit in edits]
    told: StepCategory = min(grades, key=GRAVITY.index, default="COSMETIC")
    if told == "NUMERICS" and all(e.elsewhere for e in edits if e.category == told):
        if confirmed == "NUMERICS":
            return "milder: told of other sizes only, torch sees it at this one"
        confirmed = "NUMERICS" if not is_same_at_other_sizes(project) else confirmed
    if told == confirmed:
        return "as told"
    verdict = "graver" if GRAVITY.index(told) < GRAVITY.index(confirmed) else "milder"
    return f"{verdict}: {told}, torch says {confirmed}"


def is_same_at_other_sizes(project: Project) -> bool:
    """Both modules give the same for images of every other size that they both take."""
    (old, before), (new, _) = (built(project, name) for name in (OLD, NEW))
    return all(
        _same_at(old, new, [_larger(type, more, also) for type in before.inputs.values()])
        for more in OTHER_SIZES
        for also in {more, 0}
    )


def _larger(type: TensorType, more: int, also: int) -> tuple[int, ...]:
    """Return the shape of a map that is higher and wider by some pixels."""
    height, width = type.size
    return type.channels, height + more, width + also


def same_at(project: Project, size: int) -> bool:
    """Both modules give the same for images of another size."""
    (old, before), (new, _) = (built(project, name) for name in (OLD, NEW))
    return _same_at(old, new, [(before.input.channels, size, size)])


def _same_at(old: nn.Module, new: nn.Module, shapes: list[tuple[int, ...]]) -> bool:
    """Both modules give the same for images of some shapes, or neither takes them."""
    randomise(old)
    new.load_state_dict(old.state_dict())
    images = [torch.randn(2, *shape) for shape in shapes]
    outputs: list[Tensor | None] = []
    for module in (old, new):
        try:
            with torch.no_grad():
                outputs.append(module.eval()(*images))
        except RuntimeError:
            outputs.append(None)
    first, second = outputs
    if first is None or second is None:
        return first is second
    return _same(first, second)


def built(project: Project, name: str) -> tuple[nn.Module, Model]:
    checked = project.check(name)
    return make_module(driver.emit_module(checked), checked.model.name), checked.model


def randomise(module: nn.Module, seed: int = 1) -> None:
    """Weights and statistics that nothing is likely to be indifferent to.

    With any seed but the first, a sum of many products is no larger than one of few: in a deep
    network, large values leave a relu6 at 6 and a sigmoid at 1, whatever comes in.
    """
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point():
                scale = 1.0 if seed == 1 or tensor.ndim < 2 else 3 / tensor[0].numel() ** 0.5
                tensor.normal_(0.1 * scale, 0.5 * scale)


def is_close(one: Tensor, other: Tensor) -> bool:
    """Tell whether tensors differ by rounding at most: torch may add up gradients in another order.

    What is no number equals itself.
    """
    if not one.is_floating_point():
        return torch.equal(one, other)
    tolerance = 1000 * torch.finfo(one.dtype).eps
    return torch.allclose(one, other, tolerance, tolerance, equal_nan=True)


def _trained(module: nn.Module, model: Model, images: list[Tensor]) -> list[Tensor]:
    """Everything that one step of training leaves behind."""
    torch.manual_seed(2)
    module.train()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    outputs = module(*images)
    if isinstance(outputs, Tensor):
        loss = outputs.square().mean()
    else:
        weights = {head.path: float(head.loss_weight) for head in model.heads}
        loss = outputs.logits.square().mean()
        for name, weight in weights.items():
            loss = loss + weight * getattr(outputs, name).square().mean()
    torch.autograd.backward(loss)
    optimiser.step()
    return list(module.state_dict().values())


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, 0, 0, equal_nan=True)
