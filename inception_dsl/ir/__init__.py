"""The two levels of a model, and the invariants of both.

`BlockDef` is symbolic: its attributes may be expressions over the block's parameters. `Call` and
`Node` are concrete. The IR depends neither on YAML nor on the ops.
"""

from inception_dsl.ir.inline import inline, walk_calls
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
)
from inception_dsl.ir.path import Path, find_range
from inception_dsl.ir.quantity import Quantity
from inception_dsl.ir.text import fingerprint, identify, print_model
from inception_dsl.ir.verify import verify

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
    "fingerprint",
    "identify",
    "inline",
    "print_model",
    "verify",
    "walk_calls",
]
