"""An author's text in DOT and Mermaid is drawn as it was written, on one line."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

from conftest import Project

from inception_dsl import driver
from inception_dsl.emit.figure import DETAILS, Request, render_figure

SVG = "{http://www.w3.org/2000/svg}"
GRAPHVIZ = Path(sys.executable).parent / "graphviz-pure"

TITLES = [
    r"a \G c \N \E \T \H \L",
    r"ends in \\ and in \n and \l \r\\",
    r"back\slash \& \< \" '",
    "<b>bold</b> <br/> &lt; &#92;N &amp;",
    "$$x^2$$ $$$ $ `code` **bold** _low_",
    "1. a list - of * things # here",
    "quote \"of\" 'signs'; end %% %{init}% subgraph",
]


def spec(titles: list[str]) -> str:
    blocks = "".join(
        f"  b{n}: {{title: {quoted(title)}, steps: [3x3 conv (4)]}}\n"
        for n, title in enumerate(titles)
    )
    steps = "".join(f"  - s{n}: b{n}\n" for n in range(len(titles)))
    return (
        f"inception: 1\nname: net\ntitle: {quoted(titles[0])}\ninput: 16x16x3\n"
        f"blocks:\n{blocks}network:\n{steps}"
    )


def quoted(text: str) -> str:
    return "".join(['"', *(f"\\U{ord(char):08x}" for char in text), '"'])


def written(project: Project, titles: list[str], format: str) -> list[str]:
    project.write("specs/net.yaml", spec(titles))
    checked = driver.measure("specs/net.yaml", folder=project.root)
    requests = [Request(detail, format=format) for detail in DETAILS]
    return [
        render_figure(checked.model, checked.cost, request).content.decode() for request in requests
    ]


def graphviz_texts(dot: str) -> set[str]:
    done = subprocess.run(
        [GRAPHVIZ, "-Tsvg"], input=dot.encode(), capture_output=True, check=True, timeout=60
    )
    root = ET.fromstring(done.stdout)
    return {"".join(element.itertext()).replace("\xa0", " ") for element in root.iter(f"{SVG}text")}


def mermaid_texts(chart: str) -> set[str]:
    """The labels of a chart, entities decoded as Mermaid does."""
    labels = re.findall(r'"(.*)"', chart)
    parts = [part for label in labels for part in re.split(r"<br/>|</?[bi]>", label)]
    return {unescape(re.sub(r"#(\d+);", r"&#\1;", part)) for part in parts}


def test_graphviz_draws_titles_as_they_were_written(project: Project) -> None:
    schema, *_ = written(project, TITLES, "dot")
    texts = graphviz_texts(schema)
    short = [title for title in TITLES if len(title) <= 28]
    assert TITLES[0] in texts
    assert set(short) <= texts
    blocks = written(project, TITLES, "dot")[1]
    assert {" ".join(title.split()) for title in TITLES} <= {
        " ".join(text.split()) for text in graphviz_texts(blocks)
    }


def test_mermaid_is_given_titles_as_they_were_written_but_no_formula(project: Project) -> None:
    blocks = written(project, TITLES, "mermaid")[1]
    texts = mermaid_texts(blocks)
    assert set(TITLES) <= {text.replace("\u200b", "") for text in texts}
    assert not any("$$" in text for text in texts)


def test_a_line_break_keeps_two_words_apart(project: Project) -> None:
    titles = ["two\nwords", "three\r\nmore words", "a tab\tin it", "a\u2028separator"]
    for format, texts_of in (("dot", graphviz_texts), ("mermaid", mermaid_texts)):
        texts = {" ".join(text.split()) for text in texts_of(written(project, titles, format)[1])}
        assert {"two words", "three more words", "a tab in it", "a separator"} <= texts


def test_frames_of_a_chart_have_no_ground_of_their_own(project: Project) -> None:
    for chart in written(project, TITLES, "mermaid"):
        frames = re.findall(r"^ +style \w+ (.*)$", chart, re.MULTILINE)
        assert all(frame.startswith("fill:none,") for frame in frames)
