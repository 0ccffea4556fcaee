"""Compare the ONNX model of every shipped spec with its module, or time one beside torch's export.

Without arguments: of each spec with random weights and statistics, the largest difference of the
outputs from those of the module in double precision, relative to the largest value; that of torch
in single precision stands beside it.

With a spec and a target of timm or torchvision: the seconds of a run of both models by onnxruntime,
in turn, and the seconds of the processor in which each was made, from process start.

    python benchmarks/onnx_models.py
    python benchmarks/onnx_models.py timm/inception_v4 timm:inception_v4
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.driver.walk import Checked
from inception_dsl.emit.onnx import emit_onnx

ROOT = Path(__file__).parents[1]
EXPORT = """
import sys, torch
if sys.argv[1] == "timm":
    import timm
    module = timm.create_model(sys.argv[2])
else:
    import torchvision
    module = torchvision.models.get_model(sys.argv[2])
image = torch.randn(2, *map(int, sys.argv[3].split("x")))
shapes = ({0: torch.export.Dim("batch")},)
torch.onnx.export(
    module.eval(), (image,), sys.argv[4], dynamo=True, dynamic_shapes=shapes, verbose=False
)
"""


def randomise(module: nn.Module) -> None:
    """Give a module random weights and statistics."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.1, generator=generator)


def difference(found: list[Tensor], exact: list[Tensor]) -> float:
    """Return the largest difference, relative to the largest value."""
    pairs = zip(found, exact, strict=True)
    return max(float((a.double() - b).abs().max() / b.abs().max()) for a, b in pairs)


def outputs(module: nn.Module, images: list[Tensor]) -> list[Tensor]:
    """Return the outputs of a module in inference."""
    with torch.no_grad():
        output = module(*images)
    return [output] if isinstance(output, Tensor) else list(output)


def compare(found: Checked) -> tuple[float, float]:
    """Return the differences of the model and of torch from the module in double precision."""
    module = make_module(driver.emit_module(found), found.model.name).eval()
    randomise(module)
    images = [torch.randn(1, *type.shape) for type in found.model.inputs.values()]
    weights = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    content = emit_onnx(found.model, weights, file="m", external_from=1 << 40).model
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [input.name for input in session.get_inputs()]
    feed = {name: image.numpy() for name, image in zip(names, images, strict=True)}
    given = [torch.from_numpy(output) for output in session.run(None, feed)]
    by_torch = outputs(module, images)
    exact = outputs(module.double(), [image.double() for image in images])
    return difference(given, exact), difference(by_torch, exact)


def compare_all() -> None:
    """Print the differences of every shipped spec."""
    print(f"{'spec':<42}{'ONNX':>9}{'torch':>9}")
    for name in driver.list_specs(folder=ROOT):
        try:
            found = driver.check(name, folder=ROOT)
        except driver.LibraryError:
            continue
        of_model, of_torch = compare(found)
        print(f"{name:<42}{of_model:>9.1e}{of_torch:>9.1e}", flush=True)


def measure(command: list[str]) -> float:
    """Run a command, and return the seconds that it takes of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_both(spec: str, target: str, rounds: int) -> None:
    """Print the seconds of a spec's model and of torch's export of a target."""
    library, _, name = target.partition(":")
    type = driver.check(spec, folder=ROOT).model.input
    shape = "x".join(map(str, type.shape))
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder, "theirs.onnx")
        build = [sys.executable, "-m", "inception_dsl", "build", spec, "--target", "onnx"]
        made = measure([*build, "-o", folder])
        exported = measure([sys.executable, "-c", EXPORT, library, name, shape, str(theirs)])
        print(f"made: {made:.1f} s, exported: {exported:.1f} s, {exported / made:.1f} times")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        sessions = [
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            for path in (Path(folder, spec, "model.onnx"), theirs)
        ]
        image = torch.randn(1, *type.shape).numpy()
        seconds: list[list[float]] = [[], []]
        for _ in range(rounds):
            for session, taken in zip(sessions, seconds, strict=True):
                begin = time.perf_counter()
                session.run(None, {session.get_inputs()[0].name: image})
                taken.append(time.perf_counter() - begin)
        own, other = map(statistics.median, seconds)
        print(f"run: {own:.3f} s, torch's export {other:.3f} s, {other / own:.2f} times")


def main() -> None:
    """Compare all specs, or time one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", nargs="?")
    parser.add_argument("target", nargs="?")
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    if args.target:
        time_both(args.spec, args.target, args.rounds)
    else:
        compare_all()


if __name__ == "__main__":
    main()
