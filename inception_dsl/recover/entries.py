"""The steps of a list before they have their names, and the choice of these names."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from inception_dsl.ops import OPS, FigureKind
from inception_dsl.recover.naming import OP_WORDS, clean_name, number, without_number
from inception_dsl.recover.regions import InputItem, Source
from inception_dsl.recover.scopes import Item
from inception_dsl.recover.terms import CallTerm, JoinTerm, ListTerm, OpTerm, ScopeTerm, Term

_SKIP = "skip"
"""The name of a branch without steps."""


_RESULTS: Mapping[FigureKind, str] = {"max_pool": "largest", "average_pool": "mean"}
"""The words for the results of ops, by their kind in figures."""


@dataclass(frozen=True, slots=True, eq=False)
class ListEntry:
    """A step of a list before it has its name.

    Attributes:
        name: the name of its module; empty if it has none of its own.
        item: the item that it stands for.
        reads: the items that it reads, if it must say so; None stands for what enters the list.
        join: the op of a join in a mesh.
        reuses: the item that runs again here.
    """

    name: str
    item: Item
    term: Term | None
    reads: tuple[Source, ...] | None = None
    join: str = ""
    reuses: Item | None = None


def name_branch(entries: Sequence[ListEntry], role: str = "") -> str:
    """Return the name of a branch: what the names of its steps begin with, or its first step's.

    Args:
        role: the word for its part in the join, such as a gate; empty if there is none.
    """
    if not entries:
        return _SKIP
    named = [entry for entry in entries if entry.item.is_named] or entries
    names = [entry.name for entry in named if entry.name and not entry.name.isdigit()]
    if not names:
        first = entries[0].term
        return role or (_word_of(first) if isinstance(first, OpTerm) else "branch")
    inner = [entry.term for entry in entries if not entry.item.is_named]
    joined = [name for term in inner if isinstance(term, JoinTerm) for name, _ in term.branches]
    common = _common_beginning([*names, *(name for name in joined if name != _SKIP)])
    is_whole = len(names) + len(joined) > 1 and len(common) > 3
    if is_whole and not (role and common in OP_WORDS):
        return common
    return role if role and len(entries) > 1 else names[0]


def name_role(op: str, *, skips: int) -> str:
    """Return the word for the branch beside what a product multiplies; empty in another join.

    Args:
        skips: the number of branches without steps.
    """
    join = OPS[op].join
    return join.stem if join is not None and OPS[op].figure == "product" and skips == 1 else ""


def _word_of(term: OpTerm) -> str:
    """Return the word for the result of an op; the op's own where none is known."""
    op = OPS[term.op]
    word = _RESULTS.get(op.figure, term.head.split()[-1])
    return "pool" if op.figure in _RESULTS and op.attribute("stride") is not None else word


def name_join(entry: ListEntry) -> str:
    """Return the beginning that the names of all branches of a join have; empty if they differ."""
    assert isinstance(entry.term, JoinTerm)
    common = _common_beginning([name for name, _ in entry.term.branches])
    return common if len(common) > 3 else ""


def _common_beginning(names: Sequence[str]) -> str:
    """Return what all of some names begin with."""
    common = names[0]
    for name in names[1:]:
        while not name.startswith(common):
            common = common[:-1]
    return common.rstrip("_")


def choose_names(
    entries: Sequence[ListEntry], kept: Container[Item], inputs: Iterable[InputItem]
) -> list[str]:
    """Return the name of each step of a list; empty for one that is called by its op or block.

    Args:
        kept: the items that other steps, or the network's outputs, refer to.
        inputs: the inputs, whose names no step can have.
    """
    read = {id(item) for entry in entries for item in entry.reads or () if item is not None}
    names: list[str] = []
    taken: set[str] = {item.name for item in inputs}
    for entry in entries:
        must = entry.reads is not None or id(entry.item) in read or entry.item in kept
        name = entry.name
        if must and not name and isinstance(entry.term, OpTerm):
            name = entry.item.name  # the language's own name for it is not known here
        is_join = isinstance(entry.term, JoinTerm) or bool(entry.join)
        if (is_join and not entry.item.is_named) or (name.isdigit() and not must):
            name = name if must else ""
        if name and isinstance(entry.term, ListTerm) and name.isdigit():
            name = f"layer{name}"
        if name:
            name, written = clean_name(name), name
            if name != written and not must and isinstance(entry.term, OpTerm):
                name = ""  # the op's own name says as much
        if name:
            if must and name in OP_WORDS:
                name = f"{name}_1"
            name = number(name, taken, "_")
            taken.add(name)
        names.append(name)
    bare = {without_number(name) for name in taken}
    for index, entry in enumerate(entries):
        if not names[index]:
            names[index] = _invent(entry, taken, bare, is_alone=len(entries) == 1)
            taken.add(names[index])
    return names


def _invent(entry: ListEntry, taken: set[str], bare: set[str], *, is_alone: bool) -> str:
    """Return a name for a step without one, where the language would give none or a wrong one."""
    match entry.term:
        case OpTerm(head=head):
            stem = head.split()[-1]
            if stem not in bare:
                return ""
            return number(stem, taken | {stem})
        case ScopeTerm() | CallTerm():
            return ""
        case JoinTerm(op):
            join = OPS[op].join
            assert join is not None
            stem = join.stem
        case ListTerm(items) if all(isinstance(inner, ScopeTerm) for _, inner in items):
            stem = "stage"
        case _:
            stem = "part"
    if is_alone:
        return ""
    return number(f"{stem}1", taken) if f"{stem}1" not in taken else number(stem, taken | {stem})
