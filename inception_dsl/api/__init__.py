"""The walk for programs and notebooks: load a spec once, then ask for its cost, figures or module.

Every function is one call of the driver; only `trace`, `Network.module` and `Network.verify` import
torch.
"""

from inception_dsl.api.arguments import Param, make_overrides
from inception_dsl.api.changes import Changes, diff
from inception_dsl.api.figures import Figure
from inception_dsl.api.loading import load, trace
from inception_dsl.api.network import Network
from inception_dsl.api.notebook import show_reports
from inception_dsl.api.sweeps import sweep

__all__ = [
    "Changes",
    "Figure",
    "Network",
    "Param",
    "diff",
    "load",
    "make_overrides",
    "sweep",
    "trace",
]

show_reports()
