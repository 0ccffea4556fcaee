"""The network as its callers see it: input, output, parameters, training heads."""

from __future__ import annotations

from inception_dsl.diff.edits import Added, Changed, Place, Removed
from inception_dsl.diff.ledger import Ledger, block_spot
from inception_dsl.diff.notation import arrow, value_text
from inception_dsl.diff.wiring import OUTPUT
from inception_dsl.ir import INPUT, Head


def write_interface(ledger: Ledger) -> None:
    """The edits of what goes in and comes out."""
    old, new = ledger.old.model, ledger.new.model
    name = new.network.name
    for path, was, now in ((INPUT, old.input, new.input), (OUTPUT, old.root.type, new.root.type)):
        if was != now:
            spots = block_spot(ledger.old, name, path), block_spot(ledger.new, name, path)
            edit = Changed("INTERFACE", *spots, (), arrow(was, now))
            at = path if path == OUTPUT else ""
            draft = ledger.draft(edit, Place(path, path), at, shapes=True)
            if path == INPUT:
                ledger.touch(INPUT, draft)
    _write_parameters(ledger)
    _write_heads(ledger)


def _write_parameters(ledger: Ledger) -> None:
    """Parameters that come or go: `--set` and the emitted factory know them by name."""
    old, new = ([p.name for p in v.model.network.params] for v in (ledger.old, ledger.new))
    network = ledger.new.model.network.name
    for name in old:
        if name not in new:
            where = block_spot(ledger.old, network, name)
            edit = Removed("INTERFACE", where, None, (), f"parameter {name}", about="parameter")
            ledger.draft(edit, Place(name, None), "")
    for name in new:
        if name not in old:
            where = block_spot(ledger.new, network, name)
            added = Added("INTERFACE", None, where, (), f"parameter {name}", about="parameter")
            ledger.draft(added, Place(None, name), "")


def _write_heads(ledger: Ledger) -> None:
    old = {ledger.pairs.get(head.path, head.path): head for head in ledger.old.model.heads}
    new = {head.path: head for head in ledger.new.model.heads}
    network = ledger.new.model.network.name
    for path, head in old.items():
        if path not in new:
            where = block_spot(ledger.old, network, head.path)
            edit = Removed(
                "INTERFACE", where, None, (), f"training head at {head.at}", about="head"
            )
            ledger.draft(edit, Place(head.path, None), OUTPUT)
    for path, head in new.items():
        if path not in old:
            where = block_spot(ledger.new, network, path)
            added = Added("INTERFACE", None, where, (), f"training head at {head.at}", about="head")
            ledger.draft(added, Place(None, path), path)
        elif (was := _loss(old[path])) != (now := _loss(head)):
            spots = (
                block_spot(ledger.old, network, old[path].path),
                block_spot(ledger.new, network, path),
            )
            what = f"training head (loss_weight {arrow(was, now)})"
            changed = Changed("TRAINING", *spots, (), what, names=("loss_weight",))
            ledger.draft(changed, Place(old[path].path, path), path)


def _loss(head: Head) -> str:
    return value_text(head.loss_weight)
