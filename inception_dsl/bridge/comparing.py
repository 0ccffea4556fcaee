"""A traced module beside the module that its spec gives: outputs with the same weights, tensors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from inception_dsl.analysis import list_state
from inception_dsl.bridge.building import quiet
from inception_dsl.bridge.checkpoint import COUNTER
from inception_dsl.bridge.copying import copy_module
from inception_dsl.bridge.module import make_module
from inception_dsl.bridge.ports import call_module, list_results
from inception_dsl.ir import Graph, Origin, Path
from inception_dsl.ops import OPS, StateTensor
from inception_dsl.recover import TracedGraph
from inception_dsl.recover.pairing import TracePairing
from inception_dsl.spec.files import CodeTensor, IdleTensor

SEED = 7
"""The seed of the weights and of the image that the outputs are compared on."""

MAX_ERROR = 1e-9
"""Maximum difference of outputs in double precision, as a share of the largest value."""

MAX_SINGLE_ERROR = 1e-3
"""Maximum difference of outputs of training, as a share of the largest value."""


def compare_outputs(
    module: nn.Module,
    traced: TracedGraph,
    source: str,
    factory: str,
    written: Graph,
    pairing: TracePairing,
    *,
    trains: bool,
) -> str | None:
    """Run both modules on one random image each input in inference, and return how they differ.

    Args:
        module: the traced module, on the meta device; it stays as it is.
        traced: its graph with norms and activations folded.
        trains: compare what training adds, too.
        source: the emitted source of the spec; it is run.

    Returns:
        None if all outputs have the same bits, or differ by rounding alone.
    """
    generator = torch.Generator().manual_seed(SEED)
    roles = {name: role for node in traced.nodes for role, name in node.tensors.items()}
    original = draw_values(module, roles, generator, traced.buffers).eval()
    rebuilt = make_module(source, factory, seed=SEED).eval()
    rebuilt.load_state_dict(_carry(original, traced, written, pairing, rebuilt))
    images = {
        name: torch.randn(1, *type.shape, generator=generator)
        for name, type in traced.inputs.items()
    }
    nodes = {node.path: node for node in written.nodes}
    is_left_out = leaves_softmax(written)
    differs = _compare_inference(original, rebuilt, images, is_left=is_left_out)
    if differs is not None:
        return differs
    if not trains or not _has_training(traced):
        return None
    left = [is_left_out] * len(written.outputs)
    left += [OPS[nodes[path].op].is_left_to_loss for path in written.head_outputs]
    return _compare_training(original.float(), rebuilt.float(), traced, generator, left)


def _have_one_shape(olds: Sequence[Tensor], news: Sequence[Tensor]) -> bool:
    return [old.shape for old in olds] == [new.shape for new in news]


def leaves_softmax(written: Graph) -> bool:
    """Tell whether the module of a spec leaves the softmax that it ends in to the loss.

    Several outputs are given as they are named.
    """
    last = {node.path: node for node in written.nodes}[next(iter(written.outputs.values()))]
    return len(written.outputs) == 1 and OPS[last.op].is_left_to_loss


def add_softmax(results: Sequence[Tensor]) -> list[Tensor]:
    """Return results with the softmax of the first, which its network leaves to the loss."""
    logits, *others = results
    return [torch.softmax(logits, 1), *others]


def _compare_inference(
    original: nn.Module, rebuilt: nn.Module, images: Mapping[str, Tensor], *, is_left: bool
) -> str | None:
    """Run both modules on one image each input, and return how their outputs differ.

    Args:
        is_left: whether the new one leaves a softmax to the loss.
    """

    def run(images: Mapping[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        old = _run_original(original, images)
        new = [tensor for _, tensor in list_results(rebuilt(*images.values()))]
        return old, add_softmax(new) if is_left else new

    with torch.no_grad():
        try:
            olds, news = run(images)
            fits = _have_one_shape(olds, news)
        except (IndexError, RuntimeError):
            fits = False
        if not fits:  # a `squeeze` drops the axis of a single image
            images = {name: torch.cat([image, image]) for name, image in images.items()}
            olds, news = run(images)
        if not _have_one_shape(olds, news):
            return "the outputs have other shapes"
        if all(map(torch.equal, olds, news)) and all(bool(old.isfinite().all()) for old in olds):
            return None
        original.double()
        rebuilt.double()
        olds, news = run({name: image.double() for name, image in images.items()})
    error = max(map(measure_error, olds, news))
    if not math.isfinite(error):
        return "the outputs are no finite numbers"
    return f"the outputs differ by {error:.1e} of the largest" if error > MAX_ERROR else None


def _run_original(module: nn.Module, images: Mapping[str, Tensor]) -> list[Tensor]:
    """Return the results of a traced module; an input without a name is given by position.

    The module gets copies of the images, since it may change them in place.
    """
    copies = {name: image.clone() for name, image in images.items()}
    with quiet():
        return [tensor for _, tensor in list_results(call_module(module, copies))]


def _has_training(graph: TracedGraph) -> bool:
    """Tell whether a network has training heads, or drops paths."""
    return bool(graph.heads) or any("drop_path" in node.attributes for node in graph.nodes)


def _compare_training(
    original: nn.Module,
    rebuilt: nn.Module,
    traced: TracedGraph,
    generator: torch.Generator,
    left: Sequence[bool],
) -> str | None:
    """Run both modules on a batch in training, in which nothing is dropped, and compare results.

    Every result of the new one must be one of the other's; these may be more.

    Args:
        left: for each result of the new one, whether it leaves a softmax to the loss.
    """
    images = {
        name: torch.randn(2, *type.shape, generator=generator)
        for name, type in traced.inputs.items()
    }
    error = _measure_training(original, rebuilt, images, left)
    if error > MAX_SINGLE_ERROR:  # a norm of a few values may enlarge what is rounded
        images = {name: image.double() for name, image in images.items()}
        error = _measure_training(original.double(), rebuilt.double(), images, left)
    if error > MAX_SINGLE_ERROR:
        return f"the outputs of training differ by {error:.1e} of the largest"
    return None


def _measure_training(
    original: nn.Module, rebuilt: nn.Module, images: Mapping[str, Tensor], left: Sequence[bool]
) -> float:
    """Return the largest difference of the results of training, as a share of the largest value."""
    with torch.no_grad(), NoDraws():
        old = _run_original(original.train(), images)
        new = [tensor for _, tensor in list_results(rebuilt.train()(*images.values()))]
    results = zip(new, left, strict=True)
    return match_results(old, [torch.softmax(x, 1) if is_left else x for x, is_left in results])


def match_results(olds: Sequence[Tensor], news: Sequence[Tensor]) -> float:
    """Return the largest difference of results of training, which have an order of their own."""
    left, worst = list(olds), 0.0
    for result in news:
        errors = [
            (error if math.isfinite(error := measure_error(one, result)) else math.inf, index)
            for index, one in enumerate(left)
            if one.shape == result.shape
        ]
        error, index = min(errors, default=(math.inf, -1))
        worst = max(worst, error)
        if index >= 0:
            del left[index]
    return worst


_DROPOUTS = frozenset(
    [
        *(F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout),
        *(F.feature_alpha_dropout, torch.dropout, torch.feature_dropout, torch.alpha_dropout),
        *(torch.feature_alpha_dropout, torch.dropout_, torch.feature_dropout_),
        *(torch.alpha_dropout_, torch.feature_alpha_dropout_),
    ]
)
"""torch's functions that drop values or whole channels."""


class NoDraws(TorchFunctionMode):
    """A mode of torch in which nothing is dropped; the factors of what is kept stay."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _DROPOUTS:
            return args[0] if args else kwargs["input"]
        if func is torch.Tensor.bernoulli_:
            return args[0].fill_(1)
        result = func(*args, **(kwargs or {}))
        # A number that is drawn is rounded down, after the probability to keep is added to it.
        return result.fill_(_NEARLY_ONE) if func is torch.rand else result


_NEARLY_ONE = 1 - 2**-20
"""The number that stands for one that is drawn between 0 and 1: with it, nothing is dropped."""


def measure_error(old: Tensor, new: Tensor) -> float:
    """Return the largest difference of two tensors, as a share of the largest value."""
    return float((old - new).abs().max()) / max(float(old.abs().max()), 1e-300)


def draw_values(
    module: nn.Module,
    roles: Mapping[str, str],
    generator: torch.Generator,
    buffers: Mapping[str, Any] = MappingProxyType({}),
) -> nn.Module:
    """Return a copy of a module with random values; tensors that it shares stay shared.

    Args:
        roles: the names that ops give to the tensors of the module.
        buffers: the values of buffers that it keeps, by their names.
    """
    memo: dict[int, Tensor] = {}
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        values = torch.empty_like(tensor, device="cpu")
        if name in buffers:
            values.copy_(torch.tensor(buffers[name]))
        else:
            fill(roles.get(name, name), values, generator)
        is_parameter = isinstance(tensor, nn.Parameter)
        memo[id(tensor)] = nn.Parameter(values, requires_grad=False) if is_parameter else values
    return copy_module(module, memo)


def fill(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Give a tensor random values that keep those behind it of one size.

    Args:
        name: the name that its op gives it.
    """
    if not tensor.is_floating_point():
        tensor.zero_()
    elif name.endswith("running_var"):
        tensor.uniform_(0.5, 1.5, generator=generator)
    elif tensor.dim() <= 1:
        is_weight = name.endswith("weight")
        tensor.uniform_(*((0.7, 1.3) if is_weight else (-0.1, 0.1)), generator=generator)
    else:
        fan_in = max(tensor[0].numel(), 1)
        tensor.normal_(0, math.sqrt(2 / fan_in), generator=generator)


def _carry(
    original: nn.Module,
    traced: TracedGraph,
    written: Graph,
    pairing: TracePairing,
    rebuilt: nn.Module,
) -> Mapping[str, Tensor]:
    """Return the state_dict of the rebuilt module with the tensors of the traced one."""
    old = original.state_dict()
    new = dict(rebuilt.state_dict())
    for key, tensor, name in pair_tensors(traced, written, pairing):
        new[key] = old[name].reshape(tensor.shape)
    return new


def name_tensors(
    module: nn.Module,
    traced: TracedGraph,
    written: Graph,
    pairing: TracePairing,
    numbers: Mapping[str, str],
) -> dict[str, CodeTensor]:
    """Return the tensors of a traced module by the keys that they have in its spec.

    Args:
        traced: the module's graph with norms and activations folded.
        numbers: the types of the numbers in the module's state_dict.
    """
    state = module.state_dict()
    named: dict[str, CodeTensor] = {}
    for key, tensor, name in pair_tensors(traced, written, pairing):
        named[key] = CodeTensor(name, tuple(state[name].shape), numbers.get(name, ""))
        if tensor.role == "mean":  # what a batch norm counts stands beside it
            counter = f"{Path(name).parent}.{COUNTER}".lstrip(".")
            if counter in state:
                kind = numbers.get(counter, "")
                named[f"{Path(key).parent}.{COUNTER}"] = CodeTensor(counter, (), kind)
    return named


def list_idle(
    module: nn.Module,
    used: Collection[str],
    makers: Mapping[str, Origin],
    numbers: Mapping[str, str],
) -> Iterator[IdleTensor]:
    """Yield the tensors of a module's state_dict that no step uses.

    Args:
        used: the keys of those that a step uses.
        makers: the lines that made the modules and the tensors, by their paths.
        numbers: the types of the numbers in the state_dict.
    """
    state = module.state_dict(keep_vars=True)
    twins = {id(tensor): key for key, tensor in state.items() if key in used}
    for key, tensor in state.items():
        if key in used or not isinstance(tensor, Tensor):
            continue
        origins = (makers.get(path) for path in (key, key.rpartition(".")[0]))
        lines = next(filter(None, origins), Origin()).spans
        twin = twins.get(id(tensor))
        yield IdleTensor(key, tuple(tensor.shape), lines, twin, numbers.get(key, ""))


def pair_tensors(
    traced: TracedGraph, written: Graph, pairing: TracePairing
) -> Iterator[tuple[str, StateTensor, str]]:
    """Yield each tensor of a spec under its key, with its name in the traced module."""
    nodes = {node.path: node for node in written.nodes}
    for node in traced.nodes:
        path = pairing.pairs.get(node.key)
        if path is None or nodes[path].reuses is not None:
            continue
        for tensor in list_state(nodes[path]):
            if tensor.name in node.tensors:
                yield f"{path}.{tensor.name}", tensor, node.tensors[tensor.name]
