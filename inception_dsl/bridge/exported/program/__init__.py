"""Exported programs of torch (`.pt2`), read without torch. Nothing of a file is unpickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from inception_dsl.bounds import MAX_PATH
from inception_dsl.bridge.calls import (
    CallTrace,
    ConstantRef,
    ModuleFacts,
    TorchCall,
    TracedResult,
    ValueRef,
    WeightRef,
)
from inception_dsl.bridge.exported.modules import list_prefixes
from inception_dsl.bridge.exported.program.archive import (
    ModuleEntry,
    Program,
    ProgramNode,
    TensorName,
    read_program,
)
from inception_dsl.bridge.exported.program.operators import Renamed, count_macs, name_call
from inception_dsl.bridge.exported.unreadable import UnreadableError
from inception_dsl.bridge.reading import read_trace
from inception_dsl.bridge.traced import TracedTarget, list_causes
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import TensorType
from inception_dsl.recover.naming import clean_name, number

MAX_ELEMENTS = 10**11
"""Maximum number of elements of a tensor."""

MAX_DEPTH = 32
"""Maximum number of modules around a node."""

_FLOAT = 7
"""The number of the type of single precision in an exported program."""

_CONTAINER = "torch.nn.modules.container."


def read_pt2(
    data: bytes, given: Mapping[str, TensorType], *, subject: str, name: str
) -> TracedTarget:
    """Return the network of an exported program.

    Args:
        given: the inputs that a person gives; they must be those that the program was made with.
        subject: the file as findings name it.

    Raises:
        SpecError: E703 the program has another input, E705 the language cannot say it.
        UnreadableError: the file is damaged, contradicts itself or exceeds a bound.
    """
    program = read_program(data)
    inputs = _name_inputs(program, given, subject)
    batch = program.shapes[program.inputs[0]][0]
    writer = _Writer(program)
    modules = writer.describe_modules(name)
    try:
        writer.write()
        read = read_trace(writer.trace, modules, inputs, name=name)
    except (AttributeError, TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise UnreadableError("a node has arguments that its operator does not take") from None
    if read.causes:
        raise SpecError(list_causes(read.causes))
    version = printable(program.version[:40])
    return TracedTarget(
        graph=read.graph,
        module=None,
        kind=modules.classes[""],
        origin=f"program exported by torch {version}" if version else "exported program",
        macs=writer.macs // batch - read.unread_macs,
        counted_by="the shapes in the exported program",
        params=sum(map(prod, modules.weights.values())),
        notes=(),
    )


def _name_inputs(
    program: Program, given: Mapping[str, TensorType], subject: str
) -> dict[str, TensorType]:
    """Return the inputs of a program by the names of its spec, in order.

    Raises:
        SpecError: E703, a person gives another one; E705, it is no map.
        UnreadableError: it has none, or they have several numbers of images.
    """
    if not program.inputs or not program.outputs:
        raise UnreadableError("it has no input" if not program.inputs else "it has no output")
    is_single = len(program.inputs) == 1
    types: dict[str, TensorType] = {}
    batches: set[int] = set()
    for name in program.inputs:
        shape = program.shapes.get(name, ())
        if 0 in shape:
            raise UnreadableError(f"the input `{printable(name[:80])}` has no elements")
        if len(shape) != 4 or program.types[name] != _FLOAT:
            message = f"the language has no word for the input `{printable(name[:80])}`"
            note = "an input is a map in single precision"
            raise SpecError([Diagnostic("E705", message, notes=(note,))])
        type = TensorType(shape[1:])
        batches.add(shape[0])
        asked = given.get(name) or (given.get("") if is_single else None)
        if asked is not None and asked != type:
            message = f"the input `{printable(name[:80])}` of `{subject}` is {type}, not {asked}"
            help = "a program has the input that it was exported with"
            raise SpecError([Diagnostic("E703", message, help=help)])
        types["" if is_single else number(clean_name(name), types, "_")] = type
    unknown = [name for name in given if name and name not in program.inputs]
    if unknown or ("" in given and not is_single):
        listed = ", ".join(f"`{printable(name)}`" for name in program.inputs[:5])
        raise SpecError([Diagnostic("E703", f"`{subject}` has the inputs {listed}")])
    if len(batches) > 1:
        raise UnreadableError("its inputs have several numbers of images")
    return types


@dataclass(slots=True)
class _Writer:
    """A writer of the calls of an exported program."""

    program: Program
    trace: CallTrace = field(default_factory=CallTrace)
    macs: int = 0
    _turned: dict[str, WeightRef] = field(default_factory=dict)
    _refs: dict[str, ValueRef | WeightRef | ConstantRef] = field(default_factory=dict)
    _sources: dict[str, str] = field(default_factory=dict)
    _stale: set[str] = field(default_factory=set)
    _marks: dict[tuple[str, tuple[int, ...]], list[str]] = field(default_factory=dict)

    def write(self) -> None:
        """Write the calls of all nodes."""
        program = self.program
        for name, shape in program.shapes.items():
            if prod(shape) > MAX_ELEMENTS:
                raise UnreadableError(f"the tensor `{printable(name[:80])}` has no valid shape")
        for name in program.inputs:
            ref = self._make(name)
            self.trace.inputs.append(ref)
        for names, is_parameter in ((program.parameters, True), (program.buffers, False)):
            for name, own in names.items():
                self._refs[name] = WeightRef(own, program.shapes[name], is_parameter)
        for node in program.nodes:
            self._write_node(node)
        is_single = len(program.outputs) == 1
        self.trace.outputs = tuple(
            TracedResult("" if is_single else name, self._see(name)) for name in program.outputs
        )

    def _write_node(self, node: ProgramNode) -> None:
        if not node.outputs:
            return  # an assertion of the exporter
        name, arguments, keywords = name_call(node.target, node.arguments)
        name, arguments, keywords = self._read_product(node, (name, arguments, keywords))
        read = list(_list_names((arguments, keywords)))
        is_stale = any(one in self._stale for one in read)
        refer = self._refer
        refs = tuple(self._make(output) for output in node.outputs)
        module = node.modules[-1].path if node.modules else ""
        if len(node.modules) > MAX_DEPTH or len(module) > MAX_PATH:
            raise UnreadableError("its modules are nested too deep")
        call = TorchCall(
            name=name,
            arguments=refer(arguments),
            keywords=refer(keywords),
            results=refs[:1] if name in _FIRST_ONLY else refs,
            module=module,
            runs=self._count_runs(node.modules),
            frames=(),
            is_stale=is_stale,
        )
        self.trace.calls.append(call)
        bound = {**dict(zip(("input", "weight"), call.arguments, strict=False)), **call.keywords}
        self.macs += count_macs(name, bound, [ref.shape for ref in refs])
        self._note_change(node, read)

    def _read_product(self, node: ProgramNode, call: Renamed) -> Renamed:
        """Return a product with a weight whose axes are exchanged as a linear layer."""
        name, at = call[0], node.arguments
        first = next(iter(at.values()), None)
        held = self._refs.get(first.name) if isinstance(first, TensorName) else None
        is_turned = name == "t" or (name, at.get("dims")) == ("permute", (1, 0))
        if is_turned and isinstance(held, WeightRef) and len(held.shape) == 2:
            self._turned[node.outputs[0]] = held
        right = at.get("mat2")
        weight = self._turned.get(right.name) if isinstance(right, TensorName) else None
        if weight is not None and name == "addmm":
            return "linear", (at.get("mat1"),), {"weight": weight, "bias": first}
        if weight is not None and name == "mm":
            return "linear", (first,), {"weight": weight}
        return call

    def _note_change(self, node: ProgramNode, read: Sequence[str]) -> None:
        """Note the tensors that a node overwrites: its result alone has the new values."""
        base = node.target.split(".")[3] if node.target.count(".") > 2 else ""
        if not read:
            return
        source = self._sources.get(read[0], read[0])
        if base.endswith("_") and not base.endswith("__"):
            self._stale |= {name for name, of in self._sources.items() if of == source}
            self._stale.add(source)
            for output in node.outputs:
                self._stale.discard(output)
        if base in _VIEWS or base.endswith("_"):
            for output in node.outputs:
                self._sources[output] = source if base in _VIEWS else output

    def _count_runs(self, modules: Sequence[ModuleEntry]) -> tuple[int, ...]:
        """Return the earlier runs of each module around a node, in the run around it."""
        marks = {module.path: module.mark for module in modules}
        runs: tuple[int, ...] = ()
        for path in list_prefixes(modules[-1].path if modules else ""):
            seen = self._marks.setdefault((path, runs), [])
            mark = marks.get(path, "")
            if mark not in seen:
                seen.append(mark)
            runs = (*runs, seen.index(mark))
        return runs

    def _make(self, name: str) -> ValueRef:
        if name not in self.program.shapes:
            raise UnreadableError(f"nothing tells the shape of `{printable(name[:80])}`")
        if name in self._refs:
            raise UnreadableError(f"two nodes make `{printable(name[:80])}`")
        ref = ValueRef(
            len(self._refs) + 1, self.program.shapes[name], str(self.program.types[name])
        )
        self._refs[name] = ref
        return ref

    def _see(self, name: str) -> ValueRef | WeightRef | ConstantRef:
        ref = self._refs.get(name)
        if ref is not None and 0 in ref.shape:
            raise UnreadableError(f"the tensor `{printable(name[:80])}` has no elements")
        if ref is not None:
            return ref
        made = {output for node in self.program.nodes for output in node.outputs}
        if name in made or name not in self.program.shapes:
            raise UnreadableError(f"nothing makes `{printable(name[:80])}` before it is read")
        return ConstantRef(self.program.shapes[name])

    def _refer(self, value: Any) -> Any:
        match value:
            case TensorName(name):
                return self._see(name)
            case tuple():
                return tuple(self._refer(part) for part in value)
            case dict():
                return {key: self._refer(part) for key, part in value.items()}
            case _:
                return value

    def describe_modules(self, name: str) -> ModuleFacts:
        """Return the modules of the program.

        Args:
            name: that of the network's class, if the program does not say it.
        """
        classes, containers = {"": name}, set()
        for node in self.program.nodes:
            for module in node.modules:
                classes[module.path] = module.kind.rpartition(".")[2]
                if module.kind.startswith(_CONTAINER):
                    containers.add(module.path)
                containers.update(
                    path for path in list_prefixes(module.path) if path not in classes
                )
        shapes = self.program.shapes
        weights = {own: shapes[arg] for arg, own in self.program.parameters.items()}
        return ModuleFacts(classes, frozenset(containers), weights)


_FIRST_ONLY = frozenset(["batch_norm", "max_pool2d", "adaptive_max_pool2d"])
"""The functions whose operators give more than the function does."""

_VIEWS = frozenset(
    ["view", "slice", "chunk", "split", "split_with_sizes", "permute", "transpose", "unsqueeze"]
    + ["squeeze", "expand", "flatten", "select", "alias", "detach", "t", "reshape"]
)
"""The operators whose results have the values of what they read, in the same place."""


def _list_names(value: Any) -> list[str]:
    match value:
        case TensorName(name):
            return [name]
        case tuple():
            return [name for part in value for name in _list_names(part)]
        case dict():
            return [name for part in value.values() for name in _list_names(part)]
        case _:
            return []
