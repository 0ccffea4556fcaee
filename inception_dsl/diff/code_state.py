"""The changes of networks of code that no step of a spec shows: idle tensors, frozen ones, draws.

A module that never runs has keys in the state_dict all the same. A norm whose averages are frozen
computes the same in inference, and trains otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.diff.code_topics import (
    ArgumentRenamed,
    CodeTopic,
    DrawChanged,
    FormChanged,
    FreezingChanged,
    IdleTensorsListed,
    NumbersChanged,
    TrainingChanged,
)
from inception_dsl.diff.edit_facts import KeyChange, StepWords
from inception_dsl.diff.edits import Added, Removed
from inception_dsl.diff.finding import Finding, FindingSpot
from inception_dsl.ir import NETWORK, Path
from inception_dsl.source import Span

if TYPE_CHECKING:
    from inception_dsl.spec.files import CodeDraw, CodeNetwork, CodeTraining

    Networks = tuple[CodeNetwork, CodeNetwork]

AVERAGES = frozenset(["running_mean", "running_var"])
"""The names of the running averages of torch's batch norm."""


class CodeChange(NamedTuple):
    """A change that no step shows, with its places."""

    about: CodeTopic
    spots: tuple[FindingSpot, ...]


def compare_idle(keys: Iterable[KeyChange], code: Networks) -> Iterator[CodeChange]:
    """Yield the changes of tensors that no step uses.

    Those of one module are one change, and so are those that one line of the network makes.

    Args:
        keys: the changes of keys and shapes that no edit tells.
        code: the old network and the new one.
    """
    changes = list(keys)
    changed = {
        kind: _count_within(_name(c) for c in changes if c.kind == kind) for kind in _IDLE_KINDS
    }
    idle = [{tensor.key: tensor for tensor in side.idle} for side in code]
    held = [
        _count_within([*known, *(tensor.key for tensor in side.tensors.values())])
        for known, side in zip(idle, code, strict=True)
    ]
    by_holder: dict[tuple[str, str], list[KeyChange]] = {}
    for change in changes:
        side = held[0 if change.new is None else 1]
        holder = _find_holder(_name(change), side, changed[change.kind])
        by_holder.setdefault((change.kind, holder), []).append(change)
    groups: dict[object, list[tuple[FindingSpot, list[KeyChange]]]] = {}
    for (kind, holder), group in by_holder.items():
        sides = [
            [known[key] for key in keys if key in known]
            for known, keys in zip(idle, _list_keys(group), strict=True)
        ]
        old, new = (_share_line([tensor.lines for tensor in side]) for side in sides)
        line = new or old
        place = holder if line is None else (line.source.name, line.start)
        spot = FindingSpot(Path(holder), holder, old, new)
        groups.setdefault((kind, place), []).append((spot, group))
    for each in groups.values():
        told = [change for _, group in each for change in group]
        before, after = _list_keys(told)
        twins = [idle[1][key].twin for key in after if key in idle[1]]
        twins = twins or [idle[0][key].twin for key in before if key in idle[0]]
        about = IdleTensorsListed(
            tuple(spot.path for spot, _ in each), tuple(told), tuple(filter(None, twins))
        )
        yield CodeChange(about, tuple(spot for spot, _ in each))


_IDLE_KINDS = ("added", "removed", "reshaped")


def _list_keys(changes: Iterable[KeyChange]) -> tuple[list[str], list[str]]:
    """Return the old keys and the new keys of some changes."""
    listed = list(changes)
    return [c.old for c in listed if c.old is not None], [
        c.new for c in listed if c.new is not None
    ]


def _name(change: KeyChange) -> str:
    """Return the key of a tensor, the new one if it is there."""
    key = change.new if change.new is not None else change.old
    assert key is not None
    return key


def _count_within(keys: Iterable[str]) -> Counter[str]:
    """Return the number of keys within each module that holds some."""
    return Counter(holder for key in set(keys) for holder in Path(key).parents)


def _find_holder(key: str, held: Mapping[str, int], changed: Mapping[str, int]) -> str:
    """Return the outermost module all of whose tensors change alike, or the key itself.

    Args:
        held: the number of keys within each module; `changed`, of those that change.
    """
    modules = reversed(list(Path(key).parents))
    return next((module for module in modules if held[module] == changed[module]), key)


def compare_freezing(pairs: Iterable[tuple[str, str]], code: Networks) -> Iterator[CodeChange]:
    """Yield the changes of what training leaves as it is: of parameters, and of averages.

    Args:
        pairs: the old and the new key of each tensor that both networks have.
        code: the old network and the new one.
    """
    old, new = code
    groups: dict[tuple[bool, bool], list[tuple[str, str]]] = {}
    for before, after in pairs:
        is_fixed = after in new.fixed
        if (before in old.fixed) != is_fixed:
            kind = Path(after).name in AVERAGES, is_fixed
            groups.setdefault(kind, []).append((before, after))
    lines = [_list_lines(side) for side in code] if groups else []
    for (are_averages, is_fixed), changed in groups.items():
        holders = dict.fromkeys((Path(a).parent, Path(b).parent) for a, b in changed)
        topic = FreezingChanged(
            tuple(after for _, after in holders), len(changed), are_averages, is_fixed
        )
        spots = (
            FindingSpot(after, after, lines[0].get(before), lines[1].get(after))
            for before, after in holders
        )
        yield CodeChange(topic, tuple(spots))


def _list_lines(code: CodeNetwork) -> dict[Path, Span | None]:
    """Return the line that made each module that holds a tensor of a step."""
    lines: dict[Path, Span | None] = {}
    for key, tensor in code.tensors.items():
        module = Path(tensor.key).parent
        step = next((code.steps[p] for p in Path(key).parents if p in code.steps), None)
        if step is not None and module not in lines:
            is_norm = step.module != module and bool(step.norm_lines)
            lines[module] = choose_line(step.norm_lines if is_norm else step.lines)
    return lines


class DroppedStep(NamedTuple):
    """A dropout of a spec that only one of two networks of code has, and the line that made it."""

    words: StepWords
    line: Span | None


def compare_numbers(pairs: Iterable[tuple[str, str]], code: Networks) -> Iterator[CodeChange]:
    """Yield the changes of the types of numbers that tensors have.

    Args:
        pairs: the old and the new key of each tensor that both networks have.
        code: the old network and the new one.
    """
    known = [
        {tensor.key: tensor.number for tensor in side.tensors.values()}
        | {tensor.key: tensor.number for tensor in side.idle}
        for side in code
    ]
    idle = (tensor.key for tensor in code[0].idle if tensor.key in known[1])
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for old, new in dict.fromkeys((*pairs, *((key, key) for key in idle))):
        numbers = known[0][old], known[1][new]
        if numbers[0] != numbers[1]:
            groups.setdefault(numbers, []).append((old, new))
    lines = [_list_lines(side) for side in code] if groups else []
    for side, held in zip(code, lines, strict=False):
        held.update((Path(tensor.key), choose_line(tensor.lines)) for tensor in side.idle)
    for (before, after), changed in groups.items():
        holders = dict.fromkeys(
            tuple(_find_known(key, held) for key, held in zip(keys, lines, strict=True))
            for keys in changed
        )
        modules = tuple(new for _, new in holders)
        spots = (
            FindingSpot(new, new, lines[0].get(old), lines[1].get(new)) for old, new in holders
        )
        yield CodeChange(NumbersChanged(modules, len(changed), before, after), tuple(spots))


def _find_known(key: str, lines: Mapping[Path, Span | None]) -> Path:
    """Return a tensor that has a line of its own, or the module that holds another one."""
    path = Path(key)
    return path if path in lines or not path.parent else path.parent


def compare_runs(code: Networks, *, has_ports: bool) -> Iterator[CodeChange]:
    """Yield the changes of steps of training that no spec says, and of what callers write and get.

    Args:
        has_ports: whether another finding tells of the results.
    """
    old, new = code
    before, after = old.training, new.training
    calls = [side and side.calls for side in (before, after)]
    is_known = before is None or after is None or None not in calls
    if calls[0] != calls[1] or (before is None) != (after is None) or not is_known:
        yield from _tell_training(before, after)
    forms = old.form.text, new.form.text
    if all(forms) and forms[0] != forms[1] and not has_ports:
        lines = choose_line(old.form.lines), choose_line(new.form.lines)
        yield CodeChange(FormChanged(*forms), (FindingSpot(Path(NETWORK), None, *lines),))
    names = old.form.argument, new.form.argument
    if all(names) and names[0] != names[1]:
        lines = choose_line(old.form.lines), choose_line(new.form.lines)
        yield CodeChange(ArgumentRenamed(*names), (FindingSpot(Path(NETWORK), None, *lines),))


def _tell_training(before: CodeTraining | None, after: CodeTraining | None) -> Iterator[CodeChange]:
    about = TrainingChanged(before and before.why, after and after.why)
    lines = [choose_line(side.lines) if side is not None else None for side in (before, after)]
    yield CodeChange(about, (FindingSpot(Path(NETWORK), None, *lines),))


_Dropped = tuple[Mapping[str, DroppedStep], Mapping[str, DroppedStep]]


class DroppedSteps(NamedTuple):
    """The dropouts of a spec in whose place the other network draws as no spec says.

    Attributes:
        findings: the findings that tell of them.
        steps: those of the old network by the path of their module, and those of the new one.
    """

    findings: tuple[Finding, ...]
    steps: _Dropped


def find_dropped(findings: Iterable[Finding], code: Networks) -> DroppedSteps:
    """Return the dropouts that are added or removed where the other network draws otherwise."""
    draws = [{draw.module for draw in side.draws} for side in code]
    told: list[Finding] = []
    steps: tuple[dict[str, DroppedStep], dict[str, DroppedStep]] = ({}, {})
    for finding in findings:
        edit = finding.edit
        if not isinstance(edit, Added | Removed) or not edit.drops_values:
            continue
        is_new = isinstance(edit, Added)
        modules = [spot.module for spot in finding.spots]
        if len(edit.content.steps) == 1 and draws[not is_new].issuperset(modules):
            told.append(finding)
            for spot in finding.spots:
                line = spot.new if is_new else spot.old
                steps[is_new][spot.module or ""] = DroppedStep(edit.content.steps[0], line)
    return DroppedSteps(tuple(told), steps)


def compare_draws(steps: _Dropped, code: Networks) -> Iterator[CodeChange]:
    """Yield the changes of modules that draw at random in training as no spec says.

    Args:
        steps: the dropouts that only the old network has, by module, and those of the new one.
        code: the old network and the new one.
    """
    draws = [{draw.module: draw for draw in side.draws} for side in code]
    groups: dict[tuple[_Draw, _Draw], list[FindingSpot]] = {}
    for module in {**draws[0], **draws[1]}:
        before, after = (
            _describe(draw.get(module), step.get(module))
            for draw, step in zip(draws, steps, strict=True)
        )
        if before != after:
            lines = [
                _find_draw_line(draw.get(module), step.get(module))
                for draw, step in zip(draws, steps, strict=True)
            ]
            spot = FindingSpot(Path(module), module, *lines)
            groups.setdefault((before, after), []).append(spot)
    for (before, after), spots in groups.items():
        modules = tuple(spot.path for spot in spots)
        shares = before[1], after[1]
        yield CodeChange(DrawChanged(modules, before[0], after[0], shares), tuple(spots))


_Draw = tuple[str | StepWords | None, float | None]
"""A class or a step that drops values, and the share of them."""


def _describe(draw: CodeDraw | None, step: DroppedStep | None) -> _Draw:
    if draw is not None:
        return draw.kind, draw.share
    return (step.words if step is not None else None), None


def _find_draw_line(draw: CodeDraw | None, step: DroppedStep | None) -> Span | None:
    if draw is not None:
        return choose_line(draw.lines)
    return step.line if step is not None else None


def choose_line(lines: Iterable[Span]) -> Span | None:
    """Return the innermost of some lines, one of the working tree first."""
    spans = list(lines)
    return next(iter([*(span for span in spans if span.source.path is not None), *spans]), None)


def _share_line(lines: Sequence[Sequence[Span]]) -> Span | None:
    """Return the innermost line that is behind several tensors, one of the working tree first."""
    if not lines:
        return None
    places = [{(span.source.name, span.line) for span in each} for each in lines]
    shared = set.intersection(*places)
    return choose_line(span for span in lines[0] if (span.source.name, span.line) in shared)
