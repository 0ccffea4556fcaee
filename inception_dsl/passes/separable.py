"""Square kernels on medium maps as a row and a column (P812)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inception_dsl.analysis.dense import Inference
from inception_dsl.analysis.factors import describe_elsewhere, find_separable
from inception_dsl.ir import Model
from inception_dsl.passes.contract import Pass, Proposal
from inception_dsl.passes.factorise import divide
from inception_dsl.passes.naming import Definitions
from inception_dsl.passes.passed_over import propose_with_others


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    definitions = Definitions(model)
    return propose_with_others(model, run, lambda nodes: _divide(nodes, definitions))


def _divide(run: Inference, definitions: Definitions) -> Iterator[Proposal]:
    for found in find_separable(run):
        proposal = divide("P812", definitions, found)
        if found.others:
            where = describe_elsewhere(found.others)
            refusal = f"its line runs {where}, too; it is for maps of 12 to 20 without a stride"
            proposal = replace(proposal, refusal=refusal)
        yield proposal


SEPARABLE = Pass("P812", propose=_propose)
