"""Words that an op has in common with the norms and the activations that its steps carry."""

from __future__ import annotations

from collections.abc import Mapping

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.ops import ACTIVATIONS, OPS, Op, shown
from inception_dsl.resolve.scope import Setting
from inception_dsl.source import Span

Defaults = Mapping[str, Mapping[str, Setting]]
"""The defaults of a network, or of a block: by op, then by attribute."""


def refuse_shared_words(op: Op, settings: Mapping[str, Setting], defaults: Defaults) -> None:
    """Refuse a word that may be meant for the op of a step, or for the norm that the step carries.

    The word sets the op's attribute. If the defaults set that of the norm, nobody can mistake it.
    Nor can a value that is the width be mistaken, such as the groups of a depthwise convolution: a
    norm with a group for each channel has a name of its own.

    Raises:
        SpecError: E211, there is one.
    """
    own_defaults = defaults.get(op.defaults_of or op.name, {})
    for name in ("norm", "act"):
        carried = settings.get(name) or own_defaults.get(name)
        if carried is None or not isinstance(owner := carried.value, str):
            continue
        shared = op.shared_words.get(owner)
        if not shared:
            continue
        widths = [
            settings[a.name].value
            for a in op.own_attributes
            if a.name in settings and a.kind == "width"
        ]
        for word in sorted(shared & settings.keys() - defaults.get(owner, {}).keys()):
            if settings[word].value in widths:
                continue
            attribute = OPS[owner].attribute(word)
            assert attribute is not None
            assert attribute.default is not None
            is_divisor = word == "groups"  # its default may divide no such width
            usual = "G" if is_divisor else shown(attribute.default)
            way = f"add `defaults: {{{owner}: {{{word}: {usual}}}}}`"
            way += ", where G divides the channels" if is_divisor else ""
            message = f"`{word}` may be that of `{op.written}` or of `{owner}`"
            labels = (Label(settings[word].span), Label(carried.span, "both have one"))
            help = f"for that of `{op.written}`, {way}; for that of `{owner}`, move the word there"
            raise SpecError([Diagnostic("E211", message, labels, help=help)])


def refuse_act_defaults(defaults: Defaults, span: Span) -> None:
    """Refuse words of activations as defaults for a step whose activation is a parameter.

    Emitted code makes such an activation as `act()`, without words.

    Args:
        span: the place of the parameter.

    Raises:
        SpecError: E211, the defaults set words of an activation.
    """
    for name in ACTIVATIONS:
        if settings := defaults.get(name):
            word, setting = next(iter(settings.items()))
            message = f"the activation is a parameter, and the defaults set `{word}` of `{name}`"
            labels = (Label(span), Label(setting.span, "it is set here"))
            help = "name the activation here, or write it as a step behind"
            raise SpecError([Diagnostic("E211", message, labels, help=help)])
