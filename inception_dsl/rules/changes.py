"""Findings out of a comparison: one sentence for every edit, and what the whole costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from inception_dsl.analysis import CostReport, find_figure
from inception_dsl.diagnostics import severity_of
from inception_dsl.diff import (
    Added,
    Category,
    Changed,
    Diff,
    Edit,
    Finding,
    KeyChange,
    Measured,
    Moved,
    Removed,
    Renamed,
    Rewired,
)
from inception_dsl.ir import INPUT, NETWORK, Bound, Model

_CATEGORY_CODES: dict[Category, str] = {
    "CHECKPOINT": "D711",
    "NUMERICS": "D721",
    "TRAINING": "D731",
    "COSMETIC": "D751",
}

_OUTPUT = "output"


def judge_changes(
    old: tuple[Model, CostReport],
    new: tuple[Model, CostReport],
    diff: Diff,
    costs: Sequence[Measured],
) -> Iterator[Finding]:
    """What a reviewer should know of a comparison, in the order of the specs, then its costs."""
    for edit in diff.edits:
        code = _code(edit)
        severity = severity_of(code)
        spans = (edit.old.span if edit.old else None), (edit.new.span if edit.new else None)
        yield Finding(
            code,
            edit.category,
            severity,
            _at(edit),
            _verb(edit),
            edit.what,
            _means(edit),
            *spans,
            edit,
        )
    yield from _texts(old[0], new[0])
    if any(measured.difference for measured in costs):
        yield _costs(new[0], costs)
    yield from _budgets(old, new)


def lone_spec(model: Model, cost: CostReport, *, is_new: bool) -> Finding:
    """The finding of a spec that is on one side only."""
    code = "D706" if is_new else "D705"
    span = model.network.origin.spans[0]
    totals = cost.totals
    return Finding(
        code,
        "INTERFACE",
        severity_of(code),
        cost.name,
        "added" if is_new else "removed",
        f"{totals.params:,} params, {totals.macs:,} MACs",
        "a network more" if is_new else "whoever builds it by this name no longer can",
        None if is_new else span,
        span if is_new else None,
    )


def renamed_spec(old: Model, new: Model, names: tuple[str, str]) -> Finding:
    """The finding of a spec that has another name, old and new."""
    return Finding(
        "D707",
        "INTERFACE",
        severity_of("D707"),
        names[1],
        "renamed",
        f"{names[0]} -> {names[1]}",
        "whoever builds it by the old name no longer can",
        old.network.origin.spans[0],
        new.network.origin.spans[0],
    )


def _code(edit: Edit) -> str:
    """The code of an edit's finding."""
    match edit:
        case _ if edit.category == "INTERFACE":
            path = edit.spot.path
            if path in (INPUT, _OUTPUT):
                return "D701" if path == INPUT else "D702"
            return "D703" if edit.about == "head" else "D704"
        case _ if edit.elsewhere:
            return "D725"
        case Added() | Removed() if edit.category == "CHECKPOINT":
            return "D712" if isinstance(edit, Added) else "D713"
        case Added() | Removed() if edit.category == "NUMERICS":
            return "D724"
        case Renamed() | Moved() if edit.category == "CHECKPOINT":
            return "D714"
        case Rewired(is_reordered=True) if edit.category == "NUMERICS":
            return "D722"
        case Rewired() | Moved() if edit.category == "NUMERICS":
            return "D723"
        case _:
            return _CATEGORY_CODES[edit.category]


def _at(edit: Edit) -> str:
    """Where an edit is: a path; in a block that is called often, the block's."""
    if isinstance(edit, Changed) and edit.sites:
        op = edit.what.split(" (")[0].split()[-1]
        count = len(edit.places)
        return f"all {count} {op}s" if count == edit.among else f"{count} of {edit.among} {op}s"
    if isinstance(edit, Renamed | Moved) and edit.several:
        return edit.spot.block
    if len(edit.paths) == 1:
        path = edit.paths[0]
        return path if path or edit.spot.block != NETWORK else NETWORK
    block, path = edit.spot.block, edit.spot.path
    if block == NETWORK:
        return path or NETWORK
    return f"{block}.{path}" if path else block


def _verb(edit: Edit) -> str:
    match edit:
        case Added(are_copies=True) | Removed(are_copies=True):
            return ""  # they are counted
        case Changed() | Rewired():
            return ""
        case _:
            return type(edit).__name__.lower()


def _means(edit: Edit) -> str:
    """What an edit does, as a clause."""
    match edit.category:
        case "INTERFACE":
            return _to_callers(edit)
        case "CHECKPOINT":
            return _to_checkpoints(edit)
        case "NUMERICS":
            said = _to_inference(edit)
            return f"{said}{_with_followers(edit)}"
        case "TRAINING":
            return _to_training(edit)
        case _:
            return _to_nobody(edit)


def _to_callers(edit: Edit) -> str:
    path = edit.spot.path
    if path == INPUT:
        return f"the network takes another input{_with_followers(edit)}"
    if path == _OUTPUT:
        return "whatever reads the output gets another shape"
    if edit.about == "head":
        now = "one output more" if isinstance(edit, Added) else "one output less"
        return f"training gives {now}"
    now = "takes" if isinstance(edit, Added) else "no longer takes"
    return f"`--set` and the module's factory {now} it"


def _to_checkpoints(edit: Edit) -> str:
    match edit:
        case Renamed(is_renumbered=True, keys=keys) if keys:
            return f"it is renumbered, and {_tensors(edit.keys)}"
        case Renamed() | Moved() if edit.keys:
            return _tensors(edit.keys)
        case Renamed() | Moved():
            return "their keys follow their names" if edit.several else "its keys follow its name"
        case Changed(names=("reuse",)):
            return f"{_tensors(edit.keys)}{_with_followers(edit)}"
        case _:
            said = _tensors(edit.keys) if edit.keys else "the tensors below it change"
            return f"{said}{_with_followers(edit)}"


def _tensors(keys: Iterable[KeyChange]) -> str:
    """How many tensors become what: `7 tensors change shape and 14 are new`."""
    counts = Counter(change.kind for change in keys)
    says = {
        "reshaped": ("changes shape", "change shape"),
        "renamed": ("gets another key", "get other keys"),
        "removed": ("is gone", "are gone"),
        "added": ("is new", "are new"),
    }
    parts: list[str] = []
    for kind, (one, many) in says.items():
        count = counts[kind]  # type: ignore[index]
        if count:
            noun = ("" if parts else " tensor") + ("" if count == 1 or parts else "s")
            parts.append(f"{count}{noun} {one if count == 1 else many}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _with_followers(edit: Edit) -> str:
    """What follows elsewhere from an edit."""
    steps, tensors = len(edit.followers), len(edit.following_keys)
    if not steps:
        return ""
    follow = f"{steps} step{'s follow' if steps > 1 else ' follows'}"
    if not tensors:
        return f"; {follow} in shape or cost"
    change = "tensors change" if tensors > 1 else "tensor changes"
    return f"; {follow}, and {tensors} more {change} shape"


_ATTRIBUTES = {
    "stride": "its windows lie elsewhere",
    "pad": "its windows lie elsewhere",
    "ceil": "its last windows lie elsewhere",
    "dilation": "its windows reach elsewhere",
    "kernel": "its windows are others",
    "output": "its windows are others",
    "eps": "what batch norms divide by is another number",
    "act": "what comes out is activated otherwise",
    "scale": "the residual has another weight in the sum",
    "drop": "training drops another share of the values",
    "init": "training from scratch begins with other weights",
    "bias_init": "training from scratch begins with other biases",
    "momentum": "running statistics follow training at another pace",
    "loss_weight": "the head's loss has another weight",
}
"""What a change of an attribute does, where its name says it."""


def _to_inference(edit: Edit) -> str:
    if edit.elsewhere:
        return "no difference at this input, another result for inputs of other sizes"
    match edit:
        case Rewired(is_reordered=True):
            return (
                "the channels stand in another order, and weights that were trained for the old "
                "one still load; `diff --weights` puts them in the new one"
            )
        case Rewired() | Moved():
            return "the weights still load, and read another step's values"
        case Added():
            return "the weights still load, and their values now pass through this"
        case Removed():
            return "the weights still load, and their values no longer pass through this"
        case Changed(names=("count_pad",)):
            return (
                "the weights still load, and means at the border "
                + ("count" if edit.what.endswith("yes)") else "no longer count")
                + " the padding"
            )
        case Changed(names=names) if len(names) == 1 and names[0] in _ATTRIBUTES:
            return f"the weights still load, and {_ATTRIBUTES[names[0]]}"
        case _:
            return "the weights still load, and what it computes is something else"


def _to_training(edit: Edit) -> str:
    if isinstance(edit, Changed) and len(edit.names) == 1 and edit.names[0] in _ATTRIBUTES:
        said = f"{_ATTRIBUTES[edit.names[0]]}; inference is the same"
    elif isinstance(edit, Added | Removed):
        now = "now" if isinstance(edit, Added) else "no longer"
        does = "drops values" if edit.what.startswith("dropout") else "runs it"
        said = f"training {now} {does}; inference is the same"
    else:
        said = "training feels it, inference does not"
    return f"{said}{_with_followers(edit)}"


def _to_nobody(edit: Edit) -> str:
    match edit:
        case Removed() if "softmax" in edit.what:
            return "the emitted module gives logits with it and without"
        case Added() if "softmax" in edit.what:
            return "the emitted module gives logits with it and without"
        case Changed(about="block") if edit.what.startswith("block "):
            return "its class has another name; what differs in it is told step by step"
        case Changed(about="block"):
            return "their classes have other names; what differs in them is told step by step"
        case Renamed() | Moved():
            holder = "they hold" if edit.several else "it holds"
            return f"{holder} no tensor, so no key changes"
        case _:
            return f"it computes the same{_with_followers(edit)}"


def _texts(old: Model, new: Model) -> Iterator[Finding]:
    """What models and their blocks are called and say of themselves."""
    spans = old.network.origin.spans[0], new.network.origin.spans[0]
    pairs = {
        "name": (old.name, new.name),
        "title": (old.title, new.title),
        "source": (old.source, new.source),
    }
    said = [
        f"{what} {was or 'none'} -> {now or 'none'}"
        for what, (was, now) in pairs.items()
        if was != now
    ]
    before = {block.name: (block.title, block.source) for block in old.blocks[:-1]}
    blocks = [
        block.name
        for block in new.blocks[:-1]
        if before.get(block.name, (block.title, block.source)) != (block.title, block.source)
    ]
    if blocks:
        said.append(f"title or source of {', '.join(blocks)}")
    if said:
        is_renamed = old.name != new.name
        means = "the emitted factory has another name" if is_renamed else "texts for readers"
        yield Finding(
            "D751", "COSMETIC", severity_of("D751"), NETWORK, "", "; ".join(said), means, *spans
        )


def _costs(new: Model, costs: Sequence[Measured]) -> Finding:
    changed = [measured for measured in costs if measured.difference]
    said = [
        f"{m.title} {m.difference:+,}" + (f" ({m.percent_text} %)" if m.percent else "")
        for m in changed
    ]
    span = new.network.origin.spans[0]
    return Finding(
        "D741", "COST", severity_of("D741"), NETWORK, "", "", ", ".join(said), None, span
    )


def _budgets(old: tuple[Model, CostReport], new: tuple[Model, CostReport]) -> Iterator[Finding]:
    before = {(b.measure, b.figure.text): b for b in old[0].budget}
    after = {(b.measure, b.figure.text): b for b in new[0].budget}
    gone = [bound for key, bound in before.items() if key not in after]
    come = [bound for key, bound in after.items() if key not in before]
    for bound in come:
        was = next((own for own in gone if own.measure == bound.measure), None)
        if was is not None:
            gone.remove(was)
        yield _budget(was, bound)
    for bound in gone:
        yield _budget(bound, None)
    for bound in [*after.values(), *(b for key, b in before.items() if key not in after)]:
        figures = [
            find_figure(model, cost, bound.measure, None, with_heads=False)
            for model, cost in (old, new)
        ]
        held, holds = (isinstance(f, int) and bound.figure.holds(f) for f in figures)
        if held and not holds:
            whose = "its" if bound in after.values() else "the old"
            yield Finding(
                "D742",
                "COST",
                severity_of("D742"),
                bound.measure,
                "",
                f"{figures[0]:,} -> {figures[1]:,}",
                f"{whose} budget is {bound.figure.text}",
                None,
                new[0].network.origin.spans[0],
            )


def _budget(old: Bound | None, new: Bound | None) -> Finding:
    bound = new or old
    assert bound is not None
    was, now = (own.figure.text if own else "none" for own in (old, new))
    means = "nothing held the network to one before" if old is None else "nothing holds it any more"
    if old is not None and new is not None:
        means = "the network is held to another figure"
    spans = [own.origin.spans[0] if own else None for own in (old, new)]
    return Finding(
        "D743",
        "COST",
        severity_of("D743"),
        bound.measure,
        "",
        f"budget {was} -> {now}",
        means,
        spans[0],
        spans[1],
    )
