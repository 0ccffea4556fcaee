"""The network as its callers see it: its input, output, parameters and training heads."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diff.drafts import Draft, Sighting, gather
from inception_dsl.diff.edit_facts import EditPlace
from inception_dsl.diff.edits import (
    EndChanged,
    HeadListed,
    LossChanged,
    ParameterListed,
)
from inception_dsl.diff.sides import Sides, block_spot
from inception_dsl.diff.wiring import OUTPUT
from inception_dsl.ir import INPUT, NETWORK, Path


def compare_interfaces(sides: Sides) -> tuple[Draft, ...]:
    """Return the edits of the network's input, output, parameters and training heads."""
    return gather([*_compare_ends(sides), *_compare_parameters(sides), *_compare_heads(sides)])


def _compare_ends(sides: Sides) -> Iterator[Sighting]:
    old, new = sides.old.model, sides.new.model
    if old.input != new.input:
        spots = sides.block_spots(NETWORK, NETWORK, (INPUT, INPUT))
        edit = EndChanged(
            old=spots[0], new=spots[1], end="input", before=old.input, after=new.input
        )
        place = EditPlace(Path(INPUT), Path(INPUT))
        yield Sighting(edit=edit, place=place, at="", shapes=True, touches=(INPUT,))
    if old.root.type != new.root.type:
        spots = sides.block_spots(NETWORK, NETWORK, (OUTPUT, OUTPUT))
        before, after = old.root.type, new.root.type
        edit = EndChanged(old=spots[0], new=spots[1], end="output", before=before, after=after)
        place = EditPlace(Path(OUTPUT), Path(OUTPUT))
        yield Sighting(edit=edit, place=place, at=OUTPUT, shapes=True)


def _compare_parameters(sides: Sides) -> Iterator[Sighting]:
    """Find the added and removed parameters: `--set` and the emitted factory take them by name."""
    old, new = ([p.name for p in view.model.network.params] for view in (sides.old, sides.new))
    for name in old:
        if name not in new:
            spot = block_spot(sides.old, NETWORK, name)
            edit = ParameterListed(old=spot, new=None, name=name, is_new=False)
            yield Sighting(edit=edit, place=EditPlace(Path(name), None), at="")
    for name in new:
        if name not in old:
            spot = block_spot(sides.new, NETWORK, name)
            edit = ParameterListed(old=None, new=spot, name=name, is_new=True)
            yield Sighting(edit=edit, place=EditPlace(None, Path(name)), at="")


def _compare_heads(sides: Sides) -> Iterator[Sighting]:
    old = {sides.pairs.get(head.path, head.path): head for head in sides.old.model.heads}
    new = {head.path: head for head in sides.new.model.heads}
    for path, head in old.items():
        if path not in new:
            spot = block_spot(sides.old, NETWORK, head.path)
            edit = HeadListed(old=spot, new=None, reads=head.at, is_new=False)
            yield Sighting(edit=edit, place=EditPlace(head.path, None), at=OUTPUT)
    for path, head in new.items():
        if path not in old:
            spot = block_spot(sides.new, NETWORK, path)
            edit = HeadListed(old=None, new=spot, reads=head.at, is_new=True)
            yield Sighting(edit=edit, place=EditPlace(None, path), at=path)
        elif old[path].loss_weight != head.loss_weight:
            spots = sides.block_spots(NETWORK, NETWORK, (old[path].path, path))
            changed = LossChanged(
                category="TRAINING",
                old=spots[0],
                new=spots[1],
                before=old[path].loss_weight,
                after=head.loss_weight,
            )
            yield Sighting(edit=changed, place=EditPlace(old[path].path, path), at=path)
