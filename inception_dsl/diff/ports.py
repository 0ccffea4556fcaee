"""The pairs of inputs, and of outputs, of two blocks: by their names, the rest in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_dsl.ir import INPUT, Path


def pair_names(old: Iterable[str], new: Iterable[str]) -> dict[str, str]:
    """Return the new name of each old input or output that the new block has.

    Names that only one side has are pairs in their order, if both sides have as many of them.
    """
    old, new = list(old), list(new)
    pairs = {name: name for name in old if name in new}
    old_rest = [name for name in old if name not in pairs]
    new_rest = [name for name in new if name not in pairs]
    if len(old_rest) == len(new_rest):
        pairs |= zip(old_rest, new_rest, strict=True)
    return {name: pairs[name] for name in old if name in pairs}


def name_entries(entries: Iterable[Path]) -> Iterator[str]:
    """Yield the names of a block's inputs; a single input has no name."""
    return (path.relative_to(INPUT) for path in entries)


def pair_entries(old: Iterable[Path], new: Iterable[Path]) -> dict[Path, Path]:
    """Return the new path of each old input that the new block has."""
    names = pair_names(name_entries(old), name_entries(new))
    return {INPUT / before: INPUT / after for before, after in names.items()}
