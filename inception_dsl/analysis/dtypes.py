"""The number types that a module may have."""

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
"""What one number of each type takes."""
