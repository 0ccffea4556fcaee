"""Hostile specs are refused: within 200 MB and a second, by a finding, never by a crash.

Processes with limits of their own check the inputs, and emit those that are models after all. The
few inputs that may take more than a second have limits that grow on a machine slower than usual.
"""

from __future__ import annotations

from hostile_specs import KINDS, heavy, hostile
from run_hostile import hunt

INPUTS = 600


def test_hostile_inputs_are_models_or_are_refused() -> None:
    found = hunt(0, INPUTS)
    print(f"{found.total:,} inputs: {dict(found.counts)}, slowest {found.slowest:.2f} s")
    assert found.total == INPUTS
    firsts = {failure.partition(": ")[2]: failure for failure in reversed(found.failures)}
    listed = [f"{times} times: {firsts[what]}" for what, times in found.signatures().items()]
    assert not found.failures, "\n".join(listed)
    assert found.counts["model"] > INPUTS / 100, "some get past every check"


def test_inputs_as_large_as_a_file_may_be() -> None:
    giants = len(heavy())
    found = hunt(0, giants, processes=1, heavy=True)
    assert found.total == giants
    assert not found.failures, "\n".join(found.failures)


def test_inputs_are_of_every_kind_and_the_same_every_time() -> None:
    made = [hostile(number) for number in range(2000)]
    assert made == [hostile(number) for number in range(2000)]
    assert len({given.kind for given in made}) == len(KINDS)
