"""Random trees: whatever their form, boxes, lines and texts keep out of each other's way."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont
from random_specs import QUICK
from random_trees import (
    assert_is_decomposed_into_itself,
    assert_nothing_overlaps,
    assert_nothing_overlaps_in_columns,
    styles,
    trees,
)
from read_svg import read

from inception_dsl.emit.figure.content.tree import Leaf, Line, Mark, Series
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.arrange import place_tree
from inception_dsl.emit.figure.layout.metrics import DRAWABLE, text_width
from inception_dsl.emit.figure.styles import PRESETS, Style
from inception_dsl.ir import Path

FONTS = resources.files("inception_dsl.emit.figure") / "fonts"
FEW = settings(QUICK, max_examples=30)


@pytest.mark.parametrize(("font", "bold"), [("Arimo-Regular", False), ("Arimo-Bold", True)])
def test_widths_are_those_of_the_font(font: str, bold: bool) -> None:
    file, basic = str(FONTS / f"{font}.ttf"), ImageFont.Layout.BASIC
    drawn = ImageFont.truetype(file, 2048, layout_engine=basic)
    for character in sorted(DRAWABLE):
        width = drawn.getlength(character) / 2.048
        assert text_width(character, 1000, bold=bold) == pytest.approx(width, abs=0.5), character


@pytest.mark.parametrize("font", ["Arimo-Regular", "Arimo-Bold"])
def test_the_font_has_every_character_whose_width_is_known(font: str) -> None:
    drawn = ImageFont.truetype(str(FONTS / f"{font}.ttf"), 64)
    missing = bytes(drawn.getmask("\U0010ffff"))
    assert missing
    assert [char for char in sorted(DRAWABLE) if bytes(drawn.getmask(char)) == missing] == []
    assert set("αβγΔΣΩ ДЖя → ≤ ≥ ≠ ∞ ² ₂ Łęś") <= DRAWABLE


@given(trees(), styles)
@FEW
def test_nothing_overlaps_in_the_figure_of_a_random_tree(tree: Series, style: Style) -> None:
    assert_nothing_overlaps(tree, style)


@given(trees(), styles, st.integers(2, 4))
@FEW
def test_nothing_overlaps_when_a_random_tree_stands_in_columns(
    tree: Series, style: Style, columns: int
) -> None:
    assert_nothing_overlaps_in_columns(tree, style, columns)


@given(trees())
@FEW
def test_the_graph_of_a_random_tree_is_taken_apart_into_that_tree(tree: Series) -> None:
    assert_is_decomposed_into_itself(tree)


def leaf_named(path: str, line: Line) -> Leaf:
    return Leaf((Path(path),), "conv3", (line,))


def test_a_marked_leaf_departs_from_the_look_of_its_kind() -> None:
    name = Line("3x3 Conv", bold=True)
    before, behind = leaf_named("a", name), leaf_named("c", name)
    mark = Mark("#FFF3EA", "#C24E00", 2, "5 3", edge="#C24E00", badge="-", hatched=True)
    gone = replace(leaf_named("b", replace(name, struck=True)), mark=mark)
    svg = to_svg(place_tree(Series((before, gone, behind)), PRESETS["modern"]), title="")
    (group,) = (g for g in read(svg).root.iter() if g.attrib.get("data-path") == "b")
    tags = [element.tag.partition("}")[2] for element in group]
    # Its shape, the hatching over it, its text and the line through it, a disc and the sign in it.
    assert tags == ["title", "rect", "path", "text", "path", "circle", "path"]
    assert (group[1].attrib["fill"], group[1].attrib["stroke-dasharray"]) == ("#FFF3EA", "5 3")
    lines = [g for g in read(svg).root.iter() if g.attrib.get("stroke") == "#C24E00"]
    touching = {p.attrib["data-to"] for g in lines for p in g if "data-to" in p.attrib}
    assert touching == {"b", "c"}
