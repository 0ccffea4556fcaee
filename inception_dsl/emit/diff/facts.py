"""The facts of an edit for programs: its kind, and what stood there before and after.

The form is that of docs/schemas/diff.schema.json. A side tells only what the edit changes.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import assert_never

from inception_dsl.diff import (
    Added,
    ArgumentsChanged,
    BlockRenamed,
    Changed,
    Content,
    Edit,
    EndChanged,
    HeadListed,
    InterfaceEdit,
    LossChanged,
    Moved,
    OutputRewired,
    ParameterListed,
    PortsChanged,
    RecipeChanged,
    RecipeListed,
    Removed,
    Renamed,
    Reordered,
    Reparented,
    Replaced,
    Rewired,
    SharingChanged,
    StepWords,
)
from inception_dsl.expr import Apply, Binary, Expr, Name, show
from inception_dsl.ir import Value

_Json = dict[str, object]


def describe_edit(edit: Edit) -> _Json:
    """Return the facts of an edit; a side is None if nothing stands there."""
    kind, before, after = _describe(edit)
    return {"kind": kind, "before": before, "after": after}


def describe_recipe(about: RecipeChanged | RecipeListed) -> _Json:
    """Return the settings that change, as a spec writes them; a side is None without a recipe."""
    match about:
        case RecipeChanged():
            sides = ({"values": {about.key: str(side)}} for side in (about.before, about.after))
            before, after = sides
            return {"kind": "recipe", "before": before, "after": after}
        case RecipeListed():
            values = {key: str(setting) for key, setting in about.recipe.settings.items()}
            side = {"values": values}
            old, new = (None, side) if about.is_new else (side, None)
            return {"kind": "recipe", "before": old, "after": new}


def _describe(edit: Edit) -> tuple[str, _Json | None, _Json | None]:
    match edit:
        case Added():
            return "added", None, _listed(edit, is_new=True)
        case Removed():
            return "removed", _listed(edit, is_new=False), None
        case Changed(names=names):
            return "changed", _words(edit.before, names), _words(edit.after, names)
        case Replaced():
            return "replaced", _words(edit.before), _words(edit.after)
        case SharingChanged():
            return "sharing", {"weights_of": edit.before}, {"weights_of": edit.after}
        case ArgumentsChanged(block=block, arguments=changes):
            old: _Json = {change.name: _value(change.before) for change in changes}
            new: _Json = {change.name: _value(change.after) for change in changes}
            return "arguments", {"block": block, "values": old}, {"block": block, "values": new}
        case BlockRenamed(names=names) | Renamed(names=names) | Reparented(names=names):
            kind = {BlockRenamed: "block-renamed", Renamed: "renamed"}.get(type(edit), "reparented")
            olds, news = zip(*names, strict=True)
            return kind, {"names": list(olds)}, {"names": list(news)}
        case Moved() | Rewired() | Reordered():
            kind = {Moved: "moved", Rewired: "rewired"}.get(type(edit), "reordered")
            return kind, {"reads": list(edit.before)}, {"reads": list(edit.after)}
        case OutputRewired():
            return "output", {"reads": [edit.before]}, {"reads": [edit.after]}
        case LossChanged():
            weights = _value(edit.before), _value(edit.after)
            return "loss-weight", {"loss_weight": weights[0]}, {"loss_weight": weights[1]}
        case EndChanged() | PortsChanged() | ParameterListed() | HeadListed():
            return _describe_interface(edit)
        case _:
            assert_never(edit)


def _describe_interface(edit: InterfaceEdit) -> tuple[str, _Json | None, _Json | None]:
    match edit:
        case EndChanged():
            shapes = list(edit.before.shape), list(edit.after.shape)
            return f"{edit.end}-shape", {"shape": shapes[0]}, {"shape": shapes[1]}
        case PortsChanged():
            return f"{edit.end}s", {"names": list(edit.before)}, {"names": list(edit.after)}
        case ParameterListed(name=name, is_new=is_new):
            kind, side = "parameter", {"names": [name]}
        case HeadListed(reads=reads, is_new=is_new):
            kind, side = "head", {"reads": [reads]}
        case _:
            assert_never(edit)
    return (kind, None, {**side}) if is_new else (kind, {**side}, None)


def _listed(edit: Added | Removed, *, is_new: bool) -> _Json:
    side: _Json = {"steps": _steps(edit.content), "nodes": edit.count}
    if edit.copies is not None:
        side["copies"] = edit.copies[1 if is_new else 0]
    return side


def _steps(content: Content) -> list[_Json]:
    """Return the steps in order; if they stand in branches, branch by branch."""
    if content.branches:
        return [step for _, branch in content.branches for step in _steps(branch)]
    return [_words(words) for words in content.steps]


def _words(words: StepWords, names: Collection[str] | None = None) -> _Json:
    """Return the op or the block of a step, and its values; with `names`, only those."""
    values = {n: _value(value) for n, value in words.values if names is None or n in names}
    return {"block" if words.is_call else "op": words.kind, "values": values}


def _value(value: Value | Expr) -> object:
    """Return a value as JSON; an expression as its text, a pair as a list."""
    match value:
        case Name() | Binary() | Apply():
            return show(value)
        case tuple():
            return list(value)
        case Decimal():
            return float(value)
        case _:
            return value
