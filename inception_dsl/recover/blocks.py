"""Blocks: scopes of one skeleton become calls of one block, whose parameters fill its holes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.ir import Value
from inception_dsl.ops import shown
from inception_dsl.recover.conditions import find_conditions
from inception_dsl.recover.merging import BodyTemplate, build_body, lay_out, merge_bodies
from inception_dsl.recover.naming import clean_name, name_block, without_number
from inception_dsl.recover.params import Column, find_params
from inception_dsl.recover.terms import (
    CallTerm,
    Hole,
    JoinTerm,
    ListTerm,
    OpTerm,
    ScopeTerm,
    Term,
    children,
    fill,
    find_holes,
    find_skeleton,
    measure_height,
    rebuild,
    walk,
)

MIN_EQUAL = 3
"""Minimum number of equal joins, or lists of ops, in one list that become calls of a block."""

MAX_DISSOLVED = 4
"""Maximum number of ops that read better in their place than in a block called once."""

MAX_PARAMS = 7
"""Maximum number of parameters of a block whose bodies differ by more than numbers."""


@dataclass(frozen=True, slots=True)
class FoundBlock:
    """A block that was recovered.

    Attributes:
        params: its parameters, with the values that calls need not write; None for none.
        inputs: the names of its inputs, if they are several.
        kind: the name of the class that it was.
        body: its body, whose holes have texts.
    """

    name: str
    kind: str
    params: Mapping[str, Value | None]
    body: Term
    inputs: tuple[str, ...] = ()


def find_blocks(bodies: Sequence[Term]) -> tuple[tuple[Term, ...], tuple[FoundBlock, ...]]:
    """Return the bodies of a network and its heads, in which scopes are calls, and the blocks."""
    term: Term = ListTerm(tuple((f"body{index}", body) for index, body in enumerate(bodies)))
    term = _dissolve(_gather(term, "Net"))
    blocks: list[FoundBlock] = []
    while scopes := [inner for inner in walk(term) if isinstance(inner, ScopeTerm)]:
        heights = {id(scope): measure_height(scope) for scope in scopes}
        lowest = min(heights.values())
        # A class is ready when no scope of it holds another: its variants may be of any height.
        waiting = {scope.kind for scope in scopes if heights[id(scope)] > lowest}
        ready = [scope for scope in scopes if scope.kind not in waiting] or [
            scope for scope in scopes if heights[id(scope)] == lowest
        ]
        groups: dict[tuple[str, tuple[str, ...]], list[ScopeTerm]] = {}
        for scope in ready:
            groups.setdefault((scope.kind, scope.inputs), []).append(scope)
        calls: dict[int, CallTerm] = {}
        for group in groups.values():
            _make_blocks(group, blocks, calls)
        term = _replace(term, calls)
    texts = {id(hole): shown(hole.value) for hole in find_holes(term)}
    return children(fill(term, texts)), tuple(blocks)


def _replace(term: Term, calls: Mapping[int, CallTerm]) -> Term:
    if id(term) in calls:
        return calls[id(term)]
    return rebuild(term, lambda child: _replace(child, calls))


def _gather(term: Term, kind: str) -> Term:
    """Return a term in which parts that repeat in a list are scopes.

    They are joins, as those of dense layers, and lists of ops, as transitions are.
    """
    inner = term.kind if isinstance(term, ScopeTerm) else kind
    term = rebuild(term, lambda child: _gather(child, inner))
    if isinstance(term, ScopeTerm) and not term.inputs and _is_no_block(term.body):
        return term.body
    if not isinstance(term, ListTerm):
        return term
    loose = [_unnumber(item) if isinstance(item, JoinTerm) else item for _, item in term.items]
    counts = Counter(find_skeleton(item) for item in loose if isinstance(item, JoinTerm | ListTerm))
    items: list[tuple[str, Term]] = []
    for (name, old), item in zip(term.items, loose, strict=True):
        if counts[find_skeleton(item)] < MIN_EQUAL:
            items.append((name, old))
        elif isinstance(item, JoinTerm):
            kinds = [part.kind for _, part in item.branches if isinstance(part, ScopeTerm)]
            scope = ScopeTerm(f"{kinds[0] if kinds else kind}Step", item, item.channels)
            is_counted = name[-1:].isdigit() and name not in term.kept
            items.append(("" if is_counted else name, scope))
        elif isinstance(item, ListTerm) and _is_of_ops(item):
            items.append((name, ScopeTerm(without_number(name), item, item.channels)))
        else:
            items.append((name, old))
    return replace(term, items=tuple(items))


def _dissolve(network: Term) -> Term:
    """Return a network in which a class of a few ops that one named step has is no block."""
    counts = Counter(term.kind for term in walk(network) if isinstance(term, ScopeTerm))

    def change(term: Term) -> Term:
        term = rebuild(term, change)
        if not isinstance(term, ListTerm):
            return term
        items = tuple((name, open_up(name, inner)) for name, inner in term.items)
        return replace(term, items=items)

    def open_up(name: str, term: Term) -> Term:
        is_alone = bool(name) and isinstance(term, ScopeTerm) and counts[term.kind] == 1
        if is_alone and isinstance(term, ScopeTerm) and isinstance(term.body, ListTerm):
            steps = [step for _, step in term.body.items]
            if len(steps) <= MAX_DISSOLVED and all(isinstance(step, OpTerm) for step in steps):
                return term.body
        return term

    return change(network)


def _is_of_ops(term: ListTerm) -> bool:
    """Tell whether a list that is a module has three or more steps, all of them ops."""
    steps = [item for _, item in term.items]
    are_ops = all(isinstance(step, OpTerm) for step in steps)
    return term.channels > 0 and len(steps) > 2 and are_ops


def _is_no_block(body: Term) -> bool:
    """Tell whether a list reads better in its place: equal steps, or one layer and what follows."""
    if not isinstance(body, ListTerm):
        return False
    steps = [item for _, item in body.items]
    if len(steps) > 2:
        kinds = {find_skeleton(step) for step in steps}
        return len(kinds) == 1 and isinstance(steps[0], ScopeTerm)
    return all(
        isinstance(step, OpTerm)
        and all(
            hole.value == hole.default
            for hole in find_holes(step)
            if not isinstance(hole.value, str | tuple)
        )
        for step in steps
    )


def _unnumber(term: JoinTerm) -> JoinTerm:
    """Return a join whose branches have names without numbers, unless two become one name."""
    names = [without_number(name) for name, _ in term.branches]
    if len(set(names)) < len(names):
        return term
    pairs = zip(names, term.branches, strict=True)
    return replace(term, branches=tuple((clean_name(name), inner) for name, (_, inner) in pairs))


def _make_blocks(
    scopes: Sequence[ScopeTerm], blocks: list[FoundBlock], calls: dict[int, CallTerm]
) -> None:
    """Make the blocks of the scopes of one class: as few as the language can say."""
    left = tuple(scopes)
    while left:
        made = None
        for group in _choose_groups(left):
            template = merge_bodies(group)
            made = _make_block(template, {block.name for block in blocks})
            if made is not None:
                break
        assert made is not None  # a group of one form needs no condition
        block, group_calls = made
        blocks.append(block)
        calls.update(zip(map(id, template.scopes), group_calls, strict=True))
        left = tuple(scope for scope in left if id(scope) not in calls)


def _choose_groups(scopes: Sequence[ScopeTerm]) -> Iterator[Sequence[ScopeTerm]]:
    """Yield groups that may be one block, the largest first; the last one has one form."""
    yield scopes
    layouts = [lay_out(scope.body) for scope in scopes]
    longest = max(range(len(scopes)), key=lambda index: len(layouts[index].steps))
    kind = layouts[longest]
    yield [
        scope
        for scope, layout in zip(scopes, layouts, strict=True)
        if (layout.residual is None) == (kind.residual is None)
        and (layout.shortcut is None) == (kind.shortcut is None)
    ]
    form = find_skeleton(scopes[longest].body)
    yield [scope for scope in scopes if find_skeleton(scope.body) == form]


def _make_block(
    template: BodyTemplate, taken: set[str]
) -> tuple[FoundBlock, list[CallTerm]] | None:
    """Return the block of a template, and the call of each body that it stands for.

    None means that no condition tells the bodies apart.
    """
    if not template.is_plain:
        return None
    kind = template.scopes[0].kind
    name = name_block(kind, taken)
    columns = [
        tuple(hole.value if hole is not None else None for hole in column)
        for column in zip(*template.rows, strict=True)
    ]
    inputs = template.scopes[0].inputs
    channels = () if inputs else tuple(scope.channels for scope in template.scopes)
    params = find_params(template.holes, columns, channels, template.homes)
    decided = find_conditions(template, params)
    if decided is None or (not template.is_uniform and len(params.columns) > MAX_PARAMS):
        return None
    defaults = {param: params.usual(param) for param in params.columns}
    body = fill(build_body(template, *decided), params.texts)
    calls = []
    for index, scope in enumerate(template.scopes):
        arguments = []
        for param, column in params.columns.items():
            value, default = column[index], defaults[param]
            if value is None:  # its step is not there: any value will do
                value = default if default is not None else _first(column)
            is_rounded = params.makers[param].is_rounded
            arguments.append(Hole(param, value, default, step=name, is_rounded=is_rounded))
        calls.append(CallTerm(name, scope.kind, tuple(arguments)))
    return FoundBlock(name, kind, defaults, body, inputs), calls


def _first(column: Column) -> Value:
    return next(value for value in column if value is not None)
