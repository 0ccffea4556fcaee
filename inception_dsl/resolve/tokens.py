"""The words of a step with their places, and the findings at these places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Set
from typing import NamedTuple, TypeVar

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError
from inception_dsl.expr import Expr, find_names
from inception_dsl.resolve.scope import Scope, param_close_by
from inception_dsl.source import Span
from inception_dsl.spec.expression import parse_expr
from inception_dsl.spec.step import Reader, StepSyntaxError, Token, tokenise
from inception_dsl.spec.text import syntax_finding

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z_]\w*")

_CLOSING = re.compile(r"[ \t]*(?:\([ \t]*)?\)")
"""The brackets behind the name of a call, or the one behind its words."""

_NO_NUMBERS = frozenset(["inf", "infinity", "nan"])
"""Names of other tools for values that are no finite numbers."""


class Words(NamedTuple):
    """The words of a step, the characters they stand in, and the parameters they may read."""

    tokens: tuple[Token, ...]
    text: Span
    scope: Scope

    def span(self, token: Token, last: Token | None = None) -> Span:
        """Return where a word stands, or several words up to `last`.

        Where quotes and escapes hide that, it is the whole text.
        """
        shown = self.tokens[-1] if self.tokens else token
        if self.text.part(shown.start, shown.end).text != shown.text:
            return self.text
        return self.text.part(token.start, (last or token).end)

    def call_span(self, first: Token, name: Token) -> Span:
        """Return where a call stands, from its first word to its closing bracket, if it has one."""
        end = (self.tokens[-1] if self.tokens else name).end
        closing = _CLOSING.match(self.text.text, end)
        return self.text.part(first.start, closing.end() if closing else end)

    def error(
        self,
        code: str,
        message: str,
        token: Token,
        help: str | None = None,
        others: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        instead: str | None = None,
    ) -> SpecError:
        """Return a finding at a word; `others` label the other half of a contradiction.

        Args:
            instead: a text that may mend it, written in place of the word.
        """
        span = self.span(token)
        fix = None if instead is None else Fix(span, instead)
        labels = (Label(span), *others)
        return SpecError([Diagnostic(code, message, labels, notes, help, fix=fix)])

    def unknown(self, name: str, token: Token, known: Iterable[str]) -> SpecError:
        """Return E205 for a name that is not there."""
        message = f"nothing is named `{name}`"
        span = self.span(token)
        label = Label(span)
        if name.lower() in _NO_NUMBERS:
            return SpecError([Diagnostic("E205", message, (label,), ("numbers are finite",))])
        if name in self.scope.unseen:
            return SpecError([Diagnostic("E205", message, (label,), (self.scope.unseen[name],))])
        close = param_close_by(name, known, self.scope.declared)
        labels = (label, *close.labels)
        help = None if close.name else "if it is a parameter, declare it among the `params`"
        return SpecError([Diagnostic("E205", message, labels, (), help, fix=close.fix(span))])


def as_words(text: str, span: Span, scope: Scope) -> Words:
    """Return the words of a text that stands alone.

    Raises:
        SpecError: E104, a character that starts no word.
    """
    try:
        return Words(tokenise(text), span, scope)
    except StepSyntaxError as error:
        raise SpecError([syntax_finding(error, text, span)]) from None


def read_whole(words: Words, read: Callable[[Reader], T]) -> T:
    """Return a value that takes all the words there are.

    Raises:
        SpecError: E104, words are left; and all that `read` raises.
    """
    reader = Reader(words.tokens)
    value = read(reader)
    rest = reader.peek()
    if rest.kind != "end":
        message = f"`{rest.text}` stands where the value should end"
        help = None
        if rest.text in ("to", "by"):
            help = "only an argument changes along copies, as in `4 x block (drop=0.1 to 0.2)`"
        raise words.error("E104", message, rest, help)
    return value


def read_expr(reader: Reader, words: Words) -> Expr:
    """Return the expression that comes next, its names in scope.

    Raises:
        SpecError: E104 no expression comes next, E205 an unknown name, E106 too long a number.
    """
    start = reader.peek()
    try:
        expr = parse_expr(reader)
    except StepSyntaxError as error:
        wrong = Token("end", "", error.start, error.end)
        raise words.error(
            error.code, error.message, wrong, error.help, instead=error.instead
        ) from None
    unknown = sorted(find_names(expr) - words.scope.names)
    if unknown:
        later = (t for t in words.tokens if t.text == unknown[0] and t.start >= start.start)
        raise words.unknown(unknown[0], next(later, start), words.scope.names)
    return expr


def read_condition(text: str, span: Span, scope: Scope, values: Set[str]) -> Expr:
    """Return the condition that a text of its own states, its names in scope.

    Args:
        values: the words that a parameter may be compared with.

    Raises:
        SpecError: E104 no condition, E205 an unknown name, and all that `read_expr` raises.
    """
    from inception_dsl.spec.condition import COMPARISONS, parse_condition, token_pattern

    named = frozenset(word for word in _NAME.findall(text) if word in values) - scope.names
    try:
        words = Words(tokenise(text, token_pattern()), span, scope)
        reader = Reader(words.tokens)
        condition = parse_condition(reader, named)
    except StepSyntaxError as error:
        raise SpecError([syntax_finding(error, text, span)]) from None
    rest = reader.peek()
    if rest.kind != "end":
        message = f"`{rest.text}` stands where the condition should end"
        help = "join two comparisons by `and`" if rest.text in COMPARISONS else None
        raise words.error("E104", message, rest, help)
    unknown = sorted(find_names(condition) - scope.names)
    if unknown:
        token = next(token for token in words.tokens if token.text == unknown[0])
        raise words.unknown(unknown[0], token, [*scope.names, *values])
    return condition


def listed(items: Iterable[str]) -> str:
    """Return names as a message lists them."""
    return ", ".join(f"`{item}`" for item in items)
