"""Convolutions that several smaller ones replace: they see the same window for less work.

A factorised kernel is no rewriting of the same function. Its weights are others, and it is trained
anew. Windows, shapes and costs follow from the ops' facts.

Source: Szegedy et al., arXiv:1512.00567, Sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.analysis.chain import build_chain, factorise
from inception_dsl.analysis.dense import (
    NOTHING_SAVED,
    Inference,
    Kernel,
    Savings,
    WrittenStep,
    compare_nodes,
    find_grouped_kernel,
    find_kernel,
    gather_readers,
)
from inception_dsl.ir import Node, Path
from inception_dsl.ops import OPS

Inner = Literal["in", "width"]
"""The width between the parts: as many channels as come in, or as many as go out."""

SEPARABLE_GRIDS = range(12, 21)
"""The sides of maps on which a kernel as a column and a row is said to work.

Source: arXiv:1512.00567, Section 3.2.
"""

MOST_WIDENING = 4
"""The largest widening for which the parts may have as many channels as come in."""


@dataclass(frozen=True, slots=True)
class Factorisation:
    """A convolution as several smaller ones, one after the other.

    Attributes:
        step: the line of the convolution, with those of its nodes that the paper's advice is for.
        kernels: the kernels of the parts.
        inner: the width of all parts but the last.
        savings: of these nodes.
        others: the nodes of the line that the advice is not for.
        parts: the parts of each node of the line.
        even: the savings with widths between the parts that grow by the same factor in each part,
            as the paper has it; None if the width stays the same, or if no such parts exist.
        obstacle: the reason why there are no parts, though they would cost less.
    """

    step: WrittenStep
    kernel: Kernel
    kernels: tuple[Kernel, ...]
    inner: Inner
    savings: Savings
    parts: tuple[tuple[Node, ...], ...]
    others: tuple[Node, ...] = ()
    even: Savings | None = None
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class EvenPair:
    """Two 2x2 convolutions in a row, which see what a 3x3 sees.

    Attributes:
        first, second: the lines of the two.
        savings: against one 3x3 of the same widths.
        separated: a 3x1 and a 1x3 of the same widths, against one 3x3.
    """

    first: WrittenStep
    second: WrittenStep
    savings: Savings
    separated: Savings


def find_nested(run: Inference) -> Iterator[Factorisation]:
    """Yield the square kernels from 5x5 on that cost less as several 3x3."""
    unmixed = _find_unmixed(run)
    for line in _gather_unshared(run, 5):
        if (side := _side_of(run, line.nodes[0])) % 2:
            for found in _cheaper(line, ((3, 3),) * ((side - 1) // 2)):
                yield _refuse_unmixed(found, run, unmixed)


def find_separable(run: Inference) -> Iterator[Factorisation]:
    """Yield the square kernels on maps of 12 to 20 that cost less as a row and a column."""
    unmixed = _find_unmixed(run)
    for line in _gather_unshared(run, 3):
        side = _side_of(run, line.nodes[0])
        fit = tuple(node for node in line.nodes if _is_separable(node))
        if fit:
            others = tuple(node for node in line.nodes if not _is_separable(node))
            chosen = WrittenStep(line.span, fit)
            for found in _cheaper(chosen, ((1, side), (side, 1))):
                yield _refuse_unmixed(replace(found, others=others), run, unmixed)


def find_better_rows(
    run: Inference, found: Sequence[Factorisation] | None = None
) -> dict[Path, Factorisation]:
    """Return the rows and columns that are the best choice for a kernel from 5x5 on.

    The other choice is several 3x3, each of which may become a row and a column in turn. For widths
    that differ by at most a factor of 2, one row and one column cost less.

    Args:
        found: what `find_nested` has found; None to look for it here.

    Returns:
        Each with the path of the first node of its line.
    """
    large = find_nested(run) if found is None else found
    nested = {each.step.nodes[0].path: each for each in large if not each.obstacle}
    if not nested:
        return {}
    rows = {
        each.step.nodes[0].path: each
        for each in find_separable(run)
        if not (each.others or each.obstacle)
    }
    return {
        path: each
        for path, each in rows.items()
        if path in nested and each.savings.macs >= _save_in_rows(nested[path])
    }


def _save_in_rows(found: Factorisation) -> int:
    """Return the MACs that are saved if each part becomes a row and a column in turn."""
    macs = found.savings.macs
    for same, (side, _) in zip(zip(*found.parts, strict=True), found.kernels, strict=True):
        for rows in _cheaper(WrittenStep(None, same), ((1, side), (side, 1))):
            macs += rows.savings.macs  # nothing if there are no such parts
    return macs


def find_even_pairs(run: Inference) -> Iterator[EvenPair]:
    """Yield the 2x2 convolutions that only another 2x2 reads."""
    readers = gather_readers(run.nodes)
    pairs: dict[tuple[Hashable, Hashable], list[tuple[Node, Node]]] = {}
    for first in run.nodes:
        is_inner = first.path not in run.read_elsewhere
        match readers.get(first.path, []):
            case [second] if _is_even(first) and _is_even(second) and is_inner:
                lines = run.line_of[first.path], run.line_of[second.path]
                pairs.setdefault(lines, []).append((first, second))
    for members in pairs.values():
        firsts, seconds = (tuple(nodes) for nodes in zip(*members, strict=True))
        whole = [_join(first, second) for first, second in members]
        rows = [
            part
            for node, first in zip(whole, firsts, strict=True)
            for part in factorise(node, ((1, 3), (3, 1)), first.type.channels)
        ]
        yield EvenPair(
            WrittenStep(firsts[0].origin.span, firsts),
            WrittenStep(seconds[0].origin.span, seconds),
            compare_nodes(whole, [*firsts, *seconds]),
            compare_nodes(whole, rows),
        )


def _is_even(node: Node) -> bool:
    """Tell whether a node is a 2x2 convolution that pads nothing."""
    if find_kernel(node) != (2, 2) or node.attributes["stride"] != 1:
        return False
    return node.attributes["dilation"] == 1 and node.type.size == tuple(
        side - 1 for side in node.input_types[0].size
    )


def _join(first: Node, second: Node) -> Node:
    """Return the 3x3 that sees what two 2x2 see."""
    attributes = {**second.attributes, OPS[second.op].kernel: (3, 3), "pad": "V"}
    return replace(second, attributes=attributes, input_types=first.input_types)


def _side_of(run: Inference, node: Node) -> int:
    """Return the side of a square kernel; 0 for any other node."""
    kernel = run.kernels.get(node.path) or run.grouped.get(node.path)
    return kernel[0] if kernel is not None and kernel[0] == kernel[1] else 0


def _gather_unshared(run: Inference, side: int) -> Iterator[WrittenStep]:
    """Yield the lines of square kernels of a side or more whose weights no other line runs.

    If a parameter gives the kernel of a line, its nodes are yielded by their kernels.
    """
    shared = {node.reuses for node in run.nodes}
    for line in run.gather(node for node in run.nodes if _side_of(run, node) >= side):
        if not shared.isdisjoint(node.path for node in line.nodes):
            continue
        for kernel in sorted({_side_of(run, node) for node in line.nodes}):
            same = tuple(node for node in line.nodes if _side_of(run, node) == kernel)
            yield WrittenStep(line.span, same)


def _find_unmixed(run: Inference) -> dict[Hashable, Path]:
    """Return the lines that run as depthwise convolutions, each with a node."""
    return {
        run.line_of[node.path]: node.path
        for node in run.nodes
        if OPS[node.op].kernel and node.path not in run.kernels and node.path not in run.grouped
    }


def _refuse_unmixed(
    found: Factorisation, run: Inference, unmixed: Mapping[Hashable, Path]
) -> Factorisation:
    """Return a factorisation with an obstacle if its line also runs as a depthwise convolution."""
    path = unmixed.get(run.line_of[found.step.nodes[0].path])
    if path is None or found.obstacle:
        return found
    return replace(found, obstacle=f"its line runs at `{path}`, too, where it mixes no channels")


def _is_separable(node: Node) -> bool:
    sides = (*node.input_types[0].size, *node.type.size)
    return node.attributes["stride"] == 1 and all(side in SEPARABLE_GRIDS for side in sides)


def describe_elsewhere(others: Sequence[Node]) -> str:
    """Return the maps for which rows and columns are no choice: `on 35x35, 8x8`."""
    plain = {node.type.size for node in others if node.attributes["stride"] == 1}
    sizes = ", ".join(f"{height}x{width}" for height, width in sorted(plain, reverse=True))
    has_stride = any(node.attributes["stride"] != 1 for node in others)
    places = [f"on {sizes}"] * bool(sizes) + ["with a stride"] * has_stride
    return " and ".join(places)


def is_linear(found: Factorisation) -> bool:
    """Tell whether nothing but a norm would stand between the parts of a factorisation."""
    return any(node.attributes.get("act", "none") == "none" for node in found.step.nodes)


def _cheaper(line: WrittenStep, kernels: tuple[Kernel, ...]) -> Iterator[Factorisation]:
    """Yield the cheapest factorisation of a line, if it costs less than the line.

    If there are no parts that would cost less, yield the obstacle.
    """
    best: Factorisation | None = None
    obstacle = ""
    is_even = all(_widening(node) == 1 for node in line.nodes)
    first = line.nodes[0]
    kernel = find_kernel(first) or find_grouped_kernel(first)
    assert kernel is not None
    for inner, choose in _INNER_WIDTHS.items():
        if is_even and inner != "width":
            continue  # the same once more
        if inner == "in" and any(_widening(node) > MOST_WIDENING for node in line.nodes):
            continue
        chains = [build_chain(node, kernels, choose(node)) for node in line.nodes]
        reason = next((chain.obstacle for chain in chains if chain.obstacle), "")
        if reason:
            if not obstacle and _would_save(first, kernel, kernels, choose(first)):
                obstacle = reason
            continue
        parts = tuple(chain.parts for chain in chains)
        savings = compare_nodes(line.nodes, [node for part in parts for node in part])
        if savings.macs > 0 and (best is None or savings.macs > best.savings.macs):
            best = Factorisation(line, kernel, kernels, inner, savings, parts)
    if best is not None:
        yield replace(best, even=_widen_evenly(line, kernels))
    elif obstacle:
        yield Factorisation(
            line,
            kernel,
            kernels,
            "width",
            NOTHING_SAVED,
            ((),) * len(line.nodes),
            obstacle=obstacle,
        )


def _would_save(node: Node, kernel: Kernel, kernels: Sequence[Kernel], inner: int) -> bool:
    """Tell whether the parts of a convolution have fewer weights, whatever their maps are."""
    widths = [node.input_types[0].channels, *[inner] * (len(kernels) - 1), node.type.channels]
    areas = [height * width for height, width in kernels]
    after = sum(a * b * area for a, b, area in zip(widths, widths[1:], areas, strict=False))
    return after < widths[0] * widths[-1] * kernel[0] * kernel[1]


def _widen_evenly(line: WrittenStep, kernels: tuple[Kernel, ...]) -> Savings | None:
    """Return the savings of parts that all widen by the same factor.

    Source: arXiv:1512.00567, Section 3.1: in two parts, each widens by the square root.
    """
    if all(_widening(node) == 1 for node in line.nodes):
        return None
    parts: list[Node] = []
    for node in line.nodes:
        steps = (_widening(node) ** (index / len(kernels)) for index in range(1, len(kernels)))
        widths = [round(node.input_types[0].channels * step) for step in steps]
        chain = build_chain(node, kernels, *widths)
        if chain.obstacle:
            return None
        parts += chain.parts
    return compare_nodes(line.nodes, parts)


def _widening(node: Node) -> float:
    return node.type.channels / node.input_types[0].channels


_INNER_WIDTHS: dict[Inner, Callable[[Node], int]] = {
    "width": lambda node: node.type.channels,
    "in": lambda node: node.input_types[0].channels,
}
"""The number of channels between the parts; the first of two that cost the same is taken."""
