"""Models of ONNX, made from a spec without torch."""

from inception_dsl.emit.onnx.model import emit_onnx
from inception_dsl.emit.onnx.weights import draw_weights

__all__ = ["draw_weights", "emit_onnx"]
