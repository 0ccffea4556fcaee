"""Settings and steps without effect (P815).

A bias before a batch norm and a step that gives what it reads are taken out: every value and every
gradient stays. The other cases are refused, because they change what is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inception_dsl.analysis import list_state
from inception_dsl.analysis.dense import Inference, gather_readers
from inception_dsl.analysis.idle import Idle, Reason, find_idle
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.weights import Copy, Recipe, Subtract
from inception_dsl.ops import OPS
from inception_dsl.passes.contract import DropBias, DropStep, Pass, Proposal, Swap
from inception_dsl.passes.passed_over import propose_with_others

_WHAT: dict[Reason, str] = {
    "bias before a norm": "the bias is switched off",
    "does nothing": "the step is taken out",
    "dropout before a mean": "the dropout moves behind the mean",
    "softmax inside": "the softmax is taken out",
}

_REFUSALS: dict[Reason, str] = {
    "dropout before a mean": "behind the mean, whole channels would be dropped: other training",
    "softmax inside": "without it the network is another function, and is trained anew",
}


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    return propose_with_others(model, run, lambda nodes: _find(model, nodes))


def _find(model: Model, run: Inference) -> Iterator[Proposal]:
    readers = gather_readers(model.graph.nodes)
    reusing: dict[Path, list[Node]] = {}
    for node in model.graph.nodes:
        if node.reuses is not None:
            reusing.setdefault(node.reuses, []).append(node)
    for found in find_idle(run):
        nodes = found.step.nodes
        if found.reason != "bias before a norm":
            yield _take_out(found, [])
        elif all(node.reuses is None for node in nodes):  # a line that reuses weights has no bias
            both = [each for node in nodes for each in (node, *reusing.get(node.path, []))]
            swaps = [_drop_bias(node, readers.get(node.path, [])) for node in both]
            yield _take_out(found, swaps)


IDLE = Pass("P815", propose=_propose)


def _take_out(found: Idle, biases: list[Swap]) -> Proposal:
    swaps = tuple(biases)
    edit: DropBias | DropStep | None = DropBias() if biases else None
    if found.reason == "does nothing":
        edit = DropStep()
        swaps = tuple(
            Swap((node,), (), {node.path: node.inputs[0]}, {}) for node in found.step.nodes
        )
    what, refusal = _WHAT[found.reason], _REFUSALS.get(found.reason, "")
    return Proposal("P815", (found.step,), what, swaps, edit, found.savings, refusal, is_exact=True)


def _drop_bias(node: Node, reading: list[Node]) -> Swap:
    """Return the swap that takes a bias out of a layer, and into the running mean behind it."""
    attributes = {**node.attributes, "bias": False}
    attributes.pop("bias_init", None)
    new = replace(node, attributes=attributes)
    recipes: dict[str, Recipe | str] = {
        f"{node.path}.{tensor.name}": Copy(f"{node.path}.{tensor.name}")
        for tensor in list_state(new)
    }
    bias = _find_bias(node)
    has_norm = node.attributes.get("norm", "none") != "none"
    for norm in [node] if has_norm else reading:
        for tensor in list_state(norm):
            if tensor.role == "mean" and bias is not None:
                key = f"{norm.path}.{tensor.name}"
                recipes[key] = Subtract(key, bias)
    return Swap((node,), (new,), {node.path: node.path}, recipes)


def _find_bias(node: Node) -> str | None:
    """Return the key of a layer's bias; its weights may be those of another node."""
    op = OPS[node.op]
    tensors = op.state(node.attributes, node.input_types[0].channels) if op.state else ()
    holder: Path = node.reuses or node.path
    names = (tensor.name for tensor in tensors if tensor.role == "bias" and not tensor.is_of_norm)
    name = next(names, None)
    return None if name is None else f"{holder}.{name}"
