"""The spec as its author wrote it: YAML with positions, checked in form, its files put together.

The folder exports nothing: callers import single modules, because some commands need few of them.
"""

__all__: tuple[str, ...] = ()
