"""The modules that made the nodes of an ONNX graph, as the exporters of torch note them.

The newer exporter notes the paths and classes of the modules beside each node. The older one writes
the paths into the names of nodes: `/layer1/layer1.0/conv1/Conv`. Other exporters note none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from inception_dsl.bounds import MAX_PATH
from inception_dsl.bridge.exported.onnx.model import OnnxModel, OnnxNode

MAX_DEPTH = 32
"""Maximum number of modules around a node."""

_SCOPES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
_CONTAINER = "torch.nn.modules.container."
_LAYERS = {"Conv": "Conv2d", "ConvTranspose": "ConvTranspose2d", "Gemm": "Linear"}

Exporter = Literal["notes", "names", "none"]
"""The way in which an exporter tells the modules of nodes."""


@dataclass(slots=True)
class NodePlaces:
    """The modules of nodes.

    Attributes:
        exporter: the way in which the file tells them.
        classes: the names of the classes of modules, as far as the file tells them.
        containers: the modules that only hold others, as far as the file tells them.
    """

    exporter: Exporter
    classes: dict[str, str] = field(default_factory=dict)
    containers: set[str] = field(default_factory=set)
    _last: str = ""

    def find(self, node: OnnxNode, weight: str = "") -> str:
        """Return the path of the module that made a node; empty for the network itself.

        Args:
            weight: the name of its first weight. A convolution that a batch norm was folded into
                bears the norm's notes; its weight tells its own module.
        """
        match self.exporter:
            case "notes":
                self._last = self._read_notes(node.notes)
                own = weight.rpartition(".")[0] if node.op in _LAYERS else ""
                if own and own != self._last and _above(own) == _above(self._last):
                    self.classes.setdefault(own, _LAYERS[node.op])
                    self._last = own
            case "names":
                self._last = _read_name(node.name)
            case _:
                return ""
        return self._last

    def _read_notes(self, notes: Mapping[str, str]) -> str:
        """Return the path in the notes of a node; one without any stands around the last one."""
        scopes = _read_list(notes.get(_SCOPES, ""))[:-1]
        classes = _read_list(notes.get(_CLASSES, ""))[:-1]
        if not scopes:
            return _above(self._last)
        if len(scopes) > MAX_DEPTH or len(scopes[-1]) > MAX_PATH:
            return ""
        if len(scopes) == len(classes):
            for path, kind in zip(scopes, classes, strict=True):
                self.classes[path] = kind.rpartition(".")[2]
                if kind.startswith(_CONTAINER):
                    self.containers.add(path)
        return scopes[-1]


def find_exporter(model: OnnxModel) -> Exporter:
    """Return how a file tells the modules of its nodes."""
    if any(_SCOPES in node.notes for node in model.nodes):
        return "notes"
    is_torch = model.producer.startswith("pytorch")
    if is_torch and any(node.name.startswith("/") for node in model.nodes):
        return "names"
    return "none"


def _read_list(text: str) -> list[str]:
    """Return the texts of a list that is written as Python writes it."""
    return [str(part) for part in re.findall(r"'([^']*)'", text)]


def _above(path: str) -> str:
    return path.rpartition(".")[0]


def _read_name(name: str) -> str:
    """Return the path of the module in the name of a node, which begins with a slash."""
    if not name.startswith("/"):
        return ""
    scopes = name.split("/")[1:-1]
    if len(scopes) > MAX_DEPTH or len(name) > MAX_PATH:
        return ""
    names: list[str] = []
    before = ""
    for scope in scopes:
        is_within = before and scope.startswith(f"{before}.")
        names += (scope[len(before) + 1 :] if is_within else scope).split(".")
        before = scope
    return ".".join(filter(None, names))
