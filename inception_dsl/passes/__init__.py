"""Rewrites of models that save: `Model -> Rewrite(model, weights, log)`, all of them pure.

A pass proposes, `apply` makes the new model and moves the weights by a plan, and `proof` holds a
network that was read from a text against it. A pass is one value of `Pass` in a module of its own.
None of them reads a file, writes a text, or needs torch.
"""

from inception_dsl.passes.apply import apply_proposals, compose_plans, keep_weights, rewrite_model
from inception_dsl.passes.contract import (
    Divide,
    DropBias,
    DropStep,
    Edit,
    LogEntry,
    Merge,
    MoveBehind,
    Pass,
    PoolBehind,
    Proposal,
    Reduction,
    Rewrite,
    Swap,
)
from inception_dsl.passes.idle import IDLE
from inception_dsl.passes.merge import MERGE
from inception_dsl.passes.nested import NESTED
from inception_dsl.passes.pools import POOLS
from inception_dsl.passes.reduce import REDUCE
from inception_dsl.passes.separable import SEPARABLE
from inception_dsl.passes.shrink import SHRINK

PASSES = (SHRINK, REDUCE, NESTED, SEPARABLE, IDLE, POOLS, MERGE)
"""The passes that rewrite a spec, in the order in which they run."""

__all__ = [
    "PASSES",
    "Divide",
    "DropBias",
    "DropStep",
    "Edit",
    "LogEntry",
    "Merge",
    "MoveBehind",
    "Pass",
    "PoolBehind",
    "Proposal",
    "Reduction",
    "Rewrite",
    "Swap",
    "apply_proposals",
    "compose_plans",
    "keep_weights",
    "rewrite_model",
]
