"""The lines that a pass leaves alone: training heads have them, or they share their weights.

The hints count inference, where each line has weights of its own. A line that would else be changed
is told with the reason, so that nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace

from inception_dsl.analysis.dense import Inference, list_everything
from inception_dsl.ir import Model, Node, Path
from inception_dsl.passes.contract import Proposal


def propose_with_others(
    model: Model, run: Inference, propose: Callable[[Inference], Iterator[Proposal]]
) -> Iterator[Proposal]:
    """Yield the proposals for inference, and those that heads or shared weights stop, refused."""
    proposals = list(propose(run))
    if not has_others(model):
        yield from proposals
        return
    known = {path for each in proposals for path in each.paths}
    judge = Judge(model, run)
    for each in proposals:
        reason = judge.find_head([node for step in each.steps for node in step.nodes])
        yield replace(each, refusal=reason, better="") if reason else each
    for each in propose(list_everything(model, run)):
        nodes = [node for step in each.steps for node in step.nodes]
        reason = judge.find_head(nodes) or judge.find_sharing(nodes)
        if reason and known.isdisjoint(each.paths):
            yield replace(each, refusal=reason, better="")


def has_others(model: Model) -> bool:
    """Tell whether a model has training heads or shared weights."""
    return bool(model.heads) or any(node.reuses is not None for node in model.graph.nodes)


class Judge:
    """A judge of the steps of a model that a pass leaves alone."""

    def __init__(self, model: Model, run: Inference) -> None:
        self._line_of = run.line_of
        self._heads: dict[Hashable, Path] = {}
        self._runs = frozenset(node.path for node in run.nodes)
        self._partners: dict[Path, Path] = {}
        heads = [head.path for head in model.heads]
        for node in model.graph.nodes:
            for head in heads:
                if node.path.is_within(head):
                    self._heads.setdefault(run.line_of[node.path], head)
            if node.reuses is not None:
                self._partners[node.path] = node.reuses
                self._partners.setdefault(node.reuses, node.path)

    def find_head(self, nodes: Sequence[Node]) -> str:
        """Return the reason if a training head runs the line of some nodes; else nothing."""
        lines = (self._line_of[node.path] for node in nodes)
        head = next((self._heads[line] for line in lines if line in self._heads), None)
        if head is None:
            return ""
        if self._runs.isdisjoint(node.path for node in nodes):
            return f"it stands in the training head `{head}`, which inference does not run"
        return f"its line runs in the training head `{head}`, too"

    def find_sharing(self, nodes: Sequence[Node]) -> str:
        """Return the reason if one of some nodes shares its weights; else nothing."""
        for node in nodes:
            if node.path in self._partners:
                return f"it shares its weights with `{self._partners[node.path]}` by `reuse`"
        return ""
