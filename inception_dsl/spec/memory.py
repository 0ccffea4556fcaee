"""Spec files whose texts are on no disk: the program has written them, and reads them back."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.files import CodeNetwork, SpecFile
from inception_dsl.spec.project import Files, project_root


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
    is_tree: bool = False

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
    text: str,
    *,
    name: str,
    reference: str,
    folder: Path,
    notes: tuple[Diagnostic, ...] = (),
    code: CodeNetwork | None = None,
) -> SpecFile:
    """Return a spec file whose text is in memory.

    Args:
        name: the name of the network.
        reference: the text by which a person named it.
        notes: findings about it that are no faults.
        code: the network that it was made of.
    """
    path = folder / f"{name}.yaml"
    files = TextFiles(path, text.encode())
    return SpecFile(path, files, folder, name, reference, reference, notes=notes, code=code)


def place_text(content: bytes, *, name: str, shown: str, folder: Path) -> SpecFile:
    """Return a spec file that is not on the disk, and uses other files as if it lay in a folder.

    Args:
        name: the name of the file without its suffix.
        shown: its name in findings.
        folder: an absolute path.
    """
    path = folder / f"{name}{SUFFIXES[0]}"
    files = EditedFiles(DISK, {path: content}, is_tree=False)
    return SpecFile(path, files, project_root(folder), name, shown, shown)


@dataclass(frozen=True, slots=True, eq=False)
class EditedFiles:
    """A place of files with other texts for some paths, at which no file need be.

    Attributes:
        files: the place as it is.
        texts: by these paths, with all symbolic links followed, the other texts as UTF-8.
        is_tree: a person can open the files by their paths.
    """

    files: Files
    texts: Mapping[Path, bytes]
    is_tree: bool

    @property
    def label(self) -> str:
        """The text that stands before the names of the files where they are shown."""
        return self.files.label

    @property
    def root(self) -> Path | None:
        """The folder that the names of the files begin at, if it is not the project's."""
        return self.files.root

    def resolve(self, path: Path) -> Path | None:
        """Return the path that a path leads to, as the place itself does."""
        return self.files.resolve(path)

    def exists(self, path: Path) -> bool:
        """Tell whether a file or a folder is there."""
        return path in self.texts or self.files.exists(path)

    def is_link(self, path: Path) -> bool:
        """Tell whether a path is a symbolic link."""
        return self.files.is_link(path)

    def below(self, folder: Path) -> Iterable[Path]:
        """Return everything in a folder and below it that may be a spec, as the place has it."""
        return self.files.below(folder)

    def read(self, path: Path, most: int) -> bytes:
        """Return the first bytes of a file.

        Raises:
            OSError: it cannot be read.
        """
        text = self.texts.get(path)
        return self.files.read(path, most) if text is None else text[:most]


def edit_file(file: SpecFile, path: Path, text: str) -> SpecFile:
    """Return a spec file that is read, with all that it uses, as if a file had another text.

    Args:
        path: the path of that file, with all symbolic links followed.
    """
    return replace(file, files=edit_files(file.files, {path: text}))


def edit_files(files: Files, texts: Mapping[Path, str]) -> EditedFiles:
    """Return a place of files with other texts for some paths.

    Args:
        texts: by the paths, with all symbolic links followed.
    """
    encoded = {path: encode_text(text) for path, text in texts.items()}
    return EditedFiles(files, encoded, files.is_tree)


def encode_text(text: str) -> bytes:
    """Return a text as a file holds it, so that its reader gets the very same text."""
    return text.encode("utf-8-sig")
