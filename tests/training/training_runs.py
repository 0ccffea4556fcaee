"""Specs with recipes, their scripts as modules, folders of images, and runs of scripts."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
from conftest import NET, Project
from PIL import Image

from inception_dsl import driver

CLASSES = 4
NORM_FREE = """inception: 1
name: net
input: 8x8x1
defaults: {conv: {act: relu}}
network: [body: 3x3 conv (8), 3x3 conv (8 stride 2), global avgpool, dropout (drop 0.2), linear (4)]
heads: {aux: {at: body, loss_weight: 0.3, steps: [global avgpool, linear (4)]}}
"""
WITH_NORM = NORM_FREE.replace("conv: {act: relu}", "conv: {act: relu, norm: batchnorm}")
RECIPE = {
    "batch": "8",
    "epochs": "3",
    "optimizer": "rmsprop (decay 0.9 momentum 0.9 eps 1.0 inside_root)",
    "learning_rate": "0.045 x 0.94 every 2 epochs",
}


def write_recipe(**settings: str) -> str:
    """Return a recipe as YAML; a setting without text is left out."""
    lines = [f"  {name}: {text}\n" for name, text in (RECIPE | settings).items() if text]
    return "training:\n" + "".join(lines)


def write_script(project: Project, spec: str) -> Path:
    """Build a spec; return the path of its script."""
    project.write(NET, spec)
    made = driver.emit(project.check(), output=project.root / "generated")
    for artifact in made.artifacts:
        artifact.path.parent.mkdir(parents=True, exist_ok=True)
        artifact.path.write_bytes(artifact.content)
    return made.artifacts[0].path.with_name("train.py")


def load_script(path: Path) -> ModuleType:
    """Import a script and the module beside it, under their own names.

    Tensors are small: a second thread would cost more than it does.
    """
    import torch

    torch.set_num_threads(1)
    for name, file in (("model", path.with_name("model.py")), ("train", path)):
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return module


def build_script(project: Project, recipe: str, network: str = NORM_FREE) -> ModuleType:
    """Build a network with a recipe, and import its script."""
    return load_script(write_script(project, network + recipe))


def write_images(folder: Path, *, train: int = 12, val: int = 5) -> Path:
    """Write `train` and `val` images of each class: noise around a bright quarter."""
    draw = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        for label in range(CLASSES):
            place = folder / split / f"class{label}"
            place.mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 120, (8, 8))
                top, left = 4 * (label // 2), 4 * (label % 2)
                pixels[top : top + 4, left : left + 4] += 130
                Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number}.png")
    return folder


def arguments(data: Path, output: Path, **changes: object) -> list[str]:
    """Return a command line of a script."""
    words = {"data": data, "output": output, "workers": 0} | changes
    flags = [f"--{name.replace('_', '-')}" for name, value in words.items() if value is True]
    pairs = [
        (f"--{name.replace('_', '-')}", str(value))
        for name, value in words.items()
        if value is not True
    ]
    return [*flags, *(word for pair in pairs for word in pair)]


def parse(script: ModuleType, data: Path, output: Path, **changes: object) -> argparse.Namespace:
    """Read a command line as a script does."""
    old, sys.argv = sys.argv, ["train.py", *arguments(data, output, **changes)]
    try:
        args: argparse.Namespace = script.parse()
    finally:
        sys.argv = old
    return args
