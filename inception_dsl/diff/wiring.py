"""The inputs of steps, compared: the differences that no added, removed or moved step explains.

If a step is removed, its reader reads the step before it, without an edit of its own. The
differences that remain are moves, other orders and rewirings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.diff.effects import is_felt_in_training_only
from inception_dsl.diff.ports import pair_entries, pair_names
from inception_dsl.diff.view import RunStep, View
from inception_dsl.ir import Call, Path

OUTPUT = "output"
"""The path, below a call, of the value that the call gives."""

MAX_TRIED = 12
"""Maximum number of rewired steps among which moved ones are looked for."""

ReadsKind = Literal["moved", "order", "wires"]
"""Another place in the graph, the same steps in another order, or other steps."""


@dataclass(frozen=True, slots=True)
class Reads:
    """A pair of steps that read different things.

    Attributes:
        old_path, new_path: the pair; of a call, `output` below it, or the name of one below that.
        kind: the kind of difference.
        old, new: the paths that they read; of `output`, the step whose value the call gives.
        outputs: the old and the new name of the output; None where inputs differ.
    """

    old_path: Path
    new_path: Path
    kind: ReadsKind
    old: tuple[Path, ...]
    new: tuple[Path, ...]
    outputs: tuple[str, str] | None = None


def compare_wiring(old: View, new: View, pairs: Mapping[Path, Path]) -> list[Reads]:
    """Return the pairs of steps that read different things for no other edit, in order."""
    wiring = _Wiring(old, new, pairs)
    differences = list(wiring.find_differences(frozenset()))
    moved: list[Reads] = []
    while len(candidates := _rewired_steps(differences, old)) <= MAX_TRIED:
        best = differences
        for reads in candidates:
            # A move is reported only if it explains the changed inputs of other steps.
            tried = frozenset(read.old_path for read in [*moved, reads])
            left = wiring.find_differences(tried)
            still = [read for read in left if read.old_path not in tried]
            if len(still) + 1 < len(best) and (best is differences or len(still) < len(best)):
                best, chosen = still, reads
        if best is differences:
            break
        differences = best
        moved.append(replace(chosen, kind="moved"))
    order = {path: index for index, path in enumerate(new.steps)}
    return sorted([*moved, *differences], key=lambda reads: order.get(reads.new_path, len(order)))


def _rewired_steps(differences: list[Reads], old: View) -> list[Reads]:
    """Return the differences of steps that read other steps, which a move may explain.

    Where one of two steps moved past the other, a dropout is the one that did: of both
    explanations, it is the milder one.
    """
    rewired = [
        reads for reads in differences if reads.kind == "wires" and reads.old_path in old.steps
    ]
    return sorted(rewired, key=lambda reads: not _is_unfelt(old, reads.old_path))


def _is_unfelt(view: View, path: Path) -> bool:
    """Tell whether a step changes no value in inference."""
    return all(is_felt_in_training_only(node) for node in view.nodes_within(path))


class _Wiring:
    """The pairs of steps of two models, with their inputs.

    If a step is removed, its reader reads the step before it, without an edit of its own.
    """

    def __init__(self, old: View, new: View, pairs: Mapping[Path, Path]) -> None:
        self._old, self._new = old, new
        self._pairs = {a: b for a, b in pairs.items() if a in old.steps and b in new.steps}
        self._owners: dict[Path, Path] = {}
        for a, b in list(self._pairs.items()):
            old_item, new_item = old.steps[a].item, new.steps[b].item
            if not isinstance(old_item, Call) or not isinstance(new_item, Call):
                continue
            for before, after in pair_entries(old_item.entries, new_item.entries).items():
                self._pairs[a / before] = b / after
            if len(old_item.outputs) > 1 and len(new_item.outputs) > 1 and a:
                for name, other in pair_names(old_item.outputs, new_item.outputs).items():
                    if a / name not in self._pairs:  # it may be a step, too
                        self._pairs[a / name] = b / other
                        self._owners[a / name] = a

    def find_differences(self, moved: frozenset[Path]) -> Iterator[Reads]:
        """Yield the pairs that read different things once `moved` are taken out of the graph."""
        owners = self._owners
        still = {a: b for a, b in self._pairs.items() if owners.get(a, a) not in moved}
        before = _Standing(self._old, frozenset(still), frozenset(self._pairs))
        after = _Standing(self._new, frozenset(still.values()), frozenset(self._pairs.values()))
        comparer = _Comparer(still, before, after)
        for old_path, new_path in self._pairs.items():
            old_step, new_step = self._old.steps.get(old_path), self._new.steps.get(new_path)
            if old_step is None or new_step is None:
                continue
            if old_path:
                olds = tuple(before.find_maker(name) for name in old_step.inputs)
                news = tuple(after.find_maker(name) for name in _align(old_step, new_step))
                kind = comparer.compare(olds, news)
                if kind == "order" and isinstance(new_step.item, Call):
                    kind = "wires"  # its inputs are told apart by their names
                if kind is not None:
                    yield Reads(old_path, new_path, kind, olds, news)
            if isinstance(old_step.item, Call) and isinstance(new_step.item, Call):
                pairs = pair_names(old_step.item.outputs, new_step.item.outputs)
                for names in pairs.items():
                    gave = before.find_maker(old_path / old_step.item.outputs[names[0]])
                    gives = after.find_maker(new_path / new_step.item.outputs[names[1]])
                    if comparer.compare((gave,), (gives,)) is not None:
                        ends = old_path / OUTPUT / names[0], new_path / OUTPUT / names[1]
                        yield Reads(*ends, "wires", (gave,), (gives,), names)


def _align(old: RunStep, new: RunStep) -> tuple[Path, ...]:
    """Return the inputs of a new step; those of a call, in the order of the old block's inputs."""
    if not isinstance(old.item, Call) or not isinstance(new.item, Call) or len(new.inputs) == 1:
        return new.inputs
    pairs = pair_entries(old.item.entries, new.item.entries)
    if len(pairs) < max(len(old.inputs), len(new.inputs)):
        return new.inputs
    reads = dict(zip(new.item.entries, new.inputs, strict=True))
    return tuple(reads[pairs[entry]] for entry in old.item.entries)


@dataclass(frozen=True, slots=True)
class _Comparer:
    """A comparison of the inputs of two steps, given the pairs that stay in the graph."""

    still: Mapping[Path, Path]
    before: _Standing
    after: _Standing

    def compare(self, olds: tuple[Path, ...], news: tuple[Path, ...]) -> ReadsKind | None:
        """Return the kind of difference of two steps' inputs; None without one of its own."""
        if tuple(self.still.get(path) for path in olds) == news:
            return None
        free = list(range(len(news)))
        taken: list[int] = []
        for path in olds:
            is_known = path in self.still
            behind = {path} if is_known else self.before.find_behind(path)
            meant = {self.still[known] for known in behind if known in self.still}
            fits = (index for index in free if meant & self.after.find_behind(news[index]))
            index = next(fits, None)
            if index is not None:
                free.remove(index)
                taken.append(index)
            elif is_known:
                return "wires"
        if any(news[index] in self.after.matched for index in free):
            return "wires"
        return None if taken == sorted(taken) else "order"


class _Standing:
    """The steps of one side that have a pair, and the paired steps behind those without one."""

    def __init__(self, view: View, matched: frozenset[Path], paired: frozenset[Path]) -> None:
        self._view = view
        self.matched = matched
        self._paired = paired  # moved steps included
        self._behind: dict[Path, frozenset[Path]] = {}

    def find_maker(self, path: Path) -> Path:
        """Return the step that makes a value; look through calls without a pair."""
        return self._view.find_maker(path, self._paired)

    def find_behind(self, path: Path) -> frozenset[Path]:
        """Return the steps with a pair, and the inputs, that a step without one reads at last."""
        waiting = [path]
        while waiting:
            at = waiting[-1]
            if at in self._behind:
                waiting.pop()
                continue
            if at in self.matched or at in self._view.graph.inputs:
                self._behind[at] = frozenset([at])
                continue
            reads = [self.find_maker(name) for name in self._view.steps[at].inputs]
            unknown = [name for name in reads if name not in self._behind]
            if unknown:
                waiting += unknown
                continue
            self._behind[at] = frozenset().union(*(self._behind[name] for name in reads))
        return self._behind[path]
