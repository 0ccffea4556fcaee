"""Variants of a block: bodies that differ by steps, or by a residual, that are there or not.

The longest body is the template. Another body fits if it is the template without some steps, with
or without the residual around them, or without the layer in its shortcut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.ops import GATHERED, IDENTITY, RESIDUAL
from inception_dsl.recover.naming import SHORTCUT
from inception_dsl.recover.terms import (
    CallTerm,
    FromTerm,
    Hole,
    JoinTerm,
    ListTerm,
    OpTerm,
    ReuseTerm,
    ScopeTerm,
    Term,
    WhenTerm,
    children,
    find_holes,
    find_references,
    find_skeleton,
)

Row = tuple[Hole | None, ...]
"""The holes of one body in the order of its template's; None where the body has no such step."""


@dataclass(frozen=True, slots=True, eq=False)
class BodyLayout:
    """A body in its parts.

    Attributes:
        residual: the sum around the steps; None if there is none.
        shortcut: the layer beside the steps; None if the shortcut is what enters.
    """

    steps: tuple[tuple[str, Term], ...]
    residual: JoinTerm | None
    shortcut: tuple[str, Term] | None


@dataclass(frozen=True, slots=True, eq=False)
class BodyParts:
    """The parts of a template that one body has."""

    steps: tuple[bool, ...]
    residual: bool
    shortcut: bool


@dataclass(frozen=True, slots=True, eq=False)
class BodyTemplate:
    """A body that stands for several, and what each of these has of it.

    Attributes:
        rows: the holes of each body.
        present: the parts of each body.
    """

    layout: BodyLayout
    scopes: tuple[ScopeTerm, ...]
    rows: tuple[Row, ...]
    present: tuple[BodyParts, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes of the template, in the order of each row."""
        return tuple(_holes(self.layout))

    @property
    def homes(self) -> dict[int, str]:
        """The branch of a concat that a hole stands in, by the hole's `id`."""
        return dict(pair for _, term in self.layout.steps for pair in _find_homes(term))

    @property
    def is_plain(self) -> bool:
        """No call that may be missing has the form of another one, as copies in a row have."""
        forms = Counter(_key(step) for step in self.layout.steps if isinstance(step[1], CallTerm))
        columns = zip(self.layout.steps, *(part.steps for part in self.present), strict=True)
        return all(all(bits) or forms[_key(step)] < 2 for step, *bits in columns)

    @property
    def is_uniform(self) -> bool:
        """Every body has the same form."""
        return len({find_skeleton(scope.body) for scope in self.scopes}) == 1


def lay_out(body: Term) -> BodyLayout:
    """Return the parts of a body."""
    join = body
    if isinstance(body, ListTerm) and len(body.items) == 1 and not body.items[0][0]:
        join = body.items[0][1]
    if isinstance(join, JoinTerm) and (index := _find_shortcut(join)) is not None:
        name, shortcut = join.branches[index]
        inner = join.branches[1 - index][1]
        is_plain = isinstance(shortcut, OpTerm) and shortcut.op == IDENTITY.name
        layer = None if is_plain else (name, shortcut)
        return BodyLayout(_steps(inner), join, layer)
    return BodyLayout(_steps(body), None, None)


def _steps(body: Term) -> tuple[tuple[str, Term], ...]:
    return body.items if isinstance(body, ListTerm) else (("", body),)


def _find_shortcut(join: JoinTerm) -> int | None:
    """Return which branch of a sum of two is a shortcut; None if that is not plain."""
    if join.op != RESIDUAL.name or len(join.branches) != 2:
        return None
    plain = [
        index
        for index, (_, term) in enumerate(join.branches)
        if isinstance(term, OpTerm) and term.op == IDENTITY.name
    ]
    named = [index for index, (name, _) in enumerate(join.branches) if SHORTCUT.search(name)]
    if any(hole.attribute == "scale" for hole in join.attributes):
        return None
    if any(hole.attribute == "drop_path" for hole in join.attributes):
        return 0  # a body that may be dropped is the last input
    if len(plain) == 1:
        return plain[0]
    if not plain and len(named) != 1:  # a lone layer stands beside several steps
        named = [index for index, (_, term) in enumerate(join.branches) if _is_layer(term)]
    return named[0] if len(named) == 1 and not plain else None


def _is_layer(term: Term) -> bool:
    """Tell whether a branch is one op."""
    steps = _steps(term)
    return len(steps) == 1 and isinstance(steps[0][1], OpTerm)


def merge_bodies(scopes: Sequence[ScopeTerm]) -> BodyTemplate:
    """Return the template of the scopes that fit the longest body."""
    layouts = [lay_out(scope.body) for scope in scopes]
    longest = max(layouts, key=lambda layout: len(layout.steps))
    fits = [_fit(longest.steps, layout) for layout in layouts]
    chosen = [index for index, fit in enumerate(fits) if fit is not None]
    residual = next((layouts[i].residual for i in chosen if layouts[i].residual), None)
    chosen = [i for i in chosen if _agree(residual, layouts[i].residual)]
    shortcuts = [layouts[i].shortcut for i in chosen if layouts[i].shortcut]
    kept = [i for i in chosen if _has_shortcut(layouts[i], shortcuts[0] if shortcuts else None)]
    # The longest body itself may not be among them; no call has the steps that only it had.
    used = sorted({index for i in kept for index in fits[i] or ()})
    steps = tuple(longest.steps[index] for index in used)
    fits = [_fit(steps, layout) for layout in layouts]
    whole = BodyLayout(steps, residual, shortcuts[0] if shortcuts else None)
    rows, present = [], []
    for index in kept:
        row, presence = _align(whole, layouts[index], fits[index] or ())
        rows.append(row)
        present.append(presence)
    return BodyTemplate(whole, tuple(scopes[i] for i in kept), tuple(rows), tuple(present))


def _agree(first: JoinTerm | None, second: JoinTerm | None) -> bool:
    """Tell whether the residuals of two bodies have the same attributes, if both have one."""
    if first is None or second is None:
        return True
    names = [hole.attribute for hole in first.attributes]
    return names == [hole.attribute for hole in second.attributes]


def _has_shortcut(layout: BodyLayout, shortcut: tuple[str, Term] | None) -> bool:
    """Tell whether a body has no layer in its shortcut, or one of the same form."""
    if layout.shortcut is None or shortcut is None:
        return layout.shortcut is shortcut or layout.shortcut is None
    return _key(layout.shortcut) == _key(shortcut)


def _fit(steps: Sequence[tuple[str, Term]], layout: BodyLayout) -> tuple[int, ...] | None:
    """Return which step of a template each step of a body is; None if the body does not fit."""
    if any(isinstance(term, FromTerm | ReuseTerm) for _, term in (*steps, *layout.steps)):
        # Its steps name others, which must be there.
        same = list(map(_key, steps)) == list(map(_key, layout.steps))
        return tuple(range(len(steps))) if same else None
    indices: list[int] = []
    start = 0
    for step in layout.steps:
        rest = (i for i in range(start, len(steps)) if _key(steps[i]) == _key(step))
        if (index := next(rest, None)) is None:
            return None
        indices.append(index)
        start = index + 1
    return tuple(indices) if indices else None


def _key(step: tuple[str, Term]) -> Hashable:
    """Return the form of a step; a pointwise step without a name is no depthwise one."""
    name, term = step
    form: Hashable = ()
    if isinstance(term, OpTerm) and not name:
        values = {hole.attribute: hole.value for hole in find_holes(term)}
        form = values.get("kernel") == (1, 1), values.get("groups", 1) == 1
    return name, form, find_skeleton(term)


def _align(whole: BodyLayout, layout: BodyLayout, indices: Sequence[int]) -> tuple[Row, BodyParts]:
    """Return the holes of a body in the order of its template, and the parts that it has."""
    row: list[Hole | None] = []
    if whole.residual is not None:
        attributes = layout.residual.attributes if layout.residual is not None else None
        row += attributes or [None] * len(whole.residual.attributes)
    by_index = dict(zip(indices, (term for _, term in layout.steps), strict=True))
    for index, (_, term) in enumerate(whole.steps):
        row += _holes_or_none(by_index.get(index), term)
    if whole.shortcut is not None:
        layer = layout.shortcut[1] if layout.shortcut is not None else None
        row += _holes_or_none(layer, whole.shortcut[1])
    return tuple(row), BodyParts(
        tuple(index in by_index for index in range(len(whole.steps))),
        whole.residual is None or layout.residual is not None,
        whole.shortcut is None or layout.shortcut is not None,
    )


def _holes_or_none(present: Term | None, whole: Term) -> list[Hole | None]:
    return list(find_holes(present)) if present is not None else [None for _ in find_holes(whole)]


def _find_homes(term: Term) -> Iterator[tuple[int, str]]:
    """Yield the holes in branches by their `id`, each with the name of the innermost branch."""
    for child in children(term):
        yield from _find_homes(child)
    if isinstance(term, JoinTerm) and term.op == GATHERED.name:
        for name, inner in term.branches:
            nested = {key for key, _ in _find_homes(inner)}
            yield from ((id(hole), name) for hole in find_holes(inner) if id(hole) not in nested)


def _holes(layout: BodyLayout) -> Iterator[Hole]:
    if layout.residual is not None:
        yield from layout.residual.attributes
    for _, term in layout.steps:
        yield from find_holes(term)
    if layout.shortcut is not None:
        yield from find_holes(layout.shortcut[1])


@dataclass(frozen=True, slots=True)
class PartConditions:
    """The conditions of the parts of a template; empty for one that is always there.

    Attributes:
        steps: by the index of the step.
    """

    steps: Mapping[int, str]
    residual: str = ""
    shortcut: str = ""


def build_body(
    template: BodyTemplate, conditions: PartConditions, names: Mapping[int, str]
) -> Term:
    """Return the body of a template, in which parts have conditions.

    Args:
        names: the names of steps that are not always there and have none, by index.
    """
    if template.is_uniform:
        return template.scopes[0].body
    layout = template.layout
    steps = tuple(
        (names.get(index, name), WhenTerm(conditions.steps[index], term))
        if index in conditions.steps
        else (name, term)
        for index, (name, term) in enumerate(layout.steps)
    )
    body = ListTerm(steps, kept=find_references(layout.steps))
    if layout.residual is None:
        return body
    name, layer = layout.shortcut or (IDENTITY.name, OpTerm(IDENTITY.name, IDENTITY.written, ()))
    if conditions.shortcut:
        layer = WhenTerm(conditions.shortcut, layer)
    branches = ((name, layer), ("body", body))
    return replace(layout.residual, branches=branches, when=conditions.residual)
