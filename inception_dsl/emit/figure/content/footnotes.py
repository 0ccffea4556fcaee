"""Claims that do not hold, as footnotes: what they say, and the boxes that they are marked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inception_dsl.emit.deviations import deviations
from inception_dsl.emit.figure.content.tree import Leaf, Series, leaves, map_leaves
from inception_dsl.ir import Model


class Footnotes:
    """The deviations of a model, numbered as a figure comes to mention them.

    Attributes:
        texts: those mentioned so far, in order of their numbers.
    """

    def __init__(self, model: Model) -> None:
        self._found = deviations(model)
        self._numbers: dict[int, int] = {}
        self.texts: list[str] = []

    def _number(self, index: int) -> int:
        if index not in self._numbers:
            own = self._found[index]
            source = f"{own.source}: " if own.source else ""
            self.texts.append(f"{source}{own.said}; {own.why}")
            self._numbers[index] = len(self.texts)
        return self._numbers[index]

    def of_network(self) -> tuple[int, ...]:
        """The numbers of those that are of the network as a whole."""
        return tuple(self._number(i) for i, own in enumerate(self._found) if own.at is None)

    def marked(self, tree: Series, prefix: str) -> Series:
        """A tree whose boxes carry the numbers of their deviations.

        Args:
            prefix: what absolute paths have before those of the tree.
        """
        if not self._found:
            return tree
        order: dict[str, int] = {}
        within: dict[str, str] = {}
        for leaf in leaves(tree):
            for path in leaf.path.split():
                order.setdefault(path, len(order))
                holder = path
                while holder := holder.rpartition(".")[0]:
                    within[holder] = path
        found: list[tuple[int, int, str]] = []
        for index, own in enumerate(self._found):
            if own.at is not None and own.at.startswith(prefix):
                path = _box_of(own.at.removeprefix(prefix), order, within)
                if path:
                    found.append((order[path], index, path))
        if not found:
            return tree
        numbers: dict[str, set[int]] = {}
        for _, index, path in sorted(found):
            numbers.setdefault(path, set()).add(self._number(index))

        def marked(leaf: Leaf) -> Leaf:
            own = {n for path in leaf.path.split() for n in numbers.pop(path, ())}
            return replace(leaf, footnotes=tuple(sorted({*leaf.footnotes, *own})))

        return map_leaves(tree, marked)


def _box_of(path: str, order: Mapping[str, int], within: Mapping[str, str]) -> str:
    """The box that stands for a step: its own, the last within it, or that which it is within."""
    if path not in order and path in within:
        return within[path]
    while path and path not in order:
        path = path.rpartition(".")[0]
    return path
