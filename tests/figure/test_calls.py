"""The figure of one call of a block has its numbers; that of a block, what its calls have."""

from __future__ import annotations

import pytest
from read_svg import read

from inception_dsl.cli import main


def draw(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["render", *words]) == 0
    return read(capsys.readouterr().out).texts()


def test_a_call_has_the_widths_of_the_papers_table(capsys: pytest.CaptureFixture[str]) -> None:
    """GoogLeNet, arXiv:1409.4842, Table 1: inception (3a) is 64, 96, 128, 16, 32, 32."""
    texts = draw(capsys, "googlenet", "--block", "inception_3a")
    widths = [text for text in texts if text.strip("()").isdigit()]
    assert sorted(widths) == sorted(["(64)", "(96)", "(128)", "(16)", "(32)", "(32)"])
    assert texts[-2].endswith(": inception_3a")


def test_copies_of_a_call_are_one_figure(capsys: pytest.CaptureFixture[str]) -> None:
    texts = draw(capsys, "timm/inception_resnet_v2", "--block", "inception_c")
    assert any("0.2 scaling" in text for text in texts)
    assert not any(" or " in text for text in texts)


def test_a_block_shows_all_values_that_its_calls_have(capsys: pytest.CaptureFixture[str]) -> None:
    texts = draw(capsys, "timm/inception_resnet_v2", "--block", "inception_resnet_c")
    assert "(ReLU or none)" in texts
    assert "\N{MULTIPLICATION SIGN} 0.2 or 1 scaling" in texts


@pytest.mark.parametrize("detail", ["schema", "poster", "full"])
def test_a_line_and_its_arrow_are_one_group(
    detail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An editor of drawings moves both, and names each part as the description does."""
    assert main(["render", "inception_v4", "--detail", detail]) == 0
    drawn = read(capsys.readouterr().out)
    groups = [g for g in drawn.root.iter() if "data-from" in g.attrib]
    assert len(groups) == len(drawn.lines)
    ends = [g[-1].attrib["d"].removeprefix("M").partition("L")[0] for g in groups]
    for group, tip in zip(groups, ends, strict=True):
        assert [path.attrib.get("stroke") for path in group] == [None, "none"]
        x, y = map(float, tip.split(","))
        assert any(
            box.place.left <= x <= box.place.right and box.place.top <= y <= box.place.bottom
            for box in drawn.boxes
            if box.path == group.attrib["data-to"]
        )
    ids = [g.attrib["id"] for g in drawn.root.iter() if "id" in g.attrib]
    assert len({*ids}) == len(ids) == len(groups) + len(drawn.boxes)


def test_the_description_says_what_reads_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "googlenet", "--block", "inception_3a"]) == 0
    description = read(capsys.readouterr().out).root[1]
    assert description.tag.endswith("desc")
    assert (description.text or "").endswith(
        "concat reads b1x1, b3x3.conv2, b5x5.conv2 and pool.conv."
    )
