"""An ONNX graph while it is written: nodes, constants, and the names of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from inception_dsl.analysis.fusing import FusedStep
from inception_dsl.ir import Path

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import NodeProto

    from inception_dsl.emit.onnx.weights import Array
    from inception_dsl.ir import TensorType
    from inception_dsl.ops.attribute import Values


@dataclass(slots=True)
class OnnxGraph:
    """The nodes of a graph, and its constants by name."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class StepWriter:
    """The part of a graph that one step writes.

    Attributes:
        held: the tensors of the network by their keys in its state_dict.
        nodes: the nodes that the step has written.
    """

    step: FusedStep
    graph: OnnxGraph
    held: Mapping[str, Array]
    nodes: list[NodeProto] = field(default_factory=list)

    @property
    def values(self) -> Values:
        """The attributes of the step."""
        return self.step.node.attributes

    @property
    def input(self) -> TensorType:
        """The type of the first value that it reads."""
        return self.step.node.input_types[0]

    @property
    def output(self) -> TensorType:
        """The type of its value."""
        return self.step.node.type

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the values that it reads."""
        return self.step.reads

    def tensor(self, name: str) -> Array:
        """Return a tensor of the step by its name in the op."""
        return self.held[self.step.tensors[name]]

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add a constant of the step, and return its name."""
        full = f"{self.step.name}.{name}"
        self.graph.constants[full] = array
        return full

    def weight(self, name: str, array: NDArray[Any]) -> str:
        """Add a weight or a bias, and return its name: its key in the state_dict.

        A bias that a norm alone makes has the key of the norm's, or the one that it would have. A
        step that has the weights of an earlier one reads the constants of that one, unless another
        norm is folded into them.
        """
        key = self.step.tensors.get(name, "")
        if not key and (norm := self.step.norm) is not None:
            key = str(Path(norm.tensors["running_mean"]).parent / name)
        if not np.array_equal(self.graph.constants.setdefault(key, array), array):
            return self.constant(name, array)
        return key

    def whole(self, name: str, *numbers: int) -> str:
        """Add a constant of whole numbers: a shape, axes, or indices."""
        return self.constant(name, np.array(numbers, np.int64))

    def real(self, name: str, number: float) -> str:
        """Add a constant that is one number."""
        return self.constant(name, np.array(number, np.float32))

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its value; the last node gives the step's value."""
        name = f"{self.step.name}.{op}{len(self.nodes)}"
        node = helper.make_node(op, list(inputs), [name], name=name, **attributes)
        self.nodes.append(node)
        return name

    def close(self) -> None:
        """Give the value of the last node the name of the step, and keep the nodes."""
        *_, last = self.nodes
        last.output[0] = last.name = self.step.name
        self.graph.nodes.extend(self.nodes)
