"""The pages of docs/errors/: on each a bad spec, to the letter what is said of it, a good one.

A page is Markdown. Its ```yaml blocks are files: specs/net.yaml, or the one that a line such as
"`specs/blocks/stem.yaml`:" above the block names. Those before the rendering are the bad spec;
those behind it replace or join them, and make it good. The rendering is a ```text block, which is
what `check` says of specs/net.yaml, or a ```console block with a command and what it prints. If the
command was at fault, a second ```console block has the good one.

A ```python block is the code of a network, which `import` reads; where the line above it says
"written by", it is run, and writes the file. A file of `HEAD:` is committed, and then taken away; a
```toml block is pyproject.toml. What a change means (D7xx) is a finding of `diff`, and its result:
it stands on stdout.

    python tests/test_pages.py        # write every rendering, and the index, as they are now
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import HAS_TORCH, NET, Project

from inception_dsl.cli import main
from inception_dsl.diagnostics import CODES, page, pages

ROOT = Path(__file__).parents[1]
INDEX = pages() / "README.md"

_FENCED = re.compile(
    r"^(?:`(?P<file>[\w./:]+)`(?P<made>, written by)?:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

_Files = dict[str, str]

WRITTEN = " is written by"
"""The mark behind the name of a file whose text is a program that writes it."""


@dataclass(frozen=True)
class Page:
    """A page: two specs, and the findings of the first.

    `command` is what says it; None for what `check` finds in the spec. `mended` is the good
    command, if it is another one.
    """

    bad: _Files
    command: str | None
    rendering: str
    good: _Files
    mended: str | None

    @property
    def arguments(self) -> list[str]:
        return self._split(self.command or f"inception-dsl check {NET}")

    @property
    def good_arguments(self) -> list[str]:
        return self._split(self.mended) if self.mended else self.arguments

    @staticmethod
    def _split(command: str) -> list[str]:
        program, *arguments = shlex.split(command)
        assert program == "inception-dsl"
        return arguments


def read(text: str) -> Page:
    """A page, taken apart.

    Raises:
        ValueError: it has not one rendering, between a bad spec and a good one.
    """
    blocks = list(_FENCED.finditer(text))
    kinds = [block["kind"] for block in blocks]
    place, *others = (index for index, kind in enumerate(kinds) if kind in {"text", "console"})
    if len(others) > 1 or any(kinds[index] != "console" for index in others):
        raise ValueError(kinds)
    mended = next((blocks.pop(index)["text"].strip().removeprefix("$ ") for index in others), None)
    command, said = None, blocks[place]["text"]
    if kinds[place] == "console":
        command, _, said = said.removeprefix("$ ").partition("\n")
    bad, good = _files(blocks[:place]), _files(blocks[place + 1 :])
    if (
        not bad
        or not (good or mended)
        or set(kinds) - {"text", "console", "yaml", "toml", "python"}
    ):
        raise ValueError(kinds)
    return Page(bad, command, said, good, mended)


def _files(blocks: list[re.Match[str]]) -> _Files:
    return {
        (block["file"] or NET) + (WRITTEN if block["made"] else ""): block["text"]
        for block in blocks
    }


def index() -> str:
    """The table of all pages."""
    rows = [
        f"| [{code}]({code}.md) | {kind.name} | {kind.meaning} |" for code, kind in CODES.items()
    ]
    return _INDEX_HEAD + "\n".join(rows) + "\n"


_INDEX_HEAD = """\
# The findings of `inception-dsl`

Every code has a page with its meaning, a bad spec with the finding, and a good spec.
`inception-dsl explain CODE` prints the page. E0xx codes are about reading files, E1xx about the
form of a spec, E2xx about names and words, E3xx about shapes, E4xx about budgets and claims, and
E5xx about output. E7xx codes are about networks that exist as code or as files, E8xx about
checkpoints, E9xx about networks on images, and their times. W6xx codes are warnings, and hints of
`check --hints`; P8xx codes are such hints, too, about the design of a network. D7xx codes are the
findings of `diff` and of `verify`.

| code | name | meaning |
|---|---|---|
"""


OF_CODE = ("E70", "E8", "E9", "W62")
"""The beginnings of the codes about networks of code, and checkpoints, whose pages run torch."""

shown_codes = [code for code in CODES if HAS_TORCH or not code.startswith(OF_CODE)]

every_page = pytest.mark.parametrize("code", shown_codes)


def lay(files: _Files, project: Project) -> None:
    """Writes the files of a page; those of `HEAD:` are committed, and are no longer there."""
    committed = {name: text for name, text in files.items() if name.startswith("HEAD:")}
    for name, text in committed.items():
        project.write(name.removeprefix("HEAD:"), text)
    if committed:
        commit(project.root)
    for name in committed:
        (project.root / name.removeprefix("HEAD:")).unlink()
    for name in files.keys() - committed.keys():
        if name.endswith(WRITTEN):
            exec(compile(files[name], name, "exec"), {})  # in the folder of the project
        else:
            project.write(name, files[name])


def commit(root: Path) -> None:
    """Commits all that is in a folder, which becomes a repository."""
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "so far"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def found_codes(output: str) -> set[str]:
    """The codes of the findings that `diff` prints."""
    return set(re.findall(r"^  (D\d+)  ", output, re.MULTILINE))


@every_page
def test_the_bad_spec_is_answered_as_its_page_shows(
    code: str, here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = read(page(code))
    lay(shown.bad, here)
    ended = main(shown.arguments)
    output, errors = capsys.readouterr()
    if code.startswith("D"):
        assert (output.rstrip("\n"), errors) == (shown.rendering.rstrip("\n"), "")
        assert ended == int(CODES[code].severity == "error")
        assert code in found_codes(output)
        return
    if "--format" in shown.arguments:  # a finding that people see as the difference of two texts
        assert (ended, output.rstrip("\n"), errors) == (1, shown.rendering.rstrip("\n"), "")
        assert set(re.findall(r"title=(\w+) ", shown.rendering)) == {code}
        return
    code = CODES[code].successor or code
    is_error = code.startswith("E")
    is_unmade = "diff" in shown.arguments and code != "E405"
    if is_error and (is_unmade or "-->" not in shown.rendering):
        assert ended == 2  # no comparison could be made, or the finding has no place in a spec
        ended = 1
    assert (ended, errors.rstrip("\n")) == (int(is_error), shown.rendering.rstrip("\n"))
    assert not (is_error and output)
    assert set(re.findall(r"^\w+\[(\w+)\]", shown.rendering, re.MULTILINE)) == {code}


@every_page
def test_the_good_spec_is_fine(
    code: str, here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = read(page(code))
    lay(shown.bad, here)
    lay(shown.good, here)
    ended = main(shown.good_arguments)
    output, errors = capsys.readouterr()
    assert (ended, errors) == (0, "")
    assert code not in found_codes(output)
    assert NET not in shown.good or here.findings() == ()


@every_page
def test_a_page_is_headed_by_its_code(code: str) -> None:
    lines = page(code).splitlines()
    assert lines[:2] == [f"# {code} {CODES[code].name}", ""]
    assert [line for line in lines if line.startswith("#")] == lines[:1]
    assert all(len(line) <= 100 for line in _FENCED.sub("", page(code)).splitlines())


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in pages().iterdir()} - {"README"} == set(CODES)


def test_a_code_out_of_use_names_one_in_use() -> None:
    successors = [kind.successor for kind in CODES.values() if kind.successor]
    assert successors
    assert all(not CODES[code].successor for code in successors)


def test_the_index_is_fresh() -> None:
    assert INDEX.read_text() == index(), "write it with: python tests/test_pages.py"


def test_codes_are_in_order() -> None:
    for letter in "EWPD":
        codes = [code for code in CODES if code.startswith(letter)]
        assert all(one < other for one, other in pairwise(codes))


def test_explain_prints_the_page_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "E304"]) == 0
    assert capsys.readouterr() == ((pages() / "E304.md").read_text(), "")


def test_explain_takes_the_name_of_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "branches-disagree"]) == 0
    assert capsys.readouterr() == ((pages() / "E304.md").read_text(), "")


def test_explain_takes_several_codes_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "w601", "e304", "E001"]) == 0
    headings = re.findall(r"^# (\w+)", capsys.readouterr().out, re.MULTILINE)
    assert headings == ["W601", "E304", "E001"]


def test_explain_alone_lists_the_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    head, *lines = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert head.split() == ["code", "name", "meaning"]
    assert [line.split(maxsplit=2) for line in lines] == [
        [code, kind.name, kind.meaning] for code, kind in CODES.items()
    ]


def test_explain_prints_on_a_terminal_that_knows_ascii_alone() -> None:
    command = [sys.executable, "-m", "inception_dsl", "explain", "E104"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True)
    assert b"3\\xd73 conv (32 stride 2 V)" in done.stdout


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("E3O4", "nothing is named `E3O4`: write `E304`"),
        ("304", "nothing is named `304`: write `E304`"),
        ("branches-disagre", "nothing is named `branches-disagre`: write `E304`"),
        ("stem", "nothing is named `stem`: `inception-dsl explain` lists the codes"),
    ],
)
def test_explain_of_no_code_is_usage(
    asked: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", "E304", asked])
    output, errors = capsys.readouterr()
    assert (ended.value.code, output) == (2, "")
    assert errors == (
        f"error: argument SUBJECT: {said}\n"
        "  = help: `inception-dsl explain --help` shows the arguments\n"
    )


def _refresh(code: str) -> str:
    """A page with the rendering that its bad spec has now."""
    import contextlib
    import io

    text = page(code)
    shown = read(text)
    said = io.StringIO()
    is_result = code.startswith("D") or "--format" in shown.arguments
    printed = said if is_result else io.StringIO()
    with (
        tempfile.TemporaryDirectory() as root,
        contextlib.chdir(root),
        contextlib.redirect_stderr(said),
        contextlib.redirect_stdout(printed),
    ):
        project = Project(Path(root))
        project.write("pyproject.toml", "")
        lay(shown.bad, project)
        main(shown.arguments)
    if not shown.rendering.strip():
        raise ValueError(f"{code}.md has an empty rendering: write any line there")
    return text.replace(shown.rendering, said.getvalue().rstrip("\n") + "\n")


if __name__ == "__main__":
    for _code in CODES:
        (pages() / f"{_code}.md").write_text(_refresh(_code))
    INDEX.write_text(index())
