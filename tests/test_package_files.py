"""The files around the code that people and tools read: their version, and their links."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from inception_dsl import __version__

ROOT = Path(__file__).parents[1]

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")

PAGES = [
    *(ROOT / ".github").glob("*.md"),
    *(ROOT / "docs" / name for name in ("CHANGELOG.md", "versioning.md", "ci.md", "settings.md")),
    ROOT / "docs" / "command-line.md",
]


def test_the_citation_is_of_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cited["version"] == __version__
    assert cited["cff-version"] == "1.2.0"
    assert project["license"].startswith(cited["license"])
    assert [author["name"] for author in cited["authors"]] == [
        author["name"] for author in project["authors"]
    ]


def test_the_extension_of_the_editor_is_of_this_version() -> None:
    for name in ("package.json", "package-lock.json"):
        assert json.loads((ROOT / "editor" / name).read_text())["version"] == __version__
    assert f"inception-dsl-{__version__}.vsix" in (ROOT / "editor/README.md").read_text()


def test_the_changelog_begins_with_this_version() -> None:
    heads = re.findall(r"^## (\S+?),? ", (ROOT / "docs/CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == __version__


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    listed = re.findall(
        r"^ +- (?:[^:\n]+: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE
    )
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} | {"index.md", "errors/README.md"}
    assert (sorted(listed), len(listed)) == (sorted(pages), len(pages))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = _LINK.findall(page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
