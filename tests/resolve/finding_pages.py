"""The pages of `findings/`: wrong specs, and to the letter what is said of each.

A page is about one code. Every case is a heading, a spec and the text that `check` prints. After a
change of wording, `python tests/resolve/finding_pages.py` writes the pages anew; read their diff.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parent / "findings"

_CASE = re.compile(r"^## (.+)\n\n```yaml\n((?s:.*?))```\n\n```text\n((?s:.*?))```\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A wrong spec, and what is printed of it.

    `title` is the page's name and the case's heading.
    """

    title: str
    spec: str
    printed: str


def read_cases() -> list[Case]:
    """Return the cases of all pages, in order."""
    return [
        Case(f"{page.stem}: {heading}", spec, printed)
        for page in sorted(PAGES.glob("*.md"))
        for heading, spec, printed in _CASE.findall(page.read_text(encoding="utf-8"))
    ]


def rewrite() -> None:
    """Write what is printed today into every page."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from conftest import NET, Project

    def renew(match: re.Match[str]) -> str:
        heading, spec, _ = match.groups()
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            project.write("pyproject.toml", "")
            project.write(NET, spec)
            printed = project.rendering()
        return f"## {heading}\n\n```yaml\n{spec}```\n\n```text\n{printed}```\n"

    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        page.write_text(_CASE.sub(renew, text), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
