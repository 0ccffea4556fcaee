"""The locals of a forward pass in one piece: short names, and no value is held without a reader.

The only value that is alive is `x`. Any other has the name of its branch, which the next block's
branch of that name takes over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from inception_dsl.emit.python.naming import free_name
from inception_dsl.ir import Path

TRUNK = "x"
"""The local of the only value that is alive."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A statement that computes a value.

    Attributes:
        path: the step that it comes from.
        reads: the values that it reads.
        is_join: whether it joins several values.
    """

    value: str
    path: Path
    reads: tuple[str, ...]
    is_join: bool


@dataclass(frozen=True, slots=True)
class Locals:
    """The names of values.

    Attributes:
        names: the local of each value.
        dropped: by the value that is computed last, the locals to delete then: nothing reads them
            any longer, and no next statement takes them over.
    """

    names: Mapping[str, str]
    dropped: Mapping[str, tuple[str, ...]]


def name_locals(
    assignments: Sequence[Assignment], inputs: Mapping[str, str], outputs: frozenset[str]
) -> Locals:
    """Return the local of every value, and those that are deleted behind joins.

    Args:
        inputs: the locals of the inputs, by their values.
        outputs: the values that are alive at the end.
    """
    naming = _Naming(dict(inputs), dict(inputs), _name_branches(assignments))
    last_use = {value: index for index, a in enumerate(assignments) for value in a.reads}
    last_use |= dict.fromkeys(outputs, len(assignments))
    live = dict.fromkeys(value for value in inputs if value in last_use)
    for index, assignment in enumerate(assignments):
        ending = [value for value in live if last_use[value] == index]
        for value in ending:
            del live[value]
        naming.name(assignment, live, ending)
        live[assignment.value] = None
    return Locals(naming.names, dict(_find_dropped(assignments, naming.names, inputs, last_use)))


@dataclass(slots=True)
class _Naming:
    """The names that are given so far.

    Attributes:
        holds: the value that each local holds, by the local.
        branches: the names that each value asks for, the shortest first.
    """

    names: dict[str, str]
    holds: dict[str, str]
    branches: Mapping[str, Sequence[str]]

    def name(self, assignment: Assignment, live: Mapping[str, None], ending: list[str]) -> None:
        """Name a value.

        Args:
            live: the other values that are still read.
            ending: those that it is the last to read.
        """
        taken = {self.names[value] for value in live}
        wanted = self.branches[assignment.value]
        if not live:
            name = TRUNK
        elif ending and assignment.reads == (ending[0],) and self.names[ending[0]] in wanted:
            name = self.names[ending[0]]
        else:
            name = next((one for one in wanted if one not in taken), "")
            name = name or free_name(wanted[-1], taken)
        self.names[assignment.value] = name


def _name_branches(assignments: Sequence[Assignment]) -> dict[str, tuple[str, ...]]:
    """Return the names that each value asks for: of its chain of steps, by their common path."""
    readers: dict[str, list[Assignment]] = {}
    for assignment in assignments:
        for value in assignment.reads:
            readers.setdefault(value, []).append(assignment)
    names: dict[str, tuple[str, ...]] = {}
    for first in assignments:
        if first.value in names:
            continue
        chain = [first]
        while len(after := readers.get(chain[-1].value, [])) == 1 and len(after[0].reads) == 1:
            chain.append(after[0])
        asked = tuple(_shorten(_find_common_path(chain)))
        names |= {assignment.value: asked for assignment in chain}
    return names


def _find_common_path(chain: Sequence[Assignment]) -> tuple[str, ...]:
    """Return the names of the path that all steps of a chain share."""
    first = chain[0]
    if len(chain) == 1 and not (first.is_join and first.path.parent):
        return first.path.names
    levels = zip(*(a.path.parent.names for a in chain), strict=False)
    shared = tuple(level[0] for level in takewhile(lambda level: len({*level}) == 1, levels))
    return shared or chain[-1].path.names


def _shorten(names: Sequence[str]) -> Iterator[str]:
    """Yield the end of a path as a local, and longer and longer ends."""
    kept = [name for name in names if not name.isdigit()]
    for count in range(1, len(kept) + 1):
        yield "_".join(kept[-count:])


def _find_dropped(
    assignments: Sequence[Assignment],
    names: Mapping[str, str],
    inputs: Mapping[str, str],
    last_use: Mapping[str, int],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the locals to delete behind each join."""
    bound = {name: value for value, name in inputs.items()}
    for index, assignment in enumerate(assignments[:-1]):
        bound[names[assignment.value]] = assignment.value
        if not assignment.is_join:
            continue
        over = names[assignments[index + 1].value]
        ended = [n for n, value in bound.items() if last_use.get(value, -1) <= index and n != over]
        for name in ended:
            del bound[name]
        if ended:
            yield assignment.value, tuple(ended)
