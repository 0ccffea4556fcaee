"""What the author wrote: YAML with positions, its form checked, files and layers put together."""
