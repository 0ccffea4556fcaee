"""From emitted source to a live module."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def make_module(source: str, factory: str, **params: Any) -> nn.Module:
    """The network that emitted source describes.

    Args:
        source: what the Python emitter gave; it is run.
        factory: the function in it that makes the network.
        params: the network's parameters, such as `classes=10`.
    """
    module = ModuleType(f"inception_dsl_generated_{factory}")
    # Classes find their module by name, when they are pickled or compiled.
    sys.modules[module.__name__] = module
    exec(compile(source, f"<generated {factory}>", "exec"), module.__dict__)  # noqa: S102
    network: nn.Module = getattr(module, factory)(**params)
    return network
