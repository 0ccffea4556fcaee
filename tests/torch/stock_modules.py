"""A network of torch's stock layers: each conv, norm and activation of a spec as its own module.

It is made from the flat graph of a model and from the table of torch's layers, without the emitter.
Counting tools that go by the class of a module see all of its layers.
"""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from inception_dsl.analysis import CostReport, measure_work
from inception_dsl.analysis.parts import NodePart, split
from inception_dsl.emit.python import helpers
from inception_dsl.emit.python.torch_table import EXTREMA, IN_FORWARD, layers_of
from inception_dsl.ir import Model, Node
from inception_dsl.ops import OPS


class StockNetwork(nn.Module):
    """A model in inference; a softmax at its end is left to the loss."""

    def __init__(self, model: Model, cost: CostReport) -> None:
        super().__init__()
        last = measure_work(model, cost).last_softmax
        counted = {row.path for row in cost.rows if row.head is None and row.is_read} - {last}
        self.steps = [node for node in model.graph.nodes if node.path in counted]
        self.inputs = list(model.graph.inputs)
        for index, node in enumerate(self.steps):
            parts = [part for part in split(node) if OPS[part.node.op].has_module]
            layers = [layer for part in parts for layer in make_layers(part)]
            self.add_module(f"step{index}", nn.ModuleList(layers))

    def forward(self, *images: Tensor) -> Tensor:
        values: dict[str, Tensor] = dict(zip(self.inputs, images, strict=True))
        for index, node in enumerate(self.steps):
            value = run_op(node, [values[path] for path in node.inputs])
            layers = self.get_submodule(f"step{index}")
            assert isinstance(layers, nn.ModuleList)
            for layer in layers:
                value = layer(value)
            values[node.path] = value
        return value


def make_stock(model: Model, cost: CostReport) -> nn.Module:
    """Return the network of stock layers, all of whose weights are zero."""
    with torch.device("meta"):
        network = StockNetwork(model, cost)
    network.to_empty(device="cpu").eval()
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            tensor.zero_()
    return network


def make_layers(part: NodePart) -> list[nn.Module]:
    """Return the stock layers of a part of a node."""
    node = part.node
    (first, *_) = node.input_types
    layers = layers_of(node.op, node.attributes, first.channels, on_vectors=not first.is_map)
    made: list[nn.Module] = []
    for layer in layers:
        positional = [plain(value) for keyword, value in layer.arguments if not keyword]
        keywords = {keyword: plain(value) for keyword, value in layer.arguments if keyword}
        home: Any = helpers if layer.callee.startswith("_") else nn
        made.append(getattr(home, layer.callee.removeprefix("nn."))(*positional, **keywords))
    return made


def plain(value: Any) -> Any:
    """Return an argument as torch takes it."""
    match value:
        case Decimal():
            return float(value)
        case tuple():
            return tuple(map(plain, value))
        case _:
            return value


def run_op(node: Node, inputs: list[Tensor]) -> Tensor:
    """Return what a node without a module computes, by operators; else what it reads."""
    first, *others = inputs
    if OPS[node.op].has_module:
        return first
    if any(value.dim() == 4 for value in inputs):
        first, *others = (v if v.dim() == 4 else v[..., None, None] for v in inputs)
    match IN_FORWARD[node.op]:
        case "cat":
            return torch.cat([first, *others], dim=1)
        case "sum":
            scale = plain(node.attributes["scale"])
            *between, last = others
            for other in between:
                first = first + other
            return first + (last if scale == 1 else scale * last)
        case "product":
            for other in others:
                first = first * other
            return first
        case "extremum":
            function = getattr(torch, EXTREMA[node.op].removeprefix("torch."))
            largest: Tensor = reduce(function, others, first)
            return largest
        case "index":
            values: Any = node.attributes
            if "part" in values:
                each: Tensor = first.chunk(values["of"], dim=1)[values["part"] - 1]
                return each
            part: Tensor = first[:, values["from"] : values["from"] + values["width"]]
            return part
