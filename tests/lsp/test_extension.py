"""The folder of the extension: its files fit each other, and its snippets are good specs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from lsprotocol import types

from inception_dsl.lsp.server import make_server

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editor"
PACKAGE = json.loads((FOLDER / "package.json").read_text())
SNIPPETS: dict[str, Any] = json.loads((FOLDER / "snippets.json").read_text())

BASE = """\
inception: 1
input: 32x32x16
params: {num_classes: 10}
network:
  - stem: 3x3 conv (32)
  - pool: global avgpool
"""

PLACES = {
    "Block of branches": ("blocks:\n", "  - mixed (width=8)\n"),
    "Residual block": ("blocks:\n", "  - unit\n"),
    "Gate": ("blocks:\n", "  - gated\n"),
}
"""Snippets of blocks: what stands above them, and a call."""


def expand(body: list[str]) -> str:
    """Return the text of a snippet, each stop with its first value."""
    text = re.sub(r"\$\{[0-9]+\|([^,|]*)[^|]*\|\}", r"\1", "\n".join(body))
    text = re.sub(r"\$\{[0-9]+:([^}]*)\}", r"\1", text)
    return re.sub(r"\$[0-9]+", "", text).rstrip() + "\n"


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_is_part_of_a_good_spec(name: str, project: Project) -> None:
    text = expand(SNIPPETS[name]["body"])
    if name in PLACES:
        head, call = PLACES[name]
        block = head + "".join(f"  {line}\n" for line in text.splitlines())
        text = BASE.replace("network:\n", f"{block}network:\n").replace(
            "  - pool", f"{call}  - pool"
        )
    elif not name.startswith("Spec"):
        text = BASE + text.replace("112x112x32", "32x32x32")
    project.write("specs/net.yaml", text)
    assert project.findings() == ()


def test_the_package_names_files_that_are_there() -> None:
    contributed = PACKAGE["contributes"]
    paths = [each["configuration"] for each in contributed["languages"]]
    paths += [each["path"] for each in (*contributed["grammars"], *contributed["snippets"])]
    for path in paths:
        json.loads((FOLDER / path).read_text())
    identifiers = {each["id"] for each in contributed["languages"]}
    assert {each["language"] for each in contributed["snippets"]} <= identifiers
    for field in ("grammars", "snippets"):
        assert {each["language"] for each in contributed[field]} <= identifiers
    settings = contributed["configuration"]["properties"]
    source = (FOLDER / "src/extension.js").read_text()
    read = set(re.findall(r'settings\(\)\.get\("([\w.]+)"\)', source))
    assert {f"inceptionDsl.{name}" for name in read} == set(settings)


def test_the_readme_of_the_package_has_no_link_that_leads_out_of_it() -> None:
    """The program that packages the folder refuses one."""
    for link in re.findall(r"\]\(([^)]+)\)", (FOLDER / "README.md").read_text()):
        is_inside = (FOLDER / link).resolve().is_relative_to(FOLDER)
        assert is_inside or link.startswith(("https://", "#")), link


def test_a_folder_that_is_not_trusted_chooses_no_program() -> None:
    restricted = PACKAGE["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert "inceptionDsl.server.command" in restricted


def test_the_server_offers_what_its_page_lists() -> None:
    server = make_server()
    offered = set(server.protocol.fm.features)
    assert {
        types.TEXT_DOCUMENT_INLAY_HINT,
        types.TEXT_DOCUMENT_HOVER,
        types.TEXT_DOCUMENT_COMPLETION,
        types.TEXT_DOCUMENT_DEFINITION,
        types.TEXT_DOCUMENT_REFERENCES,
        types.TEXT_DOCUMENT_RENAME,
        types.TEXT_DOCUMENT_FORMATTING,
        types.TEXT_DOCUMENT_CODE_LENS,
        types.TEXT_DOCUMENT_CODE_ACTION,
    } <= offered


PROGRAM = """\
const Module = require("node:module");
const told = [];
const on = () => ({});
const text = { languageId: "yaml", getText: () => "# spec\\ninception: 1\\n" };
const other = { languageId: "yaml", getText: () => "on: push\\n" };
const folder = process.argv[2];
const trusted = process.argv[3] === "trusted";
const vscode = {
  workspace: {
    getConfiguration: () => ({
      get: (name) => ({ language: "inception-dsl", "server.command": [] })[name],
    }),
    isTrusted: trusted,
    workspaceFolders: [{ uri: { scheme: "file", fsPath: folder } }],
    textDocuments: [text, other],
    onDidOpenTextDocument: on,
    onDidChangeTextDocument: on,
    onDidChangeConfiguration: on,
    onDidGrantWorkspaceTrust: on,
  },
  languages: {
    setTextDocumentLanguage: async (document, id) => told.push([document === text, id]),
  },
  commands: { registerCommand: on },
  extensions: { getExtension: () => undefined },
  window: { showErrorMessage: (message) => told.push(message) },
};
class LanguageClient {
  constructor(id, name, server) {
    told.push([server.command, ...server.args]);
  }
  async start() {
    throw new Error("no such program");
  }
}
const load = Module._load;
Module._load = (name, ...rest) =>
  ({ vscode, "vscode-languageclient/node": { LanguageClient } })[name] ?? load(name, ...rest);
const { activate } = require(process.argv[4]);
activate({ subscriptions: [] }).then(() => console.log(JSON.stringify(told)));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
@pytest.mark.parametrize("trust", ["trusted", "not trusted"])
def test_the_extension_starts_the_server_of_a_trusted_folder(trust: str, tmp_path: Path) -> None:
    own = tmp_path / ".venv/bin/inception-dsl"
    own.parent.mkdir(parents=True)
    own.touch()
    program = tmp_path / "program.js"
    program.write_text(PROGRAM)
    arguments = [str(tmp_path), trust, str(FOLDER / "src/extension.js")]
    done = subprocess.run(
        ["node", str(program), *arguments], capture_output=True, text=True, check=True
    )
    claimed, command, message = json.loads(done.stdout)
    assert claimed == [True, "inception-dsl"]  # the spec, and not the other text
    assert command == [str(own) if trust == "trusted" else "inception-dsl", "lsp"]
    assert "pip install 'inception-dsl[lsp]'" in message
