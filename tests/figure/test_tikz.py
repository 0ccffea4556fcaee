"""Figures as TikZ: names, one line of TikZ for each line of the figure, and TeX that sets them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from read_svg import read

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.driver import Checked
from inception_dsl.emit.figure import Request, find_style, render_figure

ROOT = Path(__file__).parents[2]

NODE = re.compile(r"\\node\[[^]]*\] \(([A-Za-z0-9-]+)\)")

needs_tex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")


@pytest.fixture(scope="module")
def inception_v4() -> Checked:
    """The network whose figures are drawn."""
    return driver.check("inception_v4", folder=ROOT)


def draw(checked: Checked, request: Request) -> str:
    return render_figure(checked.model, checked.cost, request).content.decode()


def test_nodes_are_named_by_path_and_each_line_is_drawn_once(inception_v4: Checked) -> None:
    picture = draw(inception_v4, Request(block="inception_b", format="tikz"))
    svg = read(draw(inception_v4, Request(block="inception_b")))
    assert NODE.findall(picture) == [box.path.replace(".", "-") for box in svg.boxes]
    lines = [element for element in svg.root.iter() if "data-from" in element.attrib]
    assert picture.count("\\draw[idsl edge") == len(lines)


def test_every_node_of_a_poster_has_a_name_of_its_own(inception_v4: Checked) -> None:
    names = NODE.findall(draw(inception_v4, Request("poster", format="tikz")))
    assert len(set(names)) == len(names)
    assert {"schema-inception-a", "inception-c-b3x3dbl-conv3"} <= set(names)


def test_text_of_an_author_is_set_and_not_run(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    hostile = r"a\input{b} % #1 $x$ ^^41 {~}"
    spec.write_text(
        f"inception: 1\nname: net\ntitle: '{hostile}'\nsource: '{hostile}'\ninput: 8x8x3\n"
        f"blocks:\n  one: {{title: '{hostile}', steps: [1x1 conv (4), relu]}}\n"
        "network: [one, one]\n"
    )
    output = tmp_path / "net.tikz"
    assert main(["render", str(spec), "--detail", "poster", "-o", str(output)]) == 0
    picture = output.read_text()
    assert "\\input{" not in picture
    assert "\\textbackslash{}input\\{b\\} \\% \\#1 \\$x\\$" in picture
    if shutil.which("pdflatex"):
        assert "1x1 Conv" in typeset(tmp_path, [picture])


def typeset(folder: Path, pictures: list[str]) -> str:
    """Return the text of the pages that LaTeX makes of pictures."""
    body = "\n\\newpage\n".join(pictures)
    (folder / "doc.tex").write_text(
        "\\documentclass{article}\n\\usepackage[paperwidth=150cm,paperheight=150cm]{geometry}\n"
        "\\usepackage[T1]{fontenc}\n\\usepackage{helvet}\n"
        "\\usepackage{tikz}\\usetikzlibrary{arrows.meta}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [*command, "doc.tex"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    pages = pypdfium2.PdfDocument(folder / "doc.pdf")
    return "\n".join(page.get_textpage().get_text_bounded() for page in pages)


@needs_tex
def test_latex_sets_every_look(inception_v4: Checked, tmp_path: Path) -> None:
    pictures = [
        draw(inception_v4, Request("poster", format="tikz", cost="macs", theme="dark")),
        draw(inception_v4, Request("full", format="tikz", style=find_style("paper", "down"))),
    ]
    changes = tmp_path / "changes.tikz"
    assert main(["diff", "inception_v4", "community/lucid_v4", "-o", str(changes)]) == 1
    text = typeset(tmp_path, [*pictures, changes.read_text()])
    svg = read(draw(inception_v4, Request("poster")))
    assert all(line in text for box in svg.boxes for line in box.lines)
