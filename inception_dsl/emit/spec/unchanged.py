"""Prove that an edit of a spec's text leaves everything else of the document as it was.

Both texts are compared as data. The proof of the network says what the changed steps compute; this
one says that nothing beside them is lost: no default, no budget, no title, no block that no step
calls. It does not judge comments, which are no data.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from inception_dsl.emit.spec.claims import is_count
from inception_dsl.emit.spec.places import RewriteError, StepPlaces
from inception_dsl.emit.spec.step import KEYS_BESIDE
from inception_dsl.source import Span
from inception_dsl.spec.tree import Mapping, Scalar, Tree
from inception_dsl.spec.tree import Sequence as TreeSequence

_Data = tuple[str, object]


def prove_renamed(old: Tree, new: Tree, name: str) -> None:
    """Prove that a spec has another name and no claims, and is else the same.

    Raises:
        RewriteError: it is not.
    """
    before, after = _read_entries(old), _read_entries(new)
    before.pop("claims", None)
    if "name" in before:
        before["name"] = Scalar(name, before["name"].span, before["name"].span)
    _prove_keys(before, after)
    for key, value in before.items():
        if _read(value) != _read(after[key]):
            raise RewriteError(f"the edit would change `{key}`, too")


def prove_rest(places: StepPlaces, new: Tree, steps: Sequence[Span], *, drops_counts: bool) -> None:
    """Prove that a spec with other steps is else the same.

    Args:
        places: the places of all steps of the old text.
        steps: the texts of the steps in the old tree that change or go.
        drops_counts: the claims that `import` has counted may go.

    Raises:
        RewriteError: something else is lost or changed.
    """
    before, after = _read_entries(places.tree), _read_entries(new)
    if drops_counts and isinstance(claims := before.get("claims"), TreeSequence):
        rest = [claim for claim in claims.items if not is_count(claim)]
        before["claims"] = TreeSequence(rest, claims.span)
        if not rest:
            del before["claims"]
    _prove_keys(before, after)
    starts = sorted(span.start for span in steps)
    lost = Counter(_list_lost(places, steps))
    for key, value in before.items():
        if not _keeps(value, after[key], starts, lost):
            raise RewriteError(f"the edit would change more of `{key}` than its step")


def _read_entries(tree: Tree) -> dict[str, Tree]:
    assert isinstance(tree, Mapping)
    return {key: entry.value for key, entry in tree.items.items()}


def _prove_keys(before: dict[str, Tree], after: dict[str, Tree]) -> None:
    if list(before) != list(after):
        others = sorted(before.keys() ^ after.keys()) or list(before)
        keys = ", ".join(f"`{key}`" for key in others)
        raise RewriteError(f"the edit would change the keys of the spec: {keys}")


def _list_lost(places: StepPlaces, steps: Sequence[Span]) -> Iterator[_Data]:
    """Yield the texts and the names of steps, which may go."""
    for span in steps:
        place = places.find(span)
        yield _read_scalar(place.step)
        if place.long is not None:
            for key in place.long.items.keys() - (KEYS_BESIDE - {"op", "out"}):
                yield "key", key
                yield from _list_leaves(place.long.items[key].value)
        if place.key is not None:
            yield "key", place.key.text.strip("\"'")


def _keeps(old: Tree, new: Tree, starts: Sequence[int], lost: Counter[_Data]) -> bool:
    """Tell whether a part of a spec is as it was, but for its steps that may change.

    A part without such a step is the same. A list or a mapping with one may have more than before,
    and lacks nothing but the texts and names of such steps.

    Args:
        starts: where the steps begin in the old text, in order.
        lost: their texts and names.
    """
    place = bisect_left(starts, old.span.start)
    if place == len(starts) or starts[place] >= old.span.end:
        return _read(old) == _read(new)
    match old, new:
        case Mapping(before), Mapping(after) if list(before) == list(after):
            return all(
                _keeps(entry.value, after[key].value, starts, lost) for key, entry in before.items()
            )
        case TreeSequence(before), TreeSequence(after) if len(before) == len(after):
            pairs = zip(before, after, strict=True)
            if all(_keeps(*pair, starts, lost) for pair in pairs):
                return True
    return Counter(_list_leaves(old)) - Counter(_list_leaves(new)) <= lost


def _list_leaves(tree: Tree) -> Iterator[_Data]:
    """Yield all keys and values of a tree."""
    match tree:
        case Scalar():
            yield _read_scalar(tree)
        case TreeSequence(items):
            for item in items:
                yield from _list_leaves(item)
        case Mapping(items):
            for key, entry in items.items():
                yield "key", key
                yield from _list_leaves(entry.value)


def _read_scalar(scalar: Scalar) -> _Data:
    return type(scalar.value).__name__, scalar.value


def _read(tree: Tree) -> _Data:
    """Return a tree as data without places; keys have an order, and `1` is not `true`."""
    match tree:
        case Scalar():
            return _read_scalar(tree)
        case TreeSequence(items):
            return "list", [_read(item) for item in items]
        case Mapping(items):
            return "mapping", [(key, _read(entry.value)) for key, entry in items.items()]
