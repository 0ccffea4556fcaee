"""Steps and settings that cost something and change nothing, or hardly anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from inception_dsl.ops.gather import gather_own_place, take_alike

Reason = Literal["bias before a norm", "softmax inside", "dropout before a mean", "does nothing"]


@dataclass(frozen=True, slots=True)
class Idle:
    """A step that costs something for nothing.

    Attributes:
        savings: the costs of its nodes with it and without it, as far as a report counts them.
        drawn: the random numbers that training draws for it, an image.
        needed: the random numbers that it would draw behind the mean, an image.
    """

    step: WrittenStep
    reason: Reason
    savings: Savings = NOTHING_SAVED
    drawn: int = 0
    needed: int = 0


def find_idle(run: Inference) -> Iterator[Idle]:
    """Yield the steps that cost something for nothing."""
    readers = gather_readers(run.nodes)
    found: dict[Reason, list[Node]] = {}
    shared = {node.reuses for node in run.nodes if node.reuses is not None}
    for node in run.nodes:
        is_inner = node.path not in run.read_elsewhere
        reading = readers.get(node.path, [])
        reason = _judge(node, reading, is_inner=is_inner)
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
        for line in run.gather(members):
            yield _describe(line, reason, readers)


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
    if not (op.is_identity or op.is_view) and _gives_what_it_reads(op, node):
        return "does nothing"
    return None


def _gives_what_it_reads(op: Op, node: Node) -> bool:
    """Tell whether a node copies its input, whatever the size of the map."""
    if op.acts(node.attributes, node.input_types) == "never":
        return True
    read = node.input_types[0]
    if op.gathers is None or op.state is not None or not read.is_map:
        return False
    height, width = read.size
    larger = TensorType((read.channels, height + 1, width + 1))
    return all(
        take_alike(op.gathers(node.attributes, type), gather_own_place({}, type))
        for type in (read, larger)
    )


def _meets_statistics(node: Node, reading: Sequence[Node], *, is_inner: bool) -> bool:
    """Tell whether a batch norm takes away what the bias of a layer adds."""
    if node.attributes.get("norm", "none") != "none":
        return keeps_statistics(node)
    is_plain = node.attributes.get("act", "none") == "none" and OPS[node.op].channels == "mixed"
    return is_plain and is_inner and bool(reading) and all(_is_norm(reader) for reader in reading)


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
        case _:
            return Idle(line, reason)
