"""A figure as a Mermaid flow chart, which GitHub draws in comments and in Markdown files.

An author's text is escaped: Mermaid would read Markdown, formulas and words of its own in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inception_dsl.characters import is_printable
from inception_dsl.emit.figure.content.tree import Leaf
from inception_dsl.emit.figure.formats.chart import Cluster, FlowChart
from inception_dsl.emit.figure.styles import HEAD, PANEL, Style, frame_paint, paint

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 (),/=_")
_SHAPES = {"box": ("[", "]"), "pill": ("([", "])"), "sum": ("((", "))"), "product": ("((", "))")}


def to_mermaid(chart: FlowChart, style: Style) -> str:
    """Return a chart as the text of a Mermaid file."""
    direction = "BT" if style.direction == "up" else "TB"
    lines = [
        f"flowchart {direction}",
        f"    accTitle: {_escape(chart.title)}",
        *_members(chart, chart.whole, direction),
        *(f"    n{source} --> n{target}" for source, target in chart.edges),
    ]
    for kind in dict.fromkeys(leaf.kind for leaf in chart.leaves):
        colours = paint(kind, style)
        dash = f",stroke-dasharray:{colours.dash}" if colours.dash else ""
        fill, stroke, text = colours.fill, colours.stroke, colours.text
        lines.append(f"    classDef {kind} fill:{fill},stroke:{stroke},color:{text}{dash}")
        members = ",".join(f"n{n}" for n, leaf in enumerate(chart.leaves) if leaf.kind == kind)
        lines.append(f"    class {members} {kind}")
    return "\n".join([*lines, *_frames(chart, style)]) + "\n"


def _members(
    chart: FlowChart, cluster: Cluster, direction: str, indent: str = "    ", name: str = "g"
) -> Iterator[str]:
    for index, member in enumerate(cluster.members):
        if isinstance(member, int):
            leaf = chart.leaves[member]
            opened, closed = _SHAPES[leaf.form]
            yield f'{indent}n{member}{opened}"{_label(leaf)}"{closed}'
        else:
            inner = f"{name}{index}"
            yield f'{indent}subgraph {inner}["{_escape(member.label)}"]'
            # A subgraph that nothing leads into does not take the chart's direction.
            yield f"{indent}    direction {direction}"
            yield from _members(chart, member, direction, f"{indent}    ", f"{inner}_")
            yield f"{indent}end"


def _frames(chart: FlowChart, style: Style) -> Iterator[str]:
    for name, cluster in _clusters(chart.whole, "g"):
        colours = frame_paint(HEAD if cluster.is_head else PANEL, style)
        dash = f",stroke-dasharray:{colours.dash}" if colours.dash else ""
        # No fill: the label of a frame has the colour of the reader's theme, perhaps a dark one.
        yield f"    style {name} fill:none,stroke:{colours.stroke}{dash}"


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
                f"<b>{_escape(line.text)}</b>" if line.bold else _escape(line.text)
                for line in leaf.lines
            ]
    if leaf.note:
        lines.append(f"<i>{_escape(leaf.note)}</i>")
    return "<br/>".join(lines)


def _escape(text: str) -> str:
    """Return a text on one line, with an entity for every character that is not plain.

    A `.` is not plain, because `1. a` would make a list. Two dollars would begin a formula: a space
    without a width keeps them apart.
    """
    line = "".join(c if is_printable(c) else " " for c in text)
    apart = re.sub(r"\$(?=\$)", "$\u200b", line)
    return "".join(c if c in _PLAIN else f"#{ord(c)};" for c in apart)
