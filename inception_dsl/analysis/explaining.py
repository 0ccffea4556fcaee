"""The difference of two counts of one model, by kind of layer; and of a claim and a count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from inception_dsl.analysis.conventions import Convention
from inception_dsl.analysis.counting import ConventionCount, CountedKind
from inception_dsl.ir import Claim, Model, Quantity

PAPER = "paper"
"""The name that stands for the claims of a model's sources, in the place of a convention."""

_COUNTED = ("macs", "flops")
"""The measures of claims that conventions count."""


class KindDifference(NamedTuple):
    """The counts of the layers of one kind by two conventions.

    Attributes:
        of_biases: whether it is about the biases of these layers alone; else they are left out.
    """

    kind: str
    layers: int
    of_biases: bool
    first: int
    second: int

    @property
    def difference(self) -> int:
        """The second count less the first."""
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class CountDifference:
    """The difference of two counts of one model.

    Attributes:
        kinds: the counts of every kind that one of them counts, and of the biases.
        neither: the kinds that both leave out.
    """

    first: ConventionCount
    second: ConventionCount
    kinds: tuple[KindDifference, ...]
    neither: tuple[str, ...]


class ComparedClaim(NamedTuple):
    """A claim of a source on a network or one of its steps, and a count of the same.

    Attributes:
        at: the path of the step; None for the network.
        deviates: the reason that the spec notes; None if it notes none.
    """

    at: str | None
    claimed: Quantity
    source: str | None
    deviates: str | None
    counted: int

    @property
    def difference(self) -> int:
        """The count less the claim."""
        return self.counted - self.claimed.amount

    @property
    def holds(self) -> bool:
        """The count satisfies the claim, within its last digit."""
        return self.claimed.holds(self.counted)


@dataclass(frozen=True, slots=True)
class ClaimedDifference:
    """The claims of a model's sources on its cost, beside a count.

    Attributes:
        network: the claims on the whole network.
        steps: the claims on steps.
        left_out: the number of claims at other inputs or with training heads, which have other
            counts.
        others: the counts by every convention, for the same network.
    """

    count: ConventionCount
    network: tuple[ComparedClaim, ...]
    steps: tuple[ComparedClaim, ...]
    left_out: int
    others: tuple[ConventionCount, ...]


def find_difference(first: ConventionCount, second: ConventionCount) -> CountDifference:
    """Find the difference of two counts, kind by kind."""
    rows: list[KindDifference] = []
    biases: list[KindDifference] = []
    neither: list[str] = []
    firsts = {each.kind: each for each in first.kinds}
    seconds = {each.kind: each for each in second.kinds}
    for kind in {**firsts, **seconds}:  # a last softmax is in one of them alone, perhaps
        nothing = CountedKind(kind, 0, 0, 0)
        one, other = firsts.get(kind, nothing), seconds.get(kind, nothing)
        layers = max(one.layers, other.layers)
        if one.counted or other.counted:
            rows.append(KindDifference(kind, layers, False, one.counted, other.counted))
        elif not one.biases and not other.biases:
            neither.append(kind)
        if one.biases or other.biases:
            biases.append(KindDifference(kind, layers, True, one.biases, other.biases))
    return CountDifference(first, second, (*rows, *biases), tuple(neither))


def compare_claims(
    model: Model, count: ConventionCount, others: tuple[ConventionCount, ...]
) -> ClaimedDifference:
    """Compare the claims of a model's sources on MACs and FLOPs with a count.

    A convention without the unit of a claim is compared all the same: that is what misleads.
    """
    network: list[ComparedClaim] = []
    steps: list[ComparedClaim] = []
    left_out = 0
    for claim in model.claims:
        if claim.measure not in _COUNTED or not isinstance(claim.value, Quantity):
            continue
        if claim.inputs is not None or claim.with_heads:
            left_out += 1
            continue
        compared = ComparedClaim(
            claim.at, claim.value, claim.source, claim.deviates, _count_at(claim, count)
        )
        (network if claim.at is None else steps).append(compared)
    return ClaimedDifference(count, tuple(network), tuple(steps), left_out, others)


def _count_at(claim: Claim, count: ConventionCount) -> int:
    """Return the count of the step that a claim is of, with all that it holds."""
    if claim.at is None:
        return count.total
    below = f"{claim.at}."
    return sum(
        counted
        for path, counted in count.by_path.items()
        if path == claim.at or path.startswith(below)
    )


def operations_a_mac(convention: Convention) -> int:
    """Return how often a convention counts a multiply-accumulate of a convolution."""
    rule = convention.rule_of("convolution")
    return rule.get("macs", rule.get("macs_at_output", 2))
