"""A view of a model by absolute paths: its steps, both nodes and calls, with their inputs."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from inception_dsl.ir import INPUT, Call, CallDef, Model, Node, NodeDef, Path
from inception_dsl.ops import OPS


class RunStep(NamedTuple):
    """A node or a call with absolute paths, and the line that wrote it.

    Attributes:
        path: its path from the network's root.
        item: the node or the call, with paths from the start of its block.
        definition: the line that it is written in; None for the network itself.
        block: the name of the block that holds it.
        scope: the path of the call of that block.
        inputs: the steps that it reads; the block's own input is `scope` and `input`.
    """

    path: Path
    item: Node | Call
    definition: NodeDef | CallDef | None
    block: str
    scope: Path
    inputs: tuple[Path, ...]

    @property
    def node(self) -> Node:
        """The node of a step that runs an op."""
        assert isinstance(self.item, Node)
        return self.item

    @property
    def written(self) -> NodeDef:
        """The line of a step that runs an op."""
        assert isinstance(self.definition, NodeDef)
        return self.definition


class View:
    """The lookups that a comparison makes in one model.

    Attributes:
        steps: every step by its path; the network itself has the empty path.
        nodes: the nodes of the flat graph by path.
        in_eval: the nodes that inference runs.
        in_training: the nodes that training runs.
    """

    def __init__(self, model: Model, *, is_code: bool = False) -> None:
        """Make the lookups of a model.

        Args:
            is_code: the model is code, which runs all of its steps; the module that a spec becomes
                leaves a softmax at its end to the loss.
        """
        self.model = model
        self._is_code = is_code
        self.graph = model.graph
        self.nodes: dict[str, Node] = {node.path: node for node in self.graph.nodes}
        self.blocks = {block.name: block for block in model.blocks}
        self._definitions = {
            block.name: {step.path: step for step in block.body} for block in model.blocks
        }
        self._sources: dict[Path, Path] = {}
        self._last_copies: dict[Path, Path] = {}
        root = RunStep(Path(), model.root, None, model.network.name, Path(), ())
        self.steps: dict[str, RunStep] = {"": root}
        self.steps.update((step.path, step) for step in self._steps_below(model.root, Path()))
        self._nodes_below: dict[str, list[Node]] = {"": list(self.graph.nodes)}
        for node in self.graph.nodes:
            for holder in (node.path, *node.path.parents):
                self._nodes_below.setdefault(holder, []).append(node)
        outputs = self.graph.outputs.values()
        self.in_eval = self._find_read(outputs)
        self.in_training = self._find_read([*outputs, *self.graph.head_outputs])

    def _steps_below(self, call: Call, scope: Path) -> Iterator[RunStep]:
        definitions = self._definitions[call.block]
        for item in call.body:
            definition = definitions.get(item.path)
            if definition is None:
                definition = definitions[item.path.step]
            path = scope / item.path
            if path.copy is not None:
                self._last_copies[path.step] = path
            names = item.inputs
            inputs = tuple(scope / name for name in names)
            yield RunStep(path, item, definition, call.block, scope, inputs)
            if isinstance(item, Call):
                entries = (path / entry for entry in item.entries)
                self._sources.update(zip(entries, inputs, strict=True))
                if len(item.outputs) > 1:
                    # An output that has the name of a step is the value of that step.
                    outputs = {path / name: path / inside for name, inside in item.outputs.items()}
                    self._sources |= {at: p for at, p in outputs.items() if at != p}
                yield from self._steps_below(item, path)

    def _find_read(self, outputs: Iterable[str]) -> frozenset[str]:
        read = set(outputs)
        for node in reversed(self.graph.nodes):
            if node.path in read:
                read.update(node.inputs)
        return frozenset(read.difference(self.graph.inputs))

    def is_final_softmax(self, node: Node) -> bool:
        """Tell whether the node is a softmax that the emitted module leaves to the loss."""
        if self._is_code:
            return False
        outputs = list(self.graph.outputs.values())
        ends = (*(outputs if len(outputs) == 1 else ()), *self.graph.head_outputs)
        return OPS[node.op].is_left_to_loss and node.path in ends

    def find_maker(self, path: str, opaque: Container[str] = ()) -> Path:
        """Return the step that makes the value at a path; look through calls not in `opaque`.

        Inputs of calls, and outputs of those that give several, are looked through unless `opaque`
        has their paths.
        """
        at = Path(path)
        while at not in opaque:
            step = self.steps.get(at)
            if at in self._sources:  # an input of a call, or one of its outputs
                at = self._sources[at]
            elif step is None:
                return at
            elif isinstance(step.item, Call):
                at = at / step.item.output
            else:
                return at
        return at

    def find_entering(self, step: RunStep) -> Path:
        """Return the node whose channels are called `in` where the step is written."""
        for head in self.model.heads:
            if step.block == self.model.network.name and head.holds(step.path):
                at = self.model.root.absent.get(head.at, head.at)
                copies = self.count_copies(at) if at not in self.steps else 0
                return self.find_maker(at / (copies - 1) if copies else at)
        return self.find_maker(step.scope / INPUT)

    def nodes_within(self, path: str) -> list[Node]:
        """Return the nodes at a path and below it, in order."""
        return self._nodes_below.get(path, [])

    def count_copies(self, path: str) -> int:
        """Count the copies of a repeated step."""
        below = (node.path.relative_to(path) for node in self.nodes_within(path))
        return len({rest.first for rest in below})

    def find_end_copies(self, path: Path) -> tuple[RunStep, RunStep]:
        """Return the first and the last copy of a repeated step, given the path of any copy."""
        return self.steps[path.step / 0], self.steps[self._last_copies[path.step]]

    def scope_of(self, path: str) -> RunStep:
        """Return the path of the innermost call that holds a path."""
        for holder in Path(path).parents:
            step = self.steps.get(holder)
            if step is not None and isinstance(step.item, Call):
                return step
        return self.steps[""]
