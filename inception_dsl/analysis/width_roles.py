"""The parts that the parameters of a block play as widths of its convolutions.

A paper's table has a column for each width of a block: `#1x1`, `#3x3 reduce`, `pool proj`. The
parts follow from the block's own steps, not from the names of its parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

from inception_dsl.expr import Name
from inception_dsl.ir import BlockDef, NodeDef, Path
from inception_dsl.ops import OPS

Kernel = tuple[int, int]

POINTWISE: Kernel = (1, 1)


class WidthRole(NamedTuple):
    """The part of a width in its block.

    Attributes:
        kind: `kernel` of convolutions with this kernel, `reduction` of a 1x1 convolution before
            them, or `projection` of one behind a pool.
        kernel: the kernel of the convolutions; that of a projection is 1x1.
        length: the number of convolutions with this kernel, one after the other.
    """

    kind: Literal["kernel", "reduction", "projection"]
    kernel: Kernel
    length: int = 1


def find_width_roles(block: BlockDef) -> dict[str, WidthRole]:
    """Return the part of each parameter that is a width, by the parameter's name.

    A parameter that several kinds of convolutions share has no part, and no two parameters have the
    same one.
    """
    nodes = {step.path: step for step in block.body if isinstance(step, NodeDef)}
    roles = {}
    for param in block.params:
        convs = [node for node in nodes.values() if _is_width(node, param.name)]
        if convs and (role := _find_role(convs, nodes)) is not None:
            roles[param.name] = role
    counts = Counter(roles.values())
    return {name: role for name, role in roles.items() if counts[role] == 1}


def find_reduction(kernel: Kernel) -> WidthRole:
    """Return the part of a 1x1 convolution before one convolution with a larger kernel."""
    return WidthRole("reduction", kernel)


def _is_width(node: NodeDef, param: str) -> bool:
    op = OPS[node.op]
    return op.figure == "convolution" and node.attributes.get(op.width) == Name(param)


def read_kernel(node: NodeDef) -> Kernel | None:
    """Return the kernel of a convolution; None if it is a parameter, or if it is another op."""
    op = OPS[node.op]
    kernel = node.attributes.get(op.kernel) if op.figure == "convolution" else None
    return kernel if isinstance(kernel, tuple) else None


def _find_role(convs: list[NodeDef], nodes: Mapping[Path, NodeDef]) -> WidthRole | None:
    kernels = {read_kernel(node) for node in convs}
    kernel = kernels.pop()
    if kernels or kernel is None:
        return None
    if kernel != POINTWISE:
        return WidthRole("kernel", kernel, len(convs)) if _is_chain(convs) else None
    if len(convs) > 1:
        return None
    (conv,) = convs
    readers = [node for node in nodes.values() if conv.path in node.inputs]
    wide = {read_kernel(reader) for reader in readers}
    if len(wide) == 1 and (larger := wide.pop()) not in (None, POINTWISE):
        assert larger is not None
        return WidthRole("reduction", larger, len(list(_follow(readers[0], larger, nodes))))
    read = [nodes[path] for path in conv.inputs if path in nodes]
    if read and all(OPS[node.op].figure in ("max_pool", "average_pool") for node in read):
        return WidthRole("projection", kernel)
    return WidthRole("kernel", kernel)


def _is_chain(convs: list[NodeDef]) -> bool:
    """Tell whether each convolution reads the one before it alone."""
    return all(later.inputs == (earlier.path,) for earlier, later in pairwise(convs))


def _follow(node: NodeDef, kernel: Kernel, nodes: Mapping[Path, NodeDef]) -> Iterator[NodeDef]:
    """Yield a convolution and those behind it that have its kernel, while one alone reads it."""
    while True:
        yield node
        readers = [other for other in nodes.values() if node.path in other.inputs]
        if len(readers) != 1 or read_kernel(readers[0]) != kernel:
            return
        (node,) = readers
