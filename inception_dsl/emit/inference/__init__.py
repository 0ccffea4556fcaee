"""Modules of torch for inference alone, with norms and activations in the layers before them."""

from inception_dsl.emit.inference.module import emit_inference

__all__ = ["emit_inference"]
