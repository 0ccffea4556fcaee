"""The shapes that stand beside the boxes of a tree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Mesh,
    Parallel,
    Residual,
    Series,
    StepGroup,
    Stub,
    leaves,
    map_leaves,
)
from inception_dsl.emit.figure.request import Shapes


def note_column(tree: Series, shapes: Shapes, kinds: Collection[str]) -> Series:
    """Return the column of a schema with the shapes beside its boxes.

    With `joins`, a box has a note if its shape is new, if it is a block, or if it is the last. A
    box in a branch has a note only if its shape is new.

    Args:
        kinds: the kinds of leaves that stand for blocks.
    """
    items: list[Element] = []
    before = ""
    for index, item in enumerate(tree.items):
        match item:
            case Leaf(form="box"):
                is_last = index + 1 == len(tree.items)
                is_shown = item.kind in kinds or is_last
                items.append(_note_box(item, shapes, "" if is_shown else before))
            case _:
                items.append(_note_in_branch(item, shapes, before))
        before = _last_shape(item) or before
    return Series(tuple(items))


def _note_box(leaf: Leaf, shapes: Shapes, before: str) -> Leaf:
    """Return a box of a schema with its shape; with `joins`, only if it reads another shape."""
    is_noted = shapes == "all" or (shapes == "joins" and leaf.shape != before)
    return replace(leaf, note=f"Output: {leaf.shape}") if is_noted and leaf.shape else leaf


def _note_in_branch(element: Element, shapes: Shapes, before: str) -> Element:
    """Return an element of a schema with the new shapes beside its boxes.

    Args:
        before: the shape that it reads.
    """
    match element:
        case Leaf(form="box"):
            return _note_box(element, shapes, before)
        case Series(items):
            noted = []
            for item in items:
                noted.append(_note_in_branch(item, shapes, before))
                before = _last_shape(item) or before
            return Series(tuple(noted))
        case Parallel(branches):
            return Parallel(tuple(_note_branch(branch, shapes, before) for branch in branches))
        case Residual(side, body):
            noted_side = _note_branch(side, shapes, before)
            return replace(element, side=noted_side, body=_note_branch(body, shapes, before))
        case Stub(body) | StepGroup(_, _, body):
            return replace(element, body=_note_branch(body, shapes, before))
        case Mesh():
            return _note_mesh(element, shapes, before)
        case _:
            return element


def _note_branch(branch: Series, shapes: Shapes, before: str) -> Series:
    noted = _note_in_branch(branch, shapes, before)
    assert isinstance(noted, Series)
    return noted


def _note_mesh(mesh: Mesh, shapes: Shapes, before: str) -> Mesh:
    """Return a mesh of a schema with the shapes beside its boxes.

    With `joins`, a box has a note if its shape differs from the first shape that it reads.

    Args:
        before: the shape that the mesh reads.
    """
    known = {mesh.source: before}
    vertices = []
    for vertex in mesh.vertices:
        leaf = vertex.element
        if isinstance(leaf, Leaf):
            known[vertex.name] = leaf.shape
            if leaf.form == "box":
                leaf = _note_box(leaf, shapes, known.get(vertex.inputs[0], ""))
        vertices.append(replace(vertex, element=leaf))
    return replace(mesh, vertices=tuple(vertices))


def _last_shape(element: Element) -> str:
    """Return the shape of the last leaf of an element; empty if the element is a bare line."""
    return next((leaf.shape for leaf in reversed(list(leaves(element)))), "")


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
    end = tree.items[-1] if tree.items else None
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
