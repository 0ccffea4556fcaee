"""The site of docs/ has the README as its first page, and the files that its pages link to.

MkDocs calls these functions: see mkdocs.yml. A file outside of docs/ stands below `files/` there.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

_OUTSIDE = re.compile(r"\]\((?:\.\./)+((?:generated|specs|editor|benchmarks)/[^)#\s]+)")
"""A link from a page of docs/ to a file beside docs/."""

_INSIDE = re.compile(r"\]\((?:\.\./)+docs/")
"""The beginning of a link from such a file to a page of docs/."""


def on_files(files: Files, config: Any) -> Files:
    """Add the README, and the files that pages link to."""
    files.append(File.generated(config, "index.md", content=_make_index()))
    pages = [file.content_string for file in files.documentation_pages()]
    for name in sorted({name for page in pages for name in _OUTSIDE.findall(page)}):
        files.append(File.generated(config, _place(name), abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links out of docs/ to the copies of their files, and theirs back."""
    folder = posixpath.dirname(page.file.src_uri) or "."
    if folder.startswith(_place("")):
        return _INSIDE.sub(f"]({posixpath.relpath('.', folder)}/", markdown)
    return _OUTSIDE.sub(lambda link: f"]({posixpath.relpath(_place(link[1]), folder)}", markdown)


def _place(name: str) -> str:
    """Return the path in the site of a file that is not in docs/."""
    return f"files/{name}"


def _make_index() -> str:
    """Return the README as a page of docs/."""
    return (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
