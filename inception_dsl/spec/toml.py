"""A TOML file and the place of each of its keys, which Python's own reader does not tell."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.source import Source, Span

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys that lead to a value, from the top of a document; a number for an item of an array."""

MAX_KEY_NAMES = 16
"""Maximum number of names in a dotted key, such as the 3 of `tool.inception-dsl.diff`."""

_TOKEN = re.compile(
    r"""
    (?P<text>\"{3}(?:[^\\]|\\.)*?\"{3,5} | '{3}.*?'{3,5} | \"(?:[^\"\\\n]|\\.)*\" | '[^'\n]*')
    | (?P<gap>[^\S\n]+ | \#[^\n]*)
    | (?P<newline>\n)
    | (?P<sign>[\[\]{}=,.])
    | (?P<bare>[^\s\[\]{}=,.\#\"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


class Toml(NamedTuple):
    """A TOML document, with its text."""

    source: Source
    document: dict[str, object]

    def error(self, message: str, path: KeyPath, help: str | None = None) -> SpecError:
        """Return E010 at a key, or at the nearest key above it that stands in the text."""
        return SpecError([Diagnostic("E010", message, (Label(self.find(path)),), help=help)])

    def find(self, path: KeyPath) -> Span:
        """Return the place of a key, or of the nearest key above it that stands in the text."""
        places = _Locator(self.source.text).places
        while path and path not in places:
            path = path[:-1]
        return Span(self.source, *places[path]) if path else Span(self.source, 0, 1)


def read_toml(source: Source) -> Toml:
    """Read a TOML file.

    Raises:
        SpecError: E010, it is no TOML, or it is nested too deeply.
    """
    import tomllib

    _check_keys(source)
    try:
        return Toml(source, tomllib.loads(source.text))
    except RecursionError:
        problem = "its arrays and tables are nested too deeply"
    except ValueError as error:  # a syntax error, or a number of too many digits
        problem = str(error)
    raise SpecError([Diagnostic("E010", f"`{source.name}` is no TOML: {problem}")])


def _check_keys(source: Source) -> None:
    """Make sure that no dotted key is long: Python's reader takes memory for each of its parts.

    Raises:
        SpecError: E010, a key has more names than `MAX_KEY_NAMES`.
    """
    if all(line.count(".") < MAX_KEY_NAMES for line in source.text.splitlines()):
        return
    dots = start = 0
    for match in _TOKEN.finditer(source.text):
        match match.lastgroup, match[0]:
            case "sign", ".":
                dots += 1
            case (("sign" | "newline"), _):
                dots, start = 0, match.end()
        if dots >= MAX_KEY_NAMES:
            message = f"a key of `{source.name}` has more than {MAX_KEY_NAMES} names"
            raise SpecError(
                [Diagnostic("E010", message, (Label(Span(source, start, match.end())),))]
            )


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class _Locator:
    """A walk over the text of a valid document that notes where each key stands."""

    def __init__(self, text: str) -> None:
        self.places: dict[KeyPath, tuple[int, int]] = {}
        self._tokens = [
            _Token(str(match.lastgroup), match[0], match.start(), match.end())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "gap"
        ]
        self._tokens.append(_Token("end", "", len(text), len(text)))
        self._next = 0
        self._items: dict[KeyPath, int] = {}
        above: KeyPath = ()
        while (token := self._skip_newlines()).kind != "end":
            if token.text == "[" and token.kind == "sign":
                above = self._read_header()
            else:
                self._read_pair(above)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _skip_newlines(self) -> _Token:
        while self._peek().kind == "newline":
            self._take()
        return self._peek()

    def _read_header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]`, and return the path of the keys below it."""
        first = self._take()
        is_item = self._peek().text == "[" and self._peek().start == first.end
        if is_item:
            self._take()
        names, place = self._read_key("]")
        if is_item:
            self._take()
        above: KeyPath = ()
        for depth, name in enumerate(names, 1):
            above = (*above, name)
            if is_item and depth == len(names):
                self._items[above] = self._items.get(above, -1) + 1
            self.places.setdefault(above, place)
            if above in self._items:
                above = (*above, self._items[above])
                self.places.setdefault(above, place)
        return above

    def _read_pair(self, above: KeyPath) -> None:
        names, place = self._read_key("=")
        for name in names:
            above = (*above, name)
            self.places.setdefault(above, place)
        self._read_value(above)

    def _read_key(self, end: str) -> tuple[list[str], tuple[int, int]]:
        """Read a dotted key and the sign behind it; return its names and its place."""
        names = []
        start = behind = self._peek().start
        while (token := self._take()).kind != "end" and (token.text, token.kind) != (end, "sign"):
            if token.kind != "sign":
                names.append(token.text[1:-1] if token.kind == "text" else token.text)
                behind = token.end
        return names, (start, behind)

    def _read_value(self, path: KeyPath) -> None:
        token = self._take()
        if token.kind == "sign" and token.text == "[":
            index = 0
            while self._skip_newlines().text not in ("]", ""):
                start = self._peek().start
                self._read_value((*path, index))
                self.places.setdefault((*path, index), (start, self._tokens[self._next - 1].end))
                index += 1
                self._take_comma()
            self._take()
        elif token.kind == "sign" and token.text == "{":
            while self._skip_newlines().text not in ("}", ""):
                self._read_pair(path)
                self._take_comma()
            self._take()
        else:  # a number or a date may be of several tokens
            while self._peek().kind in ("bare", "text") or self._peek().text == ".":
                self._take()

    def _take_comma(self) -> None:
        if self._skip_newlines().text == ",":
            self._take()
