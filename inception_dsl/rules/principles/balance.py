"""Principle 4: width and depth in balance (P802)."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import build_stage_lookup
from inception_dsl.analysis.balance import GridStage, Imbalance, find_imbalances, measure_stages
from inception_dsl.analysis.dense import find_lines
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.ops import OPS
from inception_dsl.rules.principles.words import make_finding, say_kernel
from inception_dsl.rules.subject import Subject

OUT_OF_BALANCE = 5
"""The factor between the proportions of neighbouring stages from which on a stage is reported.

Among the networks of the library only the middle of Xception lies beyond it; the next is the stem
of Inception-v3 with 4.1.
"""


def imbalance(subject: Subject) -> Iterator[Diagnostic]:
    """Find the stages that are far deeper for their width than both neighbours, or wider."""
    run = subject.quantities.inference
    stage_of, lines = build_stage_lookup(subject.model), find_lines(subject.model)
    for found in find_imbalances(measure_stages(run.nodes), OUT_OF_BALANCE):
        stage = found.stage
        places = [
            (lines.get(stage_of(side.nodes[0].path)), f"{word}: {_tell(side)}")
            for side, word in (
                (stage, "this stage"),
                (found.before, "before it"),
                (found.behind, "behind it"),
            )
        ]
        width = "a width is that of as many 1x1 convolutions that need as many MACs"
        notes = [_propose(found), width, *_excuse(found)]
        yield from make_finding("P802", _say(found), places, notes)


def _say(found: Imbalance) -> str:
    times, word = found.times, "wider for its depth"
    if times < 1:
        times, word = 1 / times, "deeper for its width"
    return (
        f"the stage of {say_kernel(found.stage.grid)} maps is {times:.1f} times {word} "
        "than both stages beside it"
    )


def _excuse(found: Imbalance) -> Iterator[str]:
    """Yield a note on the shortcuts of a deep stage, which speak against the advice."""
    sums = sum(1 for node in found.stage.nodes if OPS[node.op].figure == "sum")
    if sums and found.times < 1:
        count = f"{sums:,} shortcut skips" if sums == 1 else f"{sums:,} shortcuts skip"
        yield f"{count} layers of it, which makes depth cheap to train: this advice is weak here"


def _tell(stage: GridStage) -> str:
    return f"{stage.depth:,} deep, {stage.width:,.0f} wide, {stage.macs:,} MACs"


def _propose(found: Imbalance) -> str:
    layers = "1 layer" if found.depth == 1 else f"{found.depth:,} layers"
    return f"for as many MACs, {layers} of width {found.width:,} are in proportion with both"
