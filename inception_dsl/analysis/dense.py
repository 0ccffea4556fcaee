"""The convolutions that mix all channels, gathered by the line that wrote them.

A line of a block runs once for each call of the block. A change of the line changes all of these
runs, so that the analyses behind the design hints count all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inception_dsl.analysis.cost import CostReport
from inception_dsl.analysis.stage import build_stage_lookup
from inception_dsl.expr import Apply, Binary, Name
from inception_dsl.ir import Call, Model, Node, NodeDef, Path
from inception_dsl.ops import OPS
from inception_dsl.source import Span

Kernel = tuple[int, int]
"""The height and the width of a kernel."""


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """The nodes of inference that one line of a spec wrote.

    Attributes:
        span: the line; None for a node that no text wrote, which is alone.
    """

    span: Span | None
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Savings:
    """The costs of some nodes, and of those that replace them.

    Units: multiply-accumulates of one image, and learnt values.
    """

    macs_before: int
    macs_after: int
    params_before: int
    params_after: int

    @property
    def macs(self) -> int:
        """The multiply-accumulates that are saved."""
        return self.macs_before - self.macs_after

    @property
    def params(self) -> int:
        """The learnt values that are saved."""
        return self.params_before - self.params_after

    @property
    def percent(self) -> float:
        """The share of the multiply-accumulates that is saved."""
        return 100 * self.macs / self.macs_before

    def __add__(self, other: Savings) -> Savings:
        """Return the costs of both together."""
        return Savings(
            self.macs_before + other.macs_before,
            self.macs_after + other.macs_after,
            self.params_before + other.params_before,
            self.params_after + other.params_after,
        )


NOTHING_SAVED = Savings(0, 0, 0, 0)


def find_kernel(node: Node) -> Kernel | None:
    """Return the kernel of a convolution whose every output channel reads every input channel.

    Its weights are a single tensor of output channels, input channels and the kernel. A grouped, a
    separable or a transposed convolution holds others.
    """
    kernel, in_groups = _find_kernel(node)
    return None if in_groups else kernel


def find_grouped_kernel(node: Node) -> Kernel | None:
    """Return the kernel of a convolution in groups that mix several channels each.

    A depthwise convolution mixes none.
    """
    kernel, in_groups = _find_kernel(node)
    return kernel if in_groups else None


def _find_kernel(node: Node) -> tuple[Kernel | None, bool]:
    """Return the kernel of a convolution that mixes channels, and whether it does so in groups."""
    op = OPS[node.op]
    kernel = node.attributes.get(op.kernel) if op.kernel else None
    if op.state is None or not isinstance(kernel, tuple) or not node.type.is_map:
        return None, False
    channels = node.input_types[0].channels
    weights = [
        (tensor.in_axis, tensor.shape)
        for tensor in op.state(node.attributes, channels)
        if tensor.role in ("weight", "standardised weight", "inner weight")
    ]
    if len(weights) != 1:
        return None, False
    ((axis, (given, read, *sides)),) = weights
    is_conv = (given, tuple(sides)) == (node.type.channels, kernel)
    in_groups = axis == "grouped"
    is_mixed = 1 < read < channels if in_groups else axis == 1 and read == channels
    return kernel if is_conv and is_mixed else None, in_groups


@dataclass(frozen=True, slots=True)
class Inference:
    """The nodes that inference runs, and the lines that wrote them.

    Attributes:
        nodes: in order, without those of training heads.
        line_of: the identity of the line of each node, by the node's path: its region, or without a
            text its block and its path there.
        read_elsewhere: the paths of the values that an output gives, or a node outside inference
            reads, as in a training head.
        settable: the lines with an attribute that a parameter sets.
        kernels: the kernel of each convolution that mixes all channels, by its path.
        grouped: the kernel of each convolution in groups that mixes those of a group.
    """

    nodes: tuple[Node, ...]
    line_of: Mapping[str, Hashable]
    read_elsewhere: frozenset[str]
    settable: frozenset[Span]
    kernels: Mapping[str, Kernel] = field(init=False)
    grouped: Mapping[str, Kernel] = field(init=False)

    def __post_init__(self) -> None:
        kernels: dict[str, Kernel] = {}
        grouped: dict[str, Kernel] = {}
        for node in self.nodes:
            kernel, in_groups = _find_kernel(node)
            if kernel is not None:
                (grouped if in_groups else kernels)[node.path] = kernel
        object.__setattr__(self, "kernels", kernels)
        object.__setattr__(self, "grouped", grouped)

    def gather(self, nodes: Iterable[Node]) -> Iterator[WrittenStep]:
        """Yield the lines that wrote some nodes, each with its nodes."""
        lines: dict[Hashable, list[Node]] = {}
        for node in nodes:
            lines.setdefault(self.line_of[node.path], []).append(node)
        for members in lines.values():
            yield WrittenStep(members[0].origin.span, tuple(members))


def list_inference(model: Model, cost: CostReport) -> Inference:
    """Return the nodes that inference runs."""
    runs = {row.path for row in cost.rows if row.head is None and row.is_read}
    nodes = tuple(node for node in model.graph.nodes if node.path in runs)
    others = (node for node in model.graph.nodes if node.path not in runs)
    elsewhere = {*model.graph.outputs.values(), *(path for node in others for path in node.inputs)}
    line_of = dict(_identify(model.root, ""))
    return Inference(nodes, line_of, frozenset(elsewhere), frozenset(_list_settable(model)))


def _list_settable(model: Model) -> Iterator[Span]:
    """Yield the lines with an attribute that a parameter sets."""
    for block in model.blocks:
        for step in block.body:
            if isinstance(step, NodeDef) and step.origin.span is not None:
                values = step.attributes.values()
                if any(isinstance(value, Name | Binary | Apply) for value in values):
                    yield step.origin.span


def list_everything(model: Model, run: Inference) -> Inference:
    """Return all nodes of a model as if inference ran them, and as if no weights were shared."""
    nodes = tuple(replace(each, reuses=None) for each in model.graph.nodes)
    elsewhere = frozenset(model.graph.outputs.values())
    return Inference(nodes, run.line_of, elsewhere, run.settable)


def _identify(call: Call, prefix: str) -> Iterator[tuple[str, Hashable]]:
    """Yield the path of every node below a call, and the identity of its line."""
    for item in call.body:
        path = prefix + item.path
        if isinstance(item, Call):
            yield from _identify(item, f"{path}.")
        else:
            yield path, item.origin.span or (call.block, item.path.step)


def find_lines(model: Model) -> dict[Path, Span | None]:
    """Return the line of the network that runs each of its stages, by the stage's path."""
    stage_of = build_stage_lookup(model)
    return {stage_of(item.path): item.origin.span for item in model.root.body}


def count_nodes(nodes: Sequence[Node]) -> tuple[int, int]:
    """Return the multiply-accumulates of nodes and their learnt values, as a report does."""
    macs = params = 0
    for node in nodes:
        cost = OPS[node.op].cost(node.attributes, node.input_types, node.type)
        macs += cost.macs
        if node.reuses is None:
            params += cost.weights + cost.biases + cost.norms
    return macs, params


def compare_nodes(before: Sequence[Node], after: Sequence[Node]) -> Savings:
    """Return the costs of some nodes and of those that replace them."""
    macs_before, params_before = count_nodes(before)
    macs_after, params_after = count_nodes(after)
    return Savings(macs_before, macs_after, params_before, params_after)


def gather_readers(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """Return the nodes that read each value, by the value's path."""
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for path in dict.fromkeys(node.inputs):
            readers.setdefault(path, []).append(node)
    return readers
