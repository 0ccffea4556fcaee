"""The page of every code: what it means, a bad spec with what is said of it, a good one.

The pages are docs/errors/; a wheel carries them inside the package.
"""

from __future__ import annotations

from pathlib import Path


def pages() -> Path:
    """The folder of the pages: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "pages"
    return installed if installed.is_dir() else package.parent / "docs" / "errors"


def page(code: str) -> str:
    """The page of a code, as Markdown."""
    return (pages() / f"{code}.md").read_text(encoding="utf-8")
