"""Chromium, and a reader who opens pages in it and notes what they ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Reader:
    """A reader with a page open, who notes its requests and its complaints."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.folder = folder
        self.page: Page = browser.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._note_request)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def _note_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def open(self, text: str, hash: str = "") -> Page:
        """Open a page from a file."""
        file = self.folder / "page.html"
        file.write_text(text, encoding="utf-8")
        self.page.goto(f"{file.as_uri()}{hash}")
        return self.page

    def close(self) -> None:
        """Leave; the page has asked for nothing but itself, and has not complained."""
        self.page.close()
        assert {url.partition("#")[0] for url in self.requests} == {
            (self.folder / "page.html").as_uri()
        }
        assert self.complaints == []


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Start Chromium, which must be installed."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program is not None, f"none of {', '.join(BROWSERS)} is installed"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
