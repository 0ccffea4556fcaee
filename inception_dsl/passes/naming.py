"""Names for the steps that a rewrite adds: none that another step of the same body has."""

from __future__ import annotations

from inception_dsl.ir import Model, Path
from inception_dsl.source import Span


def find_definition(model: Model, span: Span | None) -> tuple[str, Path] | None:
    """Return the block that a line belongs to, and the path of its step there."""
    if span is None:
        return None
    for block in model.blocks:
        for step in block.body:
            if step.origin.span == span:
                return block.name, step.path
    return None


def list_names(model: Model, block: str, holder: Path) -> frozenset[str]:
    """Return the names of all steps of a block directly below a path, joins included."""
    depth = len(holder.names)
    return frozenset(
        step.path.names[depth]
        for body in (each.body for each in model.blocks if each.name == block)
        for step in body
        if step.path.is_below(holder)
    )
