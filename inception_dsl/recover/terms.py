"""The structure of a spec while it is recovered: terms, in which every number is a hole.

Two terms of one skeleton differ in nothing but the numbers in their holes, so that one block with
parameters can stand for both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from inception_dsl.ir import Value


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """A value in a term.

    Attributes:
        attribute: the attribute, or the parameter, that it sets.
        is_bare: a spec writes it without the attribute's name.
        step: the name of the step that it stands in; empty if that has none.
        default: the value that need not be written.
        flags: the texts that say the attribute, too.
        text: what a spec writes in its place, once it is settled.
        is_rounded: the language rounds what no decimal equals to the nearest float.
    """

    attribute: str
    value: Value
    default: Value | None
    is_bare: bool = False
    step: str = ""
    flags: frozenset[str] = frozenset()
    text: str = ""
    is_rounded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OpTerm:
    """A step that is an op: a kernel, as `conv` has one, then words that are texts or holes."""

    op: str
    head: str
    words: tuple[str | Hole, ...]
    kernel: Hole | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CallTerm:
    """A step that calls a block; its arguments fill the block's parameters.

    Attributes:
        row: the row of a table that binds all of them; empty if none does.
    """

    block: str
    kind: str
    arguments: tuple[Hole, ...]
    row: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ScopeTerm:
    """A step that will call a block: the body of that block as it stands here.

    Attributes:
        kind: the name of the module's class.
        channels: the channels that enter it; 0 for one that several values enter.
        inputs: the names of these values.
    """

    kind: str
    body: Term
    channels: int
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ListTerm:
    """A list of steps, each with its name, or without one.

    Attributes:
        channels: the channels that enter a list that is a module; 0 for any other.
        kept: the names by which steps, or the network's outputs, refer to steps of the list.
    """

    items: tuple[tuple[str, Term], ...]
    channels: int = 0
    kept: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class JoinTerm:
    """A join of branches.

    Attributes:
        attributes: the attributes of the join that have no default.
        channels: the channels that all branches read.
        when: the condition under which a residual is there; empty if it always is.
    """

    op: str
    attributes: tuple[Hole, ...]
    branches: tuple[tuple[str, Term], ...]
    channels: int
    when: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FromTerm:
    """A step that reads others than the one before it: a join of them, or a step on one.

    Attributes:
        reads: the names of the steps that it reads.
        join: the op of the join; empty if it reads one step.
        step: the step on what it reads; None for a join alone.
    """

    reads: tuple[str, ...]
    join: str
    step: Term | None


@dataclass(frozen=True, slots=True, eq=False)
class ReuseTerm:
    """A step, or a branch, that runs an earlier one again with its weights."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class WhenTerm:
    """A step that is there under a condition."""

    condition: str
    step: Term


Term = OpTerm | CallTerm | ScopeTerm | ListTerm | JoinTerm | FromTerm | ReuseTerm | WhenTerm


def find_references(steps: Iterable[tuple[str, Term]]) -> frozenset[str]:
    """Return the names of the steps of a list that other steps of it refer to."""
    names: set[str] = set()
    for _, term in steps:
        match term:
            case FromTerm(reads=reads):
                names.update(reads)
            case ReuseTerm(name):
                names.add(name)
            case _:
                names |= find_references(("", inner) for inner in children(term))
    return frozenset(names)


def children(term: Term) -> tuple[Term, ...]:
    """Return the terms within a term."""
    match term:
        case ListTerm(items):
            return tuple(inner for _, inner in items)
        case JoinTerm(branches=branches):
            return tuple(inner for _, inner in branches)
        case FromTerm(step=step):
            return (step,) if step is not None else ()
        case WhenTerm(step=step):
            return (step,)
        case ScopeTerm(body=body):
            return (body,)
        case _:
            return ()


def walk(term: Term) -> Iterator[Term]:
    """Yield a term and all terms within it."""
    yield term
    for child in children(term):
        yield from walk(child)


def rebuild(term: Term, change: Callable[[Term], Term]) -> Term:
    """Return a term whose children are changed."""
    match term:
        case ListTerm(items):
            changed = tuple((name, change(inner)) for name, inner in items)
            return replace(term, items=changed)
        case JoinTerm(branches=branches):
            return replace(term, branches=tuple((name, change(inner)) for name, inner in branches))
        case FromTerm(step=step):
            return replace(term, step=change(step) if step is not None else None)
        case WhenTerm(step=step):
            return replace(term, step=change(step))
        case ScopeTerm(body=body):
            return replace(term, body=change(body))
        case _:
            return term


def find_skeleton(term: Term) -> Hashable:
    """Return everything of a term but the values in its holes."""
    match term:
        case OpTerm(_, head, words):
            return head, tuple(
                word if isinstance(word, str) else (word.attribute,) for word in words
            )
        case CallTerm(block):
            return "call", block
        case ScopeTerm(kind, body, inputs=inputs):
            return "scope", kind, inputs, find_skeleton(body)
        case ListTerm(items):
            return "list", tuple((name, find_skeleton(inner)) for name, inner in items)
        case JoinTerm(op, attributes, branches):
            names = tuple(hole.attribute for hole in attributes)
            return (
                op,
                names,
                tuple((name, find_skeleton(inner)) for name, inner in branches),
                term.when,
            )
        case FromTerm(reads, join, step):
            return "from", reads, join, find_skeleton(step) if step is not None else None
        case ReuseTerm(name):
            return "reuse", name
        case WhenTerm(condition, step):
            return "when", condition, find_skeleton(step)


def find_holes(term: Term) -> Iterator[Hole]:
    """Yield the holes of a term in the order in which a spec writes them."""
    match term:
        case OpTerm(words=words, kernel=kernel):
            if kernel is not None:
                yield kernel
            yield from (word for word in words if isinstance(word, Hole))
        case CallTerm(arguments=arguments):
            yield from arguments
        case JoinTerm(attributes=attributes):
            yield from attributes
    for child in children(term):
        yield from find_holes(child)


def fill(term: Term, texts: Mapping[int, str]) -> Term:
    """Return a term whose holes have texts.

    Args:
        texts: by the `id` of the hole.
    """

    def settle(hole: Hole) -> Hole:
        return replace(hole, text=texts[id(hole)])

    match term:
        case OpTerm(words=words, kernel=kernel):
            settled = tuple(word if isinstance(word, str) else settle(word) for word in words)
            return replace(term, words=settled, kernel=settle(kernel) if kernel else None)
        case CallTerm(arguments=arguments):
            return replace(term, arguments=tuple(map(settle, arguments)))
        case JoinTerm(attributes=attributes):
            term = replace(term, attributes=tuple(map(settle, attributes)))
    return rebuild(term, lambda child: fill(child, texts))


def measure_height(term: Term) -> int:
    """Return how many scopes are nested in a term."""
    inner = max(map(measure_height, children(term)), default=0)
    return inner + 1 if isinstance(term, ScopeTerm) else inner
