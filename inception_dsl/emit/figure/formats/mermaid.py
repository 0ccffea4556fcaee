"""A figure as a Mermaid flow chart, which GitHub draws in comments and in Markdown files.

What an author wrote is escaped, as is what Mermaid takes for Markdown or for a word of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inception_dsl.characters import is_printable
from inception_dsl.emit.figure.content.tree import Leaf
from inception_dsl.emit.figure.formats.graph import Cluster, Graph
from inception_dsl.emit.figure.styles import HEAD, PANEL, Style, frame_paint, paint

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 (),/=_")
_SHAPES = {"box": ("[", "]"), "pill": ("([", "])"), "sum": ("((", "))"), "product": ("((", "))")}


def to_mermaid(graph: Graph, style: Style, *, title: str) -> str:
    """A graph as the text of a chart.

    Args:
        title: the chart's, for readers that cannot see it.
    """
    direction = "BT" if style.direction == "up" else "TB"
    lines = [
        f"flowchart {direction}",
        f"    accTitle: {_escaped(title)}",
        *_members(graph, graph.whole, direction),
        *(f"    n{source} --> n{target}" for source, target in graph.edges),
    ]
    for kind in dict.fromkeys(leaf.kind for leaf in graph.leaves):
        own = paint(kind, style)
        dash = f",stroke-dasharray:{own.dash}" if own.dash else ""
        lines.append(
            f"    classDef {kind} fill:{own.fill},stroke:{own.stroke},color:{own.text}{dash}"
        )
        members = ",".join(f"n{n}" for n, leaf in enumerate(graph.leaves) if leaf.kind == kind)
        lines.append(f"    class {members} {kind}")
    return "\n".join([*lines, *_frames(graph, style)]) + "\n"


def _members(
    graph: Graph, cluster: Cluster, direction: str, indent: str = "    ", name: str = "g"
) -> Iterator[str]:
    for index, member in enumerate(cluster.members):
        if isinstance(member, int):
            leaf = graph.leaves[member]
            opened, closed = _SHAPES[leaf.form]
            yield f'{indent}n{member}{opened}"{_label(leaf)}"{closed}'
        else:
            inner = f"{name}{index}"
            yield f'{indent}subgraph {inner}["{_escaped(member.label)}"]'
            # A subgraph that nothing leads into does not take the chart's direction.
            yield f"{indent}    direction {direction}"
            yield from _members(graph, member, direction, f"{indent}    ", f"{inner}_")
            yield f"{indent}end"


def _frames(graph: Graph, style: Style) -> Iterator[str]:
    for name, cluster in _clusters(graph.whole, "g"):
        own = frame_paint(HEAD if cluster.is_head else PANEL, style)
        dash = f",stroke-dasharray:{own.dash}" if own.dash else ""
        # No fill: the label of a frame has the colour of the reader's theme, perhaps a dark one.
        yield f"    style {name} fill:none,stroke:{own.stroke}{dash}"


def _clusters(cluster: Cluster, name: str) -> Iterator[tuple[str, Cluster]]:
    for index, member in enumerate(cluster.members):
        if isinstance(member, Cluster):
            yield f"{name}{index}", member
            yield from _clusters(member, f"{name}{index}_")


def _label(leaf: Leaf) -> str:
    match leaf.form:
        case "sum":
            lines = ["#43;"]
        case "product":
            lines = ["#215;"]
        case _:
            lines = [
                f"<b>{_escaped(line.text)}</b>" if line.bold else _escaped(line.text)
                for line in leaf.lines
            ]
    if leaf.note:
        lines.append(f"<i>{_escaped(leaf.note)}</i>")
    return "<br/>".join(lines)


def _escaped(text: str) -> str:
    """Return a text on one line, with an entity for every character that is not plain.

    A `.` is not plain, because `1. a` would make a list. Two dollars would begin a formula: a space
    without a width keeps them apart.
    """
    line = "".join(c if is_printable(c) else " " for c in text)
    apart = re.sub(r"\$(?=\$)", "$\u200b", line)
    return "".join(c if c in _PLAIN else f"#{ord(c)};" for c in apart)
