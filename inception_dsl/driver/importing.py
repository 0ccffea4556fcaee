"""From a network that exists as code to a spec: traced, written, read back and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.references import NamedInput
from inception_dsl.ir import TensorType
from inception_dsl.source import Source
from inception_dsl.spec.files import SpecFile
from inception_dsl.spec.memory import hold_text
from inception_dsl.spec.project import project_root
from inception_dsl.version import __version__

if TYPE_CHECKING:
    from torch import nn

    from inception_dsl.bridge.traced import TracedTarget
    from inception_dsl.driver.walk import Checked
    from inception_dsl.recover import Recovered
    from inception_dsl.recover.pairing import TracePairing

MAX_COMPARED = 60_000_000
"""Maximum number of parameters of a network whose outputs are compared."""

MAX_COMPARED_MACS = 10**11
"""Maximum number of MACs of a network whose outputs are compared."""

MAX_COMPARED_ELEMENTS = 2 * 10**8
"""Maximum number of values that a network computes whose outputs are compared."""

MAX_SHOWN = 5
"""Maximum number of nodes that a finding names."""


class ImportFaultError(RuntimeError):
    """The error of a spec that is not the network behind it: a fault of this package.

    Nothing is written then.
    """

    def __init__(self, target: str, difference: str) -> None:
        super().__init__(f"the spec of `{target}` is not the same network: {difference}")


@dataclass(frozen=True, slots=True)
class Imported:
    """A network that exists as code, as a spec.

    Attributes:
        file: the spec, whose text is in memory.
        notes: what the spec leaves out.
    """

    file: SpecFile
    text: str
    notes: tuple[Diagnostic, ...]


def import_target(
    reference: str,
    *,
    folder: Path,
    input: NamedInput = None,
    name: str = "",
    compares: bool = True,
) -> Imported:
    """Return the spec of a target, after it has proved that it is the same network.

    Args:
        reference: a target such as `timm:resnet50`.
        folder: where the caller stands.
        input: the network's input as height x width x channels; None for that of its library.
        name: the text that the network's name is made of; empty for that of the target.
        compares: compare outputs, too, if the network is not too large.

    Raises:
        SpecError: E701 to E704, the network cannot be run; E705, the language cannot say it.
        ImportFaultError: the spec is not the same network.
        MissingExtraError: torch is not installed.
    """
    traced = trace_reference(reference, folder=folder, input=input, name=name)
    return write_traced(traced, target=reference, folder=folder, compares=compares)


def trace_reference(
    reference: str, *, folder: Path, input: NamedInput = None, name: str = ""
) -> TracedTarget:
    """Return the traced network of a target.

    Args:
        input: as for `import_target`.
        name: as for `import_target`.

    Raises:
        SpecError: E701 to E704, the network cannot be run; E705, the language cannot say it.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.spec.target import FileTarget, read_target

    target = read_target(reference)
    name, inputs = make_name(name or target.name), read_inputs(input)
    if isinstance(target, FileTarget):
        from inception_dsl.bridge.exported import read_exported

        return read_exported(target, folder.resolve(), inputs, name=name)
    from inception_dsl.bridge import require_torch

    require_torch()
    from inception_dsl.bridge.importing import trace_target

    return trace_target(target, folder.resolve(), inputs, name=name)


def import_module(module: nn.Module, input: NamedInput, *, name: str, folder: Path) -> Imported:
    """Return the spec of a module of torch, after it has proved that it is the same network.

    The module stays as it is; a copy without values is traced.

    Args:
        input: the network's input as height x width x channels; several by name.

    Raises:
        SpecError: E703, an input is missing; E704, the module does not run on the input; E705, the
            language cannot say it.
        ImportFaultError: the spec is not the same network.
    """
    from inception_dsl.bridge.importing import copy_to_meta, name_inputs, trace_network

    kind = type(module)
    inputs = name_inputs(module, read_inputs(input), kind.__qualname__)
    traced = trace_network(
        copy_to_meta(module), inputs, name=name, origin=kind.__module__, rebuild=lambda: module
    )
    return write_traced(traced, target=kind.__qualname__, folder=folder, compares=False)


def write_traced(traced: TracedTarget, *, target: str, folder: Path, compares: bool) -> Imported:
    """Return the spec of a traced network, after it has proved that it is the same.

    Raises:
        SpecError: E705, the language cannot say it.
        ImportFaultError: the spec is not the same network.
    """
    from inception_dsl.bridge.traced import cause_of_crossing, describe_code, list_causes
    from inception_dsl.driver.walk import measure_file
    from inception_dsl.emit.spec import format_spec
    from inception_dsl.recover import CrossingError, MeshError, SpecHeader, recover_spec
    from inception_dsl.resolve import AS_WRITTEN

    params, all_params = _count_used(traced)
    header = SpecHeader(
        name=traced.graph.name,
        title=traced.kind,
        source=target if traced.origin in target else f"{traced.origin}, {target}",
        comments=(f"imported by inception-dsl {__version__} from {target}",),
        claims=tuple(_claim(params, all_params, traced)),
    )
    try:
        recovered = recover_spec(traced.graph, header)
    except CrossingError as error:
        raise SpecError(list_causes([cause_of_crossing(traced.graph, error.node)])) from None
    except MeshError:
        message = (
            "the language has no word for a sum that drops a path and whose inputs cross others"
        )
        raise SpecError([Diagnostic("E705", message)]) from None
    root = project_root(folder.resolve())
    name = traced.graph.name
    text = format_spec(Source(target, recovered.text))
    file = hold_text(text, name=name, reference=target, folder=root, notes=traced.notes)
    try:
        checked = measure_file(file, AS_WRITTEN)
    except SpecError as error:
        first = error.diagnostics[0]
        if first.code == "E003":  # a network may be larger than a spec
            raise
        raise ImportFaultError(target, f"{first.code}: {first.message}") from None
    pairing = _prove(traced, recovered, checked, (params, all_params))
    notes = traced.notes
    if compares and (note := _compare(traced, recovered, checked, pairing)) is not None:
        notes = (*notes, note)
    graph, written = recovered.fused.graph, checked.model.graph
    file = replace(file, code=describe_code(traced, graph, written, pairing))
    return Imported(file, text, notes)


def _claim(params: int, all_params: int, traced: TracedTarget) -> Iterator[dict[str, str]]:
    """Yield the claims of the spec of a traced network."""
    from inception_dsl.emit.spec.claims import write_source

    source = write_source(traced.counted_by)
    yield {"params": str(params), "macs": str(traced.macs), "source": source}
    if traced.graph.heads:
        yield {"params": str(all_params), "heads": "true", "source": source}


def _count_used(traced: TracedTarget) -> tuple[int, int]:
    """Return the parameters that a traced graph uses in inference, and with its heads."""
    from math import prod

    from inception_dsl.recover import find_live

    graph = traced.graph
    main = find_live(graph.nodes, (output.key for output in graph.outputs))
    counts = []
    for nodes in ([node for node in graph.nodes if node.key in main], graph.nodes):
        used = {name for node in nodes for name in node.tensors.values()}
        counts.append(sum(prod(shape) for name, shape in graph.weights.items() if name in used))
    return counts[0], counts[1]


def _prove(
    traced: TracedTarget,
    recovered: Recovered,
    checked: Checked,
    params: tuple[int, int],
) -> TracePairing:
    """Compare a spec with the trace that it was written from, and return the pairs of nodes.

    Raises:
        ImportFaultError: they differ.
    """
    from inception_dsl.recover import pair_nodes

    graph = checked.model.graph
    pairing = pair_nodes(recovered.fused.graph, graph)
    target = checked.file.reference
    if not pairing.is_whole:
        nodes = {node.key: node for node in recovered.fused.graph.nodes}
        lone = [f"{nodes[key].op} in `{nodes[key].module}`" for key in pairing.lone_traced]
        written = [f"`{path}`" for path in pairing.lone_written]
        shown = ", ".join((*lone[:MAX_SHOWN], *written[:MAX_SHOWN]))
        raise ImportFaultError(target, f"nodes without a partner: {shown}")
    totals = checked.cost.totals
    for counted, known in zip((totals, checked.cost.totals_with_heads), params, strict=True):
        if counted.params != known:
            message = f"it has {counted.params:,} parameters, and the module {known:,}"
            raise ImportFaultError(target, message)
    if totals.macs != traced.macs:
        message = f"it takes {totals.macs:,} MACs, and the module takes {traced.macs:,}"
        raise ImportFaultError(target, message)
    return pairing


def _compare(
    traced: TracedTarget, recovered: Recovered, checked: Checked, pairing: TracePairing
) -> Diagnostic | None:
    """Compare the outputs of a network and of its spec.

    Returns:
        A note if they cannot be compared.

    Raises:
        ImportFaultError: they differ.
    """
    from inception_dsl.bridge.traced import NotComparedError

    target = checked.file.reference
    try:
        difference = _find_difference(traced, recovered, checked, pairing)
    except NotComparedError as error:
        return Diagnostic("W624", f"the outputs of `{target}` are not compared: {error}")
    if difference is not None:
        raise ImportFaultError(target, difference)
    return None


def _find_difference(
    traced: TracedTarget, recovered: Recovered, checked: Checked, pairing: TracePairing
) -> str | None:
    """Return how the outputs of a network differ from those of its spec.

    Raises:
        NotComparedError: they cannot be compared.
    """
    from inception_dsl.bridge import require_torch
    from inception_dsl.bridge.traced import NotComparedError
    from inception_dsl.diagnostics import MissingExtraError
    from inception_dsl.driver.walk import emit_module

    graph = recovered.fused.graph
    if traced.params > MAX_COMPARED:
        raise NotComparedError(f"it has more than {MAX_COMPARED:,} parameters")
    if traced.module is None and traced.file is None:
        raise NotComparedError("to run an exported program may run code of its file")
    if traced.macs > MAX_COMPARED_MACS or _count_elements(traced) > MAX_COMPARED_ELEMENTS:
        raise NotComparedError("to run it takes too long")
    try:
        require_torch()
    except MissingExtraError:
        raise NotComparedError("`torch` is not installed") from None
    names = (emit_module(checked), checked.model.name, checked.model.graph, pairing)
    if traced.module is not None:
        from inception_dsl.bridge.comparing import compare_outputs

        return compare_outputs(traced.module, graph, *names, trains=traced.trains)
    from inception_dsl.bridge.exported.onnx.comparing import compare_file

    assert traced.file is not None
    return compare_file(traced.file, graph, *names)


def _count_elements(traced: TracedTarget) -> int:
    """Return the number of values that a network computes for one image."""
    from math import prod

    return sum(prod(node.type.shape) for node in traced.graph.nodes)


def read_inputs(written: NamedInput) -> dict[str, TensorType]:
    """Return inputs that are written as height x width x channels.

    Returns:
        The inputs by name; a single one has none, and none are returned if none is written.

    Raises:
        SpecError: E103, one is no such text.
    """
    texts = written if isinstance(written, Mapping) else {"": written} if written else {}
    return {name: _read_input(text) for name, text in texts.items()}


def _read_input(text: str) -> TensorType:
    if not re.fullmatch(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5}){2}", text):
        message = f"`{text[:60]}` is no input: height x width x channels, as in 224x224x3"
        help = None
        if text.isdecimal():
            message = (
                f"the input `{text[:60]}` is a vector, and a network of the language reads maps"
            )
            help = "import a module that begins with `flatten(1)` on an input of 1x1 pixels"
        raise SpecError([Diagnostic("E103", message, help=help)])
    height, width, channels = (int(side) for side in text.split("x"))
    return TensorType((channels, height, width))


def make_name(text: str) -> str:
    """Return a name for a network that a spec can have, made of any text."""
    from inception_dsl.resolve.reserved import (
        drop_accents,
        network_name_problem,
        usable_network_name,
    )

    plain = re.sub(r"\W+", "_", drop_accents(text), flags=re.ASCII).strip("_").lower() or "net"
    if network_name_problem(plain) is None:
        return plain
    return usable_network_name(plain) or "net"
