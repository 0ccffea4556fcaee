"""The plan that carries an old checkpoint over to the new model, as far as it can be.

A tensor is copied, or computed from other tensors so that its step gives the same values. Where
that is not possible, the tensor keeps its initial values: no value is approximated.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field

from inception_dsl.analysis import list_state
from inception_dsl.diff.channels import channel_orders, moves_channels
from inception_dsl.diff.recipes import OldStep, is_affine
from inception_dsl.diff.view import View
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.weights import Copy, Fill, Order, Recipe, Subtract, WeightPlan, list_sources
from inception_dsl.ops import NORMS, OPS, StateTensor, norm_of

_NEW = "a new step"
_GONE = "its step is gone"


def plan_weights(old: Model, new: Model, pairs: Collection[tuple[Path, Path]]) -> WeightPlan:
    """Return the plan that makes the new model's tensors of the old one's.

    Args:
        pairs: the old and the new paths of the steps that are the same.
    """
    before, after = View(old), View(new)
    back = {b: a for a, b in pairs}
    maker = _Maker(before, after, back)
    recipes: list[tuple[str, Recipe]] = []
    fresh: list[tuple[str, str]] = []
    used: set[str] = set()
    for node in after.graph.nodes:
        for tensor in list_state(node):
            key = f"{node.path}.{tensor.name}"
            made = maker.make(node, tensor)
            if isinstance(made, str):
                fresh.append((key, made))
            else:
                recipes.append((key, made))
                used.update(list_sources(made))
    paired = {a for a, _ in pairs}
    left = [
        (key, _GONE if node.path not in paired else "nothing is made of it")
        for node in before.graph.nodes
        for tensor in list_state(node)
        if (key := f"{node.path}.{tensor.name}") not in used
    ]
    return WeightPlan(tuple(recipes), tuple(fresh), tuple(left))


class _Maker:
    """The recipes of the tensors of the new model.

    Args:
        back: new paths to old ones.
    """

    def __init__(self, before: View, after: View, back: Mapping[Path, Path]) -> None:
        orders = _orders_read(after, channel_orders(before, after, back))
        orders |= dict.fromkeys(_find_unmoved(before, after, back))
        old_nodes = {b: before.nodes[a] for b, a in back.items() if a in before.nodes}
        apart = _find_norms_apart(before, after, old_nodes)
        # A norm that was its conv's takes the tensors that the conv had.
        self._convs = {norm.path: conv for conv, norm in apart.written_apart}
        self._norms = {conv.path: OPS[norm.op] for conv, norm in apart.written_apart}
        self._biases = dict(_find_lost_biases(before, after, old_nodes))
        self._inserted = _find_inserted(after, back)
        self._sources: dict[Path, OldStep] = {}
        for path, old_node in old_nodes.items():
            if path in orders and path in after.nodes:
                holder = before.nodes[old_node.reuses] if old_node.reuses else old_node
                self._sources[path] = OldStep(holder, orders[path], apart.put_in.get(path))

    def make(self, node: Node, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a tensor of a new step, or the reason why there is none."""
        conv = self._convs.get(node.path)
        if conv is not None:
            tensor, node = tensor.below_conv(OPS[node.op].norm_layer), conv
        source = self._sources.get(node.path)
        if source is not None:
            norm = self._norms.get(node.path) or norm_of(node.attributes)
            recipe = source.recipe(node, norm, tensor)
            if tensor.role != "mean" or node.path not in self._biases or isinstance(recipe, str):
                return recipe
            if isinstance(recipe, Copy):
                return Subtract(recipe.source, self._biases[node.path])
            return "the bias before it is gone, and its channels come in another order"
        if node.path in self._inserted and tensor.neutral is not None:
            return Fill(tensor.neutral)
        return _NEW


def _orders_read(view: View, orders: Mapping[str, Order | None]) -> dict[Path, Order | None]:
    """Return the order of channels that each node with weights reads, by the node's path.

    Steps that share the weights must read one order: for two there is none.

    Args:
        orders: the orders of the values, if they changed.
    """
    read: dict[Path, set[Order | None]] = {}
    for node in view.graph.nodes:
        read.setdefault(node.reuses or node.path, set()).add(orders.get(node.inputs[0], ()))
    return {path: next(iter(each)) if len(each) == 1 else None for path, each in read.items()}


def _find_unmoved(old: View, new: View, back: Mapping[Path, Path]) -> list[Path]:
    """Return the new steps that read channels as they are, which steps that are gone moved."""
    kept = frozenset(back.values())
    moved: set[Path] = set()
    for node in old.graph.nodes:
        is_behind = not moved.isdisjoint(node.inputs)
        if node.path not in kept and (is_behind or moves_channels(node)):
            moved.add(node.path)
    behind = {node.path for node in old.graph.nodes if not moved.isdisjoint(node.inputs)}
    return [node.path for node in new.graph.nodes if back.get(node.path) in behind]


@dataclass(frozen=True, slots=True)
class _NormsApart:
    """The norms that are steps of their own on one side only, each behind the conv that it is of.

    Attributes:
        written_apart: new convs without a norm, each with the step behind it that was its norm.
        put_in: by the path of a new conv the old step that is now its norm, or is gone.
    """

    written_apart: list[tuple[Node, Node]] = field(default_factory=list)
    put_in: dict[Path, Node] = field(default_factory=dict)


def _find_norms_apart(before: View, after: View, old_nodes: Mapping[Path, Node]) -> _NormsApart:
    kept = frozenset(node.path for node in old_nodes.values())
    old_readers, new_readers = _Readers(before), _Readers(after)
    norms = _NormsApart()
    for new_node in after.graph.nodes:
        old_node = old_nodes.get(new_node.path)
        if old_node is None:
            continue
        old_norm, new_norm = norm_of(old_node.attributes), norm_of(new_node.attributes)
        behind = old_readers.find_norm(old_node)
        if old_norm is not None and new_norm is None:
            came = new_readers.find_norm(new_node)
            if came and OPS[came.op] is old_norm and came.path not in old_nodes:
                norms.written_apart.append((new_node, came))
        elif old_norm is None and behind is not None and behind.path not in kept:
            is_folded = is_affine(list_state(behind)) and new_node.attributes.get("bias", False)
            if OPS[behind.op] is new_norm or (new_norm is None and is_folded):
                norms.put_in[new_node.path] = behind
    return norms


def _find_lost_biases(
    before: View, after: View, old_nodes: Mapping[Path, Node]
) -> Iterator[tuple[Path, str]]:
    """Yield the norms that are steps of their own on both sides, behind a conv that lost its bias.

    Each stands with the key of the bias, which its running mean takes over.
    """
    old_readers, new_readers = _Readers(before), _Readers(after)
    for new_node in after.graph.nodes:
        old_node = old_nodes.get(new_node.path)
        if old_node is None or old_node.op in NORMS or new_node.attributes.get("bias", False):
            continue
        biases = [tensor for tensor in list_state(old_node) if tensor.role == "bias"]
        if not biases or norm_of(old_node.attributes) is not None:
            continue
        old_norm, new_norm = old_readers.find_norm(old_node), new_readers.find_norm(new_node)
        if old_norm is None or new_norm is None or old_nodes.get(new_norm.path) is not old_norm:
            continue
        yield new_norm.path, f"{old_node.path}.{biases[0].name}"


class _Readers:
    """The nodes of a network that read each node."""

    def __init__(self, view: View) -> None:
        self._readers: dict[Path, list[Node]] = {}
        for node in view.graph.nodes:
            for path in node.inputs:
                self._readers.setdefault(path, []).append(node)
        self._shared = {node.reuses for node in view.graph.nodes if node.reuses}
        self._ends = frozenset([*view.graph.outputs.values(), *view.graph.head_outputs])

    def find_norm(self, node: Node) -> Node | None:
        """Return the norm that alone reads a node which ends in no activation, if there is one."""
        readers = self._readers.get(node.path, [])
        if len(readers) != 1 or readers[0].op not in NORMS or node.path in self._ends:
            return None
        if node.attributes.get("act", "none") != "none":
            return None
        is_shared = any(each.reuses or each.path in self._shared for each in (node, *readers))
        return None if is_shared else readers[0]

    def lead_to(self, node: Node, places: Container[Path]) -> bool:
        """Tell whether a node is an end of the network, or some reader of it is in `places`."""
        readers = self._readers.get(node.path, [])
        return node.path in self._ends or any(reader.path in places for reader in readers)


def _find_inserted(view: View, back: Mapping[Path, Path]) -> frozenset[Path]:
    """Return the new steps between old ones that some tensors make change nothing."""
    readers = _Readers(view)
    entered: set[Path] = {*back, *view.graph.inputs}
    candidates: list[Node] = []
    for node in view.graph.nodes:
        tensors = list_state(node)
        is_neutral = bool(tensors) and all(tensor.neutral is not None for tensor in tensors)
        if node.path not in back and is_neutral and node.inputs[0] in entered:
            entered.add(node.path)
            candidates.append(node)
    left: set[Path] = set(back)
    for node in reversed(candidates):
        if readers.lead_to(node, left):
            left.add(node.path)
    return frozenset(node.path for node in candidates if node.path in left)
