"""The archive of an exported program of torch: its graph as data, without its weights.

`torch.load` and `torch.export.load` may unpickle parts of an archive, which runs code of the file.
Nothing is unpickled here: the graph is JSON, and all that a spec needs is in it.

Source: torch/_export/serde/schema.py, the schema of exported programs.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inception_dsl.bridge.exported.unreadable import UnreadableError

MAX_GRAPH = 20_000_000
"""Maximum number of bytes of the graph of an exported program."""

MAX_MEMBERS = 50_000
"""Maximum number of files in the archive of an exported program."""

MAX_NODES = 20_000
"""Maximum number of nodes of an exported program."""

MAX_SIDE = 2**31 - 1
"""Maximum size of an axis."""

_ENTRY = b"PK\x01\x02"
"""The bytes that each file of an archive has in the archive's list."""

_GRAPHS = ("/models/model.json", "serialized_exported_program.json")
"""The ends of the names that the graph has in archives of newer and older versions of torch."""

_DAMAGE = (
    zipfile.BadZipFile,
    NotImplementedError,  # a version of the format that `zipfile` does not read
    RuntimeError,  # a password
    EOFError,
    OSError,
    ValueError,
    zlib.error,
)
"""The errors by which `zipfile` says that an archive is damaged."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TensorName:
    """A tensor of a program, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class ModuleEntry:
    """A module on the way to a node: its path, its class, and a mark of its run."""

    path: str
    kind: str
    mark: str


@dataclass(frozen=True, slots=True)
class ProgramNode:
    """A node of an exported program.

    Attributes:
        target: the operator: `torch.ops.aten.conv2d.default`.
        arguments: by the names of the operator, with names for tensors.
        outputs: the names of the tensors that it makes, in order.
        modules: the modules around it, the outermost first.
    """

    target: str
    arguments: Mapping[str, Any]
    outputs: tuple[str, ...]
    modules: tuple[ModuleEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An exported program.

    Attributes:
        shapes: those of all tensors; a size that is open is that of the example it was made with.
        types: the numbers of the types of all tensors.
        inputs: the names of the tensors that go in.
        outputs: the names of those that come out.
        parameters, buffers: the names that tensors have in the module, by their names here.
        version: that of torch.
    """

    nodes: tuple[ProgramNode, ...]
    shapes: Mapping[str, Shape]
    types: Mapping[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[str, str]
    buffers: Mapping[str, str]
    version: str


def read_program(data: bytes) -> Program:
    """Return the exported program in an archive.

    Raises:
        UnreadableError: there is none, it is damaged, or it exceeds a bound.
    """
    text = _read_graph(data)
    try:
        return _read_program(json.loads(text))
    except RecursionError:
        raise UnreadableError("its graph is nested too deep") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise UnreadableError("its graph is damaged, or of an unknown version") from None


def _read_graph(data: bytes) -> bytes:
    """Return the JSON of the graph in an archive."""
    if data.count(_ENTRY) > MAX_MEMBERS:
        raise UnreadableError(f"it has more than {MAX_MEMBERS:,} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [info for info in archive.infolist() if info.filename.endswith(_GRAPHS)]
            if len(found) != 1:
                raise UnreadableError("it holds no exported program, or several")
            if found[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise UnreadableError("its graph is packed in a way that torch does not write")
            with archive.open(found[0]) as stream:
                text = stream.read(MAX_GRAPH + 1)
    except _DAMAGE:
        raise UnreadableError("it is no exported program, or it is damaged") from None
    if len(text) > MAX_GRAPH:
        raise UnreadableError(f"its graph has more than {MAX_GRAPH // 1_000_000} MB")
    return text


def _read_program(root: Mapping[str, Any]) -> Program:
    """Return the program of a graph; any error is one of its form."""
    graph = root["graph_module"]["graph"]
    signature = root["graph_module"]["signature"]
    if len(graph["nodes"]) > MAX_NODES:
        raise UnreadableError(f"it has more than {MAX_NODES:,} nodes")
    shapes, types = {}, {}
    for name, meta in graph["tensor_values"].items():
        shapes[name] = tuple(map(_read_size, meta["sizes"]))
        types[name] = int(meta["dtype"])
    inputs: list[str] = []
    parameters: dict[str, str] = {}
    buffers: dict[str, str] = {}
    for spec in signature["input_specs"]:
        ((kind, held),) = spec.items()
        match kind:
            case "parameter":
                parameters[held["arg"]["name"]] = str(held["parameter_name"])
            case "buffer":
                buffers[held["arg"]["name"]] = str(held["buffer_name"])
            case "user_input":
                inputs += [one.name for one in _list_tensors(_read_argument(held["arg"]))]
    outputs: list[str] = []
    for spec in signature["output_specs"]:
        ((kind, held),) = spec.items()
        if kind == "user_output":
            outputs += [one.name for one in _list_tensors(_read_argument(held["arg"]))]
    return Program(
        nodes=tuple(map(_read_node, graph["nodes"])),
        shapes=shapes,
        types=types,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        parameters=parameters,
        buffers=buffers,
        version=str(root.get("torch_version", "")),
    )


def _read_size(size: Mapping[str, Any]) -> int:
    """Return the size of an axis; of an open one, that of the example."""
    ((kind, value),) = size.items()
    number = value["hint"]["as_int"] if kind == "as_expr" else value
    if not isinstance(number, int) or not 0 <= number <= MAX_SIDE:
        raise ValueError(number)
    return number


def _read_node(node: Mapping[str, Any]) -> ProgramNode:
    arguments = {
        str(one["name"] or index): _read_argument(one["arg"])
        for index, one in enumerate(node["inputs"])
    }
    outputs = [
        one.name for output in node["outputs"] for one in _list_tensors(_read_argument(output))
    ]
    stack = str(node["metadata"].get("nn_module_stack", ""))
    return ProgramNode(str(node["target"]), arguments, tuple(outputs), tuple(_read_modules(stack)))


def _read_argument(argument: Mapping[str, Any]) -> Any:
    """Return an argument: a number, a text, a list or the name of a tensor."""
    ((kind, value),) = argument.items()
    match kind:
        case "as_none":
            return None
        case "as_tensor":
            return TensorName(value["name"])
        case "as_tensors":
            return tuple(TensorName(one["name"]) for one in value)
        case "as_optional_tensor" | "as_sym_int" | "as_sym_float" | "as_sym_bool":
            return _read_argument(value)
        case "as_optional_tensors" | "as_sym_ints":
            return tuple(map(_read_argument, value))
        case "as_floats":
            return tuple(map(float, value))
        case "as_ints" | "as_bools" | "as_strings":
            return tuple(value)
        case "as_float":
            return float(value)  # what is no number is a text: `-Infinity`
        case "as_int" | "as_bool" | "as_string":
            return value
        case _:
            return (kind,)


def _list_tensors(value: Any) -> Iterator[TensorName]:
    match value:
        case TensorName():
            yield value
        case tuple():
            for part in value:
                yield from _list_tensors(part)


def _read_modules(stack: str) -> Iterator[ModuleEntry]:
    """Yield the modules around a node: `mark,path,class;...`."""
    for entry in filter(None, stack.split(";")):
        mark, _, rest = entry.partition(",")
        path, _, kind = rest.rpartition(",")
        if path:
            yield ModuleEntry(path, kind, mark)
        else:
            yield ModuleEntry("", kind, mark)
