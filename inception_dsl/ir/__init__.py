"""The two levels of a model, and what holds of every one of them.

`BlockDef` is symbolic: its attributes may be expressions over the block's parameters. `Call` and
`Node` are concrete. The IR knows neither YAML nor what an op does.
"""

from inception_dsl.ir.inline import Graph, all_calls, inline
from inception_dsl.ir.model import (
    INPUT,
    NETWORK,
    Attributes,
    BlockDef,
    Bound,
    Call,
    CallDef,
    Claim,
    Figure,
    Head,
    Model,
    Node,
    NodeDef,
    Origin,
    Param,
    TensorType,
    Value,
)
from inception_dsl.ir.path import Path
from inception_dsl.ir.text import fingerprint, print_model
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
    "Figure",
    "Graph",
    "Head",
    "Model",
    "Node",
    "NodeDef",
    "Origin",
    "Param",
    "Path",
    "TensorType",
    "Value",
    "all_calls",
    "fingerprint",
    "inline",
    "print_model",
    "verify",
]
