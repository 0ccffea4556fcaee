"""What steps read, compared: which differences follow from steps that came, went or moved.

A step that reads what stood behind a removed step reads another one, and nobody rewired it. What is
left when all of that is explained was moved, put in another order, or rewired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from inception_dsl.diff.view import View
from inception_dsl.ir import INPUT, Call

OUTPUT = "output"

MAX_TRIED = 12
"""Of so many steps that read others it is tried which of them moved."""


@dataclass(frozen=True, slots=True)
class Reads:
    """A pair of steps that read different things: `what` is `moved`, `order` or `wires`.

    `old` and `new` are the paths that they read; of the output of a call, what it gives.
    """

    path: str
    other: str
    what: str
    old: tuple[str, ...]
    new: tuple[str, ...]


def compare_wiring(old: View, new: View, pairs: Mapping[str, str]) -> list[Reads]:
    """What pairs of steps read that differs and does not follow from other edits, in order."""
    wiring = _Wiring(old, new, pairs)
    found = list(wiring.differences(frozenset()))
    moved: list[Reads] = []
    while len(candidates := _steps(found, old)) <= MAX_TRIED:
        best = found
        for reads in candidates:
            # To call a step moved is worth it if that explains what others read.
            left = wiring.differences(frozenset(own.path for own in [*moved, reads]))
            still = [own for own in left if own.path not in {m.path for m in [*moved, reads]}]
            if len(still) + 1 < len(best) and (best is found or len(still) < len(best)):
                best, chosen = still, reads
        if best is found:
            break
        found = best
        moved.append(replace(chosen, what="moved"))
    order = {path: index for index, path in enumerate(new.steps)}
    return sorted([*moved, *found], key=lambda reads: order.get(reads.other, len(order)))


def _steps(found: list[Reads], old: View) -> list[Reads]:
    """The differences of steps that read others: what a move may explain."""
    return [reads for reads in found if reads.what == "wires" and reads.path in old.steps]


class _Wiring:
    def __init__(self, old: View, new: View, pairs: Mapping[str, str]) -> None:
        self._old, self._new = old, new
        self._pairs = {a: b for a, b in pairs.items() if a in old.steps and b in new.steps}
        for a, b in list(self._pairs.items()):
            if isinstance(old.steps[a].item, Call) and isinstance(new.steps[b].item, Call):
                self._pairs[_join(a, INPUT)] = _join(b, INPUT)

    def differences(self, moved: frozenset[str]) -> Iterator[Reads]:
        """Pairs that read different things, `moved` ones taken out of the graph."""
        still = {a: b for a, b in self._pairs.items() if a not in moved}
        before = _Standing(self._old, frozenset(still), frozenset(self._pairs))
        after = _Standing(self._new, frozenset(still.values()), frozenset(self._pairs.values()))
        for path, other in self._pairs.items():
            step, its = self._old.steps.get(path), self._new.steps.get(other)
            if step is None or its is None:
                continue
            if path:
                olds = tuple(before.value(name) for name in step.inputs)
                news = tuple(after.value(name) for name in its.inputs)
                what = self._compare(olds, news, still, before, after)
                if what is not None:
                    yield Reads(path, other, what, olds, news)
            if isinstance(step.item, Call) and isinstance(its.item, Call):
                gives = before.value(_join(path, step.item.output))
                now = after.value(_join(other, its.item.output))
                if self._compare((gives,), (now,), still, before, after) is not None:
                    yield Reads(
                        _join(path, OUTPUT), _join(other, OUTPUT), "wires", (gives,), (now,)
                    )

    def _compare(
        self,
        olds: tuple[str, ...],
        news: tuple[str, ...],
        still: Mapping[str, str],
        before: _Standing,
        after: _Standing,
    ) -> str | None:
        if tuple(still.get(path) for path in olds) == news:
            return None
        stands_for: list[tuple[bool, frozenset[str]]] = []
        for path in olds:
            known = path in still
            behind = {path} if known else before.behind(path)
            stands_for.append((known, frozenset(still[p] for p in behind)))
        free = list(range(len(news)))
        taken: list[int] = []
        for known, meant in stands_for:
            fits = (index for index in free if meant & after.behind(news[index]))
            index = next(fits, None)
            if index is not None:
                free.remove(index)
                taken.append(index)
            elif known:
                return "wires"
        if any(news[index] in after.matched for index in free):
            return "wires"
        return None if taken == sorted(taken) else "order"


class _Standing:
    """What a step reads, whatever steps without a pair stand between."""

    def __init__(self, view: View, matched: frozenset[str], paired: frozenset[str]) -> None:
        self._view = view
        self.matched = matched
        self._paired = paired  # with those that moved, which are not looked through either
        self._behind: dict[str, frozenset[str]] = {}

    def value(self, path: str) -> str:
        """The step that makes a value: calls without a pair are looked through."""
        return self._view.value(path, self._paired)

    def behind(self, path: str) -> frozenset[str]:
        """The steps with a pair that a step without one reads, directly or not."""
        waiting = [path]
        while waiting:
            at = waiting[-1]
            if at in self._behind:
                waiting.pop()
                continue
            if at in self.matched or at == INPUT:
                reads: list[str] = []
                self._behind[at] = frozenset([at])
                continue
            reads = [self.value(name) for name in self._view.steps[at].inputs]
            open_ones = [name for name in reads if name not in self._behind]
            if open_ones:
                waiting += open_ones
                continue
            self._behind[at] = frozenset().union(*(self._behind[name] for name in reads))
        return self._behind[path]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
