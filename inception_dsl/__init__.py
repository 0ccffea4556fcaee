"""A compiler for specs of convolutional architectures: YAML in, checked DAG, costs, PyTorch out.

Example:
    >>> import inception_dsl as idsl
    >>> network = idsl.load("inception_v4")
    >>> f"{network.cost().totals.params:,} parameters"
    '42,679,816 parameters'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inception_dsl.version import __version__

if TYPE_CHECKING:
    from inception_dsl.api import Network, load
    from inception_dsl.diagnostics import SpecError

__all__ = ["Network", "SpecError", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # A command imports this module first, and pays for none of what it does not use.
    if name == "SpecError":
        from inception_dsl import diagnostics

        return diagnostics.SpecError
    if name in __all__:
        from inception_dsl import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
