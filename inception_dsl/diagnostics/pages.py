"""The page of every code: its meaning, a bad spec with the findings in it, a good spec.

The pages are docs/errors/; a wheel carries them inside the package.
"""

from __future__ import annotations

from pathlib import Path


def pages() -> Path:
    """Return the folder of the pages: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "pages"
    return installed if installed.is_dir() else package.parent / "docs" / "errors"


def page(code: str) -> str:
    """Return the page of a code, as Markdown."""
    return (pages() / f"{code}.md").read_text(encoding="utf-8")
