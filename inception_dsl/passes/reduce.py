"""A 1x1 convolution before a spatial one over many channels (P803).

The spatial convolution then reads a half or a quarter of the channels. It is another function,
whose weights are trained anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

from inception_dsl.analysis.chain import build_chain
from inception_dsl.analysis.dense import Inference, Kernel, compare_nodes, find_kernel
from inception_dsl.analysis.unreduced import Unreduced, find_unreduced
from inception_dsl.expr import Binary, find_names
from inception_dsl.ir import Model, Node
from inception_dsl.passes.contract import Divide, Pass, Proposal
from inception_dsl.passes.factorise import express_width, list_beside, list_pads, swap_parts
from inception_dsl.passes.naming import Definitions
from inception_dsl.passes.passed_over import propose_with_others
from inception_dsl.simplify import divide_width

_REASON = "behind a reduction, a convolution has other weights"


def reduce_to(divisor: int) -> Pass:
    """Return the pass that reduces to a part of the channels.

    Args:
        divisor: 2 for a half, 4 for a quarter.
    """

    def propose(model: Model, run: Inference) -> Iterator[Proposal]:
        definitions = Definitions(model)

        def find(nodes: Inference) -> Iterator[Proposal]:
            lines: dict[Hashable, list[Node]] = {}
            for node in nodes.nodes:
                lines.setdefault(nodes.line_of[node.path], []).append(node)
            for found in find_unreduced(nodes):
                proposal = _reduce(definitions, found, divisor)
                paths = {node.path for node in found.step.nodes}
                members = lines[nodes.line_of[found.step.nodes[0].path]]
                others = [node.path for node in members if node.path not in paths]
                if others:
                    reason = f"its line runs at `{others[0]}`, too, where it needs none"
                    proposal = replace(proposal, refusal=reason)
                yield proposal

        return propose_with_others(model, run, find)

    return Pass("P803", propose=propose, is_asked_for=True)


def _reduce(definitions: Definitions, found: Unreduced, divisor: int) -> Proposal:
    nodes = found.step.nodes
    kernel = find_kernel(nodes[0])
    assert kernel is not None
    kernels: tuple[Kernel, ...] = ((1, 1), kernel)
    is_one = all(find_kernel(node) == kernel for node in nodes)
    chains = [build_chain(node, kernels, node.input_types[0].channels // divisor) for node in nodes]
    parts = [chain.parts for chain in chains]
    pads, obstacle = list_pads(definitions, found.step, parts)
    width = express_width(definitions, found.step)
    refusal = next((chain.obstacle for chain in chains if chain.obstacle), obstacle)
    if not is_one:
        refusal = "its kernel is a parameter"
    elif width is None:
        refusal = refusal or "the channels that come in have no name"
    inner = None
    if width is not None:
        is_exact = find_names(width).isdisjoint(definitions.find_decimals(found.step.span))
        inner = divide_width(width, divisor) if is_exact else Binary("//", width, divisor)
    channels = sorted({node.input_types[0].channels for node in nodes})
    whole = " or ".join(f"{each:,}" for each in channels)
    share = {2: "half", 4: "a quarter"}[divisor]
    savings = compare_nodes(nodes, [each for part in parts for each in part])
    return Proposal(
        "P803",
        (found.step,),
        f"a 1x1 before it gives {share} of its {whole} channels",
        tuple(
            swap_parts(node, part, _REASON)
            for node, part in zip(nodes, parts, strict=True)
            if not refusal
        ),
        Divide(kernels, inner, list_beside(definitions, found.step), pads),
        savings,
        refusal,
    )


REDUCE = reduce_to(2)
