"""Unchanged steps that follow each other, as one box that counts them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from inception_dsl.emit.diff.marks import FOLDED, SAME
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Parallel,
    Series,
    Stub,
    leaves,
)

MIN_FOLDED = 3
"""Minimum number of unchanged elements in a row that are drawn as one box."""


def fold_unchanged(tree: Series, kept: Collection[str] = (), lines: Collection[str] = ()) -> Series:
    """Return a series with every run of unchanged steps as one box.

    Args:
        kept: the paths of steps that stay, such as those that training heads read.
        lines: the names of boxes that a line with a look of its own enters.
    """
    items: list[Element] = []
    run: list[Element] = []
    for item in tree.items:
        if _is_unchanged(item, kept, lines):
            run.append(item)
            continue
        items += _fold(run, after=items[-1] if items else None)
        items.append(item)
        run = []
    return Series((*items, *_fold(run, after=items[-1] if items else None)))


def _is_unchanged(item: Element, kept: Collection[str], lines: Collection[str]) -> bool:
    return all(
        leaf.mark == SAME
        and leaf.form not in {"pill", "point"}
        and leaf.name not in lines
        and not any(path in kept for path in leaf.paths)
        for leaf in leaves(item)
    )


def _fold(run: Sequence[Element], after: Element | None) -> Iterator[Element]:
    """Yield a run of unchanged elements, folded if it is long.

    Branches that an element outside the run forks or joins stay outside with it.
    """
    first = 0
    if isinstance(after, Parallel | Stub):
        first = min(1, len(run))
    last = len(run)
    while last > first and isinstance(run[last - 1], Parallel | Stub):
        last -= 1
    if last - first < MIN_FOLDED:
        yield from run
        return
    yield from run[:first]
    folded = [leaf for item in run[first:last] for leaf in leaves(item)]
    yield _count(folded)
    yield from run[last:]


def _count(folded: Sequence[Leaf]) -> Leaf:
    """Return the box that stands for unchanged ones."""
    paths = tuple(dict.fromkeys(path for leaf in folded for path in leaf.paths))
    text = f"... {len(folded)} steps unchanged"
    names = ", ".join(leaf.name for leaf in folded)
    return Leaf(paths, "plain", (Line(text),), folded[-1].shape, tooltip=names, mark=FOLDED)
