"""The order of the axes of an ONNX file's inputs.

ONNX's layers read channels first. A file of another library may take its input with the channels
last, and begin with a transpose.
"""

from __future__ import annotations

from typing import Final

from inception_dsl.bridge.exported.onnx.model import OnnxModel, OnnxNode, OnnxPort

TO_FIRST: Final = (0, 3, 1, 2)
"""The axes of a map whose channels are last, in the order in which they are first."""

TO_LAST: Final = (0, 2, 3, 1)
"""The axes of a map whose channels are first, in the order in which they are last."""

_KEEP_AXES = frozenset(
    [
        "Identity",
        "Cast",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Pow",
        "Neg",
        "Clip",
        "Relu",
        "Sigmoid",
        "Tanh",
    ]
)
"""The operators that give a map whose axes are those of the one that they read."""

_CHANNELS_FIRST = frozenset(
    [
        *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"),
        *("BatchNormalization", "InstanceNormalization", "LRN", "DepthToSpace", "SpaceToDepth"),
    ]
)
"""The operators whose first input has its channels first."""


def find_channels_last(model: OnnxModel) -> frozenset[str]:
    """Return the names of the inputs whose channels are their last axis.

    Such an input is read by transposes that put its channels first, and by no layer before them.
    """
    readers: dict[str, list[OnnxNode]] = {}
    for node in model.nodes:
        for name in dict.fromkeys(node.inputs):
            readers.setdefault(name, []).append(node)
    return frozenset(port.name for port in model.inputs if _is_turned_first(port.name, readers))


def _is_turned_first(name: str, readers: dict[str, list[OnnxNode]]) -> bool:
    seen, waiting = {name}, [name]
    is_turned = False
    while waiting:
        value = waiting.pop()
        for node in readers.get(value, ()):
            if node.op == "Transpose" and node.attributes.get("perm") == TO_FIRST:
                is_turned = True
            elif node.op in _CHANNELS_FIRST and node.inputs[0] == value:
                return False
            elif node.op in _KEEP_AXES:
                waiting += [made for made in node.outputs if made not in seen]
                seen.update(node.outputs)
    return is_turned


def put_channels_first(port: OnnxPort) -> OnnxPort:
    """Return an input whose channels are last with the axes that a map of the language has."""
    if port.shape is None or len(port.shape) != len(TO_FIRST):
        return port
    return OnnxPort(port.name, port.type, tuple(port.shape[axis] for axis in TO_FIRST))
