"""Names for the steps that a rewrite adds: none that another step of the same body has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property

from inception_dsl.ir import BlockDef, Call, Model, Path, StepDef
from inception_dsl.source import Span


class Definitions:
    """The steps of a model by the lines that wrote them, and the names in each body.

    The blocks are walked once, so that a pass can ask for each of many lines.

    Attributes:
        model: the model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._lines: dict[Span, list[tuple[BlockDef, StepDef]]] = {}
        self._steps: dict[tuple[str, Path], StepDef] = {}
        names: dict[tuple[str, Path], set[str]] = {}
        for block in model.blocks:
            for step in block.body:
                self._steps[block.name, step.path] = step
                if step.origin.span is not None:
                    self._lines.setdefault(step.origin.span, []).append((block, step))
                parts = step.path.names
                for depth, name in enumerate(parts):
                    names.setdefault((block.name, Path(".".join(parts[:depth]))), set()).add(name)
        self._names = {body: frozenset(found) for body, found in names.items()}

    def find_all(self, span: Span | None) -> Sequence[tuple[BlockDef, StepDef]]:
        """Return the blocks that a line belongs to, each with its step there.

        Blocks that extend others have lines of theirs.
        """
        return () if span is None else self._lines.get(span, ())

    def find(self, span: Span | None) -> tuple[str, Path] | None:
        """Return the name of the first block that a line belongs to, and the path of its step."""
        return next(((block.name, step.path) for block, step in self.find_all(span)), None)

    def find_step(self, block: BlockDef, path: Path) -> StepDef | None:
        """Return the step at a path of a block, or None if there is none."""
        return self._steps.get((block.name, path))

    def find_decimals(self, span: Span | None) -> frozenset[str]:
        """Return the parameters that a call of the block of a line sets to a decimal."""
        names = (self._decimals.get(block.name, set()) for block, _ in self.find_all(span))
        return frozenset().union(*names)

    @cached_property
    def _decimals(self) -> dict[str, set[str]]:
        """The parameters that a call sets to a decimal, by the block that has them."""
        found: dict[str, set[str]] = {}
        for call in self._list_calls():
            for name, value in call.arguments.items():
                if isinstance(value, Decimal):
                    found.setdefault(call.block, set()).add(name)
        return found

    def _list_calls(self) -> Iterator[Call]:
        """Yield all calls; of several with one body, the first."""
        waiting, seen = [self.model.root], set[int]()
        while waiting:
            call = waiting.pop()
            yield call
            if id(call.body) not in seen:
                seen.add(id(call.body))
                waiting += (item for item in call.body if isinstance(item, Call))

    def list_names(self, block: str, holder: Path) -> frozenset[str]:
        """Return the names of all steps of a block directly below a path, joins included."""
        return self._names.get((block, holder), frozenset())
