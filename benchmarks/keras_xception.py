"""Hold the spec of Xception against Keras, by its parameters and by its outputs.

    pip install keras
    python benchmarks/keras_xception.py

Keras runs on torch here. It is too large a package for the tests, which hold timm's Xception, of
the same blocks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/torch"))
os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch_counts import randomise, relative_error  # noqa: E402

from inception_dsl import driver  # noqa: E402
from inception_dsl.bridge import make_module  # noqa: E402

MODULES = {2: "entry1", 3: "entry2", 4: "entry3", 13: "exit"}
"""Keras's blocks with a strided shortcut, and the steps of the spec."""


def name_units() -> Iterator[tuple[str, str]]:
    """Yield Keras's names of the convs, and the paths of the spec."""
    yield from (("block1_conv1", "conv1"), ("block1_conv2", "conv2"))
    for block, path in MODULES.items():
        yield f"block{block}_sepconv1", f"{path}.sepconv"
        yield f"block{block}_sepconv2", f"{path}.sepconv2"
    for copy in range(8):
        for index, name in enumerate(("sepconv", "sepconv2", "sepconv3"), 1):
            yield f"block{copy + 5}_sepconv{index}", f"middle.{copy}.{name}"
    yield from (("block14_sepconv1", "conv3"), ("block14_sepconv2", "conv4"))


def carry_over(state: dict[str, Tensor], model: Any) -> None:
    """Give a model of Keras the tensors of a state_dict; its kernels have the channels last."""

    def fill(layer: Any, *tensors: Tensor) -> None:
        layer.set_weights([tensor.numpy() for tensor in tensors])

    def fill_unit(conv: Any, norm: Any, path: str) -> None:
        if (depth := state.get(f"{path}.conv.depthwise.weight")) is not None:
            point = state[f"{path}.conv.pointwise.weight"]
            fill(conv, depth.permute(2, 3, 0, 1), point.permute(2, 3, 1, 0))
        else:
            fill(conv, state[f"{path}.conv.weight"].permute(2, 3, 1, 0))
        names = ("weight", "bias", "running_mean", "running_var")
        fill(norm, *(state[f"{path}.bn.{name}"] for name in names))

    for name, path in name_units():
        fill_unit(model.get_layer(name), model.get_layer(f"{name}_bn"), path)
    unnamed = [layer for layer in model.layers if not layer.name.startswith("block")]
    convs = [layer for layer in unnamed if isinstance(layer, keras.layers.Conv2D)]
    norms = [layer for layer in unnamed if isinstance(layer, keras.layers.BatchNormalization)]
    for conv, norm, path in zip(convs, norms, MODULES.values(), strict=True):
        fill_unit(conv, norm, f"{path}.shortcut")
    fill(model.get_layer("predictions"), state["fc.weight"].T, state["fc.bias"])


def main() -> int:
    """Print parameters and the largest difference of the outputs; return 1 if they disagree."""
    keras.backend.set_image_data_format("channels_first")
    theirs = keras.applications.Xception(
        weights=None, classifier_activation=None, input_shape=(3, 299, 299)
    )
    found = driver.check("xception", folder=ROOT)
    ours = make_module(driver.emit_module(found), found.model.name).eval()
    randomise(ours, seed=3)
    carry_over(ours.state_dict(), theirs)
    counted = sum(weight.value.numel() for weight in theirs.trainable_weights)
    images = torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        error = relative_error(ours(images), theirs(images, training=False).cpu())
    print(f"parameters {found.cost.totals.params:,}, Keras {counted:,}; outputs differ {error:.1e}")
    return int(error > 1e-5 or counted != found.cost.totals.params)


if __name__ == "__main__":
    sys.exit(main())
