"""Findings that say the same of several steps, told once: 36 kernels that are turned.

A comparison of graphs alone finds every step by itself, because it knows no lines that steps share.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

from inception_dsl.diff.edit_facts import Content, StepFacts, StepWords
from inception_dsl.diff.edits import Added, Changed, Edit, Removed, Reordered, Replaced, Rewired
from inception_dsl.diff.finding import Finding
from inception_dsl.diff.sides import GRAVITY
from inception_dsl.ir import Value
from inception_dsl.ops import OPS
from inception_dsl.source import Span

TURNED = "turned"
"""The change of a kernel whose height and width are exchanged, whatever they are."""


def merge_alike(findings: Iterable[Finding], counts: Mapping[str, int]) -> tuple[Finding, ...]:
    """Return findings with those that say the same as one, at the place of the first of them.

    Args:
        counts: the number of pairs of each op.
    """
    groups: list[list[Finding]] = []
    known: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        keys = [(said, finding.waived) for said in _say(finding)]
        group = next((known[key] for key in keys if key in known), None)
        if group is None:
            groups.append(group := [])
        known.update((key, known.get(key, group)) for key in keys)
        group.append(finding)
    return tuple(_merge(group, counts) for group in groups)


def _say(finding: Finding) -> tuple[Hashable, ...]:
    """Return what a finding says of its steps, without their paths; nothing if it stands alone.

    Of several answers, two findings that are alike share one.
    """
    edit = finding.edit
    match edit:
        case Changed(names=names):
            old, new = dict(edit.before.values), dict(edit.after.values)
            changes = tuple((name, _change(edit, name, old, new)) for name in names)
            said = "changed", edit.after.kind, edit.elsewhere
            line = _place(finding.old)
            by_line: list[Hashable] = [(*said, names, line)] if line else []
            return ((*said, changes), *by_line)
        case Reordered():
            return (("reordered", edit.step.kind, edit.step.is_call),)
        case Replaced():
            return (("replaced", edit.before, edit.after, edit.elsewhere),)
        case Added() | Removed():
            side = "added" if isinstance(edit, Added) else "removed"
            line = _place(finding.new if isinstance(edit, Added) else finding.old)
            by_line = [(side, line, _list_kinds(edit.content))] if line else []
            return ((side, edit.content), *by_line)
        case Rewired() if finding.old is not None and finding.new is not None:
            return (("rewired", _place(finding.old), _place(finding.new)),)
        case _:
            return ()


def _place(span: Span | None) -> Hashable:
    return None if span is None else (span.source.name, span.start)


def _list_kinds(content: Content) -> tuple[Hashable, ...]:
    """Return the ops of some steps, whatever their widths."""
    kinds = tuple(step.kind for step in content.steps)
    return (*kinds, *(_list_kinds(branch) for _, branch in content.branches))


def _change(
    edit: Changed, name: str, old: Mapping[str, object], new: Mapping[str, object]
) -> Hashable:
    before, after = old.get(name), new.get(name)
    return TURNED if _is_turned(edit, name, before, after) else (before, after)


def _is_turned(edit: Changed, name: str, before: object, after: object) -> bool:
    is_kernel = name == OPS[edit.after.kind].kernel
    return is_kernel and isinstance(before, tuple) and before[::-1] == after


def _merge(group: Sequence[Finding], counts: Mapping[str, int]) -> Finding:
    if len(group) == 1:
        return group[0]
    first = min(group, key=lambda finding: GRAVITY[finding.category])
    merged = first.edit
    assert isinstance(merged, StepFacts)
    edits = [finding.edit for finding in group]
    steps = [edit for edit in edits if isinstance(edit, StepFacts)]
    facts = replace(
        merged,
        places=tuple(place for edit in steps for place in edit.places),
        keys=tuple(key for edit in steps for key in edit.keys),
        followers=tuple(dict.fromkeys(path for edit in steps for path in edit.followers)),
        following_keys=tuple(dict.fromkeys(key for edit in steps for key in edit.following_keys)),
        loads=all(edit.loads for edit in steps),
        sites=tuple(edit.spot for edit in steps),
    )
    spots = tuple(spot for finding in group for spot in finding.spots)
    return replace(first, about=_share(facts, steps, counts), spots=spots)


def _share(facts: StepFacts, edits: Sequence[StepFacts], counts: Mapping[str, int]) -> Edit:
    """Return an edit with the words that all of some edits share."""
    match facts:
        case Changed():
            changed = [edit for edit in edits if isinstance(edit, Changed)]
            return replace(_share_changes(facts, changed), among=counts[facts.after.kind])
        case Reordered():
            return replace(facts, among=counts[facts.step.kind])
        case Replaced():
            return replace(facts, among=counts[facts.before.kind])
        case Added() | Removed():
            listed = [edit for edit in edits if isinstance(edit, Added | Removed)]
            count = sum(edit.count for edit in listed)
            content = _share_content([edit.content for edit in listed])
            steps = tuple(path for edit in listed for path in edit.steps)
            return replace(facts, count=count, steps=steps, content=content)
        case Rewired():
            return facts
        case _:
            raise AssertionError(facts)


def _share_changes(first: Changed, edits: Sequence[Changed]) -> Changed:
    """Return the first of some changes with the words that all share, and all kernels."""
    names = set(first.names) - {OPS[first.after.kind].kernel}
    words = []
    varies = False
    for mine, all_words in (
        (first.before, [edit.before for edit in edits]),
        (first.after, [edit.after for edit in edits]),
    ):
        shared = _share_words(all_words)
        lost = [value for value in mine.values if value[0] in names and value not in shared.values]
        varies = varies or bool(lost)
        words.append(replace(shared, values=(*shared.values, *lost)))
    kernels = tuple(_list_kernels(edits))
    return replace(first, before=words[0], after=words[1], kernels=kernels, varies=varies)


def _share_content(contents: Sequence[Content]) -> Content:
    """Return the first of some contents of alike steps, with the words that all share."""
    first = contents[0]
    steps = zip(*(content.steps for content in contents), strict=True)
    branches = zip(*(content.branches for content in contents), strict=True)
    shared = tuple(
        (same[0][0], _share_content([content for _, content in same])) for same in branches
    )
    return replace(first, steps=tuple(map(_share_words, steps)), branches=shared)


def _list_kernels(edits: Sequence[Changed]) -> dict[tuple[Value, Value], None]:
    """Return the old and the new kernels of edits that turn them, each pair once."""
    kernels: dict[tuple[Value, Value], None] = {}
    for edit in edits:
        name = OPS[edit.after.kind].kernel
        before, after = dict(edit.before.values).get(name), dict(edit.after.values).get(name)
        if name in edit.names and isinstance(before, tuple) and isinstance(after, tuple):
            kernels[before, after] = None
    return kernels


def _share_words(words: Sequence[StepWords]) -> StepWords:
    """Return the words that all of some steps have."""
    first, *others = words
    shared = set(first.values).intersection(*(each.values for each in others))
    return replace(first, values=tuple(value for value in first.values if value in shared))
