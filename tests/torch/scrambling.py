"""Networks whose code is written in another way, and which compute the same values.

The steps of a module are written again as classes with other names and another nesting: layers as
functions and functions as layers, sums in place, chains in containers, modules that nothing uses.
The new module has the tensors of the old one.
"""

from __future__ import annotations

import operator
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from layer_ways import FRESH, Layer, read_layers
from torch import Tensor, nn

MAX_DEPTH = 4
"""Maximum number of classes that the scrambler nests."""

NAMES = (
    *("conv", "bn", "relu", "layer", "layer1", "block", "features", "stem", "act", "skip", "body"),
    *("downsample", "shortcut", "branch", "branch_1", "b1", "m", "_x", "conv_2", "concat", "add"),
    *("input", "output", "x", "scale", "pool", "head", "Conv", "SE", "fc", "linear2", "flatten"),
    *("none", "in_", "width", "stride", "when", "use", "reuse", "join", "step", "network", "net"),
    *("conv_norm_act", "dropout", "identity", "maxpool", "norm", "unit1", "unit", "a", "A", "res"),
    *("norm1", "c3x3", "proj", "after", "at", "steps", "branches", "residual", "inputs", "outputs"),
)
"""Names of attributes: ordinary ones, and words of the language."""

CLASSES = (
    *("Block", "ConvBlock", "Net", "Bottleneck", "Unit", "SE", "Conv", "Branch", "Concat", "M"),
    *(
        "ConvNormAct",
        "Residual",
        "Identity",
        "Add",
        "Network",
        "In",
        "stage",
        "A1",
        "A_1",
        "Conv2d",
    ),
)
"""Names of classes; several classes may have one name, as those of several files do."""


@dataclass
class Scrambler:
    """A writer of modules that compute the steps of another one.

    Attributes:
        sources: the sources of the classes so far, for whoever looks into a failure.
        params: the number of parameters that the outputs depend on.
    """

    random: Random
    params: int = 0
    sources: list[str] = field(default_factory=list)
    _uses: Counter[str] = field(default_factory=Counter)
    _fresh: set[str] = field(default_factory=set)

    def scramble(self, module: nn.Module, images: Sequence[Tensor]) -> nn.Module:
        """Return a module that computes the same values as another one.

        Args:
            images: an input of the module each, with a batch of two or more.
        """
        inputs, layers, outputs = read_layers(module, images)
        parameters = {id(one): one.numel() for layer in layers for one in layer.parameters}
        self.params = sum(parameters.values())
        self._uses = Counter(read for layer in layers for read in layer.reads)
        self._uses.update(outputs)
        self._fresh = {layer.name for layer in layers if layer.kind in FRESH}
        return self._write(list(inputs), self._order(inputs, layers), list(outputs), 0)

    def _chance(self, percent: int) -> bool:
        return self.random.randint(1, 100) <= percent

    def _order(self, inputs: Sequence[str], layers: Sequence[Layer]) -> list[Layer]:
        """Return the steps in another order in which each follows what it reads."""
        done = set(inputs)
        left = list(layers)
        ordered: list[Layer] = []
        while left:
            ready = [layer for layer in left if done.issuperset(layer.reads)]
            layer = ready[0] if self._chance(70) else self.random.choice(ready)
            left.remove(layer)
            done.add(layer.name)
            ordered.append(layer)
        return ordered

    def _write(
        self, inputs: list[str], layers: list[Layer], outputs: list[str], depth: int
    ) -> nn.Module:
        """Return a module that gets some values, runs steps in order, and returns values."""
        lines: list[str] = []
        owner = _Owner(self.random)
        if depth and self._chance(15):
            owner.add(self.random.choice([nn.Linear(2, 3), nn.Conv2d(1, 2, 3), nn.BatchNorm2d(4)]))
        for part in self._cut(layers, depth):
            if isinstance(part, Layer):
                lines.append(self._write_layer(part, owner))
                continue
            made = [layer.name for layer in part]
            reads = dict.fromkeys(read for layer in part for read in layer.reads)
            given = [read for read in reads if read not in made]
            results = [name for name in made if self._is_returned(name, part)]
            chain = self._chain(part) if len(results) == 1 else None
            inner = chain or self._write(given, part, results, depth + 1)
            call = f"{owner.add(inner, len(given))}({', '.join(map(_local, given))})"
            left = ", ".join(map(_local, results))
            lines.append(f"{left} = {call}")
        returned = ", ".join(map(_local, outputs))
        body = "\n    ".join(lines or ["pass"])
        name = self.random.choice(CLASSES)
        arguments = ", ".join(["self", *map(_local, inputs)])
        source = f"def forward({arguments}):\n    {body}\n    return {returned}\n"
        self.sources.append(f"# {name}: {owner.listing()}\n{source}")
        scope: dict[str, Any] = {"torch": torch, "F": F, "operator": operator}
        exec(source, scope)
        kind = type(name, (nn.Module,), {"forward": scope["forward"]})
        return owner.fill(kind())

    def _is_returned(self, name: str, part: Sequence[Layer]) -> bool:
        inside = sum(layer.reads.count(name) for layer in part)
        return self._uses[name] > inside

    def _cut(self, layers: list[Layer], depth: int) -> Iterator[Layer | list[Layer]]:
        """Yield the steps of a module: single ones, and runs of them that are a module."""
        if depth >= MAX_DEPTH or len(layers) < 2:
            yield from layers
            return
        start = 0
        while start < len(layers):
            size = self.random.randint(1, max(2, len(layers) // 2))
            if size > 1 and size < len(layers) and self._chance(70):
                yield layers[start : start + size]
            else:
                yield from layers[start : start + size]
            start += size

    def _chain(self, part: Sequence[Layer]) -> nn.Module | None:
        """Return steps that follow each other as a container; None if they do not."""
        for before, layer in pairwise(part):
            if layer.reads != (before.name,) or self._uses[before.name] > 1:
                return None
        modules = [layer.module for layer in part]
        if len(part[0].reads) != 1 or None in modules or self._chance(20):
            return None
        kept = [module for module in modules if module is not None]
        if self._chance(50):
            return nn.Sequential(*kept)
        names: dict[str, nn.Module] = {}
        for module in kept:
            names[_free(self.random.choice(NAMES), {*names, *dir(nn.Sequential)})] = module
        return nn.Sequential(OrderedDict(names))

    def _write_layer(self, layer: Layer, owner: _Owner) -> str:
        """Return the line that computes a step in one of its ways."""
        values = [_local(read) for read in layer.reads]
        is_last = bool(layer.reads) and self._uses[layer.reads[0]] == 1
        ways: list[Callable[[], str]] = []
        if layer.module is not None:
            module = layer.module
            ways.append(lambda: f"{owner.add(module)}({values[0]})")
        if layer.texts:
            ways.append(lambda: self._fill(self.random.choice(layer.texts), layer, owner, values))
        if layer.overwrites and is_last and layer.reads[0] in self._fresh:
            ways.append(lambda: self.random.choice(layer.overwrites).format(*values))
        return f"{_local(layer.name)} = {self.random.choice(ways)()}"

    def _fill(self, text: str, layer: Layer, owner: _Owner, values: Sequence[str]) -> str:
        for name, tensor in layer.tensors.items():
            if f"@{name}" in text:
                text = text.replace(f"@{name}", owner.hold(tensor))
        return text.format(*values)


def _local(name: str) -> str:
    return f"v_{name}"


def _free(name: str, taken: set[str] | dict[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


class _Owner:
    """The attributes of a module that is being written."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._parts: dict[str, nn.Module | Tensor] = {}
        self._list: list[nn.Module] = []

    def _name(self) -> str:
        return _free(self._random.choice(NAMES), {*self._parts, *dir(nn.Module)})

    def add(self, module: nn.Module, inputs: int = 1) -> str:
        """Add a module with a number of inputs, and return the expression for it."""
        way = self._random.randint(1, 10)
        if way <= 2:
            self._list.append(module)
            return f"self.list[{len(self._list) - 1}]"
        name = self._name()
        if way == 3:
            key = self._random.choice(["a", "conv", "0", "x"])
            self._parts[name] = nn.ModuleDict({key: module})
            return f"self.{name}[{key!r}]"
        self._parts[name] = nn.Sequential(module) if way == 4 and inputs == 1 else module
        return f"self.{name}"

    def hold(self, tensor: Tensor) -> str:
        """Add a tensor, and return the expression for it."""
        name = self._name()
        self._parts[name] = tensor
        return f"self.{name}"

    def listing(self) -> str:
        """Return the attributes for a reader."""
        parts = {**self._parts, **({"list": nn.ModuleList(self._list)} if self._list else {})}
        return ", ".join(
            f"{name}: {tuple(part.shape) if isinstance(part, Tensor) else part}"
            for name, part in parts.items()
        )

    def fill(self, module: nn.Module) -> nn.Module:
        """Give a module the attributes, and return it."""
        for name, part in self._parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                module.register_buffer(name, part)
            else:
                setattr(module, name, part)
        if self._list:
            module.list = nn.ModuleList(self._list)
        return module
