"""Completion: the ops, blocks, words, rows, parameters, paths and keys that fit at a place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import Literal, NamedTuple

from inception_dsl.channels import markdown_text
from inception_dsl.driver.reading import OpenReading
from inception_dsl.expr import FUNCTIONS
from inception_dsl.ir import NETWORK, Path
from inception_dsl.lsp.cursor import Cursor, find_cursor
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.lsp.hover import describe_block
from inception_dsl.lsp.keys import list_choices, list_keys
from inception_dsl.lsp.steps import StepIndex, is_join
from inception_dsl.lsp.vocabulary import describe_op, list_words
from inception_dsl.ops import ACTIVATIONS, OPS, PAD_WORDS, WORDS, WRITTEN, Op
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.spec.disk import SUFFIXES
from inception_dsl.spec.files import library
from inception_dsl.spec.project import SPECS, bare_name, is_in_blocks, project_root, spec_paths
from inception_dsl.spec.schema import BODY_KEYS, BodySpec, ModelSpec

Kind = Literal["op", "block", "word", "value", "param", "row", "step", "key", "spec", "function"]

_PATHS = frozenset(["at"])
_NAMES = frozenset(["from", "reuse", "order", "after"])
_PASSED = frozenset(["-", "branches", "steps", "shortcut"])
"""Keys of a body that add no name to a path."""

_HEAD = re.compile(
    r"^(?:\w+\s+x\s+)?(?:(?:[0-9]+x[0-9]+|[A-Za-z_]\w*)\s+)??((?:(?:global|adaptive)\s+)?[A-Za-z_]\w*)\s*$"
)
_WORD = re.compile(r"[\w.]*\Z")


class Item(NamedTuple):
    """A text that can stand at a place.

    Attributes:
        label: the text that a list shows.
        kind: the kind of thing that it names.
        text: the text that is written, with the word before the place taken out.
        detail: a few words beside the label.
        description: more of it, as Markdown.
        is_snippet: the text has stops, as editors write them.
    """

    label: str
    kind: Kind
    text: str
    detail: str = ""
    description: str = ""
    is_snippet: bool = False


class Completion(NamedTuple):
    """The texts that can stand at a place, and the begin of the word that they replace."""

    start: int
    items: tuple[Item, ...]


def complete_at(desk: Desk, document: Document, offset: int) -> Completion:
    """Return what can stand at a place of an open spec."""
    cursor = find_cursor(document.text, offset)
    if cursor is None:
        return Completion(offset, ())
    if document.known is None:  # names change rarely: the last ones are at hand at once
        desk.read(document)
    specs: list[str] = []
    if cursor.keys[:1] in (("use",), ("extends",)):
        root = project_root(document.path.parent) if document.path is not None else None
        specs = _list_specs(root, is_use=cursor.keys[0] == "use")
    return complete(cursor, document.known, specs)


def _list_specs(root: FilePath | None, *, is_use: bool) -> list[str]:
    """Return the names of the specs that one can extend, or of the libraries that it can use."""
    names: dict[str, None] = {}
    for folder in filter(None, (root, library().parent)):
        for path in spec_paths(folder):
            beside = path.relative_to(folder)
            if is_in_blocks(beside) == is_use and path.name.endswith(SUFFIXES):
                names.setdefault(bare_name(beside.relative_to(SPECS)))
    return list(names)


def complete(cursor: Cursor, reading: OpenReading | None, specs: Iterable[str]) -> Completion:
    """Return what can stand at a place of a spec.

    Args:
        reading: the last reading of the spec that could be put together.
        specs: the names of all specs that it could extend.
    """
    items, length = _complete(cursor, _Known(reading), specs)
    return Completion(cursor.start + len(cursor.text) - length, tuple(items))


class _Known:
    """The names that a reading knows."""

    def __init__(self, reading: OpenReading | None) -> None:
        loaded = reading.loaded if reading is not None else None
        self.reading = reading
        self.spec: ModelSpec | None = loaded.spec if loaded is not None else None
        self.read: dict[str, ReadBlock] = dict(reading.blocks) if reading is not None else {}

    def params(self, block: str) -> list[str]:
        """Return the parameters of a block, or of the network."""
        if self.spec is None:
            return []
        if block == NETWORK:
            return list(self.spec.params)
        body = self.spec.blocks.get(block)
        declared = body.params if isinstance(body, BodySpec) else None
        return list(declared or ())

    def list_nameable(self, block: str, holder: Path) -> list[str]:
        """Return the names of the steps and branches below a path of a block.

        A join without a name stands at its op's own name, which no step calls it by.
        """
        read = self.read.get(block)
        names = [
            step.path.relative_to(holder).first
            for step in (read.definition.body if read is not None else ())
            if step.path.is_below(holder) and not (step.path.parent == holder and is_join(step))
        ]
        return list(dict.fromkeys(names))


def _complete(cursor: Cursor, known: _Known, specs: Iterable[str]) -> tuple[list[Item], int]:
    keys, text = cursor.keys, cursor.text
    length = len(_last_word(text))
    own = next((key for key in reversed(keys) if key != "-"), "")
    section = keys[0] if keys else ""
    block = _block_of(keys)
    if section in ("use", "extends"):
        return [Item(name, "spec", name) for name in specs], len(text)
    if own in _PATHS:
        return list(_list_below(known, text)), length
    if block is not None and own in _NAMES:
        return list(_list_siblings(known, block, keys)), length
    if block is not None and own == "extends":
        blocks = known.spec.blocks if known.spec is not None else ()
        return [Item(name, "block", name) for name in blocks], length
    if section == "defaults" or "defaults" in keys[2:3]:
        return list(_complete_defaults(cursor)), length
    choices = list_choices(keys)
    items = [Item(word, "value", word) for word in choices]
    if own == "act":
        items += [Item(word, "value", word) for word in ("none", *ACTIVATIONS)]
    elif own == "when" and block is not None:
        items += [Item(name, "param", name) for name in ("in", *known.params(block))]
    elif block is not None and _takes_step(keys, own) and not cursor.is_line_of_mapping:
        step, length = _complete_step(text, block, known)
        items += step
    if cursor.may_be_key and not choices:
        items += [
            Item(key.name, "key", f"{key.name}: ", description=key.description)
            for key in list_keys(keys)
        ]
    return items, length


def _last_word(text: str) -> str:
    match = _WORD.search(text)
    return match[0] if match is not None else ""


def _block_of(keys: tuple[str, ...]) -> str | None:
    """Return the block that holds a place; the network is one, and has the heads, too."""
    match keys:
        case ("blocks", name, *_):
            return Path(name).first
        case ("network" | "heads", *_):
            return NETWORK
        case _:
            return None


def _takes_step(keys: tuple[str, ...], own: str) -> bool:
    """Tell whether a value is a step: that of a name, of a list, or of a key that holds a body."""
    if keys[0] == "heads" and len([key for key in keys if key != "-"]) < 3:
        return False
    return own in {"op", "network", *_PASSED} or own not in BODY_KEYS | {
        "at", "scale", "act", "loss_weight", "drop_path", "columns", "source"
    }  # fmt: skip


# The text of a step


def _complete_step(text: str, block: str, known: _Known) -> tuple[list[Item], int]:
    head, bracket, inside = text.partition("(")
    if "->" in text:
        return list(_list_shapes(text, block, known)), len(_last_word(text))
    if not bracket or inside.count(")") > inside.count("("):
        name = re.search(r"(?:(?:global|adaptive)\s+)?[A-Za-z_]?\w*\Z", text)
        length = len(name[0]) if name is not None else 0
        return list(_list_calls(known)), length
    called = _HEAD.match(head)
    name_of = " ".join(called[1].split()) if called is not None else ""
    length = len(_last_word(text))
    if name_of in WRITTEN:
        return list(_list_op_words(WRITTEN[name_of], inside, block, known)), length
    return list(_list_bindings(name_of, inside, block, known)), length


def _list_calls(known: _Known) -> Iterator[Item]:
    """Yield what a step can call: the blocks that are known, and all ops."""
    for name in known.spec.blocks if known.spec is not None else ():
        read = known.read.get(name)
        needed = [p.name for p in read.definition.params if p.default is None] if read else []
        stops = " ".join(f"{param}=${{{index}}}" for index, param in enumerate(needed, start=1))
        description = describe_block(read.definition) if read is not None else ""
        text = f"{name} ({stops})" if needed else name
        yield Item(name, "block", text, "block", description, is_snippet=bool(needed))
    for written, op in WRITTEN.items():
        text = f"{written} (${{1:64}})" if op.width else written
        kernel = "KxK " if op.kernel else ""
        detail = f"{kernel}{written}"
        yield Item(written, "op", text, detail, describe_op(op), is_snippet=bool(op.width))


def _list_op_words(op: Op, inside: str, block: str, known: _Known) -> Iterator[Item]:
    """Yield the words of an op that a step lacks, or the values of the word before."""
    words = inside.split()
    last = words[-1] if words and inside[-1:].isspace() else words[-2] if len(words) > 1 else ""
    attribute = op.attribute(last)
    values = [Item(name, "param", name) for name in known.params(block)]
    if attribute is not None and attribute.kind not in ("flag", "width"):
        choices = attribute.choices or (PAD_WORDS if attribute.kind == "pad" else ())
        yield from (Item(word, "value", word) for word in sorted(choices))
        yield from values
        return
    taken = set(words[:-1] if words and not inside[-1:].isspace() else words)
    for word in list_words(op):
        if word.text not in taken:
            text = f"{word.text} " if word.takes else word.text
            yield Item(word.text, "word", text, word.meaning, word.takes)
    yield from values
    yield from _list_numbers()


def _list_numbers() -> Iterator[Item]:
    yield Item("in", "param", "in", "the channels that enter the block")
    for name in FUNCTIONS:
        yield Item(name, "function", f"{name}($1)", is_snippet=True)


def _list_bindings(name: str, inside: str, block: str, known: _Known) -> Iterator[Item]:
    """Yield the parameters that a call can bind, and rows; or values for the one that it binds."""
    if re.search(r"=\s*[\w.]*\Z", inside):
        yield from (Item(param, "param", param) for param in known.params(block))
        yield from (Item(word, "value", word) for word in sorted(WORDS))
        yield from _list_numbers()
        return
    bound = set(re.findall(r"(\w+)\s*=", inside))
    for param in known.params(name):
        if param not in bound:
            yield Item(f"{param}=", "param", f"{param}=", f"of {name}")
    if not bound and known.spec is not None:
        for table, rows in known.spec.tables.items():
            for row, cells in (rows.__pydantic_extra__ or {}).items():
                pairs = zip(rows.columns, cells, strict=False)
                shown = ", ".join(f"{column} {cell}" for column, cell in pairs)
                yield Item(f"{table}.{row}", "row", f"{table}.{row}", shown)


def _list_shapes(text: str, block: str, known: _Known) -> Iterator[Item]:
    """Yield the shape that steps with this text gave when the spec was last read."""
    read, reading = known.read.get(block), known.reading
    if read is None or reading is None or reading.made is None:
        return
    call = text.partition("->")[0].split()
    for step in StepIndex(reading).steps:
        written = step.span.text.partition("->")[0].split()
        if step.block is read and written == call:
            yield from (Item(run.gives, "value", run.gives) for run in step.runs[:1])


# Names and paths


def _list_siblings(known: _Known, block: str, keys: tuple[str, ...]) -> Iterator[Item]:
    """Yield the steps of the list, or the branches, at a place of a block."""
    body = keys[2:] if keys[0] == "blocks" else keys[1:]
    names = [key for key in body if key not in _PASSED | BODY_KEYS]
    if keys[-1] == "-":
        names = [key for key in body[:-1] if key not in _PASSED | BODY_KEYS]
    is_named_step = body[-2:-1] and body[-2] not in BODY_KEYS | {"-"}
    holder = Path(".".join(names[:-1] if is_named_step else names))
    for name in ("input", *known.list_nameable(block, holder)):
        yield Item(name, "step", name)


def _list_below(known: _Known, text: str) -> Iterator[Item]:
    """Yield the paths of the network that begin as a text does, up to their next dot."""
    reading = known.reading
    if reading is None or reading.quantities is None:
        return
    holder = Path(text.rpartition(".")[0])
    paths = (path for path in reading.quantities.origins if path.is_below(holder))
    for path in dict.fromkeys(holder / path.relative_to(holder).first for path in paths):
        yield Item(path, "step", path)


def _complete_defaults(cursor: Cursor) -> Iterator[Item]:
    inner = cursor.keys[cursor.keys.index("defaults") + 1 :]
    if not inner:
        for name, op in OPS.items():
            if op.join is None and op.attributes:
                yield Item(
                    name, "op", f"{name}: {{$1}}", description=describe_op(op), is_snippet=True
                )
        return
    if inner[0] not in OPS:
        return
    owner = OPS[inner[0]]
    attribute = owner.attribute(inner[-1]) if len(inner) > 1 else None
    if attribute is not None:
        yield from (Item(choice, "value", choice) for choice in attribute.choices)
        return
    for word in list_words(owner):
        if word.takes:
            yield Item(word.text, "word", f"{word.text}: ", word.meaning, markdown_text(word.takes))
