"""The recipes that make the tensors of a new step of those of an old one.

A recipe gives the values that the old step gave. Where there is none, the reason stands instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from inception_dsl.analysis import list_state
from inception_dsl.diff.channels import count_channels, count_groups, keeps_groups
from inception_dsl.ir import Node, Value
from inception_dsl.ir.weights import (
    Copy,
    Expand,
    Fill,
    FoldScale,
    FoldScaleTransposed,
    FoldShift,
    Order,
    PermuteIn,
    PermuteOut,
    Recipe,
    Reshape,
    Standardise,
    Subtract,
)
from inception_dsl.ops import OPS, Op, StateTensor, norm_of
from inception_dsl.ops.facts import Role, Slot

_LAST_WEIGHTS: frozenset[Role] = frozenset(["weight", "standardised weight"])
_OF_EACH_CHANNEL: frozenset[Role] = frozenset(["scale", "shift", "learnt"])
_ANOTHER_OP = "its step was another op"


def is_affine(tensors: Iterable[StateTensor]) -> bool:
    """Tell whether a norm is an affine map in inference: it has running statistics."""
    return {"mean", "variance"} <= {tensor.role for tensor in tensors}


class OldStep:
    """The tensors of an old step, and the recipes that make a new step's tensors of them.

    Args:
        order: the order in which the new step reads the old channels; None if there is none.
        norm: the old step behind it that is now its norm.
    """

    def __init__(self, node: Node, order: Order | None, norm: Node | None = None) -> None:
        self._node = node
        self._order = order
        self._of_norm = (norm or node).attributes
        self._norm = OPS[norm.op] if norm else norm_of(node.attributes)
        tensors = [(tensor, f"{node.path}.{tensor.name}") for tensor in list_state(node)]
        if norm:
            tensors += [
                (tensor.below_conv(OPS[norm.op].norm_layer), f"{norm.path}.{tensor.name}")
                for tensor in list_state(norm)
            ]
        self._tensors: dict[Slot, StateTensor] = {tensor.slot: tensor for tensor, _ in tensors}
        self._keys = {tensor.slot: key for tensor, key in tensors}

    def recipe(self, new: Node, new_norm: Op | None, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a tensor of a new step, or the reason why there is none.

        Args:
            new_norm: the norm of the new step, its own or a step behind it that was its own.
        """
        old_op, new_op = OPS[self._node.op], OPS[new.op]
        if old_op.family != new_op.family:
            return self._of_other_family(new, tensor)
        if old_op is not new_op and not self._tensors:
            return _ANOTHER_OP
        if tensor.is_of_norm and self._norm is not new_norm:
            return self._of_new_norm(new, tensor)
        old = self._tensors.get(tensor.slot)
        if old is None:
            return self._missing(new, new_norm, tensor)
        if old_op is not new_op and tensor.role not in ("weight", "bias") and not old.is_of_norm:
            return _ANOTHER_OP
        if old.shape == (1,) and len(tensor.shape) == 1 and old.role in _OF_EACH_CHANNEL:
            return Copy(self._key(old)) if tensor.shape == (1,) else Expand(self._key(old))
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
        if old.role == "standardised weight" and tensor.role == "weight":
            return self._standardised(old)
        return self._ordered(self._key(old), new, tensor)

    def _of_other_family(self, new: Node, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a linear layer that is written as a convolution, or the reverse.

        Both weigh all values that come in, for each channel that goes out.
        """
        old = self._tensors.get(tensor.slot)
        nodes = (self._node, new)
        if old is None or any(norm_of(node.attributes) for node in nodes):
            return _ANOTHER_OP
        if old.role == tensor.role == "bias":
            return _other_shape(old, tensor) or Copy(self._key(old))
        is_of_all = old.in_axis == tensor.in_axis == 1 and old.role == tensor.role == "weight"
        if not is_of_all or (old.shape[0], prod(old.shape)) != (
            tensor.shape[0],
            prod(tensor.shape),
        ):
            return _ANOTHER_OP
        if not all(
            _weighs_whole(node, part) for node, part in zip(nodes, (old, tensor), strict=True)
        ):
            return _ANOTHER_OP
        if self._order != ():
            return "its step was another op, and its channels come in another order"
        return Reshape(self._key(old))

    def _standardised(self, weight: StateTensor) -> Recipe | str:
        """Return the recipe of a plain weight that was standardised in every pass."""
        if self._order != ():
            return "it is no longer standardised, and its channels come in another order"
        gain = next((slot for slot in self._tensors if slot == ("", "gain")), None)
        factor = 1.0
        if gain is not None:
            factor = _number(self._node.attributes["gain"]) / prod(weight.shape[1:]) ** 0.5
        eps = _number(self._node.attributes["weight_eps"])
        return Standardise(self._key(weight), self._keys[gain] if gain else None, factor, eps)

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

    def _missing(self, new: Node, new_norm: Op | None, tensor: StateTensor) -> Recipe | str:
        """Return the recipe of a tensor that the old step did not have."""
        if tensor.role == "bias" and self._norm is not None and new_norm is None:
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
        if not is_affine(list_state(new)):
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
        if not is_affine(self._tensors.values()):
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
        scaled = self.recipe(new, None, weight)
        if isinstance(scaled, str):
            return scaled
        mean = self._norm_tensor("mean")
        return _other_shape(mean, tensor) or FoldShift(
            self._key(bias) if bias else None,
            self._gamma,
            self._beta,
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
    def _beta(self) -> str | None:
        shift = self._find("shift")
        return self._key(shift) if shift else None

    @property
    def _eps(self) -> float:
        return _number(self._of_norm["eps"])

    def _key(self, tensor: StateTensor) -> str:
        return self._keys[tensor.slot]

    def _find(self, role: Role) -> StateTensor | None:
        return next((tensor for tensor in self._tensors.values() if tensor.role == role), None)

    def _loses_bias(self, new: Node) -> bool:
        """Tell whether the bias before the norm is gone, so that the mean takes it over."""
        return self._find("bias") is not None and not new.attributes.get("bias", False)


def _other_shape(old: StateTensor, tensor: StateTensor) -> str | None:
    """Return why a tensor of the old step does not fit; None if it does."""
    return None if old.shape == tensor.shape else f"it had the shape {_shown(old.shape)}"


def _weighs_whole(node: Node, weight: StateTensor) -> bool:
    """Tell whether a weight has one place for all places of a map, or one for each of them."""
    kernel = weight.shape[2:]
    if prod(kernel) == 1:
        return True
    return kernel == node.input_types[0].size and node.type.size == (1, 1)


def _number(value: Value) -> float:
    assert not isinstance(value, str | tuple)
    return float(value)


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of a scalar"
