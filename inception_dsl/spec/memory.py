"""Spec files that are on no disk: texts that the program has written and reads back."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.spec.files import SpecFile


@dataclass(frozen=True, slots=True)
class TextFiles:
    """A place of files that holds one text.

    Attributes:
        path: the path at which the text is.
    """

    path: Path
    content: bytes
    label: str = ""
    root: Path | None = None

    def resolve(self, path: Path) -> Path | None:
        """Return the path itself, as there are no links."""
        return path

    def exists(self, path: Path) -> bool:
        """Tell whether the text is at a path."""
        return path == self.path

    def is_link(self, path: Path) -> bool:  # noqa: ARG002
        """Tell that a path is no link."""
        return False

    def below(self, folder: Path) -> Iterable[Path]:  # noqa: ARG002
        """Return nothing: a text is named, never searched for."""
        return ()

    def read(self, path: Path, most: int) -> bytes:
        """Return the first bytes of the text.

        Raises:
            OSError: the path is another one.
        """
        if path != self.path:
            raise OSError(errno.ENOENT, "No such file or directory")
        return self.content[:most]


def hold_text(
    text: str, *, name: str, reference: str, folder: Path, notes: tuple[Diagnostic, ...] = ()
) -> SpecFile:
    """Return a spec file whose text is in memory.

    Args:
        name: the name of the network.
        reference: the text by which a person named it.
        notes: findings about it that are no faults.
    """
    path = folder / f"{name}.yaml"
    files = TextFiles(path, text.encode())
    return SpecFile(path, files, folder, name, reference, reference, notes=notes)
