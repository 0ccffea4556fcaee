"""The rule that a model can be written as a module, with one class for each block."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import Classes
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.rules.subject import Subject

_HELP = "give the block a parameter that tells, or write one for each"
_HELP_IN_NETWORK = "write the number in place of the parameter that decides it"
_HELP_WHERE_ABSENT = (
    "give the parameters values for which the step is there, or leave the step out of the spec"
)


def can_be_written(subject: Subject) -> Iterator[Diagnostic]:
    """Return E501 for every block that one class cannot express."""
    yield from unwritable_blocks(subject.classes)


def unwritable_blocks(classes: Classes) -> Iterator[Diagnostic]:
    """Yield E501 for every block that one class cannot express."""
    for problem in classes.unwritable:
        span = problem.origin.span
        labels = () if span is None else (Label(span),)
        help = _HELP_IN_NETWORK if problem.is_in_network else _HELP
        help = _HELP_WHERE_ABSENT if problem.is_absent else help
        yield Diagnostic("E501", problem.reason, labels, help=help)
