"""The text of a spec, from the terms of its network and its blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from inception_dsl.ir import TensorType
from inception_dsl.ops import GATHERED, IDENTITY, RESIDUAL, shown
from inception_dsl.recover.blocks import FoundBlock
from inception_dsl.recover.evenly import spread_evenly
from inception_dsl.recover.lines import Written, flow, quote, write_entry, write_lines
from inception_dsl.recover.naming import SHORTCUT, number, without_number
from inception_dsl.recover.tables import CallTable, find_tables, take_rows
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
)
from inception_dsl.spec.step import counted_name


@dataclass(frozen=True, slots=True)
class HeadParts:
    """A training head that is written; `at` is the name of the step that it reads."""

    name: str
    at: str
    body: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecParts:
    """The parts of a spec that is written.

    Attributes:
        header: lines of comments that say where the network comes from.
        defaults: what the network sets for each op.
        types: the type of the result of each step of the network.
        outputs: the name of the step that gives each output; none if the last step gives the only
            one.
        claims: what must hold of the network, as texts.
    """

    name: str
    title: str
    source: str
    header: Sequence[str]
    inputs: Mapping[str, TensorType]
    defaults: Mapping[str, Mapping[str, str]]
    blocks: Sequence[FoundBlock]
    network: Term
    types: Sequence[TensorType]
    outputs: Mapping[str, str]
    heads: Sequence[HeadParts]
    claims: Sequence[Mapping[str, str]]


def write_spec(parts: SpecParts) -> str:
    """Return the text of a spec; blank lines stand between its sections."""
    lines = [f"# {line}" for line in parts.header]
    lines += ["inception: 1", f"name: {parts.name}", f"title: {quote(parts.title)}"]
    lines += [f"source: {quote(parts.source)}", "", f"input: {_write_inputs(parts.inputs)}"]
    if parts.defaults:
        lines += ["", "defaults:"]
        lines += [f"  {op}: {flow(dict(values))}" for op, values in parts.defaults.items()]
    tables = find_tables(parts.network)
    if tables:
        lines += ["", "tables:"]
        for table in tables:
            lines += write_lines({table.name: _write_table(table)}, 2)
    if parts.blocks:
        lines += ["", "blocks:"]
        for index, block in enumerate(parts.blocks):
            lines += [""] if index else []
            lines += write_lines({block.name: _write_block(block)}, 2)
    network = _write_network(replace(parts, network=take_rows(parts.network, tables)))
    lines += ["", "network:", *write_lines(network, 2)]
    if parts.outputs:
        are_steps = all(name == step for name, step in parts.outputs.items())
        outputs: Written = list(parts.outputs) if are_steps else dict(parts.outputs)
        lines += ["", *write_entry("", "outputs:", outputs, 0, 0)]
    if parts.heads:
        lines += ["", "heads:"]
        for head in parts.heads:
            lines += write_lines({head.name: {"at": head.at, "steps": _body(head.body)}}, 2)
    if parts.claims:
        lines += ["", "claims:"]
        lines += [f"  - {flow(dict(claim))}" for claim in parts.claims]
    return "\n".join(lines) + "\n"


def _write_inputs(inputs: Mapping[str, TensorType]) -> str:
    if len(inputs) == 1:
        return str(*inputs.values())
    return flow({name: str(type) for name, type in inputs.items()})


def _write_table(table: CallTable) -> Written:
    rows: list[tuple[str, Sequence[str]]] = [("columns", table.columns), *table.rows.items()]
    widths = [max(map(len, cells)) for cells in zip(*(row for _, row in rows), strict=True)]
    return {name: _pad(cells, widths) for name, cells in rows}


def _pad(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a row of a table, whose columns stand below each other."""
    return f"[{', '.join(map(str.rjust, cells, widths))}]"


def _write_block(block: FoundBlock) -> Written:
    head: dict[str, Written] = {}
    if block.params:
        bound = {name: shown(value) for name, value in block.params.items() if value is not None}
        if bound:
            head["params"] = {name: bound.get(name, "") for name in block.params}
        else:
            head["params"] = list(block.params)
    if block.inputs:
        head["inputs"] = list(block.inputs)
    body = _body(block.body)
    if isinstance(body, dict) and body.keys() & {"branches", "steps", "residual", "from"}:
        return {**head, **body}
    return {**head, "steps": body}


def _body(term: Term) -> Written:
    """Return a term as a spec writes it in the place of a body."""
    match term:
        case OpTerm(_, head, words, kernel):
            op = f"{kernel.text} {head}" if kernel is not None else head
            texts = [text for word in words if (text := _word(word))]
            return f"{op} ({' '.join(texts)})" if texts else op
        case CallTerm(block, _, _, row) if row:
            return f"{block} ({row})"
        case CallTerm(block, _, arguments):
            bound = [f"{hole.attribute}={hole.text}" for hole in arguments if not _is_default(hole)]
            return f"{block} ({' '.join(bound)})" if bound else block
        case ListTerm():
            return _list(term)
        case JoinTerm():
            return _join(term)
        case FromTerm(reads, join, step):
            return _from(reads, join, step)
        case ReuseTerm(name):
            return {"reuse": name}
        case WhenTerm(condition, step):
            return {"when": condition, "steps": _body(step)}
        case ScopeTerm():
            raise AssertionError(term)


def _word(word: str | Hole) -> str:
    """Return a word of a step; empty for one that need not be written."""
    if isinstance(word, str):
        return word
    if _is_default(word):
        return ""
    is_alone = word.is_bare or word.text in word.flags
    return word.text if is_alone else f"{word.attribute} {word.text}"


def _is_default(hole: Hole) -> bool:
    """Tell whether a hole has the value that need not be written."""
    return hole.default is not None and hole.text == shown(hole.default)


def _write_network(parts: SpecParts) -> list[Written]:
    """Return the steps of a network; a step on one line that changes the shape has a note of it."""
    term = parts.network
    assert isinstance(term, ListTerm)
    written: list[Written] = []
    before: TensorType | None = next(iter(parts.inputs.values()))
    end = 0
    for name, body, count in _count_calls(term):
        end += count
        after = parts.types[end - 1]
        if isinstance(body, str) and after != before:
            body = f"{body} -> {after}"  # noqa: PLW2901
        written.append({name: body} if name else body)
        before = after
    return written


def _list(term: ListTerm) -> Written:
    """Return a list of steps, in which equal calls without names are counted."""
    written: list[Written] = [
        {name: body} if name else body for name, body, _ in _count_calls(term)
    ]
    return written[0] if len(written) == 1 and not term.items[0][0] else written


def _count_calls(term: ListTerm) -> Iterator[tuple[str, Written, int]]:
    """Yield steps with their names, and the number of items that each of them stands for."""
    items = term.items
    taken = {name for name, _ in items if name}
    counts = Counter[str]()
    names, bodies = _write_bodies(term)
    pairs = [
        (name, body, _stem(term))
        for name, body, (_, term) in zip(names, bodies, items, strict=True)
    ]
    for (name, body, stem), run in groupby(pairs):
        count = len(list(run))
        if stem and isinstance(body, str) and count > 1:
            yield name or _tell_apart(stem, taken, counts), f"{count} x {body}", count
        else:
            for _ in range(count):
                yield name or _tell_apart(stem, taken, counts), body, 1


def _write_bodies(steps: ListTerm) -> tuple[list[str], list[Written]]:
    """Return the names and the bodies of steps; calls that change evenly have the same of both."""
    terms = [term for _, term in steps.items]
    plain = [_body(term) for term in terms]
    even = [_body(term) for term in spread_evenly(terms)]
    names = _share_names(steps, even)
    changed = {
        (name, str(body)) for name, body, old in zip(names, even, plain, strict=True) if body != old
    }
    if len({body for _, body in changed}) == len(changed):
        return names, even
    return _share_names(steps, plain), plain


def _share_names(steps: ListTerm, bodies: Sequence[Written]) -> list[str]:
    """Return the names of steps; equal calls in a row share one, as those of `block1`, `block2`."""
    items = steps.items
    names = [name for name, _ in items]
    start = 0
    for body, run in groupby(bodies):
        end = start + len(list(run))
        stems = {without_number(name) for name in names[start:end]}
        stem = min(stems)
        are_calls = all(isinstance(term, CallTerm) for _, term in items[start:end])
        others = {*names[:start], *names[end:]}
        is_free = stem not in others and not steps.kept & set(names[start:end])
        if end - start > 1 and isinstance(body, str) and are_calls and len(stems) == 1 and is_free:
            names[start:end] = [stem] * (end - start)
        start = end
    return names


def _stem(term: Term) -> str:
    """Return the name that a step without one has from its op or block; empty for others."""
    match term:
        case OpTerm(head=head):
            return head.split()[-1]
        case CallTerm(block):
            return block
        case _:
            return ""


def _tell_apart(stem: str, taken: set[str], counts: Counter[str]) -> str:
    """Return a name for a step whose counted name another one has; empty if it needs none."""
    if not stem:
        return ""
    counts[stem] += 1
    counted = counted_name(stem, counts[stem])
    if counted not in taken:
        taken.add(counted)
        return ""
    counts[stem] -= 1
    name = number(f"{stem}_other", taken)
    taken.add(name)
    return name


def _from(reads: Sequence[str], join: str, step: Term | None) -> Written:
    names: Written = reads[0] if len(reads) == 1 else list(reads)
    if step is None:
        return {"from": names, "join": join}
    body = _body(step)
    if isinstance(body, dict) and "from" not in body:
        return {"from": names, **body}
    return {"from": names, "steps": body}


def _join(term: JoinTerm) -> Written:
    branches = [(name, _body(inner)) for name, inner in term.branches]
    if term.op == RESIDUAL.name and len(branches) == 2:
        shortcut = _find_shortcut(term, branches)
        if shortcut is not None:
            return _residual(term, branches[shortcut][1], branches[1 - shortcut][1])
    written: dict[str, Written] = {"branches": dict(branches)}
    if term.op != GATHERED.name:
        written["join"] = term.op
    return written


def _find_shortcut(term: JoinTerm, branches: Sequence[tuple[str, Written]]) -> int | None:
    """Return which branch of a sum is the shortcut of a residual; None if it is no residual."""
    if any(
        hole.attribute in {"scale", "drop_path"} and not _is_default(hole)
        for hole in term.attributes
    ):
        return 0
    conditional = [
        index for index, (_, inner) in enumerate(term.branches) if isinstance(inner, WhenTerm)
    ]
    if conditional:
        return conditional[0]
    plain = [index for index, (_, body) in enumerate(branches) if body == IDENTITY.written]
    if plain:
        return plain[0]
    named = [index for index, (name, _) in enumerate(branches) if SHORTCUT.search(name)]
    if len(named) == 1:
        return named[0]
    sizes = [len(str(body)) for _, body in branches]
    return sizes.index(min(sizes)) if term.attributes else None


def _residual(term: JoinTerm, shortcut: Written, body: Written) -> Written:
    settings: dict[str, Written] = {"when": term.when} if term.when else {}
    # What an activation owns is one for all of the network: a default says it.
    owned = {attribute.name for attribute in RESIDUAL.attributes if attribute.owner}
    settings |= {
        hole.attribute: hole.text
        for hole in term.attributes
        if hole.attribute not in owned and not _is_default(hole)
    }
    if shortcut != IDENTITY.written:
        settings["shortcut"] = shortcut
    if isinstance(body, dict) and "branches" in body and not body.keys() & {"residual", "from"}:
        return {"residual": settings, **body}
    if isinstance(body, dict) and "residual" in body:
        # A sum that is the only step of another one would have its path, and that of its shortcut.
        join = RESIDUAL.join
        assert join is not None
        body = {join.stem: body}
    # In a named body, a single step that is no list would have the path of the sum.
    return {"residual": settings, "steps": body if isinstance(body, list) else [body]}
