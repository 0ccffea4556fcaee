"""A tree as boxes and the lines between them, for what finds its places by itself: DOT, Mermaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inception_dsl.emit.figure.content.tree import (
    Element,
    Group,
    Leaf,
    Mesh,
    Parallel,
    Residual,
    Series,
    Stub,
)


@dataclass(slots=True)
class Cluster:
    """Boxes by their numbers, and clusters, under a label."""

    label: str = ""
    is_head: bool = False
    members: list[int | Cluster] = field(default_factory=list)


@dataclass(slots=True)
class Graph:
    """Boxes, whose numbers are their places in the list, and from which to which lines go."""

    leaves: list[Leaf] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    whole: Cluster = field(default_factory=Cluster)

    def add(self, element: Element, sources: Sequence[int], cluster: Cluster) -> list[int]:
        """Adds an element that reads some boxes; gives the boxes that lead on."""
        match element:
            case Leaf():
                number = len(self.leaves)
                self.leaves.append(element)
                cluster.members.append(number)
                self.edges += [(source, number) for source in sources]
                return [number]
            case Series(items):
                for item in items:
                    sources = self.add(item, sources, cluster)
                return list(sources)
            case Parallel(branches):
                return [end for own in branches for end in self.add(own, sources, cluster)]
            case Residual():
                ends = [self.add(own, sources, cluster) for own in element.in_order()]
                return self.add(element.join, [*ends[0], *ends[1]], cluster)
            case Stub(body):
                self.add(body, sources, cluster)
                return []
            case Group(_, label, body, is_head):
                inner = Cluster(label, is_head)
                cluster.members.append(inner)
                return self.add(body, sources, inner)
            case Mesh():
                return self._mesh(element, sources, cluster)

    def _mesh(self, mesh: Mesh, sources: Sequence[int], cluster: Cluster) -> list[int]:
        ends = {mesh.source: list(sources)}
        for vertex in mesh.vertices:
            read = [end for path in vertex.inputs for end in ends[path]]
            ends[vertex.path] = self.add(vertex.element, read, cluster)
        return ends[mesh.output]
