"""A figure as DOT, for Graphviz and other readers of its language.

It is written through the `graphviz` package, imported here alone. Branches keep their order and
stand near their fork; a line around a body does not lengthen it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from inception_dsl.channels import xml_text
from inception_dsl.diagnostics import MissingExtraError
from inception_dsl.emit.figure.content.tree import Leaf
from inception_dsl.emit.figure.formats.chart import Cluster, FlowChart
from inception_dsl.emit.figure.styles import EDGE, HEAD, NOTE, PANEL, Style, frame_paint, paint

if TYPE_CHECKING:
    from graphviz import Digraph


def to_dot(chart: FlowChart, style: Style) -> str:
    """Return a chart as the text of a DOT file.

    Raises:
        MissingExtraError: the `graphviz` package is not installed.
    """
    try:
        from graphviz import Digraph
    except ImportError:
        raise MissingExtraError("DOT", "graphviz", "dot") from None
    dot = Digraph(
        graph_attr={
            "rankdir": "BT" if style.direction == "up" else "TB",
            "label": _html(chart.title, bold=True),
            "labelloc": "t",
            "fontname": "Helvetica",
            "fontsize": "14",
            "nodesep": "0.25",
            "ranksep": "0.3",
            "ordering": "in",
        },
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fontname": "Helvetica",
            "fontsize": "11",
            "margin": "0.15,0.06",
            "height": "0.38",
            "width": "1.05",
        },
        edge_attr={"color": EDGE, "arrowsize": "0.7"},
    )
    _add_members(dot, chart, chart.whole, style, "g")
    readers = Counter(target for _, target in chart.edges)
    for source, target in chart.edges:
        # What leads into a join is free to be long, so that branches stay near their fork.
        dot.edge(f"n{source}", f"n{target}", weight="1" if readers[target] > 1 else "10")
    return str(dot.source)


def _add_members(dot: Digraph, chart: FlowChart, cluster: Cluster, style: Style, name: str) -> None:
    for index, member in enumerate(cluster.members):
        if isinstance(member, int):
            leaf = chart.leaves[member]
            colours = paint(leaf.kind, style)
            dot.node(
                f"n{member}",
                _label(leaf),
                shape="circle" if leaf.is_circle else "box",
                fillcolor=colours.fill,
                color=colours.stroke,
                fontcolor=colours.text,
                style="filled,dashed,rounded" if colours.dash else "filled,rounded",
                tooltip=_escaped(leaf.tooltip),
            )
            continue
        colours = frame_paint(HEAD if member.is_head else PANEL, style)
        with dot.subgraph(name=f"cluster_{name}{index}") as inner:
            inner.attr(
                label=_html(member.label, bold=True),
                labeljust="l",
                style="dashed,rounded" if colours.dash else "filled,rounded",
                color=colours.stroke,
                fillcolor="white" if colours.fill == "none" else colours.fill,
                fontcolor=colours.text if member.is_head else NOTE,
            )
            _add_members(inner, chart, member, style, f"{name}{index}_")


def _label(leaf: Leaf) -> str:
    match leaf.form:
        case "sum":
            return "+"
        case "product":
            return "x"
        case _:
            parts = [_marked(line.text, bold=line.bold) for line in leaf.lines]
    if leaf.note:
        parts.append(f'<FONT COLOR="{NOTE}">{_marked(leaf.note)}</FONT>')
    return f"<{'<BR/>'.join(parts)}>"


def _html(text: str, *, bold: bool) -> str:
    return f"<{_marked(text, bold=bold)}>"


def _marked(text: str, *, bold: bool = False) -> str:
    """Return an author's text within an HTML-like label; an empty one would be no label."""
    shcolours = _escaped(text) or " "
    return f"<B>{shcolours}</B>" if bold else shcolours


def _escaped(text: str) -> str:
    r"""Return a text on one line as HTML in which no `\N` or `\G` stands for a name."""
    return xml_text(text.replace("\\", "\\\\"))
