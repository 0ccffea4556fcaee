"""An average pool behind the 1x1 convolution that reads it, in place of before it (P816).

The norm and the activation of the convolution become steps of their own behind the pool. Every
value and every gradient stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inception_dsl.analysis import list_state
from inception_dsl.analysis.dense import NOTHING_SAVED, Inference
from inception_dsl.analysis.early_pools import EarlyPool, find_early_pools
from inception_dsl.analysis.fusing import narrow
from inception_dsl.analysis.parts import split
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.weights import Copy, Recipe
from inception_dsl.ops import OPS
from inception_dsl.passes.contract import Pass, PoolBehind, Proposal, Swap
from inception_dsl.passes.passed_over import propose_with_others

_BIAS = "its mean counts padding, which the bias of the convolution must not be in"


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    return propose_with_others(model, run, _find)


def _find(run: Inference) -> Iterator[Proposal]:
    for found in find_early_pools(run):
        first = found.conv.nodes[0]
        _, *behind = split(first)
        edit = PoolBehind(
            tuple(OPS[part.node.op].written for part in behind),
            has_bias=first.attributes.get("bias") is True,
        )
        yield Proposal(
            "P816",
            (found.pool, found.conv),
            f"it runs behind `{first.path}`",
            tuple(_list_swaps(found)),
            edit,
            NOTHING_SAVED,
            _BIAS if found.blurs_bias else "",
            is_exact=True,
        )


POOLS = Pass("P816", propose=_propose, is_asked_for=True)


def _list_swaps(found: EarlyPool) -> Iterator[Swap]:
    for pool, conv in zip(found.pool.nodes, found.conv.nodes, strict=True):
        yield _swap(pool, conv)


def _swap(pool: Node, conv: Node) -> Swap:
    """Return the swap of a pool and a convolution for the parts of the convolution around it."""
    first, *behind = split(conv)
    linear = replace(first.node, path=Path(f"{conv.path}_before_pool"), inputs=pool.inputs)
    later = replace(
        narrow(pool, conv.type.channels), path=Path(f"{pool.path}_behind"), inputs=(linear.path,)
    )
    new = [linear, later]
    sources = [first.tensors]
    for part in behind:
        path = Path(f"{conv.path}_{part.place}")
        new.append(replace(part.node, path=path, inputs=(new[-1].path,)))
        sources.append(part.tensors)
    recipes: dict[str, Recipe | str] = {}
    for node, owned in zip((linear, *new[2:]), sources, strict=True):
        keys = {Path(tensor.slot[1]).name: key for key, tensor in owned}
        for tensor in list_state(node):
            recipes[f"{node.path}.{tensor.name}"] = Copy(keys[Path(tensor.slot[1]).name])
    end = new[-1].path
    return Swap((pool, conv), tuple(new), {pool.path: end, conv.path: end}, recipes)
