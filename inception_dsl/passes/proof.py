"""The proof of a rewrite: a network that was read from a text is the one that a pass made.

Nothing about a text is believed. The nodes of both are paired from the outputs down: all but the
new ones by their paths, and those by the values that they read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from inception_dsl.analysis.field import Windows, measure_fields
from inception_dsl.ir import Graph, Model, Node, Path
from inception_dsl.ops import Window


class DifferenceError(Exception):
    """The error of a network that is not as it should be, with the difference."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def prove_read(expected: Model, read: Model, new: Collection[Path]) -> dict[Path, Path]:
    """Return the path in a network that was read of every node that it should have.

    Args:
        expected: the network as it should be.
        new: the paths of the nodes whose names do not matter.

    Raises:
        DifferenceError: the networks differ.
    """
    if (expected.inputs, expected.outputs) != (read.inputs, read.outputs):
        raise DifferenceError("the inputs or the outputs of the network would change")
    pairs = _Pairs(expected.graph, read.graph)
    for node in expected.graph.nodes:
        if node.path not in new:
            pairs.meet_alike(node.path)
    for name, path in expected.graph.outputs.items():
        pairs.meet(path, read.graph.outputs[name])
    for ours, theirs in zip(expected.graph.head_outputs, read.graph.head_outputs, strict=True):
        pairs.meet(ours, theirs)
    pairs.follow()
    lone = {node.path for node in read.graph.nodes} - set(pairs.names.values())
    if lone:
        raise DifferenceError(f"`{min(lone)}` would be new")
    return pairs.names


class _Pairs:
    """The pairs of two graphs.

    Attributes:
        names: the paths of one graph in the other one.
    """

    def __init__(self, expected: Graph, read: Graph) -> None:
        self.names: dict[Path, Path] = {}
        self._expected = {node.path: node for node in expected.nodes}
        self._read = {node.path: node for node in read.nodes}
        self._back: dict[Path, Path] = {}
        self._open: list[tuple[Node, Node]] = []

    def meet_alike(self, path: Path) -> None:
        """Pair the nodes of one path.

        Raises:
            DifferenceError: one is missing.
        """
        if path not in self._read:
            raise DifferenceError(f"`{path}` would get another name")
        self.meet(path, path)

    def meet(self, path: Path, other: Path, reader: Path | None = None) -> None:
        """Pair two values.

        Args:
            reader: the node that reads both.

        Raises:
            DifferenceError: one of them has another partner.
        """
        known = self.names.get(path)
        if path not in self._expected or other not in self._read:
            known = path  # an input of the network
        if known is None and other not in self._back:
            self.names[path], self._back[other] = other, path
            self._open.append((self._expected[path], self._read[other]))
        elif known != other:
            where = f"`{reader}`" if reader else "an output"
            raise DifferenceError(f"{where} would read another step")

    def follow(self) -> None:
        """Pair all that the paired nodes read.

        Raises:
            DifferenceError: two nodes differ.
        """
        while self._open:
            node, other = self._open.pop()
            facts = (node.op, node.attributes, node.input_types, node.type)
            if facts != (other.op, other.attributes, other.input_types, other.type):
                raise DifferenceError(f"`{other.path}` would change")
            for path, read in zip(node.inputs, other.inputs, strict=True):
                self.meet(path, read, other.path)
            if (node.reuses is None) != (other.reuses is None):
                raise DifferenceError(f"`{other.path}` would have other weights")


_Axis = tuple[Window | None, Window | None]


def _measure_pixels(model: Model) -> dict[str, _Axis]:
    """Return the windows of every node, by its path: of those that see all, the pixels there are.

    A norm over the map sees the whole of it, however far the windows before it reach outside.
    """
    sizes = [type.size for type in model.root.input_types if type.is_map]
    height, width = (max(side) for side in zip(*sizes, strict=True))
    fields = measure_fields(model).items()
    return {path: (_clip(each.height, height), _clip(each.width, width)) for path, each in fields}


def _clip(windows: Windows | None, side: int) -> Window | None:
    return None if windows is None else windows.window.within(side)


def prove_fields(old: Model, new: Model, changed: Iterable[Path]) -> None:
    """Make sure that all nodes but some, and all outputs, see the same pixels as before.

    Raises:
        DifferenceError: one sees others.
    """
    before, after = _measure_pixels(old), _measure_pixels(new)
    for path in {node.path for node in old.graph.nodes} - set(changed):
        if before[path] != after[path]:
            raise DifferenceError(f"`{path}` would see another part of the image")
    pairs = zip(old.graph.outputs.values(), new.graph.outputs.values(), strict=True)
    if any(before[ours] != after[theirs] for ours, theirs in pairs):
        raise DifferenceError("the outputs would see another part of the image")
