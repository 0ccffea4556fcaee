"""The spec as its author wrote it: YAML with positions, checked in form, its files put together."""
