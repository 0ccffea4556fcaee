"""Networks that exist as files: ONNX, exported programs. To read one runs no code of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.bridge.exported.unreadable import UnreadableError
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError
from inception_dsl.ir import TensorType
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.target import FileTarget

if TYPE_CHECKING:
    from inception_dsl.bridge.traced import TracedTarget

MAX_FILE = 600_000_000
"""Maximum number of bytes of a file of a network."""


def read_exported(
    target: FileTarget, folder: Path, inputs: Mapping[str, TensorType], *, name: str
) -> TracedTarget:
    """Return the network of a file.

    Args:
        folder: the folder that the file is named from.
        inputs: the inputs that a person gives; a single one needs no name.

    Raises:
        SpecError: E701 there is no such file, E703 an input is not known, E705 the language cannot
            say it, E706 the file cannot be read.
        MissingExtraError: a package that reads it is not installed.
    """
    subject = printable(target.text)
    data = _read(folder / target.text, subject)
    try:
        if target.kind == "pt2":
            from inception_dsl.bridge.exported.program import read_pt2

            return read_pt2(data, inputs, subject=subject, name=name)
        _require_onnx()
        from inception_dsl.bridge.exported.onnx import read_onnx

        return read_onnx(data, inputs, subject=subject, name=name)
    except UnreadableError as error:
        raise SpecError([Diagnostic("E706", f"`{subject}` cannot be read: {error}")]) from None


def _read(path: Path, subject: str) -> bytes:
    target = DISK.resolve(path)
    if target is None or not DISK.exists(target):
        raise SpecError([Diagnostic("E701", f"there is no file `{subject}`")])
    try:
        data = DISK.read(target, MAX_FILE + 1)
    except OSError as error:
        message = f"`{subject}` cannot be read: {error.strerror}"
        raise SpecError([Diagnostic("E706", message)]) from None
    if len(data) > MAX_FILE:
        message = f"`{subject}` cannot be read: it has more than {MAX_FILE // 1_000_000} MB"
        help = "save its weights in a file of their own; they are not read"
        raise SpecError([Diagnostic("E706", message, help=help)])
    return data


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("an ONNX file", "onnx", "onnx") from None
