"""Networks that depend on values, chance, memory or the number of images are refused.

A network that depends on shapes, or on whether it trains, is imported at the traced shape.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy
import pytest
import torch
from test_import import bring
from torch import Tensor, nn

from inception_dsl.diagnostics import Diagnostic, SpecError

Forward = Callable[["_Net", Tensor], Tensor]


class _Net(nn.Module):
    """A network of two convolutions that runs a function of a test."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.runs = 0
        self.numbers = count()
        self.sizes: list[int] = []
        self.register_buffer("is_on", torch.tensor(1))
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor:
        return self._forward(self, x)


def refuse(forward: Forward, folder: Path) -> Diagnostic:
    """Return the finding with which the import of a network is refused."""
    with pytest.raises(SpecError) as refused:
        bring(lambda: _Net(forward), (3, 8, 8), folder)
    return refused.value.diagnostics[0]


def decide(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return net.second(y) if y.mean() > 0 else y


def decide_by_item(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return net.second(y) if y.max().item() > 0 else y


def catch_errors(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    try:
        if bool(y[0, 0, 0, 0]):
            y = net.second(y)
    except RuntimeError:
        pass
    return y


def loop(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    for _ in range(int(y.sum())):
        y = net.second(y)
    return y


def choose_module(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return [net.second, nn.ReLU()][y.flatten().argmax()](y)  # type: ignore[no-any-return]


def look_at_list(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return y if max(y.flatten().tolist()) > 1 else net.second(y)


def look_at_array(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return y if y.detach().cpu().numpy().sum() > 1 else net.second(y)


def look_at_places(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return y if len(torch.nonzero(y)) > 1 else net.second(y)


def compare_tensors(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return y if torch.equal(y, x) else net.second(y)


@pytest.mark.parametrize(
    ("forward", "function"),
    [
        (decide, "bool"),
        (decide_by_item, "item"),
        (catch_errors, "bool"),
        (loop, "int"),
        (choose_module, "index"),
        (look_at_list, "tolist"),
        (look_at_array, "cpu"),
        (look_at_places, "nonzero"),
        (compare_tensors, "equal"),
    ],
)
def test_a_decision_by_values_is_refused_at_its_line(
    forward: Forward, function: str, tmp_path: Path
) -> None:
    finding = refuse(forward, tmp_path)
    assert finding.code == "E707"
    assert finding.message.endswith(f"a tensor that it computes: `{function}`")
    (label,) = finding.labels
    assert label.span.source.name.endswith("test_import_steadiness.py")
    assert label.span.source.path is not None


def test_a_decision_by_a_buffer_names_it(tmp_path: Path) -> None:
    finding = refuse(lambda net, x: net.first(x) if net.is_on else x, tmp_path)
    assert (finding.code, finding.message) == (
        "E707",
        "`_Net` asks for the values of `is_on`: `bool`",
    )


@pytest.mark.parametrize(
    "draw", [random.random, numpy.random.rand, lambda: torch.rand(1).item(), lambda: torch.rand(1)]
)
def test_a_random_choice_in_inference_is_refused_at_its_line(
    draw: Callable[[], float], tmp_path: Path
) -> None:
    def choose(net: _Net, x: Tensor) -> Tensor:
        y: Tensor = net.first(x)
        number = draw()
        return net.second(y) if number < 0.5 else y

    finding = refuse(choose, tmp_path)
    assert finding.code == "E708"
    assert "draws at random in inference" in finding.message
    assert finding.labels


def test_generators_of_random_numbers_are_left_as_they_were(tmp_path: Path) -> None:
    random.seed(1)
    numpy.random.seed(1)
    torch.manual_seed(1)
    expected = random.random(), numpy.random.rand(), torch.rand(1).item()
    random.seed(1)
    numpy.random.seed(1)
    torch.manual_seed(1)
    with torch.device("meta"):
        net = _Net(lambda net, x: net.second(net.first(x)))
    bring(lambda: net, (3, 8, 8), tmp_path)
    assert (random.random(), numpy.random.rand(), torch.rand(1).item()) == expected


def count_runs(net: _Net, x: Tensor) -> Tensor:
    net.runs += 1
    y: Tensor = net.first(x)
    return net.second(y) if net.runs % 2 else y


def change_late(net: _Net, x: Tensor) -> Tensor:
    net.runs += 1
    y: Tensor = net.first(x)
    return net.second(y) if net.runs > 1000 else y


def keep_a_list(net: _Net, x: Tensor) -> Tensor:
    net.sizes.append(1)
    y: Tensor = net.first(x)
    return net.second(y) if len(net.sizes) > 1000 else y


def hide_a_counter(net: _Net, x: Tensor) -> Tensor:
    y: Tensor = net.first(x)
    return net.second(y) if next(net.numbers) % 2 else y


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (count_runs, "`runs` of `_Net` changes from run to run: a spec has no memory"),
        (change_late, "`runs` of `_Net` changes from run to run: a spec has no memory"),
        (keep_a_list, "`sizes` of `_Net` changes from run to run: a spec has no memory"),
        (hide_a_counter, "`_Net` runs other steps in another run: a spec has no memory"),
    ],
)
def test_a_network_with_a_memory_is_refused(forward: Forward, message: str, tmp_path: Path) -> None:
    finding = refuse(forward, tmp_path)
    assert (finding.code, finding.message) == ("E708", message)


@pytest.mark.parametrize(
    "forward",
    [
        lambda net, x: net.second(net.first(x)) if len(x) == 1 else net.first(x),
        lambda net, x: net.second(net.first(x)) if len(x) == 2 else net.first(x),
        lambda net, x: net.second(net.first(x)) if len(x) > 2 else net.first(x),
    ],
)
def test_a_decision_by_the_number_of_images_is_refused(forward: Forward, tmp_path: Path) -> None:
    finding = refuse(forward, tmp_path)
    assert finding.code == "E708"
    assert finding.message == "`_Net` runs other steps for another number of images"


def keep_the_shape(net: _Net, x: Tensor) -> Tensor:
    net.runs = x.shape[0]
    net.sizes = list(x.shape)
    y: Tensor = net.second(net.first(x))
    return y


@pytest.mark.parametrize(
    "forward",
    [
        lambda net, x: net.second(net.first(x)) if x.shape[-1] > 4 else net.first(x),
        lambda net, x: net.second(net.first(x)) if not net.training else net.first(x),
        keep_the_shape,
    ],
)
def test_a_decision_by_shapes_or_training_is_that_of_the_trace(
    forward: Forward, tmp_path: Path
) -> None:
    imported = bring(lambda: _Net(forward), (3, 8, 8), tmp_path)
    assert "second: 3x3 conv (8" in imported.text
