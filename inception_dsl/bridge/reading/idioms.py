"""Several calls of torch that are one op of the language.

A hard sigmoid is written out in many networks; a pad stands before its convolution; a mean and a
flatten are a global pool. All that is left of the ops that wait for this (`~pad`, `~times`, ...)
becomes a word of its own, or a cause of refusal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.centred import drop_parts, fold_affine
from inception_dsl.bridge.reading.draws import DROP, fold_drop
from inception_dsl.bridge.reading.lacks import Cause, Lack
from inception_dsl.bridge.reading.numbers import exact
from inception_dsl.bridge.reading.reader import UnsayableError
from inception_dsl.bridge.reading.responses import fold_response
from inception_dsl.bridge.reading.waiting import (
    CENTRED,
    HALF_MEAN,
    INDICES,
    LENGTH,
    LEVEL,
    MEAN,
    PIXELS,
    PLUS,
    ROOT,
    SHARE,
    SHIFT,
    SQUARES,
    STACK,
    TIMES,
)
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops import OPS, ShapeError
from inception_dsl.ops.window import same_margins
from inception_dsl.recover import TracedDraft, TracedGraph, TracedNode


def read_idioms(
    graph: TracedGraph, kinds: Mapping[str, str], *, training: bool = False
) -> tuple[TracedGraph, list[Cause]]:
    """Return a graph whose ops are the language's, and a cause for each that it cannot say."""
    draft = TracedDraft(graph)
    unsaid: dict[int, Lack] = {}
    for change in (*([fold_drop] if training else []), *_FOLDS, _write_word):
        for node in draft:
            try:
                change(draft, node)
            except UnsayableError as cause:  # a number that a spec does not write
                unsaid[node.key] = cause.lack
    causes = [
        Cause(lack, _function(node), node.module, kinds.get(node.module, ""), node.origin)
        for node, lack in _find_waiting(draft, unsaid)
    ]
    return draft.finish(), causes


MAX_PARTS = 4
"""Maximum number of equal parts that slices are counted by."""

_WAITING: dict[str, Lack] = {
    "~pad": lacks.PADDING,
    "~slice": lacks.SPLIT,
    "~crop": lacks.CROP,
    TIMES: lacks.NUMBERS,
    PLUS: lacks.NUMBERS,
    SHIFT: lacks.LEARNT_SHIFT,
    LENGTH: lacks.STATISTICS,
    MEAN: lacks.STATISTICS,
    HALF_MEAN: lacks.STATISTICS,
    STACK: lacks.STACKED,
    INDICES: lacks.INDICES,
    PIXELS: lacks.TOKENS,
    LEVEL: lacks.STATISTICS,
    CENTRED: lacks.SUBTRACTION,
    SQUARES: lacks.POWER,
    ROOT: lacks.POWER,
    SHARE: lacks.DIVISION,
    DROP: lacks.ALWAYS_RANDOM,
}


def _function(node: TracedNode) -> str:
    """Return the function of torch that a waiting node stands for."""
    match node.op:
        case "~times":
            return "div" if node.attributes["divisor"] else "mul"
        case "~plus" | "~shift":
            return "add"
        case "~drop":
            return "mul"
        case "~slice" | "~crop":
            return "getitem"
        case "~indices":
            return "max"
        case "~half" | "~level":
            return "var" if node.attributes.get("is_variance") else "mean"
        case "~pixels":
            return str(node.attributes["function"])
        case "~centred":
            return "sub"
        case "~squares":
            return "pow"
        case "~root":
            return "rsqrt" if node.attributes["is_inverse"] else "sqrt"
        case _:
            return node.op.strip("~")


def _find_waiting(
    draft: TracedDraft, unsaid: Mapping[int, Lack]
) -> Iterator[tuple[TracedNode, Lack]]:
    """Yield the nodes that wait in vain, each with its cause.

    Args:
        unsaid: the causes of nodes that have a word, but not with their numbers.
    """
    for node in draft:
        if node.op in _WAITING:
            yield node, unsaid.get(node.key, _WAITING[node.op])


def _number(node: TracedNode) -> float:
    return float(str(node.attributes["number"]))


def _is_product(node: TracedNode | None, numerator: int, denominator: int) -> bool:
    """Tell whether a node multiplies by a fraction, or divides by its inverse."""
    if node is None or node.op != TIMES:
        return False
    return _number(node) == float(Fraction(numerator, denominator))


def _fold_hard_sigmoid(draft: TracedDraft, node: TracedNode) -> None:
    """Fold relu6(x + 3) / 6 into a hard sigmoid."""
    if node.op != PLUS or _number(node) != 3:
        return
    bounded = draft.sole_reader(node.key)
    if bounded is None or bounded.op != "relu6":
        return
    last = draft.sole_reader(bounded.key)
    if last is not None and _is_product(last, 1, 6):
        draft.put(replace(last, op="hardsigmoid", attributes={}, inputs=node.inputs))
        draft.remove(bounded)
        draft.remove(node)
    elif last is not None and last.op == "mul" and node.inputs[0] in last.inputs:
        share = draft.sole_reader(last.key)
        if share is not None and _is_product(share, 1, 6):  # x * relu6(x + 3) / 6
            draft.put(replace(share, op="hardswish", attributes={}, inputs=node.inputs))
            draft.remove(last)
            draft.remove(bounded)
            draft.remove(node)


def _fold_hard_swish(draft: TracedDraft, node: TracedNode) -> None:
    """Fold x * hardsigmoid(x) into a hard swish, and x * sigmoid(x) is left as it is."""
    if node.op != "hardsigmoid":
        return
    product = draft.sole_reader(node.key)
    if product is None or product.op != "mul" or len(product.inputs) != 2:
        return
    if set(product.inputs) == {node.key, node.inputs[0]}:
        draft.put(replace(product, op="hardswish", attributes={}, inputs=node.inputs))
        draft.remove(node)


def _fold_padding(draft: TracedDraft, node: TracedNode) -> None:
    """Fold padding into the windows that read it, where it is the same or TensorFlow's."""
    if node.op != "~pad" or node.key in draft.ends:
        return
    readers = draft.readers(node.key)
    folded = [_pad_window(draft, node, reader) for reader in readers]
    if folded and all(reader is not None for reader in folded):
        for reader in folded:
            assert reader is not None
            draft.put(reader)
        draft.take_out(node, node.inputs[0])


def _pad_window(draft: TracedDraft, pad: TracedNode, node: TracedNode) -> TracedNode | None:
    """Return a window that pads its input itself; None if it cannot, or gives other values."""
    at = node.attributes
    if at.get("pad") is None or "kernel" not in at or at.get("ceil") or "output_pad" in at:
        return None
    top, bottom, left, right = (_whole(pad, side) for side in ("top", "bottom", "left", "right"))
    is_pool, is_mean = "ceil" in at, "count_pad" in at
    fill = "lowest" if is_pool and not is_mean else "zero"
    is_harmless = is_pool and not is_mean and _is_never_negative(draft, pad.inputs[0])
    if pad.attributes["fill"] != fill and not (is_harmless and pad.attributes["fill"] == "zero"):
        return None
    before = draft.type(pad.inputs[0])
    inner = at["pad"]
    assert isinstance(inner, tuple)
    counted: dict[str, Value] = {"count_pad": True} if is_mean else {}
    if (top, left) == (bottom, right):
        if is_pool and inner != (0, 0):
            return None
        both = (inner[0] + top, inner[1] + left)
        return _try_window(node, {"pad": both, **counted}, before)
    if inner == (0, 0) and same_margins(at, before) == ((top, bottom), (left, right)):
        return _try_window(node, {"pad": "same_tf", **counted}, before)
    return None


def _try_window(
    node: TracedNode, changed: Mapping[str, Value], before: TensorType
) -> TracedNode | None:
    """Return a window with other attributes, if it is valid and gives the same shape."""
    attributes = {**node.attributes, **changed}
    try:
        is_same = OPS[node.op].infer(attributes, (before,)) == node.type
    except ShapeError:
        return None
    return replace(node, attributes=attributes) if is_same else None


def _whole(node: TracedNode, name: str) -> int:
    value = node.attributes[name]
    assert isinstance(value, int)
    return value


def _is_never_negative(draft: TracedDraft, key: int) -> bool:
    """Tell whether all values of a node are known to be zero or more."""
    node = draft.nodes.get(key)
    while node is not None and node.op in {"maxpool", "dropout"}:
        node = draft.source(node)
    return node is not None and node.op in {"relu", "relu6"}


def _fold_pool(draft: TracedDraft, node: TracedNode) -> None:
    """Fold a pool to one place and a flatten into a global pool.

    A dropout between them drops the same numbers behind the flatten.
    """
    if node.attributes.get("output") != (1, 1) or not node.op.startswith("adaptive_"):
        return
    flat = draft.sole_reader(node.key)
    if flat is not None and flat.op == "dropout":
        last = draft.sole_reader(flat.key)
        if last is not None and last.op == "flatten":
            op = node.op.replace("adaptive", "global")
            draft.put(replace(node, op=op, attributes={}, type=last.type))
            draft.put(replace(flat, type=last.type))
            draft.take_out(last, flat.key)
        return
    if flat is not None and flat.op == "flatten":
        inner = node if len(node.module) > len(flat.module) else flat
        op = node.op.replace("adaptive", "global")
        pool = replace(inner, key=flat.key, op=op, attributes={}, inputs=node.inputs)
        draft.put(replace(pool, type=flat.type, tensors=flat.tensors, origin=flat.origin))
        draft.remove(node)


def _fold_shift(draft: TracedDraft, node: TracedNode) -> None:
    """Fold a learnt shift into the learnt scale before it."""
    source = draft.source(node)
    if node.op != SHIFT or source is None or source.op != "scale":
        return
    is_alike = source.attributes["one"] == node.attributes["one"] and not source.attributes["bias"]
    if is_alike and draft.sole_reader(source.key) is node:
        tensors = {**source.tensors, **node.tensors}
        attributes = {**source.attributes, "bias": True}
        draft.put(replace(source, attributes=attributes, tensors=tensors))
        draft.take_out(node, source.key)


def _drop_half(draft: TracedDraft, node: TracedNode) -> None:
    """Remove a part, such as a mean over one axis, that the call behind it stands for."""
    is_waiting = node.op in {HALF_MEAN, PIXELS, STACK, INDICES}
    if is_waiting and not draft.readers(node.key) and node.key not in draft.ends:
        draft.remove(node)


_FOLDS = (
    _fold_hard_sigmoid,
    _fold_hard_swish,
    _fold_padding,
    _fold_shift,
    fold_response,
    fold_affine,
    drop_parts,
    _drop_half,
    _fold_pool,
)
"""The idioms in the order in which they are looked for."""


def _write_word(draft: TracedDraft, node: TracedNode) -> None:
    """Write what is left in a word of its own, where the language has it."""
    match node.op:
        case "~pad" if node.attributes["fill"] != "lowest":
            sides = {side: _whole(node, side) for side in ("top", "bottom", "left", "right")}
            if min(sides.values()) >= 0:
                _try_op(draft, node, "pad", {**sides, "mode": node.attributes["fill"]})
            elif node.attributes["fill"] == "zero" and max(sides.values()) <= 0:
                _try_op(draft, node, "crop", {side: -size for side, size in sides.items()})
        case "~crop":
            _try_op(draft, node, "crop", node.attributes)
        case "~level" if not node.attributes["is_variance"]:
            _try_op(draft, node, "channelavgpool", {})
        case "~slice":
            _write_slice(draft, node)
        case "~times" | "~plus":
            _write_rescale(draft, node)


def _write_slice(draft: TracedDraft, node: TracedNode) -> None:
    """Write a run of channels: one of a few equal parts, or a width and where it begins."""
    channels = draft.type(node.inputs[0]).channels
    start, width = _whole(node, "start"), _whole(node, "width")
    if channels % width == 0 and start % width == 0 and channels // width <= MAX_PARTS:
        part: dict[str, Value] = {"part": start // width + 1, "of": channels // width}
        _try_op(draft, node, "slice", part)
    else:
        _try_op(draft, node, "slice", {"width": width, "from": start})


def _write_rescale(draft: TracedDraft, node: TracedNode) -> None:
    """Write a product with a number, and the sum with one that follows it."""
    if node.op == PLUS:
        _try_op(draft, node, "rescale", {"factor": 1, "offset": exact(_number(node))})
        return
    divisor = float(str(node.attributes["divisor"]) or 1)
    if math.frexp(divisor)[0] != 0.5:  # to multiply by its inverse gives other digits
        _try_op(draft, node, "divide", {"by": exact(divisor)})
        return
    factor = exact(_number(node))
    following = draft.sole_reader(node.key)
    if following is not None and following.op == PLUS:
        attributes: dict[str, Value] = {"factor": factor, "offset": exact(_number(following))}
        draft.put(replace(following, inputs=node.inputs))
        draft.remove(node)
        _try_op(draft, draft.nodes[following.key], "rescale", attributes)
    else:
        _try_op(draft, node, "rescale", {"factor": factor, "offset": 0})


def _try_op(draft: TracedDraft, node: TracedNode, op: str, attributes: Mapping[str, Value]) -> None:
    """Put an op in the place of a waiting node, if the language has it and it fits."""
    before = draft.type(node.inputs[0])
    if op not in OPS or any(OPS[op].attribute(name) is None for name in attributes):
        return
    try:
        if OPS[op].infer(attributes, (before,)) != node.type:
            return
    except (ShapeError, KeyError):
        return
    draft.put(replace(node, op=op, attributes=attributes))
