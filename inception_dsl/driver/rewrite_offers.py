"""Rewrites that hints offer: each is tried on the text of the spec, so that none is named in vain.

A hint has little time. All lines of a code are tried in one text, and then few parts of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.dependents import check_text, find_dependents
from inception_dsl.driver.rewrite_run import RewriteChoice, run_passes
from inception_dsl.driver.rewrite_trial import RewriteState
from inception_dsl.driver.walk import Checked
from inception_dsl.emit.spec.claims import rename
from inception_dsl.emit.spec.places import RewriteError, apply_edits
from inception_dsl.ir import Model
from inception_dsl.passes import keep_weights
from inception_dsl.rules.subject import RewriteOffer
from inception_dsl.source import Source
from inception_dsl.spec.files import SpecFile, read
from inception_dsl.spec.tree import parse_tree

MAX_TRIED = 2_000
"""Maximum number of nodes of a network whose hints try their rewrites."""

MAX_TRIES = 4
"""Maximum number of texts that are read for one code."""

_UNTRIED = RewriteOffer({}, is_tried=False)


def make_offers(file: SpecFile, model: Model, cost: CostReport) -> Callable[[str], RewriteOffer]:
    """Return the function that tries what a code names on the text of a spec.

    Args:
        model, cost: those of the spec as it is written.
    """

    @cache
    def start() -> RewriteState:
        text = read(file).text
        state = RewriteState(text, Checked(file, model, cost, ()), keep_weights(model.graph))
        return replace(state, dependents=find_dependents(file))

    @cache
    def start_new() -> RewriteState | None:
        text = read(file).text
        try:
            text = apply_edits(text, rename(parse_tree(Source(file.shown, text)), model.name))
            checked = check_text(file, text)
        except (RewriteError, SpecError):
            return None
        return RewriteState(text, checked, keep_weights(checked.model.graph))

    @cache
    def offer(code: str) -> RewriteOffer:
        if len(model.graph.nodes) > MAX_TRIED:
            return _UNTRIED
        if file.is_built_in:
            return _try(file, start_new(), code)
        here = _try(file, start(), code)
        if not here.is_new:
            return here
        new = _try(file, start_new(), code)
        works = any(not reason for reason in new.refusals.values())
        return (new if works else here)._replace(is_new=works)

    return offer


def _try(file: SpecFile, state: RewriteState | None, code: str) -> RewriteOffer:
    """Try a code on a text; the offer `is_new` if a new spec may take what this one does not."""
    if state is None:
        return _UNTRIED
    done = run_passes(file, state, RewriteChoice(frozenset([code])), most=MAX_TRIES)
    log = done.log
    refusals: dict[str, str] = {}
    for entry in log:
        for path in entry.paths:
            refusals.setdefault(path, entry.refusal)
    stopped = [entry for entry in log if entry.refusal]
    is_vain = len(stopped) == len(log)
    fits = is_vain and any(each.fits_elsewhere for each in stopped)
    if done.untried and is_vain and not fits:
        return _UNTRIED
    costs = (state.checked.cost.totals.macs, done.checked.cost.totals.macs)
    return RewriteOffer(refusals, is_new=fits, macs=None if done.untried else costs)
