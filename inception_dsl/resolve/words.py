"""What the words of a step mean to its op; what those of a call do, `bindings` says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from inception_dsl.bounds import MAX_NUMBER
from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest
from inception_dsl.expr import Expr, ExprError, Name, evaluate, names, show
from inception_dsl.ops import FANS, SCHEMES, Attribute, Op
from inception_dsl.resolve.habits import KERNELS, LACKING_VALUES, word_of
from inception_dsl.resolve.scope import Given, Scope, Setting, close_by, param_close_by
from inception_dsl.source import Span
from inception_dsl.spec.schema import Word
from inception_dsl.spec.step import (
    Reader,
    StepSyntaxError,
    StepText,
    Token,
    parse_expr,
    sides,
    tokenise,
)

Defaults = Mapping[str, Mapping[str, Setting]]
"""By op, by attribute: what a bare op means in a network, or in a block."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words, the characters they stand in, and the parameters they may read."""

    tokens: tuple[Token, ...]
    text: Span
    scope: Scope

    def span(self, token: Token, last: Token | None = None) -> Span:
        """Where a word stands, or several; the whole text, where quotes and escapes hide that."""
        shown = self.tokens[-1] if self.tokens else token
        if self.text.part(shown.start, shown.end).text != shown.text:
            return self.text
        return self.text.part(token.start, (last or token).end)

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
        """Return a finding at a word; `others` are at the other half of it.

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
        if name in self.scope.unseen:
            return SpecError([Diagnostic("E205", message, (label,), (self.scope.unseen[name],))])
        close = param_close_by(name, known, self.scope.declared)
        labels = (label, *close.labels)
        return SpecError([Diagnostic("E205", message, labels, fix=close.fix(span))])


def read_attributes(
    op: Op, step: StepText, words: Words, keys: Mapping[str, Setting], defaults: Defaults
) -> tuple[dict[str, Given], dict[str, Span]]:
    """All the attributes of an op's step: its words', then its defaults', then the op's own.

    Args:
        keys: what a step in its long form gives by keys.

    Returns:
        Their values, and where those stand that somebody wrote.

    Raises:
        SpecError: E202 a word the op does not know, E203 one said twice, E204 one that is missing,
            E205 an unknown name, E210 a kernel too many or too few, E211 a value out of range.
    """
    given = _written(op, step, words, keys)
    said = {attribute.canonical for attribute in op.attributes if attribute.name in given}
    own = defaults.get(op.defaults_of or op.name, {})
    attributes: dict[str, Given] = {}
    places: dict[str, Span] = {}
    for attribute in op.attributes:
        if attribute.owner and attribute.owner != attributes["norm"]:
            continue
        inherited = defaults.get(attribute.owner, {}) if attribute.owner else own
        setting = given.get(attribute.name)
        if setting is None and attribute.canonical not in said:
            setting = inherited.get(attribute.name)
        if setting is not None:
            attributes[attribute.name], places[attribute.name] = setting.value, setting.span
        elif attribute.default is not None:
            attributes[attribute.name] = attribute.default
        else:
            kernel = f"{step.kernel.text} " if step.kernel else ""
            help = f"write its {attribute.name}, as in `{kernel}{op.written} (64)`"
            message = f"`{op.written}` has no {attribute.name}"
            raise words.error("E204", message, step.name, help)
    if op.finish is not None:
        op.finish(attributes)
    return attributes, places


def _written(
    op: Op, step: StepText, words: Words, keys: Mapping[str, Setting]
) -> dict[str, Setting]:
    given: dict[str, Setting] = {}

    def give(name: str, value: Given, span: Span) -> None:
        attribute = op.attribute(name)
        assert attribute is not None
        for other in op.attributes:
            if other.canonical == attribute.canonical and other.name in given:
                labels = (Label(span, "again"), Label(given[other.name].span, "first"))
                raise SpecError(
                    [Diagnostic("E203", f"`{attribute.canonical}` is given twice", labels)]
                )
        given[name] = Setting(value, span)

    kernel = step.kernel
    if op.kernel:
        if kernel is None:
            named = words.span(step.modifier or step.name, step.name)
            message = f"`{op.written}` has no kernel"
            size = _meant_kernel(words)
            help = f"write its kernel, as in `3x3 {op.written}`"
            fix = Fix(named, f"{size}x{size} {op.written}") if size else None
            labels = (Label(named),)
            raise SpecError([Diagnostic("E210", message, labels, help=help, fix=fix)])
        give(op.kernel, _size(kernel, words, least=1), words.span(kernel))
    elif kernel is not None:
        span = words.span(kernel, step.name)
        message, fix = f"`{op.written}` takes no kernel", Fix(span, op.written)
        raise SpecError([Diagnostic("E210", message, (Label(span),), fix=fix)])

    reader = Reader(words.tokens)
    width = next((a for a in op.attributes if a.kind == "width"), None)
    while (token := reader.peek()).kind != "end":
        _refuse_binding(op, reader, words)
        attribute = op.attribute(token.text) if token.kind == "name" else None
        if token.kind == "name" and token.text in op.flags:
            reader.take()
            for name, flagged in op.flags[token.text].items():
                give(name, flagged, words.span(token))
            if reader.peek().text in {"true", "false"}:
                message = f"`{token.text}` stands alone and takes no value"
                raise words.error("E202", message, reader.peek())
        elif attribute is not None and not attribute.owner and attribute.kind != "width":
            reader.take()
            if reader.peek().kind == "end":
                raise words.error("E104", f"`{token.text}` has no value", token)
            value = _value(op, attribute, reader, words)
            give(attribute.name, value, words.span(token, reader.peek(-1)))
        elif width is not None and (token.kind != "name" or token.text in words.scope.names):
            value = _value(op, width, reader, words)
            give(width.name, value, words.span(token, reader.peek(-1)))
        else:
            wants_width = width is not None and width.name not in given
            raise _unknown_word(op, token, step, words, wants_width=wants_width)
    for name, setting in keys.items():
        give(name, setting.value, setting.span)
    return given


def _meant_kernel(words: Words) -> str | None:
    """The kernel of `kernel_size=3`, which stands among the words of an op without one."""
    tokens = [token for token in words.tokens if token.text != "="]
    pairs = pairwise(tokens)
    return next((b.text for a, b in pairs if a.text in KERNELS and b.kind == "number"), None)


def _refuse_binding(op: Op, reader: Reader, words: Words) -> None:
    """An op's words have no `=`: that is for blocks."""
    name, equals, value = (reader.peek(ahead) for ahead in range(3))
    own = word_of(name.text) or name.text
    if name.kind != "name" or equals.text != "=" or not (op.words() | {"width"}) >= {own}:
        return
    span = words.span(name, value)
    attribute = op.attribute(own)
    if own == "width":
        why, meant = "its width stands alone", value.text
    elif attribute is not None and attribute.kind == "flag":
        is_off = value.text.lower() in {"false", "0"}
        why, meant = "a flag stands alone", f"no_{own}" if is_off else own
    else:
        why, meant = "a value stands behind its word", f"{own} {value.text}"
    message = f"`{op.written}` knows no word `{name.text}={value.text}`: {why}"
    raise SpecError([Diagnostic("E202", message, (Label(span),), fix=Fix(span, meant))])


def _unknown_word(
    op: Op, token: Token, step: StepText, words: Words, *, wants_width: bool
) -> SpecError:
    """A word that is neither an attribute nor, where a width is wanted, a parameter."""
    owner = next((a.name for a in op.attributes if token.text in a.choices), None)
    meant = f"{owner} {token.text}" if owner else _meant_word(op, token)
    if owner is None and token.text.lower() in LACKING_VALUES:
        raise words.error("E202", f"`{token.text}` is not in the language yet", token)
    if wants_width and (meant is None or token.text in words.scope.unseen):
        return words.unknown(token.text, token, words.scope.names)
    message = f"`{op.written}` knows no word `{token.text}`"
    if meant:
        return words.error("E202", message, token, instead=meant)
    known = listed(sorted(op.words()))
    told = f"it knows {known}" if known else "it stands alone"
    return words.error("E202", message, token, others=(Label(words.span(step.name), told),))


def _meant_word(op: Op, token: Token) -> str | None:
    """The word of an op that a word, or a number alone, was most likely meant to be."""
    if token.kind == "number":
        part = next((a.name for a in op.attributes if a.kind == "fraction"), None)
        return f"{part} {token.text}" if part else None
    meant = word_of(token.text)
    if meant is not None and meant.partition(" ")[0] in op.words():
        return meant
    return nearest(token.text, op.words())


def _value(op: Op, attribute: Attribute, reader: Reader, words: Words) -> Given:
    token = reader.peek()
    match attribute.kind:
        case "choice":
            return _choice(attribute, reader.take(), words)
        case "pad" if token.kind == "kernel":
            return _size(reader.take(), words, least=0)
        case "pad" if attribute.name in op.flags.get(token.text, {}):
            return op.flags[reader.take().text][attribute.name]
        case "pad" if token.text in LACKING_VALUES and token.text not in words.scope.names:
            raise words.error("E211", f"`pad {token.text}` is not in the language yet", token)
        case "flag":
            message = f"`{attribute.name}` stands alone and takes no value"
            raise words.error("E211", message, token)
        case "init":
            return _init(reader, words)
    value = read_expr(reader, words)
    first, last = words.span(token), words.span(reader.peek(-1))
    span = Span(first.source, first.start, last.end)
    problem = None
    try:
        if not names(value):
            value = evaluate(value, {})
            problem = misfit(attribute, value)
        elif not attribute.is_symbolic:
            problem = f"`{attribute.name}` cannot be a parameter"
    except ExprError as error:
        problem = str(error)
    if problem is not None:
        raise SpecError([Diagnostic("E211", problem, (Label(span),))])
    return value


def _choice(attribute: Attribute, token: Token, words: Words) -> Given:
    if attribute.is_symbolic and token.text in words.scope.names:
        return Name(token.text)
    if token.text in attribute.choices:
        return token.text
    if attribute.is_symbolic and token.text in words.scope.unseen:
        raise words.unknown(token.text, token, ())
    known = [*attribute.choices, *(words.scope.declared if attribute.is_symbolic else ())]
    close = close_by(token.text, known, words.scope.declared)
    seen = f"`{token.text}` is" if token.kind != "end" else "nothing is"
    message = f"{seen} no value of `{attribute.name}`: {listed(attribute.choices)}"
    if token.text.lower() in LACKING_VALUES:
        message = f"`{attribute.name} {token.text}` is not in the language yet"
        notes = (f"values of `{attribute.name}` are {listed(attribute.choices)}",)
        raise words.error("E211", message, token, notes=notes)
    raise words.error("E211", message, token, others=close.labels, instead=close.name)


def _init(reader: Reader, words: Words) -> str:
    """A scheme and what it takes, with its number in one form."""
    scheme = reader.take()
    takes = SCHEMES.get(scheme.text)
    if takes is None:
        if scheme.text.lower() in LACKING_VALUES:
            message = f"`init {scheme.text}` is not in the language yet"
            notes = (f"values of `init` are {listed(SCHEMES)}",)
            raise words.error("E211", message, scheme, notes=notes)
        message = f"`{scheme.text}` is no value of `init`: {listed(SCHEMES)}"
        raise words.error("E211", message, scheme, instead=nearest(scheme.text, SCHEMES))
    if takes == "nothing":
        return scheme.text
    token = reader.peek()
    if takes == "fan" and token.text in FANS:
        return f"{scheme.text} {reader.take().text}"
    if takes == "deviation" and token.kind == "number":
        deviation = evaluate(read_expr(reader, words), {})
        if deviation > 0:
            return f"{scheme.text} {show(deviation)}"
    wanted = "one of " + listed(FANS) if takes == "fan" else "a standard deviation above 0"
    example = FANS[1] if takes == "fan" else "0.01"
    message = f"`{scheme.text}` takes {wanted}"
    help = f"as in `{scheme.text} {example}`"
    raise words.error("E211", message, scheme, help)


def _size(token: Token, words: Words, *, least: int) -> tuple[int, int]:
    try:
        height, width = sides(token)
    except StepSyntaxError as error:
        raise words.error("E106", error.message, token) from None
    if not least <= min(height, width) <= max(height, width) <= MAX_NUMBER:
        raise words.error("E211", f"`{token.text}` is not at least {least}x{least}", token)
    return height, width


def read_expr(reader: Reader, words: Words) -> Expr:
    """The expression that comes next, its names in scope.

    Raises:
        SpecError: E104 no expression comes next, E205 an unknown name, E106 too long a number.
    """
    start = reader.peek()
    try:
        expr = parse_expr(reader)
    except StepSyntaxError as error:
        found = Token("end", "", error.start, error.end)
        raise words.error(error.code, error.message, found) from None
    unknown = sorted(names(expr) - words.scope.names)
    if unknown:
        later = (t for t in words.tokens if t.text == unknown[0] and t.start >= start.start)
        raise words.unknown(unknown[0], next(later, start), words.scope.names)
    return expr


def read_word(op: Op, name: str, word: Word, key: Span, text: Span, scope: Scope) -> Given:
    """An attribute's value that stands in a YAML value of its own.

    Args:
        key: where the attribute is named.
        text: the characters of the value.
        scope: the parameters that it may read.

    Raises:
        SpecError: E104 no expression, E202 an attribute the op does not have, E205 an unknown
            name, E211 a value that the attribute cannot take.
    """
    attribute = op.attribute(name)
    if attribute is None or attribute.owner or name == op.kernel:
        close = nearest(name, op.words())
        message = f"`{op.written}` has no attribute `{name}`"
        fix = Fix(key, close) if close else None
        raise SpecError([Diagnostic("E202", message, (Label(key),), fix=fix)])
    if isinstance(word, str):
        words = as_words(word, text, scope)
        return read_whole(words, lambda reader: _value(op, attribute, reader, words))
    problem = misfit(attribute, word)
    if problem is not None:
        raise SpecError([Diagnostic("E211", problem, (Label(text),))])
    return word


def as_words(text: str, span: Span, scope: Scope) -> Words:
    """The words of a text that stands alone.

    Raises:
        SpecError: E104, a character that starts no word.
    """
    try:
        return Words(tokenise(text), span, scope)
    except StepSyntaxError as error:
        part = span.part(error.start, error.end) if span.text == text else span
        raise SpecError([Diagnostic(error.code, error.message, (Label(part),))]) from None


def read_whole(words: Words, read: Callable[[Reader], Given]) -> Given:
    """A value that takes all the words there are."""
    reader = Reader(words.tokens)
    value = read(reader)
    rest = reader.peek()
    if rest.kind != "end":
        raise words.error("E104", f"`{rest.text}` stands where the value should end", rest)
    return value


def misfit(attribute: Attribute, value: Given) -> str | None:
    """Return why an attribute cannot take a value, or None if it can."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    number = value if is_number and isinstance(value, int | Decimal) else Decimal("NaN")
    whole = number if isinstance(number, int) else -1
    name = attribute.name
    match attribute.kind:
        case "width" | "positive":
            fits, wanted = whole >= 1, "a whole number of at least 1"
        case "natural":
            fits, wanted = whole >= 0, "a whole number of at least 0"
        case "decimal":
            fits, wanted = is_number, f"a number{_bounds(attribute)}"
        case "fraction":
            fits, wanted = is_number and 0 <= number <= 1, f"a number{_fraction(attribute)}"
        case "flag":
            fits, wanted = isinstance(value, bool), "true or false"
        case "choice":
            fits, wanted = value in attribute.choices, f"one of {listed(attribute.choices)}"
        case "pad":
            fits = value in ("V", "same", "same_tf") or whole >= 0
            wanted = "V, same, same_tf, a whole number or a size such as 0x3"
        case "size":
            fits, wanted = isinstance(value, tuple), "a size such as 3x3"
        case "init":
            fits, wanted = isinstance(value, str), "a scheme such as `normal 0.01`"
    if is_number and not _is_between(attribute, number):
        fits = False
    return None if fits else f"`{name}` is {wanted}"


def _is_between(attribute: Attribute, number: int | Decimal) -> bool:
    """Tell whether torch, which reads double precision, sees a number within the bounds."""
    low, high = attribute.above, attribute.below
    return (low is None or float(number) > low) and (high is None or float(number) < high)


def _bounds(attribute: Attribute) -> str:
    return "" if attribute.above is None else f" above {attribute.above}"


def _fraction(attribute: Attribute) -> str:
    """Return the range of a fraction in words, its ends included unless a bound takes them out."""
    if attribute.above == 0:
        return " above 0 and at most 1"
    return " of at least 0 and below 1" if attribute.below == 1 else " from 0 to 1"


def listed(items: Iterable[str]) -> str:
    """Names as a message lists them."""
    return ", ".join(f"`{item}`" for item in items)
