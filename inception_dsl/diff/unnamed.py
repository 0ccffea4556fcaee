"""The comparison of two models whose names say nothing: steps are paired by the graphs alone.

Blocks are opened on both sides. A node of the new model goes by the path of its partner, so that an
edit names the steps of the old model only, and no edit is about a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from inception_dsl.diff.carried import carry_along, find_opened, separate_acts
from inception_dsl.diff.compare import compare_matched
from inception_dsl.diff.edit_facts import StepWords
from inception_dsl.diff.edits import (
    Changed,
    Diff,
    Edit,
    HeadListed,
    LossChanged,
    ParameterListed,
    PortsChanged,
    Reordered,
    SharingChanged,
)
from inception_dsl.diff.elementary import Sides as ElementarySides
from inception_dsl.diff.elementary import (
    find_moved_acts,
    is_op,
    make_elementary,
    pair_steps,
)
from inception_dsl.diff.structure import match_nodes
from inception_dsl.ir import Graph, Model, Path
from inception_dsl.ir.flat import flatten_model
from inception_dsl.ops import OPS
from inception_dsl.pairing import GraphPairing, pair_graphs

DIGITS = Decimal("1e-6")
"""Maximum difference of two numbers that are one, as a share: code computes in single precision."""


@dataclass(frozen=True, slots=True)
class UnnamedDiff:
    """The edits between two models whose names say nothing.

    Attributes:
        old, new: the models without blocks; the new one has the paths of the old one.
        diff: the edits between them; none is about names, keys or parameters.
        sources: the path that a node of the new model had, by its path here.
        norms: the path that the norm of such a node had, if it was a node of its own.
        undecided: the nodes of the old model whose partner is not certain, and those of the new one
            without any that may have one.
    """

    old: Model
    new: Model
    diff: Diff
    sources: Mapping[Path, Path]
    norms: Mapping[Path, Path]
    undecided: tuple[Path, ...]


def compare_unnamed(old: Model, new: Model, *, are_code: bool = False) -> UnnamedDiff:
    """Return every edit that makes one model of the other, whatever their steps are called.

    Args:
        are_code: as for `compare_matched`.
    """
    opened = find_opened(old.graph, new.graph)
    before, after = (carry_along(model.graph, opened) for model in (old, new))
    sides = _take_apart(before.graph, after.graph, are_code=are_code)
    pairing = pair_graphs(sides[0].flat, sides[1].flat)
    moved = find_moved_acts(sides, pairing.likely)
    if any(moved):
        before, after = map(separate_acts, (before, after), moved)
        sides = _take_apart(before.graph, after.graph, are_code=are_code)
        pairing = pair_graphs(sides[0].flat, sides[1].flat)
    likely = {key: partner.key for key, partner in pairing.new.items()}
    steps = pair_steps(before.graph, after.graph, sides, likely)
    partners = {path: partner for partner, path in steps}
    names = _name_nodes(before.graph, after.graph, partners)
    flat_old = flatten_model(old, before.graph, {})
    flat_new = flatten_model(new, after.graph, names)
    matching = match_nodes(flat_old, flat_new, {path: path for path in partners.values()})
    diff = compare_matched(flat_old, flat_new, matching, is_grouped=False, are_code=are_code)
    return UnnamedDiff(
        old=flat_old,
        new=flat_new,
        diff=replace(
            diff,
            edits=tuple(_select(diff.edits, flat_old.graph, flat_new.graph)),
            keys=(),
            kept=0,
            stages=(),
        ),
        sources={name: after.owners.get(path, path) for path, name in names.items()},
        norms={names[path]: norm for path, norm in after.norms.items()},
        undecided=tuple(_find_undecided(pairing, names)),
    )


def _take_apart(old: Graph, new: Graph, *, are_code: bool) -> ElementarySides:
    return make_elementary(old, is_code=are_code), make_elementary(new, is_code=are_code)


def _name_nodes(old: Graph, new: Graph, partners: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return the paths by which the new nodes go.

    A node with a partner has the partner's path. Another one stands beside its paired neighbours,
    under the names that it has below their common holder.
    """
    leaves = {node.path for node in old.nodes}
    taken = leaves.union(*(node.path.parents for node in old.nodes))
    holders = _find_holders(partners)
    names: dict[Path, Path] = {}
    for node in new.nodes:
        if node.path in partners:
            names[node.path] = partners[node.path]
            continue
        holder = next((at for at in node.path.parents if at in holders), Path())
        name = holders.get(holder, Path()) / node.path.relative_to(holder)
        while not leaves.isdisjoint(name.parents):  # a node holds no others
            name = name.parent.parent / f"{name.parent.name}_{name.name}"
        while name in taken:
            name = Path(f"{name}_")
        leaves.add(name)
        taken.update((name, *name.parents))
        names[node.path] = name
    return names


def _find_holders(partners: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return the old path that holds the partners of all nodes below each new path."""
    common: dict[Path, Path] = {}
    for path, partner in partners.items():
        for holder in path.parents:
            known = common.get(holder)
            common[holder] = partner.parent if known is None else _share(known, partner)
    return common


def _share(holder: Path, path: Path) -> Path:
    """Return the longest path that a path lies below, and that is or holds another one."""
    while not path.is_below(holder):
        holder = holder.parent
    return holder


def _select(edits: tuple[Edit, ...], old: Graph, new: Graph) -> Iterator[Edit]:
    """Yield the edits of the network itself, without the keys that only its names change."""
    shared, new_shared = _group_shared(old), _group_shared(new)
    for edit in edits:
        match edit:
            case ParameterListed() | HeadListed() | LossChanged():
                continue
            case SharingChanged(places=places) if all(
                shared[place.old or Path()] == new_shared[place.new or Path()] for place in places
            ):
                continue
            case PortsChanged(before=before, after=after) if len(before) == len(after):
                continue
            case Reordered(step=step) if _is_free(step):
                continue
            case _ if edit.category == "COSMETIC" or _is_unseen(edit):
                continue
            case _:
                yield replace(
                    edit,
                    keys=tuple(key for key in edit.keys if key.kind != "renamed"),
                    following_keys=tuple(k for k in edit.following_keys if k.kind != "renamed"),
                )


def _group_shared(graph: Graph) -> dict[Path, frozenset[Path]]:
    """Return the nodes that use the weights of each node, itself included.

    Which of them runs first, and has the weights in a spec, says nothing of the network.
    """
    groups: dict[Path, list[Path]] = {}
    for node in graph.nodes:
        groups.setdefault(node.reuses or node.path, []).append(node.path)
    return {path: frozenset(group) for group in groups.values() for path in group}


def _is_free(step: StepWords) -> bool:
    """Tell whether another order of what a join reads is one of rounding alone."""
    join = OPS[step.kind].join
    values = {name: value for name, value in step.values if isinstance(value, int | Decimal | str)}
    is_known = len(values) == len(step.values)
    return join is not None and is_known and join.associates(values) and join.commutes(values)


def _is_unseen(edit: Edit) -> bool:
    """Tell whether an edit is about values alone that no run of a module shows, or that agree."""
    match edit:
        case Changed(names=names):
            return all(_is_initial(edit, name) or _agrees(edit, name) for name in names)
        case _:
            return False


def _is_initial(edit: Changed, name: str) -> bool:
    attribute = OPS[edit.after.kind].attribute(name)
    return attribute is not None and attribute.is_initial


def _agrees(edit: Changed, name: str) -> bool:
    """Tell whether the values of an attribute are one number, but for rounding."""
    attribute = OPS[edit.after.kind].attribute(name)
    default = None if attribute is None else attribute.default
    if attribute is None or not attribute.is_rounded:
        return False
    numbers = []
    for words in (edit.before, edit.after):
        value = dict(words.values).get(name, default)
        assert isinstance(value, Decimal | int)
        numbers.append(Decimal(value))
    return abs(numbers[0] - numbers[1]) <= DIGITS * max(map(abs, numbers))


def _find_undecided(pairing: GraphPairing, names: Mapping[Path, Path]) -> Iterator[Path]:
    """Yield the steps whose op has no certain partner, each once."""
    paths: dict[Path, None] = {}
    for key, partner in pairing.old.items():
        if partner.verdict == "ambiguous" and is_op(key):
            paths[key.path] = None
    for key, partner in pairing.new.items():
        if partner.verdict == "ambiguous" and partner.key is None and is_op(key):
            paths[names[key.path]] = None
    return iter(paths)
