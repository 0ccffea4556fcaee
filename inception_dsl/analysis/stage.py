"""The stages of a network, by which reports and comparisons sum its costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from inception_dsl.ir import Model, Path


def build_stage_lookup(model: Model) -> Callable[[str], Path]:
    """Return a function that gives the stage of a path: the step of the network that holds it.

    A list that holds more than half of the steps is divided: each of its steps is a stage.
    """
    sizes = Counter(item.path.first for item in model.root.body)
    steps = [step for step in model.network.body if step.path != step.path.first]
    lists = {step.path.first for step in steps if not step.branch}
    lists -= {step.path.first for step in steps if step.branch}
    divided = {name for name in lists if 2 * sizes[name] > sizes.total()}

    def find_stage(path: str) -> Path:
        first = Path(path).first
        return first / Path(path).relative_to(first).first if first in divided else first

    return find_stage
