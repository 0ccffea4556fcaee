"""The ways to run a module: each takes a network and fails where PyTorch cannot run it so.

`WAYS` holds those that every machine can try; `benchmarks/run_everywhere.py` tries them all on all
networks.
"""

from __future__ import annotations

import copy
import io
import pickle
import socket
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing.spawn import start_processes
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.resolve import Overrides

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Network:
    """A network as emitted: its source, its factory, the shape of each input by name, a device."""

    source: str
    name: str
    shapes: dict[str, tuple[int, ...]]
    device: str = "cpu"

    def build(self) -> nn.Module:
        """Return the module, with the same random weights each time."""
        module = make_module(self.source, self.name)
        randomise(module, seed=5)
        return module.to(self.device)

    def images(self, batch: int = 2) -> list[Tensor]:
        """Random images for each input, the same each time."""
        generator = torch.Generator().manual_seed(batch)
        shapes = self.shapes.values()
        return [torch.randn(batch, *shape, generator=generator).to(self.device) for shape in shapes]

    @property
    def any_batch(self) -> dict[str, dict[int, torch.export.Dim]]:
        """The axis of every input that may have any length."""
        batch = torch.export.Dim("batch")
        return {name: {0: batch} for name in self.shapes}


def network(name: str, *, input: str | None = None, folder: Path = HERE) -> Network:
    """The network of a spec, at its input or at another."""
    found = driver.check(name, folder=folder, overrides=Overrides(input))
    source = driver.emit_module(found)
    shapes = {name or "x": type.shape for name, type in found.model.inputs.items()}
    return Network(source, found.model.name, shapes)


def tensors(output: Any) -> list[Tensor]:
    """Return the outputs of a module, those of its heads included."""
    return [output] if isinstance(output, Tensor) else list(output)


def run(module: nn.Module, images: list[Tensor], *, training: bool) -> list[Tensor]:
    """One pass; dropout drops the same values each time."""
    torch.manual_seed(6)
    with torch.no_grad():
        return tensors(module.train(training)(*images))


def gradients(module: nn.Module, outputs: list[Tensor]) -> dict[str, Tensor]:
    """Return the gradients of a loss over all outputs, by parameter; unread ones have none."""
    module.zero_grad()
    loss = torch.stack([output.float().square().mean() for output in outputs]).sum()
    torch.autograd.backward([loss])
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}


def assert_same(given: list[Tensor], expected: list[Tensor], *, error: float) -> None:
    """Outputs agree, to an error relative to the largest value.

    Raises:
        AssertionError: they do not.
    """
    for own, wanted in zip(given, expected, strict=True):
        found = relative_error(own.double(), wanted.double())
        assert found <= error, found


def compiled(own: Network, *, backend: str) -> None:
    """`torch.compile` takes the whole forward pass as one graph, in training and out of it."""
    # Inductor would draw what a dropout drops in a way of its own.
    options = {"fallback_random": True} if backend == "inductor" else None
    for training in (False, True):
        torch._dynamo.reset()
        # Norms of few values make much of a last digit: 1e-3 in single precision, whoever rounds.
        dtype = torch.float64 if training else torch.float32
        module, images = own.build().to(dtype), [image.to(dtype) for image in own.images()]
        module.compile(fullgraph=True, backend=backend, options=options)
        expected = run(own.build().to(dtype), images, training=training)
        error = 0.0 if backend == "eager" else 1e-9 if training else 1e-4
        assert_same(run(module, images, training=training), expected, error=error)


def compiled_eager(own: Network) -> None:
    """As one graph, run as it is."""
    compiled(own, backend="eager")


def compiled_inductor(own: Network) -> None:
    """As one graph, compiled; needs a C++ compiler."""
    compiled(own, backend="inductor")


def exported(own: Network) -> None:
    """`torch.export` gives a program that takes any batch."""
    module = own.build().eval()
    program = torch.export.export(module, tuple(own.images()), dynamic_shapes=own.any_batch)
    images = own.images(3)
    with torch.no_grad():
        given = tensors(program.module()(*images))
    assert_same(given, run(module, images, training=False), error=1e-6)


def traced(own: Network) -> None:
    """`torch.fx` traces the forward pass, as feature extraction and FX quantisation do."""
    module = own.build().eval()
    given = run(torch.fx.symbolic_trace(module), own.images(3), training=False)
    assert_same(given, run(module, own.images(3), training=False), error=0.0)


def scripted(own: Network) -> None:
    """`torch.jit.script` compiles the module, in training and out of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is deprecated
        script = torch.jit.script(own.build())
    for training in (False, True):
        expected = run(own.build(), own.images(), training=training)
        given = run(script.train(training), own.images(), training=training)
        assert_same(given, expected, error=1e-5)


def onnx(own: Network) -> None:
    """The ONNX file is valid, takes any batch, and onnxruntime gives the same with it."""
    import onnx
    import onnxruntime

    module = own.build().eval()
    # Inputs that share one batch share its name, too.
    warnings.filterwarnings("ignore", message=".*The axis name.*", category=UserWarning)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model.onnx"))
        program = torch.onnx.export(
            module,
            tuple(own.images()),
            dynamo=True,
            dynamic_shapes=own.any_batch,
            verbose=False,
        )
        assert program is not None
        program.save(path)
        onnx.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        images = own.images(3)
        names = [input.name for input in session.get_inputs()]
        feed = {name: image.numpy() for name, image in zip(names, images, strict=True)}
        outputs = session.run(None, feed)
    given = [torch.from_numpy(output) for output in outputs]
    assert_same(given, run(module, images, training=False), error=1e-4)


def autocast(own: Network) -> None:
    """Autocast to bfloat16: forward and backward, near to what float32 gives."""
    module, images = own.build(), own.images()
    with torch.autocast(own.device, dtype=torch.bfloat16):
        given = run(module, images, training=False)
    with torch.autocast(own.device, dtype=torch.bfloat16):  # the first may keep casts without grads
        trained = tensors(module.train()(*images))
    assert all(output.dtype == torch.bfloat16 for output in [*given, *trained])
    plain = own.build()
    assert_same(given, run(plain, images, training=False), error=0.1)
    grads = gradients(module, trained)
    assert grads.keys() == gradients(plain, tensors(plain.train()(*images))).keys()
    for name, grad in grads.items():
        assert grad.dtype == torch.float32, name
        assert bool(grad.isfinite().all()), name


def channels_last(own: Network) -> None:
    """In channels-last memory every map stays so, and the outputs are the same."""
    images = own.images()
    module = own.build().to(memory_format=torch.channels_last)
    strays: list[str] = []

    def watch(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            is_map = isinstance(output, Tensor) and output.dim() == 4 and output.shape[2:] != (1, 1)
            if not is_map or output.is_contiguous(memory_format=torch.channels_last):
                return
            if output.stride(1) != 1:  # a view of a part of a map has its channels innermost
                strays.append(name)

        return hook

    for name, child in module.named_modules():
        child.register_forward_hook(watch(name))
    last = [image.contiguous(memory_format=torch.channels_last) for image in images]
    given = run(module, last, training=False)
    assert strays == []
    assert_same(given, run(own.build(), images, training=False), error=1e-4)


def copied(own: Network) -> None:
    """A deep copy, a pickled one and one from a saved state share nothing and give the same."""
    module, images = own.build(), own.images()
    kept = module.state_dict()
    expected = run(module, images, training=False)
    pickled: nn.Module = pickle.loads(pickle.dumps(module))
    file = io.BytesIO()
    torch.save(kept, file)
    file.seek(0)
    loaded = make_module(own.source, own.name)
    loaded.load_state_dict(torch.load(file, weights_only=True), strict=True)
    for other in (copy.deepcopy(module), pickled, loaded):
        assert type(other).__qualname__ == type(module).__qualname__
        storages = {value.data_ptr() for value in other.state_dict().values()}
        assert storages.isdisjoint(value.data_ptr() for value in kept.values())
        assert_same(run(other, images, training=False), expected, error=0.0)


def distributed(own: Network) -> None:
    """Two processes train it, each on images of its own, and agree on every gradient."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = (own, port, folder)  # a server that has loaded torch once forks both processes
        start_processes(_train, words, nprocs=2, start_method="forkserver")  # type: ignore[no-untyped-call]
        ranks = [torch.load(Path(folder, f"{rank}.pt"), weights_only=True) for rank in range(2)]
    averaged, local = zip(*ranks, strict=True)
    assert local[0].keys() <= averaged[0].keys()
    for name, grad in averaged[0].items():
        assert torch.equal(grad, averaged[1][name]), name
        if name not in local[0]:
            assert not grad.any(), name
            continue
        mean = (local[0][name] + local[1][name]) / 2
        assert relative_error(grad, mean) < 1e-4, name


def _train(rank: int, own: Network, port: int, folder: str) -> None:
    """One of two processes: gradients of DDP's, and those that it would have alone."""
    from torch import distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    images = own.images(2 + rank)

    def passes(module: nn.Module, inner: nn.Module) -> dict[str, Tensor]:
        for _ in range(2):  # the second pass fails where parameters were left out of the first
            torch.manual_seed(rank)
            found = gradients(inner, tensors(module.train()(*images)))
        return found

    alone, shared = own.build(), own.build()
    local = passes(alone, alone)
    is_unread = len(local) < len(list(alone.parameters()))  # DDP has to be told
    wrapped = DistributedDataParallel(shared, find_unused_parameters=is_unread)
    torch.save([passes(wrapped, shared), local], Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


def on_fake_cuda(own: Network) -> None:
    """Built and run on a CUDA device of shapes alone, where a tensor of the CPU's is an error."""
    with FakeTensorMode(), torch.device("cuda"):
        module = make_module(own.source, own.name)
        images = [torch.randn(2, *shape) for shape in own.shapes.values()]
        for training in (False, True):
            outputs = run(module, images, training=training)
            found = {output.device.type for output in outputs}
            assert found == {"cuda"}, f"outputs are on another device: {found}"


WAYS: dict[str, Callable[[Network], None]] = {
    "compile": compiled_eager,
    "export": exported,
    "fx": traced,
    "script": scripted,
    "onnx": onnx,
    "autocast": autocast,
    "channels_last": channels_last,
    "copies": copied,
    "ddp": distributed,
    "fake cuda": on_fake_cuda,
}
