"""Hints that compute the advice of Szegedy et al., arXiv:1512.00567, on the network at hand.

The paper calls its principles guides for doubtful cases. A finding here is therefore a note, unless
the settings of the project say more. Each says what it costs or saves on this network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.rules.principles.balance import imbalance
from inception_dsl.rules.principles.bottlenecks import bottlenecks
from inception_dsl.rules.principles.factorisations import (
    even_kernels,
    large_kernels,
    square_kernels,
)
from inception_dsl.rules.principles.idleness import early_pools, idle_steps, mergeable
from inception_dsl.rules.principles.reductions import lone_pools, missing_reductions
from inception_dsl.rules.subject import Subject

PRINCIPLES: tuple[Callable[[Subject], Iterable[Diagnostic]], ...] = (
    bottlenecks,
    imbalance,
    missing_reductions,
    lone_pools,
    large_kernels,
    square_kernels,
    even_kernels,
    mergeable,
    idle_steps,
    early_pools,
)
"""The hints in the order of their codes."""
