"""The network as its callers see it: its input, output, parameters and training heads."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diff.drafts import Draft, Sighting, gather
from inception_dsl.diff.edit_facts import EditPlace
from inception_dsl.diff.edits import (
    End,
    EndChanged,
    HeadListed,
    LossChanged,
    ParameterListed,
    PortsChanged,
)
from inception_dsl.diff.ports import name_entries, pair_names
from inception_dsl.diff.sides import Sides, block_spot
from inception_dsl.diff.wiring import OUTPUT
from inception_dsl.ir import INPUT, NETWORK, Call, Path, TensorType


def compare_interfaces(sides: Sides) -> tuple[Draft, ...]:
    """Return the edits of the network's input, output, parameters and training heads."""
    return gather(
        [
            *_compare_ends(sides),
            *_compare_ports(sides),
            *_compare_parameters(sides),
            *_compare_heads(sides),
        ]
    )


def _compare_ends(sides: Sides) -> Iterator[Sighting]:
    old, new = sides.old.model, sides.new.model
    for name, new_name in pair_names(old.inputs, new.inputs).items():
        before, after = old.inputs[name], new.inputs[new_name]
        if before != after:
            place = EditPlace(INPUT / name, INPUT / new_name)
            edit = _end_changed(sides, "input", place, before, after)
            touches = (INPUT / new_name,)
            yield Sighting(edit=edit, place=place, at="", shapes=True, touches=touches)
    for name, new_name in pair_names(old.outputs, new.outputs).items():
        before, after = old.outputs[name], new.outputs[new_name]
        if before != after:
            place = EditPlace(Path(OUTPUT) / name, Path(OUTPUT) / new_name)
            edit = _end_changed(sides, "output", place, before, after)
            yield Sighting(edit=edit, place=place, at=OUTPUT, shapes=True)


def _end_changed(
    sides: Sides, end: End, place: EditPlace, before: TensorType, after: TensorType
) -> EndChanged:
    assert place.old is not None
    assert place.new is not None
    spots = sides.block_spots(NETWORK, NETWORK, (place.old, place.new))
    return EndChanged(old=spots[0], new=spots[1], end=end, before=before, after=after)


def _compare_ports(sides: Sides) -> Iterator[Sighting]:
    """Find the inputs and outputs that are added, removed, renamed or in another order."""
    for old_path, new_path in ((Path(), Path()), *sides.pairs.items()):
        old, new = sides.old.steps.get(old_path), sides.new.steps.get(new_path)
        if old is None or new is None:
            continue
        match old.item, new.item:
            case (Call() as before, Call() as after):
                yield from _compare_call_ports(sides, before, after, (old_path, new_path))


def _compare_call_ports(
    sides: Sides, old: Call, new: Call, paths: tuple[Path, Path]
) -> Iterator[Sighting]:
    names: dict[End, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "input": (tuple(name_entries(old.entries)), tuple(name_entries(new.entries))),
        "output": (tuple(old.outputs), tuple(new.outputs)),
    }
    is_network = not paths[1]
    for end, (before, after) in names.items():
        if before == after:
            continue
        path = Path(INPUT if end == "input" else OUTPUT)
        spots = sides.block_spots(old.block, new.block, (path, path))
        edit = PortsChanged(
            category="INTERFACE" if is_network else "COSMETIC",
            old=spots[0],
            new=spots[1],
            end=end,
            before=before,
            after=after,
        )
        place = EditPlace(path, path) if is_network else EditPlace(*paths)
        at = "" if is_network and end == "input" else paths[1] or OUTPUT
        yield Sighting(edit=edit, place=place, at=at)


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
