"""A compiler for specs of convolutional architectures: YAML in, checked DAG, costs, PyTorch out.

Example:
    >>> import inception_dsl as idsl
    >>> network = idsl.load("inception_v4")
    >>> f"{network.cost().totals.params:,} parameters"
    '42,679,816 parameters'
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from inception_dsl.version import __version__

if TYPE_CHECKING:
    from inception_dsl.analysis import (
        ConventionCount,
        CostReport,
        CostRow,
        Field,
        Group,
        MemoryReport,
        Totals,
        Windows,
    )
    from inception_dsl.analysis.devices import Device
    from inception_dsl.analysis.roofline import PassTime, RooflineReport
    from inception_dsl.analysis.symbolic import Piece, SymbolicCost
    from inception_dsl.api import Changes, Figure, Network, Param, diff, load, sweep, trace
    from inception_dsl.api.listing import list as list  # noqa: A004
    from inception_dsl.bridge import CheckpointError, carry_weights, read_plan
    from inception_dsl.diagnostics import Diagnostic, Label, MissingExtraError, SpecError
    from inception_dsl.driver.listing import KnownNetwork
    from inception_dsl.driver.porting import port
    from inception_dsl.driver.swept import SweepTable
    from inception_dsl.ir import Model, TensorType
    from inception_dsl.ir.weights import WeightPlan
    from inception_dsl.polynomial import ExactPolynomial
    from inception_dsl.records import Record
    from inception_dsl.source import Source, Span
    from inception_dsl.verifying import DepartureError, Verification, verify

__all__ = [
    "Changes",
    "CheckpointError",
    "ConventionCount",
    "CostReport",
    "CostRow",
    "DepartureError",
    "Device",
    "Diagnostic",
    "ExactPolynomial",
    "Field",
    "Figure",
    "Group",
    "KnownNetwork",
    "Label",
    "MemoryReport",
    "MissingExtraError",
    "Model",
    "Network",
    "Param",
    "PassTime",
    "Piece",
    "Record",
    "RooflineReport",
    "Source",
    "Span",
    "SpecError",
    "SweepTable",
    "SymbolicCost",
    "TensorType",
    "Totals",
    "Verification",
    "WeightPlan",
    "Windows",
    "__version__",
    "carry_weights",
    "diff",
    "load",
    "port",
    "read_plan",
    "sweep",
    "trace",
    "verify",
]
"""The names that `from inception_dsl import *` brings: all but `list`, which is also Python's."""

_HOMES = {
    "analysis": (
        "ConventionCount",
        "CostReport",
        "CostRow",
        "Field",
        "Group",
        "MemoryReport",
        "Totals",
        "Windows",
    ),
    "analysis.devices": ("Device",),
    "analysis.roofline": ("PassTime", "RooflineReport"),
    "analysis.symbolic": ("Piece", "SymbolicCost"),
    "api": ("Changes", "Figure", "Network", "Param", "diff", "load", "sweep", "trace"),
    "api.listing": ("list",),
    "bridge": ("CheckpointError", "carry_weights", "read_plan"),
    "diagnostics": ("Diagnostic", "Label", "MissingExtraError", "SpecError"),
    "driver.listing": ("KnownNetwork",),
    "driver.porting": ("port",),
    "driver.swept": ("SweepTable",),
    "ir": ("Model", "TensorType"),
    "ir.weights": ("WeightPlan",),
    "polynomial": ("ExactPolynomial",),
    "records": ("Record",),
    "source": ("Source", "Span"),
    "verifying": ("DepartureError", "Verification", "verify"),
}
"""The public names by the module that has them: a command pays for none that it does not use."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> Sequence[str]:
    return sorted([*__all__, "list"])


class _Package(ModuleType):
    """The type of this package, whose `diff` is the function although a folder has this name."""

    @property
    def diff(self) -> Any:
        """Return the function that compares two networks."""
        return __getattr__("diff")

    @diff.setter
    def diff(self, folder: ModuleType) -> None:
        """Take the folder from Python, which sets it here once it is imported, and leave it."""


sys.modules[__name__].__class__ = _Package
