"""Text of an author never acts: not on a terminal, a job's runner, GitHub, a spreadsheet.

Each payload stands wherever an author may write: titles and sources, names of files and folders,
comments beside an error, a generated file, a setting. Every command prints it in every format, and
each output is read by the rules of its channel, not by the functions that wrote it.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from conftest import Project
from markdown_it import MarkdownIt
from test_pages import commit

from inception_dsl.cli import main
from inception_dsl.diagnostics import CODES

PAYLOADS = {
    "workflow": "::error::forged",
    "blanks": "  ::stop-commands::x",
    "newline": "a\n::error::forged\n\n  ::add-mask::x",
    "carriage": "a\r::error::forged",
    "old form": "see ##[error]forged",
    "old form inside": "a###[add-mask]x",
    "azure": "##vso[task.setvariable variable=x]y",
    "skipped": "a#\ufe0f#[error]x \u00a0:\u034f:error::x",
    "escape": "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "bidi": "a\u202ecba\u2066\u200b\ufeff\u00ad",
    "mention": "` @octocat #1 GH-2 octo/cat#3 a@example.org",
    "link": "https://example.org www.example.org [x](javascript:x) ![y](z) <https://e.org> :tada:",
    "html": "</title><script>alert(1)</script><!-- --> <img src=x onerror=y> & \"'",
    "markup": "| *a* _b_ ~c~ `d` ``e` $f$ \\ # h",
    "list": "- item",
    "rule": "1. item",
    "formula": "=HYPERLINK(1)",
    "plus": "+1+1",
    "at": "@SUM(1)",
    "tab": "\t=1",
    "quotes": "\"; drop '\\G\\N ]]> %s {0}",
    "long": "x" * 400 + " ##[error]",
}

every_payload = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=list(PAYLOADS))


def quoted(text: str) -> str:
    """Return a text as YAML that reads as it."""
    plain = (char if char.isalnum() else f"\\U{ord(char):08x}" for char in text)
    return f'"{"".join(plain)}"'


def spec_with(payload: str, *, width: int = 4) -> str:
    """Return a spec that has a text in every place where an author may write one."""
    text = quoted(payload)
    return f"""\
inception: 1
name: net
title: {text}
source: {text}
input: 8x8x3
tables:
  rows: {{source: {text}, columns: [k], small: [{width}]}}
blocks:
  mixed:
    title: {text}
    source: {text}
    params: [k]
    branches:
      left: 1x1 conv (k)
      right: {{steps: [3x3 conv (4)], title: {text}, source: {text}}}
network:
  - mixed: mixed (rows.small)
  - dead: {{branches: {{a: relu, b: relu6}}, order: [a]}}
  - pool: {{steps: [global avgpool], title: {text}}}
claims:
  - {{source: {text}, params: ~ 1K, deviates: {text}}}
"""


def file_name(payload: str) -> str:
    """Return a name of a file that has a text in it, as far as a file system takes it."""
    return payload.replace("/", "_").replace("\0", "_")[:80]


@pytest.fixture
def folder(project: Project, monkeypatch: pytest.MonkeyPatch, short_library: None) -> Project:
    monkeypatch.chdir(project.root)
    return project


def lay(payload: str, project: Project) -> None:
    """Write a project whose every text is a payload, and commit it."""
    waivers = [
        f"[[tool.inception-dsl.diff.waivers]]\ncode = '{code}'\nat = {quoted(at)}\n"
        f"reason = {quoted(payload)}\n"
        for code, at in (("D702", "*"), ("D741", "*"), ("D721", payload))
    ]
    project.write("pyproject.toml", "".join(waivers))
    project.write("specs/net.yaml", spec_with(payload))
    project.write(f"specs/{file_name(payload)}.yaml", spec_with(payload))
    commit(project.root)
    project.write("specs/net.yaml", spec_with(f"{payload} and more", width=8))
    bad = spec_with(payload).replace("3x3 conv", "3x3 cnov")
    visible = "".join(char for char in payload if char.isprintable())
    project.write(f"specs/bad {file_name(payload)}.yaml", f"{bad}# {visible}\n")
    project.write("specs/worse.yaml", f"inception: 1\nnetwork: [1x1 cnov (4)] # {visible}\n")
    project.write(f"generated/{file_name(payload)}/model.py", payload)


def commands(payload: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each channel with a command that prints for it."""
    own = f"specs/{file_name(payload)}.yaml"
    bad = f"specs/bad {file_name(payload)}.yaml"
    yield "text", ["check", "--hints"]
    yield "text", ["check", own]
    for format in ("json", "sarif", "github"):
        yield format, ["check", "--format", format]
    for format in ("table", "csv", "json", "markdown"):
        channel = "text" if format == "table" else format
        yield channel, ["flops", "specs/net.yaml", own, "--by", "stage", "--format", format]
        yield channel, ["flops", "specs/net.yaml", "--against", own, "--format", format]
        yield channel, ["flops", bad, "--format", format]
    for pair in ([own, "specs/net.yaml"], ["--against", "HEAD"], ["--against", "no"]):
        for format in ("text", "json", "sarif", "github", "markdown", "svg"):
            yield format, ["diff", *pair, "--format", format]
    for format in ("text", "json", "github", "markdown"):
        yield format, ["diff", f"--against={payload}", "--format", format]
        yield format, ["diff", "--format", format, "--", f"{payload}:specs/net.yaml", own]
    for format in ("svg", "mermaid", "dot"):
        yield format, ["render", own, "--detail", "poster", "--format", format]
        yield format, ["render", own, "--block", "mixed", "--format", format]
        yield format, ["render", bad, "--format", format]
    for format in ("markdown", "csv"):
        yield format, ["table", own, "--format", format]
    yield "text", ["table", own, "--format", "latex"]
    yield "text", ["list"]
    yield "text", ["build", "--check"]
    yield "text", ["build", "--check", own]
    yield "text", ["fmt", "--check"]
    yield "spec", ["resolve", own]
    yield "text", ["new", payload]
    yield "text", ["check", payload]
    yield "text", ["explain", payload]
    yield "text", ["flops", own, "--set", f"{payload}=1", "--columns", payload]


def run(capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str]) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    output, errors = capfdbinary.readouterr()
    return code, output.decode(), errors.decode()


@every_payload
def test_text_of_an_author_acts_nowhere(
    payload: str, folder: Project, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    lay(payload, folder)
    assert main(["build", "specs/net.yaml"]) == 0
    folder.write("generated/net/model.py", f"{payload}\n  {payload}\n")
    capfdbinary.readouterr()
    for channel, arguments in commands(payload):
        code, output, errors = run(capfdbinary, arguments)
        said = f"{arguments}\n{output}\n{errors}"
        assert code in (0, 1, 2), said
        assert "internal error" not in errors, said
        assert_terminal_safe(errors, said)
        assert_no_old_command(output, said)
        if channel == "github":
            assert_commands_of_ours(output, said)
        else:
            assert_no_command(output, said)
        CHECKS[channel](output, said)
        if channel not in ("text", "csv", "mermaid", "dot", "spec") and code:
            assert output, said


IGNORED = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")


def assert_terminal_safe(text: str, said: str) -> None:
    for line in text.split("\n"):
        for char in line:
            assert unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}, said
    assert_no_command(text, said)
    assert_no_old_command(text, said)


def assert_no_command(text: str, said: str) -> None:
    """GitHub's runner takes `::name::` at the start of a line, behind blanks."""
    for line in re.split(r"\r\n|\r|\n", IGNORED.sub("", text)):
        assert not line.strip().startswith("::"), said


def assert_no_old_command(text: str, said: str) -> None:
    """The runner takes `##[name]` anywhere; Azure Pipelines takes `##vso[`."""
    assert not re.search(r"##[A-Za-z]*\[", IGNORED.sub("", text)), said


def assert_commands_of_ours(text: str, said: str) -> None:
    for line in text.splitlines():
        match = re.match(r"::(error|warning|notice) ([^:]*)::", line)
        assert match, said
        assert match[2].rpartition("title=")[2].split()[0] in CODES, said
    for line in text.split("\n"):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line), said


def assert_json(text: str, said: str) -> None:
    assert text.isascii(), said
    json.loads(text)


def assert_csv(text: str, said: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            with suppress(ValueError):
                float(cell)
                continue
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")), said


SVG_TAGS = {"svg", "title", "rect", "g", "path", "text", "circle", "desc", "ellipse", "line"}


def assert_svg(text: str, said: str) -> None:
    if not text:  # nothing changed, and that is said
        return
    for element in ElementTree.fromstring(text).iter():
        assert element.tag.rpartition("}")[2] in SVG_TAGS, said
        for name in element.attrib:
            assert not name.lower().startswith("on") and "href" not in name, said


COMMENT = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OUR_TAGS = re.compile(r"</?(details|summary|sub)>")
LINKED = re.compile(
    r"(?<![A-Za-z0-9])@[A-Za-z0-9]|#[0-9]|\bGH-[0-9]|://|\bwww\.|[\w.]@\w|:tada:", re.IGNORECASE
)
"""Text that GitHub turns into links outside of code."""


def assert_markdown(text: str, said: str) -> None:
    for token in flat(COMMENT.parse(text)):
        if token.type in ("html_block", "html_inline"):
            content = OUR_TAGS.sub("", token.content)
            assert "<" not in content, said
            assert not LINKED.search(content), said
        elif token.type in ("link_open", "image", "em_open", "s_open"):
            assert token.type == "em_open" and "_Waived" in text, said
        elif token.type == "text":
            assert not LINKED.search(token.content), (token.content, said)


def flat(tokens: list[Any]) -> Iterator[Any]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def assert_dot(text: str, said: str) -> None:
    assert_terminal_safe(text.replace("\t", ""), said)


def assert_spec(text: str, said: str) -> None:
    if text:
        assert yaml.safe_load(text)["name"] == "net", said
        assert_terminal_safe(text, said)


CHECKS = {
    "text": assert_terminal_safe,
    "github": assert_commands_of_ours,
    "json": assert_json,
    "sarif": assert_json,
    "csv": assert_csv,
    "svg": assert_svg,
    "markdown": assert_markdown,
    "mermaid": assert_terminal_safe,
    "dot": assert_dot,
    "spec": assert_spec,
}


@every_payload
def test_a_spec_that_is_resolved_says_what_its_author_wrote(
    payload: str, folder: Project, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder.write("specs/net.yaml", spec_with(payload))
    _, output, _ = run(capfdbinary, ["resolve", "net"])
    assert yaml.safe_load(output)["title"] == payload


@every_payload
def test_a_job_that_prints_generated_files_obeys_none(payload: str, folder: Project) -> None:
    named = folder.write(f"specs/{file_name(payload)}.yaml", spec_with(payload))
    main(["build", str(named)])  # refused, if the name cannot be shown
    folder.write("specs/net.yaml", spec_with(f"{payload} {'word ' * 17}{payload}"))
    assert main(["build", "specs/net.yaml"]) == 0
    for path in filter(Path.is_file, (folder.root / "generated").rglob("*")):
        text = path.read_text()
        assert_no_command(text, text)
        assert_no_old_command(text, text)
        if path.suffix == ".py":
            for line in ast.walk(ast.parse(text)):
                if isinstance(line, ast.Module | ast.ClassDef | ast.FunctionDef):
                    words = ast.get_docstring(line) or ""
                    assert_no_command(words, text)
                    assert_no_old_command(words, text)


@every_payload
def test_generated_pages_link_nothing(payload: str, folder: Project) -> None:
    folder.write("specs/net.yaml", spec_with(payload))
    assert main(["build", "--gallery"]) == 0
    for page in (folder.root / "generated").rglob("*.md"):
        text = page.read_text()
        assert_markdown(re.sub(r"\A<!--.*?-->", "", text), text)


def test_no_command_prints_but_by_the_ways_out() -> None:
    folder = Path(main.__code__.co_filename).parent
    for path in folder.glob("*.py"):
        if path.name != "output.py":
            text = path.read_text()
            assert not re.search(r"\bprint\(|std(out|err)\.write|sys\.stdout", text), path.name
