"""The outputs of a traced module and of the module that its spec gives, with the same weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from inception_dsl.analysis import list_state
from inception_dsl.bridge.module import make_module
from inception_dsl.ir import Graph
from inception_dsl.ops import OPS
from inception_dsl.recover import TracedGraph
from inception_dsl.recover.pairing import TracePairing

SEED = 7
"""The seed of the weights and of the image that the outputs are compared on."""

MAX_ERROR = 1e-9
"""Maximum difference of outputs in double precision, as a share of the largest value."""


def compare_outputs(
    module: nn.Module,
    traced: TracedGraph,
    source: str,
    factory: str,
    written: Graph,
    pairing: TracePairing,
) -> str | None:
    """Run both modules on one random image in inference, and return how they differ.

    Args:
        module: the traced module, on the meta device; it stays as it is.
        traced: its graph with norms and activations folded.
        source: the emitted source of the spec; it is run.

    Returns:
        None if all outputs have the same bits, or differ by rounding alone.
    """
    original = copy.deepcopy(module).to_empty(device="cpu").eval()
    generator = torch.Generator().manual_seed(SEED)
    for name, tensor in original.state_dict().items():
        _fill(name, tensor, generator)
    rebuilt = make_module(source, factory, seed=SEED).eval()
    rebuilt.load_state_dict(_carry(original, traced, written, pairing, rebuilt))
    image = torch.randn(1, *traced.input.shape, generator=generator)
    last = {node.path: node for node in written.nodes}[written.output]
    with torch.no_grad():
        old, new = _find_tensor(original(image)), rebuilt(image)
        if OPS[last.op].is_left_to_loss:
            new = torch.softmax(new, 1)
        if torch.equal(old, new) and bool(torch.isfinite(old).all()):
            return None
        old = _find_tensor(original.double()(image.double()))
        new = rebuilt.double()(image.double())
        if OPS[last.op].is_left_to_loss:
            new = torch.softmax(new, 1)
    largest = float(old.abs().max())
    error = float((old - new).abs().max()) / max(largest, 1e-300)
    if not math.isfinite(error):
        return "the outputs are no finite numbers"
    return f"the outputs differ by {error:.1e} of the largest" if error > MAX_ERROR else None


def _fill(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Give a tensor random values that keep those behind it of one size."""
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
    nodes = {node.path: node for node in written.nodes}
    for node in traced.nodes:
        path = pairing.pairs.get(node.key)
        if path is None:
            continue
        for tensor in list_state(nodes[path]):
            if tensor.name in node.tensors:
                new[f"{path}.{tensor.name}"] = old[node.tensors[tensor.name]].reshape(tensor.shape)
    return new


def _find_tensor(output: object) -> Tensor:
    """Return the only tensor of an output."""
    match output:
        case Tensor():
            return output
        case tuple() | list():
            return _find_tensor(next(part for part in output if part is not None))
        case dict():
            return _find_tensor(next(iter(output.values())))
    raise TypeError(type(output).__name__)
