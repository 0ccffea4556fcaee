"""Which files a spec is made of: names in the library, files of the project, and their bounds.

A spec is untrusted. A name is checked before a path is built from it; a path is followed through
symbolic links and must end inside the project's folder, or inside the built-in library. Where files
are read from, the disk or a revision of a repository, is a spec file's own: what it uses comes from
there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from inception_dsl.bounds import MAX_BYTES
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.source import Source, Span

MAX_NAME = 200

FULL_NAME = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")
_SUFFIXES = (".yaml", ".yml")
_MARKERS = ("pyproject.toml", ".git")


class Files(Protocol):
    """Where files are read from. `label` stands before their names where they are shown."""

    @property
    def label(self) -> str:
        """What tells these files from those of the disk."""

    def resolve(self, path: Path) -> Path | None:
        """A file's path, symbolic links followed; None where there is no such file."""

    def exists(self, path: Path) -> bool:
        """There is a file or a folder."""

    def below(self, folder: Path) -> Iterable[Path]:
        """The .yaml files in a folder and below it."""

    def read(self, path: Path, most: int) -> bytes:
        """The first bytes of a file.

        Raises:
            OSError: it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Disk:
    """The files of this machine."""

    label: str = ""

    def resolve(self, path: Path) -> Path | None:
        """A file's path, symbolic links followed; None where there is no such file."""
        try:
            return path.resolve() if path.is_file() else None
        except (OSError, ValueError, RuntimeError):  # too long, a null byte, links in a circle
            return None

    def exists(self, path: Path) -> bool:
        """There is a file or a folder."""
        return path.exists()

    def below(self, folder: Path) -> Iterable[Path]:
        """The .yaml files in a folder and below it."""
        return folder.rglob("*.yaml")

    def read(self, path: Path, most: int) -> bytes:
        """The first bytes of a file.

        Raises:
            OSError: it cannot be read.
        """
        with path.open("rb") as stream:
            return stream.read(most)


DISK = Disk()


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec's file and how it is spoken of.

    Attributes:
        path: where it is, symbolic links resolved.
        root: the folder that `use` and `extends` must stay in.
        full_name: its name in the library, such as `timm/inception_v4`; its bare name for a file
            elsewhere.
        shown: the path from the root, by which findings and emitted headers name it.
        files: where it is read from, and what it uses.
        is_built_in: whether it is a file of the built-in library.
    """

    path: Path
    root: Path
    full_name: str
    shown: str
    files: Files = DISK
    is_built_in: bool = False


def library() -> Path:
    """The folder of the built-in specs: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "specs"
    return installed if installed.is_dir() else package.parent / "specs"


def project_root(path: Path, files: Files = DISK) -> Path:
    """The nearest folder at or above `path` that has a pyproject.toml or a .git; else `path`."""
    for folder in (path, *path.parents):
        if any(files.exists(folder / marker) for marker in _MARKERS):
            return folder
    return path


def find_spec(reference: str, folder: Path, files: Files = DISK) -> SpecFile:
    """The spec that a person names: a file, or a name in the library.

    Args:
        reference: a path to a .yaml file, or a name such as `inception_v4`; the project's own
            `specs/` comes before the built-in ones.
        folder: where the person stands.
        files: where files are read from.

    Raises:
        SpecError: E001 there is no such file, E007 no spec has this name.
    """
    if reference.endswith(_SUFFIXES):
        path = files.resolve(folder / reference)
        if path is None:
            message = f"there is no file `{files.label}{reference}`"
            raise SpecError([Diagnostic("E001", message)])
        return _spec_file(path, project_root(path.parent, files), files)
    return find_named(reference, project_root(folder.resolve(), files), None, files)


def find_used(reference: str, user: SpecFile, span: Span) -> SpecFile:
    """The spec that another one names in `use` or `extends`.

    Raises:
        SpecError: E001 there is no such file, E006 it lies outside the project, E007 no spec has
            this name.
    """
    if not reference.endswith(_SUFFIXES):
        file = find_named(reference, user.root, span, user.files)
        return replace(file, is_built_in=file.is_built_in or user.is_built_in)
    shown = reference if len(reference) <= MAX_NAME else f"{reference[:MAX_NAME]}..."
    path = user.files.resolve(user.path.parent / reference)
    is_outside = ".." in Path(reference).parts or Path(reference).is_absolute()
    if path is None and not is_outside:
        raise SpecError([Diagnostic("E001", f"there is no file `{shown}`", (Label(span),))])
    # Whether a file is there is not told of what lies outside.
    if path is None or not path.is_relative_to(user.root):
        message = f"`{shown}` lies outside the project"
        raise SpecError([Diagnostic("E006", message, (Label(span),))])
    return replace(_spec_file(path, user.root, user.files), is_built_in=user.is_built_in)


def find_named(name: str, root: Path, span: Span | None, files: Files = DISK) -> SpecFile:
    """The spec of a name: in the `specs/` of a project, else in the built-in library.

    Raises:
        SpecError: E006 it is a link out of the project, E007 no spec has this name.
    """
    labels = (Label(span),) if span else ()
    if len(name) > MAX_NAME:
        message = f"a name has at most {MAX_NAME} characters"
        raise SpecError([Diagnostic("E007", message, labels)])
    if FULL_NAME.fullmatch(name):
        for source, folder, bound, is_built_in in (
            (files, root / "specs", root, False),
            (DISK, library(), library().parent, True),
        ):
            path = source.resolve(folder / f"{name}.yaml")
            if path is None:
                continue
            if not path.is_relative_to(bound.resolve()):
                raise SpecError([Diagnostic("E006", f"`{name}` lies outside the project", labels)])
            file = _spec_file(path, bound, source)
            return replace(file, is_built_in=is_built_in)
    close = nearest(name, [*names(root / "specs", files), *names(library())])
    raise SpecError(
        [
            Diagnostic(
                "E007",
                f"no spec is named `{name}`",
                labels,
                help=f"write `{close}`" if close else "`inception-dsl list` shows the specs",
            )
        ]
    )


def names(folder: Path, files: Files = DISK) -> list[str]:
    """The full names of the specs in a folder, libraries of blocks left out, in order."""
    found = (path.relative_to(folder).with_suffix("") for path in files.below(folder))
    return sorted(name.as_posix() for name in found if "blocks" not in name.parts[:-1])


def read(file: SpecFile, span: Span | None = None) -> Source:
    """A spec's text.

    Raises:
        SpecError: E001 it cannot be read or is not UTF-8, E003 it is larger than `MAX_BYTES`.
    """
    labels = (Label(span),) if span else ()
    try:
        data = file.files.read(file.path, MAX_BYTES + 1)
    except OSError as error:
        message = f"`{file.shown}` cannot be read: {error.strerror}"
        raise SpecError([Diagnostic("E001", message, labels)]) from None
    if len(data) > MAX_BYTES:
        message = f"`{file.shown}` is larger than {MAX_BYTES:,} bytes"
        raise SpecError([Diagnostic("E003", message, labels)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"`{file.shown}` is not UTF-8: byte {error.start:,} starts no character"
        raise SpecError([Diagnostic("E001", message, labels)]) from None
    is_in_tree = file.files is DISK and not file.is_built_in
    return Source(file.shown, text, file.path if is_in_tree else None)


def _spec_file(path: Path, root: Path, files: Files) -> SpecFile:
    root = root.resolve()
    shown = path.relative_to(root)
    within = shown.parts[:1] == ("specs",)
    full_name = shown.relative_to("specs").with_suffix("").as_posix() if within else path.stem
    return SpecFile(path, root, full_name, f"{files.label}{shown.as_posix()}", files)
