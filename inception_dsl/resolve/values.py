"""The values of an op's attributes: their reading, and the check that an attribute takes them."""

from __future__ import annotations

import re
from decimal import Decimal

from inception_dsl.bounds import MAX_NUMBER
from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest
from inception_dsl.expr import Name, evaluate, find_names, show
from inception_dsl.ir import Value
from inception_dsl.ops import FANS, PAD_WORDS, SCHEMES, WRITTEN, Attribute, Op
from inception_dsl.resolve.evaluate import NoValueError, value_of
from inception_dsl.resolve.scope import Given, Scope, close_by
from inception_dsl.resolve.tokens import Words, as_words, listed, read_expr, read_whole
from inception_dsl.source import Span
from inception_dsl.spec.schema import Word
from inception_dsl.spec.step import Reader, StepSyntaxError, Token, sides

SIZE = re.compile(r"([0-9]{1,12})x([0-9]{1,12})")
"""A kernel or a padding with two sides."""


def read_value(op: Op, attribute: Attribute, reader: Reader, words: Words) -> Given:
    """Return the value that comes next, which is the attribute's.

    Raises:
        SpecError: E104 no expression comes next, E106 a size that is none, E205 an unknown name,
            E211 a value that the attribute cannot take.
    """
    token = reader.peek()
    match attribute.kind:
        case "decimal" if token.text == attribute.default and token.kind == "name":
            return reader.take().text
        case "choice":
            return _choice(attribute, reader.take(), words)
        case "size" | "pad" | "steps" if token.kind == "kernel" and _has_two_sides(
            token, attribute
        ):
            return read_size(reader.take(), words, least=0 if attribute.kind == "pad" else 1)
        case "positive" | "natural" | "steps" if token.kind == "kernel":
            height, width = token.text.split("x")
            message = f"`{attribute.name}` is one number for both axes"
            raise words.error("E211", message, token, instead=height if height == width else None)
        case "pad" if attribute.name in op.flags.get(token.text, {}):
            return op.flags[reader.take().text][attribute.name]
        case "pad" if token.kind == "name" and token.text not in words.scope.names:
            _refuse_pad(op, attribute, token, words)
        case "flag":
            message = f"`{attribute.name}` stands alone and takes no value"
            raise words.error("E211", message, token)
        case "init":
            return _init(reader, words)
    value: Given = read_expr(reader, words)
    first, last = words.span(token), words.span(reader.peek(-1))
    span = Span(first.source, first.start, last.end)
    problem = None
    try:
        if not isinstance(value, str | tuple) and not find_names(value):
            value = value_of(value, {}, is_rounded=attribute.is_rounded)
            problem = misfit(attribute, value)
        elif not attribute.is_symbolic:
            problem = f"`{attribute.name}` cannot be a parameter"
    except NoValueError as error:
        problem = str(error)
    if problem is not None:
        raise _misfit_error(op, attribute, problem, value, span)
    return both_sides(attribute, value)


def _has_two_sides(token: Token, attribute: Attribute) -> bool:
    """Tell whether a size is none that the attribute writes as one number."""
    first, _, second = token.text.partition("x")
    return attribute.kind != "steps" or first != second


def _refuse_pad(op: Op, attribute: Attribute, token: Token, words: Words) -> None:
    """Refuse a word of the field, or of another tool, that is no padding of an op.

    Raises:
        SpecError: E211, it is one.
    """
    from inception_dsl.resolve.habits import LACKING_VALUES

    if token.text in PAD_WORDS:
        known = listed(flag for flag, sets in op.flags.items() if attribute.name in sets)
        message = f"`{token.text}` is no padding of `{op.written}`: {known}, a number or a size"
        raise words.error("E211", message, token)
    if token.text in LACKING_VALUES:
        step = next((op for op in WRITTEN.values() if token.text in op.flags), None)
        help = f"put a step `{step.written} (... {token.text})` before it" if step else None
        raise words.error("E211", f"`pad {token.text}` is not in the language yet", token, help)
    if (meant := _meant_pad(op, token, words)) is not None:
        message = f"`{token.text}` is no value of `pad`: `V`, `same`, `same_tf` or a number"
        raise words.error("E211", message, token, instead=meant)


def _meant_pad(op: Op, token: Token, words: Words) -> str | None:
    """Return the padding that another tool calls so, as in `VALID` or `SAME`."""
    if token.kind != "name" or token.text in words.scope.names:
        return None
    from inception_dsl.resolve.habits import word_of

    word = word_of(token.text, op.words()) or token.text.lower()
    return word if "pad" in op.flags.get(word, {}) else None


def _choice(attribute: Attribute, token: Token, words: Words) -> Given:
    """Return one of the attribute's choices, or a parameter that stands for one."""
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
    from inception_dsl.resolve.habits import LACKING_VALUES, op_of

    if token.text.lower() in LACKING_VALUES:
        message = f"`{attribute.name} {token.text}` is not in the language yet"
        notes = (f"values of `{attribute.name}` are {listed(attribute.choices)}",)
        raise words.error("E211", message, token, notes=notes)
    alias = op_of(token.text)
    is_other = alias is not None and alias not in attribute.choices
    if attribute.name == "act" and is_other and _keeps_shape(WRITTEN[alias or ""]):
        help = f"put a step `{alias}` behind it"
        raise words.error("E211", message, token, help)
    meant = alias if alias in attribute.choices else close.name
    labels = close.labels if meant == close.name else ()
    raise words.error("E211", message, token, others=labels, instead=meant)


def _keeps_shape(op: Op) -> bool:
    """Tell whether an op gives each value anew, without weights: it may stand behind any other."""
    return op.sizes == "follow" and op.state is None and not (op.kernel or op.width)


def _init(reader: Reader, words: Words) -> str:
    """Return a scheme of initialisation with its argument, its number in one form."""
    scheme = reader.take()
    takes = SCHEMES.get(scheme.text)
    if takes is None:
        from inception_dsl.resolve.habits import LACKING_VALUES

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


def read_size(token: Token, words: Words, *, least: int) -> tuple[int, int]:
    """Return the height and width of a kernel or a size, each at least `least`.

    Raises:
        SpecError: E106 it has too many digits, E211 it is too small or too large.
    """
    try:
        height, width = sides(token)
    except StepSyntaxError as error:
        raise words.error("E106", error.message, token) from None
    if not least <= min(height, width) <= max(height, width) <= MAX_NUMBER:
        raise words.error("E211", f"`{token.text}` is not at least {least}x{least}", token)
    return height, width


def parameter_value(word: Word) -> Value:
    """Return a parameter's value that stands in a YAML value of its own: a kernel is a pair."""
    if isinstance(word, str) and (size := SIZE.fullmatch(word)):
        return int(size[1]), int(size[2])
    return word


SWITCHES = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
"""The booleans of YAML 1.1; YAML 1.2 reads most of them as texts."""


def _keys_of_flag(op: Op, name: str, word: Word) -> str | None:
    """List the keys that set what a flag does: `pad: V` for `V: true`."""
    state = word if isinstance(word, bool) else SWITCHES.get(str(word).lower())
    if state is None or name not in op.flags:
        return None
    sets = op.flags.get(name if state else f"no_{name}")
    if sets is None:
        return None
    shown = {
        key: str(value).lower() if isinstance(value, bool) else value for key, value in sets.items()
    }
    return ", ".join(f"{key}: {value}" for key, value in shown.items())


def read_word(op: Op, name: str, word: Word, key: Span, text: Span, scope: Scope) -> Given:
    """Return an attribute's value that stands in a YAML value of its own.

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
        message = f"`{op.written}` has no attribute `{name}`"
        if (keys := _keys_of_flag(op, name, word)) is not None:
            help = f"a flag has no key: write `{keys}`"
            raise SpecError([Diagnostic("E202", message, (Label(key),), help=help)])
        from inception_dsl.resolve.habits import word_of

        meant = word_of(name, op.words())
        is_known = meant is not None and op.attribute(meant) is not None
        close = meant if is_known else nearest(name, op.words())
        fix = Fix(key, close) if close else None
        raise SpecError([Diagnostic("E202", message, (Label(key),), fix=fix)])
    if isinstance(word, str) and attribute.kind == "flag":
        state = SWITCHES.get(word.lower())
        fix = None if state is None else Fix(text, str(state).lower())
        message = f"`{name}` is true or false"
        raise SpecError([Diagnostic("E211", message, (Label(text),), fix=fix)])
    if isinstance(word, str):
        words = as_words(word, text, scope)
        return read_whole(words, lambda reader: read_value(op, attribute, reader, words))
    problem = misfit(attribute, word)
    if problem is not None:
        raise _misfit_error(op, attribute, problem, word, text)
    return both_sides(attribute, word)


def _misfit_error(
    op: Op, attribute: Attribute, problem: str, value: Given, span: Span
) -> SpecError:
    """Return E211 for a value that an attribute cannot take."""
    help = None
    if isinstance(value, Decimal):
        from inception_dsl.resolve.multiples import advise_size

        help = advise_size(op, attribute.name)
    return SpecError([Diagnostic("E211", problem, (Label(span),), help=help)])


def both_sides(attribute: Attribute, value: Given) -> Given:
    """Return the value of an attribute in its one form.

    A number for a size is the side of a square, and equal sides of `steps` are a number.
    """
    if attribute.kind == "steps" and isinstance(value, tuple) and value[0] == value[1]:
        return value[0]
    if attribute.kind == "size" and isinstance(value, int) and not isinstance(value, bool):
        return value, value
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
            fits = value in PAD_WORDS or whole >= 0 or isinstance(value, tuple)
            wanted = "V, same, same_tf, a whole number or a size such as 0x3"
        case "size":
            sides = value if isinstance(value, tuple) else (whole, whole)
            fits, wanted = min(sides) >= 1, "a size such as 3x3, or the side of a square"
        case "steps":
            sides = value if isinstance(value, tuple) else (whole, whole)
            fits = min(sides) >= 1
            wanted = "a whole number of at least 1, or a size such as 2x1"
        case "init":
            fits, wanted = isinstance(value, str), "a scheme such as `normal 0.01`"
    if is_number and not _is_between(attribute, number):
        fits = False
    return None if fits else f"`{name}` is {wanted}"


def _is_between(attribute: Attribute, number: int | Decimal) -> bool:
    """Tell whether a number is within its bounds in double precision, as torch reads it."""
    low, high = attribute.above, attribute.below
    return (low is None or float(number) > low) and (high is None or float(number) < high)


def _bounds(attribute: Attribute) -> str:
    """Return the lower bound of a number in words, if it has one."""
    return "" if attribute.above is None else f" above {attribute.above}"


def _fraction(attribute: Attribute) -> str:
    """Return the range of a fraction in words, its ends included unless a bound takes them out."""
    if attribute.above == 0:
        return " above 0 and at most 1"
    return " of at least 0 and below 1" if attribute.below == 1 else " from 0 to 1"
