"""The steps of a list by name, as the changes of `extends` address them.

A step has the name that its author gives it, or the counted name of its op or block. A body without
a name adds no segment to a path: its steps are named from the list that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.step import StepSyntaxError, counted_name, parse_step
from inception_dsl.spec.text import syntax_finding
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Sequence, Tree


def give_name(item: Tree, name: str | None) -> Tree:
    """Return a step of a list under a name; a body without one is left as it is."""
    if name is None or is_named(item):
        return item
    return Mapping({name: Entry(item.span, item)}, item.span)


def inner_body(item: Tree) -> Tree:
    """Return the body of a named step."""
    assert isinstance(item, Mapping)
    ((_, entry),) = item.items.items()
    return entry.value


def replace_inner(item: Tree, inner: Tree) -> Tree:
    """Return a named step with another body."""
    assert isinstance(item, Mapping)
    ((name, entry),) = item.items.items()
    return Mapping({name: Entry(entry.key, inner)}, item.span)


def name_steps(body: Sequence) -> Iterator[tuple[str | None, Tree]]:
    """Yield the items of a list with their names: their own, or counted ones; None for none."""
    counts: dict[str, int] = {}
    for item in body.items:
        if is_named(item):
            yield next(iter(item.items)), item
        elif isinstance(item, Scalar) and isinstance(item.value, str):
            try:
                called = parse_step(item.value).name.text
            except StepSyntaxError:
                yield None, item  # said where the steps are resolved
                continue
            counts[called] = counts.get(called, 0) + 1
            yield counted_name(called, counts[called]), item
        else:
            yield None, item


def list_names(body: Tree) -> list[str]:
    """Return the names at which a body can be changed."""
    match body:
        case Sequence():
            names: list[str] = []
            for name, item in name_steps(body):
                names.extend([name] if name is not None else list_names(item))
            return names
        case Mapping(items) if "branches" in items:
            branches = items["branches"].value
            return list(branches.items) if isinstance(branches, Mapping) else []
        case Mapping(items) if "steps" in items:
            return list_names(items["steps"].value)
        case _:
            return []


def is_named(item: Tree) -> TypeGuard[Mapping]:
    """Tell whether a step of a list has a name of its own."""
    if not isinstance(item, Mapping):
        return False
    return len(item.items) == 1 and not item.items.keys() & BODY_KEYS


def is_none(tree: Tree) -> bool:
    """Tell whether a change removes what is at its place."""
    return isinstance(tree, Scalar) and tree.value == "none"


def find_syntax_error(item: Tree) -> Diagnostic | None:
    """Return the finding for a step whose text does not follow the grammar, if it does not."""
    inner = inner_body(item) if is_named(item) else item
    if not isinstance(inner, Scalar) or not isinstance(inner.value, str):
        return None
    try:
        parse_step(inner.value)
    except StepSyntaxError as error:
        return syntax_finding(error, inner.value, inner.text)
    return None
