"""The pairs of training heads, once the network itself is paired.

Heads that read one place of both networks are a pair. What a head holds says nothing about the
network, and what stands behind its place says nothing about the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inception_dsl.pairing.answers import Ledger, Verdict, choose_worse
from inception_dsl.pairing.costs import Costs
from inception_dsl.pairing.deciding import Decider
from inception_dsl.pairing.flat import Key
from inception_dsl.pairing.parts import HeadPart

MOVED = 3.0
"""The cost of a head that reads another place."""


class HeadPairer:
    """The pairing of the heads of two graphs.

    Args:
        inputs: the new input of each old one.
    """

    def __init__(
        self,
        costings: Sequence[Costs],
        decider: Decider,
        ledger: Ledger,
        inputs: Mapping[Key, Key],
    ) -> None:
        self._costings = costings
        self._decider = decider
        self._ledger = ledger
        self._inputs = inputs

    def pair(self, old: Sequence[HeadPart], new: Sequence[HeadPart]) -> None:
        """Decide the pairs of heads by their places, then those of heads that moved."""
        olds, news = list(old), list(new)
        while groups := self._group(olds, news):
            for here, there in groups.values():
                verdict = self._judge_place(here[0].place)
                is_single = len(here) == len(there) == 1
                if is_single and not self._is_near(here[0], there[0], olds, news):
                    verdict = choose_worse(verdict, "ambiguous")
                self._pair_all(here, there, verdict)
            olds = [head for head in olds if self._find_place(head) not in groups]
            news = [head for head in news if head.place not in groups]
        contents = [[head.row.content for head in heads] for heads in (olds, news)]
        is_told = all(len(set(held)) == len(held) for held in contents)
        self._pair_all(olds, news, "sure" if is_told else "ambiguous", are_placed=False)

    def _group(
        self, olds: Sequence[HeadPart], news: Sequence[HeadPart]
    ) -> dict[tuple[Key, ...], tuple[list[HeadPart], list[HeadPart]]]:
        """Return the heads of both graphs at each place that both have, by the new place."""
        groups: dict[tuple[Key, ...], tuple[list[HeadPart], list[HeadPart]]] = {}
        for head in olds:
            place = self._find_place(head)
            if place is not None:
                groups.setdefault(place, ([], []))[0].append(head)
        for head in news:
            if head.place in groups:
                groups[head.place][1].append(head)
        return {place: sides for place, sides in groups.items() if sides[1]}

    def _find_place(self, head: HeadPart) -> tuple[Key, ...] | None:
        """Return the new place of an old head; None if there is none."""
        place = []
        for key in head.place:
            answer = self._ledger.old.get(key)
            partner = self._inputs.get(key) if answer is None else answer.key
            if partner is None:
                return None
            place.append(partner)
        return tuple(place)

    def _judge_place(self, place: tuple[Key, ...]) -> Verdict:
        """Return the least certain verdict on the old nodes of a place."""
        verdict: Verdict = "sure"
        for key in place:
            answer = self._ledger.old.get(key)
            verdict = verdict if answer is None else choose_worse(verdict, answer.verdict)
        return verdict

    def _is_near(
        self, old: HeadPart, new: HeadPart, olds: Sequence[HeadPart], news: Sequence[HeadPart]
    ) -> bool:
        """Tell whether no head at another place is much more like one of two heads at one."""
        for costs in self._costings:
            cost = costs.price_rows(old.row, new.row) - MOVED
            others = [costs.price_rows(old.row, head.row) for head in news if head is not new]
            others += [costs.price_rows(head.row, new.row) for head in olds if head is not old]
            if not costs.has_work or any(other < cost for other in others):
                return False
        return True

    def _pair_all(
        self,
        olds: Sequence[HeadPart],
        news: Sequence[HeadPart],
        verdict: Verdict,
        *,
        are_placed: bool = True,
    ) -> None:
        rows, others = ([head.row for head in heads] for heads in (olds, news))
        if are_placed and len(rows) == len(others) == 1:
            self._decider.pair_rows(rows[0], others[0], verdict)
        else:
            self._decider.pair_beside(rows, others, verdict)
