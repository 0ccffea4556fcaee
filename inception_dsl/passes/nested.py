"""Kernels from 5x5 on as several 3x3 (P811)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inception_dsl.analysis.dense import Inference
from inception_dsl.analysis.factors import find_better_rows, find_nested
from inception_dsl.ir import Model
from inception_dsl.passes.contract import Pass, Proposal
from inception_dsl.passes.factorise import divide
from inception_dsl.passes.naming import Definitions
from inception_dsl.passes.passed_over import propose_with_others


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    definitions = Definitions(model)
    return propose_with_others(model, run, lambda nodes: _divide(nodes, definitions))


def _divide(run: Inference, definitions: Definitions) -> Iterator[Proposal]:
    found_all = list(find_nested(run))
    rows = find_better_rows(run, found_all)
    for found in found_all:
        proposal = divide("P811", definitions, found)
        better = rows.get(proposal.path)
        if better is not None and not divide("P812", definitions, better).refusal:
            proposal = replace(proposal, better="P812")
        yield proposal


NESTED = Pass("P811", propose=_propose)
