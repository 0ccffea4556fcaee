"""The only folder that touches torch."""

from inception_dsl.bridge.module import make_module

__all__ = ["make_module"]
