"""Stored tensors that several nodes read: one weight, or several that had equal values.

Exporters store equal tensors once. The scales of two new batch norms are all ones, and yet two
weights; the kernel that a module uses twice is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from inception_dsl.bridge.exported.onnx.model import StoredTensor


@dataclass(slots=True)
class Sharing:
    """The weights that nodes read, told apart.

    Attributes:
        values: the bytes of large tensors, by name.
        is_named_by_use: the exporter gives each weight its own name, and marks a copy.
        separated: the names of the tensors that are more than one weight.
    """

    values: Mapping[str, memoryview]
    is_named_by_use: bool
    separated: dict[str, None] = field(default_factory=dict)
    _uses: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def name_use(self, tensor: StoredTensor, place: str) -> str:
        """Return the name of the weight that a node reads.

        Args:
            place: the path of the module that made the node; empty if it is not known.
        """
        uses = self._uses.setdefault(tensor.name, [])
        for other, name in uses:
            is_same_place = bool(place) and place == other
            if self.is_named_by_use or is_same_place or self.is_shared(tensor):
                return name
        name = tensor.name
        if uses:
            self.separated[name] = None
            name = f"{name}#{len(uses) + 1}"
        uses.append((place, name))
        return name

    def is_shared(self, tensor: StoredTensor) -> bool:
        """Tell whether several nodes that read a tensor must mean one weight.

        Values that are all equal are those of a new weight. Values that differ are never equal by
        chance. Where they cannot be seen, a vector is taken for a norm's or a bias, a kernel not.
        """
        is_uniform = self._is_uniform(tensor)
        return len(tensor.shape) > 1 if is_uniform is None else not is_uniform

    def _is_uniform(self, tensor: StoredTensor) -> bool | None:
        """Tell whether all values of a tensor are equal; None if they cannot be seen."""
        import numpy as np

        flat = tensor.array
        data = self.values.get(tensor.name)
        if flat is None and data is not None and tensor.type in _TYPES:
            width = np.dtype(_TYPES[tensor.type]).itemsize
            if len(data) == width * prod(tensor.shape):
                flat = np.frombuffer(data, dtype=_TYPES[tensor.type])
        if flat is None:
            return None
        flat = flat.reshape(-1)
        return bool((flat == flat[:1]).all())  # a zero has two signs, and two patterns of bits


_TYPES = {"float": "<f4", "double": "<f8", "float16": "<f2"}
"""The types of numbers whose values are looked at, as they stand in a file."""
