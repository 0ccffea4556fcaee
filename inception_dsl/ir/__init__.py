"""The two levels of a model.

`BlockDef` is symbolic: its attributes may be expressions over the block's parameters. `Call` and
`Node` are concrete. The IR depends neither on YAML nor on the ops. `ir.text` prints a model, and
`ir.verify` checks the invariants.
"""

from inception_dsl.ir.inline import walk_calls, walk_paths
from inception_dsl.ir.model import (
    INPUT,
    NETWORK,
    Attributes,
    BlockDef,
    Bound,
    Call,
    CallDef,
    Claim,
    Graph,
    Head,
    Model,
    Node,
    NodeDef,
    Origin,
    Param,
    StepDef,
    TensorType,
    Value,
    write_types,
)
from inception_dsl.ir.path import Path, find_range
from inception_dsl.ir.quantity import Multiple, Quantity

__all__ = [
    "INPUT",
    "NETWORK",
    "Attributes",
    "BlockDef",
    "Bound",
    "Call",
    "CallDef",
    "Claim",
    "Graph",
    "Head",
    "Model",
    "Multiple",
    "Node",
    "NodeDef",
    "Origin",
    "Param",
    "Path",
    "Quantity",
    "StepDef",
    "TensorType",
    "Value",
    "find_range",
    "walk_calls",
    "walk_paths",
    "write_types",
]
