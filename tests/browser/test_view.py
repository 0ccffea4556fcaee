"""The page of a spec while it is edited: what a browser shows after each save."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from conftest import NET, Project
from playwright.sync_api import Browser, Page, expect

from inception_dsl.cli import main

GOOD = """\
inception: 1
name: net
input: 8x8x3
network:
  - a: 1x1 conv ({width})
  - b: 3x3 conv (4)
"""
BROKEN = GOOD.replace("3x3 conv", "3x3 cnov")

Served = tuple[str, "subprocess.Popen[str]"]


@pytest.fixture
def served(project: Project) -> Iterator[Served]:
    """Serve a spec, and return the address of its page and the process."""
    project.write(NET, GOOD.format(width=4))
    process = subprocess.Popen(
        [sys.executable, "-m", "inception_dsl", "view", "net"],
        cwd=project.root,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    yield process.stderr.readline().split()[0], process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    process.stderr.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """Open the page of the spec."""
    complaints: list[str] = []
    opened = browser.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(served[0])
    yield opened
    opened.close()
    assert complaints == []


def test_fifty_quick_saves_end_in_the_last_figure(page: Page, project: Project) -> None:
    page.locator('.box[data-path="b"]').click()
    for width in range(5, 55):
        text = BROKEN if width % 2 else GOOD
        project.write(NET, text.format(width=width))
        time.sleep(0.01)
    expect(page.locator('.box[data-path="a"]')).to_contain_text("(54)")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator('.box[data-path="b"]')).to_have_attribute("aria-current", "true")


def test_a_broken_text_keeps_the_last_figure_and_is_told_in_its_place(
    page: Page, project: Project
) -> None:
    project.write(NET, BROKEN.format(width=9))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("error[E2")
    expect(alert).to_contain_text("specs/net.yaml:6:")
    expect(alert).to_contain_text("conv")
    expect(page.locator('.box[data-path="a"]')).to_contain_text("(4)")
    expect(page.locator(".wrong")).to_have_attribute("data-path", "b")
    project.write(NET, GOOD.format(width=9))
    expect(page.locator('.box[data-path="a"]')).to_contain_text("(9)")
    expect(alert).to_have_count(0)


def test_a_spec_that_begins_broken_waits(
    browser: Browser, served: Served, project: Project
) -> None:
    project.write(NET, BROKEN.format(width=9))
    second = subprocess.Popen(
        [sys.executable, "-m", "inception_dsl", "view", "net"],
        cwd=project.root,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    with browser.new_page() as page:
        page.goto(second.stderr.readline().split()[0])
        expect(page.get_by_role("heading", name="No figure yet")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("error[E2")
        project.write(NET, GOOD.format(width=9))
        expect(page.locator('.box[data-path="a"]')).to_contain_text("(9)")
    second.send_signal(signal.SIGTERM)
    second.wait(10)
    second.stderr.close()


def test_the_server_answers_to_its_own_names_alone(served: Served) -> None:
    address, _ = served
    assert address.startswith("http://127.0.0.1:")
    request = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}specs/net.yaml")
    with urllib.request.urlopen(address) as answer:
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_what_cannot_be_viewed_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "timm:resnet18"]) == 2
    assert "render timm:resnet18 --format html" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["view", "net", "--port", "0x"])
    assert "is no port from 1 to 65,535" in capsys.readouterr().err
