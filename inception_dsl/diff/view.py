"""A model with absolute paths: its steps, nodes and calls alike, and what they read."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from inception_dsl.ir import INPUT, Call, CallDef, Model, Node, NodeDef, inline


@dataclass(frozen=True, slots=True)
class Step:
    """A node or a call as it runs, and as it is written.

    Attributes:
        path: from the network's root.
        item: it within its block; of a call, its body too.
        definition: the line that it is written in; None for the network itself.
        block: the block that holds it.
        prefix: the path of the call of that block, and a dot.
        inputs: the steps that it reads; of a block's own input, `prefix` and `input`.
    """

    path: str
    item: Node | Call
    definition: NodeDef | CallDef | None
    block: str
    prefix: str
    inputs: tuple[str, ...]

    @property
    def local(self) -> str:
        """Its path within its block."""
        return self.path.removeprefix(self.prefix)


class View:
    """What a comparison asks of a model.

    Attributes:
        steps: every step by its path; the network itself under an empty one.
        nodes: the nodes of the flat DAG by path.
        in_eval: the nodes that inference runs; `in_training` those that training does.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.graph = inline(model)
        self.nodes: dict[str, Node] = {node.path: node for node in self.graph.nodes}
        self.blocks = {block.name: block for block in model.blocks}
        self._definitions = {
            block.name: {step.path: step for step in block.body} for block in model.blocks
        }
        root = Step("", model.root, None, model.network.name, "", ())
        self.steps: dict[str, Step] = {"": root}
        self.steps.update((step.path, step) for step in self._below(model.root, ""))
        self._holders: dict[str, list[Node]] = {"": list(self.graph.nodes)}
        for node in self.graph.nodes:
            for holder in (node.path, *node.path.parents):
                self._holders.setdefault(holder, []).append(node)
        outputs = [self.graph.output]
        self.in_eval = self._read(outputs)
        self.in_training = self._read([*outputs, *self.graph.head_outputs])

    def _below(self, call: Call, prefix: str) -> Iterator[Step]:
        definitions = self._definitions[call.block]
        for item in call.body:
            definition = definitions.get(item.path)
            if definition is None:  # a copy of a repeated step
                definition = definitions[item.path.parent]
            path = prefix + item.path
            names = (item.input,) if isinstance(item, Call) else item.inputs
            inputs = tuple(prefix + name for name in names)
            yield Step(path, item, definition, call.block, prefix, inputs)
            if isinstance(item, Call):
                yield from self._below(item, f"{path}.")

    def _read(self, outputs: Iterable[str]) -> frozenset[str]:
        wanted = set(outputs)
        for node in reversed(self.graph.nodes):
            if node.path in wanted:
                wanted.update(node.inputs)
        return frozenset(wanted - {INPUT})

    def is_final_softmax(self, node: Node) -> bool:
        """It ends the network or a head, so that the emitted module leaves it to the loss."""
        ends = (self.graph.output, *self.graph.head_outputs)
        return node.op == "softmax" and node.path in ends

    def value(self, path: str, opaque: Container[str] = ()) -> str:
        """The step that makes what is read at a path: calls are looked through, save `opaque`."""
        while path not in opaque:
            holder, _, last = path.rpartition(".")
            step = self.steps.get(path)
            if step is None:
                if last != INPUT or not holder:
                    return path
                path = self.steps[holder].inputs[0]
            elif isinstance(step.item, Call):
                path = f"{path}.{step.item.output}"
            else:
                return path
        return path

    def entering(self, step: Step) -> str:
        """The node whose channels are `in` where a step is written."""
        for head in self.model.heads:
            if step.block == self.model.network.name and head.holds(step.path):
                copies = self.copies_below(head.at) if head.at not in self.steps else 0
                return self.value(f"{head.at}.{copies - 1}" if copies else head.at)
        return self.value(f"{step.prefix}{INPUT}")

    def nodes_below(self, path: str) -> list[Node]:
        """The nodes at a path and below it, in order."""
        return self._holders.get(path, [])

    def copies_below(self, path: str) -> int:
        """How many copies a repeated step has."""
        start = len(path) + 1
        return len({node.path[start:].partition(".")[0] for node in self.nodes_below(path)})

    def scope_of(self, path: str) -> Step:
        """The innermost call that holds what stands at a path."""
        holder = path
        while holder:
            holder = holder.rpartition(".")[0]
            step = self.steps.get(holder)
            if step is not None and isinstance(step.item, Call):
                return step
        return self.steps[""]
