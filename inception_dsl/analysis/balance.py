"""The width and the depth of a network's stages, which work on maps of about one size.

The width of a stage is the number of channels of as many 1x1 convolutions in a row that need as
many multiply-accumulates on its first map. It does not depend on the way in which the channels are
divided into branches.

Source: Szegedy et al., arXiv:1512.00567, Section 2, principle 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from inception_dsl.ir import Node
from inception_dsl.ops import OPS

SAME_SIZE = 0.75
"""The smallest part of its first map's side that a map of a stage has."""


@dataclass(frozen=True, slots=True)
class GridStage:
    """The layers of a network on maps of about one size.

    Attributes:
        nodes: its nodes that give maps, in order.
        grid: the height and the width of its first map.
        depth: the layers in a row, on the longest path.
        macs: the multiply-accumulates of an image.
    """

    nodes: tuple[Node, ...]
    grid: tuple[int, int]
    depth: int
    macs: int

    @property
    def width(self) -> float:
        """The channels of a row of 1x1 convolutions of its depth and its cost."""
        height, width = self.grid
        return sqrt(self.macs / (self.depth * height * width))

    @property
    def proportion(self) -> float:
        """The channels for each layer in a row."""
        return self.width / self.depth


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A stage whose width and depth are in another proportion than in the stages beside it.

    Attributes:
        times: how much larger or smaller the proportion is, at least; over 1 if the stage is too
            wide for its depth.
        depth, width: those of as many multiply-accumulates in the proportion of both neighbours.
    """

    before: GridStage
    stage: GridStage
    behind: GridStage
    times: float
    depth: int
    width: int


def measure_stages(nodes: Sequence[Node]) -> tuple[GridStage, ...]:
    """Measure the stages of a network, in order; layers that give vectors are no part of one."""
    stages: list[tuple[tuple[int, int], list[Node]]] = []
    for node in nodes:
        if not node.type.is_map or node.type.size == (1, 1):
            continue
        for grid, members in stages:
            if _are_alike(grid, node.type.size):
                members.append(node)
                break
        else:
            stages.append((node.type.size, [node]))
    measured = (_measure(grid, members) for grid, members in stages)
    return tuple(stage for stage in measured if stage.depth and stage.macs)


def _are_alike(first: tuple[int, int], other: tuple[int, int]) -> bool:
    ratio = sqrt(other[0] * other[1] / (first[0] * first[1]))
    return SAME_SIZE < ratio < 1 / SAME_SIZE


def _measure(grid: tuple[int, int], nodes: list[Node]) -> GridStage:
    depths: dict[str, int] = {}
    macs = 0
    for node in nodes:
        op = OPS[node.op]
        before = max((depths.get(path, 0) for path in node.inputs), default=0)
        depths[node.path] = before + op.counts_in_depth
        macs += op.cost(node.attributes, node.input_types, node.type).macs
    return GridStage(tuple(nodes), grid, max(depths.values()), macs)


def find_imbalances(stages: Sequence[GridStage], times: float) -> Iterator[Imbalance]:
    """Yield the stages whose proportion is that much larger than on both sides, or smaller."""
    for before, stage, behind in zip(stages, stages[1:], stages[2:], strict=False):
        ratios = [stage.proportion / side.proportion for side in (before, behind)]
        nearest = min(ratios) if min(ratios) > 1 else max(ratios)
        if not (nearest >= times or nearest <= 1 / times):
            continue
        meant = sqrt(before.proportion * behind.proportion)
        depth = max(1, round((stage.depth * stage.width**2 / meant**2) ** (1 / 3)))
        width = round(stage.width * sqrt(stage.depth / depth))
        yield Imbalance(before, stage, behind, nearest, depth, width)
