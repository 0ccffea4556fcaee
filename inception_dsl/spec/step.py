"""The text of one step, from characters to its parts: `4 x inception_a -> 35x35x384`.

    step := [count "x"] call ["->" shape]
    call := [KERNEL | NAME] ["global" | "adaptive"] NAME ["(" word* ")"]

Only the form is checked here. Which names exist, and which words an op knows, is `resolve`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import count
from string import ascii_lowercase
from typing import Literal, NamedTuple, cast

from inception_dsl.expr import FUNCTIONS

MAX_LENGTH = 1000
"""Maximum number of characters of a step's text."""

MAX_WORDS = 200
"""Maximum number of words of a step, which bounds the depth of an expression's tree."""

MAX_BRACKETS = 16
"""Maximum number of nested brackets, which bounds the depth of an expression's tree."""

Kind = Literal["shape", "kernel", "row", "number", "name", "symbol", "end"]

TOKEN = re.compile(
    r"(?P<shape>[0-9]+x[0-9]+x[0-9]+)(?!\w)"
    r"|(?P<kernel>[0-9]+x[0-9]+)(?!\w)"
    r"|(?P<row>[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z0-9_]+)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?)(?![\w.])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>->|//|[-+*/()=,])"
)
_SPACE = re.compile(r"[ \t]*")


class Token(NamedTuple):
    """A word and where it stands in its step's text."""

    kind: Kind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class StepText:
    """A step's parts.

    `words` are the tokens between the outer parentheses. A kernel that is a name is a parameter.
    """

    count: Token | None
    kernel: Token | None
    modifier: Token | None
    name: Token
    words: tuple[Token, ...]
    note: Token | None


class StepSyntaxError(Exception):
    """A text that is no step; `start` and `end` are the characters that are not.

    `code` is the finding's: E104, or E106 for a number that is none. `instead` is a text that may
    mend it, written in place of these characters.
    """

    def __init__(
        self,
        message: str,
        start: int,
        end: int,
        instead: str | None = None,
        *,
        code: str = "E104",
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.instead = message, start, end, instead
        self.code, self.help = code, help


class Reader:
    """A row of tokens, read one after the other to the end of the text.

    Attributes:
        place: the index of the next token.
    """

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self.place = 0
        end = tokens[-1].end if tokens else 0
        self._end = Token("end", "", end, end + 1)

    def peek(self, ahead: int = 0) -> Token:
        """Return a coming token, or one before; of kind `end` where there is none."""
        index = self.place + ahead
        if 0 <= index < len(self._tokens):
            return self._tokens[index]
        return self._end

    def take(self) -> Token:
        """Return the next token and go on behind it."""
        token = self.peek()
        self.place += 1
        return token

    def take_if(self, kind: Kind, *texts: str) -> Token | None:
        """Take the next token if it is of this kind and, if texts are given, one of them."""
        token = self.peek()
        if token.kind != kind or (texts and token.text not in texts):
            return None
        return self.take()

    def is_at_call(self) -> bool:
        """Tell whether a function comes next: a name and a bracket without a blank between them."""
        name, opening = self.peek(), self.peek(1)
        return name.kind == "name" and opening.text == "(" and opening.start == name.end


def tokenise(
    text: str, pattern: re.Pattern[str] = TOKEN, *, what: str = "a step"
) -> tuple[Token, ...]:
    """Return the words of a step's text.

    Args:
        pattern: the words that there are.
        what: the noun for the text in a message.

    Raises:
        StepSyntaxError: a character that starts no word, or too long a text.
    """
    if len(text) > MAX_LENGTH:
        raise StepSyntaxError(f"{what} of more than {MAX_LENGTH} characters", 0, len(text))
    tokens: list[Token] = []
    open: list[bool] = []  # for each open bracket, whether it is that of a function
    position = _skip(text, 0)
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind = cast(Kind, match.lastgroup)
        token = Token(kind, match[0], position, match.end())
        if match[0] in _BRACKETS:
            _follow_brackets(text, token, tokens, open)
        tokens.append(token)
        position = _skip(text, match.end())
    if len(tokens) > MAX_WORDS:
        raise StepSyntaxError(f"{what} of more than {MAX_WORDS} words", 0, len(text))
    return tuple(tokens)


_BRACKETS = frozenset("(),")


def _follow_brackets(text: str, token: Token, before: list[Token], open: list[bool]) -> None:
    """Note a bracket that opens or closes; refuse a comma outside those of a function."""
    if token.text == "(":
        name = before[-1] if before and before[-1].kind == "name" else None
        # A name that is none of a function, deeper than a step's own bracket, is told so later.
        is_called = name is not None and name.end == token.start and bool(open)
        open.append(is_called or (name is not None and name.text in FUNCTIONS))
    elif token.text == ")":
        del open[-1:]
    elif not any(open[-1:]):
        raise _unreadable(text, token.start)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


_SIGNS = {"&&": "and", "||": "or", "&": "and", "|": "or"}
"""The signs of other languages for words of a condition."""


def _unreadable(text: str, start: int) -> StepSyntaxError:
    match = re.compile(r"[\w.]+|.", re.DOTALL).match(text, start)
    end = match.end() if match else start + 1
    word = text[start:end]
    if word == ",":
        message = "words stand between spaces, without commas"
        return StepSyntaxError(message, start, end, "")
    if word[0].isdigit():
        meant = f"{word[:-1]} x" if re.fullmatch("[0-9]+x", word) else None
        if counted := re.fullmatch("([0-9]+)x([A-Za-z_]\\w*)", word):
            meant = f"{counted[1]} x {counted[2]}"
        if re.fullmatch("[0-9]+(X[0-9]+){1,2}", word):
            meant = word.lower()
        if glued := re.fullmatch("([0-9]+x[0-9]+)([A-Za-z_]\\w*)", word):
            meant = f"{glued[1]} {glued[2]}"
        message = f"`{word}` is neither a number, a kernel nor a shape"
        return StepSyntaxError(message, start, end, meant)
    if text[start - 1 : end] == "=>":
        return StepSyntaxError("`=>` starts no word", start - 1, end, "->")
    for sign in (text[start : start + 2], text[start : start + 1]):
        if sign in _SIGNS:
            end = start + len(sign)
            return StepSyntaxError(f"`{sign}` starts no word", start, end, _SIGNS[sign])
    if word in "[{":
        help = "a step is one call: name the list or the mapping as a block, and call that"
        return StepSyntaxError(f"`{word}` starts no word", start, end, help=help)
    meant = {"\u00d7": "x", "\u2192": "->"}.get(word)
    return StepSyntaxError(f"`{word}` starts no word", start, end, meant)


@lru_cache(maxsize=1024)  # a step is asked for its name before it is read
def parse_step(text: str) -> StepText:
    """Return the parts of a step's text.

    Raises:
        StepSyntaxError: the text does not follow the grammar.
    """
    reader = Reader(tokenise(text))
    _refuse_spaces(reader, text)
    count = _count(reader)
    kernel = reader.take_if("kernel") or _named_kernel(reader)
    modifier = None
    if reader.peek().text in _MODIFIERS and reader.peek(1).kind == "name":
        modifier = reader.take()
    name = _expect(reader, "name", "the name of an op or a block")
    opening = reader.take_if("symbol", "(")
    words = _bracketed(reader, opening) if opening else ()
    note = None
    if reader.take_if("symbol", "->"):
        help = "height x width x channels, or the features of a vector"
        note = reader.take_if("shape") or _expect(reader, "number", "a shape", help)
    step = StepText(count, kernel, modifier, name, words, note)
    if reader.peek().kind != "end":
        raise _too_much(reader.peek(), step, text)
    return step


_MODIFIERS = frozenset(["global", "adaptive"])


def _named_kernel(reader: Reader) -> Token | None:
    """Take the parameter that stands for a kernel, before an op: `kernel conv (64)`."""
    first, second, third = (reader.peek(ahead) for ahead in range(3))
    is_op = second.text != "x" and (second.text not in _MODIFIERS or third.kind == "name")
    if first.kind == second.kind == "name" and first.text not in _MODIFIERS and is_op:
        return reader.take()
    return None


def counted_name(name: str, nth: int) -> str:
    """Return the name of the nth step of a list that is called by the same op or block.

    A name that ends in a digit keeps it apart from the count: `relu6`, `relu6_2`.
    """
    if nth == 1:
        return name
    return f"{name}_{nth}" if name[-1].isdigit() else f"{name}{nth}"


def lettered_names(name: str) -> Iterator[str]:
    """Yield names that are made of another one, without an end: `conv_a`, `conv_b`."""
    for number in count(1):
        yield from (f"{name}_{letter}{number if number > 1 else ''}" for letter in ascii_lowercase)


def _count(reader: Reader) -> Token | None:
    """Take the count of a step, with the `x` behind it, if it has one."""
    first, sign, following = (reader.peek(ahead) for ahead in range(3))
    if sign.text == "x" and first.kind in {"number", "name"}:
        reader.take()
        reader.take()
        if following.text == "x":
            raise StepSyntaxError("`x` stands there twice", following.start, following.end)
        return first
    if first.kind == "number" and sign.kind == "name":
        message = f"`{sign.text}` stands where `x` should: a kernel is `3x3`, a count `3 x`"
        if following.kind == "end" or following.text in ("(", "->"):
            meant = f"{first.text} x {sign.text}"
            raise StepSyntaxError(message, first.start, sign.end, meant)
        raise StepSyntaxError(message, sign.start, sign.end, "x")
    return None


def _too_much(rest: Token, step: StepText, text: str) -> StepSyntaxError:
    """Return the error for a token behind the end of a step."""
    message = f"`{rest.text}` stands where the step should end"
    if step.note is not None and rest.text == "x":
        spaced = re.compile(r"[0-9]+([ \t]*x[ \t]*[0-9]+){2}").match(text, step.note.start)
        if spaced is not None:
            one_word = re.sub(r"\s", "", spaced[0])
            return StepSyntaxError("a shape is one word", *spaced.span(), one_word)
    if step.words or step.note is not None:
        return StepSyntaxError(message, rest.start, rest.end)
    if rest.kind == "kernel" and step.kernel is None:
        message = f"the kernel `{rest.text}` stands behind its op"
        return StepSyntaxError(message, step.name.start, rest.end, f"{rest.text} {step.name.text}")
    if rest.text in _MODIFIERS and step.modifier is None:
        message = f"`{rest.text}` stands behind its op"
        return StepSyntaxError(message, step.name.start, rest.end, f"{rest.text} {step.name.text}")
    if rest.kind == "number":
        loose = text[rest.start :].partition("->")[0].rstrip()
        return StepSyntaxError(message, rest.start, rest.start + len(loose), f"({loose})")
    # Two names in a row: either may be the one that is wrong.
    start = step.name.start if rest.kind == "name" else rest.start
    return StepSyntaxError(message, start, rest.end)


def _refuse_spaces(reader: Reader, text: str) -> None:
    """Refuse a kernel in several words, and a count behind the name that it counts."""
    first, sign, second = (reader.peek(ahead) for ahead in range(3))
    if sign.text not in ("x", "*") or second.kind != "number":
        return
    if first.kind == "number":
        message = f"`{text[first.start : second.end]}` is no kernel: that is one word"
        meant = f"{first.text}x{second.text}"
    elif first.kind == "name" and sign.text == "x":
        message = f"the count `{second.text}` stands behind what it counts"
        meant = f"{second.text} x {first.text}"
    else:
        return
    raise StepSyntaxError(message, first.start, second.end, meant)


def _bracketed(reader: Reader, opening: Token) -> tuple[Token, ...]:
    words: list[Token] = []
    depth = 1
    while True:
        token = reader.take()
        if token.kind == "end":
            raise StepSyntaxError("a parenthesis is not closed", opening.start, token.start)
        if token.text == "(":
            depth += 1
            if depth > MAX_BRACKETS:
                message = f"parentheses more than {MAX_BRACKETS} deep"
                raise StepSyntaxError(message, token.start, token.end)
        elif token.text == ")":
            depth -= 1
            if depth == 0:
                return tuple(words)
        words.append(token)


def _expect(reader: Reader, kind: Kind, what: str, help: str | None = None) -> Token:
    token = reader.take_if(kind)
    if token is None:
        token = reader.peek()
        seen = f"`{token.text}` stands" if token.kind != "end" else "the text ends"
        message = f"{seen} where {what} should"
        raise StepSyntaxError(message, token.start, token.end, help=help)
    return token


def number(token: Token) -> int | Decimal:
    """Return the value of a number.

    Raises:
        StepSyntaxError: it has too many digits, or a zero before them.
    """
    if len(token.text) > 18:
        message = "a number of more than 18 digits"
        raise StepSyntaxError(message, token.start, token.end, code="E106")
    _refuse_leading_zeros(token, [token.text])
    return int(token.text) if token.text.isdigit() else Decimal(token.text)


def sides(token: Token) -> tuple[int, ...]:
    """Return the numbers of a shape or kernel token.

    Raises:
        StepSyntaxError: it has too many digits, or a zero before them.
    """
    if len(token.text) > 40:
        message = "a shape of more than 40 characters"
        raise StepSyntaxError(message, token.start, token.end, code="E106")
    _refuse_leading_zeros(token, token.text.split("x"))
    return tuple(int(side) for side in token.text.split("x"))


def _refuse_leading_zeros(token: Token, numbers: Iterable[str]) -> None:
    """Refuse a number such as `010`: some languages read it as octal, which YAML 1.1 did too."""
    if any(re.match("0[0-9]", text) for text in numbers):
        meant = re.sub(r"(^|x)0+(?=[0-9])", r"\1", token.text)
        message = f"`{token.text}` begins with a zero"
        raise StepSyntaxError(message, token.start, token.end, meant, code="E106")
