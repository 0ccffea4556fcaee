"""The names in the text of a spec file: blocks, steps, tables, rows, parameters and other specs.

A file is read by itself, so that the same function reads a network, a library, and a file that
extends another one and names the steps of that by their paths. The steps of a block are named by
the block and by their path in it, without copies; a path that leads into the blocks that steps
call is followed with the help of a reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from inception_dsl.ir import NETWORK, CallDef, Path
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.source import Span
from inception_dsl.spec.named_steps import is_named, name_steps
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.step import StepSyntaxError, StepText, Token, parse_step
from inception_dsl.spec.tree import Entry, Scalar, Sequence, Tree
from inception_dsl.spec.tree import Mapping as TreeMapping

_TOP = Path()

Kind = Literal["block", "step", "table", "row", "param", "spec", "op"]


class SpecSymbol(NamedTuple):
    """A thing that has a name.

    Attributes:
        block: the block that holds a step or a parameter; empty for other things.
        name: its name; of a step the path in its block, of a row the table and the row.
    """

    kind: Kind
    name: str
    block: str = ""

    @property
    def last(self) -> str:
        """The name by which a text mentions it."""
        return self.name.rpartition(".")[2] if self.kind in ("step", "row") else self.name


class Mention(NamedTuple):
    """A place of a text that names something.

    Attributes:
        span: the characters of the name, without the path before it.
        defines: the thing is made here.
        item: of a step without a name, which is called by its op or block, the whole of it.
    """

    symbol: SpecSymbol
    span: Span
    defines: bool = False
    item: Span | None = None


Blocks = Mapping[str, ReadBlock]
"""The blocks of a reading, by which paths are followed into calls."""


def list_mentions(tree: Tree, blocks: Blocks) -> Iterator[Mention]:
    """Yield all mentions in the text of a spec file.

    Args:
        blocks: the blocks of a reading that has this file; none if there is no such reading.
    """
    if isinstance(tree, TreeMapping):
        yield from _File(tree, blocks).read()


def list_extensions(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the blocks of a file that extend another one, each with that."""
    blocks = tree.items.get("blocks") if isinstance(tree, TreeMapping) else None
    if blocks is None or not isinstance(blocks.value, TreeMapping):
        return
    for name, block in blocks.value.items.items():
        match block.value:
            case TreeMapping({"extends": Entry(value=Scalar(value=str(base)))}):
                yield name, base


class _Place(NamedTuple):
    """The place of a body: its block, its path there, and the path of the list that it is in."""

    block: str
    path: Path
    siblings: Path

    def below(self, name: str) -> _Place:
        """Return the place of a named part of the body."""
        return _Place(self.block, self.path / name, self.path)


class _File:
    def __init__(self, tree: TreeMapping, blocks: Blocks) -> None:
        self._tree = tree
        self._blocks = blocks

    def read(self) -> Iterator[Mention]:
        for key, entry in self._tree.items.items():
            value = entry.value
            match value:
                case Sequence(items=listed) if key in ("use", "claims"):
                    for item in listed:
                        yield from self._spec(item) if key == "use" else self._at(item)
                case TreeMapping(items) if key in ("tables", "blocks", "heads"):
                    for name, inner in items.items():
                        yield from self._member(key, name, inner)
                case TreeMapping(items) if key == "budget" and "at" in items:
                    yield from self._budget(items["at"].value)
                case _:
                    yield from self._value(key, value)

    def _value(self, key: str, value: Tree) -> Iterator[Mention]:
        match key:
            case "extends":
                yield from self._spec(value)
            case "params":
                yield from self._params(value, NETWORK)
            case "network":
                yield from self._body(value, _Place(NETWORK, Path(), Path()))
            case "outputs":
                yield from self._outputs(value, NETWORK)

    def _member(self, key: str, name: str, entry: Entry) -> Iterator[Mention]:
        match key:
            case "tables":
                yield from self._table(name, entry)
            case "heads":
                yield from self._head(name, entry)
            case _:
                yield from self._block(entry)

    def _spec(self, tree: Tree) -> Iterator[Mention]:
        if isinstance(tree, Scalar) and isinstance(tree.value, str):
            yield Mention(SpecSymbol("spec", tree.value), tree.text)

    def _table(self, name: str, table: Entry) -> Iterator[Mention]:
        yield Mention(SpecSymbol("table", name), table.key, defines=True)
        if isinstance(table.value, TreeMapping):
            for row, entry in table.value.items.items():
                if row not in ("columns", "source"):
                    yield Mention(SpecSymbol("row", f"{name}.{row}"), entry.key, defines=True)

    def _params(self, tree: Tree, block: str) -> Iterator[Mention]:
        match tree:
            case TreeMapping(items):
                for name, entry in items.items():
                    yield Mention(SpecSymbol("param", name, block), entry.key, defines=True)
            case Sequence(items=listed):
                for item in listed:
                    if isinstance(item, Scalar):
                        symbol = SpecSymbol("param", str(item.value), block)
                        yield Mention(symbol, item.text, defines=True)

    def _block(self, entry: Entry) -> Iterator[Mention]:
        first, *steps = _cut(entry.key)
        block = first.text
        is_whole = not steps
        yield Mention(SpecSymbol("block", block), first, defines=is_whole)
        path = Path()
        for span in steps:
            path /= span.text
            yield Mention(SpecSymbol("step", path, block), span)
        if isinstance(entry.value, TreeMapping) and is_whole:
            items = entry.value.items
            if "params" in items:
                yield from self._params(items["params"].value, block)
            if "outputs" in items:
                yield from self._outputs(items["outputs"].value, block)
            base = items.get("extends")
            if base is not None and isinstance(base.value, Scalar):
                yield Mention(SpecSymbol("block", str(base.value.value)), base.value.text)
        yield from self._body(entry.value, _Place(block, path, path.parent))

    def _head(self, name: str, entry: Entry) -> Iterator[Mention]:
        symbol = SpecSymbol("step", name, NETWORK)
        yield Mention(symbol, entry.key, defines=True)
        place = _Place(NETWORK, Path(name), Path(name))
        if isinstance(entry.value, TreeMapping):
            yield from self._at(entry.value)
            if "steps" in entry.value.items:
                yield from self._body(entry.value.items["steps"].value, place)

    def _at(self, tree: Tree) -> Iterator[Mention]:
        at = tree.items.get("at") if isinstance(tree, TreeMapping) else None
        if at is not None and isinstance(at.value, Scalar):
            yield from self._follow(at.value.text, NETWORK)

    def _budget(self, tree: Tree) -> Iterator[Mention]:
        for entry in tree.items.values() if isinstance(tree, TreeMapping) else ():
            yield from self._follow(entry.key, NETWORK)

    def _outputs(self, tree: Tree, block: str) -> Iterator[Mention]:
        values: list[Tree] = []
        match tree:
            case Sequence(items=listed):
                values = listed
            case TreeMapping(items):
                values = [entry.value for entry in items.values()]
        for value in values:
            if isinstance(value, Scalar):
                yield from self._follow(value.text, block)

    def _follow(self, span: Span, block: str, holder: Path = _TOP) -> Iterator[Mention]:
        """Yield the steps that a path names, through the blocks that they call."""
        path = holder
        for part in _cut(span):
            name = part.text
            if name.isdigit():
                continue
            call = self._find_call(block, path)
            if call is not None:
                block, path = call, Path()
            path /= name
            yield Mention(SpecSymbol("step", path, block), part)

    def _find_call(self, block: str, path: Path) -> str | None:
        read = self._blocks.get(block)
        if read is None or not path:
            return None
        steps = (step for step in read.definition.body if isinstance(step, CallDef))
        return next((step.block for step in steps if step.path == path), None)

    # Bodies

    def _body(self, tree: Tree, place: _Place) -> Iterator[Mention]:
        match tree:
            case Scalar(value=str(text)):
                yield from self._step(text, tree.text, place)
            case Sequence():
                yield from self._list(tree, place)
            case TreeMapping(items):
                for key, entry in items.items():
                    yield from self._key(key, entry, tree, place)

    def _list(self, tree: Sequence, place: _Place) -> Iterator[Mention]:
        for name, item in name_steps(tree):
            if is_named(item):
                ((key, entry),) = item.items.items()
                yield Mention(
                    SpecSymbol("step", place.path / key, place.block), entry.key, defines=True
                )
                yield from self._body(entry.value, place.below(key))
            elif name is not None and isinstance(item, Scalar):
                symbol = SpecSymbol("step", place.path / name, place.block)
                called = _find_name(item)
                if called is not None:
                    yield Mention(symbol, called, defines=True, item=item.span)
                yield from self._body(item, place.below(name))
            else:
                yield from self._body(item, place._replace(siblings=place.path))

    def _key(self, key: str, entry: Entry, body: TreeMapping, place: _Place) -> Iterator[Mention]:
        value = entry.value
        match key:
            case "branches" if isinstance(value, TreeMapping):
                for name, branch in value.items.items():
                    symbol = SpecSymbol("step", place.path / name, place.block)
                    yield Mention(symbol, branch.key, defines=True)
                    yield from self._body(branch.value, place.below(name))
            case "steps":
                yield from self._body(value, place._replace(siblings=place.path))
            case "op" if isinstance(value, Scalar):
                yield from self._body(value, place)
            case "residual" if isinstance(value, TreeMapping) and "shortcut" in value.items:
                below = place.below("shortcut")
                yield from self._body(value.items["shortcut"].value, below)
            case "from" | "reuse" | "after":
                yield from self._names(value, place.block, place.siblings)
            case "order":
                yield from self._names(value, place.block, place.path)
            case _ if key not in BODY_KEYS and "op" not in body.items:
                yield from self._changed(entry, place)

    def _changed(self, entry: Entry, place: _Place) -> Iterator[Mention]:
        """Yield the steps that an extending file names by their path."""
        path = place.path
        is_new = isinstance(entry.value, TreeMapping) and "after" in entry.value.items
        for part in _cut(entry.key):
            path /= part.text
            yield Mention(SpecSymbol("step", path, place.block), part, defines=is_new)
        yield from self._body(entry.value, _Place(place.block, path, path.parent))

    def _names(self, tree: Tree, block: str, holder: Path) -> Iterator[Mention]:
        values: list[Tree] = [tree]
        match tree:
            case Sequence(items=listed):
                values = listed
            case TreeMapping(items):
                values = [entry.value for entry in items.values()]
        for value in values:
            if isinstance(value, Scalar) and value.value != "input":
                yield from self._follow(value.text, block, holder)

    def _step(self, text: str, span: Span, place: _Place) -> Iterator[Mention]:
        """Yield what a step's text names: its block, its row, the parameters that it reads."""
        if span.text != text or text == "none":
            return  # escapes hide where the words stand
        try:
            step = parse_step(text)
        except StepSyntaxError:
            return
        name = step.name.text
        kind: Kind = "block" if name in self._known_blocks else "op"
        yield Mention(SpecSymbol(kind, name), span.part(step.name.start, step.name.end))
        yield from self._words(step, span, place.block)

    def _words(self, step: StepText, span: Span, block: str) -> Iterator[Mention]:
        tokens = [token for token in (step.count, step.kernel, *step.words) if token is not None]
        for index, token in enumerate(tokens):
            following = tokens[index + 1].text if index + 1 < len(tokens) else ""
            part = span.part(token.start, token.end)
            if token.kind == "row":
                table = token.text.partition(".")[0]
                yield Mention(SpecSymbol("table", table), part.part(0, len(table)))
                yield Mention(
                    SpecSymbol("row", token.text), part.part(len(table) + 1, len(token.text))
                )
            elif token.kind == "name" and following == "=":
                yield Mention(SpecSymbol("param", token.text, step.name.text), part)
            elif token.kind == "name":
                yield Mention(SpecSymbol("param", token.text, block), part)

    @property
    def _known_blocks(self) -> frozenset[str]:
        match self._tree.items.get("blocks"):
            case Entry(value=TreeMapping(items)):
                own = [name.partition(".")[0] for name in items]
            case _:
                own = []
        return frozenset([*self._blocks, *own])


def _cut(span: Span) -> list[Span]:
    """Return the names of a path, without quotes around it."""
    text = span.text
    start = 1 if text[:1] in "\"'" else 0
    parts = []
    for name in text.strip("\"'").split("."):
        parts.append(span.part(start, start + len(name)))
        start += len(name) + 1
    return parts


def _find_name(item: Scalar) -> Span | None:
    """Return the place of the op or block that a step calls."""
    if item.text.text != item.value:
        return None
    try:
        name: Token = parse_step(str(item.value)).name
    except StepSyntaxError:
        return None
    return item.text.part(name.start, name.end)
