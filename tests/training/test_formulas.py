"""The parts of a training script against the formulas of their sources."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from conftest import Project
from torch import Tensor, nn
from training_runs import (
    NORM_FREE,
    WITH_NORM,
    build_script,
    parse,
    write_images,
    write_recipe,
)


def step_by_hand(
    values: list[Tensor], gradients: list[Tensor], *, rate: float, decay: float
) -> list[Tensor]:
    """Make steps of TensorFlow's `ApplyRMSProp`, with slots that begin as its optimizer's do.

    `ms <- rho ms + (1 - rho) g^2`, `mom <- momentum mom + lr g / sqrt(ms + epsilon)`, and
    `var <- var - mom`.
    """
    var, ms, mom = values[0].double(), torch.ones_like(values[0]).double(), torch.zeros(())
    made = []
    for gradient in gradients:
        g = gradient.double() + decay * var
        ms = 0.9 * ms + 0.1 * g**2
        mom = 0.9 * mom + rate * g / torch.sqrt(ms + 1.0)
        var = var - mom
        made.append(var)
    return made


def test_rmsprop_is_that_of_tensorflow_and_not_that_of_torch(project: Project) -> None:
    script = build_script(project, write_recipe(weight_decay="4e-5 (weights)"))
    layer = nn.Linear(5, 3)
    begin = {name: value.detach().clone() for name, value in layer.named_parameters()}
    optimizer = script.make_optimizer(layer)
    for group in optimizer.param_groups:
        group["lr"] = 0.045
    torchs = nn.Linear(5, 3)
    torchs.load_state_dict(begin)
    other = torch.optim.RMSprop(torchs.parameters(), lr=0.045, alpha=0.9, eps=1.0, momentum=0.9)
    gradients: dict[str, list[Tensor]] = {name: [] for name in begin}
    for number in range(8):
        for (name, parameter), twin in zip(
            layer.named_parameters(), torchs.parameters(), strict=True
        ):
            draw = torch.Generator().manual_seed(number)
            parameter.grad = torch.randn(parameter.shape, generator=draw)
            twin.grad = parameter.grad.clone()
            gradients[name].append(parameter.grad.clone())
        optimizer.step()
        other.step()
        for name, parameter in layer.named_parameters():
            decay = 4e-5 if name == "weight" else 0.0
            made = step_by_hand([begin[name]], gradients[name], rate=0.045, decay=decay)
            torch.testing.assert_close(parameter.double(), made[-1], rtol=1e-5, atol=1e-6)
    moved = (layer.weight - begin["weight"]).norm()
    assert (layer.weight - torchs.weight).norm() > 0.05 * moved


RATES: dict[str, tuple[str, Callable[[int], float]]] = {
    # By 10 steps in an epoch and 30 epochs; the step is counted from 0.
    "constant": ("0.1", lambda step: 0.1),
    "every 2 epochs": ("0.045 x 0.94 every 2 epochs", lambda step: 0.045 * 0.94 ** (step // 20)),
    "every 7 steps": ("0.045 x 0.94 every 7 steps", lambda step: 0.045 * 0.94 ** (step // 7)),
    "continuous": (
        "0.2 x 0.5 every 4 epochs (continuous)",
        lambda step: 0.2 * 0.5 ** (step / 40),
    ),
    "at moments": (
        "0.1 x 0.1 at 10 20 epochs",
        lambda step: 0.1 * (0.1 if step >= 100 else 1) * (0.1 if step >= 200 else 1),
    ),
    "cosine": (
        "0.5 cosine (to 0.001 warmup 5 epochs)",
        lambda step: (
            0.5 * step / 50
            if step < 50
            else 0.001 + 0.499 * (1 + math.cos(math.pi * (step - 50) / 250)) / 2
        ),
    ),
    "polynomial": (
        "0.1 polynomial (power 2)",
        lambda step: 0.1 * (1 - step / 300) ** 2,
    ),
    "warm-up in steps": (
        "0.1 x 0.5 every 2 epochs (warmup 15 steps from 0.01)",
        lambda step: 0.01 + 0.09 * step / 15 if step < 15 else 0.1 * 0.5 ** ((step - 15) // 20),
    ),
    "warm-up in epochs": (
        "0.1 x 0.5 every 9 steps (warmup 2 epochs)",
        lambda step: 0.1 * step / 20 if step < 20 else 0.1 * 0.5 ** ((step - 20) // 9),
    ),
}


@pytest.mark.parametrize("case", RATES)
def test_the_learning_rate_follows_its_formula(case: str, project: Project) -> None:
    text, formula = RATES[case]
    script = build_script(project, write_recipe(learning_rate=text, epochs="30"))
    args = parse(script, Path("data"), Path("run"))
    names = script.learning_rate.__code__.co_varnames[: script.learning_rate.__code__.co_argcount]
    for step in range(300):
        known = {"step": step, "epoch_steps": 10, "args": args}
        rate = script.learning_rate(*(known[name] for name in names))
        assert rate == pytest.approx(formula(step), rel=1e-12), step


def test_the_loss_has_the_decomposition_of_section_7_and_weighs_heads(project: Project) -> None:
    script = build_script(project, write_recipe(label_smoothing="0.1"))
    draw = torch.Generator().manual_seed(0)
    logits, aux = (torch.randn(6, 4, generator=draw, dtype=torch.float64) for _ in range(2))
    labels = torch.tensor([0, 1, 2, 3, 0, 1])

    def smoothed(values: Tensor) -> Tensor:
        """H(q', p) = (1 - eps) H(q, p) + eps H(u, p), with u = 1/K for each of K classes."""
        logs = torch.log_softmax(values, dim=1)
        of_label = -logs[torch.arange(6), labels].mean()
        of_all = -(logs / 4).sum(dim=1).mean()
        return 0.9 * of_label + 0.1 * of_all

    loss = script.measure_loss(SimpleNamespace(logits=logits, aux=aux), labels)
    torch.testing.assert_close(loss, smoothed(logits) + 0.3 * smoothed(aux))


AVERAGES: dict[str, Callable[[int], float]] = {
    "ema 0.9": lambda step: 0.9,
    "ema 0.9 (rising)": lambda step: min(0.9, (1 + step) / (10 + step)),
    "polyak": lambda step: step / (step + 1),
    "polyak (from 4 steps)": lambda step: max(0, step - 4) / (max(0, step - 4) + 1),
}


@pytest.mark.parametrize("network", [NORM_FREE, WITH_NORM], ids=["without norms", "with norms"])
@pytest.mark.parametrize("average", AVERAGES)
def test_the_average_is_that_of_the_formula(
    average: str, network: str, project: Project, tmp_path: Path
) -> None:
    script = build_script(project, write_recipe(average=average), network)
    data = write_images(tmp_path / "data")
    training = script.Training(parse(script, data, tmp_path / "run"))
    batches = training.load(training.images, batch_sampler=training.draw_keys())
    by_hand = {name: value.clone() for name, value in training.network.state_dict().items()}
    for step in range(9):
        training.update(batches)
        decay = AVERAGES[average](step)
        averaged = training.average.module.state_dict()
        for name, value in training.network.state_dict().items():
            if value.is_floating_point():
                by_hand[name] = decay * by_hand[name] + (1 - decay) * value
                torch.testing.assert_close(averaged[name], by_hand[name], rtol=1e-4, atol=1e-6)


def test_the_gradients_are_clipped_together_by_their_norm(project: Project, tmp_path: Path) -> None:
    made = {}
    for clip in ("", "norm 0.01", "value 0.001"):
        script = build_script(project, write_recipe(clip=clip))
        data = tmp_path / "data"
        data = data if data.exists() else write_images(data)
        training = script.Training(parse(script, data, tmp_path / "run"))
        training.optimizer.zero_grad = lambda: None
        training.update(training.load(training.images, batch_sampler=training.draw_keys()))
        gradients = [parameter.grad.flatten() for parameter in training.network.parameters()]
        made[clip] = torch.cat(gradients)
    free = made[""]
    assert free.norm() > 0.05
    torch.testing.assert_close(made["norm 0.01"], free * 0.01 / free.norm(), rtol=1e-3, atol=1e-8)
    torch.testing.assert_close(made["value 0.001"], free.clamp(-0.001, 0.001))


DECAYED = {
    "weights": {"body.conv.weight", "conv.conv.weight", "linear.weight", "aux.linear.weight"},
    "norms": {f"{conv}.bn.{name}" for conv in ("body", "conv") for name in ("weight", "bias")},
    "biases": {"linear.bias", "aux.linear.bias"},
}


@pytest.mark.parametrize(
    "of", ["weights", "biases", "norms", "weights biases", "weights norms", "biases norms", "all"]
)
def test_weight_decay_reaches_the_parameters_that_it_names(of: str, project: Project) -> None:
    import sys

    script = build_script(project, write_recipe(weight_decay=f"1e-4 ({of})"), WITH_NORM)
    network = sys.modules["model"].net()
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    groups = script.make_optimizer(network).param_groups
    decayed = {
        names[id(parameter)]
        for group in groups
        for parameter in group["params"]
        if group["weight_decay"] == 1e-4
    }
    kinds = DECAYED if of == "all" else of.split()
    assert decayed == set().union(*(DECAYED[kind] for kind in kinds))
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_a_mean_of_replicas_is_the_gradient_of_the_whole_batch(
    project: Project, tmp_path: Path
) -> None:
    network = NORM_FREE.replace("dropout (drop 0.2), ", "")
    data = write_images(tmp_path / "data")
    script = build_script(project, write_recipe(optimizer="sgd", batch="8"), network)
    ends = []
    for batch, replicas in ((24, 1), (8, 3), (7, 2)):
        changes = {"batch": batch, "replicas": replicas}
        training = script.Training(parse(script, data, tmp_path / "run", **changes))
        batches = training.load(training.images, batch_sampler=training.draw_keys())
        seen = [training.update(batches).item()]
        ends.append((seen, torch.cat([p.flatten() for p in training.network.parameters()])))
    (whole, weights), (parts, others), (fewer, _) = ends
    assert parts == pytest.approx(whole, rel=1e-5) != fewer
    torch.testing.assert_close(weights, others, rtol=1e-5, atol=1e-7)


def test_smoothing_and_cross_entropy_are_known_to_torch() -> None:
    """Guard the test above: without smoothing, the two entropies are one."""
    logits, label = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    assert F.cross_entropy(logits, label).item() == pytest.approx(math.log(1 + math.exp(-2)))
