"""Networks whose code is scrambled are imported as what they compute."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_specs import QUICK, specs, wired_specs
from random_steps import Spec
from scrambled_imports import import_scrambled


@pytest.mark.parametrize("strategy", [specs(), wired_specs()], ids=["one", "several"])
def test_scrambled_modules_are_imported_as_the_same_networks(
    strategy: st.SearchStrategy[Spec], tmp_path: Path
) -> None:
    seeds = iter(range(100))

    @settings(QUICK, max_examples=4)
    @given(strategy)
    def hold(spec: Spec) -> None:
        trial = import_scrambled(spec, next(seeds), tmp_path)
        assert not trial.difference, trial.source
        assert not trial.refusals, trial.source

    hold()
