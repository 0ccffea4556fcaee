"""Figures for a page: PDF files, dark pages, no ground, no title, images of any density."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
from pypdf import PdfReader
from read_svg import Drawn, read

from inception_dsl import driver, load
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import Checked
from inception_dsl.emit.figure import Request, find_style, render_figure
from inception_dsl.emit.figure.layout.themes import DARK, DARK_PAPER

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def inception_v4() -> Checked:
    """The network whose figures are drawn."""
    return driver.check("inception_v4", folder=ROOT)


def draw(checked: Checked, request: Request) -> bytes:
    return render_figure(checked.model, checked.cost, request).content


def test_a_pdf_has_one_page_of_the_figures_size(inception_v4: Checked) -> None:
    svg = read(draw(inception_v4, Request("poster")).decode()).root
    page = PdfReader(io.BytesIO(draw(inception_v4, Request("poster", format="pdf")))).pages
    assert len(page) == 1
    box = page[0].mediabox
    assert float(box.width) == pytest.approx(float(svg.attrib["width"]) * 0.75, abs=0.01)
    assert float(box.height) == pytest.approx(float(svg.attrib["height"]) * 0.75, abs=0.01)


def test_every_font_of_a_pdf_is_embedded_and_its_text_is_found(inception_v4: Checked) -> None:
    content = draw(inception_v4, Request(block="inception_b", format="pdf"))
    page: Any = PdfReader(io.BytesIO(content)).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert {font["/BaseFont"].partition("+")[2] for font in fonts} == {
        "Arimo-Regular",
        "Arimo-Bold",
    }
    assert all("/FontFile2" in font["/FontDescriptor"] and "/ToUnicode" in font for font in fonts)
    assert "/ExtGState" not in page["/Resources"]  # no transparency
    found = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_bounded()
    svg = read(draw(inception_v4, Request(block="inception_b")).decode())
    words = {text for text in svg.texts() if text}
    assert words
    assert all(text in found for text in words)


def test_a_pdf_has_the_pixels_of_the_png(inception_v4: Checked) -> None:
    """Another renderer draws the same picture, but for the edges of letters and lines."""
    requests = [Request("schema", format=name, scale=2) for name in ("png", "pdf")]
    png, pdf = (draw(inception_v4, request) for request in requests)
    width, height = struct.unpack(">II", png[16:24])
    page = pypdfium2.PdfDocument(pdf)[0]
    drawn = page.render(scale=2 / 0.75, rev_byteorder=True).to_numpy()
    image = _pixels(png)
    assert abs(drawn.shape[1] - width) <= 1
    assert abs(drawn.shape[0] - height) <= 1
    rows, columns = min(drawn.shape[0], height), min(drawn.shape[1], width)
    off = abs(drawn[:rows, :columns, :3].astype(int) - image[:rows, :columns, :3].astype(int))
    assert (off.max(axis=2) > 96).mean() < 0.01


def _pixels(png: bytes) -> Any:
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_same_figure_is_the_same_pdf_whatever_was_drawn_before(inception_v4: Checked) -> None:
    request = Request(block="inception_a", format="pdf")
    first = draw(inception_v4, request)
    draw(inception_v4, Request("poster", format="pdf"))
    assert draw(inception_v4, request) == first


def test_text_on_a_dark_page_is_legible(inception_v4: Checked) -> None:
    svg = read(draw(inception_v4, Request("poster", theme="dark")).decode())
    for box in svg.boxes:
        (*_, shape) = (e for e in box_of(svg.root, box.path) if e.tag.endswith("rect"))
        for text in box.texts[: len(box.lines)]:
            assert (
                contrast(text.attrib.get("fill", svg.root.attrib["fill"]), shape.attrib["fill"])
                >= 4.5
            )
        for note in box.texts[len(box.lines) :]:
            assert contrast(note.attrib["fill"], DARK_PAPER) >= 4.5


def box_of(root: ET.Element, path: str) -> ET.Element:
    return next(group for group in root.iter() if group.attrib.get("data-path") == path)


def contrast(one: str, other: str) -> float:
    """The ratio of two colours, by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in bytes.fromhex(colour[1:])]
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("style", ["modern", "paper"])
@pytest.mark.parametrize("cost", [None, "macs"])
def test_no_light_colour_is_left_on_a_dark_page(
    style: str, cost: str, inception_v4: Checked
) -> None:
    request = Request("poster", style=find_style(style), cost=cost, theme="dark")  # type: ignore[arg-type]
    _, figure = draw(inception_v4, request).decode().split("\n", 1)  # every text has its own colour
    colours = set(re.findall(r"#[0-9A-F]{6}", figure))
    assert colours <= {*DARK.values(), DARK_PAPER}


def test_a_figure_without_ground_title_and_notes() -> None:
    network = load("inception_v4")
    whole, bare = network.figure().svg, network.figure(has_title=False, has_notes=False).svg
    assert "Figure 3, 3x3 Conv (192 V)" in whole
    texts = read(bare).texts()
    assert not {"Inception-v4", "arXiv:1602.07261, Figure 9", "1"} & set(texts)
    assert read(bare).boxes[-1].lines == read(whole).boxes[-1].lines
    assert '<rect width="' in whole
    assert '<rect width="' not in network.figure(background="none").svg


def test_a_png_says_its_density(tmp_path: Path) -> None:
    sizes = {}
    for scale in ("1", "3"):
        file = tmp_path / f"x{scale}.png"
        assert main(["render", "googlenet", "--scale", scale, "-o", str(file)]) == 0
        content = file.read_bytes()
        sizes[scale] = struct.unpack(">I", content[16:20])[0]
        at = content.index(b"pHYs")
        per_metre, _, unit = struct.unpack(">IIB", content[at + 4 : at + 13])
        assert (round(per_metre * 0.0254), unit) == (96 * int(scale), 1)
    assert abs(sizes["3"] - 3 * sizes["1"]) <= 2


def test_an_image_that_would_be_huge_is_refused(inception_v4: Checked) -> None:
    with pytest.raises(SpecError, match=r"E502.*pixels"):
        draw(inception_v4, Request("poster", format="png", scale=20))


def test_choices_of_a_page_are_refused_where_another_program_draws(inception_v4: Checked) -> None:
    with pytest.raises(SpecError, match="`--theme` has no effect on `dot`"):
        draw(inception_v4, Request(format="dot", theme="dark"))


@pytest.mark.parametrize("block", ["stem_v4", "inception_a", "inception_b", "inception_c"])
def test_a_block_of_the_paper_fits_a_column_with_letters_of_six_points(
    inception_v4: Checked, block: str
) -> None:
    """Figures 3 to 6, in the 3.3 inches of a column of a paper."""
    inches, least = 3.3, 6.0
    request = Request(block=block, width=96 * inches, has_title=False, has_notes=False)
    rendered = render_figure(inception_v4.model, inception_v4.cost, request)
    assert rendered.findings == ()
    svg = read(rendered.content.decode())
    assert float(svg.root.attrib["width"]) == pytest.approx(96 * inches, abs=0.01)
    zoom = float(svg.root.attrib["width"]) / float(svg.root.attrib["viewBox"].split()[2])
    sizes = [float(text.attrib.get("font-size", 11)) for box in svg.boxes for text in box.texts]
    assert min(sizes) * zoom * 72 / 96 >= least
    right = float(svg.root.attrib["viewBox"].split()[2])
    assert all(box.place.left >= 0 and box.place.right <= right for box in svg.boxes)


def test_every_format_has_the_width_that_is_asked_for(inception_v4: Checked) -> None:
    inches = 6.9
    requests = [Request("poster", format=name, width=96 * inches) for name in ("png", "pdf")]
    png, pdf = (draw(inception_v4, request) for request in requests)
    columns, _ = struct.unpack(">II", png[16:24])
    assert columns == pytest.approx(96 * inches * requests[0].scale, abs=1)
    box = PdfReader(io.BytesIO(pdf)).pages[0].mediabox
    assert float(box.width) == pytest.approx(72 * inches, abs=0.01)


def test_letters_that_are_too_small_for_print_are_told(inception_v4: Checked) -> None:
    request = Request("poster", width=96 * 3.3)
    (finding,) = render_figure(inception_v4.model, inception_v4.cost, request).findings
    assert finding.code == "W617"
    wide = float(re.search(r"at a width of ([0-9.]+)in", finding.notes[0])[1])  # type: ignore[index]
    assert wide > 3.3


def test_a_figure_is_never_enlarged(inception_v4: Checked) -> None:
    wide = read(draw(inception_v4, Request(width=96 * 8)).decode())
    assert wide.root.attrib["viewBox"].split()[2] == wide.root.attrib["width"] == "768"
    usual = read(draw(inception_v4, Request()).decode())
    assert spans(wide) == pytest.approx(spans(usual), abs=0.011)


def spans(drawn: Drawn) -> list[float]:
    return [box.place.right - box.place.left for box in drawn.boxes]


@pytest.mark.parametrize("width", ["3.3", "0in", "1e3in", "in", "-3in", "3.3 ft", "9" * 30 + "in"])
def test_a_width_that_is_none_is_refused(width: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["render", "inception_v4", f"--width={width}"])
    assert "is no length from 0.5in to 100in" in capsys.readouterr().err
