"""`extends`: the recipe of one spec laid over that of another."""

from __future__ import annotations

from inception_dsl.spec.tree import Entry, Mapping, Tree


def lay_recipe(base: Tree, layer: Tree) -> Tree:
    """Return a recipe with the settings of another one in the place of its own.

    The base's source goes to the settings that stay: it tells nothing of the layer's.
    """
    if not isinstance(base, Mapping) or not isinstance(layer, Mapping):
        return layer
    source = base.items.get("source")
    items = {key: layer.items[key] for key in ("source",) if key in layer.items}
    for key, entry in base.items.items():
        if key == "source":
            continue
        if source is not None and not isinstance(entry.value, Mapping):
            long = {"is": Entry(entry.key, entry.value), "source": source}
            items[key] = Entry(entry.key, Mapping(long, entry.value.span))
        elif isinstance(entry.value, Mapping) and source and "source" not in entry.value.items:
            long = {**entry.value.items, "source": source}
            items[key] = Entry(entry.key, Mapping(long, entry.value.span))
        else:
            items[key] = entry
    return Mapping({**items, **layer.items}, layer.span)
