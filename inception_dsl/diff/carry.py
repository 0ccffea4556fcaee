"""The plan that carries an old checkpoint over to the new model, as far as it can be.

A tensor is copied, or made of others so that its step computes what it did; where that is not
possible it is left fresh, never filled with something near.
"""

from __future__ import annotations

from collections.abc import Mapping

from inception_dsl.analysis import state_of
from inception_dsl.diff.channels import Order, channel_orders
from inception_dsl.diff.edits import Diff
from inception_dsl.diff.view import View
from inception_dsl.ir import Model, Node, Path, Value
from inception_dsl.ir.weights import (
    Copy,
    Fill,
    FoldScale,
    FoldShift,
    PermuteIn,
    PermuteOut,
    Recipe,
    Subtract,
    WeightPlan,
    sources,
)
from inception_dsl.ops import StateTensor

_NEW = "a new step"
_GONE = "its step is gone"


def plan_weights(old: Model, new: Model, diff: Diff) -> WeightPlan:
    """What to make of each tensor of the new model, of the old one's.

    Args:
        diff: what became of one model, which knows the pairs of steps.
    """
    before, after = View(old), View(new)
    back = {b: a for a, b in diff.pairs}
    orders = _orders_read(after, channel_orders(before, after, back))
    recipes: list[tuple[str, Recipe]] = []
    fresh: list[tuple[str, str]] = []
    used: set[str] = set()
    for node in after.graph.nodes:
        was = before.nodes.get(back.get(node.path, ""))
        if was and was.reuses:
            was = before.nodes[was.reuses]
        source = _Source(was, orders[node.path]) if was and node.path in orders else None
        for tensor in state_of(node):
            key = f"{node.path}.{tensor.name}"
            made = source.recipe(node, tensor) if source else _NEW
            if isinstance(made, str):
                fresh.append((key, made))
            else:
                recipes.append((key, made))
                used.update(sources(made))
    paired = {a for a, _ in diff.pairs}
    left = [
        (key, _GONE if node.path not in paired else "nothing is made of it")
        for node in before.graph.nodes
        for tensor in state_of(node)
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
    return {path: next(iter(found)) if len(found) == 1 else None for path, found in read.items()}


class _Source:
    """The tensors of an old step, and what a tensor of the new one can be made of them."""

    def __init__(self, node: Node, order: Order | None) -> None:
        self._node = node
        self._order = order
        self._tensors = {tensor.name: tensor for tensor in state_of(node)}

    def recipe(self, new: Node, tensor: StateTensor) -> Recipe | str:
        """How to make a tensor of a new step; why it cannot be made."""
        if not self._tensors or (self._node.op == "linear") != (new.op == "linear"):
            return "its step was another op"
        name = tensor.name.removeprefix("conv.")
        if name.startswith("bn.") and not self._has_norm:
            return self._identity_norm(name, new, tensor)
        own = self._find(name)
        if own is None:
            return self._missing(name, new, tensor)
        if other := self._other_shape(own, tensor):
            return other
        key = self._key(own)
        if self._has_norm and not _has_norm(new) and name in ("weight", "pointwise.weight"):
            return self._folded_weight(own, new)
        if self._has_norm and not _has_norm(new) and name.endswith("bias") and new.op != "linear":
            return self._folded_bias(own, new, tensor)
        if name == "bn.running_mean" and self._loses_bias(new):
            return Subtract(key, self._key(self._find_bias() or ""))
        return self._ordered(key, name, new, tensor)

    def _ordered(self, key: str, name: str, new: Node, tensor: StateTensor) -> Recipe | str:
        """A tensor as it is, but for the order of the channels that come in."""
        if self._order == () or tensor.shape == ():
            return Copy(key)
        if new.op == "batchnorm":
            mixed = "its channels are others, and in no order that can be told"
            return mixed if self._order is None else PermuteOut(key, self._order)
        if name not in ("weight", "depthwise.weight"):
            return Copy(key)
        if self._order is None or new.op == "sepconv" or tensor.shape[1] != len(self._order):
            return "it reads its channels in an order that cannot be made good"
        return PermuteIn(key, self._order)

    def _missing(self, name: str, new: Node, tensor: StateTensor) -> Recipe | str:
        """What a tensor of a step that had none is, if it can be said."""
        if name.endswith("bias") and self._has_norm and _has_norm(new):
            return Fill(0.0)
        if name.endswith("bias") and self._has_norm:
            return self._folded_bias(None, new, tensor)
        if name.endswith("bias"):
            return Fill(0.0)
        if name == ("weight" if new.op == "batchnorm" else "bn.weight"):
            return Fill(1.0)
        return "a new tensor"

    def _identity_norm(self, name: str, new: Node, tensor: StateTensor) -> Recipe | str:
        """A batch norm that gives what it reads, but for the bias that it takes over."""
        eps = _number(new.attributes["eps"])
        bias = self._find_bias()
        keeps = bool(new.attributes["bias"])
        match name:
            case "bn.bias" if bias is not None and not keeps:
                return self._other_shape(bias, tensor) or Copy(self._key(bias))
            case "bn.running_var":
                return Fill(1 - eps)
            case "bn.weight":
                return Fill(1.0)
            case _:
                return Fill(0.0)

    def _folded_weight(self, own: str, new: Node) -> Recipe | str:
        if self._order != ():
            return "its norm is gone, and its channels come in another order"
        if not new.attributes["bias"]:
            return "its norm is gone, and there is no bias to take over its shift"
        return FoldScale(self._key(own), self._gamma, self._key("bn.running_var"), self._eps)

    def _folded_bias(self, own: str | None, new: Node, tensor: StateTensor) -> Recipe | str:
        """What a norm shifted by, for the bias of a step into whose weight its scale goes."""
        if other := self._other_shape("bn.running_mean", tensor):
            return other
        weights = ("weight", "pointwise.weight")
        weight = next(t for t in state_of(new) if t.name.removeprefix("conv.") in weights)
        scaled = self.recipe(new, weight)
        if isinstance(scaled, str):
            return scaled
        return FoldShift(
            self._key(own) if own else None,
            self._gamma,
            self._key("bn.bias"),
            self._key("bn.running_mean"),
            self._key("bn.running_var"),
            self._eps,
        )

    def _other_shape(self, own: str, tensor: StateTensor) -> str | None:
        """Why a tensor of the old step does not fit; None where it does."""
        shape = self._tensors[own].shape
        return None if shape == tensor.shape else f"it had the shape {_shown(shape)}"

    @property
    def _has_norm(self) -> bool:
        return _has_norm(self._node)

    @property
    def _gamma(self) -> str | None:
        return self._key("bn.weight") if "bn.weight" in self._tensors else None

    @property
    def _eps(self) -> float:
        return _number(self._node.attributes["eps"])

    def _key(self, name: str) -> str:
        return f"{self._node.path}.{name}"

    def _find(self, name: str) -> str | None:
        return next((own for own in (f"conv.{name}", name) if own in self._tensors), None)

    def _find_bias(self) -> str | None:
        return self._find("bias") or self._find("pointwise.bias")

    def _loses_bias(self, new: Node) -> bool:
        """There is a bias before the norm, and none any more: the mean takes it over."""
        return self._find_bias() is not None and not new.attributes.get("bias", False)


def _has_norm(node: Node) -> bool:
    return node.attributes.get("norm") == "batchnorm"


def _number(value: Value) -> float:
    assert not isinstance(value, str | tuple)
    return float(value)


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of a scalar"
