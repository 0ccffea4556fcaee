"""The ops: one module a family, each with its attributes, shape rule, cost rule and torch form.

To add one, write its `Op` in a module of this folder and name the module's tuple here.
"""

from inception_dsl.ops import activation, conv, join, linear, norm, pool
from inception_dsl.ops.activation import ACTIVATIONS, IN_PLACE
from inception_dsl.ops.base import (
    FLOP_KINDS,
    Argument,
    Attribute,
    Cost,
    EmitError,
    Kept,
    Kernel,
    Layer,
    Op,
    Remark,
    ShapeError,
    StateTensor,
    shown,
)
from inception_dsl.ops.init import FANS, SCHEMES

STEP_OPS: tuple[Op, ...] = (*conv.OPS, *pool.OPS, *linear.OPS, *norm.OPS, *activation.OPS)
"""What a step may name."""

OPS: dict[str, Op] = {op.name: op for op in (*STEP_OPS, *join.JOINS)}
"""Every op by its name in the IR."""

WRITTEN: dict[str, Op] = {op.written: op for op in STEP_OPS}
"""The ops of steps by how a spec writes them."""

WORDS: frozenset[str] = frozenset(
    choice for op in OPS.values() for a in op.attributes for choice in a.choices
)
"""Names that an argument may hold without being a parameter: `act=none`."""

__all__ = [
    "ACTIVATIONS",
    "FANS",
    "FLOP_KINDS",
    "IN_PLACE",
    "OPS",
    "SCHEMES",
    "STEP_OPS",
    "WORDS",
    "WRITTEN",
    "Argument",
    "Attribute",
    "Cost",
    "EmitError",
    "Kept",
    "Kernel",
    "Layer",
    "Op",
    "Remark",
    "ShapeError",
    "StateTensor",
    "shown",
]
