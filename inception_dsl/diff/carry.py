"""The plan that carries an old checkpoint over to the new model, as far as it can be.

A tensor is copied, or computed from other tensors so that its step gives the same values. Where
that is not possible, the tensor keeps its initial values: no value is approximated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inception_dsl.analysis import list_state
from inception_dsl.diff.channels import (
    channel_orders,
    count_channels,
    count_groups,
    keeps_groups,
    moves_channels,
)
from inception_dsl.diff.edits import Diff
from inception_dsl.diff.view import View
from inception_dsl.ir import Model, Node, Path, Value
from inception_dsl.ir.weights import (
    Copy,
    Fill,
    FoldScale,
    FoldScaleTransposed,
    FoldShift,
    Order,
    PermuteIn,
    PermuteOut,
    Recipe,
    Subtract,
    WeightPlan,
    list_sources,
)
from inception_dsl.ops import OPS, StateTensor, norm_of
from inception_dsl.ops.facts import Role

_NEW = "a new step"
_GONE = "its step is gone"
_LAST_WEIGHTS: frozenset[Role] = frozenset(["weight", "standardised weight"])


def plan_weights(old: Model, new: Model, diff: Diff) -> WeightPlan:
    """Return the plan that makes the new model's tensors of the old one's.

    Args:
        diff: the comparison of the models, with the pairs of steps.
    """
    before, after = View(old), View(new)
    back = {b: a for a, b in diff.pairs}
    orders = _orders_read(after, channel_orders(before, after, back))
    orders |= dict.fromkeys(_find_unmoved(before, after, back))
    recipes: list[tuple[str, Recipe]] = []
    fresh: list[tuple[str, str]] = []
    used: set[str] = set()
    for node in after.graph.nodes:
        old_node = before.nodes.get(back.get(node.path, ""))
        if old_node and old_node.reuses:
            old_node = before.nodes[old_node.reuses]
        source = _Source(old_node, orders[node.path]) if old_node and node.path in orders else None
        for tensor in list_state(node):
            key = f"{node.path}.{tensor.name}"
            made = source.recipe(node, tensor) if source else _NEW
            if isinstance(made, str):
                fresh.append((key, made))
            else:
                recipes.append((key, made))
                used.update(list_sources(made))
    paired = {a for a, _ in diff.pairs}
    left = [
        (key, _GONE if node.path not in paired else "nothing is made of it")
        for node in before.graph.nodes
        for tensor in list_state(node)
        if (key := f"{node.path}.{tensor.name}") not in used
    ]
    return WeightPlan(tuple(recipes), tuple(fresh), tuple(left))


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


class _Source:
    """The tensors of an old step, and the recipes that make a new step's tensors of them."""

    def __init__(self, node: Node, order: Order | None) -> None:
        self._node = node
        self._order = order
        self._tensors = {tensor.slot: tensor for tensor in list_state(node)}
        self._norm = norm_of(node.attributes)

    def recipe(self, new: Node, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a tensor of a new step, or the reason why there is none."""
        old_op, new_op = OPS[self._node.op], OPS[new.op]
        if old_op.family != new_op.family or (old_op is not new_op and not self._tensors):
            return "its step was another op"
        new_norm = norm_of(new.attributes)
        if tensor.is_of_norm and self._norm is not new_norm:
            return self._of_new_norm(new, tensor)
        old = self._tensors.get(tensor.slot)
        if old is None:
            return self._missing(new, tensor)
        if old_op is not new_op and tensor.role not in ("weight", "bias") and not old.is_of_norm:
            return "its step was another op"
        if misfit := _other_shape(old, tensor):
            return misfit
        if self._norm is not None and new_norm is None and tensor.role in _LAST_WEIGHTS:
            return self._folded_weight(old, new)
        if self._norm is not None and new_norm is None and tensor.role == "bias":
            return self._folded_bias(old, new, tensor)
        if tensor.role == "mean" and self._loses_bias(new):
            bias = self._find("bias")
            assert bias is not None
            return Subtract(self._key(old), self._key(bias))
        return self._ordered(self._key(old), new, tensor)

    def _ordered(self, key: str, new: Node, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a tensor that stays the same, except for the order of channels."""
        axis = tensor.in_axis
        if self._order == () or axis == "none":
            return Copy(key)
        places = tensor.in_places
        order = tuple((places * first, places * count) for first, count in self._order or ())
        channels = OPS[new.op].channels
        is_torn = channels == "grouped" and not keeps_groups(
            order, new.type.channels, count_groups(new)
        )
        if not order or axis == "grouped" or tensor.shape[axis] != count_channels(order) or is_torn:
            if channels == "separate":
                return "its channels differ, and their order is unknown"
            return "it reads its channels in an order that no recipe can restore"
        return PermuteOut(key, order) if axis == 0 else PermuteIn(key, order)

    def _missing(self, new: Node, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a tensor that the old step did not have."""
        if tensor.role == "bias" and self._norm is not None and norm_of(new.attributes) is None:
            return self._folded_bias(None, new, tensor)
        if tensor.role in ("bias", "shift"):
            return Fill(0.0)
        if tensor.role == "scale":
            return Fill(1.0)
        return "a new tensor"

    def _of_new_norm(self, new: Node, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a new norm that changes no value, but may take over a bias."""
        if self._norm is not None:
            return "its norm was another one"
        if not _is_affine(list_state(new)):
            return "a new norm, which changes its input whatever its tensors are"
        bias = self._find("bias")
        match tensor.role:
            case "shift" if bias is not None and not new.attributes["bias"]:
                return _other_shape(bias, tensor) or Copy(self._key(bias))
            case "variance":
                return Fill(1 - _number(new.attributes["eps"]))
            case "scale":
                return Fill(1.0)
            case _:
                return Fill(0.0)

    def _folded_weight(self, weight: StateTensor, new: Node) -> Recipe | str:
        """Return the recipe of a weight into which the scale of the old step's norm goes."""
        if not _is_affine(self._tensors.values()):
            return "its norm is removed, and its effect depends on its input"
        if weight.role != "weight":
            return "its norm is removed, and standardised weights cannot take over its scale"
        if self._order != ():
            return "its norm is gone, and its channels come in another order"
        if not new.attributes["bias"]:
            return "its norm is gone, and there is no bias to take over its shift"
        if weight.out_axis == "grouped":
            return "its norm is gone, and no axis of its weight has all its output channels"
        fold = FoldScale if weight.out_axis == 0 else FoldScaleTransposed
        return fold(
            self._key(weight), self._gamma, self._key(self._norm_tensor("variance")), self._eps
        )

    def _folded_bias(
        self, bias: StateTensor | None, new: Node, tensor: StateTensor
    ) -> Recipe | str:
        """Return the recipe of a bias that takes over the shift of the old step's norm."""
        weight = next(part for part in list_state(new) if part.role in _LAST_WEIGHTS)
        scaled = self.recipe(new, weight)
        if isinstance(scaled, str):
            return scaled
        mean = self._norm_tensor("mean")
        return _other_shape(mean, tensor) or FoldShift(
            self._key(bias) if bias else None,
            self._gamma,
            self._key(self._norm_tensor("shift")),
            self._key(mean),
            self._key(self._norm_tensor("variance")),
            self._eps,
        )

    def _norm_tensor(self, role: Role) -> StateTensor:
        """Return a tensor of the old step's norm."""
        tensor = self._find(role)
        assert tensor is not None
        return tensor

    @property
    def _gamma(self) -> str | None:
        scale = self._find("scale")
        return self._key(scale) if scale else None

    @property
    def _eps(self) -> float:
        return _number(self._node.attributes["eps"])

    def _key(self, tensor: StateTensor) -> str:
        return f"{self._node.path}.{tensor.name}"

    def _find(self, role: Role) -> StateTensor | None:
        return next((tensor for tensor in self._tensors.values() if tensor.role == role), None)

    def _loses_bias(self, new: Node) -> bool:
        """Tell whether the bias before the norm is gone, so that the mean takes it over."""
        return self._find("bias") is not None and not new.attributes.get("bias", False)


def _is_affine(tensors: Iterable[StateTensor]) -> bool:
    """Tell whether a norm is an affine map in inference: it has running statistics."""
    return {"mean", "variance"} <= {tensor.role for tensor in tensors}


def _other_shape(old: StateTensor, tensor: StateTensor) -> str | None:
    """Return why a tensor of the old step does not fit; None if it does."""
    return None if old.shape == tensor.shape else f"it had the shape {_shown(old.shape)}"


def _number(value: Value) -> float:
    assert not isinstance(value, str | tuple)
    return float(value)


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of a scalar"
