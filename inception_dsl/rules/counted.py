"""A step whose weights are to stay loadable has a name of its own."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import BlockDef, CallDef, Model, NodeDef
from inception_dsl.ops import OPS
from inception_dsl.rules.subject import Subject

MAX_SHOWN = 4


def counted_names(subject: Subject) -> Iterator[Diagnostic]:
    """W602 for every list in which steps with weights are told apart by counting alone."""
    weighted = _weighted(subject.model)
    for block in subject.model.blocks:
        where = f" of `{block.name}`" if block is not subject.model.network else ""
        for steps in _counted(block, weighted):
            labels = tuple(
                Label(step.origin.spans[0], f"this is `{_name(step)}`")
                for step in steps[:MAX_SHOWN]
            )
            note = f"a `{_what(steps[0])}` inserted before one renames it, and its weights' keys"
            example = f"`{_name(steps[1])}: {steps[1].origin.spans[0].text}`"
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
    """Steps with weights that share a list and what they are called by, two or more of them."""
    groups: dict[tuple[str, str], list[NodeDef | CallDef]] = {}
    for step in block.body:
        if not step.is_named and step.reuses is None and _what(step) in weighted:
            holder = step.path.rpartition(".")[0]
            groups.setdefault((holder, _what(step)), []).append(step)
    yield from (steps for steps in groups.values() if len(steps) > 1)


def _weighted(model: Model) -> frozenset[str]:
    """The ops and the blocks that hold weights."""
    found = {name for name, op in OPS.items() if op.state is not None}
    for block in model.blocks:  # callees before callers
        if any(_what(step) in found for step in block.body):
            found.add(block.name)
    return frozenset(found)


def _what(step: NodeDef | CallDef) -> str:
    """The op or the block of a step; no block has the name of an op."""
    return step.op if isinstance(step, NodeDef) else step.block


def _name(step: NodeDef | CallDef) -> str:
    return step.path.rpartition(".")[2]
