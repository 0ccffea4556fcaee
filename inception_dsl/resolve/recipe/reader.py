"""The text of one setting of a recipe, word by word, and the findings at its words.

    setting := value+ ["(" word* ")"]

The manner is that of a step: a word is a flag, or takes the values behind it, in any order. Any
number may be `unknown`, which says that the source does not tell it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest, shorten
from inception_dsl.ir.learning_rate import Length, Number, Unit
from inception_dsl.ir.recipe_ranges import LENGTH, Range
from inception_dsl.resolve.recipe.habits import meaning_of
from inception_dsl.resolve.tokens import listed
from inception_dsl.source import Span
from inception_dsl.spec.step import Reader, StepSyntaxError, Token, tokenise
from inception_dsl.spec.step import number as number_of
from inception_dsl.spec.text import syntax_finding

UNKNOWN = "unknown"
"""The word for a value that the source leaves open."""

UNITS: tuple[Unit, ...] = ("epochs", "steps")

MIN_NUMBER = Decimal("1e-30")
"""Minimum absolute value of a number that is not 0: a program computes with it."""

_DECIMAL_COMMA = re.compile(r"[0-9](,)[0-9]+")


class SettingReader:
    """The words of a setting, read one after the other.

    Attributes:
        key: the key of the setting.
        span: the characters of the text.
    """

    def __init__(self, key: str, text: str, span: Span) -> None:
        """Read the words of a text.

        Raises:
            SpecError: E104, a character that starts no word, or too long a text.
        """
        self.key, self.span = key, span
        self._is_literal = span.text == text
        try:
            self._tokens = tokenise(text, what="a setting")
        except StepSyntaxError as error:
            raise SpecError([self._explain_syntax(error, text)]) from None
        self._reader = Reader(self._tokens)
        self.places: dict[str, Span] = {}

    def _explain_syntax(self, error: StepSyntaxError, text: str) -> Diagnostic:
        """Return the finding for a text without words, with the way out that a habit asks for."""
        finding = syntax_finding(error, text, self.span)
        comma = _DECIMAL_COMMA.search(text, max(0, error.start - 1))
        if comma and comma.start(1) == error.start:
            help = f"a decimal has a point, as in `{comma[0].replace(',', '.')}`"
            return replace(finding, help=help, fix=None)
        way_out = finding.help or meaning_of(self.key, text[error.start : error.end])[1]
        return replace(finding, help=way_out)

    def span_of(self, token: Token, last: Token | None = None) -> Span:
        """Return the characters of a word, or of several up to `last`."""
        if not self._is_literal:
            return self.span
        return self.span.part(token.start, (last or token).end)

    def error(
        self,
        code: str,
        message: str,
        token: Token,
        help: str | None = None,
        instead: str | None = None,
        others: tuple[Label, ...] = (),
    ) -> SpecError:
        """Return a finding at a word; `instead` is a text that may mend it, written there."""
        span = self.span_of(token)
        fix = Fix(span, instead) if instead is not None and self._is_literal else None
        labels = (Label(span), *others)
        return SpecError([Diagnostic(code, message, labels, help=help, fix=fix)])

    def peek(self) -> Token:
        """Return the next word."""
        return self._reader.peek()

    def take_if(self, *texts: str) -> Token | None:
        """Take the next word if it is one of these."""
        return self._reader.take() if self._reader.peek().text in texts else None

    def choose(self, what: str, choices: Iterable[str]) -> Token:
        """Take the next word, which is one of some.

        Args:
            what: the noun for a message: `an optimizer`.

        Raises:
            SpecError: E104 the text ends, E211 another word.
        """
        token, known = self.peek(), list(choices)
        if token.kind == "end":
            raise self._missing(what, f"one of {listed(known)}")
        if token.text in known:
            return self._reader.take()
        message = f"`{shorten(token.text)}` is not {what}: {listed(known)}"
        meant, help = meaning_of(self.key, token.text)
        if meant is not None and meant not in known:
            meant, help = None, help or f"its word is `{meant}`"
        close = meant or (nearest(token.text, known) if help is None else None)
        raise self.error("E211", message, token, help if close is None else None, close)

    def expect(self, text: str, where: str) -> Token:
        """Take the next word, which can only be this one.

        Raises:
            SpecError: E104, another word or none.
        """
        token = self.peek()
        if token.text == text:
            return self._reader.take()
        close = nearest(token.text, [text])
        help = f"as in `{where}`" if close is None else None
        raise self.error("E104", self._stands(token, f"`{text}`"), token, help, close)

    def number(self, what: str, range: Range) -> Decimal | None:
        """Take a number, or `unknown`, which is None.

        Raises:
            SpecError: E104 no number comes next, E211 one out of range.
        """
        if self.take_if(UNKNOWN):
            return None
        return self.known_number(what, range)

    def known_number(self, what: str, range: Range) -> Decimal:
        """Take a number.

        Raises:
            SpecError: E104 no number comes next, E106 too many digits, E211 one out of range.
        """
        token = self.peek()
        sign = self.take_if("-")
        value = Decimal(self._take_number(what))
        self._refuse(what, -value if sign else value, range, token)
        return -value if sign else value

    def whole(self, what: str, range: Range) -> int:
        """Take a whole number.

        Raises:
            SpecError: as for `known_number`.
        """
        token = self.peek()
        value = self.known_number(what, range)
        if value != value.to_integral_value():
            raise self.error("E211", f"`{what}` is a whole number", token)
        return int(value)

    def fraction(self, what: str, range: Range) -> Number:
        """Take a number, or a fraction such as `3/4`.

        Raises:
            SpecError: as for `known_number`.
        """
        token = self.peek()
        is_negative = self.take_if("-") is not None
        value: Number = Decimal(self._take_number(what))
        if self.take_if("/"):
            under = self.peek()
            divisor = Decimal(self._take_number(what))
            if not divisor:
                raise self.error("E106", "a fraction divides by 0", under)
            value = Fraction(value) / Fraction(divisor)
        value = -value if is_negative else value
        self._refuse(what, value, range, token)
        return value

    def pair(self, what: str, range: Range) -> tuple[Number, Number]:
        """Take two numbers with `to` between them, the smaller one first.

        Raises:
            SpecError: as for `fraction`; E211 the larger one stands first.
        """
        token = self.peek()
        low = self.fraction(what, range)
        self.expect("to", f"{what} 0.08 to 1")
        high = self.fraction(what, range)
        if low > high:
            raise self.error("E211", f"the smaller number of `{what}` stands first", token)
        return low, high

    def numbers(self, what: str, range: Range) -> tuple[Number, ...]:
        """Take all numbers that come next, one at least.

        Raises:
            SpecError: as for `fraction`.
        """
        values = [self.fraction(what, range)]
        while self.peek().kind == "number" or self.peek().text == "-":
            values.append(self.fraction(what, range))
        return tuple(values)

    def length(self, what: str) -> Length:
        """Take a length: `2 epochs`, `10000 steps`.

        Raises:
            SpecError: E104 no number or no unit, E211 a length of 0.
        """
        amount = self.number(what, LENGTH)
        return Length(amount, self.unit(what))

    def unit(self, what: str) -> Unit:
        """Take the unit of a length.

        Raises:
            SpecError: E104, no unit comes next.
        """
        token = self.peek()
        for unit in UNITS:
            if token.text == unit:
                self._reader.take()
                return unit
        message = f"`{what}` is in epochs or in steps"
        meant = f"{token.text}s" if f"{token.text}s" in UNITS else nearest(token.text, UNITS)
        if token.kind != "name" or meant is None:
            raise self.error("E104", message, token, f"as in `{what} 2 epochs`")
        raise self.error("E104", message, token, instead=meant)

    def words(self, owner: str, readers: Mapping[str, Callable[[], object]]) -> dict[str, object]:
        """Take the words in brackets, each with what its reader takes; none without brackets.

        The places of the words stand in `places`.

        Args:
            owner: the name of the setting that has these words.

        Raises:
            SpecError: E104 a bracket that is not closed, E202 an unknown word, E203 one twice.
        """
        values: dict[str, object] = {}
        opening = self.take_if("(")
        if opening is None:
            return values
        while not self.take_if(")"):
            token = self.peek()
            if token.kind == "end":
                raise self.error("E104", "a parenthesis is not closed", opening)
            if token.text not in readers:
                raise self._unknown(owner, token, readers)
            if token.text in values:
                first = Label(self.places[token.text], "first")
                raise self.error("E203", f"`{token.text}` is said twice", token, others=(first,))
            self._reader.take()
            self.places[token.text] = self.span_of(token)
            values[token.text] = readers[token.text]()
        return values

    def end(self) -> None:
        """Check that no word is left.

        Raises:
            SpecError: E104, one is left.
        """
        rest = self.peek()
        if rest.kind != "end":
            message = f"`{shorten(rest.text)}` stands where the text should end"
            raise self.error("E104", message, rest, meaning_of(self.key, rest.text)[1])

    def lacks(self, owner: str, word: str, help: str) -> SpecError:
        """Return E204 for a word that is needed, at the name of its owner."""
        name = next((token for token in self._tokens if token.text == owner), self._tokens[0])
        return self.error("E204", f"`{owner}` has no `{word}`", name, help)

    def contradiction(self, message: str, span: Span) -> SpecError:
        """Return E218 for words that contradict each other, at one of them."""
        return SpecError([Diagnostic("E218", message, (Label(span),))])

    def _unknown(self, owner: str, token: Token, known: Iterable[str]) -> SpecError:
        names = list(known)
        message = f"`{shorten(token.text)}` is no word of `{owner}`"
        if not names:
            return self.error("E202", message, token, f"`{owner}` has no words")
        meant, help = meaning_of(self.key, token.text)
        if meant is not None and meant not in names:
            meant = None
        close = meant or (nearest(token.text, names) if help is None else None)
        help = help if close is None else None
        return self.error("E202", message, token, help or f"its words are {listed(names)}", close)

    def _take_number(self, what: str) -> str:
        token = self.peek()
        if token.kind != "number":
            help = meaning_of(self.key, token.text)[1]
            raise self.error("E104", self._stands(token, f"the number of `{what}`"), token, help)
        self._reader.take()
        try:
            return str(number_of(token))
        except StepSyntaxError as error:
            raise self.error(error.code, error.message, token) from None

    def _refuse(self, what: str, value: Number, range: Range, token: Token) -> None:
        """Refuse a number out of range."""
        if value and -MIN_NUMBER < value < MIN_NUMBER:
            raise self.error("E211", f"`{what}` is nearly 0", token)
        if not range.holds(value):
            raise self.error("E211", f"`{what}` is {range}", token)

    def _missing(self, what: str, help: str) -> SpecError:
        token = self.peek()
        return self.error("E104", f"the text ends where {what} should stand", token, help)

    def _stands(self, token: Token, what: str) -> str:
        seen = "the text ends" if token.kind == "end" else f"`{shorten(token.text)}` stands"
        return f"{seen} where {what} should"
