"""A spec as an editor has it: all stages that could be made, and then the findings.

A person who types breaks a spec at every second letter. A reading keeps what the stages before a
fault have made. Files that are open are read as they stand in the editor, through the door of
`spec.disk` and with its bounds: a text that is open opens no file outside of the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis import CostReport, Quantities, measure_cost
from inception_dsl.bounds import MAX_NODES
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.walk import (
    LibraryError,
    instantiate,
    judge_model,
    read_library,
    read_template,
)
from inception_dsl.resolve import (
    AS_WRITTEN,
    Instantiation,
    Template,
    find_odd_statements,
    read_library_blocks,
)
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.source import Source
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.files import SpecFile, locate, read
from inception_dsl.spec.load import Loaded, load
from inception_dsl.spec.memory import TextFiles, edit_files, encode_text
from inception_dsl.spec.project import project_root

if TYPE_CHECKING:
    from inception_dsl.driver.policies import Policies


@dataclass(frozen=True, eq=False)
class OpenReading:
    """A spec, read as far as it goes.

    Attributes:
        source: the text of the file itself; None if it cannot be read.
        loaded: the spec with all that it uses and extends; None if its form is wrong.
        template: its network with names and words resolved; None if these are wrong, or if it is a
            library of blocks.
        made: the model; None if its shapes are wrong.
        blocks: the blocks of its network or library, as they were read; none if they are wrong.
        error: the errors of the first stage that failed, without fixes; None if none did.
    """

    file: SpecFile
    source: Source | None = None
    loaded: Loaded | None = None
    template: Template | None = None
    made: Instantiation | None = None
    blocks: Mapping[str, ReadBlock] = field(default_factory=dict)
    error: SpecError | None = None

    @cached_property
    def cost(self) -> CostReport | None:
        """The cost of the model, if there is one."""
        if self.made is None:
            return None
        return measure_cost(self.made.model, name=self.file.full_name)

    @cached_property
    def quantities(self) -> Quantities | None:
        """The quantities of the model, if there is one."""
        if self.made is None or self.cost is None:
            return None
        return Quantities(self.made.model, self.cost)

    @property
    def paths(self) -> frozenset[Path]:
        """The files that were read; the spec's own alone, if its form is wrong."""
        return self.loaded.paths if self.loaded else frozenset([self.file.path])


def find_open(path: Path, texts: Mapping[Path, str]) -> SpecFile:
    """Return the spec file at a path, read with the texts of open files.

    Args:
        path: an absolute path; its links have yet to be followed.
        texts: the texts by the paths of their files, with all links followed.

    Raises:
        SpecError: E001, there is no such file, or E006.
    """
    return locate(path, project_root(path.parent), path.name, edit_files(DISK, texts))


def hold_open(name: str, text: str) -> SpecFile:
    """Return a spec file for a text that has no file yet; it can use the library alone.

    Args:
        name: the name by which findings know it.
    """
    folder = Path("/")
    path = folder / "untitled.yaml"
    return SpecFile(path, TextFiles(path, encode_text(text)), folder, "untitled", name, name)


def read_open(file: SpecFile) -> OpenReading:
    """Read a spec as far as it goes; nothing is judged yet."""
    source = loaded = template = made = None
    blocks: Mapping[str, ReadBlock] = {}
    try:
        source = read(file)
        loaded = load(file)
        if loaded.is_library:
            blocks = read_library_blocks(loaded, max_nodes=MAX_NODES)
        else:
            template = read_template(loaded, AS_WRITTEN, MAX_NODES)
            blocks = template.blocks
            made = instantiate(loaded, template, AS_WRITTEN)
    except SpecError as error:
        return OpenReading(file, source, loaded, template, made, blocks, error)
    return OpenReading(file, source, loaded, template, made, blocks)


def read_committed(path: Path) -> OpenReading | None:
    """Return the spec at a path as the last commit has it; None if it had no shapes there."""
    from inception_dsl.spec.git import find_revision

    try:
        revision = find_revision("HEAD", path.parent)
        root = project_root(path.parent, revision)
        reading = read_open(locate(path, root, path.name, revision))
    except SpecError:
        return None
    return reading if reading.made is not None else None


def judge_open(
    reading: OpenReading, *, hints: bool = False, policies: Policies | None = None
) -> tuple[Diagnostic, ...]:
    """Return the findings of a spec, as `check` has them by the settings of its project.

    Comments that ignore nothing are left to `check`, which sees all specs.

    Args:
        hints: report possible improvements, too.
        policies: the settings of projects, for the caller who judges several specs.
    """
    found = _judge(reading, hints=hints)
    if not reading.file.files.is_tree or reading.source is None:
        return found
    from inception_dsl.driver.policies import Policies
    from inception_dsl.rules.policy import find_comments

    comments = (each for each in find_comments(reading.source) if isinstance(each, Diagnostic))
    try:
        return (*comments, *(policies or Policies()).settle(reading.file, found))
    except SpecError as error:  # of the settings
        return (*error.diagnostics, *found)


def _judge(reading: OpenReading, *, hints: bool) -> tuple[Diagnostic, ...]:
    """Return all that is found in a spec, whatever its project ignores."""
    file, loaded = reading.file, reading.loaded
    try:
        if reading.error is not None:
            return _mend(reading, reading.error)
        if reading.template is None or reading.made is None:
            return ()
        assert loaded is not None
        odd = find_odd_statements(loaded)
        checked = judge_model(file, reading.template, reading.made, odd, AS_WRITTEN, hints=hints)
    except SpecError as error:
        return error.diagnostics
    return checked.warnings


def _mend(reading: OpenReading, error: SpecError) -> tuple[Diagnostic, ...]:
    """Return the findings of an error, with the fixes that end them.

    Raises:
        SpecError: the errors of a library.
    """
    loaded = reading.loaded
    if isinstance(error, LibraryError) or (loaded is not None and loaded.is_library):
        assert loaded is not None
        read_library(loaded)
        return ()
    from inception_dsl.driver.fixes import try_fixes

    def use(loaded: Loaded, max_nodes: int) -> object:
        return instantiate(loaded, read_template(loaded, AS_WRITTEN, max_nodes), AS_WRITTEN)

    return try_fixes(error, reading.file, use, is_loaded=loaded is not None).diagnostics
