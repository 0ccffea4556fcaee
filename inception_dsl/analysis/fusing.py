"""The steps that a network runs in inference, with all that can be computed before it runs.

A batch norm behind a linear map is folded into its weights, and so is the factor of a sum. A 1x1
conv that gives fewer channels runs before the average pool that it reads: both are linear, so that
their order does not matter. Training heads, dropout and other idle steps are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inception_dsl.analysis.parts import Place, split
from inception_dsl.analysis.state import list_tensors
from inception_dsl.ir import Graph, Node, Path, TensorType
from inception_dsl.ops import OPS, StateTensor
from inception_dsl.ops.attribute import decimal, read_pair, size
from inception_dsl.ops.window import find_reaches, margins, same_margins

FACTOR = "scale"
"""The attribute of a sum that multiplies the last of its values."""

COUNTS_PADDING = "count_pad"
"""The attribute that only the mean of sliding windows has."""


@dataclass(frozen=True, slots=True)
class FoldedNorm:
    """A batch norm that is folded into weights.

    Attributes:
        tensors: the keys of its tensors in the state_dict, by their names in the op.
    """

    tensors: Mapping[str, str]
    eps: float


@dataclass(frozen=True, slots=True)
class FusedStep:
    """A step in inference.

    Attributes:
        name: the name of its value.
        path: the step of the spec that it comes from.
        place: the part of that step.
        node: its op, its attributes and its types.
        reads: the names of the values that it reads.
        tensors: the keys of its tensors in the state_dict, by their names in the op.
        norm: the batch norm that its weights take up.
        leaves_bias: another step adds its bias.
        adds_bias_of: the name of a conv whose bias it adds to its result.
        factor: its weight and its bias take up a multiplication of its result by this number.
    """

    name: str
    path: Path
    place: Place
    node: Node
    reads: tuple[str, ...]
    tensors: Mapping[str, str]
    norm: FoldedNorm | None = None
    leaves_bias: bool = False
    adds_bias_of: str = ""
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class FusedGraph:
    """The steps of a network in inference, each after those that it reads.

    Attributes:
        outputs: the name of the value of each output, by the output's name.
    """

    steps: tuple[FusedStep, ...]
    outputs: Mapping[str, str]


def fuse(graph: Graph) -> FusedGraph:
    """Return the steps that a network runs in inference."""
    ends = {name: str(path) for name, path in graph.outputs.items()}
    steps, given = _leave_out_idle(
        [step for node in graph.nodes for step in _open(node)], frozenset(ends.values())
    )
    outputs = {name: given.get(value, value) for name, value in ends.items()}
    kept = frozenset(outputs.values())
    steps = _fold_factors(_fold_norms(_keep_needed(steps, kept), kept), kept)
    return FusedGraph(tuple(_swap_pools(steps, kept)), outputs)


def find_unused(graph: Graph, fused: FusedGraph) -> tuple[Path, ...]:
    """Return the steps whose tensors inference has no use for, or the steps that hold only such.

    Counters of a norm are of no use either; they are left to its other tensors.
    """
    used: set[Path] = set()
    for step in fused.steps:
        norm = step.norm.tensors if step.norm else {}
        used.update(Path(key) for key in (*step.tensors.values(), *norm.values()))
    holders = {holder for key in used for holder in key.parents}
    unused: dict[Path, None] = {}
    for node in graph.nodes:
        if node.reuses is None and list_tensors(node) and node.path not in holders:
            above = (path for path in node.path.parents if path not in holders)
            unused[max(above, key=lambda path: -len(path), default=node.path)] = None
    return tuple(unused)


def _open(node: Node) -> Iterator[FusedStep]:
    """Yield the ops of a step in turn; the value of the last one has the name of the step."""
    parts = list(split(node))
    reads = tuple(map(str, node.inputs))
    for part in parts:
        name = str(node.path) if part is parts[-1] else f"{node.path}.{part.place}"
        tensors = {Path(tensor.slot[1]).name: key for key, tensor in part.tensors}
        yield FusedStep(name, node.path, part.place, part.node, reads, tensors)
        reads = (name,)


def _leave_out_idle(
    steps: Sequence[FusedStep], ends: Collection[str]
) -> tuple[list[FusedStep], dict[str, str]]:
    """Return the steps that act in inference, and the value that each other one gives.

    A softmax at the end is left out, as the module leaves it to the loss.
    """
    given: dict[str, str] = {}
    kept = []
    for step in steps:
        op, reads = OPS[step.node.op], tuple(given.get(name, name) for name in step.reads)
        acts = op.acts(step.node.attributes, step.node.input_types)
        if acts == "always" and not (op.is_left_to_loss and step.name in ends):
            kept.append(replace(step, reads=reads))
        else:
            given[step.name] = reads[0]
    return kept, given


def _keep_needed(steps: Sequence[FusedStep], ends: Collection[str]) -> list[FusedStep]:
    """Return the steps that an output of inference depends on."""
    needed, kept = set(ends), []
    for step in reversed(steps):
        if step.name in needed:
            needed.update(step.reads)
            kept.append(step)
    return kept[::-1]


def find_pairs(
    steps: Sequence[FusedStep], ends: Collection[str]
) -> Iterator[tuple[FusedStep, FusedStep]]:
    """Yield each step that has one reader alone, with that reader, which reads nothing else."""
    for maker, reader in find_sole_readers(steps, ends):
        if len(reader.reads) == 1:
            yield maker, reader


def find_sole_readers(
    steps: Sequence[FusedStep], ends: Collection[str]
) -> Iterator[tuple[FusedStep, FusedStep]]:
    """Yield each step that has one reader alone, with that reader, in the order of its reads."""
    readers = Counter(name for step in steps for name in step.reads)
    makers = {step.name: step for step in steps}
    for step in steps:
        for name in step.reads:
            if readers[name] == 1 and name in makers and name not in ends:
                yield makers[name], step


def _fold_norms(steps: Sequence[FusedStep], ends: Collection[str]) -> list[FusedStep]:
    folded: dict[str, FusedStep] = {}
    for maker, step in find_pairs(steps, ends):
        if keeps_statistics(step.node) and find_weight(maker.node) is not None:
            norm = FoldedNorm(step.tensors, float(decimal(step.node.attributes, "eps")))
            folded[maker.name] = replace(maker, name=step.name, norm=norm)
    taken = {step.name for step in folded.values()}
    return [folded.get(step.name, step) for step in steps if step.name not in taken]


def _fold_factors(steps: Sequence[FusedStep], ends: Collection[str]) -> list[FusedStep]:
    """Return the steps with the factor of a sum in the weights that it multiplies, if it can be."""
    folded: dict[str, FusedStep] = {}
    for maker, step in find_sole_readers(steps, ends):
        values = step.node.attributes
        has_factor = OPS[step.node.op].join is not None and values.get(FACTOR, 1) != 1
        if has_factor and maker.name == step.reads[-1] and find_weight(maker.node) is not None:
            folded[maker.name] = replace(maker, factor=Decimal(decimal(values, FACTOR)))
            plain = replace(step.node, attributes={**values, FACTOR: 1})
            folded[step.name] = replace(step, node=plain)
    return [folded.get(step.name, step) for step in steps]


def _swap_pools(steps: Sequence[FusedStep], ends: Collection[str]) -> list[FusedStep]:
    """Return the steps with each 1x1 conv before the average pool that it alone reads."""
    swapped: dict[str, FusedStep] = {}
    for pool, conv in find_pairs(steps, ends):
        if slides_by_one(pool.node) and is_narrowing(conv.node):
            name = f"{conv.name}.before_pool"
            is_apart = counts_padding(pool.node)
            swapped[pool.name] = replace(
                conv,
                name=name,
                reads=pool.reads,
                node=_retype(conv.node, pool.node.input_types[0].size),
                leaves_bias=is_apart,
            )
            width = conv.node.type.channels
            swapped[conv.name] = replace(
                pool,
                name=conv.name,
                reads=(name,),
                node=narrow(pool.node, width),
                adds_bias_of=name if is_apart else "",
            )
    return [swapped.get(step.name, step) for step in steps]


@dataclass(frozen=True, slots=True)
class KeptNorm:
    """A norm that no weight takes up.

    Attributes:
        step: the norm.
        behind: the op that it reads; empty for an input.
        is_fixed: it is an affine map in inference, and not one of each image.
        has_other_readers: it is behind a linear map whose value others read, too.
    """

    step: FusedStep
    behind: str
    is_fixed: bool
    has_other_readers: bool


def list_kept_norms(graph: FusedGraph) -> Iterator[KeptNorm]:
    """Yield the norms that run as steps of their own in inference."""
    makers = {step.name: step for step in graph.steps}
    for step in graph.steps:
        if OPS[step.node.op].family == "norm":
            maker = makers.get(step.reads[0])
            is_fixed = keeps_statistics(step.node)
            is_linear = maker is not None and find_weight(maker.node) is not None
            behind = maker.node.op if maker is not None else ""
            yield KeptNorm(step, behind, is_fixed, is_fixed and is_linear)


def find_weight(node: Node) -> StateTensor | None:
    """Return the weight of a linear map, which takes up a norm behind it, if a node is one."""
    roles = ("weight", "standardised weight")
    return next((tensor for tensor in list_tensors(node) if tensor.role in roles), None)


def keeps_statistics(node: Node) -> bool:
    """Tell whether a node is a norm by running statistics: in inference an affine map."""
    return any(tensor.role == "variance" for tensor in list_tensors(node))


def slides_by_one(node: Node) -> bool:
    """Tell whether a node is an average pool with stride 1."""
    values = node.attributes
    return COUNTS_PADDING in values and read_pair(values, "stride") == (1, 1)


def is_narrowing(node: Node) -> bool:
    """Tell whether a node is a 1x1 conv of all channels at each place, and gives fewer."""
    values, kernel, weight = node.attributes, OPS[node.op].kernel, find_weight(node)
    if weight is None or not kernel or (weight.in_axis, weight.out_axis) != (1, 0):
        return False
    if size(values, kernel) != (1, 1) or read_pair(values, "stride") != (1, 1):
        return False
    (input,) = node.input_types
    return node.type.size == input.size and node.type.channels < input.channels


def counts_padding(node: Node) -> bool:
    """Tell whether zeros around the map are in the mean of an average pool."""
    values = node.attributes
    if not values[COUNTS_PADDING]:
        return False
    if values["pad"] == "same_tf":
        return any(map(any, same_margins(values, node.input_types[0])))
    tall, wide = find_reaches(values)
    return margins(values["pad"], tall)[0] > 0 or margins(values["pad"], wide)[1] > 0


def _retype(conv: Node, size: tuple[int, int]) -> Node:
    """Return a 1x1 conv on a map of another size."""
    (input,) = conv.input_types
    given, made = (TensorType((type.channels, *size)) for type in (input, conv.type))
    return replace(conv, input_types=(given,), type=made)


def narrow(pool: Node, width: int) -> Node:
    """Return a pool on a map of another number of channels."""
    (input,) = pool.input_types
    given, made = (TensorType((width, *type.size)) for type in (input, pool.type))
    return replace(pool, input_types=(given,), type=made)
