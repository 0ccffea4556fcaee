"""Blocks: scopes of one skeleton become calls of one block, whose parameters fill its holes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.ir import Value
from inception_dsl.ops import shown
from inception_dsl.recover.naming import OP_WORDS, clean, name_block, number, without_number
from inception_dsl.recover.terms import (
    CallTerm,
    Hole,
    JoinTerm,
    ListTerm,
    OpTerm,
    ScopeTerm,
    Term,
    fill,
    height,
    holes,
    rebuild,
    skeleton,
    walk,
)

MIN_JOINS = 3
"""Minimum number of equal joins in one list that become calls of a block."""

FACTORS = (2, 3, 4, 5, 6, 8, 16)
"""The factors and divisors that relate one width to another."""

Column = tuple[Value, ...]
"""The values of a hole in all instances of a block."""


@dataclass(frozen=True, slots=True)
class FoundBlock:
    """A block that was recovered.

    Attributes:
        params: its parameters, with the values that calls need not write; None for none.
        kind: the name of the class that it was.
        body: its body, whose holes have texts.
    """

    name: str
    kind: str
    params: Mapping[str, Value | None]
    body: Term


def find_blocks(network: Term) -> tuple[Term, tuple[FoundBlock, ...]]:
    """Return a network whose scopes are calls, and the blocks that they call."""
    term = _gather_joins(network, "Net")
    blocks: list[FoundBlock] = []
    while scopes := [inner for inner in walk(term) if isinstance(inner, ScopeTerm)]:
        lowest = min(map(height, scopes))
        groups: dict[Hashable, list[ScopeTerm]] = {}
        for scope in scopes:
            if height(scope) == lowest:
                groups.setdefault(skeleton(scope), []).append(scope)
        calls: dict[int, CallTerm] = {}
        for group in groups.values():
            block, group_calls = _make_block(group, {block.name for block in blocks})
            blocks.append(block)
            calls.update(zip(map(id, group), group_calls, strict=True))
        term = _replace(term, calls)
    texts = {id(hole): shown(hole.value) for hole in holes(term)}
    return fill(term, texts), tuple(blocks)


def _replace(term: Term, calls: Mapping[int, CallTerm]) -> Term:
    if id(term) in calls:
        return calls[id(term)]
    return rebuild(term, lambda child: _replace(child, calls))


def _gather_joins(term: Term, kind: str) -> Term:
    """Return a term in which joins that repeat in a list are scopes, as dense layers are."""
    inner = term.kind if isinstance(term, ScopeTerm) else kind
    term = rebuild(term, lambda child: _gather_joins(child, inner))
    if isinstance(term, ScopeTerm) and _is_no_block(term.body):
        return term.body
    if not isinstance(term, ListTerm):
        return term
    loose = [_unnumber(item) if isinstance(item, JoinTerm) else item for _, item in term.items]
    counts = Counter(skeleton(item) for item in loose if isinstance(item, JoinTerm))
    items: list[tuple[str, Term]] = []
    for (name, old), item in zip(term.items, loose, strict=True):
        if isinstance(item, JoinTerm) and counts[skeleton(item)] >= MIN_JOINS:
            kinds = [part.kind for _, part in item.branches if isinstance(part, ScopeTerm)]
            scope = ScopeTerm(f"{kinds[0] if kinds else kind}Step", item, item.channels)
            items.append(("" if name[-1:].isdigit() else name, scope))
        else:
            items.append((name, old))
    return ListTerm(tuple(items))


def _is_no_block(body: Term) -> bool:
    """Tell whether a list reads better in its place: equal steps, or one layer and what follows."""
    if not isinstance(body, ListTerm):
        return False
    steps = [item for _, item in body.items]
    if len(steps) > 2:
        kinds = {skeleton(step) for step in steps}
        return len(kinds) == 1 and isinstance(steps[0], ScopeTerm)
    return all(
        isinstance(step, OpTerm) and all(hole.value == hole.default for hole in holes(step))
        for step in steps
    )


def _unnumber(term: JoinTerm) -> JoinTerm:
    """Return a join whose branches have names without numbers, unless two become one name."""
    names = [without_number(name) for name, _ in term.branches]
    if len(set(names)) < len(names):
        return term
    pairs = zip(names, term.branches, strict=True)
    return replace(term, branches=tuple((clean(name), inner) for name, (_, inner) in pairs))


def _make_block(group: Sequence[ScopeTerm], taken: set[str]) -> tuple[FoundBlock, list[CallTerm]]:
    """Return the block of scopes of one skeleton, and the call of each of them."""
    name = name_block(group[0].kind, taken)
    rows = [list(holes(scope.body)) for scope in group]
    columns = list(zip(*([hole.value for hole in row] for row in rows), strict=True))
    channels = tuple(scope.channels for scope in group)
    params: dict[str, Column] = {}
    texts: dict[int, str] = {}
    for hole, column in zip(rows[0], columns, strict=True):
        text = _relate(column, channels, params)
        if text is None:
            text = _name_param(hole, params)
            params[text] = column
        texts[id(hole)] = text
    params, texts = _name_width(rows[0], params, texts)
    defaults = {param: _usual(param, column) for param, column in params.items()}
    calls = []
    for index, scope in enumerate(group):
        arguments = tuple(
            Hole(param, column[index], defaults[param]) for param, column in params.items()
        )
        calls.append(CallTerm(name, scope.kind, arguments))
    return FoundBlock(name, group[0].kind, defaults, fill(group[0].body, texts)), calls


def _name_width(
    row: Sequence[Hole], params: dict[str, Column], texts: dict[int, str]
) -> tuple[dict[str, Column], dict[int, str]]:
    """Call the only parameter that is a width `width`, whatever step it stands in."""
    bare = {texts[id(hole)] for hole in row if hole.is_bare} & params.keys()
    if len(bare) != 1 or "width" in params:
        return params, texts
    (old,) = bare
    renamed = {"width" if name == old else name: column for name, column in params.items()}
    word = re.compile(rf"\b{old}\b")
    return renamed, {key: word.sub("width", text) for key, text in texts.items()}


def _relate(column: Column, channels: Column, params: Mapping[str, Column]) -> str | None:
    """Return the text that gives the values of a hole; None if it needs a new parameter."""
    if len(set(column)) == 1:
        return shown(column[0])
    for name, base in (("in", channels), *params.items()):
        if column == base:
            return name
    if all(isinstance(value, int) and not isinstance(value, bool) for value in column):
        for name, base in (("in", channels), *params.items()):
            if all(isinstance(value, int) for value in base):
                for text in _scale(column, name, base):
                    return text
    return None


def _scale(column: Column, name: str, base: Column) -> Iterator[str]:
    """Yield the expressions by which a parameter, multiplied or divided, gives the values."""
    for factor in FACTORS:
        pairs = [(int(str(a)), int(str(b))) for a, b in zip(column, base, strict=True)]
        if all(value == factor * of for value, of in pairs):
            yield f"{factor}*{name}"
        if all(value * factor == of for value, of in pairs):
            yield f"{name}//{factor}"


def _name_param(hole: Hole, params: Mapping[str, Column]) -> str:
    """Return a name for the parameter that fills a hole."""
    name = hole.attribute
    if hole.is_bare and hole.step and not hole.step.isdigit():
        name = hole.step
    name = clean(name).rstrip("_")
    if name in OP_WORDS or clean(name) != name or name == "in":
        name = f"{name}_width" if hole.is_bare else f"{name}_value"
    return number(name, params)


def _usual(param: str, column: Column) -> Value | None:
    """Return the value of a parameter that most calls have; None if no value is that common."""
    value, count = Counter(column).most_common(1)[0]
    return value if 2 * count > len(column) else None
