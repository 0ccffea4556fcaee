"""Hostile specs are refused: within 200 MB and a second, by a finding, never by a crash.

Processes with limits of their own check the inputs, and emit those that are models after all.
"""

from __future__ import annotations

import pytest
from hostile_specs import KINDS, heavy, hostile
from run_hostile import hunt

INPUTS = 3_000
GIANTS = heavy()


def test_hostile_inputs_are_models_or_are_refused() -> None:
    found = hunt(0, INPUTS)
    print(f"{found.total:,} inputs: {dict(found.counts)}, slowest {found.slowest:.2f} s")
    assert found.total == INPUTS
    firsts = {failure.partition(": ")[2]: failure for failure in reversed(found.failures)}
    listed = [f"{times} times: {firsts[what]}" for what, times in found.signatures().items()]
    assert not found.failures, "\n".join(listed)
    assert found.counts["model"] > INPUTS / 100, "some get past every check"


@pytest.mark.parametrize("number", range(len(GIANTS)), ids=[giant.kind for giant in GIANTS])
def test_an_input_as_large_as_a_file_may_be(number: int) -> None:
    found = hunt(number, 1, heavy=True)
    assert found.total == 1
    assert not found.failures, found.failures


def test_inputs_are_of_every_kind_and_the_same_every_time() -> None:
    made = [hostile(number) for number in range(2000)]
    assert made == [hostile(number) for number in range(2000)]
    assert len({given.kind for given in made}) == len(KINDS)
