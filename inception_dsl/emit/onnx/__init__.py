"""Models of ONNX, made from a spec without torch."""

from inception_dsl.emit.onnx.model import DATA_SUFFIX, emit_onnx
from inception_dsl.emit.onnx.weights import DrawnWeights

__all__ = ["DATA_SUFFIX", "DrawnWeights", "emit_onnx"]
