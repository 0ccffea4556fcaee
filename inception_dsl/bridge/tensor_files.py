"""Files of tensors, as torch and safetensors write them. No code of a file runs.

A file is known by its first bytes, not by its name. torch's own files are read with
`weights_only=True` alone.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError

if TYPE_CHECKING:
    from torch import Tensor

FileFormat = Literal["safetensors", "torch"]

SUFFIXES: Mapping[str, FileFormat] = {
    ".safetensors": "safetensors",
    ".pt": "torch",
    ".pth": "torch",
    ".bin": "torch",
    ".ckpt": "torch",
}
"""The format of a file that is written, by the end of its name."""

_ZIP = b"PK\x03\x04"
_LENGTH = 8
"""The number of bytes at the start of a file of safetensors that say how long its header is."""

MAX_SAID = 200
"""Maximum number of characters that are shown of an error of torch or safetensors."""


def read_tensor_file(path: Path) -> object:
    """Return the object that a file of tensors holds, on the CPU.

    Raises:
        SpecError: E801, it cannot be read, or holds more than tensors and plain data.
        MissingExtraError: it is a file of safetensors, and the package is not installed.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for ever
            what = "a folder" if path.is_dir() else "no regular file"
            raise _refuse(path, f"it is {what}")
        with path.open("rb") as stream:
            head = stream.read(_LENGTH + 1)
    except OSError as error:
        raise _refuse(path, error.strerror or str(error)) from None
    if not head:
        raise _refuse(path, "it is empty")
    if head[_LENGTH:] == b"{":
        return _read_safetensors(path)
    return _read_torch(path, is_zip=head.startswith(_ZIP))


def _read_safetensors(path: Path) -> object:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError:
        raise _missing_safetensors() from None
    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise _refuse(path, "it is damaged", error) from None


def _read_torch(path: Path, *, is_zip: bool) -> object:
    import pickle
    import warnings

    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError:
        if names := _list_code(path, is_zip=is_zip):
            why = f"it holds more than tensors and plain data: {', '.join(names)}"
            help = "save its state_dict alone, as in `torch.save(model.state_dict(), FILE)`"
            raise _refuse(path, why, help=help) from None
        raise _refuse(path, "it is no checkpoint, or holds more than tensors") from None
    except MemoryError:
        raise
    except Exception:  # a damaged file may fail anywhere in its reader
        if is_zip and _holds_program(path):
            help = (
                "save the state_dict of its module, as in `torch.save(module.state_dict(), FILE)`"
            )
            raise _refuse(path, "it is a program of TorchScript", help=help) from None
        raise _refuse(path, "it is no checkpoint, or is damaged") from None


def _holds_program(path: Path) -> bool:
    """Tell whether a file is one that `torch.jit.save` wrote."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return any(name.endswith("/constants.pkl") for name in names)


MAX_LISTED = 4
"""Maximum number of names of code that a finding lists."""


def _list_code(path: Path, *, is_zip: bool) -> list[str]:
    """Return the names of the classes and functions that a file of torch asks for."""
    import torch

    find: Any = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if find is None or not is_zip:
        return []
    try:
        names = sorted(find(path))
    except Exception:  # the file may be damaged beside
        return []
    shown = [f"`{printable(name[:MAX_SAID])}`" for name in names[:MAX_LISTED]]
    more = len(names) - MAX_LISTED
    return [*shown, f"{more} more"] if more > 0 else shown


def pack_tensors(tensors: Mapping[str, Tensor], format: FileFormat) -> bytes:
    """Return the file of a state_dict: the same bytes each time.

    Raises:
        MissingExtraError: it is to be one of safetensors, and the package is not installed.
    """
    if format == "safetensors":
        try:
            from safetensors.torch import save
        except ModuleNotFoundError:
            raise _missing_safetensors() from None
        return save(dict(tensors), metadata={"format": "pt"})
    import torch

    stream = io.BytesIO()
    torch.save(dict(tensors), stream)
    return stream.getvalue()


def choose_format(path: Path) -> FileFormat:
    """Return the format that the end of a file's name asks for.

    Raises:
        SpecError: E801, it asks for none.
    """
    format = SUFFIXES.get(path.suffix)
    if format is None:
        message = f"`{printable(str(path))}` does not say in which format it is to be written"
        help = f"let its name end in one of {', '.join(SUFFIXES)}"
        raise SpecError([Diagnostic("E801", message, help=help)])
    return format


def _missing_safetensors() -> MissingExtraError:
    return MissingExtraError("a file of safetensors", "safetensors", "torch")


def _refuse(
    path: Path, why: str, error: Exception | None = None, help: str | None = None
) -> SpecError:
    message = f"`{printable(str(path))}` cannot be read: {why}"
    said = printable(str(error).splitlines()[0][:MAX_SAID]) if error and str(error) else ""
    return SpecError([Diagnostic("E801", message, notes=(said,) if said else (), help=help)])
