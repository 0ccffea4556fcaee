"""Compare the module for inference of every shipped spec with that for training, or time one.

Without a spec: of each spec with random weights and statistics, the largest difference of the
outputs from those of the module for training in double precision, relative to the largest value:
in double precision, in single precision with weights that are packed and that are not, and of the
module for training in single precision. Each spec runs at its own input.

With a spec: how many times faster the module for inference is than that for training, in eager mode
and in turn in one process, with channels first and last in memory; and than a network of timm or
torchvision, if one is named. The ratios are of medians.

    python benchmarks/inference.py
    python benchmarks/inference.py inception_v4 timm:inception_v4 --threads 2
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.driver.walk import Checked

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


def make_target(target: str) -> nn.Module:
    """Return a network of timm or torchvision with random weights."""
    library, _, name = target.partition(":")
    if library == "timm":
        import timm

        module: nn.Module = timm.create_model(name)
    else:
        import torchvision

        module = torchvision.models.get_model(name, weights=None)
    return module.eval()


def time_all(found: Checked, target: str | None, rounds: int) -> None:
    """Print how many times faster the module for inference is than the others."""
    module, made = make_both(found)
    (type,) = found.model.inputs.values()
    image = torch.randn(1, *type.shape)
    last = image.contiguous(memory_format=torch.channels_last)
    fast, plain = (made.from_checkpoint(module.state_dict()) for _ in range(2))
    made.prepare(fast, image)
    runs: dict[str, Callable[[], object]] = {
        "for inference, packed": partial(fast, image),
        "for inference, plain": partial(plain, image),
    }
    others = {"for training": module}
    if target:
        others[target] = make_target(target)
    for label, other in others.items():
        runs[label] = partial(other, image)
        turned = deepcopy(other)
        for weight in turned.parameters():
            if weight.dim() == 4:
                weight.data = weight.contiguous(memory_format=torch.channels_last)
        runs[f"{label}, channels last"] = partial(turned, last)
    seconds: dict[str, list[float]] = {label: [] for label in runs}
    with torch.inference_mode():
        for index in range(rounds + 2):
            for label, run in runs.items():
                begin = time.perf_counter()
                run()
                if index >= 2:
                    seconds[label].append(time.perf_counter() - begin)
    medians = {label: statistics.median(taken) for label, taken in seconds.items()}
    own = medians["for inference, packed"]
    print(f"{found.file.full_name}, batch 1, float32, {torch.get_num_threads()} threads")
    for label, median in medians.items():
        print(f"{label:<44}{median / own:>6.2f} times the time of the first")
    errors = compare(found)
    print(f"relative error: {errors[1]:.1e}; for training, {errors[3]:.1e}")


def main() -> None:
    """Compare all specs, or time one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("spec", nargs="?")
    parser.add_argument("target", nargs="?", help="such as timm:inception_v4")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.spec:
        time_all(driver.check(args.spec, folder=ROOT), args.target, args.rounds)
    else:
        compare_all()


if __name__ == "__main__":
    main()
