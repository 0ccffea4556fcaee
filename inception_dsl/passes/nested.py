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


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    rows, definitions = find_better_rows(run), Definitions(model)
    for found in find_nested(run):
        proposal = divide("P811", definitions, found)
        better = rows.get(proposal.path)
        if better is not None and not divide("P812", definitions, better).refusal:
            proposal = replace(proposal, better="P812")
        yield proposal


NESTED = Pass("P811", is_exact=False, propose=_propose)
