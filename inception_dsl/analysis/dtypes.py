"""The number types that a module can use."""

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
"""The number of bytes of one number of each type."""
