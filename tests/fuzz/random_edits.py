"""Random single edits of random specs: one step of one body is written otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from random_specs import specs
from random_steps import ACTS, Spec, Step


def steps_of(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Step]]:
    """Every step of a document, with the keys that lead to it."""
    match value:
        case Step():
            yield place, value
        case list():
            for index, item in enumerate(value):
                yield from steps_of(item, (*place, index))
        case dict():
            for key, item in value.items():
                yield from steps_of(item, (*place, key))


def with_step(spec: Spec, place: tuple[Any, ...], step: Step) -> Spec:
    """The spec with another step at a place."""
    document = deepcopy(spec.document)
    holder: Any = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = step
    return Spec(document)


def _word(name: str, *values: Any) -> Callable[[st.DrawFn, Step], Step]:
    """Gives a word another value."""

    def edit(draw: st.DrawFn, step: Step) -> Step:
        words = dict(step.words)
        others = [value for value in values if words.get(name) != value]
        return replace(step, words=tuple({**words, name: draw(st.sampled_from(others))}.items()))

    return edit


def _head(old: str, *new: str) -> Callable[[st.DrawFn, Step], Step]:
    """Writes another word for one before the parenthesis."""

    def edit(draw: st.DrawFn, step: Step) -> Step:
        others = [word for word in new if not step.head.endswith(word)]
        return replace(step, head=re.sub(old, draw(st.sampled_from(others)), step.head, count=1))

    return edit


def _wider(draw: st.DrawFn, step: Step) -> Step:
    return replace(step, width=f"{step.width} + 1" if step.width is not None else None)


_EDITS: dict[str, list[Callable[[st.DrawFn, Step], Step]]] = {
    r"\bconv$": [
        _word("act", "none", *ACTS),
        _word("norm", "none", "batchnorm"),
        _word("bias", True, False),
        _word("pad", "same", "same_tf"),
        _word("dilation", 1, 2),
        _wider,
        _head(r"\d+x\d+", "1x1", "3x3", "1x3"),
    ],
    r"\bmaxpool$": [_head("maxpool", "avgpool"), _head(r"\d+x\d+", "3x3", "5x5")],
    r"\bavgpool$": [
        _word("count_pad", True, False),
        _word("ceil", True, False),
        _head(r"\d+x\d+", "3x3", "5x5"),
    ],
    r"\bdropout$": [lambda draw, step: replace(step, words=(("drop", 0.75),))],
    r"\bbatchnorm$": [_word("eps", 0.5, 0.25), _word("momentum", 0.5, 0.25)],
    r"\blrn$": [_word("alpha", 0.5, 0.25), _word("size", 3, 7)],
    rf"\b({'|'.join(ACTS)})$": [_head(r"\w+$", *ACTS)],
}


@st.composite
def edited(draw: st.DrawFn) -> tuple[Spec, Spec, str]:
    """A good spec, the same one with one step written otherwise, and what was done to it."""
    spec = draw(specs())
    # A name with a number of its own tells nothing of how a step is called.
    choices = [
        (place, step, edit)
        for place, step in steps_of(spec.document)
        for pattern, edits in _EDITS.items()
        if re.search(pattern, step.head) and "global" not in step.head and "adap" not in step.head
        for edit in edits
    ]
    if not choices:
        return spec, spec, "nothing"
    place, step, edit = draw(st.sampled_from(choices))
    new = edit(draw, step)
    return spec, with_step(spec, place, new), f"{step.short()} -> {new.short()}"
