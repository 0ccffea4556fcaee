"""The shapes that stand beside the boxes of a tree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Residual,
    Series,
    map_leaves,
)
from inception_dsl.emit.figure.request import Shapes


def note_column(tree: Series, shapes: Shapes, kinds: Collection[str]) -> Series:
    """Return the column of a schema with the shapes beside its boxes.

    With `joins`, a box has a note if its shape is new, if it is a block, or if it is the last.

    Args:
        kinds: the kinds of leaves that stand for blocks.
    """
    items: list[Element] = []
    before = ""
    for index, item in enumerate(tree.items):
        match item:
            case Leaf(form="box"):
                is_last = index + 1 == len(tree.items)
                is_new = item.shape != before or item.kind in kinds or is_last
                is_noted = shapes == "all" or (shapes == "joins" and is_new)
                has_note = is_noted and item.shape
                items.append(replace(item, note=f"Output: {item.shape}" if has_note else ""))
                before = item.shape
            case Leaf(form="pill"):
                items.append(item)
                before = item.shape
            case _:
                items.append(item)
    return Series(tuple(items))


def note_body(tree: Series, shapes: Shapes) -> Series:
    """Return the tree of a block with the shapes beside its boxes.

    With `joins`, a box on the way from the input to the output has a note if its shape is new, and
    every join has one.
    """
    if shapes == "none":
        return tree
    items: list[Element] = []
    before = ""
    last = len(tree.items) - 1
    end = tree.items[-1]
    output = end.shape if isinstance(end, Leaf) else ""
    for index, item in enumerate(tree.items):
        match item:
            case Leaf(form="pill"):
                before = item.shape
                items.append(item)
            case Leaf():
                if index == 0 and last:
                    has_note = item.shape != output
                else:
                    has_note = index == last or item.kind == "join" or item.shape != before
                before = item.shape
                items.append(_note(item, has_shape=has_note or shapes == "all"))
            case Residual() if index == last:
                join = _note(item.join, has_shape=True)
                items.append(
                    replace(
                        item,
                        side=_note_all(item.side, shapes),
                        body=_note_all(item.body, shapes),
                        join=join,
                    )
                )
            case _:
                items.append(_note_inside(item, shapes))
                before = ""
    return Series(tuple(items))


def _note(leaf: Leaf, *, has_shape: bool) -> Leaf:
    parts = [leaf.shape] if has_shape and leaf.shape else []
    return replace(leaf, note=", ".join([*parts, *([leaf.note] if leaf.note else [])]))


def _note_all(series: Series, shapes: Shapes) -> Series:
    return Series(tuple(_note_inside(item, shapes) for item in series.items))


def _note_inside(element: Element, shapes: Shapes) -> Element:
    """Return an element within a branch with its notes."""

    def note(leaf: Leaf) -> Leaf:
        if leaf.form == "pill":
            return leaf
        is_join = not leaf.is_circle and leaf.kind == "join"
        return _note(leaf, has_shape=shapes == "all" or is_join)

    return map_leaves(Series((element,)), note).items[0]
