"""Old checkpoints as people have them: what torch loads is carried over, what it wraps is found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from conftest import Project
from test_carry import BASE, planned
from torch import Tensor, nn
from torch_category import NEW, OLD, built, randomise

from inception_dsl.bridge import CheckpointError, carry_weights
from inception_dsl.ir.weights import PermuteIn, WeightPlan

State = dict[str, Tensor]

# What `load_state_dict` takes besides the very tensors that a module has.
TAKEN: dict[str, Callable[[State], State]] = {
    "no counts of batches": lambda s: {k: t for k, t in s.items() if "num_batches" not in k},
    "half precision": lambda s: {k: t.half() if t.is_floating_point() else t for k, t in s.items()},
    "double precision": lambda s: {
        k: t.double() if t.is_floating_point() else t for k, t in s.items()
    },
    "numbers as vectors": lambda s: {k: t[None] if t.dim() == 0 else t for k, t in s.items()},
    "parameters": lambda s: {
        k: nn.Parameter(t) if t.is_floating_point() else t for k, t in s.items()
    },
    "channels last": lambda s: {
        k: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t
        for k, t in s.items()
    },
    "an ordered dict": OrderedDict,
    "counts as decimals": lambda s: {
        k: t if t.is_floating_point() else t.float() for k, t in s.items()
    },
}


@pytest.fixture
def sides(project: Project) -> tuple[WeightPlan, nn.Module, nn.Module]:
    """A plan whose tensors are all copied or folded, and both modules."""
    new = BASE.replace("- wide:", "- broad:").replace("(8 bias)", "(8)")
    plan = planned(project, BASE, new)
    assert plan.fresh == ()
    old, new_module = built(project, OLD)[0], built(project, NEW)[0]
    randomise(old)
    return plan, old, new_module


Sides = tuple[WeightPlan, nn.Module, nn.Module]


@pytest.mark.parametrize("change", TAKEN)
def test_what_torch_loads_is_carried_over(change: str, sides: Sides, project: Project) -> None:
    plan, old, new = sides
    state = TAKEN[change](dict(old.state_dict()))
    loaded = built(project, OLD)[0]
    loaded.load_state_dict(state)
    new.load_state_dict(carry_weights(plan, state, new.state_dict()))
    images = torch.randn(2, 3, 17, 17)
    with torch.no_grad():
        torch.testing.assert_close(new.eval()(images), loaded.eval()(images), rtol=1e-4, atol=1e-4)


# A checkpoint of a state_dict, and what is told of it.
WRAPPED: dict[str, tuple[Callable[[State], Any], str]] = {
    "data parallel": (lambda s: {f"module.{k}": t for k, t in s.items()}, "module."),
    "compiled": (lambda s: {f"_orig_mod.{k}": t for k, t in s.items()}, ""),
    "compiled in parts": (
        lambda s: {k.replace("wide.", "wide._orig_mod."): t for k, t in s.items()},
        "",
    ),
    "both": (lambda s: {f"module._orig_mod.{k}": t for k, t in s.items()}, "module."),
    "a field of a larger model": (
        lambda s: {**{f"net.{k}": t for k, t in s.items()}, "head.weight": torch.ones(3)},
        "net.",
    ),
    "a training script": (lambda s: {"epoch": 3, "state_dict": s}, '["state_dict"]'),
    "another": (lambda s: {"model": s, "optimizer": {"state": {0: {}}}}, '["model"]'),
    "wrapped twice": (lambda s: {"model": {"state_dict": s}}, '["model"]["state_dict"]'),
    "wrapped, with a prefix": (
        lambda s: {"state_dict": {f"model.{k}": t for k, t in s.items()}},
        '["state_dict"], without `model.`',
    ),
    "the same twice": (lambda s: {"state_dict": s, "model": dict(s)}, '["state_dict"]'),
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_state_dict_is_found_in_a_wrapper_and_told(wrapper: str, sides: Sides) -> None:
    plan, old, new = sides
    wrap, told = WRAPPED[wrapper]
    plain = carry_weights(plan, old.state_dict(), new.state_dict())
    checkpoint = wrap(dict(old.state_dict()))
    if told:
        with pytest.warns(UserWarning) as caught:
            carried = carry_weights(plan, checkpoint, new.state_dict())
        assert len(caught) == 1
        assert told in str(caught[0].message)
        assert caught[0].filename == __file__
    else:
        carried = carry_weights(plan, checkpoint, new.state_dict())
    assert carried.keys() == plain.keys()
    assert all(torch.equal(carried[key], plain[key]) for key in plain)


def other_weights(state: State) -> State:
    return {key: tensor + 1 for key, tensor in state.items()}


REFUSED: dict[str, tuple[Callable[[nn.Module], Any], tuple[str, ...]]] = {
    "two state_dicts": (
        lambda m: {"state_dict": m.state_dict(), "state_dict_ema": other_weights(m.state_dict())},
        ("2 state_dicts", '["state_dict"]', '["state_dict_ema"]'),
    ),
    "a module": (lambda m: m, ("`Net`", "`state_dict()`")),
    "a list": (lambda m: list(m.state_dict()), ("`list`", "mapping")),
    "nothing": (lambda m: {}, ("lacks `stem.conv.weight`", "it is empty")),
    "another network": (
        lambda m: nn.Linear(3, 3).state_dict(),
        ("its keys are `weight`, `bias`", "the plan's old network"),
    ),
    "a tensor is missing": (
        lambda m: {k: t for k, t in m.state_dict().items() if k != "wide.conv.weight"},
        ("lacks `wide.conv.weight`:", "it has 57 of the 58 tensors"),
    ),
    "arrays": (
        lambda m: {k: t.numpy() for k, t in m.state_dict().items()},
        ("`stem.conv.weight`", "`ndarray`, not a tensor"),
    ),
    "another shape": (
        lambda m: {**m.state_dict(), "fc.weight": torch.ones(4, 28)},
        ("`fc.weight` has the shape (5, 28)", "gives (4, 28)"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_checkpoint_that_does_not_fit_is_told_with_a_way_out(case: str, sides: Sides) -> None:
    plan, old, new = sides
    make, told = REFUSED[case]
    with pytest.raises(CheckpointError) as caught:
        carry_weights(plan, make(old), new.state_dict())
    assert all(part in str(caught.value) for part in told), caught.value


def test_a_plan_for_another_network_is_refused(sides: Sides) -> None:
    plan, old, _ = sides
    with pytest.raises(CheckpointError, match=r"has no tensor `broad\.conv\.weight`"):
        carry_weights(plan, old.state_dict(), old.state_dict())


def test_channels_are_not_cut_off_when_they_are_put_in_order() -> None:
    plan = WeightPlan((("a.weight", PermuteIn("a.weight", ((1, 1), (0, 1)))),), (), ())
    old, new = {"a.weight": torch.ones(2, 3, 1, 1)}, {"a.weight": torch.ones(2, 2, 1, 1)}
    with pytest.raises(CheckpointError, match=r"shape \(2, 3, 1, 1\) has not 2 channels"):
        carry_weights(plan, old, new)
