"""The doubts about pairs in a mesh, which is aligned as if it were a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inception_dsl.pairing.answers import Verdict, choose_worse
from inception_dsl.pairing.series import Jump
from inception_dsl.pairing.steps import Judged, is_pair
from inception_dsl.pairing.tree import TreeMesh


def doubt_places(judged: Sequence[Judged], old: TreeMesh, new: TreeMesh) -> list[Judged]:
    """Return the verdicts on two meshes, undecided but for nodes whose places are equal.

    The places of two nodes are equal if all that leads to them is, or all that they lead to, and no
    other node of either mesh has such a place. If the one says so and the other denies it, as where
    inputs were swapped, nothing is decided.
    """
    sides = [
        (old.above, new.above, Counter(old.above.values()), Counter(new.above.values())),
        (old.below, new.below, Counter(old.below.values()), Counter(new.below.values())),
    ]
    result = []
    for entry in judged:
        verdict: Verdict = "ambiguous"
        if not isinstance(entry.step, Jump) and is_pair(entry.step):
            i, j = entry.step
            assert i is not None
            assert j is not None
            one, other = old.leaves[i].node.key, new.leaves[j].node.key
            says = {
                _compare(olds[one], news[other], old_counts, new_counts)
                for olds, news, old_counts, new_counts in sides
            }
            verdict = "sure" if True in says and False not in says else "ambiguous"
        told = choose_worse(entry.verdict, verdict)
        result.append(Judged(entry.step, told, entry.old_rivals, entry.new_rivals))
    return result


def _compare(one: int, other: int, olds: Counter[int], news: Counter[int]) -> bool | None:
    """Tell whether two places are one; None if they do not say.

    Args:
        olds: the number of old nodes in each place; `news`, of new ones.
    """
    if one == other:
        return True if olds[one] == news[one] == 1 else None
    return None if news[one] == olds[other] == 0 else False
