"""The numbers and shapes that budgets and claims can be about, by measure and path.

A spec may make hundreds of claims about a network of thousands of nodes. The rows are therefore
sorted by path once, so that the rows of a step are one range, and each analysis runs once.

Units: those of `analysis.cost` for its measures, conv and linear layers for `depth`, bytes for
`memory`.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from inception_dsl.analysis.cost import CostReport, CostRow
from inception_dsl.bounds import MAX_PATH
from inception_dsl.ir import Call, Model, Node, Origin, Path, TensorType, find_range, inline
from inception_dsl.ops import OPS

if TYPE_CHECKING:
    from inception_dsl.analysis.memory import MemoryReport


def find_quantity(
    model: Model, cost: CostReport, measure: str, at: str | None, *, with_heads: bool
) -> int | str | None:
    """Return one quantity of a model; see `Quantities.find`."""
    return Quantities(model, cost).find(measure, at, with_heads=with_heads)


class Quantities:
    """The quantities of one model, each computed when it is first needed."""

    def __init__(self, model: Model, cost: CostReport) -> None:
        self.model = model
        self.cost = cost
        self._sums: dict[str, list[int]] = {}
        self._bodies: dict[int, _BodyIndex] = {}

    def find(self, measure: str, at: str | None, *, with_heads: bool) -> int | str | None:
        """Return a quantity of the network, or of the step at a path; None if no step is there.

        Args:
            measure: `params`, `weights`, `macs`, `flops` or `activations`; `depth`, conv and linear
                layers on the longest path; `memory`, peak bytes of inference for one image in
                single precision; `shape`, the type of the result as text; `in`, the channels of
                the input.
            at: the path of the step; None for the network.
            with_heads: whether training heads count towards a quantity of the network.
        """
        types = self._find_types(at)
        if types is None:
            return None
        match measure:
            case "shape":
                return str(types[1])
            case "in":
                return types[0].channels
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

    def _find_types(self, at: str | None) -> tuple[TensorType, TensorType] | None:
        """Return the input type of the first and the output type of the last step at a path."""
        if at is None:
            return self.model.input, self.model.root.type
        if len(at) > MAX_PATH:
            return None
        call, rest = self.model.root, Path(at)
        while True:
            body = self._index(call)
            items = body.find(rest)
            if items:
                first, last = items[0], items[-1]
                return first.input_types[0], last.type
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
        return inline(self.model).nodes

    @cached_property
    def _order(self) -> dict[str, int]:
        """The index of each node by its path."""
        return {node.path: index for index, node in enumerate(self._nodes)}

    @cached_property
    def _reads(self) -> list[tuple[int, ...]]:
        """The indices of the nodes that each node reads; -1 is the input."""
        order: dict[str, int] = dict.fromkeys(inline(self.model).inputs, -1)
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
