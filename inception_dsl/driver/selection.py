"""The specs that a command looks at: those that a person names, or all of the project.

All commands choose alike, so that none of them is green where another finds nothing. Files of the
project are found by path, and a person may name several by a folder or by a pattern. A file that
cannot be read is reported and stops none of the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.references import NamedInput, find_network
from inception_dsl.driver.standpoint import stand_in
from inception_dsl.source import STDIN
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.files import SpecFile, is_known, library, locate
from inception_dsl.spec.project import (
    SPECS,
    bare_name,
    folded,
    is_in_blocks,
    nothing_found,
    project_root,
    spec_names,
    spec_paths,
)
from inception_dsl.spec.target import is_target

OnStart = Callable[[int, int, str], None]
"""A function that is told when the work on a spec begins: its place, the number of all, its name.
"""

Chosen = tuple[str, SpecFile | SpecError]
"""The name of a spec in findings of several, and its file or the errors that keep it away."""


def ignore_start(index: int, total: int, name: str) -> None:
    """Ignore that the work on a spec begins."""


def begin_each(chosen: Sequence[Chosen], on_start: OnStart) -> Iterator[Chosen]:
    """Yield each spec, once it is told that the work on it begins."""
    for index, (name, file) in enumerate(chosen):
        on_start(index, len(chosen), name)
        yield name, file


def choose(
    references: Sequence[str],
    folder: Path,
    *,
    input: NamedInput = None,
    with_libraries: bool = False,
) -> list[Chosen]:
    """Return the files that a person names, or all of the project that may be networks.

    Args:
        input: the input of the targets among them; None for those of their libraries.
        with_libraries: a folder or a pattern stands for libraries of blocks, too.
    """
    if references:
        return [
            chosen
            for reference in _once(references)
            for chosen in _find(reference, folder, input, with_libraries=with_libraries)
        ]
    root = project_root(folder.resolve())
    paths = [path for path in spec_paths(root) if not is_in_blocks(path.relative_to(root))]
    return _located(paths, root, folder)


def tell_nothing(folder: Path) -> SpecError:
    """Return the error that the project that a folder is in has no network (E011)."""
    return SpecError([nothing_found(project_root(folder.resolve()), folder)])


def choose_files(references: Sequence[str], folder: Path) -> list[Chosen]:
    """Return the files that a person names, or all spec files of the project, libraries too."""
    if references:
        return choose(references, folder, with_libraries=True)
    root = project_root(folder.resolve())
    return _located(spec_paths(root), root, folder)


def choose_libraries(folder: Path) -> list[Chosen]:
    """Return the libraries of blocks of the project that a folder is in."""
    root = project_root(folder.resolve())
    paths = [path for path in spec_paths(root) if is_in_blocks(path.relative_to(root))]
    return _located(paths, root, folder)


def _once(references: Sequence[str]) -> Sequence[str]:
    """Return references that name standard input at most once.

    Raises:
        SpecError: E001, they name it twice.
    """
    if references.count(STDIN) > 1:
        message = "`-` is named twice, and standard input can be read once"
        raise SpecError([Diagnostic("E001", message)])
    return references


def _find(
    reference: str, folder: Path, input: NamedInput, *, with_libraries: bool
) -> Iterator[Chosen]:
    """Yield the spec of a name or a path, or those that a folder or a pattern stands for."""
    paths = _expand(reference, folder)
    if paths is None:
        yield reference, _try(reference, folder, input)
        return
    here = stand_in(folder)
    is_empty = True
    for path in paths:
        root = project_root(path.parent)
        if with_libraries or not is_in_blocks(path.relative_to(root)):
            is_empty = False
            yield here.name(path), _try(here.name(path), folder, input)
    if is_empty:
        message = f"`{printable(reference)}` stands for no spec"
        help = "a spec ends in .yaml or .yml; write `**` for folders at any depth"
        yield reference, SpecError([Diagnostic("E007", message, help=help)])


def _expand(reference: str, folder: Path) -> list[Path] | None:
    """Return the spec files of a folder or of a pattern; None for any other reference."""
    place = folder.resolve() / reference
    is_plain = not reference or is_target(reference) or (DISK.exists(place) and not place.is_dir())
    if is_plain or is_known(reference, folder):
        return None
    if place.is_dir() and not reference.endswith(SUFFIXES):
        below = DISK.below(Path(os.path.normpath(place)))
        return sorted(path for path in below if path.name.endswith(SUFFIXES))
    if not any(sign in reference for sign in "*?["):
        return None
    import glob  # Path takes no absolute pattern

    found = glob.glob(reference, root_dir=folder.resolve(), recursive=True)  # noqa: PTH207
    paths = (Path(os.path.normpath(folder.resolve() / text)) for text in found)
    return sorted(path for path in paths if path.name.endswith(SUFFIXES) and path.is_file())


def _try(reference: str, folder: Path, input: NamedInput) -> SpecFile | SpecError:
    try:
        return find_network(reference, folder, input=input)
    except SpecError as error:
        return error


def _located(paths: Iterable[Path], root: Path, folder: Path) -> list[Chosen]:
    here = stand_in(folder)
    chosen: list[Chosen] = []
    for path in paths:
        name = bare_name(path.relative_to(root / SPECS))
        try:
            file = locate(path, root, here.name(path))
        except SpecError as error:
            chosen.append((name, error))
            continue
        is_spec = path.name.endswith(SUFFIXES)
        chosen.append((name, file if is_spec else _tell_folder(file, is_link=path.is_symlink())))
    return chosen


def _tell_folder(file: SpecFile, *, is_link: bool) -> SpecError:
    if not is_link:
        return SpecError([Diagnostic("E001", f"the folder `{file.shown}` cannot be read")])
    message = f"`{file.shown}` is a link to a folder, which is not followed"
    help = "give the paths of its specs, or move the folder here"
    return SpecError([Diagnostic("E001", message, help=help)])


def list_specs(folder: Path) -> list[str]:
    """Return the names of the specs of the project that a folder is in."""
    return spec_names(project_root(folder.resolve()))


def list_known_specs(folder: Path) -> list[str]:
    """Return the names of the project's own specs, then those of the library."""
    named = list_specs(folder)
    return [*named, *(name for name in spec_names(library().parent) if name not in named)]


def find_clashes(files: Sequence[SpecFile], *, among_all: bool) -> list[Diagnostic]:
    """Find specs that would be built to one folder on some file system.

    Args:
        among_all: compare them with all other specs of their projects too, so that a build of one
            never overwrites the files of another.
    """
    paths: dict[tuple[Path, str], dict[str, None]] = {}
    chosen = set()
    for file in files:
        key = (file.root, folded(file.full_name))
        chosen.add(key)
        paths.setdefault(key, {})[file.shown] = None
    roots = {file.root: None for file in files if among_all and not file.is_built_in}
    for root in roots:
        for path in spec_paths(root):
            beside = path.relative_to(root)
            key = (root, folded(bare_name(beside.relative_to(SPECS))))
            if key in chosen and not is_in_blocks(beside):
                paths[key][beside.as_posix()] = None
    return [tell_clash(list(shown)) for shown in paths.values() if len(shown) > 1]


def tell_clash(shown: Sequence[str]) -> Diagnostic:
    """Return the finding that specs would be built to one folder."""
    first, *others = sorted(shown)
    message = f"`{first}` and `{'`, `'.join(others)}` would be built to one folder"
    is_of_case = len({bare_name(Path(path)).removeprefix(f"{SPECS}/") for path in shown}) > 1
    notes = ("macOS and Windows take names that differ in case for one",) if is_of_case else ()
    return Diagnostic("E503", message, notes=notes, help="rename one of them")
