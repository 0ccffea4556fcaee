"""The finding for a step that names no op and no block, with the probable meaning of the name."""

from __future__ import annotations

from collections.abc import Mapping

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest_term
from inception_dsl.ops import OPS, RESCALE, WRITTEN
from inception_dsl.resolve.habits import (
    block_of,
    depthwise_of,
    is_depthwise,
    is_drop_path,
    is_lacking,
    is_of_tokens,
    join_of,
    kernel_and_op_of,
    meanings_of,
    near_of,
    op_of,
    variant_of,
)
from inception_dsl.resolve.scope import Close, close_by
from inception_dsl.resolve.tokens import listed
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText

_BY_NUMBER = {"product": "factor", "sum": "offset"}
"""The words that do by one number what joins do by a value, by the kind of a join in figures."""


def explain_unknown(
    step: StepText, written: str, label: Label, blocks: Mapping[str, Span]
) -> SpecError:
    """Return E201 with the probable meaning: another tool's name, a similar name, or a join.

    Args:
        written: the name, with the word before it.
        label: its place.
        blocks: the places of the blocks by their names.
    """
    message = f"no op and no block is named `{written}`"
    if written == "none":
        help = "`identity` gives what it reads; `none` removes a step where a mapping names it"
        return SpecError([Diagnostic("E201", message, (label,), help=help)])
    if is_lacking(step.name.text):
        if is_of_tokens(step.name.text):
            message = f"`{written}` is not in the language"
            said = "it describes convolutional networks: attention and tokens stay outside"
            return SpecError([Diagnostic("E201", message, (label,), (said,))])
        message = f"`{written}` is not in the language yet"
        return SpecError([Diagnostic("E201", message, (label,), help=near_of(written))])
    if is_drop_path(step.name.text):
        message = f"`{written}` is no step: it drops the body of a residual"
        help = "as in `residual: {drop_path: 0.1}`"
        return SpecError([Diagnostic("E201", message, (label,), help=help)])
    if (body := block_of(written)) is not None:
        message = f"`{written}` is no op, but a block"
        return SpecError([Diagnostic("E201", message, (label,), help=f"define it as {body}")])
    if is_depthwise(step.name.text):
        kernel = step.kernel.text if step.kernel else "3x3"
        help = depthwise_of(kernel)
        return SpecError([Diagnostic("E201", message, (label,), help=help)])
    if (join := join_of(written)) is not None:
        message = f"`{written}` is no step: it joins branches"
        word = _BY_NUMBER.get(OPS[join].figure)
        if word is not None and [token.kind for token in step.words] == ["number"]:
            help = f"by one number it is `{RESCALE.written} ({word} {step.words[0].text})`"
            return SpecError([Diagnostic("E201", message, (label,), help=help)])
        help = f"as in `{{branches: {{left: ..., right: ...}}, join: {join}}}`"
        return SpecError([Diagnostic("E201", message, (label,), help=help)])
    if step.kernel is None and (meant := kernel_and_op_of(written)) is not None:
        fix = Fix(label.span, meant)
        return SpecError([Diagnostic("E201", message, (label,), fix=fix)])
    if (meant := op_of(written)) is not None:
        fix, help = Fix(label.span, meant), f"this language has it as `{meant}`"
        return SpecError([Diagnostic("E201", message, (label,), help=help, fix=fix)])
    if (meanings := meanings_of(written)) is not None:
        message = f"`{written}` has several meanings"
        return SpecError([Diagnostic("E201", message, (label,), help=f"write {meanings}")])
    if (variant := variant_of(written)) is not None:
        meant, more = variant
        attribute = WRITTEN[meant].attribute(more.split()[0])
        said = attribute.help if attribute else ""
        help = f"this language has it as `{meant}`" + (f": {said}" if said else f" with `{more}`")
        return SpecError([Diagnostic("E201", message, (label,), help=help)])
    term = nearest_term(written, WRITTEN)
    close = Close(term, ()) if term else close_by(written, blocks, blocks)
    notes = () if close.name else (f"ops are {listed(WRITTEN)}",)
    labels = (label, *close.labels)
    return SpecError([Diagnostic("E201", message, labels, notes, fix=close.fix(label.span))])
