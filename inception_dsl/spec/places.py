"""The values of a document, and the places of its keys and values."""

from __future__ import annotations

from typing import Any

from inception_dsl.source import Span
from inception_dsl.spec.tree import Mapping, Scalar, Sequence, Tree

DocumentPath = tuple[str | int, ...]
"""Keys and indices from the top of the document."""


class Places:
    """The places of all keys and values of a document."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._near: tuple[DocumentPath, Tree] = ((), tree)

    def tree(self, path: DocumentPath) -> Tree:
        """Return the value at a path, or the deepest one on the way to it.

        The search starts beside the value that was found last, if the path leads there.
        """
        start, tree = self._near
        if path[: len(start)] != start:
            start, tree = (), self._tree
        parent = tree
        for key in path[len(start) :]:
            parent = tree
            match tree:
                case Mapping(items) if key in items:
                    tree = items[str(key)].value
                case Sequence(items) if isinstance(key, int):
                    tree = items[key]
                case _:
                    return tree
        if len(path) > len(start):
            self._near = path[:-1], parent
        return tree

    def value(self, path: DocumentPath) -> Span:
        """Return the region of a value."""
        return self.tree(path).span

    def text(self, path: DocumentPath) -> Span:
        """Return the characters of a text value, without quotes."""
        tree = self.tree(path)
        return tree.text if isinstance(tree, Scalar) else tree.span

    def key(self, path: DocumentPath) -> Span:
        """Return the region of the last key of a path; the item itself in a list."""
        if not path:
            return self.value(path)
        parent = self.tree(path[:-1])
        if isinstance(parent, Mapping) and path[-1] in parent.items:
            return parent.items[str(path[-1])].key
        return self.value(path)


def plain(tree: Tree) -> Any:
    """Return the tree as Python's own lists, dicts and values."""
    match tree:
        case Scalar(value):
            return value
        case Sequence(items):
            return [plain(item) for item in items]
        case Mapping(items):
            return {key: plain(entry.value) for key, entry in items.items()}
