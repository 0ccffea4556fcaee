"""The pairing of two lists of parts by their content; of equal parts, by their inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise

from inception_dsl.diff.align import RENAMED, Allowance, align
from inception_dsl.diff.parts import Kids, Part, free, is_join, likeness
from inception_dsl.ir import INPUT, Call, Node, Path

MAX_PAIRS = 25_000
"""Maximum number of pairs that are weighed; in longer lists only equal parts pair, in order."""


class Pairing:
    """The pairs of two lists of parts, as they are found.

    Attributes:
        chosen: the new name by the old one.
        allowance: the pairs that the comparison may still weigh.
    """

    def __init__(self, old: Kids, new: Kids, chosen: dict[str, str], allowance: Allowance) -> None:
        self._old, self._new = old, new
        self._reads: tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]] | None = None
        self._read_by: tuple[dict[str, list[str]], dict[str, list[str]]] | None = None
        self.chosen = chosen
        self.allowance = allowance
        self._taken = set(chosen.values())

    def free(self) -> tuple[Kids, Kids]:
        """Return the parts that have no pair yet."""
        return free(self._old, self._new, self.chosen)

    def choose(self, name: str, other: str) -> bool:
        """Pair two names; tell whether neither had a pair."""
        if name in self.chosen or other in self._taken:
            return False
        self.chosen[name] = other
        self._taken.add(other)
        return True

    def align(self, least: float) -> None:
        """Pair, in order, the steps of two lists in which each step reads the one before."""
        old, new = self.free()
        if len(old) * len(new) > MAX_PAIRS or not all(
            _is_sequence(kids, reads)
            for kids, reads in zip((old, new), self._sources(), strict=True)
        ):
            return
        gap = (1 - least + RENAMED) / 2  # two gaps cost as much as the worst of pairs
        for name, other in align(list(old.items()), list(new.items()), self.allowance, gap):
            if likeness(old[name], new[other]) >= least:
                self.choose(name, other)

    def pair_alike(self, least: float, *, in_place: bool = False) -> None:
        """Pair the likeliest parts first; of equals, those that read the same; then, the first.

        Args:
            least: the likeness that a pair must have.
            in_place: a pair must read the same, too; two steps must be read by the same.
        """
        old, new = self.free()
        count = len(old) * len(new)
        if count > MAX_PAIRS or not self.allowance.take(count):
            self._pair_equal(old, new)
            return
        scores = sorted(_scores(old, new, least, in_place=in_place))
        for _, group in groupby(scores, key=lambda scored: scored[0]):
            waiting = [(name, other) for *_, name, other in group]
            if in_place:
                waiting = [pair for pair in waiting if self._is_place(*pair)]
            while waiting:
                agreeing = [self.choose(*pair) for pair in waiting if self._agree(*pair)]
                if not any(agreeing):
                    if in_place:
                        break
                    self.choose(*waiting[0])
                waiting = [pair for pair in waiting if self._is_free(*pair)]

    def _is_place(self, name: str, other: str) -> bool:
        """Tell whether both are lists or blocks, or the one step between two that are paired."""
        if not (self._old[name].is_node or self._new[other].is_node):
            return True
        if self._read_by is None:
            old, new = self._sources()
            self._read_by = _readers(old), _readers(new)
        olds, news = self._read_by
        match olds.get(name, []), news.get(other, []):
            case [old_reader], [new_reader]:
                return self.chosen.get(old_reader) == new_reader and not is_join(
                    self._old[old_reader].item
                )
            case _:
                return False

    def _is_free(self, name: str, other: str) -> bool:
        return name not in self.chosen and other not in self._taken

    def _agree(self, name: str, other: str) -> bool:
        """Tell whether both are free and read parts that are paired."""
        if not self._is_free(name, other):
            return False
        reads = self._sources()
        old_reads, new_reads = reads[0].get(name), reads[1].get(other)
        if not old_reads or not new_reads:
            return False
        return {read if read == INPUT else self.chosen.get(read) for read in old_reads} == new_reads

    def _sources(self) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        if self._reads is None:
            self._reads = _reads(self._old), _reads(self._new)
        return self._reads

    def _pair_equal(self, old: Kids, new: Kids) -> None:
        """Pair parts of equal content, the first with the first."""
        waiting: dict[object, list[str]] = {}
        for name, part in reversed(new.items()):
            waiting.setdefault(frozenset(part.kinds.items()), []).append(name)
        for name, part in old.items():
            same = waiting.get(frozenset(part.kinds.items()))
            if same:
                self.choose(name, same.pop())


def _scores(
    old: Kids, new: Kids, least: float, *, in_place: bool
) -> Iterator[tuple[float, bool, int, int, str, str]]:
    for i, (old_name, old_part) in enumerate(old.items()):
        for j, (new_name, new_part) in enumerate(new.items()):
            score = likeness(old_part, new_part)
            if in_place:
                score = max(score, _step_by_step(old_part, new_part))
            if score >= least:
                yield -score, _is_renamed(old_part, new_part), i, j, old_name, new_name


def _step_by_step(one: Part, other: Part) -> float:
    """Return how much two lists of one length have in common, step by step."""
    if not one.kids or len(one.kids) != len(other.kids):
        return 0.0
    pairs = zip(one.kids.values(), other.kids.values(), strict=True)
    return sum(likeness(*pair) for pair in pairs) / len(one.kids)


def _is_renamed(old: Part, new: Part) -> bool:
    """Tell whether an author gave a part another name."""
    return old.name != new.name or (old.is_numbered and new.is_numbered)


def _is_sequence(kids: Kids, reads: dict[str, frozenset[str]]) -> bool:
    """Tell whether at least three of four parts read the one before."""
    count = sum(before in reads.get(name, ()) for before, name in pairwise(kids))
    return 4 * count >= 3 * (len(kids) - 1)


def _reads(kids: Kids) -> dict[str, frozenset[str]]:
    """Return the inputs of the first step of each part, by name; `input` stands for the outside.

    A name may be a path, where the part stood in another that was opened; paths of items are from
    their block's start.
    """
    reads: dict[str, frozenset[str]] = {}
    for name, part in kids.items():
        path, item = _first(name, part)
        if item is None:
            continue
        above = path.removesuffix(item.path) if path.endswith(item.path) else ""
        within = item.path.removesuffix(path) if item.path.endswith(path) else ""
        inputs = item.inputs
        reads[name] = frozenset(
            _holder(kids, above + path_read.removeprefix(within))
            if path_read.startswith(within)
            else INPUT
            for path_read in inputs
        )
    return reads


def _readers(reads: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Return the readers of each part by name."""
    readers: dict[str, list[str]] = {}
    for reader, read in reads.items():
        for name in read:
            readers.setdefault(name, []).append(reader)
    return readers


def _first(name: str, part: Part) -> tuple[str, Node | Call | None]:
    while part.item is None and part.kids:
        below, part = next(iter(part.kids.items()))
        name = f"{name}.{below}"
    return name, part.item


def _holder(kids: Kids, path: str) -> str:
    """Return the name of the part that holds a path."""
    holders = (Path(path), *Path(path).parents)
    return next((holder for holder in holders if holder in kids), INPUT)
