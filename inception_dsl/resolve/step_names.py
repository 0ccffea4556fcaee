"""The names of the steps of a list: the author's, or those of their ops and blocks."""

from __future__ import annotations

from inception_dsl.spec.schema import Item, LongSpec
from inception_dsl.spec.step import StepSyntaxError, parse_step

UNREADABLE = "step"
"""The name of a step whose text cannot be read, in its list."""


def is_readable(item: Item) -> bool:
    """Tell whether a step's text follows the grammar; a body without a text does."""
    text = item.op if isinstance(item, LongSpec) else item
    if not isinstance(text, str):
        return True
    try:
        parse_step(text)
    except StepSyntaxError:
        return False
    return True


def name_of(item: Item) -> str | None:
    """Return the name of a step of a list; None for a body without one."""
    match item:
        case dict():
            return next(iter(item))
        case str():
            text = item
        case LongSpec():
            text = item.op
        case _:
            return None
    try:
        return parse_step(text).name.text
    except StepSyntaxError:
        return UNREADABLE
