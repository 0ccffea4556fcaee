"""The version of the package; it has no place in what the package emits."""

__version__ = "0.1.0"
