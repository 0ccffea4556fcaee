"""A network from a spec, or from a module of torch."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl import driver
from inception_dsl.api.arguments import Param, make_overrides, name_spec
from inception_dsl.api.network import Network
from inception_dsl.diagnostics import CallerTypeError
from inception_dsl.resolve import AS_WRITTEN

if TYPE_CHECKING:
    from torch import nn


def load(
    spec: str | PathLike[str],
    *,
    input: str | Mapping[str, str] | None = None,
    params: Mapping[str, Param] | None = None,
) -> Network:
    """Load a spec and check it, as `inception-dsl check` does.

    Args:
        spec: a .yaml file, or a name that `inception-dsl list` shows.
        input: another input than the spec's: height x width x channels, as in `331x331x3`; of
            several, a mapping such as `{"left": "105x105x1"}`.
        params: other values for the network's parameters, as in `{"num_classes": 10}`.

    Raises:
        SpecError: the spec has errors; as text, they are the output of `inception-dsl check`.

    Example:
        >>> load("googlenet", params={"num_classes": 10}).output
        TensorType(shape=(10,))
    """
    overrides = make_overrides(input, params)
    checked = driver.check(name_spec(spec), folder=Path.cwd(), overrides=overrides)
    return Network(checked, overrides)


def trace(module: nn.Module, input: str | Mapping[str, str], *, name: str | None = None) -> Network:
    """Make a network of a module of torch, as `inception-dsl import` does.

    The module runs without values; nothing of it changes.

    Args:
        input: the module's input: height x width x channels, as in `224x224x3`; several by the
            names of the arguments of `forward`, as in `{"left": "64x64x1", "right": "64x64x1"}`.
        name: the network's name; the name of the module's class unless it is given.

    Raises:
        SpecError: E704, the module does not run on the input; E705, the language cannot say what
            it does.
        MissingExtraError: torch is not installed.

    Example:
        >>> from torch import nn
        >>> trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), "32x32x3").output
        TensorType(shape=(8, 30, 30))
    """
    from inception_dsl.bridge import require_torch
    from inception_dsl.driver.importing import import_module, make_name

    require_torch()
    if not isinstance(input, str | Mapping):
        raise CallerTypeError(
            "an input is a text such as '224x224x3'; several are a mapping of them"
        )
    named = make_name(type(module).__name__ if name is None else name)
    imported = import_module(module, input, name=named, folder=Path.cwd())
    return Network(driver.check_file(imported.file, AS_WRITTEN))
