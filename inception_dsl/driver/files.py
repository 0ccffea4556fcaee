"""The files of a project: its specs, and what is made of them. The only module that writes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.walk import Checked, emit_module, output_name
from inception_dsl.resolve import AS_WRITTEN, name_problem, resolve
from inception_dsl.source import Source
from inception_dsl.spec.files import DISK, find_spec, library, names, project_root, read
from inception_dsl.spec.load import load

GENERATED = "generated"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a build makes: where it goes, and what is to be in it."""

    path: Path
    text: str

    def written(self) -> str | None:
        """What is in the file now; None if there is none."""
        try:
            return self.path.read_bytes().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None


@dataclass(frozen=True, slots=True)
class Emission:
    """The files that a build makes of a model, and what it says of those that it leaves out."""

    artifacts: tuple[Artifact, ...]
    findings: tuple[Diagnostic, ...]


def emit(checked: Checked, *, output: Path) -> Emission:
    """Make the files of a model, below `output`; nothing is written.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.emit.figure import build_figures
    from inception_dsl.emit.report import Facts, cost_markdown
    from inception_dsl.ir import fingerprint

    model, cost, shown = checked.model, checked.cost, checked.file.shown
    folder = output / output_name(checked.file, model)
    title = model.title or model.name
    module = emit_module(checked)
    page = cost_markdown(Facts(cost), title=title, shown=shown, fingerprint=fingerprint(model))
    built = build_figures(model, cost)
    artifacts = (
        Artifact(folder / "model.py", module),
        Artifact(folder / "cost.md", page),
        *(Artifact(folder / f"{detail}.svg", svg) for detail, svg in built.figures.items()),
    )
    return Emission(artifacts, built.findings)


def gallery(
    all_checked: Sequence[Checked], made: Sequence[Artifact], *, folder: Path, output: Path
) -> list[Artifact]:
    """Make the page of all figures of the project that `folder` is in, with its drawings.

    Args:
        made: what a build makes of the models, their posters among it.
        output: where the posters are, below the project.
    """
    from inception_dsl.emit.figure.gallery import Entry, gallery

    page = gallery_page(folder)
    beside = os.path.relpath(output, page.parent)
    paths = {artifact.path for artifact in made}
    entries = []
    for checked in all_checked:
        name = output_name(checked.file, checked.model)
        has_poster = output / name / "poster.svg" in paths
        poster = f"{beside}/{name}/poster.svg" if has_poster else None
        entries.append(Entry(name, checked.model, checked.cost, poster))
    drawn = gallery(entries, page.stem)
    drawings = page.parent / page.stem
    return [
        Artifact(page, drawn.page),
        *(Artifact(drawings / name, svg) for name, svg in drawn.drawings.items()),
    ]


def gallery_page(folder: Path) -> Path:
    """Where the project that `folder` is in has its gallery, if it has one."""
    return project_root(folder.resolve()) / "docs" / "gallery.md"


def write(artifact: Artifact) -> bool:
    """Writes a file whole or not at all, and only if its bytes change; true if they did."""
    if artifact.written() == artifact.text:
        return False
    import tempfile

    folder = artifact.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{artifact.path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(artifact.text.encode())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(artifact.path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def expanded(reference: str, *, folder: Path) -> str:
    """A spec as one file, everything that it uses in it.

    Raises:
        SpecError: what is wrong with the spec.
    """
    from inception_dsl.emit.spec import expand, format_spec

    loaded = load(find_spec(reference, folder))
    model = resolve(loaded, AS_WRITTEN)
    text = expand(loaded.tree, model, with_notes=not loaded.suspends_notes)
    return format_spec(Source(loaded.file.shown, text))


def formatted(reference: str, *, folder: Path) -> Artifact:
    """A spec's file with its steps in their one form; nothing is written.

    Raises:
        SpecError: E0xx, it cannot be read.
    """
    from inception_dsl.emit.spec import format_spec

    file = find_spec(reference, folder)
    return Artifact(file.path, format_spec(read(file)))


def begun(name: str, base: str | None, *, folder: Path) -> Artifact:
    """A new spec in the project's `specs/`; nothing is written.

    Raises:
        SpecError: E001 it is there already, E007 the base has no such name, E105 a bad name.
    """
    from inception_dsl.emit.spec import extending_spec, new_spec

    *above, own = name.split("/")
    problem = next(filter(None, map(name_problem, [*above, own])), None)
    if problem is not None:
        raise SpecError([Diagnostic("E105", problem)])
    path = project_root(folder.resolve()) / "specs" / f"{name}.yaml"
    if path.exists():
        raise SpecError([Diagnostic("E001", f"`{name}` is there already")])
    if base is None:
        return Artifact(path, new_spec(own))
    found = find_spec(base, folder)
    if base != found.full_name and found.path.is_relative_to(path.parent):
        base = found.full_name
    return Artifact(path, extending_spec(own, base))


def project_specs(folder: Path) -> list[str]:
    """The full names of the specs of the project that `folder` is in."""
    return names(project_root(folder.resolve()) / "specs")


def own_files(folder: Path) -> list[str]:
    """The paths of all spec files of the project that `folder` is in, libraries included.

    Raises:
        SpecError: E006, one lies outside the project.
    """
    root = project_root(folder.resolve())
    found = sorted(DISK.below(root / "specs"))
    for path in found:
        if not path.resolve().is_relative_to(root):
            shown = path.relative_to(root).as_posix()
            raise SpecError([Diagnostic("E006", f"`{shown}` lies outside the project")])
    return [str(path) for path in found]


def known_specs(folder: Path) -> list[str]:
    """The full names of the project's own specs, then those of the library."""
    own = project_specs(folder)
    return [*own, *(name for name in names(library()) if name not in own)]


def default_output(folder: Path) -> Path:
    """`generated/` in the project that `folder` is in, or in `folder` itself."""
    return project_root(folder.resolve()) / GENERATED


def orphans(output: Path, kept: list[Artifact]) -> Iterator[Path]:
    """Generated folders and drawings that no spec makes any more."""
    expected = {artifact.path for artifact in kept}
    folders = {path.parent for path in expected}
    for path in sorted(output.rglob("model.py")):
        if path.parent not in folders:
            yield path.parent
    for path in expected:
        if path.name == "gallery.md":
            drawings = (path.parent / path.stem).glob("*.svg")
            yield from sorted(drawing for drawing in drawings if drawing not in expected)
