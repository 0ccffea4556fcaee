"""Hold every convention of `flops` against its installed tool, at full size and to the digit.

    pip install fvcore torchinfo ptflops thop calflops transformers accelerate deepspeed tensorflow
    python benchmarks/conventions.py                       # the five networks of the docs
    python benchmarks/conventions.py resnet50 unet --tool thop,keras
    python benchmarks/conventions.py --others              # networks of torchvision and Keras

Each spec is counted as a network of stock layers, made from its flat graph: for torch by the tests'
`stock_modules`, for Keras here. A tool that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/torch"))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import torch  # noqa: E402
from counting_tools import COUNTERS, count  # noqa: E402
from stock_modules import make_stock, plain  # noqa: E402

from inception_dsl import driver  # noqa: E402
from inception_dsl.analysis import CONVENTIONS, count_by, measure_work  # noqa: E402
from inception_dsl.analysis.conventions import TOOLS  # noqa: E402
from inception_dsl.analysis.parts import split  # noqa: E402
from inception_dsl.driver import Checked  # noqa: E402
from inception_dsl.ir import Node  # noqa: E402

NETWORKS = ("googlenet", "inception_v3", "inception_v4", "mobilenet_v2", "efficientnet_b0")
PLAIN: dict[str, tuple[str, *tuple[str | float, ...]]] = {
    "silu": ("Activation", "silu"),
    "relu": ("Activation", "relu"),
    "relu6": ("Activation", "relu6"),
    "sigmoid": ("Activation", "sigmoid"),
    "softmax": ("Softmax",),
    "dropout": ("Dropout", 0.5),
    "identity": ("Identity",),
    "global_avgpool": ("GlobalAveragePooling2D",),
}
"""Keras's layers of the ops without a shape of their own, with their arguments."""


def count_by_profiler(model: Any, shape: tuple[int, ...]) -> int:
    """Return the operations that TensorFlow's profiler counts in a model of Keras, in inference."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )

    function = tf.function(lambda image: model(image, training=False))
    traced = function.get_concrete_function(tf.TensorSpec((1, *shape), tf.float32))
    frozen, _ = convert_variables_to_constants_v2_as_graph(traced)
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profile = tf.compat.v1.profiler.profile(graph=frozen.graph, cmd="op", options=options)
    return int(profile.total_float_ops)


def pad_to(value: Any, node: Node) -> Any:
    """Return a map padded with zeros so that windows without padding give the node's size."""
    from keras import layers

    kernel, stride = plain(node.attributes["kernel"]), plain(node.attributes["stride"])
    strides = stride if isinstance(stride, tuple) else (stride, stride)
    sides = []
    for read, made, side, step in zip(
        node.input_types[0].size, node.type.size, kernel, strides, strict=True
    ):
        missing = max((made - 1) * step + side - read, 0)
        sides.append((missing // 2, missing - missing // 2))
    return layers.ZeroPadding2D(tuple(sides))(value) if any(map(any, sides)) else value


def run_part(node: Node, value: Any) -> Any:
    """Return what a layer of Keras makes of a value; its channels lie last."""
    from keras import layers

    values: Any = {name: plain(attribute) for name, attribute in node.attributes.items()}
    match node.op:
        case "conv":
            value, groups = pad_to(value, node), values["groups"]
            options = {"strides": values["stride"], "use_bias": values["bias"]}
            if groups == node.input_types[0].channels == values["width"]:
                return layers.DepthwiseConv2D(values["kernel"], **options)(value)
            return layers.Conv2D(values["width"], values["kernel"], groups=groups, **options)(value)
        case "batchnorm":
            return layers.BatchNormalization(scale=values["gamma"])(value)
        case "maxpool":
            return layers.MaxPooling2D(values["kernel"], values["stride"])(pad_to(value, node))
        case "avgpool":
            return layers.AveragePooling2D(values["kernel"], values["stride"])(pad_to(value, node))
        case "adaptive_avgpool" if prod(values["output"]) == 1:
            return layers.GlobalAveragePooling2D(keepdims=True)(value)
        case "linear":
            return layers.Dense(values["width"], use_bias=values["bias"])(value)
        case "lrn":
            import tensorflow as tf

            return layers.Lambda(tf.nn.local_response_normalization)(value)
        case op if op in PLAIN:
            return getattr(layers, PLAIN[op][0])(*PLAIN[op][1:])(value)
        case op:
            raise ValueError(f"no layer of Keras is known for `{op}`")


def make_keras(checked: Checked) -> Any:
    """Return the model of Keras of a spec, in inference."""
    import keras
    from keras import layers

    model = checked.model
    (type,) = model.inputs.values()
    channels, height, width = type.shape
    image = keras.Input((height, width, channels))
    (name,) = model.graph.inputs
    values: dict[str, Any] = {name: image}
    counted = {row.path for row in checked.cost.rows if row.head is None and row.is_read}
    last: Any = image
    for node in model.graph.nodes:
        if node.path not in counted:
            continue
        read = [values[path] for path in node.inputs]
        match node.op:
            case "concat":
                last = layers.Concatenate()(read)
            case "add":
                last = layers.Add()(read)
            case "mul":
                last = layers.Multiply()(read)
            case _:
                last = read[0]
                for part in split(node):
                    last = run_part(part.node, last)
        if node.op == "add":
            for part in [each for each in split(node) if each.place == "act"]:
                last = run_part(part.node, last)
        values[node.path] = last
    return keras.Model(image, last)


def hold(checked: Checked, tools: list[str]) -> bool:
    """Print the counts of a spec beside those of the tools; tell whether all are equal."""
    work = measure_work(checked.model, checked.cost)
    (type,) = checked.model.inputs.values()
    channels, height, width = type.shape
    stock, image = make_stock(checked.model, checked.cost), torch.zeros(1, *type.shape)
    is_equal = True
    for tool in tools:
        found = count_by(CONVENTIONS[tool], work).total
        if tool in COUNTERS:
            counted = count(tool, stock, image)
        else:
            counted = count_by_profiler(make_keras(checked), (height, width, channels))
        is_equal &= show(f"{checked.cost.name}  {tool}", found, counted)
    return is_equal


def show(name: str, found: int, counted: int) -> bool:
    """Print two numbers, and tell whether they are equal."""
    verdict = "equal" if found == counted else f"DIFFERENT by {counted - found:,}"
    print(f"{name:32}{found:>18,}{counted:>18,}  {verdict}", flush=True)
    return found == counted


OTHERS = {
    "mobilenet_v2": ("fvcore", "torchinfo", "torch", "keras"),
    "efficientnet_b0": ("fvcore", "torchinfo", "torch", "ptflops", "calflops", "deepspeed", "thop"),
    "torchvision/inception_v3": ("fvcore", "torchinfo", "torch"),
    "resnet50": ("fvcore", "torchinfo", "torch", "thop"),
}
"""Networks that others wrote, and the tools that find their layers as they are written."""


def hold_others(tools: list[str]) -> bool:
    """Print the counts of specs beside those of torchvision's and Keras's own networks."""
    import torchvision

    is_equal = True
    for name, finding in OTHERS.items():
        checked = driver.measure(name, folder=ROOT)
        work = measure_work(checked.model, checked.cost)
        (type,) = checked.model.inputs.values()
        options = {"init_weights": False} if "inception" in name else {}
        for tool in (each for each in finding if each in tools):
            found = count_by(CONVENTIONS[tool], work).total
            if tool in COUNTERS:
                module = torchvision.models.get_model(name.split("/")[-1], weights=None, **options)
                counted = count(tool, module.eval(), torch.zeros(1, *type.shape))
                is_equal &= show(f"torchvision {name}  {tool}", found, counted)
            else:
                import keras

                model = keras.applications.MobileNetV2(weights=None)
                counted = count_by_profiler(model, (224, 224, 3))
                is_equal &= show(f"keras {name}  {tool}", found, counted)
    return is_equal


def main() -> int:
    parser = argparse.ArgumentParser(description="Conventions of counting against their tools.")
    parser.add_argument("specs", nargs="*", default=NETWORKS)
    parser.add_argument("--tool", help="names between commas; default: all that are installed")
    parser.add_argument("--others", action="store_true", help="networks of torchvision and Keras")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    tools = args.tool.split(",") if args.tool else list(TOOLS)
    missing = [
        tool for tool in tools if find_spec("tensorflow" if tool == "keras" else tool) is None
    ]
    if missing:
        print(f"not installed: {', '.join(missing)}")
    tools = [tool for tool in tools if tool not in missing]
    if args.others:
        return 0 if hold_others(tools) else 1
    held = [hold(driver.measure(spec, folder=ROOT), tools) for spec in args.specs]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
