"""The tensors of a port, and its proof: both networks run, and give the same values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from inception_dsl.analysis.state import measure_state
from inception_dsl.bridge.building import FAILURES, explain_failure, quiet
from inception_dsl.bridge.choosing import is_counter
from inception_dsl.bridge.comparing import (
    MAX_ERROR,
    SEED,
    NoDraws,
    add_softmax,
    draw_values,
    fill,
    leaves_softmax,
    match_results,
    measure_error,
)
from inception_dsl.bridge.module import make_module
from inception_dsl.bridge.ports import call_module, list_results
from inception_dsl.bridge.weights import run_recipe
from inception_dsl.diff.porting import StepCheck
from inception_dsl.ir import Model, Path
from inception_dsl.ir.weights import WeightPlan, list_sources
from inception_dsl.spec.files import CodeTensor

State = Mapping[str, Tensor]
"""The tensors of a network by key."""

MAX_TRAINING_ERROR = 1e-6
"""Maximum difference of outputs of training in double precision, as a share of the largest value.

A norm of a few values may enlarge what is rounded.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortNetwork:
    """A side of a port, as it runs.

    Attributes:
        emit: returns the source of its spec's module.
        module: the module of a target, on the meta device; None for a spec.
        tensors: the tensors of the target by the keys of its spec.
        inputs: the names by which the target takes its inputs; empty for one by position.
        buffers: the values of buffers of the target that its spec says in words, by their names.
    """

    name: str
    model: Model
    emit: Callable[[], str]
    module: nn.Module | None = None
    tensors: Mapping[str, CodeTensor]
    inputs: tuple[str, ...] = ()
    buffers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all its tensors, by the keys of its state_dict."""
        if self.module is not None:
            return {key: tuple(value.shape) for key, value in self.module.state_dict().items()}
        return {key: tensor.shape for key, tensor in measure_state(self.model.graph).items()}

    def list_tied(self) -> dict[str, tuple[str, ...]]:
        """Return the keys of each tensor that its state_dict has under several, by each of them."""
        if self.module is None:
            return {}
        keys: dict[int, list[str]] = {}
        for named in (self.module.named_parameters, self.module.named_buffers):
            for key, tensor in named(remove_duplicate=False):
                keys.setdefault(id(tensor), []).append(key)
        return {key: tuple(group) for group in keys.values() if len(group) > 1 for key in group}

    def name_in_state(self, key: str) -> str:
        """Return the key in its state_dict of a tensor of its spec."""
        return self.tensors[key].key if key in self.tensors else key


@dataclass(frozen=True, slots=True)
class Difference:
    """The first steps whose values part, with the share of the largest value by which they do."""

    old: Path
    new: Path
    error: float


@dataclass(frozen=True, slots=True)
class Proof:
    """The comparison of both networks on the same random input.

    Attributes:
        error: the largest difference of outputs, or of steps, as a share of the largest value; not
            finite if some value is not.
        is_equal: it is one of rounding alone.
        steps: the number of steps whose values are equal, where the networks depart.
        parted: the first steps that differ and should not.
    """

    error: float
    is_equal: bool
    steps: int = 0
    parted: Difference | None = None


def make_tensors(plan: WeightPlan, old: State, new: PortNetwork) -> State:
    """Return the tensors that a plan makes, each in the precision of those that it is made of.

    A count of batches that the old state_dict lacks is 0, as torch takes it.
    """
    shapes = new.shapes
    usual = _find_usual(old)
    made: dict[str, Tensor] = {}
    for key, recipe in plan.recipes:
        sources = list_sources(recipe)
        if not all(source in old for source in sources):
            made[key] = torch.zeros(shapes[key], dtype=torch.int64)
            continue
        dtype = old[sources[0]].dtype if sources else usual
        like = torch.empty(shapes[key], dtype=dtype)
        made[key] = run_recipe(key, recipe, old, like).contiguous()
    for key, group in new.list_tied().items():
        source = next((each for each in group if each in made), None)
        if source is not None:
            made.setdefault(key, made[source].clone())
    return {key: made[key] for key in shapes if key in made}


def _find_usual(state: State) -> torch.dtype:
    """Return the precision that most tensors have."""
    floats = [tensor.dtype for tensor in state.values() if tensor.is_floating_point()]
    return max(dict.fromkeys(floats), key=floats.count, default=torch.float32)


def narrow(made: State, plan: WeightPlan, old: State) -> State:
    """Return tensors that were made in double precision, in the precision of the old ones."""
    usual = _find_usual(old)
    firsts = ((key, list_sources(recipe)[:1]) for key, recipe in plan.recipes)
    dtypes = {key: old[first].dtype for key, names in firsts for first in names if first in old}
    return {
        key: tensor.to(dtypes.get(key, usual)) if tensor.is_floating_point() else tensor
        for key, tensor in made.items()
    }


def widen(state: State) -> State:
    """Return tensors in double precision, so that what a plan computes of them is not rounded."""
    return {
        key: tensor.double() if tensor.is_floating_point() else tensor
        for key, tensor in state.items()
    }


def draw_state(network: PortNetwork) -> State:
    """Return random tensors for a network; equal ones each time."""
    generator = torch.Generator().manual_seed(SEED)
    roles = {tensor.key: key for key, tensor in network.tensors.items()}
    drawn: dict[str, Tensor] = {}
    tied = network.list_tied()
    for key, shape in network.shapes.items():
        if same := next((each for each in tied.get(key, ()) if each in drawn), None):
            drawn[key] = drawn[same]
            continue
        dtype = torch.int64 if is_counter(key) else torch.float32
        drawn[key] = torch.empty(shape, dtype=dtype)
        fill(roles.get(key, key), drawn[key], generator)
    return drawn


def compare_outputs(
    old: PortNetwork, new: PortNetwork, old_state: State, new_state: State
) -> Proof:
    """Run both networks on the same random images, in inference and in training with heads.

    They run in single precision first, and in double precision if their bits differ.
    """
    has_heads = bool(old.model.heads) and len(old.model.heads) == len(new.model.heads)
    worst = 0.0
    for trains in (False, True) if has_heads else (False,):
        bound = MAX_TRAINING_ERROR if trains else MAX_ERROR
        for dtype in (torch.float32, torch.float64):
            olds = _run(old, old_state, dtype, trains=trains)
            news = _run(new, new_state, dtype, trains=trains)
            match gives_probabilities(old), gives_probabilities(new):
                case False, True:
                    olds = add_softmax(olds)
                case True, False:
                    news = add_softmax(news)
            error = match_results(olds, news) if trains else _compare(olds, news)
            if error == 0 or (dtype == torch.float64 and not error > bound):
                break
        worst = max(worst, error) if math.isfinite(error) else error
        if not error <= bound:
            return Proof(worst, is_equal=False)
    return Proof(worst, is_equal=True)


def _compare(olds: Sequence[Tensor], news: Sequence[Tensor]) -> float:
    """Return the largest difference of results in order."""
    if [tensor.shape for tensor in olds] != [tensor.shape for tensor in news]:
        return math.inf
    errors = [measure_error(a, b) for a, b in zip(olds, news, strict=True)]
    return max(errors, key=lambda error: math.inf if math.isnan(error) else error)


def gives_probabilities(network: PortNetwork) -> bool:
    """Tell whether a module runs the softmax that it ends in: one of code does."""
    return network.module is not None and leaves_softmax(network.model.graph)


def _run(network: PortNetwork, state: State, dtype: torch.dtype, *, trains: bool) -> list[Tensor]:
    """Return the results of a network with some weights on the images that all of them get."""
    module = load_module(network, state, dtype).train(trains)
    generator = torch.Generator().manual_seed(SEED)
    images = [
        torch.randn(2 if trains else 1, *type.shape, generator=generator).to(dtype)
        for type in network.model.inputs.values()
    ]
    names = network.inputs or ("",) * len(images)
    try:
        with torch.no_grad(), NoDraws(), quiet():
            named = dict(zip(names, images, strict=True))
            output = call_module(module, named) if any(names) else module(*images)
            return [tensor for _, tensor in list_results(output)]
    except FAILURES as error:
        raise explain_failure("E704", f"`{network.name}` does not run", error) from None


def load_module(network: PortNetwork, state: State, dtype: torch.dtype) -> nn.Module:
    """Return a network with some weights; those that are missing have random values."""
    if network.module is None:
        module = make_module(network.emit(), network.model.name, seed=SEED)
    else:
        roles = {tensor.key: key for key, tensor in network.tensors.items()}
        generator = torch.Generator().manual_seed(SEED)
        module = draw_values(network.module, roles, generator, network.buffers)
    module.to(dtype).load_state_dict(state, strict=False)
    return module.requires_grad_(requires_grad=False)


def compare_steps(
    old: PortNetwork,
    new: PortNetwork,
    old_state: State,
    new_state: State,
    checks: Sequence[StepCheck],
) -> Proof:
    """Run the modules of both specs in double precision, and compare them step by step.

    A step that departs is given the value of its partner, so that all steps behind it are compared
    nevertheless.
    """
    values: dict[Path, list[Tensor]] = {check.old: [] for check in checks}

    def keep(path: Path, output: Tensor) -> None:
        values[path].append(output.clone())

    _run_with_hooks(old, old_state, {path: partial(keep, path) for path in values})
    worst, steps = 0.0, 0
    parted: Difference | None = None

    def compare(check: StepCheck, output: Tensor) -> Tensor | None:
        nonlocal worst, steps, parted
        known = values[check.old]
        if not known:
            return None
        value = known.pop(0).reshape(output.shape)
        if check.is_forced:
            return value
        error = measure_error(value, output)
        steps += 1
        worst = error if math.isnan(error) else max(worst, error)
        if parted is None and not error <= MAX_ERROR:
            parted = Difference(check.old, check.new, error)
        return None

    hooks = {check.new: partial(compare, check) for check in checks}
    _run_with_hooks(new, new_state, hooks)
    return Proof(worst, parted is None, steps, parted)


def _run_with_hooks(
    network: PortNetwork, state: State, hooks: Mapping[Path, Callable[[Tensor], Tensor | None]]
) -> None:
    """Run the module of a spec on the images that all get, and show the results of its steps."""
    module = make_module(network.emit(), network.model.name, seed=SEED).double().eval()
    own = {
        key: state[name].reshape(tensor.shape)
        for key, tensor in measure_state(network.model.graph).items()
        if (name := network.name_in_state(key)) in state
    }
    module.load_state_dict(own, strict=False)
    generator = torch.Generator().manual_seed(SEED)
    images = [
        torch.randn(1, *type.shape, generator=generator).double()
        for type in network.model.inputs.values()
    ]
    with _watch(module, hooks), torch.no_grad():
        module(*images)


@contextmanager
def _watch(
    module: nn.Module, hooks: Mapping[Path, Callable[[Tensor], Tensor | None]]
) -> Iterator[None]:
    def call(hook: Callable[[Tensor], Tensor | None], _: nn.Module, __: Any, output: Any) -> Any:
        return hook(output)

    children = dict(module.named_modules())
    handles = [
        children[path].register_forward_hook(partial(call, hook))
        for path, hook in hooks.items()
        if path in children
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
