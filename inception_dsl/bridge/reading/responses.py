"""Global response norms: the calls of torch that compute one, and the op that they are.

The lengths of the channels, their mean and their shares wait for each other (`~norm`, `~mean`,
`~div`); any that are left are a cause of refusal.

Source: Woo et al., ConvNeXt V2, CVPR 2023, equations 1 to 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.numbers import exact
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError
from inception_dsl.bridge.reading.waiting import LENGTH, MEAN, SHARE, SHIFT
from inception_dsl.recover import TracedDraft, TracedNode


def read_length(
    reader: GraphReader, input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any
) -> Results:
    """Add the lengths of the channels of a map, which wait for a response norm."""
    seen = reader.see(input)
    if p not in (2, "fro") or not keepdim or not seen.is_whole_map:
        raise UnsayableError(lacks.STATISTICS)
    axes = {seen.axis(axis) for axis in dim} if isinstance(dim, Sequence) else set()
    if axes != {1, 2, 3} - {seen.channel_axis}:
        raise UnsayableError(lacks.STATISTICS)
    result = Seen(None, seen.layout, reader.call.results[0].shape)
    return reader.add_shaped(LENGTH, {}, [seen], result)


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a response norm: the sum, the nodes before it from the last on, the tensors."""

    total: TracedNode
    before: tuple[TracedNode, ...]
    weight: str
    bias: str


def fold_response(draft: TracedDraft, node: TracedNode) -> None:
    """Fold the lengths of channels and all that is made of them into a global response norm."""
    if node.op != SHARE:
        return
    lengths, bounded = (draft.nodes[key] for key in node.inputs)
    mean = draft.source(bounded)
    if mean is None or mean.op != MEAN or mean.inputs != (lengths.key,):
        return
    if draft.sole_reader(mean.key) is not bounded or draft.sole_reader(bounded.key) is not node:
        return
    read = {reader.key for reader in draft.readers(lengths.key)}
    eps = exact(float(str(bounded.attributes["number"])))
    (whole,) = lengths.inputs
    end = _find_end(draft, node, whole)
    if end is None or eps <= 0 or read != {mean.key, node.key} or lengths.key in draft.ends:
        return
    tensors = {"weight": end.weight, "bias": end.bias}
    norm = replace(end.total, op="grn", attributes={"eps": eps}, inputs=(whole,), tensors=tensors)
    draft.put(norm)
    for part in (*end.before, node, bounded, mean, lengths):
        draft.remove(part)


def _find_end(draft: TracedDraft, share: TracedNode, whole: int) -> _End | None:
    """Return the end of a norm whose weight multiplies the scaled map, or the shares alone."""
    first = draft.sole_reader(share.key)
    second = draft.sole_reader(first.key) if first is not None else None
    total = draft.sole_reader(second.key) if second is not None else None
    if first is None or second is None or total is None or not _is_plain_sum(total):
        return None
    product, scale = (first, second) if first.op == "mul" else (second, first)
    factor = share if product is first else scale
    if product.op != "mul" or sorted(product.inputs) != sorted((whole, factor.key)):
        return None
    if scale.op != "scale" or scale.attributes["one"]:
        return None
    (other,) = (key for key in total.inputs if key != second.key)
    if scale.attributes["bias"]:
        names = scale.tensors["weight"], scale.tensors["bias"]
        is_whole = product is first and other == whole
        return _End(total, (second, first), *names) if is_whole else None
    shift = draft.nodes.get(other)
    if shift is None or shift.op != SHIFT or shift.attributes["one"] or shift.inputs != (whole,):
        return None
    if draft.sole_reader(shift.key) is not total:
        return None
    return _End(total, (shift, second, first), scale.tensors["weight"], shift.tensors["bias"])


def _is_plain_sum(node: TracedNode) -> bool:
    """Tell whether a node is the sum of two values, and nothing more."""
    is_sum = node.op == "add" and len(set(node.inputs)) == 2
    return is_sum and (node.attributes["scale"], node.attributes["act"]) == (1, "none")
