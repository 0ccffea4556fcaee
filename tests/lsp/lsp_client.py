"""An editor for tests: the client of pygls, which talks to the real server over a pipe."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

T = TypeVar("T")

SECONDS = 60
"""The longest that a test waits for an answer."""


class Editor:
    """One editor with its server, whose messages run in a thread of their own."""

    def __init__(self, options: dict[str, object] | None = None, encoding: str = "utf-16") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.client: Any = LanguageClient("editor", "1")
        self._found: dict[str, types.PublishDiagnosticsParams] = {}
        self._news = asyncio.Event()
        self._versions: dict[str, int] = {}
        self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(self._hear())
        self.result: types.InitializeResult = self._run(self._begin(options, encoding))

    def _hear(self) -> Any:
        def hear(params: types.PublishDiagnosticsParams) -> None:
            self._found[params.uri] = params
            self._news.set()

        return hear

    async def _begin(
        self, options: dict[str, object] | None, encoding: str
    ) -> types.InitializeResult:
        await self.client.start_io(sys.executable, "-m", "inception_dsl", "lsp", "--stdio")
        general = types.GeneralClientCapabilities(
            position_encodings=[types.PositionEncodingKind(encoding)]
        )
        result: types.InitializeResult = await self.client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(general=general),
                initialization_options=options,
            )
        )
        self.client.initialized(types.InitializedParams())
        return result

    @property
    def process(self) -> int:
        """The number of the server's process."""
        return int(self.client._server.pid)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(SECONDS)

    def quit(self) -> int:
        """Leave the server, and return the exit code of its process."""

        async def leave() -> int:
            await self.client.shutdown_async(None)
            self.client.exit(None)
            code = await self.client._server.wait()
            await self.client.stop()
            return int(code)

        code = self._run(leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        return code

    async def _send(self, name: str, params: object) -> None:
        getattr(self.client, name)(params)

    def notify(self, name: str, params: object) -> None:
        """Send a message that has no answer."""
        self._run(self._send(name, params))

    def ask(self, name: str, params: object) -> Any:
        """Send a request, and return its answer."""
        return self._run(getattr(self.client, f"{name}_async")(params))

    # Texts

    def open(self, path: Path | str, text: str | None = None) -> str:
        """Open a file, or a text that has none, and return its address."""
        uri = path.as_uri() if isinstance(path, Path) else path
        if text is None:
            assert isinstance(path, Path)
            text = path.read_bytes().decode()
        self._versions[uri] = 1
        item = types.TextDocumentItem(uri=uri, language_id="yaml", version=1, text=text)
        self._found.pop(uri, None)
        self.notify("text_document_did_open", types.DidOpenTextDocumentParams(text_document=item))
        return uri

    def change(self, uri: str, text: str) -> None:
        """Write another text in an open file."""
        self._versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self._versions[uri])
        changes = [types.TextDocumentContentChangeWholeDocument(text=text)]
        self._found.pop(uri, None)
        params = types.DidChangeTextDocumentParams(text_document=document, content_changes=changes)
        self.notify("text_document_did_change", params)

    def close(self, uri: str) -> None:
        """Close a file."""
        document = types.TextDocumentIdentifier(uri=uri)
        params = types.DidCloseTextDocumentParams(text_document=document)
        del self._versions[uri]
        self._found.pop(uri, None)
        self.notify("text_document_did_close", params)

    def findings(self, uri: str) -> list[types.Diagnostic]:
        """Return the diagnostics of a file, once the server has sent those of its last text."""
        version = self._versions.get(uri)

        async def wait() -> list[types.Diagnostic]:
            while uri not in self._found or self._found[uri].version != version:
                self._news.clear()
                await self._news.wait()
            return list(self._found[uri].diagnostics)

        return self._run(wait())

    def forget(self, uri: str) -> None:
        """Wait for new diagnostics of a file."""
        self._found.pop(uri, None)

    # Requests

    def hints(self, uri: str) -> dict[str, str]:
        """Return the inlay hints of a file: their labels by `line:column`."""
        everywhere = types.Range(start=types.Position(0, 0), end=types.Position(10_000, 0))
        params = types.InlayHintParams(
            text_document=types.TextDocumentIdentifier(uri=uri), range=everywhere
        )
        hints: list[types.InlayHint] = self.ask("text_document_inlay_hint", params)
        return {
            f"{hint.position.line}:{hint.position.character}": str(hint.label) for hint in hints
        }

    def at(self, name: str, uri: str, place: tuple[int, int], **more: object) -> Any:
        """Ask for something at a place of a file."""
        kind = {
            "hover": types.HoverParams,
            "completion": types.CompletionParams,
            "definition": types.DefinitionParams,
            "prepare_rename": types.PrepareRenameParams,
            "rename": types.RenameParams,
            "references": types.ReferenceParams,
        }[name]
        document = types.TextDocumentIdentifier(uri=uri)
        position = types.Position(*place)
        params: Any = kind(text_document=document, position=position, **more)
        return self.ask(f"text_document_{name}", params)
