"""The files that belong to a spec, and the places in them that name one thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.reading import OpenReading, find_open
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.lsp.symbols import Blocks, Mention, list_mentions
from inception_dsl.source import Source, Span
from inception_dsl.spec.disk import SUFFIXES
from inception_dsl.spec.files import SpecFile, find_used, library, read
from inception_dsl.spec.load import load
from inception_dsl.spec.project import project_root, spec_paths
from inception_dsl.spec.tree import parse_tree

MAX_FILES = 1_000
"""Maximum number of specs of a project that are searched for those that depend on one."""


class Named(NamedTuple):
    """A thing that a place of a text names, and the place."""

    mention: Mention
    blocks: Blocks


def find_named(desk: Desk, document: Document, offset: int) -> Named | None:
    """Return what a place of an open text names; None if it names nothing, or is no YAML."""
    blocks = known_blocks(desk, document)
    name = document.reading.file.shown if document.reading is not None else ""
    mentions = mentions_in(Source(name, document.text, document.path), blocks)
    at = [each for each in mentions if each.span.start <= offset <= each.span.end]
    # The name of a block that a step without a name calls is that block's first of all.
    at.sort(key=lambda each: each.item is not None)
    return Named(at[0], blocks) if at else None


def known_blocks(desk: Desk, document: Document) -> Blocks:
    """Return the blocks that a spec knows: those of its last reading without errors in names."""
    reading = desk.read(document)
    if reading is not None and reading.blocks:
        return reading.blocks
    return document.good.blocks if document.good is not None else {}


def mentions_in(source: Source, blocks: Blocks) -> list[Mention]:
    """Return all mentions in a text; none if it is no YAML."""
    try:
        return list(list_mentions(parse_tree(source), blocks))
    except SpecError:
        return []


def find_definitions(desk: Desk, document: Document, named: Named) -> list[Mention]:
    """Return the places that make a thing, in the files that a spec is put together from."""
    symbol = named.mention.symbol
    if symbol.kind == "op":
        return []
    if symbol.kind == "spec":
        target = _find_file(desk, document, named.mention)
        if target is None:
            return []
        return [Mention(symbol, Span(Source(target.shown, "", target.path), 0, 0))]
    mentions = [
        mention
        for source in _sources(desk, document, _own_paths(desk, document))
        for mention in mentions_in(source, named.blocks)
        if mention.symbol == symbol
    ]
    return [mention for mention in mentions if mention.defines] or mentions[:1]


def _find_file(desk: Desk, document: Document, mention: Mention) -> SpecFile | None:
    try:
        return find_used(mention.symbol.name, desk.locate(document), mention.span)
    except SpecError:
        return None


def find_references(desk: Desk, document: Document, named: Named) -> list[Mention]:
    """Return all places that name a thing, in all files that belong to a spec."""
    blocks: dict[Path | None, Blocks] = {}
    paths = dict.fromkeys(_own_paths(desk, document))
    for user, parts in list_users(desk, document).items():
        paths |= dict.fromkeys(parts)
        if named.mention.symbol.kind == "step":  # a claim's path leads through the calls there
            reading = desk.read_file(user)
            blocks[user] = reading.blocks if isinstance(reading, OpenReading) else {}
    return [
        mention
        for source in _sources(desk, document, list(paths))
        for mention in mentions_in(source, blocks.get(source.path) or named.blocks)
        if mention.symbol == named.mention.symbol
    ]


def _own_paths(desk: Desk, document: Document) -> list[Path]:
    reading = desk.read(document)
    paths = sorted(reading.paths) if reading is not None else []
    good = sorted(document.good.paths) if document.good is not None else []
    return list(dict.fromkeys([*paths, *good]))


def _sources(desk: Desk, document: Document, paths: list[Path]) -> Iterator[Source]:
    """Yield the texts of files, those that are open as they stand in the editor."""
    texts = desk.texts()
    if document.path is None:
        yield Source(document.uri, document.text)
    for path in dict.fromkeys(paths):
        try:
            source = read(find_open(path, texts))
        except SpecError:
            continue
        yield Source(source.name, source.text, path)


def is_of_library(path: Path, root: Path) -> bool:
    """Tell whether a file is of the built-in library, and not of a project."""
    return path.is_relative_to(library()) and not path.is_relative_to(root)


def list_users(desk: Desk, document: Document) -> dict[Path, list[Path]]:
    """Return the specs of the project that a text is a part of, each with all of its files."""
    target = document.path
    if target is None:
        return {}
    texts, root = desk.texts(), project_root(target.parent)
    contents = {path: desk.content(path) for path in _list_specs(root)}
    contents.pop(target, None)
    stems, users = {target.stem}, dict[Path, list[Path]]()
    is_growing = True
    while is_growing:
        is_growing = False
        for path, content in contents.items():
            if path in users or not any(stem.encode() in content for stem in stems):
                continue
            try:
                paths = load(find_open(path, texts)).paths
            except SpecError:
                continue
            if target in paths:
                users[path] = sorted(paths)
                stems.add(path.stem)
                is_growing = True
    return users


def _list_specs(root: Path) -> list[Path]:
    paths = (path.resolve() for path in spec_paths(root)[:MAX_FILES])
    return [path for path in paths if path.name.endswith(SUFFIXES)]
