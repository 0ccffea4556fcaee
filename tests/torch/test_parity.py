"""Given an implementation's weights, emitted modules give its outputs, training heads included.

Both run the same layers in the same order, so weights are carried over layer by layer as they run:
no names are compared, only what is computed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import timm
import torch
import torchvision
from conftest import NET, Project
from torch import Tensor, nn
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import make_module


def tv(name: str, **options: Any) -> Callable[[], nn.Module]:
    return lambda: getattr(torchvision.models, name)(weights=None, **options)


def tm(name: str, **options: Any) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, pretrained=False, **options)


def facenet() -> nn.Module:
    from facenet_pytorch import InceptionResnetV1

    module: nn.Module = InceptionResnetV1()
    return module


def pytorch_fid() -> nn.Module:
    """pytorch-fid's network with all of its outputs, without the weights that it would fetch."""
    from pytorch_fid import inception

    with (
        patch.object(inception, "load_state_dict_from_url", lambda *_, **__: {}),
        patch.object(torchvision.models.Inception3, "load_state_dict"),
    ):
        module: nn.Module = inception.InceptionV3(output_blocks=range(4), resize_input=False)
    return module


IMPLEMENTATIONS: dict[str, tuple[str, Callable[[], nn.Module], int]] = {
    "torchvision alexnet": ("alexnet", tv("alexnet"), 224),
    "torchvision resnet50": ("resnet50", tv("resnet50"), 64),
    "torchvision densenet121": ("densenet121", tv("densenet121"), 64),
    "torchvision mobilenet_v2": ("mobilenet_v2", tv("mobilenet_v2"), 64),
    "torchvision googlenet": (
        "torchvision/googlenet",
        tv("googlenet", aux_logits=True, transform_input=False, init_weights=False),
        96,
    ),
    "torchvision inception_v3": (
        "torchvision/inception_v3",
        tv("inception_v3", aux_logits=True, transform_input=False, init_weights=False),
        299,
    ),
    "torchvision squeezenet1_1": ("squeezenet1_1", tv("squeezenet1_1"), 64),
    "torchvision resnext50_32x4d": ("resnext50", tv("resnext50_32x4d"), 64),
    "torchvision efficientnet_b0": ("efficientnet_b0", tv("efficientnet_b0"), 64),
    "torchvision convnext_tiny": ("convnext_tiny", tv("convnext_tiny"), 64),
    "facenet-pytorch": ("facenet/inception_resnet_v1", facenet, 96),
    "torchvision shufflenet_v2_x1_0": ("shufflenet_v2", tv("shufflenet_v2_x1_0"), 64),
    "pytorch-fid": ("pytorch_fid/inception_v3", pytorch_fid, 96),
    "torchvision mobilenet_v3_large": ("mobilenet_v3_large", tv("mobilenet_v3_large"), 64),
    "timm seresnet50": ("se_resnet50", tm("seresnet50"), 64),
    "torchvision regnet_y_400mf": ("regnet_y_400mf", tv("regnet_y_400mf"), 64),
    "timm legacy_xception": ("timm/legacy_xception", tm("legacy_xception"), 96),
    "timm inception_v3": ("timm/inception_v3", tm("inception_v3"), 139),
    "timm inception_resnet_v2": ("timm/inception_resnet_v2", tm("inception_resnet_v2"), 139),
}


LATE = {"torchvision regnet_y_400mf": "proj"}
"""Modules that run before the siblings behind which the emitted module runs its own."""


def emitted(name: str) -> nn.Module:
    found = driver.check(name, folder=Path(__file__).parent)
    source = driver.emit_module(found)
    return make_module(source, found.model.name)


def own_state(module: nn.Module) -> list[Tensor]:
    """The tensors that a module holds itself."""
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


def layers_run(module: nn.Module, images: Tensor, *, late: str | None = None) -> list[nn.Module]:
    """The layers with tensors of their own, in the order in which a pass runs them.

    Args:
        late: the name of modules that are moved behind the siblings that run after them.
    """
    run: list[str] = []
    handles = [
        child.register_forward_hook(lambda *_, name=name: run.append(name))
        for name, child in module.named_modules()
        if own_state(child)
    ]
    with torch.no_grad():
        module(images)
    for handle in handles:
        handle.remove()
    if late is not None:
        run = move_late(run, late)
    return [module.get_submodule(name) for name in run]


def move_late(names: list[str], late: str) -> list[str]:
    """Move the layers below modules called `late` behind all layers of the module around them."""
    result: list[str] = []
    waiting: list[str] = []
    for name in names:
        around = waiting[0].partition(f".{late}.")[0] if waiting else ""
        if waiting and not name.startswith(f"{around}."):
            result += waiting
            waiting = []
        (waiting if f".{late}." in name else result).append(name)
    return result + waiting


def trunk_then_heads(
    module: nn.Module, images: Tensor, *, late: str | None = None
) -> list[nn.Module]:
    trunk = layers_run(module.eval(), images[:1], late=late)
    in_training = layers_run(still(module), images, late=late)
    module.eval()
    return [*trunk, *(layer for layer in in_training if layer not in trunk)]


def still(module: nn.Module) -> nn.Module:
    """In training, so that heads run, but with every norm and dropout as in inference."""
    module.train()
    for child in module.modules():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d | nn.Dropout):
            child.eval()
    names: dict[str, Any] = getattr(type(module).forward, "__globals__", {})
    if (drops := names.get("_drop_path")) is not None:  # kept as it is between passes
        module.register_forward_pre_hook(lambda *_: names.update(_drop_path=_keep))
        module.register_forward_hook(lambda *_: names.update(_drop_path=drops), always_call=True)
    return module


def _keep(x: Tensor, drop: float, training: bool) -> Tensor:
    """Drop no path."""
    return x


def sides(tensor: Tensor) -> list[int]:
    """The shape without ones at its end: a 1x1 conv is a linear of each pixel."""
    shape = list(tensor.shape)
    while shape and shape[-1] == 1:
        shape.pop()
    return shape


def carry_over(theirs: nn.Module, ours: nn.Module, images: Tensor, *, late: str | None) -> None:
    given_layers = trunk_then_heads(theirs, images, late=late)
    pairs = zip(given_layers, trunk_then_heads(ours, images), strict=True)
    for given, wanted in pairs:
        for name in ("eps", "momentum"):
            assert getattr(given, name, None) == getattr(wanted, name, None)
        for old, new in zip(own_state(given), own_state(wanted), strict=True):
            assert sides(old) == sides(new)
            with torch.no_grad():
                new.copy_(old.reshape(new.shape))


def outputs(module: nn.Module, images: Tensor) -> list[Tensor]:
    with torch.no_grad():
        given = module(images)
    return [given] if isinstance(given, Tensor) else list(given)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_outputs_are_the_implementations(implementation: str) -> None:
    name, build, size = IMPLEMENTATIONS[implementation]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = build()
    randomise(theirs, seed=3)
    ours = emitted(name)
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(4))
    carry_over(theirs, ours, images, late=LATE.get(implementation))
    given, expected = outputs(ours.eval(), images), outputs(theirs.eval(), images)
    for value, wanted in zip(given, expected, strict=True):
        assert sides(value) == sides(wanted)
        assert relative_error(value, wanted.reshape(value.shape)) < 1e-5
    heads = [head.path for head in driver.check(name, folder=Path(__file__).parent).model.heads]
    if heads:
        with torch.no_grad():
            found, wanted = still(ours)(images)._asdict(), still(theirs)(images)._asdict()
        assert set(found) == {"logits", *heads}
        assert set(wanted) == {path.replace("aux", "aux_logits") for path in found}
        for path, own in found.items():
            assert relative_error(own, wanted[path.replace("aux", "aux_logits")]) < 1e-5, path


@pytest.mark.parametrize("row", ["b1", "b2", "b3", "b4", "b5", "b6", "b7"])
def test_the_scaling_table_makes_torchvisions_efficientnets(row: str, project: Project) -> None:
    base = "inception: 1\nname: net\nextends: efficientnet_b0\n"
    project.write(NET, f"{base}network: {{stages: stages (scaling.{row})}}\n")
    found = driver.check(NET, folder=project.root)
    meta = torchvision.models.get_model_weights(f"efficientnet_{row}").DEFAULT.meta
    assert found.cost.totals.params == meta["num_params"]


def test_heads_are_among_what_is_compared() -> None:
    with_heads = {
        name: [head.path for head in driver.check(name, folder=Path(__file__).parent).model.heads]
        for name, _, _ in IMPLEMENTATIONS.values()
    }
    assert with_heads["torchvision/googlenet"] == ["aux1", "aux2"]
    assert with_heads["torchvision/inception_v3"] == ["aux"]


@pytest.mark.parametrize(
    ("name", "with_heads"),
    [
        ("alexnet", False),
        ("densenet121", False),
        ("mobilenet_v2", False),
        ("resnet50", False),
        ("torchvision/googlenet", False),
        ("torchvision/inception_v3", True),
        ("vgg16", False),
        ("vgg19", False),
    ],
)
def test_counts_are_those_of_torchvisions_metadata(name: str, with_heads: bool) -> None:
    meta = torchvision.models.get_model_weights(name.rpartition("/")[2]).DEFAULT.meta
    cost = driver.check(name, folder=Path(__file__).parent).cost
    totals = cost.totals_with_heads if with_heads else cost.totals
    assert (totals.params, round(cost.totals.macs / 1e9, 3)) == (meta["num_params"], meta["_ops"])
