"""Settings and steps without effect (P815).

A bias before a norm and a step that gives what it reads are taken out: every value and every
gradient stays. Three other cases change what is trained, and are made where the code is asked for:
dropout moves behind the mean of a map, where it drops whole channels; a softmax before a layer with
weights goes, so that the layer is trained anew; and of two batch norms in a row the second goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from inception_dsl.analysis import list_state
from inception_dsl.analysis.dense import Inference, WrittenStep, gather_readers
from inception_dsl.analysis.idle import Idle, Reason, find_idle
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.weights import Copy, Recipe, Subtract
from inception_dsl.ops import OPS
from inception_dsl.passes.contract import DropBias, DropStep, MoveBehind, Pass, Proposal, Swap
from inception_dsl.passes.passed_over import propose_with_others

_WHAT: dict[Reason, str] = {
    "bias before a norm": "the bias is switched off",
    "does nothing": "the step is taken out",
    "keeps its values": "the activation is taken out",
    "norm behind a norm": "the second norm is taken out",
    "dropout before a mean": "the dropout moves behind the mean",
    "softmax inside": "the softmax is taken out",
}

_OTHER_VALUES = "it reads the values that the softmax has read"


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
        if found.reason in ("does nothing", "keeps its values"):
            yield _take_out(found, _drop(nodes))
        elif found.reason == "norm behind a norm":
            yield replace(_take_out(found, _drop(nodes)), is_exact=False, is_asked_for=True)
        elif found.reason == "softmax inside":
            yield _take_softmax_out(found, readers)
        elif found.reason == "dropout before a mean":
            yield _move_dropout(found, run, readers)
        elif all(node.reuses is None for node in nodes):  # a line that reuses weights has no bias
            swaps = [_drop_bias(node, readers.get(node.path, [])) for node in nodes]
            partner = next((each for node in nodes for each in reusing.get(node.path, [])), None)
            shares = f"it shares its weights with `{partner.path}` by `reuse`" if partner else ""
            yield replace(_take_out(found, swaps), refusal=shares)


IDLE = Pass("P815", propose=_propose)


def _drop(nodes: Sequence[Node]) -> list[Swap]:
    """Return the swaps that take nodes out; their readers read what these have read."""
    return [Swap((node,), (), {node.path: node.inputs[0]}, {}) for node in nodes]


def _take_out(found: Idle, swaps: Sequence[Swap]) -> Proposal:
    edit = DropBias() if found.reason == "bias before a norm" else DropStep()
    what = _WHAT[found.reason]
    return Proposal("P815", (found.step,), what, tuple(swaps), edit, found.savings, is_exact=True)


def _take_softmax_out(found: Idle, readers: Mapping[str, list[Node]]) -> Proposal:
    """Return the proposal without a softmax: the layers that have read it are trained anew."""
    nodes = found.step.nodes
    swaps = _drop(nodes)
    reading = {each.path: each for node in nodes for each in readers.get(node.path, [])}
    for path, node in reading.items():
        keys = (f"{path}.{tensor.name}" for tensor in list_state(node))
        fresh: dict[str, Recipe | str] = dict.fromkeys(keys, _OTHER_VALUES)
        swaps.append(Swap((node,), (node,), {path: path}, fresh))
    return replace(_take_out(found, swaps), is_exact=False, is_asked_for=True)


def _move_dropout(found: Idle, run: Inference, readers: Mapping[str, list[Node]]) -> Proposal:
    """Return the proposal of dropout behind a mean, if one pool alone reads it."""
    what, nodes = _WHAT[found.reason], found.step.nodes
    pools = [pool for node in nodes for pool in readers.get(node.path, [])]
    lines = {run.line_of[pool.path] for pool in pools}
    same = [node for node in run.nodes if run.line_of[node.path] in lines]
    step = WrittenStep(pools[0].origin.span, tuple(pools))
    if len(pools) != len(nodes) or len(lines) > 1 or len(same) > len(pools):
        refusal = f"`{pools[0].path}` does not read it everywhere, or another step reads it, too"
        return Proposal("P815", (found.step,), what, (), None, found.savings, refusal)
    swaps = tuple(_swap_two(node, pool) for node, pool in zip(nodes, pools, strict=True))
    return Proposal(
        "P815", (found.step, step), what, swaps, MoveBehind(), found.savings, is_asked_for=True
    )


def _swap_two(node: Node, pool: Node) -> Swap:
    """Return the swap of a step and of the pool behind it for both in the other order."""
    first = replace(pool, path=Path(f"{pool.path}_before"), inputs=node.inputs)
    second = replace(
        node,
        path=Path(f"{node.path}_behind"),
        inputs=(first.path,),
        input_types=(pool.type,),
        type=OPS[node.op].infer(node.attributes, (pool.type,)),
    )
    gives = {node.path: second.path, pool.path: second.path}
    return Swap((node, pool), (first, second), gives, {})


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
