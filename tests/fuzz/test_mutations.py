"""One wrong word in a shipped spec: what is said stands there, and what is advised mends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from judge_mutations import Tally, copy_specs, findings, is_covered, judge
from mutations import SPECS, mutations

from inception_dsl.diagnostics import Label
from inception_dsl.source import Span

PER_SPEC = 2


def test_mutated_specs_are_told_at_their_places_with_helps_that_mend(tmp_path: Path) -> None:
    """Never another exception, never more than a second; findings render, models build.

    A label covers the place of 95 in 100 mutations that more is said of than a total that comes
    out otherwise. One test judges them all, so that no two processes do.
    """
    total = Tally()
    copy_specs(tmp_path)
    for spec in SPECS:
        tally = judge(spec, PER_SPEC, tmp_path)
        assert tally.total == PER_SPEC
        assert not tally.faults, "\n".join(tally.faults)
        total += tally
    print(total)
    assert total.found > PER_SPEC
    assert total.rate >= 0.95, f"{total}\n" + "\n".join(total.misses)
    assert total.helped > PER_SPEC // 2
    assert not total.unmended, "\n".join(total.unmended)


def test_mutations_are_of_every_kind_and_the_same_every_time() -> None:
    made = [mutation for spec in SPECS for mutation in mutations(spec, 200)]
    assert made == [mutation for spec in SPECS for mutation in mutations(spec, 200)]
    assert {mutation.kind for mutation in made} == {
        "word",
        "cell",
        "default",
        "name",
        "reference",
        "dropped step",
        "swapped branches",
    }


def test_a_finding_elsewhere_is_a_miss(tmp_path: Path) -> None:
    """The evidence above is worth something: labels moved away fail it."""
    copy_specs(tmp_path)
    mutation = next(
        mutation
        for mutation in mutations("vgg16", 500)
        if mutation.was == "conv" and mutation.what == "misspelt"
    )
    (tmp_path / "specs" / "vgg16.yaml").write_text(mutation.text)
    found = findings("vgg16", tmp_path)
    assert is_covered(mutation, found)
    moved = tuple(
        replace(own, labels=tuple(Label(Span(one.span.source, 0, 1)) for one in own.labels))
        for own in found
    )
    assert not is_covered(mutation, moved)
