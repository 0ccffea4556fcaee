"""Several nodes of ONNX that an exporter writes for one layer, put together again.

Older versions of ONNX have no SiLU, Mish, GELU, layer norm or group norm, and linear layers of a
product and a sum. Each function takes the node that its layer begins with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from inception_dsl.bridge.exported.onnx.model import OnnxModel, OnnxNode, StoredTensor, shortest

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUP_NORM = "~GroupNorm"
"""The op of a group norm that was written as an instance norm of groups.

Its attributes are `num_groups`, `epsilon`, and the shapes `inner` and `back` of the reshapes before
and behind it; `back` is None for that of its input.
"""


@dataclass(frozen=True, slots=True)
class Fusion:
    """The nodes of a layer.

    Attributes:
        parts: the nodes, whose results nothing else reads but that of the last one.
        layer: the node in their place.
    """

    parts: tuple[OnnxNode, ...]
    layer: OnnxNode


@dataclass(slots=True)
class NodeIndex:
    """The nodes of a model by what they make and read."""

    model: OnnxModel
    makers: dict[str, OnnxNode] = field(default_factory=dict)
    readers: dict[str, list[OnnxNode]] = field(default_factory=dict)
    ends: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ends = {port.name for port in self.model.outputs}
        for node in self.model.nodes:
            for name in filter(None, node.outputs):
                self.makers[name] = node
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)

    def next(self, node: OnnxNode | None, op: str) -> OnnxNode | None:
        """Return the only reader of a node's only result, if it is an op."""
        if node is None or len(node.outputs) != 1 or node.outputs[0] in self.ends:
            return None
        readers = self.readers.get(node.outputs[0], [])
        return readers[0] if len(readers) == 1 and readers[0].op == op else None

    def made(self, name: str, op: str) -> OnnxNode | None:
        """Return the node that makes a value, if it is an op."""
        node = self.makers.get(name)
        return node if node is not None and node.op == op else None

    def array(self, name: str) -> NDArray[Any] | None:
        """Return the values of a constant."""
        tensor = self.model.tensors.get(name)
        if tensor is not None:
            return tensor.array
        node = self.made(name, "Constant")
        value = node.attributes.get("value") if node is not None else None
        return value.array if isinstance(value, StoredTensor) else None

    def number(self, name: str) -> float | None:
        """Return a constant that is one number."""
        array = self.array(name)
        is_one = array is not None and array.size == 1 and array.dtype.kind == "f"
        return shortest(array.reshape(-1)[0]) if array is not None and is_one else None

    def is_stored(self, name: str, axes: int) -> bool:
        """Tell whether a tensor is stored, or is the copy of one, with a number of axes."""
        copy = self.made(name, "Identity")
        tensor = self.model.tensors.get(copy.inputs[0] if copy is not None else name)
        return tensor is not None and len(tensor.shape) == axes

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a stored tensor; an empty one of another value."""
        tensor = self.model.tensors.get(name)
        return tensor.shape if tensor is not None else ()

    def is_weight(self, name: str) -> bool:
        """Tell whether a tensor is stored, or is the copy or another shape of one."""
        maker = self.makers.get(name)
        while maker is not None and maker.op in {"Identity", "Unsqueeze", "Reshape"}:
            name = maker.inputs[0]
            maker = self.makers.get(name)
        return name in self.model.tensors or self.made(name, "Constant") is not None


def fuse_layers(model: OnnxModel) -> OnnxModel:
    """Return a model in which the nodes of a layer are one node."""
    for find in _FINDERS:
        index = NodeIndex(model)
        fusions = [fusion for node in model.nodes if (fusion := find(index, node)) is not None]
        layers: dict[int, OnnxNode] = {}
        gone: set[int] = set()
        for fusion in fusions:
            if gone.isdisjoint(map(id, fusion.parts)):
                gone.update(map(id, fusion.parts))
                layers[id(fusion.parts[-1])] = fusion.layer
        nodes = (layers.get(id(node), None if id(node) in gone else node) for node in model.nodes)
        model = replace(model, nodes=tuple(node for node in nodes if node is not None))
    return model


def _layer(last: OnnxNode, op: str, inputs: Sequence[str], **attributes: Any) -> OnnxNode:
    return replace(last, op=op, inputs=tuple(inputs), attributes=attributes, fault="")


def _other(node: OnnxNode, name: str) -> str:
    """Return the other one of the two inputs of a node; empty if there is none."""
    rest = [one for one in node.inputs if one != name]
    return rest[0] if len(node.inputs) == 2 and len(rest) == 1 else ""


def _find_silu(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find x * sigmoid(x)."""
    product = index.next(node, "Mul") if node.op == "Sigmoid" else None
    if product is None or _other(product, node.outputs[0]) != node.inputs[0]:
        return None
    return Fusion((node, product), _layer(product, "Swish", node.inputs, alpha=1.0))


def _find_mish(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find x * tanh(softplus(x))."""
    tanh = index.next(node, "Tanh") if node.op == "Softplus" else None
    product = index.next(tanh, "Mul")
    if tanh is None or product is None or _other(product, tanh.outputs[0]) != node.inputs[0]:
        return None
    return Fusion((node, tanh, product), _layer(product, "Mish", node.inputs))


def _find_gelu(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find x * 0.5 * (1 + erf(x / sqrt(2))), in either order of the factors."""
    if node.op not in {"Div", "Mul"} or len(node.inputs) != 2:
        return None
    erf = index.next(node, "Erf")
    total = index.next(erf, "Add")
    first = index.next(total, "Mul")
    second = index.next(first, "Mul")
    if erf is None or total is None or first is None:
        return None
    value = next((name for name in node.inputs if index.number(name) is None), "")
    scale = index.number(_other(node, value))
    root = shortest(2**0.5 if node.op == "Div" else 0.5**0.5)
    if scale != root or index.number(_other(total, erf.outputs[0])) != 1:
        return None
    factor = _other(first, total.outputs[0])
    parts: tuple[OnnxNode, ...] = (node, erf, total, first)
    if factor == value and second is not None:
        is_half = index.number(_other(second, first.outputs[0])) == 0.5
        parts = (*parts, second)
    elif index.number(factor) == 0.5 and second is not None:
        is_half = _other(second, first.outputs[0]) == value
        parts = (*parts, second)
    else:  # one factor is half the value already
        half = index.made(factor, "Mul")
        is_half = half is not None and index.number(_other(half, value)) == 0.5
    return (
        Fusion(parts, _layer(parts[-1], "Gelu", [value], approximate="none")) if is_half else None
    )


def _find_linear(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find a product with a weight and the sum with a bias."""
    if node.op != "MatMul" or len(node.inputs) != 2:
        return None
    total = index.next(node, "Add")
    bias = _other(total, node.outputs[0]) if total is not None else ""
    is_vector = index.is_stored(bias, 1) or index.shape(bias)[:-1] == (1,)
    if total is None or not is_vector or node.inputs[0] in index.model.tensors:
        return None
    return Fusion((node, total), _layer(total, "MatMul", [*node.inputs, bias]))


def _find_conv(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find a convolution of maps without a bias and the sum with one."""
    if node.op != "Conv" or len(node.inputs) != 2:
        return None
    total = index.next(node, "Add")
    bias = _other(total, node.outputs[0]) if total is not None else ""
    kernel = index.shape(node.inputs[1])
    along = (*kernel[:1], 1, 1)
    if total is None or len(kernel) != 4 or index.shape(bias) not in {along, (1, *along)}:
        return None
    layer = _layer(total, "Conv", [*node.inputs, bias], **node.attributes)
    return Fusion((node, total), replace(layer, fault=node.fault))


def _find_group_norm(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find an instance norm of groups; its scale and shift, if any, are those of channels."""
    if node.op != "InstanceNormalization" or len(node.inputs) != 3:
        return None
    before, behind = index.made(node.inputs[0], "Reshape"), index.next(node, "Reshape")
    ones, zeros = index.array(node.inputs[1]), index.array(node.inputs[2])
    if before is None or behind is None:
        return None
    if ones is None or zeros is None or not (ones == 1).all() or zeros.any():
        return None
    affine, weights = _find_affine(index, behind)
    inner = index.array(before.inputs[1])
    shape = index.made(behind.inputs[1], "Shape")
    back = index.array(behind.inputs[1])
    is_back = back is not None or (shape is not None and shape.inputs[0] == before.inputs[0])
    if inner is None or not is_back:
        return None
    parts = (node, behind, *affine)
    layer = _layer(
        parts[-1],
        GROUP_NORM,
        [before.inputs[0], *weights],
        num_groups=int(ones.size),
        epsilon=node.attributes["epsilon"],
        inner=tuple(map(int, inner.reshape(-1))),
        back=None if back is None else tuple(map(int, back.reshape(-1))),
    )
    return Fusion(parts, layer)


def _find_affine(index: NodeIndex, node: OnnxNode) -> tuple[tuple[OnnxNode, ...], tuple[str, ...]]:
    """Find a product with a weight and the sum with another one behind a node.

    Returns:
        the two nodes, and the names of their weights; none if there are no such nodes.
    """
    product = index.next(node, "Mul")
    total = index.next(product, "Add")
    if product is None or total is None:
        return (), ()
    weights = _other(product, node.outputs[0]), _other(total, product.outputs[0])
    return ((product, total), weights) if all(map(index.is_weight, weights)) else ((), ())


def _find_layer_norm(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find a layer norm over the last axis, written out."""
    if node.op != "Sub" or (mean := index.made(node.inputs[1], "ReduceMean")) is None:
        return None
    value = node.inputs[0]
    readers = index.readers.get(node.outputs[0], [])
    power = next((one for one in readers if one.op == "Pow"), None)
    variance = index.next(power, "ReduceMean")
    bounded = index.next(variance, "Add")
    root = index.next(bounded, "Sqrt")
    quotient = index.next(root, "Div")
    product = index.next(quotient, "Mul")
    total = index.next(product, "Add")
    if power is None or variance is None or bounded is None or quotient is None:
        return None
    if root is None or product is None or total is None or len(readers) != 2:
        return None
    eps = index.number(_other(bounded, variance.outputs[0]))
    is_norm = (
        mean.inputs[0] == value
        and quotient.inputs == (node.outputs[0], root.outputs[0])
        and index.number(power.inputs[1]) == 2
        and all(one.attributes.get("axes") == (-1,) for one in (mean, variance))
        and all(one.attributes.get("keepdims") == 1 for one in (mean, variance))
    )
    scale, shift = _other(product, quotient.outputs[0]), _other(total, product.outputs[0])
    if not is_norm or eps is None or not index.is_stored(scale, 1) or not index.is_stored(shift, 1):
        return None
    layer = _layer(total, "LayerNormalization", [value, scale, shift], axis=-1, epsilon=eps)
    return Fusion((node, power, variance, bounded, root, quotient, product, total), layer)


def _find_reshape(index: NodeIndex, node: OnnxNode) -> Fusion | None:
    """Find a gather of all values in their order, as the newer exporter of torch writes one."""
    if node.op != "Reshape" or len(node.inputs) != 2:
        return None
    gather = index.next(node, "Gather")
    places = index.array(gather.inputs[1]) if gather is not None else None
    flat = index.array(node.inputs[1])
    if gather is None or places is None or flat is None or flat.tolist() != [-1]:
        return None
    if gather.attributes.get("axis") != 0 or places.reshape(-1).tolist() != [*range(places.size)]:
        return None
    shape = tuple(map(int, places.shape))
    return Fusion((node, gather), _layer(gather, "Reshape", node.inputs[:1], shape=shape))


_FINDERS: tuple[Callable[[NodeIndex, OnnxNode], Fusion | None], ...] = (
    _find_silu,
    _find_mish,
    _find_gelu,
    _find_layer_norm,
    _find_group_norm,
    _find_linear,
    _find_conv,
    _find_reshape,
)
"""The functions that find layers, in the order in which they are asked."""
