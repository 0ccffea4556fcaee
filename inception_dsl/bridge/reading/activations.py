"""The activations of torch in the language's words."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.numbers import exact, is_number
from inception_dsl.bridge.reading.reader import (
    GraphReader,
    Results,
    Seen,
    UnsayableError,
    can_say,
    refuse,
)
from inception_dsl.ir import Value
from inception_dsl.ops import OPS


def _activation(op: str) -> Callable[..., Results]:
    def read(reader: GraphReader, input: Any, inplace: bool = False) -> Results:
        return act(reader, input, op)

    return read


def act(
    reader: GraphReader, input: Any, op: str, attributes: dict[str, Value] | None = None
) -> Results:
    """Return the result of an activation of a tensor of any layout."""
    seen = reader.see(input)
    if seen.layout == "lost":
        return reader.same(seen)
    if seen.layout not in {"map", "vector"}:
        lack = lacks.ACT_AXES
    else:
        lack = lacks.ACT_ARGUMENT if attributes else lacks.ACTIVATION
    result = Seen(seen.key, seen.layout, seen.shape)
    if not can_say(op, attributes or {}, [seen], result):
        raise UnsayableError(lack)
    return reader.add_shaped(op, attributes or {}, [seen], result)


def _leaky_relu(
    reader: GraphReader, input: Any, negative_slope: float = 0.01, inplace: bool = False
) -> Results:
    if negative_slope == 0.01 and not _has_argument("leaky_relu", "slope"):
        return act(reader, input, "leaky_relu")
    return act(reader, input, "leaky_relu", {"slope": exact(negative_slope)})


def _has_argument(op: str, name: str) -> bool:
    return OPS[op].attribute(name) is not None


def _gelu(reader: GraphReader, input: Any, approximate: str = "none") -> Results:
    if approximate != "none":
        return act(reader, input, "gelu", {"tanh": True})
    return act(reader, input, "gelu", {"tanh": False} if _has_argument("gelu", "tanh") else None)


def _softplus(
    reader: GraphReader, input: Any, beta: float = 1.0, threshold: float = 20.0
) -> Results:
    return act(reader, input, "softplus", {"beta": exact(beta), "threshold": exact(threshold)})


def _prelu(reader: GraphReader, input: Any, weight: Any) -> Results:
    seen = reader.see(input)
    if seen.layout not in {"map", "vector"}:
        raise UnsayableError(lacks.ACTIVATION)
    attributes: dict[str, Value] = {"per_channel": prod(weight.shape) > 1}
    if not can_say("prelu", attributes, [seen], seen):
        raise UnsayableError(lacks.ACTIVATION)
    return reader.add_shaped("prelu", attributes, [seen], seen, reader.weights(weight=weight))


def _elu(reader: GraphReader, input: Any, alpha: float = 1.0, inplace: bool = False) -> Results:
    return act(reader, input, "elu", {"alpha": exact(alpha)})


def _hardtanh(
    reader: GraphReader,
    input: Any,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
) -> Results:
    if (min_val, max_val) == (0, 6):
        return act(reader, input, "relu6")
    return act(reader, input, "hardtanh", {"min": exact(min_val), "max": exact(max_val)})


def _clamp(reader: GraphReader, input: Any, min: Any = None, max: Any = None) -> Results:
    if min == 0 and max is None:
        return act(reader, input, "relu")
    if not (is_number(min) and is_number(max)):
        raise UnsayableError(lacks.ACTIVATION)
    return _hardtanh(reader, input, min, max)


ACTIVATION_CALLS: dict[str, Callable[..., Results]] = {
    **{
        name: _activation(name)
        for name in ("relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh")
        + ("selu", "mish", "abs")
    },
    "absolute": _activation("abs"),
    "leaky_relu": _leaky_relu,
    "gelu": _gelu,
    "elu": _elu,
    "softplus": _softplus,
    "prelu": _prelu,
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "clip": _clamp,
    **dict.fromkeys(
        [
            "celu",
            "rrelu",
            "logsigmoid",
            "log_sigmoid",
            "softsign",
            "glu",
            "threshold",
            "exp",
            "log",
        ],
        refuse(lacks.ACTIVATION),
    ),
}
"""The functions that read the calls of torch's activations, by the name of the call."""
