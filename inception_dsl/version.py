"""The version of the package; no emitted file contains it."""

__version__ = "0.1.0"
