"""The difference of two counts of one model, by kind of layer; and of a claim and a count."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from inception_dsl.analysis.counting import ConventionCount, CountedKind, name_bias
from inception_dsl.ir import Claim, Model, Path, Quantity

PAPER = "paper"
"""The name that stands for the claims of a model's sources, in the place of a convention."""

NEAR = Fraction(1, 5)
"""The largest difference, as a part of a claim, of a count that may be what the claim counts.

MACs and FLOPs differ by a factor of two, and tools among themselves by less.
"""

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
        neither: the kinds, and the biases of kinds, that both leave out.
    """

    first: ConventionCount
    second: ConventionCount
    kinds: tuple[KindDifference, ...]
    neither: tuple[str, ...]


class ComparedClaim(NamedTuple):
    """A claim of a source on a network or one of its steps, and a count of the same.

    Attributes:
        at: the path of the step; None for the network.
        measure: the measure that is claimed, `macs` or `flops`.
        deviates: the reason that the spec notes; None if it notes none.
        counted_by: the convention of the count.
    """

    at: str | None
    measure: str
    claimed: Quantity
    source: str | None
    deviates: str | None
    counted: int
    counted_by: str

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
        count: the count that was asked for.
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

    @property
    def nearest(self) -> ConventionCount | None:
        """The count nearest to the last claim on the network; None if it has no claim."""
        return self.find_nearest(self.network[-1].claimed) if self.network else None

    def find_nearest(self, claimed: Quantity) -> ConventionCount | None:
        """Return the first count for which a claim holds; else the nearest one.

        None if none is near.
        """

        def distance(count: ConventionCount) -> int:
            return 0 if claimed.holds(count.total) else abs(count.total - claimed.amount)

        near = min(self.others, key=distance)
        return near if distance(near) <= NEAR * claimed.amount else None


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
        elif (bias := name_bias(kind)) in first.left_out and bias in second.left_out:
            neither.append(bias)
    return CountDifference(first, second, (*rows, *biases), tuple(neither))


def compare_claims(
    model: Model, count: ConventionCount, others: tuple[ConventionCount, ...]
) -> ClaimedDifference:
    """Compare the claims of a model's sources on MACs and FLOPs with a count.

    The number of a tool is compared with every claim, whatever its unit: a source may have counted
    as the tool does. In the place of a quantity of this project, a claim is compared with the
    quantity that it names.

    Args:
        others: the counts by every convention, for the same network.
    """
    quantities = {other.convention.name: other for other in others}
    network: list[ComparedClaim] = []
    steps: list[ComparedClaim] = []
    left_out = 0
    for claim in model.claims:
        if claim.measure not in _COUNTED or not isinstance(claim.value, Quantity):
            continue
        if claim.inputs is not None or claim.with_heads:
            left_out += 1
            continue
        by = count if count.convention.is_of_tool else quantities[claim.measure]
        compared = ComparedClaim(
            claim.at,
            claim.measure,
            claim.value,
            claim.source,
            claim.deviates,
            _count_at(claim, by),
            by.convention.name,
        )
        (network if claim.at is None else steps).append(compared)
    return ClaimedDifference(count, tuple(network), tuple(steps), left_out, others)


def _count_at(claim: Claim, count: ConventionCount) -> int:
    """Return the count of the step that a claim is about, with all that the step holds."""
    if claim.at is None:
        return count.total
    return sum(n for path, n in count.by_path.items() if Path(path).is_within(claim.at))
