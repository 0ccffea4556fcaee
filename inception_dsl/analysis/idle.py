"""Steps and settings that cost something and change nothing, or hardly anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from inception_dsl.analysis.dense import (
    NOTHING_SAVED,
    Inference,
    Savings,
    WrittenStep,
    compare_nodes,
    gather_readers,
)
from inception_dsl.analysis.side_by_side import keeps_statistics
from inception_dsl.ir import Node, TensorType
from inception_dsl.ops import OPS, Op
from inception_dsl.ops.activation import find_limits, keeps_all
from inception_dsl.ops.facts import whole_map
from inception_dsl.ops.gather import gather_own_place, take_alike
from inception_dsl.ops.norm import NORMS

Reason = Literal[
    "bias before a norm",
    "norm behind a norm",
    "softmax inside",
    "dropout before a mean",
    "keeps its values",
    "does nothing",
]
Limits = tuple[float, float]
"""The least and the largest of some values."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A step that costs something for nothing.

    Attributes:
        savings: the costs of its nodes with it and without it, as far as a report counts them.
        drawn: the random numbers that training draws for it, an image.
        needed: the random numbers that it would draw behind the mean, an image.
        limits: the least and the largest value that an activation reads, which it keeps.
    """

    step: WrittenStep
    reason: Reason
    savings: Savings = NOTHING_SAVED
    drawn: int = 0
    needed: int = 0
    limits: Limits = (-inf, inf)


def find_idle(run: Inference) -> Iterator[Idle]:
    """Yield the steps that cost something for nothing."""
    readers = gather_readers(run.nodes)
    found: dict[Reason, list[Node]] = {}
    shared = {node.reuses for node in run.nodes if node.reuses is not None}
    limits = _find_limits(run.nodes)
    normed = {node.path for node in run.nodes if _ends_in_norm(node)}
    for node in run.nodes:
        is_inner = node.path not in run.read_elsewhere
        reading = readers.get(node.path, [])
        reason = _judge(node, reading, is_inner=is_inner)
        if reason is None and _is_norm(node) and node.inputs[0] in normed:
            reason = "norm behind a norm"
        elif reason is None and keeps_all(node.op, node.attributes, limits[node.inputs[0]]):
            reason = "keeps its values"
        # A running mean that other layers share cannot take one bias over.
        is_apart = node.attributes.get("norm", "none") == "none"
        is_shared = any(norm.reuses is not None or norm.path in shared for norm in reading)
        if reason == "bias before a norm" and is_apart and is_shared:
            reason = None
        if reason is not None:
            found.setdefault(reason, []).append(node)
    if "bias before a norm" in found:
        found["bias before a norm"] = _keep_whole(found["bias before a norm"], run.nodes)
    for reason, members in found.items():
        is_taken_out = reason in ("norm behind a norm", "keeps its values", "does nothing")
        for line in run.gather(_keep_lines(members, run) if is_taken_out else members):
            found_idle = _describe(line, reason, readers)
            if reason == "keeps its values":
                read = [limits[node.inputs[0]] for node in line.nodes]
                found_idle = replace(found_idle, limits=_unite(read))
            yield found_idle


def _keep_lines(idle: Sequence[Node], run: Inference) -> list[Node]:
    """Return the nodes whose lines are idle wherever they run, and that no parameter sets."""
    paths = {node.path for node in idle}
    busy = {run.line_of[node.path] for node in run.nodes if node.path not in paths}
    return [
        node
        for node in idle
        if run.line_of[node.path] not in busy and node.origin.span not in run.settable
    ]


def _unite(limits: Sequence[Limits]) -> Limits:
    """Return the limits of all values that have one of several."""
    return min(least for least, _ in limits), max(largest for _, largest in limits)


def _find_limits(nodes: Sequence[Node]) -> dict[str, Limits]:
    """Return the limits of the values that each node gives and that the network reads, by path.

    They hold in training, too, where dropout makes values larger.
    """
    found: dict[str, Limits] = defaultdict(lambda: (-inf, inf))
    for node in nodes:
        op = OPS[node.op]
        limits = find_limits(node.op, node.attributes)
        if limits == (-inf, inf) and _gives_some(op, node):
            limits = _unite([found[path] for path in node.inputs])
            if op.is_for_training and op.acts(node.attributes, node.input_types) != "never":
                least, largest = limits
                limits = (0 if least >= 0 else -inf), (0 if largest <= 0 else inf)
        if limits != (-inf, inf):
            found[node.path] = limits
    return found


def _gives_some(op: Op, node: Node) -> bool:
    """Tell whether an op gives some of the values that it reads, or means of them."""
    is_pool = op.figure in ("max_pool", "average_pool") and not node.attributes.get("count_pad")
    moves = op.is_view or op.channels in ("joined", "sliced", "shuffled")
    return is_pool or moves or op.acts(node.attributes, node.input_types) == "never"


def _ends_in_norm(node: Node) -> bool:
    """Tell whether a node gives what a batch norm gives."""
    if _is_norm(node):
        return True
    has_norm = node.attributes.get("norm", "none") != "none" and keeps_statistics(node)
    return has_norm and node.attributes.get("act", "none") == "none"


def _keep_whole(idle: Sequence[Node], nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes all of whose weights are idle wherever they run."""
    paths = {node.path for node in idle}
    busy = {node.reuses or node.path for node in nodes if node.path not in paths}
    return [node for node in idle if (node.reuses or node.path) not in busy]


def _judge(node: Node, reading: Sequence[Node], *, is_inner: bool) -> Reason | None:
    """Return the reason why a node is idle; an inner one gives its value to `reading` alone."""
    op = OPS[node.op]
    if node.attributes.get("bias") is True and _meets_statistics(node, reading, is_inner=is_inner):
        return "bias before a norm"
    if op.is_left_to_loss and any(OPS[reader.op].channels == "mixed" for reader in reading):
        return "softmax inside"
    if op.is_for_training and node.type.is_map and is_inner and _is_averaged(reading):
        return "dropout before a mean"
    if not op.is_identity and _gives_what_it_reads(op, node):
        return "does nothing"
    return None


def _gives_what_it_reads(op: Op, node: Node) -> bool:
    """Tell whether a node copies its input, whatever the size of the map."""
    if op.acts(node.attributes, node.input_types) == "never":
        return True
    read = node.input_types[0]
    if op.gathers is None or op.state is not None or op.is_view or not read.is_map:
        return False
    height, width = read.size
    larger = TensorType((read.channels, height + 1, width + 1))
    return all(
        take_alike(op.gathers(node.attributes, type), gather_own_place({}, type))
        for type in (read, larger)
    )


def _meets_statistics(node: Node, reading: Sequence[Node], *, is_inner: bool) -> bool:
    """Tell whether a norm takes away what the bias of a layer adds to a channel."""
    norm = NORMS.get(str(node.attributes.get("norm", "none")))
    if norm is not None:
        return keeps_statistics(node) or _is_by_channel(norm)
    is_plain = node.attributes.get("act", "none") == "none" and OPS[node.op].channels == "mixed"
    return (
        is_plain
        and is_inner
        and bool(reading)
        and all(_is_norm(reader) or _is_by_channel(OPS[reader.op]) for reader in reading)
    )


def _is_by_channel(op: Op) -> bool:
    """Tell whether an op is a norm by the mean and variance of each channel over an image's map."""
    return bool(op.norm_layer) and op.channels == "separate" and op.windows is whole_map


def _is_norm(node: Node) -> bool:
    return bool(OPS[node.op].norm_layer) and keeps_statistics(node)


def _is_averaged(reading: Sequence[Node]) -> bool:
    """Tell whether the mean over the whole map is all that reads a value."""
    return bool(reading) and all(
        OPS[reader.op].figure == "average_pool" and OPS[reader.op].gives_vectors
        for reader in reading
    )


def _describe(line: WrittenStep, reason: Reason, readers: dict[str, list[Node]]) -> Idle:
    match reason:
        case "bias before a norm":
            after = [
                replace(node, attributes={**node.attributes, "bias": False}) for node in line.nodes
            ]
            return Idle(line, reason, compare_nodes(line.nodes, after))
        case "dropout before a mean":
            drawn = sum(node.type.values for node in line.nodes)
            needed = sum(reader.type.values for node in line.nodes for reader in readers[node.path])
            return Idle(line, reason, drawn=drawn, needed=needed)
        case "norm behind a norm":
            return Idle(line, reason, compare_nodes(line.nodes, []))
        case _:
            return Idle(line, reason)
