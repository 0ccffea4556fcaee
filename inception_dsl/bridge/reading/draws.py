"""Factors that a network draws at random in training: those of dropped paths.

A path is dropped by a product with a factor for each image, which is 0, or 1 divided by the
probability that the path is kept. Networks draw the factors with `bernoulli_`, or round down the
sum of that probability and a number between 0 and 1.

Source: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016, section 3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from inception_dsl.bridge.calls import TorchCall, ValueRef
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.numbers import exact, is_number
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError
from inception_dsl.recover import TracedDraft, TracedNode

DROP = "~drop"
"""The op that multiplies each image by a factor drawn at random, until a sum takes it."""


@dataclass(frozen=True, slots=True)
class _Factors:
    """Factors for the images of a batch.

    Attributes:
        keep: the probability that one is not 0.
        divisor: the number that they are divided by.
    """

    keep: float
    divisor: float = 1.0


def add_drop(reader: GraphReader, seen: Seen, factors: object) -> Seen | None:
    """Add a drop of each image; None if a tensor holds no factors that are drawn for this."""
    drawn = _find_factors(reader, factors)
    shape = factors.shape if isinstance(factors, ValueRef) else ()
    if drawn is None or shape != (seen.shape[0], *[1] * (len(seen.shape) - 1)):
        return None
    if seen.layout == "lost":
        raise UnsayableError(lacks.TOKENS)
    attributes = {"keep": repr(drawn.keep), "divisor": repr(drawn.divisor)}
    return reader.add_shaped(DROP, attributes, [seen], Seen(None, seen.layout, seen.shape))


def _find_factors(reader: GraphReader, value: object) -> _Factors | None:
    call = reader.makers.get(value.number) if isinstance(value, ValueRef) else None
    if call is None or not call.arguments:
        return None
    if call.name in {"floor", "bernoulli"}:
        keep = _find_number(call) if call.name == "bernoulli" else _find_shift(reader, call)
        return _Factors(keep) if keep is not None and 0 < keep <= 1 else None
    divisor = _find_number(call)
    inner = _find_factors(reader, call.arguments[0])
    if call.name not in {"div", "truediv"} or inner is None or divisor is None:
        return None
    return replace(inner, divisor=inner.divisor * divisor)


def _find_shift(reader: GraphReader, call: TorchCall) -> float | None:
    """Return the number that is added to numbers between 0 and 1 before they are rounded down."""
    value = call.arguments[0]
    total = reader.makers.get(value.number) if isinstance(value, ValueRef) else None
    if total is None or total.name not in {"add", "radd"} or not total.arguments:
        return None
    source = next((one for one in total.arguments if isinstance(one, ValueRef)), None)
    drawn = reader.makers.get(source.number) if source is not None else None
    return (
        _find_number(total) if drawn is not None and drawn.name in {"rand", "rand_like"} else None
    )


def _find_number(call: TorchCall) -> float | None:
    """Return the number among the arguments of a call; None unless there is one."""
    values = [*call.arguments, *(call.keywords.get(name) for name in ("p", "other"))]
    numbers = [float(value) for value in values if is_number(value)]
    return numbers[0] if len(numbers) == 1 else None


def fold_drop(draft: TracedDraft, node: TracedNode) -> None:
    """Fold a drop into the sum that reads it: the drop is that of a residual's body."""
    if node.op != DROP:
        return
    total = draft.sole_reader(node.key)
    drop = _find_drop(draft, node)
    if drop is None or total is None or total.op != "add" or len(set(total.inputs)) != 2:
        return
    if "drop_path" in total.attributes:
        return
    (straight,) = (key for key in total.inputs if key != node.key)
    attributes = {**total.attributes, "drop_path": drop}
    source = draft.source(node)
    if float(str(node.attributes["divisor"])) == 1:
        assert source is not None  # a product, which keeps the mean as it was
        draft.take_out(source, source.inputs[0])
        node = draft.nodes[node.key]
    draft.put(replace(total, attributes=attributes, inputs=(straight, node.inputs[0])))
    draft.remove(node)


def _find_drop(draft: TracedDraft, node: TracedNode) -> Decimal | int | None:
    """Return the probability of a drop that keeps the mean of the values; None of another one."""
    keep, divisor = (float(str(node.attributes[name])) for name in ("keep", "divisor"))
    if divisor == 1:
        source = draft.source(node)
        is_product = source is not None and source.op == "~times"
        if source is None or not is_product or draft.sole_reader(source.key) is not node:
            return None
        divisor = float(str(source.attributes["divisor"]) or 1)
    return _shortest(1 - keep) if divisor == keep and 0 < keep < 1 else None


def _shortest(drop: float) -> Decimal | int:
    """Return the shortest decimal of a drop: of a number in single precision, if it is one."""
    (single,) = struct.unpack("f", struct.pack("f", drop))
    for digits in range(1, _DIGITS):
        decimal = Decimal(f"{drop:.{digits}g}")
        (rounded,) = struct.unpack("f", struct.pack("f", decimal))
        is_single = abs(single - drop) <= _NOISE and rounded == single
        if is_single or abs(float(decimal) - drop) <= _NOISE:
            return exact(float(decimal))
    return exact(drop)


_NOISE = 1e-15
"""The error of a probability that is subtracted from 1, and of a few sums in double precision."""

_DIGITS = 16
"""The number of digits that a number in double precision keeps."""


def _make(reader: GraphReader, *arguments: Any, **keywords: Any) -> Results:
    """Return the results of a call that takes the shape of a tensor, not its values."""
    for ref in reader.call.results:
        reader.makers[ref.number] = reader.call
    return [Seen(None, "lost", ref.shape) for ref in reader.call.results]


BLANKS: dict[str, Callable[..., Results]] = dict.fromkeys(
    ["new_empty", "new_zeros", "new_ones", "new_full", "empty_like", "rand_like"], _make
)
"""The functions that read the calls that begin a draw, in training."""
