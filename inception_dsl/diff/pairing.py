"""The pairing of two lists of parts by their content; of equal parts, by their inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise

from inception_dsl.diff.align import RENAMED, Allowance, align
from inception_dsl.diff.parts import Kids, Part, find_unpaired, is_join, measure_likeness
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
        self._readers: tuple[dict[str, list[str]], dict[str, list[str]]] | None = None
        self.chosen = chosen
        self.allowance = allowance
        self._paired_new_names = set(chosen.values())

    def free(self) -> tuple[Kids, Kids]:
        """Return the parts that have no pair yet."""
        return find_unpaired(self._old, self._new, self.chosen)

    def choose(self, old_name: str, new_name: str) -> bool:
        """Pair two names; tell whether neither had a pair."""
        if not self._is_free(old_name, new_name):
            return False
        self.chosen[old_name] = new_name
        self._paired_new_names.add(new_name)
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
        for old_name, new_name in align(list(old.items()), list(new.items()), self.allowance, gap):
            if measure_likeness(old[old_name], new[new_name]) >= least:
                self.choose(old_name, new_name)

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
        scores = sorted(_score_pairs(old, new, least, in_place=in_place))
        for _, group in groupby(scores, key=lambda scored: scored[0]):
            candidates = [(old_name, new_name) for *_, old_name, new_name in group]
            if in_place:
                candidates = [pair for pair in candidates if self._is_place(*pair)]
            while candidates:
                agreeing = [self.choose(*pair) for pair in candidates if self._agree(*pair)]
                if not any(agreeing):
                    if in_place:
                        break
                    self.choose(*candidates[0])
                candidates = [pair for pair in candidates if self._is_free(*pair)]

    def _is_place(self, old_name: str, new_name: str) -> bool:
        """Tell whether both are lists or blocks, or the one step between two that are paired."""
        if not (self._old[old_name].is_node or self._new[new_name].is_node):
            return True
        if self._readers is None:
            old_reads, new_reads = self._sources()
            self._readers = _find_readers(old_reads), _find_readers(new_reads)
        old_readers, new_readers = self._readers
        match old_readers.get(old_name, []), new_readers.get(new_name, []):
            case [old_reader], [new_reader]:
                return self.chosen.get(old_reader) == new_reader and not is_join(
                    self._old[old_reader].item
                )
            case _:
                return False

    def _is_free(self, old_name: str, new_name: str) -> bool:
        return old_name not in self.chosen and new_name not in self._paired_new_names

    def _agree(self, old_name: str, new_name: str) -> bool:
        """Tell whether both are free and read parts that are paired."""
        if not self._is_free(old_name, new_name):
            return False
        all_old_reads, all_new_reads = self._sources()
        old_reads, new_reads = all_old_reads.get(old_name), all_new_reads.get(new_name)
        if not old_reads or not new_reads:
            return False
        return {read if read == INPUT else self.chosen.get(read) for read in old_reads} == new_reads

    def _sources(self) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        if self._reads is None:
            self._reads = _find_reads(self._old), _find_reads(self._new)
        return self._reads

    def _pair_equal(self, old: Kids, new: Kids) -> None:
        """Pair parts of equal content, the first with the first."""
        new_names_by_content: dict[object, list[str]] = {}
        for new_name, part in reversed(new.items()):
            new_names_by_content.setdefault(frozenset(part.kinds.items()), []).append(new_name)
        for old_name, part in old.items():
            new_names = new_names_by_content.get(frozenset(part.kinds.items()))
            if new_names:
                self.choose(old_name, new_names.pop())


def _score_pairs(
    old: Kids, new: Kids, least: float, *, in_place: bool
) -> Iterator[tuple[float, bool, int, int, str, str]]:
    for old_index, (old_name, old_part) in enumerate(old.items()):
        for new_index, (new_name, new_part) in enumerate(new.items()):
            score = measure_likeness(old_part, new_part)
            if in_place:
                score = max(score, _step_by_step(old_part, new_part))
            if score >= least:
                is_renamed = _is_renamed(old_part, new_part)
                yield -score, is_renamed, old_index, new_index, old_name, new_name


def _step_by_step(old: Part, new: Part) -> float:
    """Return how much two lists of one length have in common, step by step."""
    if not old.kids or len(old.kids) != len(new.kids):
        return 0.0
    pairs = zip(old.kids.values(), new.kids.values(), strict=True)
    return sum(measure_likeness(*pair) for pair in pairs) / len(old.kids)


def _is_renamed(old: Part, new: Part) -> bool:
    """Tell whether an author gave a part another name."""
    return old.name != new.name or (old.is_numbered and new.is_numbered)


def _is_sequence(kids: Kids, reads: dict[str, frozenset[str]]) -> bool:
    """Tell whether at least three of four parts read the one before."""
    count = sum(before in reads.get(name, ()) for before, name in pairwise(kids))
    return 4 * count >= 3 * (len(kids) - 1)


def _find_reads(kids: Kids) -> dict[str, frozenset[str]]:
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


def _find_readers(reads: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Return the readers of each part by name."""
    readers: dict[str, list[str]] = {}
    for reader, names in reads.items():
        for name in names:
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
