"""The server of the protocol: messages of the editor to the desk, and data back to messages.

Diagnostics wait until a person pauses; `answers` has the rest. Texts come whole with each change:
they are small, and no line can then be miscounted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from inception_dsl.lsp.answers import Answers
from inception_dsl.lsp.desk import Desk
from inception_dsl.lsp.messages import Shown, show_findings
from inception_dsl.spec.disk import DISK
from inception_dsl.version import __version__

PAUSE = 0.15
"""Seconds without a change after which an open spec is judged."""

SETTINGS = "pyproject.toml"
"""The file with the settings of a project."""


class Session:
    """One editor: its open texts, the findings that it shows, and its answers.

    Attributes:
        server: the server of the protocol.
        desk: the open texts.
        answers: the answers to requests.
    """

    def __init__(self, server: Any) -> None:
        self.server = server
        self.desk = Desk()
        self.answers = Answers(server, self.desk)
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._told: dict[str, dict[str, list[Shown]]] = {}

    def begin(self, params: types.InitializeParams) -> None:
        """Take the editor's settings."""
        options = params.initialization_options
        if isinstance(options, dict):
            self.desk.with_hints = options.get("hints") is True
            self.answers.with_costs = options.get("inlayHints") != "shapes"

    def watch(self, params: types.InitializedParams) -> None:  # noqa: ARG002
        """Ask the editor to tell of files that others change, if it can be asked."""
        workspace = self.server.client_capabilities.workspace
        watched = workspace.did_change_watched_files if workspace is not None else None
        if watched is None or not watched.dynamic_registration:
            return
        watchers = [
            types.FileSystemWatcher(glob_pattern=f"**/{name}")
            for name in ("*.yaml", "*.yml", SETTINGS)
        ]
        registration = types.Registration(
            id="files",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers),
        )
        self.server.client_register_capability(types.RegistrationParams([registration]))

    # Open texts

    def open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take a text that is opened, and judge it."""
        self._learn_encoding()
        item = params.text_document
        self._put(item.uri, item.text, item.version)
        self._tell_all()

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Take a text that has changed, and judge it once its author pauses."""
        uri = params.text_document.uri
        whole = [change.text for change in params.content_changes]
        if whole:
            self._put(uri, whole[-1], params.text_document.version)
            self._wait(uri)

    def save(self, params: types.DidSaveTextDocumentParams) -> None:
        """Judge a text that is saved."""
        self._forget(params.text_document.uri)
        self._tell_all()

    def close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Let a text go, with its findings."""
        uri = params.text_document.uri
        if handle := self._waiting.pop(uri, None):
            handle.cancel()
        self.desk.drop(uri)
        self._publish(uri, [])
        self._tell_all()

    def change_files(self, params: types.DidChangeWatchedFilesParams) -> None:
        """Read anew what depends on files that others have changed."""
        for event in params.changes:
            self._forget(event.uri)
            if event.uri.endswith(f"/{SETTINGS}"):
                self.desk.forget_findings()
        self._tell_all()

    def _put(self, uri: str, text: str, version: int | None) -> None:
        self.desk.put(uri, _path_of(uri), text, version)

    def _forget(self, uri: str) -> None:
        path = _path_of(uri)
        self.desk.forget(DISK.resolve(path) if path is not None else None)

    def _learn_encoding(self) -> None:
        encoding = self.server.server_capabilities.position_encoding
        if encoding is not None:
            self.desk.encoding = str(getattr(encoding, "value", encoding))

    # Diagnostics

    def _wait(self, uri: str) -> None:
        if handle := self._waiting.pop(uri, None):
            handle.cancel()
        loop = asyncio.get_running_loop()
        self._waiting[uri] = loop.call_later(PAUSE, self._tell_all)

    def _tell_all(self) -> None:
        """Judge all open specs that have changed, or that depend on one which has."""
        is_changed = False
        for document in list(self.desk.specs()):
            if not document.is_told:
                document.is_told = is_changed = True
                self._publish(document.uri, show_findings(self.desk, document))
        if is_changed:
            self._refresh()

    def _publish(self, owner: str, shown: Iterable[Shown]) -> None:
        """Show the findings of an open spec at its own file and at the files that it uses."""
        before = self._told.pop(owner, {})
        now: dict[str, list[Shown]] = {}
        for each in shown:
            now.setdefault(each.place.uri, []).append(each)
        if now:
            self._told[owner] = now
        for uri in {**before, **now, owner: None}:
            found: dict[object, Shown] = {}
            for told in self._told.values():
                for each in told.get(uri, ()):
                    finding = each.finding
                    found.setdefault((finding.code, finding.message, *each.place[2:]), each)
            document = self.desk.find(uri)
            self.server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(
                    uri=uri,
                    diagnostics=[self.answers.diagnostic(each) for each in found.values()],
                    version=document.version if document is not None else None,
                )
            )

    def _refresh(self) -> None:
        """Have the editor ask for shapes anew: a change of a base moves those of other files."""
        workspace = self.server.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.server.workspace_inlay_hint_refresh(None)
        if workspace.code_lens is not None and workspace.code_lens.refresh_support:
            self.server.workspace_code_lens_refresh(None)


def _path_of(uri: str) -> Path | None:
    """Return the file at an address; None for a text that has no file."""
    path = uris.to_fs_path(uri)
    return Path(path) if path and "\0" not in path else None


def make_server() -> Any:
    """Return a server that waits for its editor."""
    server = LanguageServer(
        "inception-dsl", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full
    )
    session = Session(server)
    answers: dict[str, Callable[[Any], Any]] = {
        types.INITIALIZE: session.begin,
        types.INITIALIZED: session.watch,
        types.TEXT_DOCUMENT_DID_OPEN: session.open,
        types.TEXT_DOCUMENT_DID_CHANGE: session.change,
        types.TEXT_DOCUMENT_DID_SAVE: session.save,
        types.TEXT_DOCUMENT_DID_CLOSE: session.close,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES: session.change_files,
        types.TEXT_DOCUMENT_INLAY_HINT: session.answers.hints,
        types.TEXT_DOCUMENT_CODE_LENS: session.answers.lenses,
        types.TEXT_DOCUMENT_FORMATTING: session.answers.format,
        types.TEXT_DOCUMENT_HOVER: session.answers.hover,
        types.TEXT_DOCUMENT_DEFINITION: session.answers.definition,
        types.TEXT_DOCUMENT_REFERENCES: session.answers.references,
        types.TEXT_DOCUMENT_PREPARE_RENAME: session.answers.prepare_rename,
    }
    for name, answer in answers.items():
        server.feature(name)(partial(answer))
    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)(partial(session.answers.actions))
    signs = types.CompletionOptions(trigger_characters=[" ", "(", ".", "="])
    server.feature(types.TEXT_DOCUMENT_COMPLETION, signs)(partial(session.answers.complete))
    prepares = types.RenameOptions(prepare_provider=True)
    server.feature(types.TEXT_DOCUMENT_RENAME, prepares)(partial(session.answers.rename))
    return server


def serve() -> None:
    """Serve the editor at stdin and stdout until it leaves.

    The server owns a stdout of its own, and closes it; a stray print goes to stderr.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    make_server().start_io(stdout=answers)
