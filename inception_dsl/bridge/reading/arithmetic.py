"""Sums, products and arithmetic with numbers, in the language's words."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from inception_dsl.bridge.calls import ConstantRef, ValueRef, WeightRef, find_refs
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.activations import act
from inception_dsl.bridge.reading.centred import read_centred, read_norm, read_root, read_square
from inception_dsl.bridge.reading.draws import add_drop
from inception_dsl.bridge.reading.lacks import Lack
from inception_dsl.bridge.reading.numbers import is_number
from inception_dsl.bridge.reading.parts import read_gated
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError, can_say
from inception_dsl.bridge.reading.waiting import LENGTH, PLUS, SHARE, SHIFT, TIMES
from inception_dsl.ir import Value


def _number_op(
    reader: GraphReader, op: str, value: float, seen: Seen, written: str = ""
) -> Results:
    """Add a product with a number or a sum with one; it may be part of an idiom."""
    if seen.layout == "lost":
        raise UnsayableError(lacks.TOKENS)
    if value == (1 if op == TIMES else 0):
        return seen
    attributes: dict[str, Value] = {"number": repr(float(value)), "divisor": written}
    return reader.add_shaped(op, attributes, [seen], Seen(None, seen.layout, seen.shape))


def _add(reader: GraphReader, input: Any, other: Any, alpha: float = 1, **unused: Any) -> Results:
    scaled = other if alpha == 1 else _combine(reader, "mul", other, alpha)
    return _combine(reader, "add", input, scaled)


def _mul(reader: GraphReader, input: Any, other: Any) -> Results:
    return _combine(reader, "mul", input, other)


def _combine(reader: GraphReader, op: str, input: Any, other: Any) -> Results:
    if is_number(input) or is_number(other):
        number, tensor = (input, other) if is_number(input) else (other, input)
        return _number_op(reader, TIMES if op == "mul" else PLUS, number, reader.see(tensor))
    first, second = reader.see(input), reader.see(other)
    if first.key is None or second.key is None:
        return _with_weight(reader, op, input, other)
    if op == "mul" and (gated := read_gated(reader, first, second)):
        return gated
    if "lost" in {first.layout, second.layout}:
        raise UnsayableError(lacks.TOKENS)
    if op == "mul" and (norm := read_norm(reader, first, second, is_product=True)):
        return norm
    return _join(reader, op, first, second)


def _with_weight(reader: GraphReader, op: str, input: Any, other: Any) -> Results:
    """Read a product with a parameter, or a sum with one."""
    seen, weight = reader.see(input), other
    if seen.key is None:
        seen, weight = reader.see(other), input
    if isinstance(weight, ConstantRef):
        raise UnsayableError(lacks.CONSTANTS)
    if dropped := add_drop(reader, seen, weight):
        return dropped
    shape = reader.see(weight).shape
    is_one = prod(shape) == 1
    if seen.layout == "lost":
        raise UnsayableError(lacks.TOKENS)
    if not is_one and not _is_by_channel(shape, seen):
        raise UnsayableError(lacks.LEARNT_MAP)
    lack = lacks.LEARNT_SHIFT if op == "add" else lacks.LEARNT_SCALE
    if reader.find_weight(weight) is None:
        raise UnsayableError(_find_cause(reader, weight))
    result = Seen(None, seen.layout, reader.call.results[0].shape)
    if result.shape != seen.shape:
        raise UnsayableError(lacks.BROADCAST)
    if op == "add":
        tensors = reader.weights(bias=weight)
        return reader.add_shaped(SHIFT, {"one": is_one}, [seen], result, tensors)
    attributes: dict[str, Value] = {"one": is_one, "bias": False}
    if not can_say("scale", attributes, [seen], result):
        raise UnsayableError(lacks.LEARNT_NUMBER if is_one else lack)
    tensors = reader.weights(weight=weight)
    return reader.add_shaped("scale", attributes, [seen], result, tensors)


def _find_cause(reader: GraphReader, value: Any) -> Lack:
    """Return the cause of refusal of a value that is computed from weights alone."""
    stack, seen = [value], set()
    weights: list[WeightRef] = []
    functions: set[str] = set()
    while stack:
        ref = stack.pop()
        if isinstance(ref, WeightRef):
            weights.append(ref)
        elif isinstance(ref, ValueRef) and ref.number not in seen:
            seen.add(ref.number)
            if (call := reader.makers.get(ref.number)) is not None:
                functions.add(call.name)
                stack += find_refs((call.arguments, call.keywords))
    if not weights or any(weight.is_parameter for weight in weights):
        return lacks.COMPUTED_WEIGHTS
    return lacks.FROZEN_NORM if functions & _ROOTS else lacks.FIXED_WEIGHTS


_ROOTS = frozenset(["rsqrt", "sqrt"])
"""The functions by which a norm that code writes out divides by a deviation."""


def _is_by_channel(shape: tuple[int, ...], seen: Seen) -> bool:
    """Tell whether a weight has a value for each channel of a tensor, and lies along them."""
    if len(shape) > len(seen.shape):
        return False
    full = (*[1] * (len(seen.shape) - len(shape)), *shape)
    lying = [1] * len(seen.shape)
    lying[seen.channel_axis] = seen.type.channels
    return full == tuple(lying)


def _join(reader: GraphReader, op: str, first: Seen, second: Seen) -> Results:
    """Read a join of two tensors other than a concat; one may be a gate of the other."""
    if any((first.layout == only) != (second.layout == only) for only in ("row", "plane")):
        raise UnsayableError(lacks.BROADCAST)
    whole = second if prod(second.shape) > prod(first.shape) else first
    result = Seen(None, whole.layout, reader.call.results[0].shape)
    if result.shape != whole.shape:
        raise UnsayableError(lacks.BROADCAST)
    attributes: dict[str, Value] = {"scale": 1, "act": "none"} if op == "add" else {}
    inputs = [first, second]
    if can_say(op, attributes, inputs, result):
        return reader.add_shaped(op, attributes, inputs, result)
    flat = [_flatten_gate(reader, seen, whole) for seen in inputs]
    if can_say(op, attributes, flat, result):
        return reader.add_shaped(op, attributes, flat, result)
    raise UnsayableError(lacks.BROADCAST)


def choose(reader: GraphReader, op: str, input: Any, other: Any) -> Results:
    """Read the largest or the smallest of two tensors, value by value."""
    if is_number(input) or is_number(other):
        number, tensor = (input, other) if is_number(input) else (other, input)
        if op == "maximum" and number == 0:
            return act(reader, tensor, "relu")
        raise UnsayableError(lacks.ACTIVATION)
    first, second = reader.see(input), reader.see(other)
    if first.key is None or second.key is None:
        raise UnsayableError(_lack(reader, lacks.LEARNT_MAP, input, other))
    if "lost" in {first.layout, second.layout}:
        raise UnsayableError(lacks.TOKENS)
    return _join(reader, op, first, second)


def _choice(op: str) -> Callable[..., Results]:
    def read(reader: GraphReader, input: Any, other: Any) -> Results:
        return choose(reader, op, input, other)

    return read


def _flatten_gate(reader: GraphReader, seen: Seen, whole: Seen) -> Seen:
    """Return a 1x1 map beside a larger one as the vector that it is."""
    if seen is whole or not seen.is_whole_map or seen.type.shape[1:] != (1, 1):
        return seen
    vector = Seen(None, "vector", (seen.shape[0], seen.type.channels))
    return reader.add_shaped("flatten", {}, [seen], vector)


def _sub(reader: GraphReader, input: Any, other: Any, alpha: float = 1, **unused: Any) -> Results:
    if is_number(other) and alpha == 1:
        return _number_op(reader, PLUS, -other, reader.see(input))
    if is_number(input) and alpha == 1:
        return _subtract_from(reader, input, other)
    if not is_number(input) and not is_number(other) and _are_alike(reader, input, other):
        return _add(reader, input, _number_op(reader, TIMES, -alpha, reader.see(other)))
    if not is_number(input) and not is_number(other) and alpha == 1:
        first, second = reader.see(input), reader.see(other)
        if (centred := read_centred(reader, first, second)) is not None:
            return centred
    raise UnsayableError(_lack(reader, lacks.SUBTRACTION, input, other))


def _subtract_from(reader: GraphReader, number: float, tensor: Any) -> Results:
    """Read a number minus a tensor; the product with -1 is exact."""
    negative = _number_op(reader, TIMES, -1, reader.see(tensor))
    assert isinstance(negative, Seen)
    return _number_op(reader, PLUS, number, negative)


def _are_alike(reader: GraphReader, first: Any, second: Any) -> bool:
    """Tell whether two values are computed tensors of one shape, whose axes are known."""
    seen = [reader.see(first), reader.see(second)]
    are_known = all(one.key is not None and one.layout != "lost" for one in seen)
    return are_known and seen[0].shape == seen[1].shape


def _addcmul(
    reader: GraphReader, input: Any, tensor1: Any, tensor2: Any, value: float = 1
) -> Results:
    """Read a product and the sum with it; one call of torch makes both."""
    product = _combine(reader, "mul", tensor1, tensor2)
    return _add(reader, input, product, value)


def _div(reader: GraphReader, input: Any, other: Any, rounding_mode: str | None = None) -> Results:
    if is_number(other) and rounding_mode is None and other != 0:
        return _number_op(reader, TIMES, 1 / other, reader.see(input), repr(float(other)))
    if not is_number(input) and not is_number(other) and rounding_mode is None:
        first, second = reader.see(input), reader.see(other)
        if reader.is_made_by(first, LENGTH) and reader.is_made_by(second, PLUS):
            share = Seen(None, first.layout, first.shape)
            return reader.add_shaped(SHARE, {}, [first, second], share)
        if norm := read_norm(reader, first, second, is_product=False):
            return norm
    raise UnsayableError(_lack(reader, lacks.DIVISION, input, other))


def _lack(reader: GraphReader, usual: Lack, *values: Any) -> Lack:
    """Return the cause of refusal of arithmetic with some values; `usual` if they are maps."""
    tensors = [value for value in values if not is_number(value)]
    seen = [reader.see(value) for value in tensors]
    if any(one.layout == "lost" and one.key is not None for one in seen):
        return lacks.TOKENS
    if any(isinstance(value, ConstantRef) for value in tensors):
        return lacks.CONSTANTS
    weights = [reader.find_weight(value) for value in tensors]
    if any(weight is not None and not weight.is_parameter for weight in weights):
        return lacks.FIXED_VALUES
    return lacks.OWN_VALUES if any(weight is not None for weight in weights) else usual


def _rsub(reader: GraphReader, input: Any, other: Any, alpha: float = 1) -> Results:
    """Read a number minus a tensor: the tensor times -1, plus the number."""
    if is_number(other) and alpha == 1:
        return _subtract_from(reader, other, input)
    raise UnsayableError(_lack(reader, lacks.SUBTRACTION, input, other))


ARITHMETIC: dict[str, Callable[..., Results]] = {
    "add": _add,
    "radd": _add,
    "mul": _mul,
    "rmul": _mul,
    "multiply": _mul,
    "addcmul": _addcmul,
    "sub": _sub,
    "rsub": _rsub,
    "div": _div,
    "maximum": _choice("maximum"),
    "minimum": _choice("minimum"),
    "truediv": _div,
    "pow": read_square,
    "square": read_square,
    "sqrt": read_root,
    "rsqrt": read_root,
}
"""The functions that read the calls of torch's arithmetic, by the name of the call."""
