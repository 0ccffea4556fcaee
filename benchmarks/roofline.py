"""Hold the least time of networks against the measured time of their modules, on this processor.

The rates of the processor are measured first, as `flops --device cpu` does. The best of all rounds
counts, for rates as for networks.
With one thread the time of the processor counts, not that of the clock: other programs disturb it
less. A ratio below 1 would contradict the bound, unless an algorithm multiplies less, or values
stay in a cache: the column `fused` is the bound for that.

    python benchmarks/roofline.py
    python benchmarks/roofline.py resnet50 --batch 1 --threads 1 --write cpu.yaml
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from inception_dsl import driver
from inception_dsl.analysis.devices import Device
from inception_dsl.bridge import make_module
from inception_dsl.bridge.processor import measure_processor
from inception_dsl.driver.devices import measure_on_device
from inception_dsl.emit.report.roofline import write_amount, write_device, write_seconds

ROOT = Path(__file__).parents[1]
NETWORKS = ("googlenet", "mobilenet_v2", "resnet50", "inception_v3")


def choose_clock() -> Callable[[], float]:
    """Return the clock of the processor if it runs one thread; else that of the wall."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def find_best(run: Callable[[], object], rounds: int) -> float:
    """Return the seconds of the fastest run, after one that does not count."""
    clock = choose_clock()
    run()
    best = float("inf")
    for _ in range(rounds):
        begin = clock()
        run()
        best = min(best, clock() - begin)
    return best


def time_network(name: str, device: Device, batch: int, rounds: int) -> None:
    """Print the bounds and the measured times of a network, in inference and in a training step."""
    found = driver.measure(name, folder=ROOT, batch=batch)
    report = measure_on_device(found, device, "float32")
    module = make_module(driver.emit_module(found), found.model.name)
    images = [torch.randn(batch, *type.shape) for type in found.model.inputs.values()]
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-6)

    def step() -> None:
        optimizer.zero_grad()
        results = module(*images)
        results = [results] if isinstance(results, torch.Tensor) else results
        sum(result.sum() for result in results).backward()
        optimizer.step()

    module.eval()
    with torch.inference_mode():
        inference = find_best(lambda: module(*images), rounds)
    module.train()
    training = find_best(step, rounds)
    pairs = (("inference", report.inference, inference), ("training", report.training, training))
    for kind, least, seconds in pairs:
        times = f"{write_seconds(least.floor):>10}{write_seconds(least.seconds):>10}"
        measured = f"{write_seconds(seconds):>10}{seconds / least.seconds:>8.2f}"
        print(f"{name:<24}{kind:<11}{times}{measured}", flush=True)


def main() -> None:
    """Measure the processor, then some networks on it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("specs", nargs="*", default=NETWORKS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path, help="write the table of the processor here")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    device = measure_processor("float32", clock=choose_clock())
    if args.write:
        args.write.write_text(write_device(device))
    rate = write_amount(device.rates["float32"], "FLOP/s")
    print(f"{device.title}: {rate}, {write_amount(device.bandwidth, 'B/s')}, batch {args.batch}")
    print(f"{'spec':<24}{'pass':<11}{'fused':>10}{'bound':>10}{'measured':>10}{'ratio':>8}")
    for name in args.specs:
        time_network(name, device, args.batch, args.rounds)


if __name__ == "__main__":
    main()
