"""The sentences of findings that only networks of code have: no spec says what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from inception_dsl.diff import (
    ArgumentRenamed,
    CodeTopic,
    DrawChanged,
    FormChanged,
    FreezingChanged,
    IdleTensorsListed,
    NumbersChanged,
    StepWords,
    TrainingChanged,
)
from inception_dsl.emit.diff.notation import arrow, step_text
from inception_dsl.emit.diff.words import Sentence, tensors_text
from inception_dsl.ir import NETWORK, Path

MAX_SHOWN = 3
"""Maximum number of modules or keys that a sentence names."""


def write_code_sentence(about: CodeTopic) -> Sentence:
    """Return the sentence of a finding that no spec could have."""
    match about:
        case IdleTensorsListed():
            return _write_idle(about)
        case FreezingChanged():
            return _write_freezing(about)
        case DrawChanged():
            return _write_draw(about)
        case TrainingChanged():
            return _write_training(about)
        case NumbersChanged():
            return _write_numbers(about)
        case FormChanged():
            means = "callers get the results in another form"
            return Sentence(NETWORK, NETWORK, f"result {arrow(about.before, about.after)}", means)
        case ArgumentRenamed():
            means = "callers that name the argument of `forward` fail"
            return Sentence(NETWORK, NETWORK, f"argument {arrow(about.before, about.after)}", means)
        case _:
            assert_never(about)


def _write_idle(about: IdleTensorsListed) -> Sentence:
    verb = {"added": " added", "removed": " removed"}.get(about.keys[0].kind, "")
    is_one = len(about.keys) == 1
    means = f"{tensors_text(about.keys)}; no step of inference uses {'it' if is_one else 'them'}"
    if about.twins:
        means = f"{tensors_text(about.keys)}: {'an' if is_one else ''}other key"
        means += f"{'' if is_one else 's'} of {_list(about.twins)}"
    at, subject = _place(about.holders, "places")
    return Sentence(at, f"{subject}{verb}", _list(about.holders) if at == NETWORK else "", means)


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


def _write_training(about: TrainingChanged) -> Sentence:
    """Return the sentence of steps that no spec says; both sides may have such."""
    if about.after is None:
        means = f"before, {about.before}"
    elif about.before is None:
        means = f"now, {about.after}"
    else:
        means = f"{about.after}, and they are others than before"
    return Sentence(NETWORK, NETWORK, "steps of training", f"{means}; inference is the same")


def _write_numbers(about: NumbersChanged) -> Sentence:
    at, subject = _place(about.modules)
    count = "1 tensor" if about.count == 1 else f"{about.count} tensors"
    means = "old values are rounded or widened as they load, and steps compute with this type"
    return Sentence(at, subject, f"{count} {arrow(about.before, about.after)}", means)


def _name(side: str | StepWords | None, share: float | None) -> str | None:
    """Return a class with the share that it drops, or a step, as a reader knows it."""
    if isinstance(side, StepWords):
        return step_text(side)
    return side if side is None or share is None else f"{side} ({share:g})"


def _place(paths: Sequence[Path], noun: str = "modules") -> tuple[str, str]:
    """Return the place of some paths, and the place with their number."""
    at = paths[0] if len(paths) == 1 else Path(NETWORK)
    return at, at if len(paths) == 1 else f"{at}, in {len(paths)} {noun}"


def _list(names: Sequence[str]) -> str:
    """Return some names, and the number of those that have no room."""
    more = len(names) - MAX_SHOWN
    return ", ".join(names[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
