"""The work that `extends` makes: few lines may change many steps, or copy large blocks many times.

Both are counted while specs and blocks are laid over each other, and refused beyond a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.bounds import MAX_CHANGED, MAX_VALUES
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.source import Span
from inception_dsl.spec.tree import Entry, Scalar, Sequence, Tree


@dataclass(slots=True)
class Effort:
    """The number of steps that all changes of a spec have looked at so far."""

    steps: int = 0

    def look_at(self, steps: int, change: Span) -> None:
        """Count the steps of a list that a change is made in.

        Raises:
            SpecError: E003, the changes of the spec look at too many steps.
        """
        self.steps += steps
        if self.steps > MAX_CHANGED:
            message = f"the changes of `extends` look at more than {MAX_CHANGED:,} steps"
            raise SpecError([Diagnostic("E003", message, (Label(change),))])


class BlockValues:
    """The values of blocks, each block with all that it takes from the one that it extends."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._total = 0

    def add(self, block: Entry) -> None:
        """Count the values of a block.

        Raises:
            SpecError: E003, the blocks have too many values.
        """
        self._total += self._count(block.value)
        if self._total > MAX_VALUES:
            message = f"with all that they extend, the blocks have more than {MAX_VALUES:,} values"
            raise SpecError([Diagnostic("E003", message, (Label(block.key),))])

    def _count(self, tree: Tree) -> int:
        if isinstance(tree, Scalar):
            return 1
        key = id(tree)  # the trees are kept alive by the blocks
        if key not in self._counts:
            inner = (
                tree.items
                if isinstance(tree, Sequence)
                else (entry.value for entry in tree.items.values())
            )
            self._counts[key] = 1 + sum(map(self._count, inner))
        return self._counts[key]
