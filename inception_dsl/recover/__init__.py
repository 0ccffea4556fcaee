"""The recovery of structure: from the flat graph of a traced network to the text of a spec.

`fusion` folds norms and activations into convolutions, `scopes` makes a tree of the modules,
`bodies` lists of steps, `blocks` calls of blocks, and `writing` text. From the bodies of one class,
`merging` makes one, `params` its parameters, and `conditions` tell what a call leaves out;
`tables` hold the arguments of many calls.
`pairing` compares a traced graph with that of a spec. Nothing here knows torch, or an op by its
name.
"""

from inception_dsl.recover.bodies import MeshError
from inception_dsl.recover.fusion import Fused
from inception_dsl.recover.graph import (
    ENTRY,
    TracedDraft,
    TracedGraph,
    TracedNode,
    TracedOutput,
    find_live,
    find_owners,
    make_run,
)
from inception_dsl.recover.pairing import TracePairing, pair_nodes
from inception_dsl.recover.recovery import Recovered, SpecHeader, recover_spec
from inception_dsl.recover.rounding import round_digits
from inception_dsl.recover.scopes import CrossingError

__all__ = [
    "ENTRY",
    "CrossingError",
    "Fused",
    "MeshError",
    "Recovered",
    "SpecHeader",
    "TracePairing",
    "TracedDraft",
    "TracedGraph",
    "TracedNode",
    "TracedOutput",
    "find_live",
    "find_owners",
    "make_run",
    "pair_nodes",
    "recover_spec",
    "round_digits",
]
