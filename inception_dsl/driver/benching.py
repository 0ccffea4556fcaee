"""The modules of a network and others beside them: timed in turn, with the errors of outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError
from inception_dsl.driver.inference import write_inference_source
from inception_dsl.driver.onnx_models import bound_drawn, emit_onnx_model, require_onnx
from inception_dsl.driver.options import check_batch
from inception_dsl.driver.walk import Checked, emit_module, measure_file
from inception_dsl.driver.writing import write_all
from inception_dsl.emit.report.bench import Bench
from inception_dsl.ir import Path as StepPath
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.files import find_spec
from inception_dsl.spec.target import Target, is_file_target, is_target, read_target

if TYPE_CHECKING:
    from inception_dsl.bridge.bench import Batch, Contender
    from inception_dsl.bridge.porting import PortNetwork, State
    from inception_dsl.driver.porting import PortMap

BenchTarget = Literal["module", "inference", "onnx", "compiled"]
"""A way in which a spec is built."""

BenchType = Literal["float32", "bfloat16", "float16", "float64"]
"""The type of weights and images."""

UNREADABLE = {"E705", "E707", "E708"}
"""The codes of networks that run, but have no spec: nothing is carried over to them."""


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """The choices of a comparison.

    Attributes:
        batch: the images at once.
        rounds: the forward passes of each network that count.
        has_channels_last: run modules in channels-last memory, too.
        device: `cpu` or `cuda`; None for a GPU if torch sees one.
        threads: of torch and of onnxruntime; None for as many as torch takes.
    """

    batch: int = 1
    dtype: BenchType = "float32"
    rounds: int = 20
    has_channels_last: bool = False
    device: str | None = None
    threads: int | None = None


def bench(
    spec: str,
    *,
    folder: Path,
    targets: Sequence[BenchTarget] = ("module", "inference"),
    against: Sequence[str] = (),
    settings: BenchSettings | None = None,
    overrides: Overrides = AS_WRITTEN,
    clock: Callable[[], float] = time.perf_counter,
) -> Bench:
    """Time the modules of a spec and other networks in turn, in one process.

    All modules of the spec have the same random weights. So has a network of `against`, if the
    graphs tell how its weights are made of those of the spec.

    Args:
        targets: the ways in which the spec is built.
        against: specs, or targets of code, whose code is run.
        clock: tells the time in seconds.

    Raises:
        SpecError: the errors of a spec or of a target; E501, a target cannot be built; E906, a
            network cannot be timed as it is asked for.
        MissingExtraError: torch is not installed, or onnx or onnxruntime for an ONNX model.
        ValueError: the batch is no number of images.
    """
    settings = settings or BenchSettings()
    check_batch(settings.batch)
    _refuse_choices(spec, targets, against, settings)
    device = _choose_device(targets, settings)
    from inception_dsl.bridge.bench import describe_machine, time_contenders, use_threads

    checked = measure_file(find_spec(spec, folder), overrides)
    bound_drawn(checked, "E906")
    with use_threads(settings.threads):
        machine = describe_machine(device, list(_list_packages(targets, against)))
        walk = _Walk(spec, folder, checked, overrides, settings, device)
        contenders = [*walk.make_own(targets)]
        own = len(contenders)
        for reference in against:
            contenders += walk.make_other(reference)
        timings = time_contenders(contenders, walk.exact, settings.rounds, clock)
    bases = contenders[own:] or contenders[:1]
    return Bench(
        name=checked.file.full_name,
        input=_write_input(checked),
        batch=settings.batch,
        dtype=settings.dtype,
        rounds=settings.rounds,
        machine=machine,
        timings=tuple(timings),
        bases=tuple(contender.name for contender in bases),
    )


def _write_input(checked: Checked) -> str:
    types = checked.model.inputs
    if len(types) == 1:
        return str(checked.model.input)
    return ", ".join(f"{name} {type}" for name, type in types.items())


def _refuse_choices(
    spec: str,
    targets: Sequence[BenchTarget],
    against: Sequence[str],
    settings: BenchSettings,
) -> None:
    """Refuse what cannot be timed, before anything is read.

    Raises:
        SpecError: E906.
    """
    problems = []
    if is_target(spec):
        help = f"name its spec; `inception-dsl import {printable(spec)}` writes it"
        message = f"`{printable(spec)}` is no spec, and has no modules"
        problems.append(Diagnostic("E906", message, help=help))
    for reference in against:
        if is_file_target(reference):
            message = f"`{printable(reference)}` is a file, and code is timed alone"
            help = "name the code that the file was made of"
            problems.append(Diagnostic("E906", message, help=help))
    names = [*targets, *against]
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    problems += [Diagnostic("E906", f"`{printable(name)}` is named twice") for name in twice]
    if "onnx" in targets and settings.dtype != "float32":
        message = f"`onnx` has weights of float32, and `{settings.dtype}` is asked for"
        problems.append(Diagnostic("E906", message, help="leave out `onnx`, or the type"))
    if settings.rounds < 1:
        problems.append(Diagnostic("E906", "no round is asked for, and a median needs one"))
    if problems:
        raise SpecError(problems)


def _choose_device(targets: Sequence[BenchTarget], settings: BenchSettings) -> str:
    """Return the device that all networks run on, if all packages are there.

    Raises:
        SpecError: E906, torch has no such device, or a target does not run there.
        MissingExtraError: a package is not installed.
    """
    from inception_dsl.bridge import require_torch

    require_torch()
    if "onnx" in targets:
        _require_onnxruntime()
    from inception_dsl.bridge.evaluating import choose_device

    device = choose_device(settings.device, "E906")
    if "onnx" in targets and device != "cpu":
        message = "`onnx` is timed on the processor alone"
        raise SpecError([Diagnostic("E906", message, help="add `--device cpu`")])
    return device


def _require_onnxruntime() -> None:
    """Make sure that ONNX models can be written and run.

    Raises:
        MissingExtraError: a package is not installed.
    """
    require_onnx()
    try:
        import onnxruntime  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("`bench --target onnx`", "onnxruntime", "bench") from None


def _list_packages(targets: Sequence[BenchTarget], against: Sequence[str]) -> Iterator[str]:
    """Yield the packages besides torch whose versions a time depends on."""
    if "onnx" in targets:
        yield "onnxruntime"
    libraries = [reference.partition(":")[0] for reference in against if is_target(reference)]
    yield from dict.fromkeys(library for library in libraries if library != "py")


def _is_in_heads(paths: Sequence[StepPath], weights: PortMap) -> bool:
    """Tell whether steps of either network are all in its training heads."""
    heads = [head.path for side in (weights.old, weights.new) for head in side.model.heads]
    return all(any(path.is_within(head) for head in heads) for path in paths)


class _Walk:
    """The networks of a comparison, made one after the other.

    Attributes:
        exact: the outputs of the spec's module in double precision.
    """

    def __init__(
        self,
        spec: str,
        folder: Path,
        checked: Checked,
        overrides: Overrides,
        settings: BenchSettings,
        device: str,
    ) -> None:
        from inception_dsl.bridge.bench import compute_exactly, draw_batch
        from inception_dsl.bridge.porting import PortNetwork, draw_state

        self._spec = spec
        self._folder = folder
        self._checked = checked
        self._overrides = overrides
        self._layouts = (False, True) if settings.has_channels_last else (False,)
        emit = partial(emit_module, checked)
        name = checked.file.full_name
        self._network: PortNetwork = PortNetwork(
            name=name, model=checked.model, emit=emit, tensors={}
        )
        self._state: State = draw_state(self._network)
        types = list(checked.model.inputs.values())
        self._batch: Batch = draw_batch(types, settings.batch, settings.dtype, device)
        self.exact = compute_exactly(self._network, self._state, self._batch)

    def make_own(self, targets: Sequence[BenchTarget]) -> Iterator[Contender]:
        """Yield the modules of the spec.

        Raises:
            SpecError: E501, one cannot be built; E906, one does not run.
        """
        from inception_dsl.bridge.bench import (
            load_single,
            prepare_compiled,
            prepare_inference,
            prepare_module,
        )

        for target in targets:
            match target:
                case "module":
                    for is_last in self._layouts:
                        module = load_single(self._network, self._state)
                        yield prepare_module(target, module, self._batch, is_channels_last=is_last)
                case "inference":
                    source = write_inference_source(self._checked)
                    yield prepare_inference(target, source, self._state, self._batch)
                case "onnx":
                    yield self._make_onnx()
                case "compiled":
                    module = load_single(self._network, self._state)
                    yield prepare_compiled(target, module, self._batch)

    def _make_onnx(self) -> Contender:
        """Return the ONNX model, whose files are needed until it is loaded."""
        from inception_dsl.bridge.bench import prepare_onnx
        from inception_dsl.bridge.tensor_files import pack_tensors

        begin = time.perf_counter()
        with TemporaryDirectory(ignore_cleanup_errors=True) as name:
            weights = Path(name) / "weights.safetensors"
            weights.write_bytes(pack_tensors(self._state, "safetensors"))
            built = emit_onnx_model(self._checked, output=Path(name), weights=weights)
            write_all(built.artifacts)
            made = prepare_onnx("onnx", built.artifacts[0].path, self._batch)
            return replace(made, preparation=time.perf_counter() - begin)

    def make_other(self, reference: str) -> Iterator[Contender]:
        """Yield another network, with the weights of the spec if they can be carried over.

        Raises:
            SpecError: the errors of a spec, or of a target that cannot be built or run.
        """
        from inception_dsl.bridge.bench import build_at_random, load_single, prepare_module
        from inception_dsl.bridge.porting import gives_probabilities, make_tensors
        from inception_dsl.emit.diff.porting import write_departures

        weights = self._map(reference)
        if weights is None:
            target = read_target(reference)
            assert isinstance(target, Target)
            for is_last in self._layouts:
                module = build_at_random(target, self._folder.resolve())
                made = prepare_module(reference, module, self._batch, is_channels_last=is_last)
                yield replace(made, weights="other weights")
            return
        new = weights.new
        is_carried = not weights.missing
        state = make_tensors(weights.weights, self._state, new) if is_carried else {}
        departures = [
            each
            for each in weights.pairs.departures
            if not each.is_in_training and not _is_in_heads(each.paths, weights)
        ]
        for is_last in self._layouts:
            made = prepare_module(
                reference,
                load_single(new, state),
                self._batch,
                inputs=new.inputs,
                is_channels_last=is_last,
            )
            yield replace(
                made,
                weights="same" if is_carried else "other weights",
                has_softmax=gives_probabilities(new),
                departures=tuple(write_departures(departures)),
            )

    def _map(self, reference: str) -> PortMap | None:
        """Return the map of the weights to another network; None if the language cannot say it."""
        from inception_dsl.driver.porting import map_weights

        types = self._checked.model.inputs
        named = {name: str(type) for name, type in types.items()}
        try:
            return map_weights(
                self._spec,
                reference,
                folder=self._folder,
                input=named if len(named) > 1 else self._overrides.input,
                params=self._overrides.params,
            )
        except SpecError as error:
            is_code = is_target(reference)
            if not is_code or {finding.code for finding in error.diagnostics} - UNREADABLE:
                raise
            return None
