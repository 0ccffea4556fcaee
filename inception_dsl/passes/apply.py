"""Rewrites of a model: the graph with other nodes, and the plan that moves the weights.

The new model is one flat block, as no author wrote it. Its costs, shapes and values are those that
a spec with the rewrite must have; `passes.proof` holds a spec against it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from inception_dsl.analysis import list_state, measure_cost
from inception_dsl.analysis.dense import list_inference
from inception_dsl.ir import Graph, Model, Node, Path
from inception_dsl.ir.flat import flatten_model
from inception_dsl.ir.weights import (
    ConcatOut,
    Copy,
    Recipe,
    WeightPlan,
    list_sources,
    rename_sources,
)
from inception_dsl.passes.contract import Pass, Proposal, Rewrite, Swap, log_proposal

_GONE = "its step is gone"
_UNUSED = "nothing is made of it"
_TWICE = "its tensors change twice, and no recipe says both"


def apply_proposals(model: Model, proposals: Sequence[Proposal]) -> Rewrite:
    """Return a model with some rewrites of different nodes, whatever speaks against them."""
    swaps = [swap for proposal in proposals for swap in proposal.swaps]
    graph = swap_nodes(model.graph, swaps)
    weights = plan_swaps(model.graph, graph, swaps)
    return Rewrite(flatten_model(model, graph, {}), weights, tuple(map(log_proposal, proposals)))


def rewrite_model(
    model: Model, passes: Iterable[Pass], is_wanted: Callable[[Proposal], bool] = lambda _: True
) -> Rewrite:
    """Return a model with all rewrites of some passes, one pass after the other.

    A pass runs again after each of its rewrites, since one may allow another. It leaves a line to
    another of the passes that saves more there. Training heads keep their nodes.

    Args:
        is_wanted: chooses among the proposals; those that it rejects leave no trace.
    """
    chosen = tuple(passes)
    codes = {each.code for each in chosen}
    done = Rewrite(model, keep_weights(model.graph), ())
    for each in chosen:
        seen: set[tuple[Path, str]] = set()
        while (proposal := _find_next(done.model, each, seen, codes, is_wanted)) is not None:
            seen.add((proposal.path, proposal.what))
            if proposal.refusal:
                log = (*done.log, log_proposal(proposal, proposal.refusal))
                done = Rewrite(done.model, done.weights, log)
                continue
            made = apply_proposals(done.model, [proposal])
            weights = compose_plans(done.weights, made.weights)
            done = Rewrite(made.model, weights, (*done.log, *made.log))
    return done


def _find_next(
    model: Model,
    each: Pass,
    seen: set[tuple[Path, str]],
    codes: Collection[str],
    is_wanted: Callable[[Proposal], bool],
) -> Proposal | None:
    run = list_inference(model, measure_cost(model))
    for proposal in each.propose(model, run):
        is_new = (proposal.path, proposal.what) not in seen and proposal.better not in codes
        if is_new and is_wanted(proposal):
            return proposal
    return None


def swap_nodes(graph: Graph, swaps: Sequence[Swap]) -> Graph:
    """Return a graph with other nodes; every reader of an old one reads what stands for it."""
    gives = {old: new for swap in swaps for old, new in swap.gives.items()}
    gone = {node.path for swap in swaps for node in swap.old}
    first = {swap.old[0].path: swap for swap in swaps}

    def read(path: Path) -> Path:
        while path in gone and gives[path] != path:
            path = gives[path]
        return path

    nodes: list[Node] = []
    for node in graph.nodes:
        new = first[node.path].new if node.path in first else ()
        kept = () if node.path in gone else (node,)
        nodes += [_reread(each, tuple(map(read, each.inputs))) for each in (*new, *kept)]
    return Graph(
        tuple(nodes),
        outputs={name: read(path) for name, path in graph.outputs.items()},
        head_outputs=tuple(map(read, graph.head_outputs)),
        inputs=graph.inputs,
    )


def _reread(node: Node, inputs: tuple[Path, ...]) -> Node:
    if inputs == node.inputs:
        return node
    return Node(
        node.path,
        inputs,
        node.op,
        node.attributes,
        node.input_types,
        node.type,
        node.origin,
        node.reuses,
    )


def list_keys(graph: Graph) -> dict[str, Path]:
    """Return the keys of a network's state_dict, each with the path of its node."""
    return {
        f"{node.path}.{tensor.name}": node.path
        for node in graph.nodes
        for tensor in list_state(node)
    }


def keep_weights(graph: Graph) -> WeightPlan:
    """Return the plan that leaves every tensor as it is."""
    return WeightPlan(tuple((key, Copy(key)) for key in list_keys(graph)), (), ())


def plan_swaps(old: Graph, new: Graph, swaps: Sequence[Swap]) -> WeightPlan:
    """Return the plan that moves the weights of a graph to one with other nodes."""
    recipes = {key: recipe for swap in swaps for key, recipe in swap.recipes.items()}
    made: dict[str, Recipe | str] = {key: recipes.get(key, Copy(key)) for key in list_keys(new)}
    kept = {node.path for node in new.nodes}
    left = {key: _UNUSED if path in kept else _GONE for key, path in list_keys(old).items()}
    return _sort_out(made, left)


def compose_plans(first: WeightPlan, second: WeightPlan) -> WeightPlan:
    """Return the plan that does what two plans do, one after the other."""
    before: dict[str, Recipe | str] = {**dict(first.recipes), **dict(first.fresh)}
    made: dict[str, Recipe | str] = {key: _compose(each, before) for key, each in second.recipes}
    made |= dict(second.fresh)
    left = dict(first.left)
    for key, reason in second.left:
        recipe = before[key]
        if not isinstance(recipe, str):
            left |= dict.fromkeys(list_sources(recipe), reason)
    return _sort_out(made, left)


def _compose(recipe: Recipe, before: Mapping[str, Recipe | str]) -> Recipe | str:
    """Return a recipe that reads the tensors which other recipes read."""
    match recipe:
        case Copy(source):
            return before[source]
        case ConcatOut(parts):
            made = [_compose(part, before) for part in parts]
            flat: list[Recipe] = []
            for part in made:
                if isinstance(part, str):
                    return part
                flat += part.parts if isinstance(part, ConcatOut) else (part,)
            return ConcatOut(tuple(flat))
        case _:
            names: dict[str, str] = {}
            for key in list_sources(recipe):
                match before[key]:
                    case Copy(source):
                        names[key] = source
                    case str() as reason:
                        return reason
                    case _:
                        return _TWICE
            return rename_sources(recipe, names)


def _sort_out(made: Mapping[str, Recipe | str], left: Mapping[str, str]) -> WeightPlan:
    """Return a plan.

    Args:
        made: the recipe of each new tensor, or the reason why there is none.
        left: the reason why nothing is made of an old tensor, if nothing is.
    """
    recipes = tuple((key, recipe) for key, recipe in made.items() if not isinstance(recipe, str))
    used = {key for _, recipe in recipes for key in list_sources(recipe)}
    return WeightPlan(
        recipes,
        tuple((key, reason) for key, reason in made.items() if isinstance(reason, str)),
        tuple((key, reason) for key, reason in left.items() if key not in used),
    )


def rename_plan(plan: WeightPlan, new: Graph, names: Mapping[Path, Path]) -> WeightPlan:
    """Return a plan whose new keys are those of another graph, in its order.

    Args:
        new: the other graph.
        names: the path of each node in the other graph, by its path in the plan's.
    """
    back = {path: own for own, path in names.items()}
    recipes, fresh = dict(plan.recipes), dict(plan.fresh)
    keys = [
        (f"{node.path}.{tensor.name}", f"{back[node.path]}.{tensor.name}")
        for node in new.nodes
        for tensor in list_state(node)
    ]
    return WeightPlan(
        tuple((key, recipes[own]) for key, own in keys if own in recipes),
        tuple((key, fresh[own]) for key, own in keys if own in fresh),
        plan.left,
    )
