"""The finding for a change of `extends` at a place that the base lacks."""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.diagnostics import Diagnostic, Fix, Label, nearest
from inception_dsl.source import Span
from inception_dsl.spec.named_steps import is_none
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.tree import Entry

MAX_SHOWN = 6
"""Maximum number of names of a body that a finding lists."""


def find_nothing(
    path: str,
    change: Entry,
    known: Iterable[str],
    body: Span,
    meant: Iterable[str] | None = None,
) -> Diagnostic:
    """Return E212 for a written path that names no step.

    Args:
        path: the rest of the written path, from the body where no step has its name.
        known: the names in that body.
        meant: the known names that a fix may propose; all of them by default.
    """
    written = change.key.text if change.key.text.endswith(path) else path
    (name, dot, rest), known = path.partition("."), list(known)
    before = written.removesuffix(path)
    close = nearest(name, known if meant is None else meant)
    fix = Fix(change.key, f"{before}{close}{dot}{rest}") if close else None
    help = None
    if name in ("branches", "steps") and rest:  # a path leaves them out
        fix = Fix(change.key, before + rest)
    elif name in BODY_KEYS and before:
        step = before.removesuffix(".")
        help = f"`{name}` is a key of the step: write `{step}: {{{name}: ...}}`"
    elif not dot and not is_none(change.value):
        help = f"a new step says where: `{written}: {{after: NAME, steps: ...}}`"
    labels = (Label(change.key), *show_names(known, body))
    message = f"there is nothing at `{written}` to change"
    return Diagnostic("E212", message, labels, help=help, fix=fix)


def show_names(known: list[str], body: Span) -> list[Label]:
    """Return a label that lists the names in a body, if there are any."""
    shown = ", ".join(f"`{name}`" for name in known[:MAX_SHOWN])
    told = f"here are {shown}{' and more' if len(known) > MAX_SHOWN else ''}"
    return [Label(body, told)] if known else []
