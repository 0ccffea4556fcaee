"""The meaning of a step's words to its op; `bindings` reads the words of a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError
from inception_dsl.expr import Name
from inception_dsl.ops import Attribute, Op
from inception_dsl.resolve.carried import Defaults, refuse_act_defaults, refuse_shared_words
from inception_dsl.resolve.scope import Given, Setting
from inception_dsl.resolve.tokens import Words, listed
from inception_dsl.resolve.values import SWITCHES, read_size, read_value
from inception_dsl.source import Span
from inception_dsl.spec.step import Reader, StepText, Token


def read_attributes(
    op: Op, step: StepText, words: Words, keys: Mapping[str, Setting], defaults: Defaults
) -> tuple[dict[str, Given], dict[str, Span]]:
    """Return all the attributes of an op's step: its words', then the defaults', then the op's own.

    Args:
        keys: the values that a step in its long form gives by keys.

    Returns:
        Their values, and the places of those that an author wrote.

    Raises:
        SpecError: E202 a word the op does not know, E203 one said twice, E204 one that is missing,
            E205 an unknown name, E210 a kernel too many or too few, E211 a value out of range.
    """
    settings = _StepWords(op, step, words).read(keys)
    said = {attribute.canonical for attribute in map(op.attribute, settings) if attribute}
    own_defaults = defaults.get(op.defaults_of or op.name, {})
    refuse_shared_words(op, settings, defaults)
    left_out = _other_ways(op, step, words, settings, own_defaults)
    attributes: dict[str, Given] = {}
    places: dict[str, Span] = {}

    def take(taken: Iterable[Attribute], inherited: Mapping[str, Setting]) -> None:
        for attribute in taken:
            if attribute.name in left_out:
                continue
            setting = settings.get(attribute.name)
            if setting is None and inherited and attribute.canonical not in said:
                setting = inherited.get(attribute.name_in_owner)
            if setting is not None:
                attributes[attribute.name], places[attribute.name] = setting.value, setting.span
            elif attribute.default is not None:
                attributes[attribute.name] = attribute.default
            else:
                raise _missing_value(op, attribute, step, words, settings)

    take(op.own_attributes, own_defaults)
    for owner in (attributes.get("norm"), attributes.get("act")):
        if isinstance(owner, str) and owner in op.owned_attributes:
            take(op.owned_attributes[owner], defaults.get(owner, {}))
    if "act" in attributes and not isinstance(attributes["act"], str):
        refuse_act_defaults(defaults, places["act"])
    if op.finish is not None:
        op.finish(attributes)
    _refuse_idle(op, settings, attributes)
    return attributes, places


def _refuse_idle(op: Op, settings: Mapping[str, Setting], attributes: Mapping[str, Given]) -> None:
    """Refuse a word of a step that does nothing, as the flag that it needs is off.

    Raises:
        SpecError: E211, there is one.
    """
    for name, setting in settings.items():
        attribute = op.attribute(name)
        if attribute is None or not attribute.needs or name in attributes:
            continue
        if setting.value != attribute.default:
            message = f"`{attribute.name}` does nothing without `{attribute.needs}`"
            help = f"add `{attribute.needs}`, or leave the word out"
            raise SpecError([Diagnostic("E211", message, (Label(setting.span),), help=help)])


def _missing_value(
    op: Op, attribute: Attribute, step: StepText, words: Words, settings: Mapping[str, Setting]
) -> SpecError:
    """Return E204 for an attribute that has no value, and that a step must give."""
    kernel = f"{step.kernel.text} " if step.kernel else ""
    named = "width" if attribute.kind == "width" else f"`{attribute.name}`"
    example = _example(op, attribute, settings)
    help = attribute.help or f"write its {named}, as in `{kernel}{op.written} ({example})`"
    return words.error("E204", f"`{op.written}` has no {named}", step.name, help)


def _example(op: Op, attribute: Attribute, settings: Mapping[str, Setting]) -> str:
    """Return words that set an attribute, behind those of its way that a step has."""
    way = next((way for way in op.ways if attribute.name in way), (attribute.name,))
    said = {name: _as_words(name, settings[name].value) for name in way if name in settings}
    wanted = "64" if attribute.kind == "width" else f"{attribute.name} 2"
    needed = [a.name for a in op.attributes if a.name in said or a.default is None]
    others = {name: said.get(name, f"{name} 2") for name in way if name in needed}
    return " ".join((others | {attribute.name: wanted}).values())


def _other_ways(
    op: Op,
    step: StepText,
    words: Words,
    settings: Mapping[str, Setting],
    own_defaults: Mapping[str, Setting],
) -> frozenset[str]:
    """Return the attributes of an op's ways that a step does not take.

    Raises:
        SpecError: E203 it takes two ways, E204 it takes none.
    """
    for known in (settings, own_defaults):
        taken = [way for way in op.ways if any(name in known for name in way)]
        if taken:
            break
    else:
        if not op.ways:
            return frozenset()
        names = [name for way in op.ways for name in way]
        message = f"`{op.written}` has none of {listed(names)}"
        example = "64" if names[0] == op.width else f"{names[0]} 2"
        help = f"write one, as in `{op.written} ({example})`"
        raise words.error("E204", message, step.name, help)
    if len(taken) > 1:
        firsts = (next(known[name].span for name in way if name in known) for way in taken)
        first, again, *_ = sorted(firsts, key=lambda span: span.start)
        names = [next(name for name in way if name in known) for way in taken]
        message = f"`{op.written}` takes one of {listed(names)}, not both"
        labels = (Label(again, "again"), Label(first, "first"))
        raise SpecError([Diagnostic("E203", message, labels)])
    return frozenset(name for way in op.ways if way not in taken for name in way)


class _StepWords:
    """The words of one step, read one after the other into the attributes that they set."""

    def __init__(self, op: Op, step: StepText, words: Words) -> None:
        self._op = op
        self._step = step
        self._words = words
        self._width = next((a for a in op.attributes if a.kind == "width"), None)
        self._given: dict[str, Setting] = {}
        self._flags: dict[Span, str] = {}

    def read(self, keys: Mapping[str, Setting]) -> dict[str, Setting]:
        """Return the values that the kernel, the words and the keys of a step set, by attribute."""
        self._read_kernel()
        reader = Reader(self._words.tokens)
        while reader.peek().kind != "end":
            self._read_word(reader)
        for name, setting in keys.items():
            self._give(name, setting.value, setting.span)
        return self._given

    def _give(self, name: str, value: Given, span: Span) -> None:
        attribute = self._op.attribute(name)
        assert attribute is not None
        for other, setting in self._given.items():
            known = self._op.attribute(other)
            if known is not None and known.canonical == attribute.canonical:
                raise self._again(attribute, value, span, setting)
        self._given[name] = Setting(value, span)

    def _again(self, attribute: Attribute, value: Given, span: Span, first: Setting) -> SpecError:
        """Return E203 for an attribute that has two values, one of them perhaps by a flag.

        A flag that sets several attributes may be meant but for one of them: it is then written
        out.
        """
        labels = (Label(span, "again"), Label(first.span, "first"))
        fix = None
        wide = first.span if len(self._sets(first.span)) > 1 else span
        rest = [pair for pair in self._sets(wide).items() if pair[0] != attribute.name]
        if rest and value != first.value:
            fix = Fix(wide, " ".join(_as_words(name, value) for name, value in rest))
        message = f"`{attribute.canonical}` is given twice"
        return SpecError([Diagnostic("E203", message, labels, fix=fix)])

    def _sets(self, span: Span) -> Mapping[str, Given]:
        """Return the values that the flag at a place sets; empty if no flag is there."""
        return self._op.flags.get(self._flags.get(span, ""), {})

    def _read_kernel(self) -> None:
        op, words, kernel, name = self._op, self._words, self._step.kernel, self._step.name
        if op.kernel and kernel is None:
            span = words.span(self._step.modifier or name, name)
            size = _meant_kernel(words)
            help = f"write its kernel, as in `3x3 {op.written}`"
            fix = Fix(span, f"{size}x{size} {op.written}") if size else None
            message = f"`{op.written}` has no kernel"
            raise SpecError([Diagnostic("E210", message, (Label(span),), help=help, fix=fix)])
        if kernel is None:
            return
        if not op.kernel:
            raise self._kernel_too_many(kernel)
        if kernel.kind == "name":
            self._give(op.kernel, Name(kernel.text), words.span(kernel))
        else:
            self._give(op.kernel, read_size(kernel, words, least=1), words.span(kernel))

    def _kernel_too_many(self, kernel: Token) -> SpecError:
        """Return E210 for a kernel before an op that takes none, and its probable meaning."""
        from inception_dsl.resolve.multiples import advise_number, required_numbers

        op, words, name = self._op, self._words, self._step.name
        span, message = words.span(kernel, name), f"`{op.written}` takes no kernel"
        if not op.ways and not required_numbers(op):
            raise SpecError(
                [Diagnostic("E210", message, (Label(span),), fix=Fix(span, op.written))]
            )
        meant, help = advise_number(op, kernel.text)
        fix = None
        if meant is not None:
            others = (
                f" {words.span(words.tokens[0], words.tokens[-1]).text}" if words.tokens else ""
            )
            whole = words.call_span(kernel, name)
            fix = Fix(whole, f"{op.written} ({meant}{others})")
        raise SpecError([Diagnostic("E210", message, (Label(span),), help=help, fix=fix)])

    def _read_word(self, reader: Reader) -> None:
        """Read a flag, an attribute with its value, or the width."""
        op, words, width, token = self._op, self._words, self._width, reader.peek()
        _refuse_binding(op, reader, words)
        attribute = op.attribute(token.text) if token.kind == "name" else None
        if token.kind == "name" and token.text in op.flags:
            self._read_flag(reader)
        elif attribute is not None and not attribute.owner and attribute.kind != "width":
            reader.take()
            if reader.peek().kind == "end":
                raise words.error("E104", f"`{token.text}` has no value", token)
            value = read_value(op, attribute, reader, words)
            self._give(attribute.name, value, words.span(token, reader.peek(-1)))
        elif width is not None and (
            token.kind != "name" or token.text in words.scope.names or reader.is_at_call()
        ):
            self._refuse_second_value(reader)
            value = read_value(op, width, reader, words)
            self._give(width.name, value, words.span(token, reader.peek(-1)))
        else:
            if width is not None and (named := _named_width(op, reader, words)):
                raise named
            wants_width = width is not None and width.name not in self._given
            from inception_dsl.resolve.unknown_words import explain_unknown_word

            raise explain_unknown_word(op, token, self._step, words, wants_width=wants_width)

    def _read_flag(self, reader: Reader) -> None:
        token = reader.take()
        span = self._words.span(token)
        self._flags[span] = token.text
        for name, value in self._op.flags[token.text].items():
            self._give(name, value, span)
        last = reader.peek()
        is_width = self._width is not None and self._width.name not in self._given
        state = SWITCHES.get(last.text.lower())
        if state is not None or (last.kind == "number" and not is_width):
            message = f"`{token.text}` stands alone and takes no value"
            meant = token.text if state else f"no_{token.text}"
            fix = None
            if state is not None and meant in self._op.flags:
                fix = Fix(self._words.span(token, last), meant)
            label = Label(self._words.span(last))
            raise SpecError([Diagnostic("E202", message, (label,), fix=fix)])

    def _refuse_second_value(self, reader: Reader) -> None:
        """Refuse a number behind a choice, such as a slope behind `act leaky_relu`."""
        number, value, name = reader.peek(), reader.peek(-1), reader.peek(-2)
        attribute = self._op.attribute(name.text)
        if number.kind != "number" or attribute is None or attribute.kind != "choice":
            return
        if self._width is not None and self._width.name in self._given:
            message = f"`{attribute.name} {value.text}` takes no number"
            raise self._words.error("E202", message, number)


def _as_words(name: str, value: Given) -> str:
    """Return an attribute with a value of a flag's as a step writes it."""
    if isinstance(value, bool):
        return name if value else f"no_{name}"
    return f"{name} {value}"


def _meant_kernel(words: Words) -> str | None:
    """Return the kernel of `kernel_size=3` among the words of an op that has none before it."""
    tokens = [token for token in words.tokens if token.text != "="]
    pairs = pairwise(tokens)
    from inception_dsl.resolve.habits import KERNELS

    return next((b.text for a, b in pairs if a.text in KERNELS and b.kind == "number"), None)


def _refuse_binding(op: Op, reader: Reader, words: Words) -> None:
    """Refuse `=` among an op's words: it is for the parameters of blocks."""
    name, equals, value = (reader.peek(ahead) for ahead in range(3))
    if name.kind != "name" or equals.text != "=":
        return
    from inception_dsl.resolve.habits import precedes_flag, word_of

    word = word_of(name.text, op.words()) or name.text
    if word not in op.words() and op.width:
        word = "width"
    span = words.span(name, value)
    why: str
    meant: str | None
    if value.text in op.flags and precedes_flag(name.text):
        why, meant = "a flag stands alone", value.text
    elif word == "width":
        why, meant = "its width stands alone", value.text
    elif word not in op.words():
        why, meant = "`=` is for the parameters of blocks", None
    elif f"no_{word}" in op.flags:
        is_off = value.text.lower() in {"false", "0"}
        why, meant = "a flag stands alone", f"no_{word}" if is_off else word
    else:
        why, meant = "a value stands behind its word", f"{word} {value.text}"
    message = f"`{op.written}` knows no word `{name.text}={value.text}`: {why}"
    fix = None if meant is None else Fix(span, meant)
    raise SpecError([Diagnostic("E202", message, (Label(span),), fix=fix)])


def _named_width(op: Op, reader: Reader, words: Words) -> SpecError | None:
    """Return the finding for a width behind a name for it, if one is there."""
    name, value = reader.peek(), reader.peek(1)
    if value.kind != "number" and value.text not in words.scope.names:
        return None
    from inception_dsl.resolve.habits import word_of

    if "width" not in (name.text, word_of(name.text, op.words())):
        return None
    message = f"`{op.written}` knows no word `{name.text}`: its width stands alone"
    fix = Fix(words.span(name, value), value.text)
    return SpecError([Diagnostic("E202", message, (Label(words.span(name)),), fix=fix)])
