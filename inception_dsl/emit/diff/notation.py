"""Edits in the papers' notation: `3x3 conv (96 -> 128 stride 2 V)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile
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
    LossChanged,
    Moved,
    OutputRewired,
    ParameterListed,
    PortsChanged,
    Removed,
    Renamed,
    Reordered,
    Reparented,
    Replaced,
    Rewired,
    SharingChanged,
    StepEdit,
    StepWords,
)
from inception_dsl.expr import Expr
from inception_dsl.ir import Path, Value
from inception_dsl.ops import OPS, Op
from inception_dsl.ops.attribute import Attribute, shown

MAX_STEPS = 6
"""Maximum number of added or removed steps that are named."""

_Symbols = Mapping[str, Value | Expr]


def edit_text(edit: Edit) -> str:
    """Return an edit in the papers' notation, without its place and its meaning."""
    match edit:
        case EndChanged():
            return arrow(edit.before, edit.after)
        case PortsChanged():
            sides = (
                ", ".join(names) if any(names) else "one" for names in (edit.before, edit.after)
            )
            return f"{edit.end}s {arrow(*sides)}"
        case ParameterListed():
            return f"parameter {edit.name}"
        case HeadListed():
            return f"training head at {edit.reads}"
        case _:
            return _step_edit_text(edit)


def _step_edit_text(edit: StepEdit) -> str:
    match edit:
        case Added() | Removed():
            text = content_text(edit.content)
            if edit.copies is None:
                return text
            old, new = edit.copies
            return f"{arrow(f'{old} x', f'{new} x')} {text}"
        case Changed():
            return _changed_step(edit)
        case Replaced():
            return arrow(step_text(edit.before), step_text(edit.after))
        case SharingChanged():
            return f"{step_text(edit.step)} {_changed_owner(edit)}"
        case ArgumentsChanged():
            return _changed_arguments(edit)
        case BlockRenamed():
            return f"{'blocks' if edit.is_many else 'block'} {_arrows(edit.names)}"
        case Renamed() | Reparented():
            return _arrows(edit.names)
        case LossChanged():
            return f"training head {_changed_loss(edit)}"
        case Moved() | Rewired() | Reordered() | OutputRewired():
            return _wires_text(edit)
        case _:
            assert_never(edit)


def _wires_text(edit: Moved | Rewired | Reordered | OutputRewired) -> str:
    match edit:
        case Moved():
            return f"after {arrow(' '.join(edit.before), ' '.join(edit.after))}"
        case Rewired():
            unread = f", and nothing reads {', '.join(edit.unread)}" if edit.unread else ""
            return f"reads {_changed_inputs(edit)}{unread}"
        case Reordered(sites=sites):
            an_example = "such as " if sites else ""
            return f"{step_text(edit.step)} ({an_example}{_changed_inputs(edit)})"
        case OutputRewired():
            return f"gives {arrow(edit.before, edit.after)}"
        case _:
            assert_never(edit)


def detail_text(edit: Edit) -> str:
    """Return the part of an edit that a figure's box does not show by itself.

    A box shows its step; of a step's edit only the words that change are left to say.
    """
    match edit:
        case Changed():
            return _in_brackets(_changed_words(edit)) or edit_text(edit)
        case LossChanged():
            return _changed_loss(edit)
        case ArgumentsChanged(is_default=False):
            return _in_brackets(_argument_texts(edit))
        case SharingChanged():
            return _changed_owner(edit)
        case Reordered():
            return f"({_changed_inputs(edit)})"
        case Rewired():
            return f"reads {_changed_inputs(edit)}"
        case _:
            return edit_text(edit)


def step_text(step: StepWords) -> str:
    """Return a step as a spec writes it, without its count and its shape."""
    if not step.is_call:
        return OPS[step.kind].label(dict(step.values))
    bound = " ".join(f"{name}={value_text(value)}" for name, value in step.values)
    return f"{step.kind} ({bound})" if bound else step.kind


def content_text(content: Content) -> str:
    """Return added or removed steps: one step, the steps of a branch, or several branches."""
    if content.branches:
        text = "; ".join(f"{name}: {content_text(branch)}" for name, branch in content.branches)
    else:
        text = ", ".join(step_text(step) for step in content.steps[:MAX_STEPS])
        if len(content.steps) > MAX_STEPS:
            text += ", ..."
    if content.weights_of:
        return f"{text}, with the weights of {_common_holder(content.weights_of)}"
    return text


def value_text(value: Value | Expr) -> str:
    """Return a value as a change shows it; a flag is `yes` or `no`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value)


def arrow(old: object, new: object) -> str:
    """Return `old -> new`."""
    return f"{old} -> {new}"


def shorten(old: Sequence[Path], new: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return the shortest names that tell paths apart: the names of branches, where these do."""
    paths = list(dict.fromkeys([*old, *new]))
    names = [path.names for path in paths]
    skip = 0
    while (
        all(len(parts) > skip + 1 for parts in names) and len({parts[skip] for parts in names}) == 1
    ):
        skip += 1
    short = {path: parts[skip] for path, parts in zip(paths, names, strict=True)}
    counts = Counter(short.values())
    for path, parts in zip(paths, names, strict=True):
        if counts[parts[skip]] > 1:
            short[path] = ".".join(parts[skip : skip + 2])
    if len(set(short.values())) < len(paths):
        short = {path: path for path in paths}
    return [short[path] for path in old], [short[path] for path in new]


def _change(old: Value | Expr, new: Value | Expr) -> str:
    return arrow(value_text(old), value_text(new))


def _arrows(names: Sequence[tuple[str, str]]) -> str:
    return ", ".join(arrow(*pair) for pair in names)


def _in_brackets(words: Sequence[str]) -> str:
    return f"({' '.join(words)})" if words else ""


def _changed_loss(edit: LossChanged) -> str:
    return f"(loss_weight {_change(edit.before, edit.after)})"


def _changed_owner(edit: SharingChanged) -> str:
    """Return the owners of the weights that a step uses, or, without weights, its `reuse`."""
    if edit.category == "COSMETIC":
        return f"(reuse {arrow(edit.before or 'none', edit.after or 'none')})"
    owners = (f"of {owner}" if owner else "of its own" for owner in (edit.before, edit.after))
    return f"(weights {arrow(*owners)})"


def _changed_inputs(edit: Rewired | Reordered) -> str:
    """Return the inputs of a step before and after, by the shortest names that tell them apart."""
    before, after = shorten(edit.before, edit.after)
    return arrow(" ".join(before), " ".join(after))


def _changed_arguments(edit: ArgumentsChanged) -> str:
    arguments = _argument_texts(edit)
    if not edit.is_default:
        return f"{edit.block} ({' '.join(arguments)})"
    return f"parameter{'s' if len(arguments) > 1 else ''} {', '.join(arguments)}"


def _argument_texts(edit: ArgumentsChanged) -> list[str]:
    return [f"{change.name} {_change(change.before, change.after)}" for change in edit.arguments]


def _changed_step(edit: Changed) -> str:
    """Return an op's step with the old and the new values of its changed attributes.

    Attributes that are in neither are left out, as where several steps are spoken of.
    """
    op = OPS[edit.after.kind]
    head = op.written
    kernel = op.attribute(op.kernel)
    old, new = dict(edit.before.values), dict(edit.after.values)
    if edit.kernels:
        head = f"{', '.join(_change(*pair) for pair in edit.kernels)} {head}"
    elif kernel is not None and (kernel.name in new or kernel.name in edit.names):
        head = f"{_value(old, new, kernel, edit.names)} {head}"
    words = _changed_words(edit)
    return f"{head} {_in_brackets(['such as', *words] if edit.varies else words)}".rstrip()


def _changed_words(edit: Changed) -> list[str]:
    """Return the words of a changed step, without its kernel."""
    old, new = dict(edit.before.values), dict(edit.after.values)
    return list(_words(old, new, edit.after.kind, edit.names))


def _words(old: _Symbols, new: _Symbols, op: str, names: Collection[str]) -> Iterator[str]:
    by_name = {attribute.name: attribute for attribute in OPS[op].attributes}
    ways = OPS[op].find_way(old), OPS[op].find_way(new)
    respelt = frozenset(ways[0] + ways[1]) if ways[0] != ways[1] else frozenset()
    if not respelt.isdisjoint(names):
        yield arrow(_way_text(OPS[op], old), _way_text(OPS[op], new))
    for name, attribute in by_name.items():
        if name in respelt:
            continue
        if name == OPS[op].kernel or not (name in old or name in new):
            continue
        if name in names:
            if (
                "norm" in names and attribute.owner
            ):  # a norm is added or removed, with its attributes
                if name in new and attribute.changes == "values" and attribute.kind != "flag":
                    yield f"{_name(attribute)} {value_text(new[name])}"
                continue
            if _comes_with_another(attribute, old, new):
                continue
            value = _value(old, new, attribute, names)
            yield value if attribute.kind == "width" else f"{_name(attribute)} {value}"
        elif name in new and (word := _unchanged_word(OPS[op], attribute, new[name])):
            yield word


def _comes_with_another(attribute: Attribute, old: _Symbols, new: _Symbols) -> bool:
    """Tell whether only one side has an attribute, at its default, as an activation's own."""
    name = attribute.name
    return (name in old) != (name in new) and {**old, **new}[name] == attribute.default


def _way_text(op: Op, values: _Symbols) -> str:
    """Return the way that a step takes, whole: `part 1 of 2`."""
    attributes = (op.attribute(name) for name in op.find_way(values))
    words = (_unchanged_word(op, a, values[a.name]) for a in attributes if a and a.name in values)
    return " ".join(word for word in words if word)


def _name(attribute: Attribute) -> str:
    """Return the name of an attribute; one named otherwise in its owner, by its name there."""
    if attribute.name == attribute.name_in_owner:
        return attribute.name
    return f"{attribute.name_in_owner} of {attribute.owner}"


def _unchanged_word(op: Op, attribute: Attribute, value: Value | Expr) -> str | None:
    """Return the word of an attribute that stays, if a reader would miss it.

    Nobody misses norms and activations.
    """
    if attribute.kind == "width":
        return value_text(value)
    is_missed = attribute.is_drawn and not attribute.owner
    if not is_missed or value == attribute.default:
        return None
    match attribute.kind:
        case "flag":
            return attribute.name if value is True else None
        case "pad" | "choice" if flag := op.flag_of(attribute.name, value):
            return flag
        case _:
            return f"{attribute.name} {value_text(value)}"


def _value(old: _Symbols, new: _Symbols, attribute: Attribute, names: Collection[str]) -> str:
    default = attribute.default if isinstance(attribute.default, str) else "none"
    if attribute.kind == "flag":
        default = "no"
    now = value_text(new.get(attribute.name, default))
    if attribute.name not in names:
        return now
    return arrow(value_text(old.get(attribute.name, default)), now)


def _common_holder(paths: Sequence[Path]) -> str:
    """Return the longest path that holds all of some steps; their paths, if there is none."""
    columns = zip(*(path.names for path in paths), strict=False)
    common = takewhile(lambda column: len(set(column)) == 1, columns)
    return ".".join(column[0] for column in common) or ", ".join(paths)
