"""Targets: networks that exist as code or as files, as a person names them on the command line.

A file is named by its path, which ends in `.onnx` or `.pt2`. Code is named as `timm:NAME`,
`torchvision:NAME`, `py:package.module:factory` or `py:path/file.py:Net`, each with arguments behind
an `@`, which are literals of Python: `py:net.py:Net@width=32,depth=3`. Nothing of a target is
evaluated while it is read; to build one of code runs its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, get_args

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError

Library = Literal["timm", "torchvision", "py"]

FileKind = Literal["onnx", "pt2"]

LIBRARIES: tuple[Library, ...] = get_args(Library)
"""The words before the colon of a target."""

FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)
"""The ends of the names of files that are targets."""

MAX_LETTERS = 1_000
"""Maximum number of characters of a target."""


class Target(NamedTuple):
    """A network that exists as code.

    Attributes:
        text: the target as it was written.
        module: the module of Python, or its file, that a `py` target names; else empty.
        name: the name of the network in its library, or of its class or function in the module.
        arguments: what its function is called with.
    """

    text: str
    library: Library
    module: str
    name: str
    arguments: Mapping[str, Any]

    def in_module(self, module: str) -> str:
        """Return the text of the same `py` target of another module, or of another file.

        Example:
            >>> read_target("py:p:Net@p=1").in_module("models.p2")
            'py:models.p2:Net@p=1'
        """
        start = len(self.library) + 1
        return f"{self.library}:{module}{self.text[start + len(self.module) :]}"


class FileTarget(NamedTuple):
    """A network that exists as a file.

    Attributes:
        text: the path of the file, as it was written.
        name: the name of the file without its end.
    """

    text: str
    kind: FileKind
    name: str


def is_target(reference: str) -> bool:
    """Tell whether a reference is a target, not a spec."""
    is_code = reference.partition(":")[0] in LIBRARIES and ":" in reference
    return is_code or is_file_target(reference)


def is_file_target(reference: str) -> bool:
    """Tell whether a reference names the file of a network."""
    name, dot, end = reference.rpartition(".")
    return end in FILE_KINDS and bool(dot) and bool(name)


def read_target(text: str) -> Target | FileTarget:
    """Return the target that a text names.

    Raises:
        SpecError: E701, it names none.
    """
    if len(text) > MAX_LETTERS:
        raise _refuse(f"a target has at most {MAX_LETTERS:,} characters")
    if is_file_target(text):
        return _read_file_target(text)
    library, _, rest = text.partition(":")
    if not is_target(text):
        known = text if text.isidentifier() else "NAME"
        help = f"write `timm:{known}`, `torchvision:{known}` or `py:path/to/file.py:Net`"
        raise _refuse(f"`{printable(text)}` names no library and no Python file", help)
    name, at, written = rest.partition("@")
    arguments = _read_arguments(written) if at else {}
    module = ""
    if library == "py":
        module, _, name = name.rpartition(":")
        if not module or not name.isidentifier():
            help = "write `py:package.module:factory` or `py:path/to/file.py:Net`"
            raise _refuse(f"`{printable(text)}` names no class or function of a module", help)
    if not name:
        raise _refuse(f"`{printable(text)}` names no network", f"write `{library}:NAME`")
    kinds = {kind: kind for kind in LIBRARIES}
    return Target(text, kinds[library], module, name, arguments)  # type: ignore[index]


def _read_file_target(text: str) -> FileTarget:
    """Return the target that is a file.

    Raises:
        SpecError: E701, no file that a spec could mention has such a name.
    """
    if printable(text) != text:
        raise _refuse(f"`{printable(text)}` has characters that cannot be shown")
    path, _, end = text.rpartition(".")
    kinds = {kind: kind for kind in FILE_KINDS}
    return FileTarget(text, kinds[end], PurePath(path).name)  # type: ignore[index]


def _read_arguments(text: str) -> dict[str, Any]:
    """Return arguments as `width=32,depth=3`, whose values are literals."""
    import ast

    help = "write literals, such as `width=32,act='relu'`"
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or ast.unparse(call.func) != "f":
            raise ValueError(text)
        names = [keyword.arg or "" for keyword in call.keywords]
        values = [ast.literal_eval(keyword.value) for keyword in call.keywords]
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise _refuse(f"`{printable(text)}` are no arguments of a target", help) from None
    if not names or not all(names) or len(set(names)) < len(names):
        raise _refuse(f"`{printable(text)}` are no arguments of a target", help)
    return dict(zip(names, values, strict=True))


def _refuse(message: str, help: str | None = None) -> SpecError:
    return SpecError([Diagnostic("E701", message, help=help)])
