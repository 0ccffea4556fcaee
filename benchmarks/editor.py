"""Time the answers of the editor's server: `python benchmarks/editor.py [SPEC] [--rounds N]`.

A client talks to the real server over a pipe, as an editor does. Each request is timed twice: right
after a change of the text, so that the spec is read anew, and again with nothing changed. The
milliseconds of the client have its own decoding of the messages in them, and all that other
programs take of the machine; beside them stands the median of the server's own time of a processor.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "lsp"))

from lsp_client import Editor  # noqa: E402
from lsprotocol import types  # noqa: E402


def requests(uri: str, text: str) -> dict[str, tuple[str, Any]]:
    """Return a request of each kind about the text of Inception-v4."""
    document = types.TextDocumentIdentifier(uri=uri)
    whole = types.Range(start=types.Position(0, 0), end=types.Position(10_000, 0))

    def at(words: str, more: int = 0) -> types.Position:
        place = text.index(words) + more
        return types.Position(text[:place].count("\n"), place - text.rfind("\n", 0, place) - 1)

    step = at("1x1 conv (384)", 5)
    return {
        "inlay hints": ("inlay_hint", types.InlayHintParams(document, whole)),
        "code lenses": ("code_lens", types.CodeLensParams(document)),
        "hover": ("hover", types.HoverParams(document, step)),
        "completion": ("completion", types.CompletionParams(document, at("1x1 conv (384)", 10))),
        "definition": ("definition", types.DefinitionParams(document, at("4 x inception_a", 5))),
        "references": (
            "references",
            types.ReferenceParams(
                types.ReferenceContext(include_declaration=True), document, at("inception_a:", 2)
            ),
        ),
        "formatting": (
            "formatting",
            types.DocumentFormattingParams(document, types.FormattingOptions(2, True)),
        ),
        "code actions": (
            "code_action",
            types.CodeActionParams(document, whole, types.CodeActionContext([])),
        ),
        "rename": ("rename", types.RenameParams(document, at("inception_a:", 2), "block_a")),
    }


class Times:
    """The times of one kind of request.

    Attributes:
        waited: milliseconds of the client.
        worked: milliseconds of a processor that the server took, where the system tells them.
    """

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self.waited: list[float] = []
        self.worked: list[float] = []

    def take(self, work: Callable[[], object]) -> None:
        """Time some work."""
        busy, start = self._busy(), time.perf_counter()
        work()
        self.waited.append(1000 * (time.perf_counter() - start))
        self.worked.append(self._busy() - busy)

    def _busy(self) -> float:
        """Return the milliseconds of a processor that the server's threads have taken."""
        folder = Path(f"/proc/{self._editor.process}/task")
        if not folder.is_dir():
            return 0.0
        stats = (path.read_text() for path in folder.glob("*/schedstat"))
        return sum(int(text.split()[0]) for text in stats) / 1e6

    def show(self) -> str:
        """Return the median and the most that a client waited, and the median of the work."""
        median, most = statistics.median(self.waited), max(self.waited)
        return f"{median:10.1f}{most:10.1f}{statistics.median(self.worked):10.1f}"


def main() -> None:
    """Print a line for each kind of request."""
    parser = argparse.ArgumentParser()
    parser.add_argument("spec", nargs="?", default=str(ROOT / "specs" / "inception_v4.yaml"))
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    path = Path(args.spec).resolve()
    text = path.read_text(encoding="utf-8")
    editor = Editor()
    uri = editor.open(path, text)
    editor.findings(uri)
    print(f"{'milliseconds':14}{'after a change':>30}{'unchanged':>30}")
    print(f"{'':14}" + 2 * f"{'median':>10}{'max':>10}{'server':>10}")
    for name, (kind, params) in requests(uri, text).items():
        fresh, again = Times(editor), Times(editor)
        for number in range(args.rounds if name != "rename" else max(3, args.rounds // 10)):
            editor.change(uri, f"{text}# {number}\n")
            for times in (fresh, again):
                times.take(partial(editor.ask, f"text_document_{kind}", params))
            editor.findings(uri)
        print(f"{name:14}{fresh.show()}{again.show()}")
    times = Times(editor)
    for number in range(args.rounds):
        editor.change(uri, f"{text}# again {number}\n")
        times.take(partial(editor.findings, uri))
    print(f"{'diagnostics':14}{times.show()}   the pause of 150 included")
    editor.quit()


if __name__ == "__main__":
    main()
