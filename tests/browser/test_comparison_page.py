"""The page of a comparison: both sides of it, and findings that lead to their boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NET, Project
from playwright.sync_api import Browser, expect
from reader import Reader

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.emit.diff import FORMATS
from inception_dsl.resolve import AS_WRITTEN

HERE = Path(__file__).parent


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> Iterator[Reader]:
    """Return a reader with no page open yet."""
    made = Reader(browser, tmp_path)
    yield made
    made.close()


def compare(*specs: str, folder: Path = HERE) -> str:
    report = driver.compare(*specs, folder=folder, overrides=AS_WRITTEN, fail_on="never")
    return FORMATS["html"](report)


@pytest.mark.parametrize(
    "pair",
    [("inception_v4", "community/lucid_v4"), ("inception_v3", "torchvision/inception_v3")],
)
def test_each_finding_with_a_place_leads_to_a_box(pair: tuple[str, str], reader: Reader) -> None:
    page = reader.open(compare(*pair))
    report = driver.compare(*pair, folder=HERE, overrides=AS_WRITTEN, fail_on="never")
    (made,) = report.comparisons
    buttons = page.locator(".findings button")
    expect(buttons).to_have_count(len(made.findings))
    led = 0
    for place, finding in enumerate(made.findings):
        if finding.edit is None or str(finding.at) in ("", "network"):
            continue
        buttons.nth(place).click()
        chosen = page.locator("[aria-current]")
        expect(chosen).to_have_count(1)
        expect(chosen).to_be_visible()
        expect(page.locator("#facts .fails").first).to_be_visible()
        page.keyboard.press("Escape")
        led += 1
    assert led >= 5


def test_the_other_side_keeps_what_is_chosen_and_open(reader: Reader) -> None:
    page = reader.open(compare("inception_v4", "community/lucid_v4"))
    new = "conv.inception_module_v4a.0.branch1.conv"
    page.goto(f"{page.url}#open=all&at={new}")
    expect(page.locator("[aria-current]")).to_have_attribute("data-path", new)
    page.get_by_label("old").check()
    expect(page.locator("[aria-current]")).to_have_attribute("data-path", "inception_a.0.pool.conv")
    page.get_by_label("new").check()
    expect(page.locator("[aria-current]")).to_have_attribute("data-path", new)


def test_only_changes_dims_the_rest(reader: Reader, project: Project) -> None:
    text = (
        "inception: 1\nname: {}\ninput: 8x8x3\nnetwork:\n  - a: 1x1 conv (4)\n  - b: 3x3 {} (4)\n"
    )
    project.write(NET, text.format("net", "conv"))
    project.write("specs/other.yaml", text.format("other", "sepconv"))
    page = reader.open(compare("net", "other", folder=project.root))
    page.get_by_label("only changes").check()
    kinds = {path: page.locator(f'.box[data-path="{path}"]') for path in ("a", "b")}
    assert "dim" in (kinds["a"].get_attribute("class") or "")
    assert "dim" not in (kinds["b"].get_attribute("class") or "")
    assert "changed" in (kinds["b"].get_attribute("class") or "")


def test_what_was_not_compared_stands_on_the_page(
    reader: Reader, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(NET, "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 cnov (4)]\n")
    file = project.root / "made.html"
    assert main(["diff", str(project.root / NET), "googlenet", "-o", str(file)]) == 2
    assert "cnov" in capsys.readouterr().err
    expect(reader.open(file.read_text()).locator("#facts")).to_contain_text("cnov")
