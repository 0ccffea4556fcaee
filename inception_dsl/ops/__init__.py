"""The ops: one module a family, with every fact of its ops.

To add one, write its `Op` in a module of this folder, and its layers in the table of the backend.
An op of a family that is new has a module of its own, whose tuple is named here.
"""

from inception_dsl.ops import (
    activation,
    blur,
    channelconv,
    channelpool,
    channels,
    conv,
    deconv,
    join,
    linear,
    norm,
    parts,
    pool,
    resize,
    scale,
    sepconv,
    sides,
    softmax,
)
from inception_dsl.ops.activation import ACTIVATIONS
from inception_dsl.ops.attribute import Attribute, Symbols, Values, shown
from inception_dsl.ops.facts import Cost, Launch, Remark, SavedForBackward, ShapeError, StateTensor
from inception_dsl.ops.init import FANS, SCHEMES
from inception_dsl.ops.join import ADD, CONCAT
from inception_dsl.ops.norm import NORMS
from inception_dsl.ops.op import FigureKind, Join, Op
from inception_dsl.ops.reach import Window
from inception_dsl.ops.work import Amount, Fact, Work

STEP_OPS: tuple[Op, ...] = (
    *conv.OPS,
    *sepconv.OPS,
    *deconv.OPS,
    *channelconv.OPS,
    *pool.OPS,
    *blur.OPS,
    *resize.OPS,
    *sides.OPS,
    *channels.OPS,
    *channelpool.OPS,
    *linear.OPS,
    *norm.OPS,
    *scale.OPS,
    *activation.OPS,
    *softmax.OPS,
    *parts.OPS,
)
"""The ops that a step may name."""

OPS: dict[str, Op] = {op.name: op for op in (*STEP_OPS, *join.JOINS)}
"""Every op by its name in the IR."""

WRITTEN: dict[str, Op] = {op.written: op for op in STEP_OPS}
"""The ops of steps by how a spec writes them."""

RESIDUAL = ADD
"""The join of a residual: the sum of its input, or of the shortcut, and the body."""

RESCALE = OPS["rescale"]
"""The op that multiplies by a number, as the scale of a residual does."""

GATHERED = CONCAT
"""The join of branches, or of a step that reads several others, unless a spec names another."""

IDENTITY = next(op for op in STEP_OPS if op.is_identity)
"""The op of a step that gives what it reads, such as a branch without other steps."""

PAD_WORDS: frozenset[str] = frozenset(
    str(sets[a.name])
    for op in OPS.values()
    for a in op.attributes
    for sets in op.flags.values()
    if a.kind == "pad" and a.name in sets
)
"""The paddings that have a name: `V`, `same`, `same_tf`."""

WORDS: frozenset[str] = PAD_WORDS | frozenset(
    choice for op in OPS.values() for a in op.attributes for choice in a.choices
)
"""Names that an argument may hold without being a parameter: `act=none`, `pad=V`."""


def norm_of(attributes: Symbols) -> Op | None:
    """Return the norm that a conv with these attributes carries; None if it carries none."""
    norm = attributes.get("norm", "none")
    return NORMS.get(norm) if isinstance(norm, str) else None


def flop_kinds() -> dict[str, str]:
    """Return the kinds of floating-point operations that ops count, and how they count them."""
    ordered = (*conv.OPS, *sepconv.OPS, *pool.OPS, *resize.OPS, *join.JOINS, *OPS.values())
    return {kind: text for op in ordered for kind, text in op.flop_kinds.items()}


__all__ = [
    "ACTIVATIONS",
    "FANS",
    "GATHERED",
    "IDENTITY",
    "NORMS",
    "OPS",
    "PAD_WORDS",
    "RESCALE",
    "RESIDUAL",
    "SCHEMES",
    "STEP_OPS",
    "WORDS",
    "WRITTEN",
    "Amount",
    "Attribute",
    "Cost",
    "Fact",
    "FigureKind",
    "Join",
    "Launch",
    "Op",
    "Remark",
    "SavedForBackward",
    "ShapeError",
    "StateTensor",
    "Symbols",
    "Values",
    "Window",
    "Work",
    "flop_kinds",
    "norm_of",
    "shown",
]
