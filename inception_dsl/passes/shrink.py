"""A pool on the only way, and layers that widen beside it, as a reduction side by side (P804).

A convolution with the stride of the pool gives the new channels, and the pool keeps the old ones.
Where one convolution alone widens, it takes its place beside the pool. Where branches of a module
widen together, a new convolution stands beside the pool, and the module reads more channels.

Source: Szegedy et al., arXiv:1512.00567, Section 5, Figure 10.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import chain

from inception_dsl.analysis import list_state
from inception_dsl.analysis.dense import (
    NOTHING_SAVED,
    Inference,
    Savings,
    WrittenStep,
    compare_nodes,
    find_kernel,
    gather_readers,
)
from inception_dsl.analysis.shrinking import (
    Shrinking,
    count_reduction,
    find_lone_pools,
    find_shrinkings,
)
from inception_dsl.ir import Model, Node, Path, TensorType
from inception_dsl.ir.weights import Copy, Recipe
from inception_dsl.ops import OPS, ShapeError, Values, shown
from inception_dsl.ops.window import PAD_FLAGS
from inception_dsl.passes.contract import Pass, Proposal, Reduction, Swap
from inception_dsl.passes.naming import Definitions

_FRESH = "the convolution is new"
_OTHER_INPUT = "it reads more channels"
_JOIN = next(op for op in OPS.values() if op.join and op.channels == "joined")


class _RefusalError(Exception):
    """The reason why there is no reduction."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def shrink_by(width: int | None) -> Pass:
    """Return the pass that puts convolutions beside lone pools.

    Args:
        width: the channels that each convolution gives, beside any lone pool; None for those that
            the layers beside the pool widen by, where they do.
    """

    def propose(model: Model, run: Inference) -> Iterator[Proposal]:
        if width is None:
            yield from _propose(model, run, find_shrinkings(run.nodes))
        else:
            pools = find_lone_pools(run.nodes)
            yield from _propose(model, run, (count_reduction(pool, width) for pool in pools))

    return Pass("P804", propose=propose, is_asked_for=True)


def _propose(model: Model, run: Inference, pools: Iterable[Shrinking]) -> Iterator[Proposal]:
    index = _Index(model, run)
    for found in pools:
        reducer = _Reducer(index, found)
        nodes = reducer.list_old()
        steps = tuple(WrittenStep(node.origin.span, (node,)) for node in nodes)
        new = f"{found.wide - found.narrow:,}"
        what = f"a convolution beside it gives the {new} new channels"
        try:
            reducer.refuse_unfit()
            swaps, edit, savings = reducer.make()
        except _RefusalError as error:
            yield Proposal("P804", steps, what, (), None, NOTHING_SAVED, error.reason)
            continue
        yield Proposal("P804", steps, what, swaps, edit, savings, keeps_fields=False)


SHRINK = shrink_by(None)


class _Index:
    """The nodes of a model by all that a reduction asks for, made once for all pools."""

    def __init__(self, model: Model, run: Inference) -> None:
        self.run, self.outputs = run, frozenset(model.graph.outputs.values())
        self.order = {node.path: place for place, node in enumerate(model.graph.nodes)}
        self.nodes = model.graph.nodes
        self.readers = gather_readers(model.graph.nodes)
        self.runs = {node.path: place for place, node in enumerate(run.nodes)}
        self.shared = {node.reuses: node for node in model.graph.nodes if node.reuses is not None}
        self.lines: dict[Hashable, list[Node]] = {}
        for node in model.graph.nodes:
            self.lines.setdefault(run.line_of[node.path], []).append(node)
        definitions = Definitions(model)
        self.bodies: dict[Path, tuple[str, Path]] = {}
        for node in run.nodes:
            place = definitions.find(node.origin.span)
            if place is not None:
                self.bodies[node.path] = (place[0], place[1].parent)


class _Reducer:
    """A maker of the reduction that takes the place of a pool."""

    def __init__(self, index: _Index, found: Shrinking) -> None:
        self._index, self._found = index, found
        self._is_pair = found.widens.path in index.run.kernels

    def list_old(self) -> list[Node]:
        """Return the nodes that the reduction takes the place of, in order."""
        found = self._found
        if not self._is_pair:
            return [found.pool]
        pair = [found.pool, found.widens]
        return pair if found.order == "pool first" else pair[::-1]

    def refuse_unfit(self) -> None:
        """Refuse lines that run elsewhere, and steps between the two.

        Raises:
            _RefusalError: there are such.
        """
        old, index = self.list_old(), self._index
        for node in old:
            for each in index.lines[index.run.line_of[node.path]]:
                if each.path != node.path:
                    raise _RefusalError(f"its line runs at `{each.path}`, too")
            if node.reuses is not None or node.path in index.shared:
                raise _RefusalError(f"`{node.path}` shares its weights by `reuse`")
        if len(old) < 2:
            if old[0].path in index.outputs:
                raise _RefusalError("the output of the network would change")
            return
        first, last = old
        if last.inputs != (first.path,):
            raise _RefusalError(f"steps stand between it and `{last.path}`")
        is_read = len(index.readers.get(first.path, ())) > 1
        if is_read or first.path in index.run.read_elsewhere:
            raise _RefusalError(f"`{first.path}` is read elsewhere, too")

    def make(self) -> tuple[tuple[Swap, ...], Reduction, Savings]:
        """Return the change of the graph, the edit of the text, and what is saved.

        Raises:
            _RefusalError: no convolution gives the size of the pool, or the steps behind it cannot
                read more channels.
        """
        found, old = self._found, self.list_old()
        like = found.widens if self._is_pair else self._find_like()
        kernel = find_kernel(like if self._is_pair else found.pool) or _window(found.pool)
        pool = self._move_pool(old)
        width = found.wide - found.narrow
        convs = self._make_convs(like, kernel, width, pool)
        last = old[-1].path
        joined = TensorType((found.wide, *pool.type.size))
        join = replace(
            pool,
            path=last,
            op=_JOIN.name,
            attributes={},
            inputs=(convs[-1].path, pool.path),
            input_types=(convs[-1].type, pool.type),
            type=joined,
        )
        fresh: dict[str, Recipe | str] = {
            f"{conv.path}.{tensor.name}": _FRESH for conv in convs for tensor in list_state(conv)
        }
        gives = {node.path: last for node in old}
        swaps = [Swap(tuple(old), (*convs, pool, join), gives, fresh)]
        changed = [] if self._is_pair else list(self._widen_behind(join))
        swaps += [_swap_reader(before, after) for before, after in changed]
        runs = self._index.runs
        before = [*old, *(node for node, _ in changed if node.path in runs)]
        after = [*convs, *(node for _, node in changed if node.path in runs)]
        assert like.origin.span is not None
        pad = convs[-1].attributes["pad"]
        edit = Reduction(
            width,
            convs[-1].attributes["stride"],
            None if pad == like.attributes["pad"] else pad,
            kernel,
            like.origin.span,
            len(convs) > 1,
            "x".join(str(side) for side in (*joined.size, joined.channels)),
        )
        return tuple(swaps), edit, compare_nodes(before, after)

    def _find_like(self) -> Node:
        """Return the convolution in the same body whose norm and activation a new one has.

        Raises:
            _RefusalError: there is none.
        """
        index, pool = self._index, self._found.pool
        nodes, start = index.run.nodes, index.runs[pool.path]
        here = index.bodies.get(pool.path)
        before = (nodes[place] for place in range(start - 1, -1, -1))
        behind = (nodes[place] for place in range(start + 1, len(nodes)))
        for node in chain(before, behind) if here is not None else ():
            is_conv = node.path in index.run.kernels and node.reuses is None
            if is_conv and index.bodies.get(node.path) == here:
                return node
        raise _RefusalError("no convolution stands beside it whose norm and activation are known")

    def _move_pool(self, old: Sequence[Node]) -> Node:
        pool = self._found.pool
        read = old[0].input_types[0]
        type = OPS[pool.op].infer(pool.attributes, (read,))
        path = Path(f"{old[-1].path}_pool")
        return replace(pool, path=path, inputs=old[0].inputs, input_types=(read,), type=type)

    def _make_convs(
        self, like: Node, kernel: tuple[int, int], width: int, pool: Node
    ) -> list[Node]:
        """Return the convolution beside a pool; behind a 1x1, where that is narrower.

        Raises:
            _RefusalError: no padding gives the size of the pool, or a 1x1 would have a padding.
        """
        (read,) = pool.input_types
        op = OPS[like.op]
        plain = {**like.attributes, op.width: width, "dilation": 1}
        convs: list[Node] = []
        if not self._is_pair and width < read.channels:
            attributes = {**plain, op.kernel: (1, 1), "stride": 1}
            type = _infer_reduced(attributes, like, read)
            path = Path(f"{pool.path}_reduced")
            convs.append(
                replace(
                    like,
                    path=path,
                    inputs=pool.inputs,
                    attributes=attributes,
                    input_types=(read,),
                    type=type,
                )
            )
            read = type
        for pad in (like.attributes["pad"], *PAD_FLAGS):
            attributes = {**plain, op.kernel: kernel, "stride": pool.attributes["stride"]}
            attributes["pad"] = pad
            try:
                type = op.infer(attributes, (read,))
            except ShapeError:
                continue
            if type.size == pool.type.size:
                inputs = (convs[-1].path,) if convs else pool.inputs
                path = Path(f"{pool.path}_beside")
                conv = replace(like, path=path, inputs=inputs, attributes=attributes)
                return [*convs, replace(conv, input_types=(read,), type=type)]
        raise _RefusalError("no padding of a convolution gives the size of the pool")

    def _widen_behind(self, join: Node) -> Iterator[tuple[Node, Node]]:
        """Yield the nodes that read more channels behind a join, each with its new form.

        Raises:
            _RefusalError: a step cannot read more channels, shares its weights, or is an output.
        """
        index = self._index
        types: dict[Path, TensorType] = {join.path: join.type}
        waiting = [index.order[node.path] for node in index.readers.get(join.path, ())]
        seen: set[int] = set()
        while waiting:
            place = heappop(waiting)
            if place in seen:
                continue
            seen.add(place)
            node = index.nodes[place]
            pairs = zip(node.inputs, node.input_types, strict=True)
            read = tuple(types.get(path, type) for path, type in pairs)
            if node.reuses is not None or node.path in index.shared:
                raise _RefusalError(f"`{node.path}` behind it shares its weights by `reuse`")
            try:
                type = OPS[node.op].infer(node.attributes, read)
            except ShapeError:
                raise _RefusalError(f"`{node.path}` cannot read more channels") from None
            if type != node.type:
                types[node.path] = type
                if node.path in index.outputs:
                    raise _RefusalError("the output of the network would change")
                for reader in index.readers.get(node.path, ()):
                    heappush(waiting, index.order[reader.path])
            yield node, replace(node, input_types=read, type=type)


def _infer_reduced(attributes: Values, like: Node, read: TensorType) -> TensorType:
    """Return the type that a 1x1 with the words of another convolution gives.

    Raises:
        _RefusalError: its padding makes the map larger, or it cannot read the map.
    """
    try:
        type = OPS[like.op].infer(attributes, (read,))
    except ShapeError as error:
        raise _RefusalError(f"a 1x1 like `{like.path}` is wrong: {error.message}") from None
    if type.size != read.size:
        pad = shown(attributes["pad"])
        raise _RefusalError(f"a 1x1 like `{like.path}` would have `pad {pad}`, and a larger map")
    return type


def _window(pool: Node) -> tuple[int, int]:
    kernel = pool.attributes[OPS[pool.op].kernel]
    assert isinstance(kernel, tuple)
    height, width = kernel
    return int(height), int(width)


def _swap_reader(node: Node, new: Node) -> Swap:
    """Return the swap of a node for one that reads more channels."""
    before = {tensor.name: tensor.shape for tensor in list_state(node)}
    recipes: Mapping[str, Recipe | str] = {
        f"{node.path}.{tensor.name}": Copy(f"{node.path}.{tensor.name}")
        if before.get(tensor.name) == tensor.shape
        else _OTHER_INPUT
        for tensor in list_state(new)
    }
    return Swap((node,), (new,), {node.path: node.path}, recipes)
