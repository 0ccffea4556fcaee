"""The hint that a step with weights should have a name of its own."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.ir import BlockDef, CallDef, Model, NodeDef, Path
from inception_dsl.ops import OPS
from inception_dsl.rules.subject import Subject, labels_at

MAX_SHOWN = 4
"""Maximum number of steps that one finding names."""


def counted_names(subject: Subject) -> Iterator[Diagnostic]:
    """Find the lists whose steps with weights differ only in their counted names (W602)."""
    weighted = _weighted(subject.model)
    for block in subject.model.blocks:
        where = f" of `{block.name}`" if block is not subject.model.network else ""
        for steps in _counted(block, weighted):
            labels = tuple(
                label
                for step in steps[:MAX_SHOWN]
                for label in labels_at(step.origin, f"this is `{step.path.name}`")
            )
            note = f"a `{_what(steps[0])}` inserted before one renames it, and its weights' keys"
            example = f"`{steps[1].path.name}: {_text(steps[1])}`"
            yield Diagnostic(
                "W602",
                f"{_listed(steps)}{where} are told apart by counting",
                labels,
                notes=(note,),
                help=f"name each, as in {example}: under the names of today the keys stay",
            )


def _listed(steps: list[NodeDef | CallDef]) -> str:
    paths = [f"`{step.path}`" for step in steps]
    if len(paths) > MAX_SHOWN:
        paths[MAX_SHOWN - 1 :] = [f"{len(paths) - MAX_SHOWN + 1} more"]
    *others, last = paths
    return f"{', '.join(others)} and {last}"


def _counted(block: BlockDef, weighted: frozenset[str]) -> Iterator[list[NodeDef | CallDef]]:
    """Yield the steps with weights that share a list and an op or a block, if they are several."""
    groups: dict[tuple[Path, str], list[NodeDef | CallDef]] = {}
    for step in block.body:
        if not step.is_named and step.reuses is None and _what(step) in weighted:
            groups.setdefault((step.path.parent, _what(step)), []).append(step)
    yield from (steps for steps in groups.values() if len(steps) > 1)


def _weighted(model: Model) -> frozenset[str]:
    """Return the ops and the blocks that hold weights."""
    weighted = {name for name, op in OPS.items() if op.state is not None}
    for block in model.blocks:  # callees before callers
        if any(_what(step) in weighted for step in block.body):
            weighted.add(block.name)
    return frozenset(weighted)


def _what(step: NodeDef | CallDef) -> str:
    """Return the op or the block of a step; no block has the name of an op."""
    return step.op if isinstance(step, NodeDef) else step.block


def _text(step: NodeDef | CallDef) -> str:
    """Return a step as it is written; its op or its block, if no text wrote it."""
    return step.origin.span.text if step.origin.span is not None else _what(step)
