"""The rule that an output depends on every step."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import find_unread
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.rules.subject import Subject, labels_at


def never_read(subject: Subject) -> Iterator[Diagnostic]:
    """Find the steps that no output depends on (W601), with the parameters that lie idle."""
    model = subject.model
    for unread in find_unread(model):
        where = f" of `{unread.block}`" if unread.block != model.network.name else ""
        message = f"`{unread.path}`{where} is never read"
        often = f" in {unread.calls} calls" if unread.calls > 1 else ""
        note = f"it holds {unread.params:,} parameters{often}: they count, their work does not"
        notes = (note,) if unread.params else ()
        yield Diagnostic("W601", message, labels_at(unread.origin), notes=notes)
