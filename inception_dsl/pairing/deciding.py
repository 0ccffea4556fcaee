"""The decisions from the roots of two trees down: which rows, items, branches and nodes pair.

A node is sure only if every decision above it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from inception_dsl.pairing.answers import AlikeRun, Ledger, Verdict, choose_worse
from inception_dsl.pairing.costs import MAX_BRANCHES, Costs
from inception_dsl.pairing.flat import Key
from inception_dsl.pairing.judging import judge_rows, need
from inception_dsl.pairing.meshes import doubt_places
from inception_dsl.pairing.series import Jump
from inception_dsl.pairing.steps import Judged, is_alike
from inception_dsl.pairing.tree import Item, TreeFork, TreeLeaf, TreeMesh, TreeRow, walk_nodes

_OF_EQUAL, _OF_ALL, _OF_OTHER_COUNT = 0.25, 0.6, 1.2
"""The share of the usual margin that a pair of branches needs: of equal and unique ones, of others,
and where a branch is gone or new."""


class Decider:
    """The decisions about two trees, written into a ledger.

    Attributes:
        costings: the costs under which a decision must hold; the first one gives the pairs.
    """

    def __init__(self, costings: Sequence[Costs], ledger: Ledger) -> None:
        self._costings = costings
        self._ledger = ledger

    def pair_rows(self, old: TreeRow, new: TreeRow, verdict: Verdict = "sure") -> None:
        """Decide the pairs of two rows that are paired with a verdict."""
        if old.content == new.content:
            for one, other in zip(old.items, new.items, strict=True):
                self._pair_items(one, other, verdict)
            return
        if not old.items or not new.items:
            self._ledger.leave_old(old, verdict)
            self._ledger.leave_new(new, verdict)
            return
        judged = judge_rows(old.items, new.items, self._costings)
        if judged is None:
            self._ledger.leave_old(old, "ambiguous")
            self._ledger.leave_new(new, "ambiguous")
            return
        for entry in judged:
            self._apply(entry, old.items, new.items, choose_worse(verdict, entry.verdict))
        if verdict != "run":
            self._tell_runs(judged, old.items, new.items)

    def pair_beside(
        self, olds: Sequence[TreeRow], news: Sequence[TreeRow], verdict: Verdict
    ) -> None:
        """Decide the pairs of rows that stand beside each other, in order, without a join."""
        costs = self._costings[0]
        self._pair_branches(costs.make_fork(olds), costs.make_fork(news), verdict)

    def _apply(
        self, entry: Judged, old: Sequence[Item], new: Sequence[Item], verdict: Verdict
    ) -> None:
        match entry.step:
            case Jump():
                self._pair_jump(entry.step, old, new, verdict)
            case (int(i), int(j)):
                rivals = _heads(new, entry.new_rivals), _heads(old, entry.old_rivals)
                self._pair_items(old[i], new[j], verdict, rivals)
            case (int(i), None):
                self._ledger.leave_old(old[i], verdict)
            case (None, int(j)):
                self._ledger.leave_new(new[j], verdict)

    def _pair_jump(
        self, jump: Jump, old: Sequence[Item], new: Sequence[Item], verdict: Verdict
    ) -> None:
        """Pair a fork's heaviest branch with the items that stand in the fork's place."""
        is_old = jump.opens_old
        fork = old[jump.one] if is_old else new[jump.one]
        assert isinstance(fork, TreeFork)
        kept = max(fork.branches, key=lambda row: row.weight)
        items = (new if is_old else old)[slice(*jump.many)]
        row = self._costings[0].make_row(items)
        leave = self._ledger.leave_old if is_old else self._ledger.leave_new
        for branch in fork.branches:
            if branch is not kept:
                leave(branch, verdict)
        if fork.join is not None:
            self._ledger.leave_node(fork.join, verdict, is_old=is_old)
        if is_old:
            self.pair_rows(kept, row, verdict)
        else:
            self.pair_rows(row, kept, verdict)

    def _tell_runs(
        self, judged: Sequence[Judged], old: Sequence[Item], new: Sequence[Item]
    ) -> None:
        """Record each row of alike items whose length changed."""
        for is_run, entries in groupby(judged, key=lambda entry: entry.verdict == "run"):
            if is_run:
                pairs = [entry.step for entry in entries if not isinstance(entry.step, Jump)]
                for olds, newer in self._split_runs(pairs, old, new):
                    if len(olds) != len(newer):
                        run = AlikeRun(tuple(map(_keys, olds)), tuple(map(_keys, newer)))
                        self._ledger.runs.append(run)

    def _split_runs(
        self,
        steps: Sequence[tuple[int | None, int | None]],
        old: Sequence[Item],
        new: Sequence[Item],
    ) -> list[tuple[list[Item], list[Item]]]:
        """Return steps in a row as lists of alike old and new items."""
        runs: list[tuple[list[Item], list[Item]]] = []
        for i, j in steps:
            one = old[i] if i is not None else None
            other = new[j] if j is not None else None
            item = one or other
            assert item is not None
            if not runs or not any(
                is_alike(item, held, self._costings[0]) for side in runs[-1] for held in side
            ):
                runs.append(([], []))
            if one is not None:
                runs[-1][0].append(one)
            if other is not None:
                runs[-1][1].append(other)
        return runs

    def _pair_items(
        self,
        old: Item,
        new: Item,
        verdict: Verdict,
        rivals: tuple[tuple[Key, ...], tuple[Key, ...]] = ((), ()),
    ) -> None:
        match old, new:
            case TreeLeaf(), TreeLeaf():
                self._ledger.pair(old.node, new.node, verdict, rivals)
            case TreeMesh(), TreeMesh():
                self._pair_meshes(old, new, verdict)
            case TreeFork(), TreeFork():
                if old.join is not None and new.join is not None:
                    self._ledger.pair(old.join, new.join, verdict, rivals)
                else:
                    for join, is_old in ((old.join, True), (new.join, False)):
                        if join is not None:  # it may have become another fork's join
                            self._ledger.leave_node(join, "ambiguous", is_old=is_old)
                self._pair_branches(old, new, verdict)
            case _:
                raise AssertionError

    def _pair_meshes(self, old: TreeMesh, new: TreeMesh, verdict: Verdict) -> None:
        """Decide a mesh as if it were a row, and doubt every pair whose place differs."""
        if old.content == new.content:
            for one, other in zip(old.leaves, new.leaves, strict=True):
                self._ledger.pair(one.node, other.node, verdict)
            return
        judged = judge_rows(old.leaves, new.leaves, self._costings)
        if judged is None:
            self._ledger.leave_old(old, "ambiguous")
            self._ledger.leave_new(new, "ambiguous")
            return
        for entry in doubt_places(judged, old, new):
            self._apply(entry, old.leaves, new.leaves, choose_worse(verdict, entry.verdict))

    def _pair_branches(self, old: TreeFork, new: TreeFork, verdict: Verdict) -> None:
        if old.content == new.content:
            self._pair_equal_branches(old, new, verdict)
            return
        first = self._costings[0]
        chosen = first.pair_branches(old, new).chosen
        verdicts = [self._judge_branches(old, new, a, b) for a, b in chosen]
        is_doubtful = "ambiguous" in verdicts
        for (a, b), own in zip(chosen, verdicts, strict=True):
            one = old.branches[a] if a is not None else None
            other = new.branches[b] if b is not None else None
            if one is not None and other is not None:
                self.pair_rows(one, other, choose_worse(verdict, own))
                continue
            told = choose_worse(verdict, "ambiguous" if is_doubtful else own)
            self._ledger.leave_old(one, told)
            self._ledger.leave_new(other, told)

    def _judge_branches(
        self, old: TreeFork, new: TreeFork, a: int | None, b: int | None
    ) -> Verdict:
        one = old.branches[a] if a is not None else None
        other = new.branches[b] if b is not None else None
        if one and other and one.items and old.commutes and new.commutes:
            counts = [Counter(row.content for row in fork.branches) for fork in (old, new)]
            if all(max(count[row.content] for count in counts) > 1 for row in (one, other)):
                return "twin"
        if one and other and one.taps != other.taps:
            return "ambiguous"
        return "sure" if self._is_decided(old, new, a, b) else "ambiguous"

    def _pair_equal_branches(self, old: TreeFork, new: TreeFork, verdict: Verdict) -> None:
        """Pair the branches of two equal forks in order; equal branches of a sum are twins."""
        olds, news = list(old.branches), list(new.branches)
        if old.commutes:
            olds.sort(key=lambda row: row.content)
            news.sort(key=lambda row: row.content)
        counts = Counter(row.content for row in olds)
        for one, other in zip(olds, news, strict=True):
            is_twin = old.commutes and counts[one.content] > 1 and one.items
            self.pair_rows(one, other, choose_worse(verdict, "twin") if is_twin else verdict)

    def _is_decided(self, old: TreeFork, new: TreeFork, a: int | None, b: int | None) -> bool:
        """Tell whether every choice of branches without a pair is clearly dearer."""
        if max(len(old.branches), len(new.branches)) > MAX_BRANCHES:
            return False
        one = old.branches[a] if a is not None else None
        other = new.branches[b] if b is not None else None
        weight = max(one.weight if one else 0.0, other.weight if other else 0.0)
        part = _OF_ALL if len(old.branches) == len(new.branches) else _OF_OTHER_COUNT
        if one and other and one.content == other.content:
            held = [sum(row.content == one.content for row in fork.branches) for fork in (old, new)]
            if held == [1, 1]:
                part = _OF_EQUAL if part == _OF_ALL else _OF_ALL
        elif part == _OF_OTHER_COUNT and _are_kept(old, new):
            part = _OF_ALL
        for costs in self._costings:
            if not costs.has_work:
                return False
            best = costs.pair_branches(old, new)
            if costs.pair_branches(old, new, (a, b)).cost - best.cost < need(weight, part):
                return False
        return True


def _are_kept(old: TreeFork, new: TreeFork) -> bool:
    """Tell whether one of two forks has the branches of the other one, and more; all differ."""
    held = [{row.content for row in fork.branches} for fork in (old, new)]
    is_unique = all(
        len(contents) == len(fork.branches) for contents, fork in zip(held, (old, new), strict=True)
    )
    return is_unique and (held[0] < held[1] or held[1] < held[0])


def _keys(item: Item) -> tuple[Key, ...]:
    return tuple(node.key for node in walk_nodes(item))


def _heads(items: Sequence[Item], indices: Sequence[int]) -> tuple[Key, ...]:
    """Return the keys of the last nodes of some items."""
    return tuple(_keys(items[index])[-1] for index in indices)
