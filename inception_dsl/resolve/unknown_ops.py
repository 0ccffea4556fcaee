"""The finding for a step that names no op and no block, with the probable meaning of the name."""

from __future__ import annotations

from collections.abc import Mapping

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest_term
from inception_dsl.ops import OPS, WRITTEN
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
from inception_dsl.resolve.multiples import advise_rescale
from inception_dsl.resolve.scope import Close, close_by
from inception_dsl.resolve.tokens import listed
from inception_dsl.source import Span
from inception_dsl.spec.step import StepText


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
        return SpecError([Diagnostic("E201", message, (label,), help=_advise_join(step, join))])
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
        meant, words = variant
        attribute = WRITTEN[meant].attribute(words[0])
        told = (
            f": {attribute.help}" if attribute and attribute.help else f" with `{' '.join(words)}`"
        )
        help = f"this language has it as `{meant}`{told}"
        return SpecError([Diagnostic("E201", message, (label,), help=help)])
    term = nearest_term(written, WRITTEN)
    close = Close(term, ()) if term else close_by(written, blocks, blocks)
    notes = () if close.name else (f"ops are {listed(WRITTEN)}",)
    labels = (label, *close.labels)
    return SpecError([Diagnostic("E201", message, labels, notes, fix=close.fix(label.span))])


def _advise_join(step: StepText, join: str) -> str:
    """Return the way to write a join, or a step by one number in its place."""
    if [token.kind for token in step.words] == ["number"]:
        help = advise_rescale(OPS[join], step.words[0].text)
        if help is not None:
            return help
    return f"as in `{{branches: {{left: ..., right: ...}}, join: {join}}}`"
