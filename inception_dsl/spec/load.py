"""From a file to a checked spec: with all used files in it, and laid over the base it extends.

The result is one tree, as if the author had written everything in one file. Every part of it still
knows the file that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.bounds import (
    MAX_BLOCKS,
    MAX_BYTES,
    MAX_CLAIMS,
    MAX_FILES,
    MAX_HEADS,
    MAX_PARAMS,
    MAX_TABLES,
)
from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, shorten
from inception_dsl.source import Span
from inception_dsl.spec.files import SpecFile, find_used, give_text, read
from inception_dsl.spec.places import Places
from inception_dsl.spec.schema import ModelSpec
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Sequence, Tally, Tree, parse_tree
from inception_dsl.spec.validate import validate

if TYPE_CHECKING:
    from inception_dsl.spec.effort import Effort

VERSION = 1

_LIBRARY_KEYS = frozenset(["inception", "title", "source", "use", "tables", "blocks"])
_NAMESPACES = ("tables", "blocks")
_MOST = {
    "blocks": MAX_BLOCKS,
    "tables": MAX_TABLES,
    "params": MAX_PARAMS,
    "heads": MAX_HEADS,
    "claims": MAX_CLAIMS,
}
"""Maximum number of entries under a key of a spec."""


class Loaded(NamedTuple):
    """A checked spec with its tree, the places of its parts, and its file.

    Attributes:
        suspends_notes: whether an extending file has another input, or other parameters, so that
            the shape notes of its base need not hold.
        paths: all files that were read.
    """

    spec: ModelSpec
    tree: Mapping
    places: Places
    file: SpecFile
    suspends_notes: bool
    paths: frozenset[Path]

    @property
    def is_library(self) -> bool:
        """The file has blocks and tables for other specs, and no network."""
        brings = bool(self.spec.blocks or self.spec.tables)
        return brings and self.tree.items.keys() <= _LIBRARY_KEYS


class Trial(NamedTuple):
    """Other texts for some files of a spec, which are checked in place of the files.

    Attributes:
        texts: by the name of a file's source.
        max_bytes: the most that all files may have together; beyond it nothing is tried.
    """

    texts: Map[str, str]
    max_bytes: int


def load(file: SpecFile, *, trial: Trial | None = None) -> Loaded:
    """Return the spec that a file holds, with all that it uses.

    Raises:
        SpecError: E0xx for files and YAML, E1xx for the form of a spec.
    """
    loader = _Loader(trial)
    tree = loader.load_tree(file, None)
    _check_counts(tree)
    tree = loader.extend_blocks(tree)
    spec, places = validate(tree)
    paths = frozenset(loader.paths)
    return Loaded(spec, tree, places, file, suspends_notes=loader.suspends_notes, paths=paths)


class _Loader:
    def __init__(self, trial: Trial | None) -> None:
        self._trial = trial
        self._open: list[SpecFile] = []
        self._libraries: dict[SpecFile, Mapping] = {}
        self._tally = Tally()
        self.suspends_notes = False
        self.paths: set[Path] = set()

    def load_tree(self, file: SpecFile, span: Span | None) -> Mapping:
        """Return the tree of a network's spec with all used blocks, laid over that of its base."""
        tree = self._read(file, span)
        self._open.append(file)
        merged = self._add_used(tree, file)
        base = tree.items.get("extends")
        if base is not None:
            # Shape notes hold for the network as it was written.
            self.suspends_notes |= not merged.items.keys().isdisjoint(("input", "params"))
            base_tree = self.load_tree(
                find_used(_read_reference(base), file, base.value.span), base.value.span
            )
            merged.items.pop("extends")
            # The claims of a source are about the base alone.
            base_tree.items.pop("claims", None)
            from inception_dsl.spec.layers import lay_over

            merged = lay_over(base_tree, merged, self._effort)
        self._open.pop()
        return merged

    def extend_blocks(self, tree: Mapping) -> Mapping:
        """Return the tree with every block that `extends` another one laid over it."""
        blocks = tree.items.get("blocks")
        if blocks is None or not _may_extend(blocks.value):
            return tree
        from inception_dsl.spec.layers import extend_blocks

        return extend_blocks(tree, self._effort)

    @cached_property
    def _effort(self) -> Effort:
        from inception_dsl.spec.effort import Effort

        return Effort()

    def _add_used(self, tree: Mapping, file: SpecFile) -> Mapping:
        merged = Mapping(dict(tree.items), tree.span)
        use = merged.items.pop("use", None)
        problems: list[Diagnostic] = []
        for reference in _list_references(use):
            try:
                used = find_used(str(reference.value), file, reference.span)
                library = self._load_library(used, reference.span)
                for kind in _NAMESPACES:
                    _bring(merged, kind, library)
            except SpecError as error:
                problems.extend(error.diagnostics)
        if problems:
            raise SpecError(problems)
        return merged

    def _load_library(self, file: SpecFile, span: Span) -> Mapping:
        if file in self._libraries:
            return self._libraries[file]
        tree = self._read(file, span)
        for key, entry in tree.items.items():
            if key not in _LIBRARY_KEYS:
                message = f"`{key}` has no place in a file that is used"
                note = "a used file brings blocks and tables, and nothing else"
                raise SpecError([Diagnostic("E101", message, (Label(entry.key),), (note,))])
        self._open.append(file)
        self._libraries[file] = self._add_used(tree, file)
        self._open.pop()
        return self._libraries[file]

    def _read(self, file: SpecFile, span: Span | None) -> Mapping:
        labels = (Label(span),) if span else ()
        if file in self._open:
            circle = " uses ".join(f"`{f.shown}`" for f in [*self._open, file])
            raise SpecError([Diagnostic("E008", f"{circle}: a circle", labels)])
        if len(self._libraries) + len(self._open) >= MAX_FILES:
            raise SpecError([Diagnostic("E003", f"more than {MAX_FILES} files", labels)])
        trial = self._trial
        if trial is not None and file.shown in trial.texts:  # it need not be there
            source = give_text(file, trial.texts[file.shown])
        else:
            source = read(file, span)
        most = MAX_BYTES if trial is None else trial.max_bytes
        self._tally.bytes += len(source.text.encode())
        if self._tally.bytes > most:
            message = f"the files of the spec have more than {most:,} bytes"
            raise SpecError([Diagnostic("E003", message, labels)])
        self.paths.add(file.path)
        tree = parse_tree(source, self._tally)
        if not isinstance(tree, Mapping):
            message = "a spec is a mapping of keys such as `inception`, `input` and `network`"
            raise SpecError([Diagnostic("E103", message, (Label(tree.span),))])
        _check_version(tree)
        return tree


def _may_extend(blocks: Tree) -> bool:
    """Tell whether one of the blocks extends another."""
    return isinstance(blocks, Mapping) and any(
        isinstance(block.value, Mapping) and "extends" in block.value.items
        for block in blocks.items.values()
    )


def _check_counts(tree: Mapping) -> None:
    """Refuse more blocks, tables, parameters, heads or claims than the language allows.

    Raises:
        SpecError: E003 with the first entry that is too many.
    """
    for key, most in _MOST.items():
        section = tree.items.get(key)
        match section and section.value:
            case Mapping(items) if len(items) > most:
                span = list(items.values())[most].key
            case Sequence(items) if len(items) > most:
                span = items[most].span
            case _:
                continue
        message = f"the spec has more than {most:,} {key}"
        raise SpecError([Diagnostic("E003", message, (Label(span),))])


def _check_version(tree: Mapping) -> None:
    """Check the version of the language that a file names.

    Raises:
        SpecError: E102 it names none, E103 it names another one.
    """
    version = tree.items.get("inception")
    if version is None:
        start = tree.span.part(0, 1)
        help = "`inception: 1` belongs on the first line"
        message = "the key `inception` is missing"
        raise SpecError([Diagnostic("E102", message, (Label(start),), help=help)])
    if not isinstance(version.value, Scalar) or version.value.value != VERSION:
        span = version.value.span
        message = f"`{shorten(span.text)}` is no value of `inception`: `{VERSION}`"
        raise SpecError([Diagnostic("E103", message, (Label(span),))])


def _list_references(use: Entry | None) -> Iterator[Scalar]:
    if use is None:
        return
    if not isinstance(use.value, Sequence):
        message = "`use` is a list of files"
        span = use.value.span
        fix = Fix(span, f"[{span.text}]") if isinstance(use.value, Scalar) else None
        raise SpecError([Diagnostic("E103", message, (Label(span),), fix=fix)])
    for item in use.value.items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            raise SpecError(
                [Diagnostic("E103", "this is not the name of a file", (Label(item.span),))]
            )
        yield item


def _bring(merged: Mapping, kind: str, library: Mapping) -> None:
    """Add a library's blocks or tables to a spec's, in place, on mappings made for it."""
    brought = library.items.get(kind)
    if brought is None:
        return
    if not isinstance(brought.value, Mapping):
        message = f"`{kind}` is a mapping"
        raise SpecError([Diagnostic("E103", message, (Label(brought.value.span),))])
    present = merged.items.get(kind)
    items = dict(present.value.items) if present and isinstance(present.value, Mapping) else {}
    for name, entry in brought.value.items.items():
        if name in items and items[name] is not entry:
            labels = (Label(items[name].key, "here"), Label(entry.key, "and here"))
            message = f"`{name}` is defined twice"
            raise SpecError([Diagnostic("E209", message, labels)])
        items[name] = entry
    span = present.value.span if present else brought.value.span
    key = present.key if present else brought.key
    merged.items[kind] = Entry(key, Mapping(items, span))


def _read_reference(entry: Entry) -> str:
    tree: Tree = entry.value
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        return tree.value
    raise SpecError([Diagnostic("E103", "this is not the name of a file", (Label(tree.span),))])
