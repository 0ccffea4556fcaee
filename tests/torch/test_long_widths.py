"""Copies of a block whose width no short expression gives have the channels that they read."""

from __future__ import annotations

from conftest import Project
from random_steps import Spec
from test_networks import hold_against_the_graph


def test_copies_behind_a_width_that_is_too_long_are_written_one_by_one(project: Project) -> None:
    widen = "1x1 conv (max(in // 2 + 9, in // 3 + 13, in // 5 + 15))"
    document = {
        "inception": 1,
        "name": "net",
        "input": "6x6x4",
        "blocks": {
            "widen": {"steps": [widen, widen]},
            "far": {"steps": [f"{count} x widen" for count in (2, 3)]},
        },
        "network": ["3x3 conv (5)", "3 x far", "2 x far", "1x1 conv (in)"],
    }
    hold_against_the_graph(Spec(document), project)
