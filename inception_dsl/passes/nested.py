"""Kernels from 5x5 on as several 3x3 (P811)."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis.dense import Inference
from inception_dsl.analysis.factors import find_nested
from inception_dsl.ir import Model
from inception_dsl.passes.contract import Pass, Proposal
from inception_dsl.passes.factorise import divide


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    for found in find_nested(run):
        yield divide("P811", model, found)


NESTED = Pass("P811", is_exact=False, propose=_propose)
