"""Move an average pool behind the 1x1 convolution that reads it (P816).

The norm and the activation of the convolution become steps of their own behind the pool. Every
value and every gradient stays the same.
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

_BIAS = "the mean counts padding, and the bias of the convolution would enter it"


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    return propose_with_others(model, run, _find)


def _find(run: Inference) -> Iterator[Proposal]:
    for early in find_early_pools(run):
        first = early.conv.nodes[0]
        _, *behind = split(first)
        edit = PoolBehind(
            tuple(OPS[part.node.op].written for part in behind),
            has_bias=first.attributes.get("bias") is True,
        )
        yield Proposal(
            "P816",
            (early.pool, early.conv),
            f"it runs behind `{first.path}`",
            _list_swaps(early),
            edit,
            NOTHING_SAVED,
            _BIAS if early.blurs_bias else "",
            is_exact=True,
        )


POOLS = Pass("P816", propose=_propose, is_asked_for=True)


def _list_swaps(early: EarlyPool) -> tuple[Swap, ...]:
    """Return a swap for each place where the pool and the convolution run."""
    pairs = zip(early.pool.nodes, early.conv.nodes, strict=True)
    return tuple(_swap(pool, conv) for pool, conv in pairs)


def _swap(pool: Node, conv: Node) -> Swap:
    """Return the nodes that run in place of a pool and the convolution that reads it.

    The convolution runs first, without its norm and its activation; these follow the pool.
    """
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
    for node, tensors in zip((linear, *new[2:]), sources, strict=True):
        keys = {Path(tensor.slot[1]).name: key for key, tensor in tensors}
        for tensor in list_state(node):
            recipes[f"{node.path}.{tensor.name}"] = Copy(keys[Path(tensor.slot[1]).name])
    end = new[-1].path
    return Swap((pool, conv), tuple(new), {pool.path: end, conv.path: end}, recipes)
