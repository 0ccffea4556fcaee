"""YAML text to a tree whose every key and value knows where it stands.

The first stage of the walk. libyaml only tokenises here: the tree is built from its events, so that
nesting, size, duplicate keys and the features that a spec does not need are refused before anything
is composed. Scalars follow the core schema of YAML 1.2, not PyYAML's 1.1: `on` is text, `1e-3` a
number. It knows nothing of the meaning of a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import yaml

from inception_dsl.bounds import MAX_NESTING, MAX_NUMBER, MAX_VALUES
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, shorten
from inception_dsl.source import Source, Span

MAX_DUPLICATES = 100
MAX_DIGITS = 18
MAX_SCALAR = 2_000
"""Maximum number of characters of a key or a text."""

_TOO_DEEP = f"nested more than {MAX_NESTING} levels deep"

_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_OTHER_NUMBER = re.compile(r"0[xo][0-9a-fA-F]+|[-+]?0[0-9]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Plain = str | int | Decimal | bool | None


class Scalar(NamedTuple):
    """A value; `text` is where its characters stand, without quotes."""

    value: Plain
    span: Span
    text: Span


class Sequence(NamedTuple):
    """A YAML list."""

    items: list[Tree]
    span: Span


class Mapping(NamedTuple):
    """A YAML mapping: keys are text, in the author's order."""

    items: dict[str, Entry]
    span: Span


class Entry(NamedTuple):
    """A key's place and its value."""

    key: Span
    value: Tree


Tree = Scalar | Sequence | Mapping


_PLAIN = re.compile(r"[A-Za-z0-9_.]([A-Za-z0-9_ ./()+*=<>~'%^;$-]*[A-Za-z0-9_./()+*=<>~'%^;$-])?")


def reads_as_text(text: str) -> bool:
    """Tell whether a text that is written plain is read as this very text."""
    is_other = text in _CONSTANTS or _OTHER_NUMBER.fullmatch(text) or _INTEGER.fullmatch(text)
    if is_other or _DECIMAL.fullmatch(text) or text == "<<":
        return False
    return _PLAIN.fullmatch(text) is not None and not text.startswith(("---", "..."))


@dataclass(slots=True)
class Tally:
    """The bytes and the values of the files of one spec, as they are read."""

    bytes: int = 0
    values: int = 0


def parse_tree(source: Source, tally: Tally | None = None) -> Tree:
    """Return the tree of a YAML document.

    Args:
        tally: counts the values of this file with those of the files before it.

    Raises:
        SpecError: E002 not YAML, E003 too deep or too many values, E004 a key twice, E005 a
            refused feature.
    """
    return _Builder(source, tally or Tally()).build()


class _Builder:
    def __init__(self, source: Source, tally: Tally) -> None:
        self._source = source
        self._tally = tally
        self._events: Iterator[yaml.Event] = iter(())
        self._duplicates: list[Diagnostic] = []

    def build(self) -> Tree:
        try:
            self._events = yaml.parse(self._source.text, Loader=yaml.CLoader)
            next(self._events)  # the stream starts
            if isinstance(next(self._events), yaml.StreamEndEvent):
                raise _error("E002", "the file is empty", Span(self._source, 0, 0))
            tree = self._value(next(self._events), depth=0)
            next(self._events)  # the document ends
            following = next(self._events)
        except yaml.MarkedYAMLError as error:
            from inception_dsl.spec.not_yaml import not_yaml

            index = error.problem_mark.index if error.problem_mark else 0
            if "nesting depth" in (error.problem or ""):  # libyaml, which reads ahead, has a bound
                raise _error("E003", _TOO_DEEP, Span(self._source, index, index + 1)) from None
            context = error.context_mark.index if error.context_mark else None
            phrase = f"{error.context}: {error.problem}"
            finding = not_yaml(self._source, phrase, index, context)
            raise SpecError([finding]) from None
        except yaml.reader.ReaderError as error:
            from inception_dsl.spec.not_yaml import not_yaml

            before = self._source.text.encode()[: error.position]  # libyaml counts in bytes here
            index = len(before.decode(errors="ignore"))
            raise SpecError([not_yaml(self._source, error.reason, index, None)]) from None
        if not isinstance(following, yaml.StreamEndEvent):
            span = self._span(following)
            raise _error("E002", "a spec is one YAML document; a second one starts here", span)
        if self._duplicates:
            raise SpecError(self._duplicates)
        return tree

    def _value(self, event: yaml.Event, depth: int) -> Tree:
        self._refuse_features(event)
        self._tally.values += 1
        if self._tally.values > MAX_VALUES:
            message = f"the spec has more than {MAX_VALUES:,} values"
            raise _error("E003", message, self._span(event))
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.SequenceStartEvent():
                return self._sequence(event, self._deeper(event, depth))
            case _:
                return self._mapping(event, self._deeper(event, depth))

    def _deeper(self, event: yaml.Event, depth: int) -> int:
        if depth == MAX_NESTING:
            raise _error("E003", _TOO_DEEP, self._span(event))
        return depth + 1

    def _sequence(self, start: yaml.Event, depth: int) -> Sequence:
        items: list[Tree] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, depth))
        return Sequence(items, self._region(start, event))

    def _mapping(self, start: yaml.Event, depth: int) -> Mapping:
        items: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse_features(event)
                raise _error("E002", "a key is text, not a list or a mapping", self._span(event))
            self._refuse_features(event)
            key, span = event.value, self._span(event)
            self._refuse_length(key, span)
            if key == "<<" and event.implicit[0]:
                raise _error("E005", "merge keys are not part of the language", span)
            value = self._value(next(self._events), depth)
            if key in items:
                labels = (Label(span, "again"), Label(items[key].key, "first"))
                self._duplicates.append(Diagnostic("E004", f"`{key}` is here twice", labels))
                if len(self._duplicates) == MAX_DUPLICATES:
                    raise SpecError(self._duplicates)
            else:
                items[key] = Entry(span, value)
        return Mapping(items, self._region(start, event))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        span = self._span(event)
        if not event.implicit[0]:  # quoted or a block: always text
            self._refuse_length(event.value, span)
            quoted = span.part(1, span.end - span.start - 1)
            return Scalar(event.value, span, quoted if quoted.text == event.value else span)
        return Scalar(self._plain(event.value, span), span, span)

    def _plain(self, text: str, span: Span) -> Plain:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _OTHER_NUMBER.fullmatch(text):
            help = "write a plain decimal number, or quote it if it is text"
            raise _error(
                "E005",
                f"`{shorten(text)}` means different numbers to different readers",
                span,
                help,
            )
        if _INTEGER.fullmatch(text):
            self._refuse_digits(text, span)
            return int(text)
        if _DECIMAL.fullmatch(text):
            self._refuse_digits(text, span)
            if abs(value := Decimal(text)) > MAX_NUMBER:
                raise _error("E106", f"`{text}` is larger than {MAX_NUMBER:,}", span)
            return value
        self._refuse_length(text, span)
        return text

    def _refuse_length(self, text: str, span: Span) -> None:
        """Refuse a text that is longer than any key takes."""
        if len(text) > MAX_SCALAR:
            raise _error("E003", f"a text of more than {MAX_SCALAR:,} characters", span)

    def _refuse_digits(self, text: str, span: Span) -> None:
        if len(text.lstrip("+-")) > MAX_DIGITS:
            raise _error("E106", f"a number of more than {MAX_DIGITS} digits", span)

    def _refuse_features(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            message = "anchors and aliases are not part of the language"
            help = "name the block once under `blocks` and call it twice"
            raise _error("E005", message, self._span(event), help)
        if getattr(event, "tag", None) is not None:
            raise _error("E005", "tags are not part of the language", self._span(event))

    def _span(self, event: yaml.Event) -> Span:
        return self._region(event, event)

    def _region(self, first: yaml.Event, last: yaml.Event) -> Span:
        start, end = first.start_mark, last.end_mark
        assert start is not None
        assert end is not None
        return Span(self._source, start.index, end.index)


def _error(code: str, message: str, span: Span, help: str | None = None) -> SpecError:
    return SpecError([Diagnostic(code, message, (Label(span),), help=help)])
