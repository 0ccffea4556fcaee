"""The stages of a network: what its costs are told by, where nothing else is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from inception_dsl.ir import Model


def stage_names(model: Model) -> Callable[[str], str]:
    """What gives the stage of a path: the step of the network that it is part of.

    A list that holds more than half of the network is no stage: its steps are.
    """
    found = Counter(_name(item.path, 1) for item in model.root.body)
    steps = [step for step in model.network.body if "." in step.path]
    lists = {_name(step.path, 1) for step in steps if not step.branch}
    lists -= {_name(step.path, 1) for step in steps if step.branch}
    large = {name for name in lists if 2 * found[name] > found.total()}

    def stage(path: str) -> str:
        name = _name(path, 1)
        return _name(path, 2) if name in large else name

    return stage


def _name(path: str, parts: int) -> str:
    return ".".join(path.split(".", parts)[:parts])
