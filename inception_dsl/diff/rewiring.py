"""The edits of what steps read: another order, other steps, another place in the graph."""

from __future__ import annotations

from inception_dsl.diff.edits import Category, Edit, Moved, Place, Rewired
from inception_dsl.diff.effects import is_felt_in_training_only
from inception_dsl.diff.ledger import Ledger, block_spot, gravest
from inception_dsl.diff.notation import arrow, names_of, ordered, step_text
from inception_dsl.diff.view import View
from inception_dsl.diff.wiring import OUTPUT, Reads, compare_wiring
from inception_dsl.ir import Call, Node


def write_wiring(ledger: Ledger) -> None:
    """The edits of what is read, as far as it does not follow from other edits."""
    for reads in compare_wiring(ledger.old, ledger.new, ledger.pairs):
        if reads.other in ledger.new.steps:
            _write_step(ledger, reads)
        else:
            _write_output(ledger, reads)


def _write_step(ledger: Ledger, reads: Reads) -> None:
    step = ledger.new.steps[reads.other]
    spots = ledger.spots(reads.path, reads.other)
    prefixes = ledger.old.steps[reads.path].prefix, step.prefix
    olds = tuple(path.removeprefix(prefixes[0]) for path in reads.old)
    news = tuple(path.removeprefix(prefixes[1]) for path in reads.new)
    category = _category(ledger, reads)
    edit: Edit
    match reads.what:
        case "order":
            what = f"{step_text(step.item)} {ordered(*names_of(olds, news))}"
            edit = Rewired(category, *spots, (), what, is_reordered=True)
        case "moved":
            edit = Moved(category, *spots, (), f"after {arrow(' '.join(olds), ' '.join(news))}")
        case _:
            shown = (" ".join(own) for own in names_of(olds, news))
            edit = Rewired(category, *spots, (), f"reads {arrow(*shown)}{_unread(ledger, reads)}")
    place = Place(reads.path, reads.other)
    draft = ledger.draft(edit, place, reads.other, shapes=reads.what != "order")
    for node in ledger.new.nodes_below(reads.other):
        ledger.touch(node.path, draft)


def _unread(ledger: Ledger, reads: Reads) -> str:
    """Says of the steps that are no longer read by anything that they are not."""
    lost = [
        ledger.pairs[path]
        for path in reads.old
        if path in ledger.old.in_training and path in ledger.pairs
    ]
    idle = [path for path in lost if path not in ledger.new.in_training]
    if not idle:
        return ""
    prefix = ledger.new.steps[reads.other].prefix
    branches = [_branch(ledger.new, path).removeprefix(prefix) for path in idle]
    return f", and nothing reads {', '.join(branches)}"


def _branch(view: View, path: str) -> str:
    """The branch that a step ends, or its own path."""
    step = view.steps[path]
    branch = step.definition.branch if step.definition else ""
    return f"{step.prefix}{branch}" if branch else path


def _write_output(ledger: Ledger, reads: Reads) -> None:
    """What a block, or the network, gives is what another of its steps makes."""
    old, new = (path.removesuffix(OUTPUT).removesuffix(".") for path in (reads.path, reads.other))
    calls = ledger.old.steps[old].item, ledger.new.steps[new].item
    assert isinstance(calls[0], Call)
    assert isinstance(calls[1], Call)
    spots = (
        block_spot(ledger.old, calls[0].block, OUTPUT),
        block_spot(ledger.new, calls[1].block, OUTPUT),
    )
    olds = tuple(path.removeprefix(f"{old}.") for path in reads.old)
    news = tuple(path.removeprefix(f"{new}.") for path in reads.new)
    ends = ledger.old.value(old), ledger.new.value(new)
    if not new:
        ends = ledger.old.graph.output, ledger.new.graph.output
    category = ledger.felt("eval", *ends)
    edit = Rewired(category, *spots, (), f"gives {arrow(' '.join(olds), ' '.join(news))}")
    draft = ledger.draft(edit, Place(reads.path, reads.other), reads.other, shapes=True)
    ledger.given[ends[1]] = draft


def _category(ledger: Ledger, reads: Reads) -> Category:
    nodes = ledger.new.nodes_below(reads.other)
    if reads.what == "moved" and all(is_felt_in_training_only(node) for node in nodes):
        return gravest({ledger.felt("training", None, node.path) for node in nodes})
    item = ledger.new.steps[reads.other].item
    if reads.what == "order" and isinstance(item, Node) and item.op in ("add", "mul"):
        # The sum of two is the same in any order; that of three is not, to the last digit.
        commutes = len(reads.new) == 2 and item.attributes.get("scale", 1) == 1
        return ledger.felt("none" if commutes else "eval", None, reads.other)
    return gravest({ledger.felt("eval", None, node.path) for node in nodes})
