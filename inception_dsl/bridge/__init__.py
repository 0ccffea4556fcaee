"""The only folder that touches torch."""

from inception_dsl.bridge.module import make_module, require_torch

__all__ = ["make_module", "require_torch"]
