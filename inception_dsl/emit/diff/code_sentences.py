"""The sentences of findings that only networks of code have: no spec says what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from inception_dsl.diff import (
    CodeTopic,
    DrawChanged,
    FreezingChanged,
    IdleTensorsListed,
    StepWords,
)
from inception_dsl.emit.diff.notation import arrow, step_text
from inception_dsl.emit.diff.words import Sentence, tensors_text
from inception_dsl.ir import NETWORK, Path

MAX_TWINS = 3
"""Maximum number of keys that a sentence names."""


def write_code_sentence(about: CodeTopic) -> Sentence:
    """Return the sentence of a finding that no spec could have."""
    match about:
        case IdleTensorsListed():
            return _write_idle(about)
        case FreezingChanged():
            return _write_freezing(about)
        case DrawChanged():
            return _write_draw(about)
        case _:
            assert_never(about)


def _write_idle(about: IdleTensorsListed) -> Sentence:
    verb = {"added": " added", "removed": " removed"}.get(about.keys[0].kind, "")
    is_one = len(about.keys) == 1
    means = f"{tensors_text(about.keys)}; no step of inference uses {'it' if is_one else 'them'}"
    if about.twins:
        shown = ", ".join(about.twins[:MAX_TWINS])
        more = len(about.twins) - MAX_TWINS
        named = f"{shown} and {more} more" if more > 0 else shown
        means = f"{tensors_text(about.keys)}: {'an' if is_one else ''}other key"
        means += f"{'' if is_one else 's'} of {named}"
    return Sentence(about.module, f"{about.module}{verb}", "", means)


def _write_freezing(about: FreezingChanged) -> Sentence:
    at, subject = _place(about.modules)
    which, far = ("now", "no longer") if about.is_fixed else ("no longer", "now")
    if about.are_averages:
        what = f"{'frozen' if about.is_fixed else 'no longer frozen'}"
        means = f"training {which} norms by the running averages, and {far} changes them"
    else:
        one = about.count == 1
        count = "1 parameter" if one else f"{about.count} parameters"
        what = f"{count} {which} frozen"
        means = f"training {far} changes {'it' if one else 'them'}"
    return Sentence(at, subject, what, f"{means}; inference is the same")


def _write_draw(about: DrawChanged) -> Sentence:
    at, subject = _place(about.modules)
    before, after = (
        _name(side, share)
        for side, share in zip((about.before, about.after), about.shares, strict=True)
    )
    if before is None:
        verb, what, means = " added", after, "training now draws at random here"
    elif after is None:
        verb, what, means = " removed", before, "training no longer draws at random here"
    else:
        verb, what, means = "", arrow(before, after), "training drops other values"
    return Sentence(at, f"{subject}{verb}", what or "", f"{means}; inference is the same")


def _name(side: str | StepWords | None, share: float | None) -> str | None:
    """Return a class with the share that it drops, or a step, as a reader knows it."""
    if isinstance(side, StepWords):
        return step_text(side)
    return side if side is None or share is None else f"{side} ({share:g})"


def _place(modules: Sequence[Path]) -> tuple[str, str]:
    """Return the place of some modules, and the place with their number."""
    at = modules[0] if len(modules) == 1 else Path(NETWORK)
    return at, at if len(modules) == 1 else f"{at}, {len(modules)} modules"
