"""Claims that do not hold, as numbered footnotes, and the boxes that they are marked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from inception_dsl.emit.deviations import Deviation, deviations
from inception_dsl.emit.figure.content.tree import Leaf, Series, leaves, map_leaves
from inception_dsl.ir import Model, Path


class Footnoted(NamedTuple):
    """The trees of a figure with the numbers of their footnotes.

    Attributes:
        title: the numbers of the footnotes of the figure's title.
        texts: the footnotes, numbered from 1 in the order in which the figure mentions them.
    """

    trees: tuple[Series, ...]
    title: tuple[int, ...]
    texts: tuple[str, ...]


def add_footnotes(
    model: Model, trees: Sequence[tuple[Series, Sequence[Path]]], *, of_network: bool
) -> Footnoted:
    """Mark the boxes at which a model deviates from its claims.

    Args:
        trees: each tree with the absolute paths of the calls that the tree stands for.
        of_network: the figure's title names the network. Deviations of the whole network are then
            marked at the title.
    """
    entries = deviations(model)
    numbers: dict[int, int] = {}
    if of_network:
        for index, deviation in enumerate(entries):
            if deviation.at is None:
                numbers[index] = len(numbers) + 1
    title = tuple(numbers.values())
    marked = []
    for tree, calls in trees:
        places = sorted(_places(tree, calls, entries))
        boxes: dict[Path, set[int]] = {}
        for _, _, index, box in places:
            boxes.setdefault(box, set()).add(numbers.setdefault(index, len(numbers) + 1))
        marked.append(_mark(tree, boxes) if boxes else tree)
    return Footnoted(tuple(marked), title, tuple(_text(entries[index]) for index in numbers))


def _places(
    tree: Series, calls: Sequence[Path], entries: Sequence[Deviation]
) -> Iterator[tuple[int, int, int, Path]]:
    """Yield the box at which each deviation is marked.

    Yields:
        The number of the call, the number of the box and the index of the deviation, by which marks
        are ordered, and the path of the box.
    """
    order: dict[Path, int] = {}
    within: dict[Path, Path] = {}
    for leaf in leaves(tree):
        for path in leaf.paths:
            order.setdefault(path, len(order))
            within.update(dict.fromkeys(path.parents, path))
    numbered = {path: number for number, path in enumerate(calls)}
    for index, deviation in enumerate(entries):
        if deviation.at is None:
            continue
        at = Path(deviation.at)
        for call in (*at.parents, Path()):
            if call in numbered:
                box = _box_of(at.relative_to(call), order, within)
                if box:
                    yield numbered[call], order[box], index, box
                break


def _mark(tree: Series, boxes: dict[Path, set[int]]) -> Series:
    def mark(leaf: Leaf) -> Leaf:
        numbers = {number for path in leaf.paths for number in boxes.pop(path, ())}
        return replace(leaf, footnotes=tuple(sorted(numbers)))

    return map_leaves(tree, mark)


def _box_of(path: Path, order: Mapping[Path, int], within: Mapping[Path, Path]) -> Path:
    """Return the box of a step: of the step itself, of the last below, or of a step above."""
    if path not in order and path in within:
        return within[path]
    return next((holder for holder in (path, *path.parents) if holder in order), Path())


def _text(deviation: Deviation) -> str:
    source = f"{deviation.source}: " if deviation.source else ""
    return f"{source}{deviation.claimed}; {deviation.reason}"
