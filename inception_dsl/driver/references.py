"""The network that a person names: a spec, standard input, or a target, imported in memory.

Only what a person types, or gives to the Python interface, is looked up here. A spec names other
specs alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from inception_dsl.bounds import MAX_BYTES
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.source import STDIN, STDIN_NAME
from inception_dsl.spec.files import SpecFile, find_spec
from inception_dsl.spec.target import is_target

NamedInput = str | Mapping[str, str] | None
"""The input that a caller asks for: of the only input, or of some by name; None for the usual."""


def find_network(reference: str, folder: Path, *, input: NamedInput = None) -> SpecFile:
    """Return the spec that a person names; of a target, the spec that an import gives.

    Args:
        reference: a spec as for `find_spec`, a target such as `timm:resnet50`, or `-` for the
            spec on standard input.
        input: the input of a target as height x width x channels; None for that of its library.

    Raises:
        SpecError: the spec cannot be found, or the target cannot be imported.
        MissingExtraError: a target needs torch, which is not installed.
    """
    if reference == STDIN:
        return _read_stdin(folder)
    if not is_target(reference):
        return find_spec(reference, folder)
    from inception_dsl.driver.importing import import_target

    return import_target(reference, folder=folder, input=input, compares=False).file


def _read_stdin(folder: Path) -> SpecFile:
    """Return the spec on standard input, as if its file lay in the working folder.

    Raises:
        SpecError: E001, it cannot be read.
    """
    from inception_dsl.spec.memory import place_text

    stream = getattr(sys.stdin, "buffer", None)
    try:
        if stream is None or stream.closed:
            raise OSError(None, "it is closed")
        content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"standard input cannot be read: {error.strerror or error}"
        raise SpecError([Diagnostic("E001", message)]) from None
    return place_text(content, name="stdin", shown=STDIN_NAME, folder=folder.resolve())
