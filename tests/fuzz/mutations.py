"""One-word mutations of shipped specs, each with the place that it changes.

What can be changed is found by walking a spec's tree: the words of its steps, the cells of its
tables, its defaults, its names, and whole steps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from inception_dsl import driver
from inception_dsl.source import Source, Span
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.step import StepSyntaxError, tokenise
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Sequence, Tree, parse_tree

ROOT = Path(__file__).parents[2]
SPECS = driver.list_specs(ROOT)

Kind = Literal["word", "cell", "default", "name", "reference", "dropped step", "swapped branches"]


@dataclass(frozen=True)
class Mutation:
    """A spec's file with one word changed.

    Attributes:
        file: the full name of the file, which the checked spec may reach through others.
        start, end: the characters, of the new text, that are the mutated place.
        around: those of what holds it: the step of a word, the body of a dropped step.
        was: the word that stood there.
    """

    kind: Kind
    what: str
    file: str
    text: str
    start: int
    end: int
    around: tuple[int, int]
    was: str

    @property
    def now(self) -> str:
        """The word that stands there."""
        return self.text[self.start : self.end]

    def __str__(self) -> str:
        line = self.text.count("\n", 0, self.start) + 1
        return f"{self.file}:{line}: {self.kind}, {self.what}: `{self.was}` -> `{self.now}`"


@dataclass
class _Parts:
    """The parts of a file that can be changed: a region each, with its body if one is needed."""

    steps: list[Span]
    cells: list[Span]
    defaults: list[Span]
    names: list[Span]
    references: list[Span]
    droppable: list[tuple[Span, Span]]
    branches: list[tuple[Span, Span]]


@cache
def text_of(file: str) -> str:
    """The text of a shipped spec."""
    return (ROOT / "specs" / f"{file}.yaml").read_text()


@cache
def reached(spec: str) -> tuple[str, ...]:
    """A spec and the files that it reaches through `use` and `extends`."""
    tree = parse_tree(Source(spec, text_of(spec)))
    assert isinstance(tree, Mapping)
    others: list[str] = []
    for key in ("use", "extends"):
        if key in tree.items:
            value = tree.items[key].value
            given = value.items if isinstance(value, Sequence) else [value]
            others += [str(item.value) for item in given if isinstance(item, Scalar)]
    return (spec, *dict.fromkeys(name for other in others for name in reached(other)))


def mutate(spec: str, rng: random.Random) -> Mutation:
    """A mutation of a spec, or of a file that it reaches: the larger, the more often."""
    files = reached(spec)
    file = rng.choices(files, [len(text_of(name)) for name in files])[0]
    parts = _parts(file)
    while True:
        match rng.choices(range(7), (8, 2, 1, 2, 1, 3, 1))[0]:
            case 0:
                made = _word(file, parts, rng)
            case 1:
                made = _value(file, "cell", parts.cells, rng)
            case 2:
                made = _value(file, "default", parts.defaults, rng)
            case 3:
                made = _misspelt(file, "name", parts.names, rng)
            case 4:
                made = _misspelt(file, "reference", parts.references, rng)
            case 5:
                made = _dropped(file, parts, rng)
            case _:
                made = _swapped(file, parts, rng)
        if made is not None and made.text != text_of(file):
            return made


@cache
def _parts(file: str) -> _Parts:
    tree = parse_tree(Source(file, text_of(file)))
    parts = _Parts([], [], [], [], [], [], [])
    assert isinstance(tree, Mapping)
    for key, entry in tree.items.items():
        match key, entry.value:
            case "network", value:
                _body(value, parts)
            case "blocks", Mapping(items):
                _named(items, parts)
            case "heads", Mapping(items):
                for head in items.values():
                    parts.names.append(head.key)
                    if isinstance(head.value, Mapping) and "steps" in head.value.items:
                        _references(head.value.items.get("at"), parts)
                        _body(head.value.items["steps"].value, parts)
            case "tables", Mapping(items):
                for table in items.values():
                    parts.names.append(table.key)
                    _table(table.value, parts)
            case "defaults", Mapping(items):
                _defaults(items, parts)
            case "use" | "extends", _:
                _references(entry, parts)
            case "params", Mapping(items):
                parts.names += [own.key for own in items.values()]
    return parts


def _references(entry: Entry | None, parts: _Parts) -> None:
    if entry is not None:
        given = entry.value.items if isinstance(entry.value, Sequence) else [entry.value]
        parts.references += [item.span for item in given if isinstance(item, Scalar)]


def _table(tree: Tree, parts: _Parts) -> None:
    assert isinstance(tree, Mapping)
    for key, row in tree.items.items():
        if not isinstance(row.value, Sequence):
            continue  # its source
        spans = [cell.span for cell in row.value.items]
        if key == "columns":
            parts.names += spans
        else:
            parts.names.append(row.key)
            parts.cells += spans


def _defaults(items: dict[str, Entry], parts: _Parts) -> None:
    for op in items.values():
        parts.names.append(op.key)
        for word in op.value.items.values() if isinstance(op.value, Mapping) else ():
            parts.names.append(word.key)
            parts.defaults.append(word.value.span)


def _named(items: dict[str, Entry], parts: _Parts) -> None:
    """Blocks or branches: named bodies."""
    for entry in items.values():
        parts.names.append(entry.key)
        _body(entry.value, parts)


def _body(tree: Tree, parts: _Parts) -> None:
    match tree:
        case Scalar(value=str()):
            parts.steps.append(tree.text)
        case Sequence(items):
            for index, item in enumerate(items):
                if len(items) > 1:
                    following = items[index + 1].span.start if index + 1 < len(items) else None
                    end = item.span.end if following is None else following
                    parts.droppable.append(
                        (Span(item.span.source, item.span.start, end), tree.span)
                    )
                if isinstance(item, Mapping) and not item.items.keys() & BODY_KEYS:
                    _named(item.items, parts)
                else:
                    _body(item, parts)
        case Mapping(items):
            for key, entry in items.items():
                match key, entry.value:
                    case "branches", Mapping(branches):
                        _named(branches, parts)
                        values = [own.value.span for own in branches.values()]
                        parts.branches.extend(pairwise(values))
                    case "steps", value:
                        _body(value, parts)
                    case "residual", Mapping(own) if "shortcut" in own:
                        _body(own["shortcut"].value, parts)
                    case "params", Sequence(names):
                        parts.names += [name.span for name in names]
                    case "params", Mapping(params):
                        parts.names += [param.key for param in params.values()]
                    case "order" | "from" | "reuse" | "extends", _:
                        _references(entry, parts)
                    case "defaults", Mapping(own):
                        _defaults(own, parts)
                    case _ if key not in BODY_KEYS:  # a path that an extending file changes
                        parts.names.append(entry.key)
                        _body(entry.value, parts)
        case _:
            pass


def _made(
    kind: Kind,
    what: str,
    file: str,
    place: Span,
    new: str,
    around: Span | None = None,
) -> Mutation:
    text = text_of(file)
    around = around or place
    grown = len(new) - (place.end - place.start)
    return Mutation(
        kind,
        what,
        file,
        text[: place.start] + new + text[place.end :],
        place.start,
        place.start + len(new),
        (around.start, around.end + grown),
        place.text,
    )


KERNELS = ("1x1", "3x3", "5x5", "7x7", "1x7", "7x1", "2x2", "4x4", "9x9", "0x0", "99x99")
OPS = ("conv", "sepconv", "maxpool", "avgpool", "linear", "lrn", "relu", "flatten", "dropout")


def _word(file: str, parts: _Parts, rng: random.Random) -> Mutation | None:
    """A word of a step changed, misspelt, dropped or said twice."""
    if not parts.steps:
        return None
    step = rng.choice(parts.steps)
    try:
        tokens = tokenise(step.text)
        token = rng.choices(tokens, [1 if token.kind == "symbol" else 8 for token in tokens])[0]
    except StepSyntaxError:
        return None
    place = step.part(token.start, token.end)
    if token.kind == "symbol" or rng.random() < 0.25:
        if rng.random() < 0.5:
            return _made("word", "dropped", file, place, "", step)
        return _made("word", "said twice", file, place, f"{token.text} {token.text}", step)
    match token.kind:
        case "kernel":
            return _made("word", "another kernel", file, place, rng.choice(KERNELS), step)
        case "number":
            return _made("word", "another number", file, place, _number(token.text, rng), step)
        case "shape":
            sides = token.text.split("x")
            index = rng.randrange(len(sides))
            sides[index] = _number(sides[index], rng)
            return _made("word", "another shape", file, place, "x".join(sides), step)
        case "name" if token.text in ("V", "same", "same_tf"):
            new = rng.choice(("same", "V", "same_tf", ""))
            return _made("word", "another padding", file, place, new, step)
        case "name" if token.text in OPS and rng.random() < 0.4:
            return _made("word", "another op", file, place, rng.choice(OPS), step)
        case _:
            return _made("word", "misspelt", file, place, _misspell(token.text, rng), step)


def _number(text: str, rng: random.Random) -> str:
    if not text.isdigit():
        return rng.choice(("0", "1", "0.5", "2", "1.5"))
    value = int(text)
    return str(rng.choice((0, 1, 2, 3, value + 1, max(value - 1, 0), value * 2, value * 10)))


def _misspell(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text))
    match rng.randrange(4):
        case 0 if len(text) > 1:
            return text[:place] + text[place + 1 :]
        case 1:
            return text[:place] + text[place] + text[place:]
        case 2 if place + 1 < len(text):
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        case _:
            return text[:place] + rng.choice("abcxyz_") + text[place + 1 :]


def _value(file: str, kind: Kind, spans: list[Span], rng: random.Random) -> Mutation | None:
    if not spans:
        return None
    place = rng.choice(spans)
    if place.text.isdigit():
        return _made(kind, "another number", file, place, _number(place.text, rng))
    if rng.random() < 0.3:
        return _made(kind, "another value", file, place, rng.choice(("0", "-1", "none", "relu")))
    return _made(kind, "misspelt", file, place, _misspell(place.text, rng))


def _misspelt(file: str, kind: Kind, spans: list[Span], rng: random.Random) -> Mutation | None:
    if not spans:
        return None
    place = rng.choice(spans)
    return _made(kind, "misspelt", file, place, _misspell(place.text, rng))


def _dropped(file: str, parts: _Parts, rng: random.Random) -> Mutation | None:
    """An item of a list of steps left out; a line of its own goes with it."""
    if not parts.droppable:
        return None
    place, body = rng.choice(parts.droppable)
    text = text_of(file)
    start, end = place.start, place.end
    if text[body.start] == "[":
        if text[end] == "]":
            start = text.rindex(",", 0, start)
    else:
        kept = [line for line in place.text.split("\n") if line.split("#")[0].strip(" -")]
        start = text.rindex("\n", 0, start) + 1
        end = text.index("\n", place.start + place.text.rindex(kept[-1])) + 1
    dropped = Span(place.source, start, end)
    if not dropped.text.strip():
        return None
    return _made("dropped step", "dropped", file, dropped, "", body)


def _swapped(file: str, parts: _Parts, rng: random.Random) -> Mutation | None:
    """Exchange the contents of two neighbouring branches."""
    if not parts.branches:
        return None
    one, other = rng.choice(parts.branches)
    if "\n" in one.text or "\n" in other.text:
        return None
    both = Span(one.source, one.start, other.end)
    text = text_of(file)
    new = other.text + text[one.end : other.start] + one.text
    return _made("swapped branches", "swapped", file, both, new)


def mutations(spec: str, count: int, seed: int = 0) -> Iterator[Mutation]:
    """Return a number of different mutations of a spec, the same ones every time."""
    rng = random.Random(f"{spec} {seed}")
    for _ in range(count):
        yield mutate(spec, rng)
