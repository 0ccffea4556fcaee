"""The finding for a word that an op does not know, with the probable meaning of the word."""

from __future__ import annotations

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest
from inception_dsl.ops import Op
from inception_dsl.resolve.habits import LACKING_VALUES, precedes_flag, word_of
from inception_dsl.resolve.multiples import advise_number
from inception_dsl.resolve.tokens import Words, listed
from inception_dsl.spec.step import StepText, Token


def explain_unknown_word(
    op: Op, token: Token, step: StepText, words: Words, *, wants_width: bool
) -> SpecError:
    """Return the finding for a word that is no attribute and, where one is wanted, no width."""
    if (help := _way_by_defaults(op, token, words)) is not None:
        return words.error("E202", f"`{op.written}` knows no word `{token.text}`", token, help)
    if (finding := _number_alone(op, token, words)) is not None:
        return finding
    word = token.text.lower()
    owner = next((a.name for a in op.attributes if word in a.choices), None)
    meant = f"{owner} {word}" if owner else _meant_word(op, token)
    if owner is None and token.text.lower() in LACKING_VALUES:
        return words.error("E202", f"`{token.text}` is not in the language yet", token)
    if wants_width and (meant is None or token.text in words.scope.unseen):
        return words.unknown(token.text, token, words.scope.names)
    message = f"`{op.written}` knows no word `{token.text}`"
    if meant:
        return words.error("E202", message, token, instead=meant)
    following = words.tokens[words.tokens.index(token) + 1 :][:1]
    if following and following[0].text in op.flags and precedes_flag(token.text):
        both = words.span(token, following[0])
        fix = Fix(both, following[0].text)
        return SpecError([Diagnostic("E202", message, (Label(both),), fix=fix)])
    known = listed(sorted(op.words()))
    told = f"it knows {known}" if known else "it stands alone"
    return words.error("E202", message, token, others=(Label(words.span(step.name), told),))


def _number_alone(op: Op, token: Token, words: Words) -> SpecError | None:
    """Return the finding for a number or a size without its word, if its meaning is known."""
    number = token.text.removeprefix("x") if token.kind == "name" else token.text
    if not number[:1].isdigit():
        return None
    meant, help = advise_number(op, number)
    if meant is None and help is None:
        return None
    message = f"`{op.written}` knows no word `{token.text}`"
    return words.error("E202", message, token, help, instead=meant)


def _way_by_defaults(op: Op, token: Token, words: Words) -> str | None:
    """Return how the defaults set a word of the norm, or of the activation, that a step names."""
    said = [other.text for other in words.tokens]
    owned = [a for a in op.attributes if a.owner in said and a.name_in_owner == token.text]
    if not owned:
        return None
    next_one = said.index(token.text) + 1
    value = said[next_one] if next_one < len(said) else ""
    is_number = words.tokens[next_one - 1 : next_one + 1][-1].kind == "number"
    value = "true" if owned[0].kind == "flag" else value if is_number else "..."
    return f"the defaults set it: `defaults: {{{owned[0].owner}: {{{token.text}: {value}}}}}`"


def _meant_word(op: Op, token: Token) -> str | None:
    """Return the word of an op that another word was most likely meant to be."""
    meant = word_of(token.text, op.words())
    if meant is not None and meant.partition(" ")[0] in op.words():
        return meant
    return nearest(token.text, op.words())
