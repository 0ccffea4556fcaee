"""Steps with the same words whose shape, weights or cost follow from edits made elsewhere.

Another shape flows through the graph from the edit that causes it. A step follows from the edits
whose shapes reach it, unless they touch the step itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from inception_dsl.diff.drafts import DraftIndex
from inception_dsl.diff.edit_facts import KeyChange
from inception_dsl.diff.parts import is_join
from inception_dsl.diff.sides import Sides
from inception_dsl.diff.tensors import Tensors
from inception_dsl.diff.view import RunStep, View
from inception_dsl.expr import Apply, Binary, Expr, Name, find_names
from inception_dsl.ir import CallDef, Node, Path, Value

MAX_CAUSES = 16
"""Maximum number of edits that one step is said to follow from."""

_NONE: frozenset[int] = frozenset()


class Ripple(NamedTuple):
    """A step that follows from edits: their numbers, its new path, its tensors that change."""

    drafts: tuple[int, ...]
    path: Path
    keys: tuple[KeyChange, ...]


def find_ripples(sides: Sides, drafts: DraftIndex, tensors: Tensors) -> Iterator[Ripple]:
    """Yield the steps that follow from edits, in the order of the new model."""
    causes = _Causes(sides, drafts)
    reshaped: dict[Path, list[KeyChange]] = {}
    for change in tensors.changes:
        if change.key.kind == "reshaped" and change.draft is None:
            reshaped.setdefault(change.holder, []).append(change.key)
    reaching: dict[str, frozenset[int]] = {
        path: frozenset(drafts.touching.get(path, ())) for path in sides.new.graph.inputs
    }
    for new in sides.new.graph.nodes:
        touching = frozenset(drafts.touching.get(new.path, ()))
        shaping = causes.select_shaping(touching)
        old_path = sides.back.get(new.path)
        if old_path is None:
            reaching[new.path] = causes.find_arriving(None, new, reaching) | shaping
            continue
        old = sides.old.nodes[old_path]
        arriving = causes.find_arriving(old, new, reaching)
        arriving |= causes.find_local(old, new)
        arriving = frozenset(sorted(arriving)[:MAX_CAUSES])
        if old.type != new.type:
            reaching[new.path] = arriving | shaping
        keys = reshaped.get(new.path, [])
        if old.type != new.type or old.input_types != new.input_types or keys:
            yield Ripple(tuple(sorted(arriving - touching)), new.path, tuple(keys))


class _Causes(NamedTuple):
    """The edits from which a node's shape may follow."""

    sides: Sides
    drafts: DraftIndex

    def select_shaping(self, numbers: frozenset[int]) -> frozenset[int]:
        """Return those of some drafts that can change the shapes of the nodes that they touch."""
        return frozenset(n for n in numbers if self.drafts.drafts[n].shapes)

    def find_arriving(
        self, old: Node | None, new: Node, reaching: Mapping[str, frozenset[int]]
    ) -> frozenset[int]:
        """Return the drafts whose shapes reach the inputs of a node."""
        sources = (*new.inputs, *_find_read_as_in(self.sides, old, new))
        return _NONE.union(*(reaching.get(path, _NONE) for path in sources))

    def find_local(self, old: Node, new: Node) -> frozenset[int]:
        """Return the drafts that changed the inputs of a pair of nodes."""
        removed = frozenset(
            self.drafts.removing[path] for path in old.inputs if path in self.drafts.removing
        )
        rewired = frozenset(
            self.drafts.giving[path]
            for path in new.inputs
            if path in self.drafts.giving and self.sides.back.get(path) not in old.inputs
        )
        if not (is_join(new) and len(old.inputs) != len(new.inputs)):
            return self.select_shaping(removed) | rewired
        # An added or removed branch changes the shape of the concat, whatever its own shape is.
        added = frozenset(
            number
            for path in new.inputs
            if path not in self.sides.back
            for number in self.drafts.touching.get(path, ())
        )
        return removed | added | rewired


def _find_read_as_in(sides: Sides, old: Node | None, new: Node) -> Iterator[Path]:
    """Yield the nodes whose channels a changed attribute is written in, as in `1x1 conv (in)`."""
    if old is None or old.attributes == new.attributes:
        return
    step = sides.new.steps[new.path]
    for name, value in step.written.attributes.items():
        if old.attributes.get(name) != new.attributes.get(name):
            yield from _find_sources(sides.new, step, value)


def _find_sources(view: View, step: RunStep, value: Value | Expr | None) -> Iterator[Path]:
    """Yield the nodes that a value reads as `in`, in its own block or through the caller's."""
    if not isinstance(value, Name | Binary | Apply):
        return
    for name in sorted(find_names(value)):
        if name == "in":
            yield view.find_entering(step)
        elif step.scope:
            call = view.steps[step.scope]
            if isinstance(call.definition, CallDef):
                yield from _find_sources(view, call, call.definition.arguments.get(name))
