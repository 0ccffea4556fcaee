"""What torch says of a change: the same keys and shapes? the same inference? the same training?

Two emitted modules are given the same weights; what they then do decides the category, and nothing
of the package's own reasoning.
"""

from __future__ import annotations

import torch
from conftest import Project
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diff import Category, Edit
from inception_dsl.ir import Model

OLD, NEW = "specs/old.yaml", "specs/net.yaml"


def edits_between(project: Project, old: str, new: str) -> tuple[Edit, ...]:
    """The edits that are found between two specs, those to callers left out."""
    project.write(OLD, old)
    project.write(NEW, new)
    (comparison,) = driver.compare(OLD, NEW, folder=project.root).comparisons
    return tuple(edit for edit in comparison.diff.edits if edit.category != "INTERFACE")


def torchs_category(project: Project) -> Category:
    """What the change between the two specs of a project is, as far as torch can tell."""
    sides = [built(project, name) for name in (OLD, NEW)]
    (old, before), (new, after) = sides
    shapes = [{k: v.shape for k, v in side.state_dict().items()} for side, _ in sides]
    if shapes[0] != shapes[1]:
        return "CHECKPOINT"
    randomise(old)
    new.load_state_dict(old.state_dict())
    torch.manual_seed(3)
    images = torch.randn(3, *before.input.shape)
    with torch.no_grad():
        if not _same(old.eval()(images), new.eval()(images)):
            return "NUMERICS"
    if _trained(old, before, images) != _trained(new, after, images):
        return "TRAINING"
    return "COSMETIC"


def same_at(project: Project, size: int) -> bool:
    """Both modules give the same for images of another size."""
    (old, before), (new, _) = (built(project, name) for name in (OLD, NEW))
    randomise(old)
    new.load_state_dict(old.state_dict())
    images = torch.randn(2, before.input.channels, size, size)
    with torch.no_grad():
        return _same(old.eval()(images), new.eval()(images))


def built(project: Project, name: str) -> tuple[nn.Module, Model]:
    checked = project.check(name)
    return make_module(driver.emit_module(checked), checked.model.name), checked.model


def randomise(module: nn.Module) -> None:
    """Weights and statistics that nothing is likely to be indifferent to."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point():
                tensor.normal_(0.1, 0.5)


def _trained(module: nn.Module, model: Model, images: Tensor) -> list[str]:
    """Everything that one step of training leaves behind."""
    torch.manual_seed(2)
    module.train()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    outputs = module(images)
    if isinstance(outputs, Tensor):
        loss = outputs.square().mean()
    else:
        weights = {head.path: float(head.loss_weight) for head in model.heads}
        loss = outputs.logits.square().mean()
        for name, weight in weights.items():
            loss = loss + weight * getattr(outputs, name).square().mean()
    torch.autograd.backward(loss)
    optimiser.step()
    # As text, so that what is no number equals itself.
    return [repr(tensor.tolist()) for tensor in module.state_dict().values()]


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, 0, 0, equal_nan=True)
