"""From emitted source to a live module."""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from inception_dsl.diagnostics import MissingExtraError

if TYPE_CHECKING:
    from torch import nn


def require_torch() -> None:
    """Make sure that torch is installed.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("running or importing a network", "torch", "torch") from None


def make_module(source: str, factory: str, *, seed: int | None = None, **params: Any) -> nn.Module:
    """Return the network that emitted source describes, on torch's default device.

    Args:
        source: the source from the Python emitter; it is run.
        factory: the function in it that makes the network.
        seed: makes the weights the same each time; torch's own generators are left as they were.
        params: the network's parameters, such as `num_classes=10`.

    Raises:
        MissingExtraError: torch is not installed.
    """
    require_torch()
    import torch

    # Two networks may have one name, and TorchScript keeps what it has read by its module's.
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    module = ModuleType(f"inception_dsl_generated_{factory}_{digest}")
    # Classes find their module by name, when they are pickled or compiled.
    sys.modules[module.__name__] = module
    file = f"<generated {factory} {digest}>"
    # Tracebacks and `torch.jit.script` look up the text of a function here.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices, enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        network: nn.Module = getattr(module, factory)(**params)
    return network
