"""The files of a spec: names in the library, files of the project, and their bounds.

A spec is untrusted. However a file is named, its path is followed through all symbolic links and
must end inside the project or inside the built-in library. A spec file knows whether it comes from
the disk or from a revision of a repository. The files that it uses come from the same place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from inception_dsl.bounds import MAX_BYTES
from inception_dsl.channels import printable
from inception_dsl.characters import are_printable
from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest
from inception_dsl.source import STDIN, Source, Span
from inception_dsl.spec.disk import DISK, SUFFIXES
from inception_dsl.spec.project import (
    SPECS,
    Files,
    bare_name,
    is_name,
    project_root,
    spec_names,
)

MAX_NAME = 200
"""Maximum number of characters of a name that is looked up."""


class CodeTensor(NamedTuple):
    """A tensor of a network that exists as code.

    Attributes:
        key: its key in the state_dict there.
        number: the type of its numbers, such as `float32`.
    """

    key: str
    shape: tuple[int, ...]
    number: str = ""


class CodeStep(NamedTuple):
    """The module of torch that runs a step, and the lines of Python behind it, the innermost first.

    Attributes:
        module: the path of the module; empty for the network itself.
        lines: the line that made the module, or runs the function, then that of each outer call.
        is_built: the lines are those that made the module, not those that run a function.
        norm_lines: the same for the norm that the step carries.
        act_lines: the same for the activation that the step carries.
    """

    module: str
    lines: tuple[Span, ...]
    is_built: bool
    norm_lines: tuple[Span, ...] = ()
    act_lines: tuple[Span, ...] = ()


class IdleTensor(NamedTuple):
    """A tensor of the state_dict of code that no step of the code's spec has.

    Attributes:
        lines: the line that made it, or its module, then that of each outer call.
        twin: the key under which a step has the same tensor; None if no step has it.
    """

    key: str
    shape: tuple[int, ...]
    lines: tuple[Span, ...]
    twin: str | None = None
    number: str = ""


class CodeTraining(NamedTuple):
    """The steps of training that a spec leaves out, because it could not tell them.

    Attributes:
        why: the reason, as a clause.
        calls: the calls of torch that only training makes, and those that only inference makes,
            with their numbers; None if training could not be followed.
        lines: the line of the first of them, then that of each outer call.
    """

    why: str
    calls: tuple[str, ...] | None
    lines: tuple[Span, ...]


class CodeForm(NamedTuple):
    """The form in which a network of code takes its input and gives its results.

    Attributes:
        text: the lists, keys and fields of its results; empty for a file.
        lines: the line of the function that gives them.
        argument: the name of the argument that takes its only input; empty if it has several, which
            have names of their own, or if callers cannot name it.
    """

    text: str = ""
    lines: tuple[Span, ...] = ()
    argument: str = ""


class CodeDraw(NamedTuple):
    """A module that draws at random in training in a way that no spec says.

    Attributes:
        module: its path.
        kind: the name of its class.
        share: the share of values that it drops; None if that is not known.
        lines: the line that made it, or that runs it, then that of each outer call.
    """

    module: str
    kind: str
    share: float | None
    lines: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNetwork:
    """A network that exists as code, beside the spec that was made of it.

    Attributes:
        tensors: its tensors by the keys of the spec; none if it is a file.
        steps: its modules by the paths of the nodes of the spec.
        idle: the other tensors of its state_dict.
        fixed: the keys of the tensors of `tensors` that a step of training leaves as they are.
        draws: the modules that draw at random in training, and that the spec leaves out.
        training: the steps of training that the spec leaves out; None if it has all.
        form: the form of its results.
    """

    tensors: Mapping[str, CodeTensor] = field(default_factory=dict)
    steps: Mapping[str, CodeStep] = field(default_factory=dict)
    idle: tuple[IdleTensor, ...] = ()
    fixed: frozenset[str] = frozenset()
    draws: tuple[CodeDraw, ...] = ()
    training: CodeTraining | None = None
    form: CodeForm = field(default_factory=CodeForm)


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec's file with its names.

    Attributes:
        path: its absolute path with all symbolic links followed.
        files: the disk or the revision that it is read from, with everything that it uses.
        root: the folder that `use` and `extends` must stay in.
        full_name: its path in the project's `specs/` without the suffix, such as
            `timm/inception_v4`; of a file elsewhere in the project its path from the root.
        shown: its path from the root; findings and headers of generated files name it so.
        reference: the text by which a person or a spec named it.
        is_built_in: whether it is a file of the built-in library.
        notes: findings about it that are no faults, from where it was written.
        code: the network that it was made of; None for a spec that an author wrote.
    """

    path: Path
    files: Files
    root: Path = field(compare=False)
    full_name: str = field(compare=False)
    shown: str = field(compare=False)
    reference: str = field(compare=False)
    is_built_in: bool = field(default=False, compare=False)
    notes: tuple[Diagnostic, ...] = field(default=(), compare=False)
    code: CodeNetwork | None = field(default=None, compare=False)

    @property
    def is_imported(self) -> bool:
        """The spec was made of a network that exists as code or as a file."""
        return self.code is not None

    @property
    def is_in_tree(self) -> bool:
        """The file lies in the working tree, where a person can open it."""
        return self.files.is_tree and not self.is_built_in


def library() -> Path:
    """Return the folder of the built-in specs: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / SPECS
    return installed if installed.is_dir() else package.parent / SPECS


def find_spec(reference: str, folder: Path, files: Files = DISK) -> SpecFile:
    """Return the spec that a person names: a file, or a name in the library.

    Args:
        reference: a path to a .yaml or .yml file, or a name such as `inception_v4`; the project's
            own `specs/` comes before the built-in ones.
        folder: the working folder of the person.
        files: the disk, or a revision.

    Raises:
        SpecError: E001 there is no such file, E006 it lies outside its project, E007 no spec has
            this name.
    """
    folder = folder.resolve()
    if not reference.endswith(SUFFIXES):
        try:
            return find_named(reference, project_root(folder, files), None, files)
        except SpecError:
            if files is not DISK or not reference or not (folder / reference).is_dir():
                raise
            raise _folder(reference) from None
    path = Path(os.path.normpath(folder / reference))
    return locate(path, project_root(path.parent, files), reference, files)


def _folder(reference: str) -> SpecError:
    """Return E007 for a folder where a spec is wanted."""
    message = f"`{printable(_short(reference))}` is a folder, not a spec"
    help = "name its files; a command for all of `specs/` takes no name"
    return SpecError([Diagnostic("E007", message, help=help)])


def locate(
    path: Path, root: Path, reference: str, files: Files = DISK, span: Span | None = None
) -> SpecFile:
    """Return the spec file at a path.

    Args:
        path: an absolute path; its links have yet to be followed.
        root: the project that it must be in.
        reference: the text by which it was named.
        span: where a spec names it.

    Raises:
        SpecError: E001 there is no such file, its links lead in a circle, or its name cannot be
            shown; E006 it lies outside the project.
    """
    labels = (Label(span),) if span else ()
    target = files.resolve(path)
    # The message must not reveal whether a file outside the project exists.
    is_inside = path.is_relative_to(root) and (not target or target.is_relative_to(root.resolve()))
    if not is_inside:
        message = f"`{printable(_short(reference))}` lies outside the project"
        raise SpecError([Diagnostic("E006", message, labels)])
    if target is None and any(files.is_link(above) for above in (path, *path.parents)):
        named = f"{files.label}{printable(_short(reference))}"
        message = f"`{named}` cannot be read: its links lead in a circle"
        raise SpecError([Diagnostic("E001", message, labels)])
    if target is None or not files.exists(target):
        message = f"there is no file `{files.label}{printable(_short(reference))}`"
        raise SpecError([Diagnostic("E001", message, labels)])
    beside = path.relative_to(root)
    if not are_printable(beside.as_posix()):
        message = f"`{printable(reference)}` cannot be read: its name has an invisible character"
        raise SpecError([Diagnostic("E001", message, labels)])
    return _describe(path, target, root, reference, files)


def place(path: Path) -> SpecFile:
    """Return the spec file that a path on the disk would be, whether or not one is there.

    Args:
        path: an absolute path; its links have yet to be followed.
    """
    path = Path(os.path.normpath(path))
    target = DISK.resolve(path) or path
    return _describe(path, target, project_root(path.parent), str(path), DISK)


def _describe(path: Path, target: Path, root: Path, reference: str, files: Files) -> SpecFile:
    """Return a spec file with its names.

    Args:
        target: the path with all links followed.
    """
    beside = path.relative_to(root)
    is_in_specs = beside.parts[0] == SPECS and len(beside.parts) > 1
    name = bare_name(beside.relative_to(SPECS) if is_in_specs else beside)
    shown = (path.relative_to(files.root) if files.root else beside).as_posix()
    return SpecFile(target, files, root, name, f"{files.label}{shown}", reference)


def find_used(reference: str, user: SpecFile, span: Span) -> SpecFile:
    """Return the spec that another one names in `use` or `extends`.

    Raises:
        SpecError: E001 there is no such file, E006 it lies outside the project, E007 no spec has
            this name.
    """
    root, files = user.root.resolve(), user.files
    if not reference.endswith(SUFFIXES):
        file = find_named(reference, root, span, files)
    else:
        path = Path(os.path.normpath(user.path.parent / reference))
        file = locate(path, root, reference, files, span)
    return replace(file, is_built_in=file.is_built_in or user.is_built_in)


def find_named(name: str, root: Path, span: Span | None, files: Files = DISK) -> SpecFile:
    """Return the spec of a name: in the `specs/` of a project, else in the built-in library.

    Raises:
        SpecError: E006 it is a link out of the project, E007 no spec has this name.
    """
    labels = (Label(span),) if span else ()
    if len(name) > MAX_NAME:
        message = f"a name has at most {MAX_NAME} characters"
        raise SpecError([Diagnostic("E007", message, labels)])
    if is_name(name):
        for suffix in SUFFIXES:
            path = root / SPECS / f"{name}{suffix}"
            if files.exists(path) or files.is_link(path):
                return locate(path, root, name, files, span)
        path = library() / f"{name}.yaml"
        if DISK.exists(path):
            return replace(locate(path, library().parent, name), is_built_in=True)
    known = [*spec_names(root, files), *spec_names(library().parent)]
    close = nearest(name, (other for other in known if other != name))
    message, fix = f"no spec is named `{name}`", None
    help = (span is None and _tell_kind(name)) or "`inception-dsl list` shows the specs"
    if close is not None and span is not None:
        fix = Fix(span, close)
    elif close is not None:
        help = f"write `{close}`"
    raise SpecError([Diagnostic("E007", message, labels, help=help, fix=fix)])


def _tell_kind(name: str) -> str | None:
    """Return the way out for the name of a file that is no spec, if it is one of a known kind."""
    if name.startswith(("/dev/", "/proc/")):  # what a shell makes of `<(command)`
        return f"a pipe is read by `{STDIN}`: write `command | inception-dsl check {STDIN}`"
    if name.endswith(".py"):
        return f"write `py:{name}:NAME`, with the name of its class or function, for code in Python"
    if name.endswith((".pt", ".pth", ".ckpt", ".safetensors")):
        return "a checkpoint has no graph: `port` and `evaluate` take it, beside a spec"
    return None


def is_known(name: str, folder: Path) -> bool:
    """Tell whether a text names a spec of the project around a folder, or of the library."""
    if name.endswith(SUFFIXES) or not is_name(name) or len(name) > MAX_NAME:
        return False
    specs = project_root(folder.resolve()) / SPECS
    here = (specs / f"{name}{suffix}" for suffix in SUFFIXES)
    return any(map(DISK.exists, here)) or DISK.exists(library() / f"{name}.yaml")


def read(file: SpecFile, span: Span | None = None) -> Source:
    """Return a spec's text.

    Args:
        span: where another spec names it.

    Raises:
        SpecError: E001 it cannot be read or is not UTF-8, E003 it is larger than `MAX_BYTES`.
    """
    labels = (Label(span),) if span else ()
    try:
        data = file.files.read(file.path, MAX_BYTES + 1)
    except OSError as error:
        message = f"`{_named(file)}` cannot be read: {error.strerror}"
        raise SpecError([Diagnostic("E001", message, labels)]) from None
    if len(data) > MAX_BYTES:
        message = f"`{_named(file)}` is larger than {MAX_BYTES:,} bytes"
        raise SpecError([Diagnostic("E003", message, labels)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"`{_named(file)}` is not UTF-8: byte {error.start:,} starts no character"
        raise SpecError([Diagnostic("E001", message, labels)]) from None
    return give_text(file, text)


def give_text(file: SpecFile, text: str) -> Source:
    """Return a text as that of a spec's file."""
    if file.is_in_tree:
        return Source(file.shown, text, file.path)
    is_of_library = file.is_built_in and file.files.is_tree
    return Source(file.shown, text, library_path=file.path if is_of_library else None)


def _named(file: SpecFile) -> str:
    """Return the path that a person typed for a file, or else its path from the root."""
    is_typed = file.reference.endswith(SUFFIXES)
    return printable(f"{file.files.label}{file.reference}") if is_typed else file.shown


def _short(reference: str) -> str:
    return reference if len(reference) <= MAX_NAME else f"{reference[:MAX_NAME]}..."
