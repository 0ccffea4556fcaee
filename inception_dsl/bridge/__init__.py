"""The bridge to torch: the only folder that imports it."""

from inception_dsl.bridge.checkpoint import CheckpointError
from inception_dsl.bridge.module import make_module, require_torch
from inception_dsl.bridge.weights import carry_weights, read_plan

__all__ = ["CheckpointError", "carry_weights", "make_module", "read_plan", "require_torch"]
