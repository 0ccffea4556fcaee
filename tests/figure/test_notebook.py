"""A notebook shows a network as its schema, a block as its figure, a report as a table."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from read_svg import read

CELLS = [
    "import inception_dsl as idsl\nnetwork = idsl.load('inception_v4')\nnetwork",
    "network.blocks['inception_a']",
    "network.figure('poster', style='paper')",
    "network.cost()",
]


@pytest.fixture(scope="module")
def outputs() -> list[dict[str, str]]:
    """Return the outputs of the cells of a notebook, by the kinds of their data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the notebook's own libraries
        import nbformat
        from nbclient import NotebookClient

        v4: Any = nbformat.v4
        notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
        folder = str(Path(__file__).parents[2])
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": folder}}).execute()
    return [dict(cell.outputs[-1].data) for cell in notebook.cells]


def test_a_network_is_its_schema(outputs: list[dict[str, str]]) -> None:
    figure = read(outputs[0]["image/svg+xml"])
    assert figure.box("inception_a").lines == ("4 x Inception-A",)


def test_a_block_is_its_figure(outputs: list[dict[str, str]]) -> None:
    figure = read(outputs[1]["image/svg+xml"])
    assert figure.box("b1x1").lines == ("1x1 Conv", "(96)")


def test_a_figure_is_what_was_asked_for(outputs: list[dict[str, str]]) -> None:
    assert "Overall schema" in read(outputs[2]["image/svg+xml"]).texts()


def test_a_report_is_a_table(outputs: list[dict[str, str]]) -> None:
    table = outputs[3]["text/markdown"]
    assert "| stage | nodes | params | MACs | FLOPs | % of MACs |" in table
    assert "42,679,816" in table
