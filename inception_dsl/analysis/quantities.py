"""The numbers and shapes that budgets and claims can be about, by measure and path.

A spec may make hundreds of claims about a network of thousands of nodes. The rows are therefore
sorted by path once, so that the rows of a step are one range, and each analysis runs once.

Units: those of `analysis.cost` for its measures, conv and linear layers for `depth`, bytes for
`memory`.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

from inception_dsl.analysis.cost import CostReport, CostRow
from inception_dsl.bounds import MAX_PATH
from inception_dsl.ir import INPUT, Call, Model, Node, Origin, Path, find_range
from inception_dsl.ops import OPS

if TYPE_CHECKING:
    from inception_dsl.analysis.dense import Inference
    from inception_dsl.analysis.memory import MemoryReport


class SeveralTypes(NamedTuple):
    """The answer for the shape or the channels of a step that has several, as none is named.

    Attributes:
        names: the names of its inputs, or of its outputs.
    """

    kind: Literal["input", "output"]
    names: tuple[str, ...]


def find_quantity(
    model: Model, cost: CostReport, measure: str, at: str | None, *, with_heads: bool
) -> int | str | SeveralTypes | None:
    """Return one quantity of a model; see `Quantities.find`."""
    return Quantities(model, cost).find(measure, at, with_heads=with_heads)


class Quantities:
    """The quantities of one model, each computed when it is first needed."""

    def __init__(self, model: Model, cost: CostReport) -> None:
        self.model = model
        self.cost = cost
        self._sums: dict[str, list[int]] = {}
        self._bodies: dict[int, _BodyIndex] = {}

    @cached_property
    def inference(self) -> Inference:
        """The nodes that inference runs, and the lines that wrote them."""
        from inception_dsl.analysis.dense import list_inference

        return list_inference(self.model, self.cost)

    def find(
        self, measure: str, at: str | None, *, with_heads: bool
    ) -> int | str | SeveralTypes | None:
        """Return a quantity of the network, or of the step at a path; None if no step is there.

        The path of one of several outputs stands for the step that makes it.

        Args:
            measure: `params`, `weights`, `macs`, `flops` or `activations`; `depth`, conv and linear
                layers on the longest path; `memory`, peak bytes of inference for one image in
                single precision; `shape`, the type of the result as text; `in`, the channels of
                the input.
            at: the path of the step; None for the network.
            with_heads: whether training heads count towards a quantity of the network.
        """
        ends = self._find_ends(at)
        if ends is None and at is not None and len(at) <= MAX_PATH:
            at = self.find_maker(at)
            ends = self._find_ends(at) if at is not None else None
        if ends is None:
            return None
        first, last = ends
        match measure:
            case "shape" if isinstance(last, Call) and len(last.outputs) > 1:
                return SeveralTypes("output", tuple(last.outputs))
            case "shape":
                return str(last.type)
            case "in" if isinstance(first, Call) and len(first.inputs) > 1:
                names = (path.relative_to(INPUT) for path in first.entries)
                return SeveralTypes("input", tuple(names))
            case "in":
                return first.input_types[0].channels
            case "depth":
                return self._measure_depth(at, with_heads=with_heads)
            case "memory":
                return self._measure_memory(at, with_heads=with_heads)
            case _ if at is None:
                totals = self.cost.totals_with_heads if with_heads else self.cost.totals
                return int(getattr(totals, measure))
            case _:
                sums = self._accumulate(measure)
                start, end = self._find_range(at)
                return sums[end] - sums[start]

    def find_rows(self, at: str) -> list[CostRow]:
        """Return the rows of all nodes at or below a path, in the order of the report."""
        start, end = self._find_range(at)
        return [self.cost.rows[index] for index in sorted(self._sorted[start:end])]

    def find_body_origins(self, at: str | None) -> dict[Path, Origin]:
        """Return the origins of the steps of the network, or of the call at a path, by path.

        The result is empty if no call is at the path.
        """
        call, holder = self.model.root, Path()
        while at is not None and holder != at:
            rest = Path(at).relative_to(holder)
            calls = self._index(call).calls
            inner = next((path for path in (rest, *rest.parents) if path in calls), None)
            if inner is None:
                return {}
            call, holder = calls[inner], holder / inner
        return {holder / item.path: item.origin for item in call.body}

    @cached_property
    def origins(self) -> dict[Path, Origin]:
        """The origin of every step by path; a call comes before the steps below it."""
        origins: dict[Path, Origin] = {}
        pending: list[tuple[Path, Call]] = [(Path(), self.model.root)]
        while pending:
            holder, call = pending.pop()
            for item in call.body:
                path = holder / item.path
                origins[path] = item.origin
                if isinstance(item, Call):
                    pending.append((path, item))
        return origins

    def find_maker(self, at: str) -> Path | None:
        """Return the path of the step that makes an output; None if the path is of no output."""
        path = Path(at)
        for holder in (*path.parents, Path()):
            call = self._find_call(holder)
            inside = call.outputs.get(path.relative_to(holder)) if call is not None else None
            if inside is not None:
                maker = holder / inside
                return maker if self._find_ends(maker) is not None else self.find_maker(maker)
        return None

    def _find_call(self, at: Path) -> Call | None:
        if not at:
            return self.model.root
        ends = self._find_ends(at)
        return ends[1] if ends is not None and isinstance(ends[1], Call) else None

    def _find_ends(self, at: str | None) -> tuple[Node | Call, Node | Call] | None:
        """Return the first and the last step at a path, which may be one; None if none is there."""
        if at is None:
            return self.model.root, self.model.root
        if len(at) > MAX_PATH:
            return None
        call, rest = self.model.root, Path(at)
        while True:
            body = self._index(call)
            items = body.find(rest)
            if items:
                return items[0], items[-1]
            holder = next((path for path in rest.parents if path in body.calls), None)
            if holder is None:
                return None
            call, rest = body.calls[holder], rest.relative_to(holder)

    def _index(self, call: Call) -> _BodyIndex:
        if id(call.body) not in self._bodies:
            self._bodies[id(call.body)] = _BodyIndex(call)
        return self._bodies[id(call.body)]

    @cached_property
    def _sorted(self) -> list[int]:
        """The indices of the rows, sorted by path."""
        rows = self.cost.rows
        return sorted(range(len(rows)), key=lambda index: rows[index].path)

    @cached_property
    def _paths(self) -> list[str]:
        return [self.cost.rows[index].path for index in self._sorted]

    def _find_range(self, at: str) -> tuple[int, int]:
        """Return the range of the sorted rows at or below a path."""
        return find_range(self._paths, at)

    def _accumulate(self, measure: str) -> list[int]:
        """Return the prefix sums of a measure over the sorted rows; the first one is 0."""
        if measure not in self._sums:
            rows = self.cost.rows
            values = (int(getattr(rows[index], measure)) for index in self._sorted)
            self._sums[measure] = list(accumulate(values, initial=0))
        return self._sums[measure]

    @cached_property
    def _nodes(self) -> tuple[Node, ...]:
        return self.model.graph.nodes

    @cached_property
    def _order(self) -> dict[str, int]:
        """The index of each node by its path."""
        return {node.path: index for index, node in enumerate(self._nodes)}

    @cached_property
    def _reads(self) -> list[tuple[int, ...]]:
        """The indices of the nodes that each node reads; -1 is the input."""
        order: dict[str, int] = dict.fromkeys(self.model.graph.inputs, -1)
        order |= self._order
        return [tuple(order[path] for path in node.inputs) for node in self._nodes]

    def _measure_depth(self, at: str | None, *, with_heads: bool) -> int:
        nodes = self._nodes
        layers = {name for name, op in OPS.items() if op.counts_in_depth}
        if at is None:
            heads = set() if with_heads else {head.path for head in self.model.heads}
            counted = [
                index
                for index, node in enumerate(nodes)
                if node.op in layers and not (heads and node.path.first in heads)
            ]
        else:
            inside = sorted(self._order[row.path] for row in self.find_rows(at))
            counted = [index for index in inside if nodes[index].op in layers]
        if not counted:
            return 0
        weighted = set(counted)
        depths = [0] * (len(nodes) + 1)  # the last item is the depth of the input, read at index -1
        for index in range(counted[0], counted[-1] + 1):
            read = self._reads[index]
            deepest = depths[read[0]] if len(read) == 1 else max(depths[i] for i in read)
            depths[index] = deepest + (index in weighted)
        return max(depths)

    @cached_property
    def memory(self) -> MemoryReport:
        """The memory of inference on one image, in bytes."""
        from inception_dsl.analysis.memory import measure_memory

        return measure_memory(self.model, with_training=False)

    def _measure_memory(self, at: str | None, *, with_heads: bool) -> int:
        memory = self.memory
        if at is None:
            return memory.peak + (memory.heads_state if with_heads else 0)
        return max((memory.by_path.get(row.path, 0) for row in self.find_rows(at)), default=0)


class _BodyIndex:
    """An index of the steps of a body by path, for all calls that share the body."""

    def __init__(self, call: Call) -> None:
        self._body = call.body
        order = sorted(range(len(call.body)), key=lambda index: call.body[index].path)
        self._order = order
        self._paths = [call.body[index].path for index in order]
        self.calls = {item.path: item for item in call.body if isinstance(item, Call)}

    def find(self, at: Path) -> list[Node | Call]:
        """Return the steps at or below a path in the order of a run."""
        start, end = find_range(self._paths, at)
        return [self._body[index] for index in sorted(self._order[start:end])]
