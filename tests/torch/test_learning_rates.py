"""The learning rates of recipes are those of torch's schedulers, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from conftest import NET, Project
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LRScheduler,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

from inception_dsl.ir.learning_rate import LearningRate

EPOCHS = 40
SPEC = """\
inception: 1
name: net
input: 32x32x3
network: [global avgpool, linear (10)]
training: {{batch: 1, epochs: 40, optimizer: sgd, learning_rate: {}}}
"""

Make = Callable[[torch.optim.Optimizer], LRScheduler]

SCHEDULES: dict[str, Make] = {
    "0.045 x 0.94 every 2 epochs": lambda made: StepLR(made, 2, 0.94),
    "0.045 x 0.94 every 1 epochs (continuous)": lambda made: ExponentialLR(made, 0.94),
    "0.045 x 0.1 at 7 19 31 epochs": lambda made: MultiStepLR(made, [7, 19, 31], 0.1),
    "0.045 cosine": lambda made: CosineAnnealingLR(made, EPOCHS),
    "0.045 cosine (to 0.001)": lambda made: CosineAnnealingLR(made, EPOCHS, 0.001),
    "0.045 polynomial (power 1)": lambda made: PolynomialLR(made, EPOCHS, 1.0),
    "0.045 polynomial (power 2)": lambda made: PolynomialLR(made, EPOCHS, 2.0),
}


def read(text: str, project: Project) -> LearningRate:
    project.write(NET, SPEC.format(text))
    recipe = project.check().model.recipe
    assert recipe is not None
    assert recipe.learning_rate.value is not None
    return recipe.learning_rate.value


@pytest.mark.parametrize("text", SCHEDULES)
def test_a_rate_is_that_of_torchs_scheduler(text: str, project: Project) -> None:
    rate = read(text, project)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.045)
    scheduler = SCHEDULES[text](optimizer)
    for epoch in range(EPOCHS):
        (theirs,) = scheduler.get_last_lr()
        ours = rate.at(epoch, epochs=EPOCHS, steps_per_epoch=13)
        assert ours == pytest.approx(theirs, rel=1e-9), epoch
        optimizer.step()
        scheduler.step()


def test_steps_and_epochs_are_two_units_of_one_time(project: Project) -> None:
    in_epochs = read("0.1 x 0.5 every 3 epochs (warmup 2 epochs)", project)
    in_steps = read("0.1 x 0.5 every 39 steps (warmup 26 steps)", project)
    for step in range(13 * EPOCHS):
        rates = [
            rate.at(step / 13, epochs=EPOCHS, steps_per_epoch=13) for rate in (in_epochs, in_steps)
        ]
        assert rates[0] == pytest.approx(rates[1]), step
