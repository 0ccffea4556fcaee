"""Every step is read by something."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import find_unread
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.rules.subject import Subject


def never_read(subject: Subject) -> Iterator[Diagnostic]:
    """W601 for every step that no output depends on, with the parameters that lie idle."""
    model = subject.model
    for unread in find_unread(model):
        where = f" of `{unread.block}`" if unread.block != model.network.name else ""
        message = f"`{unread.path}`{where} is never read"
        often = f" in {unread.calls} calls" if unread.calls > 1 else ""
        note = f"it holds {unread.params:,} parameters{often}: they count, their work does not"
        notes = (note,) if unread.params else ()
        yield Diagnostic("W601", message, (Label(unread.origin.spans[0]),), notes=notes)
