"""A kernel as several smaller ones: another function, whose parts are trained anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inception_dsl.analysis import list_state
from inception_dsl.analysis.dense import WrittenStep
from inception_dsl.analysis.factors import Factorisation, is_linear
from inception_dsl.expr import Apply, Binary, Expr, Name
from inception_dsl.ir import INPUT, Node, NodeDef, Path, Value
from inception_dsl.ir.weights import Recipe
from inception_dsl.ops import OPS
from inception_dsl.ops.window import PAD_FLAGS
from inception_dsl.passes.contract import Divide, Proposal, Swap
from inception_dsl.passes.naming import Definitions

_APPROXIMATION = "a factorised kernel is another function, with other weights"


def divide(code: str, definitions: Definitions, found: Factorisation) -> Proposal:
    """Return the proposal of a factorisation; refused if it has an obstacle."""
    inner = express_width(definitions, found.step) if found.inner == "in" else None
    is_known = inner is not None or found.inner == "width"
    refusal = found.obstacle or ("" if is_known else "the channels that come in have no name")
    kernels = " and ".join(f"{height}x{width}" for height, width in found.kernels)
    what = f"{found.kernel[0]}x{found.kernel[1]} becomes {kernels}"
    what += ", without an activation between" if is_linear(found) else ""
    swaps = tuple(
        swap_parts(node, parts, _APPROXIMATION)
        for node, parts in zip(found.step.nodes, found.parts, strict=True)
        if parts
    )
    pads, obstacle = list_pads(definitions, found.step, found.parts)
    refusal = refusal or obstacle
    edit = Divide(found.kernels, inner, list_beside(definitions, found.step), pads)
    return Proposal(code, (found.step,), what, swaps, edit, found.savings, refusal)


def list_pads(
    definitions: Definitions, step: WrittenStep, parts: Sequence[Sequence[Node]]
) -> tuple[tuple[Value, ...], str]:
    """Return the padding of each part of a step, and the reason if no text can say it.

    Args:
        parts: those of each node of the step; all nodes have one kernel.

    Returns:
        No padding if each part has that of the step.
    """
    if all(node.attributes["pad"] in PAD_FLAGS for node in step.nodes):
        return (), ""
    for _, own in definitions.find_all(step.span):
        if isinstance(own, NodeDef) and isinstance(own.attributes["pad"], Name | Binary | Apply):
            return (), "its padding is a parameter"
    return tuple(part.attributes["pad"] for part in parts[0]), ""


def list_beside(definitions: Definitions, step: WrittenStep) -> frozenset[str]:
    """Return the names of the steps that stand in one body with a step."""
    definition = definitions.find(step.span)
    if definition is None:
        return frozenset()
    block, path = definition
    return definitions.list_names(block, path.parent)


def swap_parts(node: Node, parts: Sequence[Node], reason: str) -> Swap:
    """Return the swap of a convolution for others, one after the other.

    Args:
        reason: why the weights of all of them begin fresh.
    """
    paths = [Path(f"{node.path}_part{index}") for index in range(len(parts) - 1)] + [node.path]
    inputs = [node.inputs, *((path,) for path in paths)]
    new = tuple(
        replace(part, path=path, inputs=read)
        for part, path, read in zip(parts, paths, inputs, strict=False)
    )
    recipes: dict[str, Recipe | str] = {
        f"{part.path}.{tensor.name}": reason for part in new for tensor in list_state(part)
    }
    return Swap((node,), new, {node.path: node.path}, recipes)


def express_width(definitions: Definitions, step: WrittenStep) -> Expr | None:
    """Return the channels that a step reads, as its block can say them; None if it cannot.

    The width of the step before it is written again, so that it follows the same parameters.
    """
    for block, own in definitions.find_all(step.span):
        path = own.inputs[0]
        while isinstance(before := definitions.find_step(block, path), NodeDef):
            op = OPS[before.op]
            width = before.attributes.get(op.width) if op.width else None
            if isinstance(width, int | Name | Binary | Apply):
                return width
            keeps = op.channels in ("separate", "grouped", "positional", "shuffled")
            if not keeps or len(before.inputs) > 1:  # a sum may spread a single channel
                break
            path = before.inputs[0]
        if path == INPUT and block is not definitions.model.network:
            return Name("in")
    channels = {node.input_types[0].channels for node in step.nodes}
    return channels.pop() if len(channels) == 1 else None
