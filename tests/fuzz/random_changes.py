"""Random changes of whole specs: steps, branches and copies come and go, move, or are renamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from random_edits import edited, steps_of
from random_specs import specs
from random_steps import Spec, Step


def _holders(value: Any, kind: type) -> Iterator[Any]:
    """Every list of steps, or every mapping of branches, of a document."""
    match value:
        case list():
            if kind is list:
                yield value
            for item in value:
                yield from _holders(item, kind)
        case dict():
            if kind is dict and isinstance(value.get("branches"), dict):
                yield value["branches"]
            for item in value.values():
                yield from _holders(item, kind)


def _drop_step(draw: st.DrawFn, document: dict[str, Any]) -> None:
    lists = [items for items in _holders(document, list) if len(items) > 1]
    if lists:
        items = draw(st.sampled_from(lists))
        del items[draw(st.integers(0, len(items) - 1))]


def _add_step(draw: st.DrawFn, document: dict[str, Any]) -> None:
    lists = list(_holders(document, list))
    if lists:
        items = draw(st.sampled_from(lists))
        step = draw(st.sampled_from([Step("tanh"), Step("3x3 conv", 5), Step("batchnorm")]))
        items.insert(draw(st.integers(0, len(items))), step)


def _drop_branch(draw: st.DrawFn, document: dict[str, Any]) -> None:
    mappings = [names for names in _holders(document, dict) if len(names) > 1]
    if mappings:
        branches = draw(st.sampled_from(mappings))
        del branches[draw(st.sampled_from(sorted(branches)))]


def _add_branch(draw: st.DrawFn, document: dict[str, Any]) -> None:
    mappings = list(_holders(document, dict))
    if mappings:
        draw(st.sampled_from(mappings))["added"] = [Step("1x1 conv", 3), Step("3x3 conv", 2)]


def _reorder(draw: st.DrawFn, document: dict[str, Any]) -> None:
    mappings = [names for names in _holders(document, dict) if len(names) > 1]
    if mappings:
        branches = draw(st.sampled_from(mappings))
        name = draw(st.sampled_from(sorted(branches)))
        branches[name] = branches.pop(name)


def _recount(draw: st.DrawFn, document: dict[str, Any]) -> None:
    """Repeat a step that leaves its input as it is, or repeat it another number of times."""
    steps = [(place, step) for place, step in steps_of(document) if not step.row]
    if not steps:
        return
    place, step = draw(st.sampled_from(steps))
    head = re.sub(r"^\d+ x ", "", step.head)
    count = draw(st.integers(1, 4))
    holder: Any = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = Step(f"{count} x {head}" if count > 1 else head, step.width, step.words)


def _resize(draw: st.DrawFn, document: dict[str, Any]) -> None:
    if isinstance(document["input"], str):
        height, width, channels = map(int, document["input"].split("x"))
        more = draw(st.integers(1, 8))
        document["input"] = f"{height + more}x{width + more}x{channels}"


def _weigh(draw: st.DrawFn, document: dict[str, Any]) -> None:
    heads = document.get("heads")
    if heads:
        head = heads[draw(st.sampled_from(sorted(heads)))]
        if isinstance(head, dict):
            head["loss_weight"] = 0.125


_CHANGES = (
    *(_drop_step, _drop_branch, _add_step, _add_branch),
    *(_reorder, _recount, _resize, _weigh),
)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Spec, Spec]:
    """A good spec, and the same one after some changes of any kind; the second may be no spec."""
    if draw(st.integers(1, 100)) <= 40:
        old, new, _ = draw(edited())
        return old, new
    old = draw(specs())
    document = deepcopy(old.document)
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from(_CHANGES))(draw, document)
    return old, Spec(document)
