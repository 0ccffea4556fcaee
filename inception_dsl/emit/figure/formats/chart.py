"""A drawing as boxes and the lines between them, for programs that find places: DOT, Mermaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inception_dsl.emit.figure.content.drawing import Drawing, PanelContent
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Mesh,
    Parallel,
    Residual,
    Series,
    StepGroup,
    Stub,
    leaf_at,
)


@dataclass(slots=True)
class Cluster:
    """Boxes by their numbers, and clusters, under a label."""

    label: str = ""
    is_head: bool = False
    members: list[int | Cluster] = field(default_factory=list)


@dataclass(slots=True)
class FlowChart:
    """Boxes, whose numbers are their places in the list, and the lines between them."""

    title: str
    leaves: list[Leaf] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    whole: Cluster = field(default_factory=Cluster)


def make_chart(drawing: Drawing) -> FlowChart:
    """Return the boxes and lines of a drawing; the panels of a poster are clusters."""
    chart = FlowChart(drawing.title)
    for panel in drawing.panels:
        cluster = chart.whole
        if drawing.arrangement == "poster":
            cluster = Cluster(panel.title)
            chart.whole.members.append(cluster)
        _add_panel(chart, panel, cluster)
    return chart


def _add_panel(chart: FlowChart, panel: PanelContent, cluster: Cluster) -> None:
    _add(chart, panel.tree, [], cluster)
    for path, group in panel.heads:
        source = leaf_at(panel.tree, path)
        number = next(n for n, leaf in enumerate(chart.leaves) if leaf is source)
        _add(chart, group, [number], cluster)


def _add(chart: FlowChart, element: Element, sources: Sequence[int], cluster: Cluster) -> list[int]:
    """Add an element that reads some boxes, and return the boxes that lead on."""
    match element:
        case Leaf(form="point"):
            return []
        case Leaf():
            number = len(chart.leaves)
            chart.leaves.append(element)
            cluster.members.append(number)
            chart.edges += [(source, number) for source in sources]
            return [number]
        case Series(items):
            for item in items:
                sources = _add(chart, item, sources, cluster)
            return list(sources)
        case Parallel(branches):
            return [end for branch in branches for end in _add(chart, branch, sources, cluster)]
        case Residual():
            first, second = (_add(chart, side, sources, cluster) for side in element.in_order())
            return _add(chart, element.join, [*first, *second], cluster)
        case Stub(body):
            _add(chart, body, sources, cluster)
            return []
        case StepGroup(_, label, body, is_head):
            inner = Cluster(label, is_head)
            cluster.members.append(inner)
            return _add(chart, body, sources, inner)
        case Mesh():
            return _add_mesh(chart, element, sources, cluster)


def _add_mesh(chart: FlowChart, mesh: Mesh, sources: Sequence[int], cluster: Cluster) -> list[int]:
    ends = {mesh.source: list(sources)}
    for vertex in mesh.vertices:
        read = [end for name in vertex.inputs for end in ends[name]]
        ends[vertex.name] = _add(chart, vertex.element, read, cluster)
    return ends[mesh.output]
