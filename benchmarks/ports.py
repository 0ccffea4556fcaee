"""Checkpoints of libraries, to the shipped specs and back: the same tensors, bit by bit.

    python benchmarks/ports.py
    python benchmarks/ports.py resnet50 densenet121

Each pair gets random weights. The exit code is 1 if a tensor is lost or changes on the way, or if
the networks give other outputs.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import nn

from inception_dsl import driver
from inception_dsl.bridge.comparing import fill

ROOT = Path(__file__).resolve().parent.parent

PAIRS = [
    ("timm:inception_v4", "timm/inception_v4"),
    ("timm:inception_v3", "timm/inception_v3"),
    ("timm:inception_resnet_v2", "timm/inception_resnet_v2"),
    ("timm:legacy_xception", "timm/legacy_xception"),
    ("torchvision:inception_v3", "torchvision/inception_v3"),
    ("torchvision:googlenet", "torchvision/googlenet"),
    ("torchvision:resnet50", "resnet50"),
    ("timm:resnet50", "resnet50"),
    ("torchvision:resnext50_32x4d", "resnext50"),
    ("timm:seresnet50", "se_resnet50"),
    ("torchvision:densenet121", "densenet121"),
    ("timm:densenet121", "densenet121"),
    ("torchvision:mobilenet_v2", "mobilenet_v2"),
    ("torchvision:mobilenet_v3_large", "mobilenet_v3_large"),
    ("torchvision:efficientnet_b0", "efficientnet_b0"),
    ("timm:efficientnet_b0", "efficientnet_b0"),
    ("torchvision:regnet_y_400mf", "regnet_y_400mf"),
    ("torchvision:shufflenet_v2_x1_0", "shufflenet_v2"),
    ("torchvision:convnext_tiny", "convnext_tiny"),
    ("timm:convnext_tiny", "convnext_tiny"),
    ("torchvision:squeezenet1_1", "squeezenet1_1"),
    ("torchvision:alexnet", "alexnet"),
    ("torchvision:vgg16", "vgg16"),
    ("torchvision:vgg19", "vgg19"),
]


def make_network(target: str) -> nn.Module:
    """Return the module of a target with random weights."""
    library, name = target.split(":")
    module: nn.Module
    if library == "timm":
        import timm

        module = timm.create_model(name)
    else:
        import torchvision

        options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
        module = getattr(torchvision.models, name)(weights=None, **options)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            fill(key, tensor, generator)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description="Checkpoints of libraries, there and back.")
    parser.add_argument("specs", nargs="*", help="the specs to port to; default: all")
    asked = parser.parse_args().specs
    is_wrong = False
    print("| network | spec | tensors | outputs differ by | back | s |")
    print("|---" * 6 + "|")
    for target, spec in PAIRS:
        if asked and spec not in asked:
            continue
        state = make_network(target).state_dict()
        start = time.perf_counter()
        there = driver.map_weights(target, spec, folder=ROOT)
        back = driver.map_weights(spec, target, folder=ROOT)
        ported = driver.carry_checkpoint(state, there)
        returned = driver.carry_checkpoint(ported.state, back)
        seconds = time.perf_counter() - start
        is_same = state.keys() == returned.state.keys() and all(
            torch.equal(state[key], returned.state[key]) for key in state
        )
        proofs = [ported.random, ported.real, returned.random, returned.real]
        error = max(proof.error for proof in proofs if proof is not None)
        is_whole = there.is_same and back.is_same
        is_wrong |= not (is_same and is_whole)
        told = f"{error:.0e}" if is_whole else "they depart"
        says = "the same bits" if is_same else "other bits"
        print(f"| {target} | {spec} | {len(state)} | {told} | {says} | {seconds:.1f} |", flush=True)
    sys.exit(is_wrong)


if __name__ == "__main__":
    main()
