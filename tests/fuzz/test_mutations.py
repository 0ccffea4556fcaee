"""One wrong word in a shipped spec: what is said stands there, and what is advised mends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from judge_mutations import Tally, copy_specs, findings, is_covered, judge
from mutations import SPECS, mutations

from inception_dsl.diagnostics import Label
from inception_dsl.source import Span

PER_SPEC = 2


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tally]:
    found = {}
    for spec in SPECS:
        root = tmp_path_factory.mktemp("mutated")
        copy_specs(root)
        found[spec] = judge(spec, PER_SPEC, root)
    return found


def test_a_mutated_spec_is_a_model_or_is_refused_with_findings(tallies: dict[str, Tally]) -> None:
    """Never another exception, never more than a second; findings render, models build."""
    for tally in tallies.values():
        assert tally.total == PER_SPEC
        assert not tally.faults, "\n".join(tally.faults)


def test_a_label_covers_the_mutated_place(tallies: dict[str, Tally]) -> None:
    """In 95 of 100 mutations that more is said of than a total that comes out otherwise."""
    total = sum(tallies.values(), Tally())
    print(total)
    assert total.found > PER_SPEC
    assert total.rate >= 0.95, f"{total}\n" + "\n".join(total.misses)


def test_a_help_removes_its_finding(tallies: dict[str, Tally]) -> None:
    total = sum(tallies.values(), Tally())
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
