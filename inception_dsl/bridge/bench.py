"""Networks that run in turn: their times, and their outputs beside those in double precision.

It makes no network: the walk is in the driver, and modules come from emitted source or from code.
"""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from inception_dsl.analysis.dtypes import BYTES
from inception_dsl.bridge.building import (
    FAILURES,
    build_target,
    explain_failure,
    forget_modules,
    quiet,
)
from inception_dsl.bridge.comparing import SEED, add_softmax, draw_values, measure_error
from inception_dsl.bridge.module import make_module
from inception_dsl.bridge.porting import PortNetwork, State, load_module
from inception_dsl.bridge.ports import call_module, list_results
from inception_dsl.emit.report.bench import Machine, Timing, Weights
from inception_dsl.ir import TensorType
from inception_dsl.spec.target import Target

MAX_COMPARED = 2
"""Maximum number of images of a batch whose outputs are compared."""

WARM_UP = 2
"""The rounds before those that count."""

DTYPES: Mapping[str, torch.dtype] = {name: getattr(torch, name) for name in BYTES}
"""The types of torch by their names."""

Clock = Callable[[], float]
"""A function that returns a time in seconds."""


class _Run(Protocol):
    def __call__(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Contender:
    """A network that is ready to run.

    Attributes:
        run: runs the batch; the device is done with it when it returns.
        preparation: the seconds until it was ready, beyond the making of a module of torch.
        weights: the relation of its weights to those of the spec.
        has_softmax: it computes the softmax at the end that the module of the spec leaves out.
        departures: lines on its steps that are other than those of the spec.
    """

    name: str
    run: _Run
    preparation: float | None = None
    weights: Weights = "same"
    has_softmax: bool = False
    departures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """The images that all networks get, in single precision on the CPU: N x C x H x W each."""

    images: tuple[Tensor, ...]
    dtype: torch.dtype
    device: str

    def give(self, *, is_channels_last: bool = False) -> list[Tensor]:
        """Return the images as a network of torch gets them."""
        moved = [image.to(self.device, self.dtype) for image in self.images]
        if not is_channels_last:
            return moved
        return [image.contiguous(memory_format=torch.channels_last) for image in moved]


def draw_batch(types: Sequence[TensorType], batch: int, dtype: str, device: str) -> Batch:
    """Return random images; the same each time."""
    generator = torch.Generator().manual_seed(SEED)
    images = tuple(torch.randn(batch, *type.shape, generator=generator) for type in types)
    return Batch(images, DTYPES[dtype], device)


def compute_exactly(network: PortNetwork, state: State, batch: Batch) -> list[Tensor]:
    """Return the outputs of a network in double precision for the first images.

    Raises:
        SpecError: E906, it does not run.
    """
    images = [image[:MAX_COMPARED].to(batch.device).double() for image in batch.images]
    with _refuse_failures("the module in double precision"), torch.inference_mode():
        module = load_module(network, state, torch.float64).to(batch.device).eval()
        return _list_first(module(*images))


def load_single(network: PortNetwork, state: State) -> nn.Module:
    """Return a network in single precision with some weights; those that are missing are random."""
    return load_module(network, state, torch.float32)


def prepare_module(
    name: str,
    module: nn.Module,
    batch: Batch,
    *,
    inputs: Sequence[str] = (),
    is_channels_last: bool = False,
) -> Contender:
    """Return a module of torch as it runs on the batch.

    Args:
        inputs: the names by which it takes several inputs; none for those by position.
        is_channels_last: its filters and the images lie channels-last in memory.
    """
    module = module.to(batch.device, batch.dtype).eval().requires_grad_(requires_grad=False)
    if is_channels_last:
        module = module.to(memory_format=torch.channels_last)
    images = batch.give(is_channels_last=is_channels_last)
    if len(images) > 1 and any(inputs):
        run: _Run = partial(call_module, module, dict(zip(inputs, images, strict=True)))
    else:
        run = partial(module, *images)
    name = f"{name}, channels last" if is_channels_last else name
    return Contender(name, _wait(run, batch.device))


def prepare_inference(
    name: str, source: str, state: Mapping[str, Tensor], batch: Batch
) -> Contender:
    """Return a module for inference with the weights of a checkpoint, packed for the batch.

    Args:
        source: its source, which is run.
    """
    begin = time.perf_counter()
    module = make_module(source, "from_checkpoint", state=state, dtype=batch.dtype)
    module = module.to(batch.device)
    images = batch.give()
    with _refuse_failures(name):
        sys.modules[type(module).__module__].prepare(module, *images)
    run = _wait(partial(module, *images), batch.device)
    return Contender(name, run, time.perf_counter() - begin)


def prepare_compiled(name: str, module: nn.Module, batch: Batch) -> Contender:
    """Return a module of torch as torch's compiler makes it, in channels-last memory.

    Its weights are frozen, so that the compiler folds norms and packs them.

    Raises:
        SpecError: E906, it cannot be compiled.
    """
    begin = time.perf_counter()
    module = module.to(batch.device, batch.dtype).eval().requires_grad_(requires_grad=False)
    module = module.to(memory_format=torch.channels_last)
    compiled: _Run = torch.compile(module, options={"freezing": True})
    images = batch.give(is_channels_last=True)
    run = _wait(partial(compiled, *images), batch.device)
    with quiet(), _refuse_failures(name), torch.inference_mode():
        run()
    return Contender(name, run, time.perf_counter() - begin)


def prepare_onnx(name: str, path: Path, batch: Batch) -> Contender:
    """Return an ONNX model as onnxruntime runs it, with as many threads as torch has.

    Its threads stop spinning after each run, as they would take the time of the next network.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.force_spinning_stop", "1")
    with _refuse_failures(name):
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    names = [each.name for each in session.get_inputs()]
    images = {key: image.numpy() for key, image in zip(names, batch.images, strict=True)}
    return Contender(name, partial(session.run, None, images))


def build_at_random(target: Target, folder: Path) -> nn.Module:
    """Return the module of a target with random weights of its own.

    Raises:
        SpecError: E701 there is no such network, E702 its code fails.
    """
    with quiet(), forget_modules(target, folder):
        built = build_target(target, folder)
        return draw_values(built.module, {}, torch.Generator().manual_seed(SEED))


def time_contenders(
    contenders: Sequence[Contender], exact: Sequence[Tensor], rounds: int, clock: Clock
) -> list[Timing]:
    """Run networks in turn, and return their times and the errors of their outputs.

    Args:
        exact: the outputs of the spec's module in double precision.

    Raises:
        SpecError: E906, a network does not run.
    """
    timings = []
    with quiet(), torch.inference_mode():
        for contender in contenders:
            with _refuse_failures(contender.name):
                outputs = _list_first(contender.run())
            error = _measure(contender, outputs, exact)
            weights: Weights = contender.weights
            if weights == "same" and error is None:
                weights = "other outputs"
            timing = Timing(
                contender.name, (), weights, error, contender.departures, contender.preparation
            )
            timings.append(timing)
        taken = time_in_turn([contender.run for contender in contenders], rounds, clock)
    pairs = zip(timings, taken, strict=True)
    return [replace(timing, seconds=tuple(seconds)) for timing, seconds in pairs]


def time_in_turn(
    runs: Sequence[Callable[[], object]], rounds: int, clock: Clock, warm_up: int = WARM_UP
) -> list[list[float]]:
    """Return the seconds of each run in each round.

    Every round begins with another run, so that none always follows the same one.
    """
    seconds: list[list[float]] = [[] for _ in runs]
    for number in range(-warm_up, rounds):
        for place in range(len(runs)):
            index = (number + place) % len(runs)
            begin = clock()
            runs[index]()
            taken = clock() - begin
            if number >= 0:
                seconds[index].append(taken)
    return seconds


def _wait(run: _Run, device: str) -> _Run:
    """Return a run that ends when the device is done."""
    if torch.device(device).type != "cuda":
        return run

    def run_and_wait() -> Any:
        output = run()
        torch.cuda.synchronize(device)
        return output

    return run_and_wait


@contextmanager
def _refuse_failures(name: str) -> Iterator[None]:
    """Turn the errors of a network that runs into findings."""
    try:
        yield
    except FAILURES as error:
        subject = name if " " in name else f"`{name}`"
        raise explain_failure("E906", f"{subject} does not run", error) from None


def _list_first(output: Any) -> list[Tensor]:
    """Return the outputs for the first images, in double precision on the CPU."""
    results: list[Tensor]
    if isinstance(output, list) and not any(isinstance(part, Tensor) for part in output):
        results = [torch.from_numpy(part) for part in output]  # of onnxruntime
    else:
        results = [tensor for _, tensor in list_results(output)]
    return [tensor[:MAX_COMPARED].to("cpu", torch.float64) for tensor in results]


def _measure(
    contender: Contender, outputs: Sequence[Tensor], exact: Sequence[Tensor]
) -> float | None:
    """Return the largest relative error of outputs; None if they cannot be compared."""
    if contender.weights != "same":
        return None
    if contender.has_softmax:
        exact = add_softmax(exact)
    if [one.shape for one in outputs] != [one.shape for one in exact]:
        return None
    errors = [measure_error(wanted, one) for wanted, one in zip(exact, outputs, strict=True)]
    return max(errors, key=lambda error: math.inf if math.isnan(error) else error)


@contextmanager
def use_threads(count: int | None) -> Iterator[None]:
    """Let torch use a number of threads; None leaves it as it is."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def describe_machine(device: str, packages: Sequence[str]) -> Machine:
    """Return the facts about this machine that times depend on.

    Args:
        packages: those that take part, besides torch.
    """
    is_gpu = torch.device(device).type == "cuda"
    versions = {"torch": str(torch.__version__)}
    if is_gpu and torch.version.cuda:
        versions["CUDA"] = torch.version.cuda
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # as a GPU's onnxruntime, which has another name
            module = sys.modules.get(package)  # not there if a build is still to tell it is missing
            versions[package] = str(getattr(module, "__version__", "unknown"))
    has_load = hasattr(os, "getloadavg")
    has_affinity = hasattr(os, "sched_getaffinity")
    return Machine(
        processor=_name_processor(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        cores=len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        gpu=torch.cuda.get_device_name(device) if is_gpu else "",
        uses_tf32=is_gpu and bool(torch.backends.cudnn.allow_tf32),
        load=os.getloadavg()[0] if has_load else None,
        versions=tuple(versions.items()),
    )


def _name_processor() -> str:
    """Return the name of the processor; Linux tells it in a file of its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine() or "unknown processor"
