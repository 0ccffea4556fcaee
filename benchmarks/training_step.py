"""Time steps of training of both modules of a spec, and of a network of timm, in turn.

A step is a forward pass in training, the cross-entropy of the logits, and the backward pass. Each
round runs all networks once, and begins with another one; all have their channels last in memory.
A line has the median of the times, how many times as fast the network is as the first, and the
bytes that its forward pass keeps for the backward pass.

    python benchmarks/training_step.py inception_v4 --peer inception_v4 --batch 8 --rounds 7
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.driver.walk import Checked
from inception_dsl.resolve import AS_WRITTEN

ROOT = Path(__file__).parents[1]


def make_form(found: Checked, *, recomputes: bool) -> nn.Module:
    """Return the module of a spec in its form for training."""
    emission = driver.emit_training_module(
        found, output=ROOT, overrides=AS_WRITTEN, recomputes=recomputes
    )
    made = ModuleType("training")
    exec(compile(emission.artifacts[0].content, "training.py", "exec"), made.__dict__)
    module: nn.Module = getattr(made, found.model.name)()
    return module


def run_step(network: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype) -> None:
    """Run a step of training."""
    network.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        output = network(images)
        logits = output if isinstance(output, Tensor) else output[0]
        loss = F.cross_entropy(logits, labels)
    loss.backward()  # type: ignore[no-untyped-call]


def count_kept(step: Callable[[], None], network: nn.Module) -> int:
    """Return the bytes that a step keeps for its backward pass, without the weights."""
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        step()
    weights = {each.untyped_storage().data_ptr() for each in network.parameters()}
    return sum(size for place, size in sizes.items() if place not in weights)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec")
    parser.add_argument("--peer", help="a network of timm that goes first")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    found = driver.check(args.spec, folder=Path.cwd())
    networks: dict[str, nn.Module] = {}
    if args.peer:
        import timm

        networks[f"timm:{args.peer}"] = timm.create_model(args.peer)
    networks["model.py"] = make_module(driver.emit_module(found), found.model.name)
    networks["training.py"] = make_form(found, recomputes=False)
    networks["training.py, blocks run twice"] = make_form(found, recomputes=True)
    (type,) = found.model.inputs.values()
    images = torch.randn(args.batch, *type.shape).contiguous(memory_format=torch.channels_last)
    (logits, *_) = found.model.outputs.values()
    labels = torch.randint(0, logits.channels, (args.batch,))
    dtype = getattr(torch, args.dtype)
    steps: dict[str, Callable[[], None]] = {}
    for name, network in networks.items():
        network.train().to(memory_format=torch.channels_last)
        steps[name] = partial(run_step, network, images, labels, dtype)
    kept = {name: count_kept(step, networks[name]) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    names = [*steps]
    for turn in range(args.rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            begun = time.perf_counter()
            steps[name]()
            times[name].append(time.perf_counter() - begun)
    first = statistics.median(times[names[0]])
    load = os.getloadavg()[0]
    print(f"batch {args.batch}, {args.dtype}, {args.threads} threads, load {load:.1f}")
    for name, own in times.items():
        median = statistics.median(own)
        print(f"{name:32} {median:8.3f} s {first / median:6.2f} x {kept[name] / 2**20:8,.0f} MiB")


if __name__ == "__main__":
    main()
