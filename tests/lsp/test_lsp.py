"""The editor's server, driven by a real client over a pipe: every feature, and hostile texts."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Project
from hypothesis import given, settings
from hypothesis import strategies as st
from lsp_client import Editor
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from inception_dsl import driver
from inception_dsl.driver import reading
from inception_dsl.lsp import desk as desk_module
from inception_dsl.lsp import renaming
from inception_dsl.lsp.desk import Desk
from inception_dsl.lsp.positions import UNITS, TextLines
from inception_dsl.lsp.shapes import carry_over

NET = """\
inception: 1
input: 8x8x3
params: {classes: 10}
defaults:
  conv: {act: relu}
tables:
  sizes: {columns: [width], small: [4], large: [16]}
blocks:
  twin:
    title: A pair
    params: [width]
    branches:
      left: 1x1 conv (width)
      right: [1x1 conv (2), 3x3 conv (width)]
network:
  - stem: 3x3 conv (4 stride 2) -> 4x4x4
  - twin (sizes.small)
  - tail: 2 x twin (width=6)
  - pool: global avgpool
  - fc: linear (classes)
budget: {params: <= 2K}
claims:
  - {at: tail, shape: 4x4x12, source: Table 1}
  - {at: twin.right.conv2, in: 2}
"""


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    """An editor that all tests of this module share."""
    editor = Editor()
    yield editor
    assert editor.quit() == 0


def find(text: str, words: str, more: int = 0) -> tuple[int, int]:
    """Return the line and the column of some words of an ASCII text."""
    place = text.index(words) + more
    return text[:place].count("\n"), place - text.rfind("\n", 0, place) - 1


def apply(text: str, edits: list[types.TextEdit]) -> str:
    """Return an ASCII text with edits made."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines) + 1)]
    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[::-1]:
        start = starts[edit.range.start.line] + edit.range.start.character
        end = starts[edit.range.end.line] + edit.range.end.character
        text = text[:start] + edit.new_text + text[end:]
    return text


def actions(editor: Editor, uri: str) -> list[types.CodeAction]:
    """Return the code actions of a whole file."""
    document = types.TextDocumentIdentifier(uri=uri)
    whole = types.Range(start=types.Position(0, 0), end=types.Position(1000, 0))
    params = types.CodeActionParams(document, whole, types.CodeActionContext(diagnostics=[]))
    return list(editor.ask("text_document_code_action", params))


def complete(editor: Editor, uri: str, text: str) -> list[str]:
    """Return the labels that are offered at the sign `|` of a text."""
    line, character = find(text, "|")
    editor.change(uri, text.replace("|", "", 1))
    answer = editor.at("completion", uri, (line, character))
    return [item.label for item in answer.items]


# Findings


def test_a_finding_has_both_sides_and_its_way_out_as_a_fix(
    editor: Editor, project: Project
) -> None:
    text = "inception: 1\ninput: 9x9x3\nnetwork:\n  - branches:\n      left: 3x3 conv (4)\n"
    text += "      right: 3x3 maxpool (stride 2 V)\n"
    uri = editor.open(project.write("specs/net.yaml", text))
    first, *_ = editor.findings(uri)
    assert (first.code, first.severity) == ("E304", types.DiagnosticSeverity.Error)
    lines = first.message.splitlines()
    assert lines[0] == "branches of `network` disagree in height and width"
    related = [place.message for place in first.related_information or ()]
    assert related[0] == "this branch is 4x4: 9 -> 4 (3x3, stride 2, V)"
    assert any(line.startswith("help: write `") for line in lines)
    (action,) = actions(editor, uri)
    assert action.title.startswith("Write `")
    assert action.edit is not None and action.edit.changes is not None
    editor.change(uri, apply(text, list(action.edit.changes[uri])))
    assert editor.findings(uri) == []


def test_a_finding_in_a_used_file_is_shown_there(editor: Editor, project: Project) -> None:
    library = project.write(
        "specs/blocks/parts.yaml", "inception: 1\nblocks:\n  part: 3x3 convv (4)\n"
    )
    net = "inception: 1\ninput: 8x8x3\nuse: [blocks/parts.yaml]\nnetwork: [part]\n"
    uri = editor.open(project.write("specs/net.yaml", net))
    assert editor.findings(uri) == []
    (found,) = editor.findings(library.as_uri())
    assert found.code == "E201"
    assert found.range == types.Range(types.Position(2, 12), types.Position(2, 17))
    editor.forget(library.as_uri())
    editor.close(uri)
    assert editor.findings(library.as_uri()) == []


def test_a_change_is_judged_after_a_pause_and_a_saved_file_at_once(
    editor: Editor, project: Project
) -> None:
    path = project.write("specs/net.yaml", NET)
    uri = editor.open(path)
    assert editor.findings(uri) == []
    for letters in ("3x3 c (4 str", "3x3 co (4 str", "3x3 con (4 str"):
        editor.change(uri, NET.replace("3x3 conv (4 str", letters))
    assert [found.code for found in editor.findings(uri)] == ["E201"]
    editor.change(uri, NET)
    assert editor.findings(uri) == []


# Shapes


def test_every_step_shows_its_shape_and_its_cost(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("specs/net.yaml", NET))
    hints = editor.hints(uri)
    lines = {int(place.partition(":")[0]): label for place, label in hints.items()}
    texts = NET.splitlines()
    by_text = {texts[line].strip(): label for line, label in lines.items()}
    # 3 * 9 * 4 weights and 4 biases; 108 weights for each of 4x4 places. The note has the shape.
    assert by_text["- stem: 3x3 conv (4 stride 2) -> 4x4x4"] == "112 params, 1.73K MACs"
    assert by_text["- twin (sizes.small)"] == "4x4x8, 106 params, 1.54K MACs"
    assert by_text["- pool: global avgpool"] == "12"
    assert by_text["- fc: linear (classes)"] == "10, 130 params, 120 MACs"
    # The block runs three times, and not twice alike.
    assert by_text["left: 1x1 conv (width)"] == "4x4x4 …, 20 params …, 256 MACs …"


def test_hints_are_those_of_the_papers_table(editor: Editor, project: Project) -> None:
    """Table 1 of arXiv:1409.4842: 28x28x256, 159K weights and 128M operations of inception 3a."""
    text = Path(__file__).parents[2].joinpath("specs/googlenet.yaml").read_text()
    uri = editor.open(project.write("specs/googlenet.yaml", text))
    line = next(n for n, line in enumerate(text.splitlines()) if "- inception_3a" in line)
    hints = editor.hints(uri)
    label = next(hints[place] for place in hints if place.startswith(f"{line}:"))
    assert label.endswith("128M MACs")
    assert "164K params" in label  # 163,328 weights, and 368 biases


def test_a_library_shows_the_shapes_of_a_network_that_uses_it(
    editor: Editor, project: Project
) -> None:
    part = "inception: 1\nblocks:\n  part: 3x3 conv (4)\n"
    library = editor.open(project.write("specs/blocks/parts.yaml", part))
    assert editor.hints(library) == {}
    net = "inception: 1\ninput: 8x8x3\nuse: [blocks/parts.yaml]\nnetwork: [part]\n"
    path = project.write("specs/net.yaml", net)
    editor.change(library, part)
    assert editor.hints(library) == {"2:20": "8x8x4, 112 params, 6.91K MACs"}
    uri = editor.open(path, net.replace("8x8x3", "4x4x3"))  # as it stands in the editor
    assert editor.hints(library) == {"2:20": "4x4x4, 112 params, 1.73K MACs"}
    editor.close(uri)


def test_a_broken_spec_keeps_the_shapes_of_its_other_lines(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("specs/net.yaml", NET))
    before = editor.hints(uri)
    editor.change(uri, NET.replace("  - pool: global avgpool\n", "  - pool: global avgp\n  - [\n"))
    after = editor.hints(uri)
    moved = {place: label for place, label in before.items() if int(place.split(":")[0]) < 18}
    assert {place: after[place] for place in moved} == moved
    assert after["20:24"] == before["19:24"]
    assert not any(place.startswith(("18:", "19:")) for place in after)


def test_a_spec_that_is_opened_with_an_error_has_the_shapes_of_the_last_commit(
    editor: Editor, project: Project
) -> None:
    expected = editor.hints(editor.open(project.write("specs/net.yaml", NET)))
    path = project.write("specs/other.yaml", NET)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(project.root)]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    path.write_text(NET.replace("global avgpool", "global avgp"))
    shown = editor.hints(editor.open(path))
    lost = expected.keys() - shown.keys()
    assert [NET.splitlines()[int(place.split(":")[0])] for place in lost] == [
        "  - pool: global avgpool"
    ]
    assert shown.items() <= expected.items()


def test_an_unsaved_base_moves_the_shapes_of_what_extends_it(
    editor: Editor, project: Project
) -> None:
    base = project.write("specs/base.yaml", NET)
    text = "inception: 1\nextends: base.yaml\nnetwork:\n  pool: global maxpool\n"
    uri = editor.open(project.write("specs/net.yaml", text))
    assert editor.hints(uri) == {"3:22": "12"}
    opened = editor.open(base)
    editor.change(opened, NET.replace("tail: 2 x twin (width=6)", "tail: 2 x twin (width=7)"))
    assert editor.hints(uri) == {"3:22": "14"}
    assert [found.code for found in editor.findings(opened)] == ["E402"]  # the claim of 4x4x12
    editor.close(opened)
    assert editor.hints(uri) == {"3:22": "12"}


def test_lenses_tell_the_totals_and_the_budget(editor: Editor, project: Project) -> None:
    path = project.write("specs/net.yaml", NET)
    uri = editor.open(path)
    params = types.CodeLensParams(types.TextDocumentIdentifier(uri=uri))
    lenses = editor.ask("text_document_code_lens", params)
    titles = {lens.range.start.line: lens.command.title for lens in lenses}
    params_total = driver.check("specs/net.yaml", folder=project.root).cost.totals.params
    assert titles[NET.splitlines().index("network:")].startswith("8x8x3 -> 10: ")
    assert f" {params_total:,} params, " in titles[14]
    left = f"{(2000 - params_total) / 20:.1f} % left"
    assert titles[20] == f"params: {params_total:,} of <= 2K, {left}"
    editor.change(uri, NET.replace("  - pool: global avgpool\n", "\n  - pool: global avgp\n"))
    for lens in editor.ask("text_document_code_lens", params):
        line, title = lens.range.start.line, lens.command.title
        assert title == f"{titles.pop(line - (line > 16))}, as of the last text without errors"
    assert not titles


# Texts about a place


@pytest.mark.parametrize(
    ("words", "more", "expected"),
    [
        (
            "1x1 conv (width)",
            5,
            ["`twin.left`: 4x4x4 → 4x4x4", "`tail.0.left`", "| act | `relu` |"],
        ),
        (
            "3x3 conv (4",
            10,
            ["size 8 -> 4, channels 3 -> 4 (3x3, stride 2, same)", "| stride | `2` |"],
        ),
        ("twin (sizes", 1, ["block `twin`: A pair", "| width | `4` | `specs/net.yaml:7:"]),
        ("tail: 2", 1, ["2 copies: 4x4x8 → 4x4x12", "shape `4x4x12` (Table 1) holds"]),
        ("twin:", 2, ["block `twin`: A pair", "channels 4 + 4 = 8"]),
        ("conv: {act", 1, ["**KxK conv**: the convolution, then the norm", "- `dilation`:"]),
        ("stride 2", 2, ["`stride`: a whole number"]),
    ],
)
def test_a_hover_tells_what_is_known(
    editor: Editor, project: Project, words: str, more: int, expected: list[str]
) -> None:
    uri = editor.open(project.write("specs/net.yaml", NET))
    hover = editor.at("hover", uri, find(NET, words, more))
    for text in expected:
        assert text in hover.contents.value


@pytest.mark.parametrize(
    ("old", "new", "offered", "others"),
    [
        ("1x1 conv (width)", "1x1 co|", ["conv", "twin", "global avgpool"], ["stride", "source"]),
        ("1x1 conv (width)", "1x1 conv (width |)", ["stride", "V", "width", "in"], ["left"]),
        ("1x1 conv (width)", "1x1 conv (width pad |", ["V", "same", "width"], ["dilation", "relu"]),
        ("1x1 conv (width)", "1x1 conv (width act |", ["relu", "none"], ["V", "stride"]),
        ("twin (sizes.small)", "twin (|", ["width=", "sizes.small", "sizes.large"], ["stride"]),
        ("twin (sizes.small)", "twin (width=|", ["classes", "none"], ["sizes.small"]),
        ("at: tail", "at: ta|", ["tail", "twin", "stem"], ["left"]),
        ("at: twin.right.conv2", "at: twin.|", ["twin.left", "twin.right"], ["stem"]),
        ("- fc: linear (classes)", "- {from: |", ["input", "stem", "tail"], ["left", "conv"]),
        ("budget: {params", "budget: {|params", ["macs", "depth"], ["conv"]),
        ("params: {classes", "bu|\nparams: {classes", ["budget", "claims"], ["conv"]),
        ("    title: A pair\n", "    re|\n", ["residual", "from"], ["conv"]),
        ("conv: {act: relu}", "conv: {act: |", ["relu", "gelu"], ["stride"]),
        ("-> 4x4x4", "-> |", ["4x4x4"], ["conv"]),
        ("params: {classes: 10}", "extends: |", ["inception_v4", "googlenet"], ["blocks/stem_v4"]),
        ("params: {classes: 10}", "use: [|", ["blocks/stem_v4"], ["inception_v4"]),
        ("A pair", "A pair # co|", [], ["conv"]),
    ],
)
def test_completion_offers_what_fits(
    editor: Editor, project: Project, old: str, new: str, offered: list[str], others: list[str]
) -> None:
    uri = editor.open(project.write("specs/net.yaml", NET))
    labels = complete(editor, uri, NET.replace(old, new, 1))
    assert set(offered) <= set(labels)
    assert not set(others) & set(labels)


def test_the_names_that_a_step_can_read_are_those_of_steps_and_not_of_unnamed_joins(
    editor: Editor, project: Project
) -> None:
    text = (
        "inception: 1\ninput: 8x8x3\nnetwork:\n  - stem: 3x3 conv (4)\n"
        "  - branches: {left: 1x1 conv (4), right: relu}\n  - concat5: 1x1 conv (4)\n"
        "  - add: {from: [stem, concat5], join: add}\n"
    )
    uri = editor.open(project.write("specs/net.yaml", text))
    assert editor.findings(uri) == []
    labels = complete(editor, uri, f"{text}  - {{from: |")
    assert {"input", "stem", "concat5", "add"} <= set(labels)
    assert "concat" not in labels


# Names


def locations(editor: Editor, name: str, uri: str, place: tuple[int, int]) -> list[str]:
    """Return the lines of the locations of a request, as `file:line`."""
    more: dict[str, object] = {}
    if name == "references":
        more["context"] = types.ReferenceContext(include_declaration=True)
    found = editor.at(name, uri, place, **more)
    return sorted(f"{Path(at.uri).name}:{at.range.start.line + 1}" for at in found)


def family(project: Project) -> dict[str, Path]:
    """Write a library, a network that uses it, and one that extends that."""
    texts = {
        "blocks/parts.yaml": "inception: 1\nblocks:\n  part:\n    steps:\n"
        "      - first: 3x3 conv (4)\n      - 1x1 conv (4)\n"
        "      - {from: first, steps: dropout}\n",
        "net.yaml": "inception: 1\ninput: 8x8x3\nuse: [blocks/parts.yaml]\nnetwork:\n"
        "  - part\n  - part\n  - last: part\nclaims:\n  - {at: part2.first, shape: 8x8x4}\n",
        "more.yaml": "inception: 1\nextends: net.yaml\nblocks:\n  part.first: 3x3 conv (5)\n"
        "network:\n  last: part\n",
    }
    return {name: project.write(f"specs/{name}", text) for name, text in texts.items()}


def test_definitions_and_references_cross_files(editor: Editor, project: Project) -> None:
    paths = family(project)
    net = editor.open(paths["net.yaml"])
    text = paths["net.yaml"].read_text()
    block = find(text, "last: part", 7)
    assert locations(editor, "definition", net, block) == ["parts.yaml:3"]
    everywhere = ["more.yaml:4", "more.yaml:6", "net.yaml:5", "net.yaml:6", "net.yaml:7"]
    assert locations(editor, "references", net, block) == [*everywhere, "parts.yaml:3"]
    step = find(text, "part2.first", 8)
    assert locations(editor, "definition", net, step) == ["parts.yaml:5"]
    places = ["more.yaml:4", "net.yaml:9", "parts.yaml:5", "parts.yaml:7"]
    assert locations(editor, "references", net, step) == places
    file = find(text, "blocks/parts", 3)
    assert locations(editor, "definition", net, file) == ["parts.yaml:1"]


def renamed(
    editor: Editor, uri: str, place: tuple[int, int], new: str, paths: dict[str, Path]
) -> dict[str, str]:
    """Return the texts of a family of files after a rename."""
    answer = editor.at("rename", uri, place, new_name=new)
    return {
        name: apply(path.read_text(), list(answer.changes.get(path.as_uri(), ())))
        for name, path in paths.items()
    }


def test_a_step_is_renamed_in_all_files(editor: Editor, project: Project) -> None:
    paths = family(project)
    uri = editor.open(paths["blocks/parts.yaml"])
    place = find(paths["blocks/parts.yaml"].read_text(), "first:", 2)
    assert editor.at("prepare_rename", uri, place) is not None
    texts = renamed(editor, uri, place, "entry", paths)
    assert "- entry: 3x3 conv (4)" in texts["blocks/parts.yaml"]
    assert "{from: entry, steps" in texts["blocks/parts.yaml"]
    assert "at: part2.entry," in texts["net.yaml"]
    assert "part.entry: 3x3 conv (5)" in texts["more.yaml"]
    assert not any("first" in text for text in texts.values())
    for name, text in texts.items():
        project.write(f"specs/{name}", text)
    nodes = project.check("specs/more.yaml").model.graph.nodes
    assert [node.path for node in nodes][:3] == ["part.entry", "part.conv", "part.dropout"]


def test_a_rename_reads_and_judges_each_network_once_before_it_and_once_after(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = family(project)["net.yaml"]
    desk, calls = Desk(), Counter[str]()

    def count(name: str) -> None:
        work = getattr(reading, name)

        def counted(*args: object, **options: object) -> object:
            calls[name] += 1
            return work(*args, **options)

        for module in (desk_module, renaming):
            monkeypatch.setattr(module, name, counted)

    for name in ("read_open", "judge_open"):
        count(name)
    text = path.read_text()
    document = desk.put(path.as_uri(), path, text, 1)
    edits = [renaming.rename(desk, document, text.index("last: part"), "end") for _ in range(2)]
    assert calls == {"read_open": 2 + 2 + 2, "judge_open": 2 + 2 + 2}  # only the proof is anew
    assert edits[0] == edits[1]
    wrong = "inception: 1\nextends: net.yaml\nnetwork: {last: 3x3 conv (width)}\n"
    project.write("specs/more.yaml", wrong)
    with pytest.raises(renaming.RenameError, match="width"):
        renaming.rename(desk, document, text.index("last: part"), "end")


def test_a_renamed_block_leaves_all_paths_as_they_are(editor: Editor, project: Project) -> None:
    paths = family(project)
    before = project.check("specs/more.yaml").model.graph.nodes
    uri = editor.open(paths["net.yaml"])
    place = find(paths["net.yaml"].read_text(), "last: part", 7)
    texts = renamed(editor, uri, place, "unit", paths)
    assert "  - part: unit\n  - part2: unit\n  - last: unit\n" in texts["net.yaml"]
    assert "unit.first: 3x3 conv (5)" in texts["more.yaml"]
    for name, text in texts.items():
        project.write(f"specs/{name}", text)
    after = project.check("specs/more.yaml").model.graph.nodes
    assert [(n.path, n.op, n.type) for n in after] == [(n.path, n.op, n.type) for n in before]


@pytest.mark.parametrize(
    ("words", "more", "new", "reason"),
    [
        ("tail:", 1, "stem", "cannot be called"),
        ("stem:", 1, "twin", "cannot be called"),
        ("stem:", 1, "forward", "forward"),
        ("stem:", 1, "a: b\n", "a name is a letter"),
        ("twin (sizes", 1, "conv", "conv"),
        ("global avgpool", 8, "other", "only steps and blocks"),
    ],
)
def test_a_rename_that_would_change_the_network_is_refused(
    editor: Editor, project: Project, words: str, more: int, new: str, reason: str
) -> None:
    uri = editor.open(project.write("specs/net.yaml", NET))
    with pytest.raises(JsonRpcException, match=reason):
        editor.at("rename", uri, find(NET, words, more), new_name=new)


def test_a_block_of_the_library_keeps_its_name(editor: Editor, project: Project) -> None:
    text = "inception: 1\nextends: inception_v4\nnetwork:\n  stem: stem_v4\n"
    uri = editor.open(project.write("specs/net.yaml", text))
    with pytest.raises(JsonRpcException, match="built-in library"):
        editor.at("rename", uri, (3, 10), new_name="trunk")
    assert locations(editor, "definition", uri, (3, 10)) == ["stem_v4.yaml:8"]


def test_formatting_is_that_of_fmt(editor: Editor, project: Project) -> None:
    text = NET.replace("3x3 conv (4 stride 2) -> 4x4x4", "3x3   conv ( 4   stride 2 )->4x4x4")
    uri = editor.open(project.write("specs/net.yaml", text))
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    params = types.DocumentFormattingParams(types.TextDocumentIdentifier(uri=uri), options)
    edits = editor.ask("text_document_formatting", params)
    formatted = driver.format_file("specs/net.yaml", folder=project.root).text
    assert apply(text, list(edits)) == formatted != text
    assert {edit.range.start.line for edit in edits} == {15}


def test_the_settings_of_the_project_are_followed(editor: Editor, project: Project) -> None:
    claim = "claims:\n  - {at: stem, shape: 9x9x9, source: Table 2}\n"
    path = project.write("specs/net.yaml", NET.replace("claims:\n", claim))
    uri = editor.open(path)
    (found,) = editor.findings(uri)
    assert (found.code, found.severity) == ("E402", types.DiagnosticSeverity.Error)
    text = path.read_text().replace(
        "Table 2}", "Table 2}  # inception-dsl: ignore E402: a misprint"
    )
    editor.change(uri, text)
    assert editor.findings(uri) == []
    editor.change(uri, path.read_text())
    assert editor.findings(uri) != []
    table = "[tool.inception-dsl.check]\nseverity = {E402 = "
    settings = project.write("pyproject.toml", f'{table}"warning"}}\n')
    editor.forget(uri)
    changes = [types.FileEvent(settings.as_uri(), types.FileChangeType.Changed)]
    watched = types.DidChangeWatchedFilesParams(changes)
    editor.notify("workspace_did_change_watched_files", watched)
    assert editor.findings(uri)[0].severity == types.DiagnosticSeverity.Warning
    project.write("pyproject.toml", f'{table}"grave"}}\n')
    editor.forget(uri)
    editor.notify("workspace_did_change_watched_files", watched)
    assert [each.code for each in editor.findings(uri)] == ["E402"]
    assert [each.code for each in editor.findings(settings.as_uri())] == ["E010"]


# Characters


WIDE = """\
inception: 1
input: 8x8x3
network:
  - {title: "𝄞𝄞 é", op: 1x1 convv (4)}
"""


def check_columns(editor: Editor, project: Project, column: int) -> None:
    """Make sure that a finding, its fix and a hover stand behind wide characters of `WIDE`."""
    uri = editor.open(project.write("specs/net.yaml", WIDE))
    (found,) = editor.findings(uri)
    start, end = types.Position(3, column), types.Position(3, column + 5)
    assert found.range == types.Range(start, end)
    (action,) = actions(editor, uri)
    assert action.title == "Write `conv`"
    assert action.edit is not None and action.edit.changes is not None
    assert action.edit.changes[uri][0].range == found.range
    editor.change(uri, WIDE.replace("convv (4)", "conv (4)"))
    hover = editor.at("hover", uri, (3, column))
    assert hover.range.start == types.Position(3, column - 4)


def test_columns_are_in_units_of_utf_16(editor: Editor, project: Project) -> None:
    assert editor.result.capabilities.position_encoding == "utf-16"
    check_columns(editor, project, 30)


def test_columns_are_in_the_units_that_an_editor_asks_for_and_hints_come_on_request(
    project: Project,
) -> None:
    editor = Editor({"hints": True, "inlayHints": "shapes"}, encoding="utf-32")
    assert editor.result.capabilities.position_encoding == "utf-32"
    check_columns(editor, project, 28)
    text = NET.replace("3x3 conv (4 stride 2)", "5x5 conv (4 stride 2)")
    uri = editor.open(project.write("specs/other.yaml", text))
    assert {"P814", "W602"} <= {str(each.code) for each in editor.findings(uri)}
    assert "10" in editor.hints(uri).values()
    assert editor.quit() == 0


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 35), ("utf-16", 30), ("utf-32", 28)])
def test_places_are_counted_in_units(encoding: str, column: int) -> None:
    lines = TextLines(WIDE, encoding)
    place = WIDE.index("convv")
    assert lines.position(place) == (3, column)
    assert lines.offset(3, column) == place
    assert lines.offset(3, 10_000) == WIDE.index("\n", place)
    assert lines.offset(10_000, 0) == len(WIDE)


@settings(max_examples=40, deadline=None)
@given(
    st.text(alphabet="a\u00e9\U0001d11e\r\n\u2028\x85", max_size=40), st.sampled_from(list(UNITS))
)
def test_a_place_leads_back_to_its_character(text: str, encoding: str) -> None:
    lines = TextLines(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # no place is between them
        assert lines.offset(*lines.position(offset)) == offset


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("ab"), max_size=8), st.lists(st.sampled_from("ab"), max_size=8))
def test_unchanged_lines_are_carried_over(old: list[str], new: list[str]) -> None:
    before, after = "\n".join(old), "\n".join(new)
    carry = carry_over(before, after)
    for offset in range(len(before)):
        place = carry.forward(offset)
        if place is not None:
            assert after[place : place + 1] in (before[offset], "")  # a line, or the last one
            assert carry.back(place) == offset


def test_line_ends_of_windows_and_odd_ones_stay(editor: Editor, project: Project) -> None:
    text = NET.replace("title: A pair", 'title: "A\u2028pair\x85"').replace("\n", "\r\n")
    uri = editor.open(project.write("specs/net.yaml", text))
    assert f"15:{len(NET.splitlines()[15])}" in editor.hints(uri)
    broken = text.replace("1x1 conv (2)", "1x1 convv (2)")
    editor.change(uri, broken)
    (found,) = editor.findings(uri)
    assert found.range.start == types.Position(13, 18)


# Hostile texts


def test_a_file_outside_the_project_stays_unread(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/pyproject.toml").touch()
    secret = tmp_path / "secret.yaml"
    secret.write_text("inception: 1\ninput: 8x8x3\nnetwork: [1x1 conv (4)]\n")
    opened = editor.open(secret)  # even while it is open
    text = "inception: 1\nextends: ../secret.yaml\n"
    uri = editor.open(tmp_path / "project/net.yaml", text)
    (found,) = editor.findings(uri)
    assert (found.code, found.message) == ("E006", "`../secret.yaml` lies outside the project")
    assert editor.at("definition", uri, (1, 14)) in (None, [], ())
    assert editor.hints(uri) == {}
    editor.close(opened)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("inception: 1\ninput: &a 8x8x3\nnetwork: *a\n", ["E005"]),
        ("inception: 1\nnetwork: " + "[" * 1_000, ["E003"]),
        ("inception: 1\n\x00", ["E002"]),
        ("inception: 1\ntitle: \ud83d\ninput: 8x8x3\nnetwork: [1x1 conv (4)]\n", []),
        ("inception: 1\ninput: 9000x9000x3\nnetwork: [999 x 9999x9999 conv (4)]\n", []),
        ("inception: 1\nextends: net.yaml\n", ["E008"]),
        ("inception: 1\n# " + "x" * 5_000_001, ["E003"]),
        ("inception: 1\n? [a]\n: b\n", ["E002"]),
    ],
)
def test_a_hostile_text_is_an_error_and_no_fall(
    editor: Editor, project: Project, text: str, codes: list[str]
) -> None:
    uri = editor.open(project.root / "specs/net.yaml", text)
    found = [str(each.code) for each in editor.findings(uri)]
    assert found == codes
    for place in ((0, 3), (1, 9), (2, 14), (99, 99)):
        for name in ("hover", "completion", "definition"):
            editor.at(name, uri, place)
    editor.hints(uri)
    editor.close(uri)


def test_an_authors_text_is_no_markup(editor: Editor, project: Project) -> None:
    text = NET.replace("title: A pair", 'title: "[x](command:evil) <b>\\u202e"')
    uri = editor.open(project.write("specs/net.yaml", text))
    value = editor.at("hover", uri, find(text, "twin (sizes", 1)).contents.value
    assert "](command" not in value
    assert "<b>" not in value
    assert "\u202e" not in value


def test_other_texts_are_left_alone(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("other.yaml", "on: push\njobs: {}\n"))
    assert editor.hints(uri) == {}
    assert editor.at("hover", uri, (0, 1)) is None
    assert editor.hints("file:///nowhere.yaml") == {}


def test_a_text_without_a_file_uses_the_library(editor: Editor) -> None:
    text = "inception: 1\nextends: googlenet\nnetwork:\n  fc: linear (5)\n"
    uri = editor.open("untitled:Untitled-1", text)
    assert editor.findings(uri) == []
    (hint,) = editor.hints(uri).values()
    assert hint == "5, 5.12K params, 5.12K MACs"


# The command


def test_without_its_library_the_command_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['pygls'] = None; from inception_dsl.cli import main; "
        "sys.exit(main(['lsp']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'inception-dsl[lsp]'" in done.stderr
