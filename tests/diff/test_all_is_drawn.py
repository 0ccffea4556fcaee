"""Every finding of a comparison is seen in its figure: by a mark, and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from conftest import NET, Project
from hypothesis import HealthCheck, Phase, given, settings
from random_changes import changed
from random_steps import Spec
from read_changes import DrawnBox, DrawnChanges, read_changes

from inception_dsl import driver
from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import (
    Added,
    ArgumentsChanged,
    Changed,
    Finding,
    HeadListed,
    LossChanged,
    Removed,
    Replaced,
    Report,
    StepWords,
)
from inception_dsl.emit.diff import FORMATS, SIDE_BY_SIDE
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.ops import OPS, shown

QUICK = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink what fails would take minutes
)


def compare(project: Project, old: Spec, new: Spec) -> Report | None:
    """The comparison of two specs; None if the second is no good one."""
    project.write("specs/old.yaml", old.text())
    project.write(NET, new.text())
    try:
        return driver.compare("specs/old.yaml", NET, folder=project.root)
    except SpecError:
        return None


def squeeze(texts: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """Texts as one, without spaces: lines break where they like."""
    return "".join("".join(texts).split())


def is_told(finding: Finding, drawn: DrawnChanges) -> bool:
    """The finding's sentence stands above the drawing, beside a badge."""
    sentence = write_sentence(finding)
    return drawn.badges > 0 and squeeze(
        [sentence.subject + ":" * bool(sentence.what), sentence.what]
    ) in squeeze(drawn.told)


def is_shown(finding: Finding, drawn: DrawnChanges) -> bool:
    """Boxes, or the frames of heads, show the finding with its words."""
    boxes = {
        look: [b for b in drawn.boxes if b.look == look] for look in ("added", "removed", "changed")
    }
    match finding.about:
        case Added(copies=None, places=places) if all(at.path.copy is not None for at in places):
            return any(box.struck and "x " in squeezed(box.texts) for box in boxes["changed"])
        case Added(copies=None, content=content):
            return all(has_name(boxes["added"], step) for step in content.steps)
        case Removed(copies=None, content=content):
            return all(has_name(boxes["removed"], step) for step in content.steps)
        case Added(copies=(old, new)) | Removed(copies=(old, new)):
            return any(
                (f"{old} x " in squeezed(b.struck) or old == 1)
                and (f"{new} x " in " ".join(b.texts) or new == 1)
                for b in boxes["changed"]
            )
        case Changed(names=names, before=before, after=after):
            return any(
                all(
                    shows(b.struck, dict(before.values).get(name))
                    and shows(b.texts, dict(after.values).get(name))
                    for name in names
                    if "norm" not in names or not owner_of(after, name)
                )
                for b in boxes["changed"]
            )
        case Replaced(before=before, after=after):
            return has_name(boxes["changed"], before) and has_name(boxes["changed"], after)
        case ArgumentsChanged(arguments=arguments):
            return any(
                all(
                    shows(b.texts, each.before) and shows(b.texts, each.after) for each in arguments
                )
                for b in boxes["changed"]
            )
        case HeadListed(is_new=is_new):
            return any(f.look == ("added" if is_new else "removed") for f in drawn.frames)
        case LossChanged(before=old, after=new):
            frames = [frame for frame in drawn.frames if frame.look == "changed"]
            return all(any(shows(f.texts, value) for f in frames) for value in (old, new))
        case _:
            return bool(boxes["changed"])


def owner_of(step: StepWords, name: str) -> str:
    """The op that an attribute belongs to; that of a norm comes and goes with the norm."""
    attribute = OPS[step.kind].attribute(name)
    return attribute.owner if attribute else ""


def squeezed(texts: tuple[str, ...]) -> str:
    return " ".join(texts) + " "


def has_name(boxes: list[DrawnBox], step: StepWords) -> bool:
    """A box has the step's title; a circle says no words, and a call's title is its author's."""
    if step.is_call or OPS[step.kind].figure in ("sum", "product") or OPS[step.kind].is_identity:
        return bool(boxes)
    return any(OPS[step.kind].title in text for box in boxes for text in box.texts)


def shows(texts: tuple[str, ...], value: object) -> bool:
    """Some texts have a value, if it is one that is written: a flag is there or is not."""
    if value is None or isinstance(value, bool):
        return True
    if not isinstance(value, int | str | Decimal | tuple):  # a box evaluates an expression
        return bool(texts)
    written = shown(value)
    return "".join(written.split()) in squeeze(texts)


def test_every_finding_has_a_mark_and_its_words(project: Project) -> None:
    kinds: Counter[str] = Counter()

    def claim(pair: tuple[Spec, Spec]) -> None:
        report = compare(project, *pair)
        if report is None:
            return
        for write in (FORMATS["svg"], SIDE_BY_SIDE):
            try:
                drawn = read_changes(write(report))
            except SpecError:  # its branches do not nest
                return
            for finding in report.findings:
                if finding.category not in ("COST", "COSMETIC"):
                    assert is_shown(finding, drawn) or is_told(finding, drawn), finding
                    kinds[type(finding.about).__name__] += 1

    QUICK(given(changed())(claim))()
    assert {"Removed", "Changed", "EndChanged"} <= kinds.keys()
