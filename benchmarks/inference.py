"""Compare the module for inference of every shipped spec with that for training, or time one.

Without a spec: of each spec with random weights and statistics, the largest difference of the
outputs from those of the module for training in double precision, relative to the largest value:
in double precision, in single precision with weights that are packed and that are not, and of the
module for training in single precision. Each spec runs at its own input.

With a spec: the table of `inception-dsl bench`, of both modules and of other networks that are
named, with channels first and last in memory.

    python benchmarks/inference.py
    python benchmarks/inference.py inception_v4 timm:inception_v4 --threads 2
"""

from __future__ import annotations

import argparse
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.driver.benching import BenchSettings, bench
from inception_dsl.driver.walk import Checked
from inception_dsl.emit.report.bench import FORMATS

ROOT = Path(__file__).parents[1]


def randomise(module: nn.Module) -> None:
    """Give a module random weights and statistics, of a size that keeps values near one."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in module.state_dict().items():
        if tensor.dim() > 1:
            tensor.normal_(std=(2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif name.endswith(("running_var", "weight")):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(std=0.1, generator=generator)


def make_both(found: Checked) -> tuple[nn.Module, ModuleType]:
    """Return the module for training in inference, and the file for inference."""
    module = make_module(driver.emit_module(found), found.model.name).eval()
    randomise(module)
    made = ModuleType("inference")
    (artifact,) = driver.emit_inference_module(found, output=ROOT).artifacts
    exec(compile(artifact.content, "inference.py", "exec"), made.__dict__)
    return module, made


def outputs(module: nn.Module, images: list[Tensor]) -> list[Tensor]:
    """Return the outputs of a module in inference."""
    with torch.no_grad():
        output = module(*images)
    return [output] if isinstance(output, Tensor) else list(output)


def difference(given: list[Tensor], exact: list[Tensor]) -> float:
    """Return the largest difference, relative to the largest value."""
    pairs = zip(given, exact, strict=True)
    return max(float((a.double() - b).abs().max() / b.abs().max()) for a, b in pairs)


def compare(found: Checked) -> list[float]:
    """Return the differences from the module for training in double precision."""
    module, made = make_both(found)
    torch.manual_seed(0)
    images = [torch.randn(1, *type.shape) for type in found.model.inputs.values()]
    wide = [image.double() for image in images]
    network = made.from_checkpoint(module.state_dict())
    plain = outputs(network, images)
    made.prepare(network, *images)
    packed, trained = outputs(network, images), outputs(module, images)
    network = made.from_checkpoint(module.state_dict(), dtype=torch.float64)
    exact = outputs(module.double(), wide)
    return [difference(each, exact) for each in (outputs(network, wide), packed, plain, trained)]


def compare_all() -> None:
    """Print the differences of every shipped spec."""
    print(f"{'spec':<42}{'double':>9}{'packed':>9}{'plain':>9}{'training':>9}")
    for name in driver.list_specs(folder=ROOT):
        try:
            found = driver.check(name, folder=ROOT)
        except driver.LibraryError:
            continue
        print(f"{name:<42}" + "".join(f"{each:>9.1e}" for each in compare(found)), flush=True)


def time_all(spec: str, targets: list[str], rounds: int, threads: int) -> None:
    """Print how many times faster the modules are than others, as `inception-dsl bench` does."""
    settings = BenchSettings(rounds=rounds, has_channels_last=True, threads=threads)
    done = bench(spec, folder=ROOT, against=targets, settings=settings)
    print(FORMATS["table"](done), end="")


def main() -> None:
    """Compare all specs, or time one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("spec", nargs="?")
    parser.add_argument("targets", nargs="*", help="such as timm:inception_v4")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.spec:
        time_all(args.spec, args.targets, args.rounds, args.threads)
    else:
        compare_all()


if __name__ == "__main__":
    main()
