"""Renaming of steps and blocks in all files that belong to a spec, with a proof.

The edits are tried in memory: every network that the file is a part of is read anew, and must be
the same but for the name. Otherwise the rename is refused. A block keeps the paths of the steps
that call it without a name of their own: they get the name that they had by counting, so that keys
of checkpoints and claims stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.policies import Policies
from inception_dsl.driver.reading import OpenReading, find_open, judge_open, read_open
from inception_dsl.ir import Graph, Node
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.lsp.formatting import Edit
from inception_dsl.lsp.navigation import (
    Named,
    find_named,
    is_of_library,
    list_users,
    mentions_in,
)
from inception_dsl.lsp.symbols import Mention, SpecSymbol, list_extensions
from inception_dsl.resolve import name_problem
from inception_dsl.source import Source, Span
from inception_dsl.spec.files import read
from inception_dsl.spec.project import project_root
from inception_dsl.spec.tree import parse_tree

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RenamedFile(NamedTuple):
    """A file with the edits of a rename: its path, its text as it is, and the edits."""

    path: Path
    text: str
    edits: list[Edit]


class RenameError(Exception):
    """The refusal of a rename, with its reason."""


def find_renamed(desk: Desk, document: Document, offset: int) -> Span:
    """Return the name at a place that can have another one.

    Raises:
        RenameError: nothing there can.
    """
    return _find(desk, document, offset).mention.span


def _find(desk: Desk, document: Document, offset: int) -> Named:
    named = find_named(desk, document, offset)
    if named is None or named.mention.symbol.kind not in ("step", "block"):
        raise RenameError("only steps and blocks can be renamed")
    if named.mention.item is not None:
        raise RenameError("the step has no name of its own: write `NAME: ` before it")
    return named


def rename(desk: Desk, document: Document, offset: int, new: str) -> list[RenamedFile]:
    """Return the edits, file by file, that give a step or a block another name.

    Raises:
        RenameError: the rename would change a network, or has no proof.
    """
    named = _find(desk, document, offset)
    problem = None if _NAME.fullmatch(new) else "a name is a letter, then letters, digits and `_`"
    problem = problem or name_problem(new)
    if problem is not None:
        raise RenameError(problem)
    if document.path is None:
        raise RenameError("the text has no file yet: save it first")
    texts, root = desk.texts(), project_root(document.path.parent).resolve()
    specs = [document.path, *list_users(desk, document)]
    before = {path: _check_good(desk.read_file(path), desk.judge_reading) for path in specs}
    files = dict.fromkeys(path for each in before.values() for path in sorted(each.paths))
    sources = {path: read(find_open(path, texts)) for path in files}
    symbols = _list_same(named.mention.symbol, sources.values())
    renamed: list[RenamedFile] = []
    for path, source in sources.items():
        blocks = before[path].blocks if path in before else named.blocks
        found = list(_list_edits(mentions_in(source, blocks), symbols, new))
        if found and is_of_library(path, root):
            raise RenameError(f"`{named.mention.symbol.last}` is of the built-in library")
        if found:
            renamed.append(RenamedFile(path, source.text, found))
            texts[path] = _apply(source.text, found)
    judge = partial(judge_open, policies=Policies())
    for path, reading in before.items():
        try:
            after = _check_good(read_open(find_open(path, texts)), judge)
        except (RenameError, SpecError) as error:
            old = named.mention.symbol.last
            raise RenameError(f"`{old}` cannot be called `{new}`: {error}") from None
        _prove(reading, after, (named.mention.symbol.last, new))
    return renamed


def _check_good(
    reading: OpenReading | SpecError, judge: Callable[[OpenReading], tuple[Diagnostic, ...]]
) -> OpenReading:
    """Return a reading that has no errors.

    Args:
        judge: returns what is found in it.

    Raises:
        RenameError: it has some.
    """
    if isinstance(reading, SpecError):
        raise RenameError(reading.diagnostics[0].message)
    fault = next((each for each in judge(reading) if each.severity == "error"), None)
    if fault is not None:
        shown, reason = reading.file.shown, f"{fault.message} ({fault.code})"
        raise RenameError(f"`{shown}` has an error: {reason}")
    return reading


def _list_same(symbol: SpecSymbol, sources: Iterable[Source]) -> frozenset[SpecSymbol]:
    """Return a symbol with those that have its name because their blocks extend its block."""
    if symbol.kind != "step":
        return frozenset([symbol])
    pairs = {pair for source in sources for pair in list_extensions(parse_tree(source))}
    blocks, size = {symbol.block}, 0
    while len(blocks) > size:
        size = len(blocks)
        blocks |= {name for name, base in pairs if base in blocks}
        blocks |= {base for name, base in pairs if name in blocks}
    return frozenset(symbol._replace(block=block) for block in blocks)


def _list_edits(
    mentions: Iterable[Mention], symbols: frozenset[SpecSymbol], new: str
) -> Iterator[Edit]:
    """Yield the edits of a file."""
    listed = list(mentions)
    unnamed = {mention.span: mention for mention in listed if mention.item is not None}
    for mention in listed:
        if mention.symbol not in symbols or mention.item is not None:
            continue
        span = mention.span
        if (step := unnamed.get(span)) is not None and step.item is not None:
            yield Edit(step.item.start, step.item.start, f"{step.symbol.last}: ")
        yield Edit(span.start, span.end, new)


def _apply(text: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _prove(before: OpenReading, after: OpenReading, names: tuple[str, str]) -> None:
    """Hold a spec after the rename against its reading before.

    Raises:
        RenameError: it is another network.
    """
    if before.made is None or after.made is None:
        is_same = len(before.blocks) == len(after.blocks)
    else:
        is_same = _are_same(before.made.model.graph, after.made.model.graph, names)
    if not is_same:
        raise RenameError(f"the rename would change the network of `{before.file.shown}`")


def _are_same(old: Graph, new: Graph, names: tuple[str, str]) -> bool:
    """Tell whether two networks are equal but for a name in paths."""
    pairs = dict(zip((node.path for node in old.nodes), new.nodes, strict=False))
    paths: dict[str, str] = dict(zip(old.inputs, new.inputs, strict=False))
    paths |= {path: node.path for path, node in pairs.items()}
    return (
        len(old.nodes) == len(new.nodes)
        and old.inputs == new.inputs
        and all(_is_renamed(path, node.path, names) for path, node in pairs.items())
        and all(_is_same(node, pairs[node.path], paths) for node in old.nodes)
        and [paths[path] for path in old.outputs.values()] == list(new.outputs.values())
        and [paths[path] for path in old.head_outputs] == list(new.head_outputs)
    )


def _is_renamed(old: str, new: str, names: tuple[str, str]) -> bool:
    """Tell whether a path differs from another one in a new name alone."""
    parts = list(zip(old.split("."), new.split("."), strict=False))
    is_as_long = old.count(".") == new.count(".")
    return is_as_long and all(one == other or (one, other) == names for one, other in parts)


def _is_same(old: Node, new: Node, paths: Mapping[str, str]) -> bool:
    reuses = None if old.reuses is None else paths.get(old.reuses)
    return (
        (old.op, old.attributes, old.type, old.input_types)
        == (new.op, new.attributes, new.type, new.input_types)
        and [paths[path] for path in old.inputs] == list(new.inputs)
        and reuses == new.reuses
    )
