"""Edits before their consequences are known: an edit seen at several places is one draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from inception_dsl.diff.edit_facts import EditPlace, KeyChange
from inception_dsl.diff.edits import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An edit as it is seen at one place.

    Attributes:
        edit: the edit, without places and consequences.
        at: the new path beside which it is listed.
        shapes: the edit can change the shapes of the nodes that it touches.
        touches: the new nodes that it touches.
        removes: the old nodes that it removes.
        gives: the new node whose value a block gives for it.
        keys: the tensors that it adds or removes.
    """

    edit: Edit
    place: EditPlace
    at: str
    shapes: bool = False
    touches: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    gives: str | None = None
    keys: tuple[KeyChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An edit with all its places; the other attributes are a `Sighting`'s, of all of them."""

    edit: Edit
    at: str
    shapes: bool
    touches: tuple[str, ...]
    removes: tuple[str, ...]
    gives: tuple[str, ...]
    keys: tuple[KeyChange, ...]


def gather(sightings: Iterable[Sighting]) -> tuple[Draft, ...]:
    """Return the drafts of some sightings, in the order in which they were first seen."""
    listed = list(sightings)
    alike: dict[Edit, list[Sighting]] = {}
    # An edit of many steps takes long to hash, and the sightings of its places hold one object.
    known: dict[int, list[Sighting]] = {}
    for sighting in listed:
        same = known.get(id(sighting.edit))
        if same is None:
            same = known[id(sighting.edit)] = alike.setdefault(sighting.edit, [])
        same.append(sighting)
    return tuple(_draft(same) for same in alike.values())


def _draft(sightings: Sequence[Sighting]) -> Draft:
    first = sightings[0]
    places = dict.fromkeys(sighting.place for sighting in sightings)
    return Draft(
        edit=replace(first.edit, places=tuple(places)),
        at=first.at,
        shapes=first.shapes,
        touches=tuple(path for seen in sightings for path in seen.touches),
        removes=tuple(path for seen in sightings for path in seen.removes),
        gives=tuple(seen.gives for seen in sightings if seen.gives is not None),
        keys=tuple(key for seen in sightings for key in seen.keys),
    )


class DraftIndex(NamedTuple):
    """An index of drafts by the nodes that they touch; a draft is known by its number.

    Attributes:
        drafts: all drafts, in the order in which they were found.
        touching: by new node, the drafts that touch it.
        removing: by old node, the draft that removes it.
        giving: by new node, the draft for which a block gives its value.
    """

    drafts: tuple[Draft, ...]
    touching: Mapping[str, Sequence[int]]
    removing: Mapping[str, int]
    giving: Mapping[str, int]


def index_drafts(drafts: tuple[Draft, ...]) -> DraftIndex:
    """Return an index of drafts by the nodes that they touch."""
    touching: dict[str, list[int]] = {}
    for number, draft in enumerate(drafts):
        for path in draft.touches:
            touching.setdefault(path, []).append(number)
    return DraftIndex(
        drafts,
        touching,
        {path: number for number, draft in enumerate(drafts) for path in draft.removes},
        {path: number for number, draft in enumerate(drafts) for path in draft.gives},
    )
