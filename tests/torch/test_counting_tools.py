"""Conventions give the numbers of the installed tools; `benchmarks/conventions.py` runs more."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from conftest import Project
from counting_tools import SMALL, count
from stock_modules import make_stock

from inception_dsl import driver
from inception_dsl.analysis import CONVENTIONS, count_by, measure_work
from inception_dsl.resolve import Overrides

ROOT = Path(__file__).parents[2]
NETWORKS = ("googlenet", "inception_v3", "inception_v4", "mobilenet_v2", "efficientnet_b0")

KINDS = """\
inception: 1
name: net
input: 16x16x4
network:
  - conv: 3x3 conv (16 bias)
  - groupnorm: groupnorm (groups 4)
  - gelu: gelu
  - conv2: 3x3 conv (16 norm instancenorm act prelu)
  - conv3: 3x3 conv (16 stride 2 act elu)
  - up: upsample (factor 2 bilinear)
  - conv4: 3x3 conv (16 act leaky_relu groups 4)
  - up2: upsample (size 20x24)
  - deconv: 3x3 deconv (8 stride 2 bias)
  - adaptive: 7x5 adaptive avgpool
  - lrn: lrn
  - pool: 3x3 maxpool (stride 2)
  - avg: 3x3 avgpool (stride 1)
  - adaptive2: 2x2 adaptive maxpool
  - flatten: flatten
  - softmax: softmax
  - fc: linear (10 no_bias act tanh)
  - fc2: linear (10)
"""
"""A layer of every kind for which tools have rules, besides those of the networks."""


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run torch in one thread: small layers in several wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def hold(checked: driver.Checked) -> None:
    """Hold the counts of the tools against those of their conventions."""
    work = measure_work(checked.model, checked.cost)
    (shape,) = checked.model.inputs.values()
    stock, image = make_stock(checked.model, checked.cost), torch.zeros(1, *shape.shape)
    for tool in SMALL:
        assert count_by(CONVENTIONS[tool], work).total == count(tool, stock, image), tool


@pytest.mark.filterwarnings("ignore")  # of the tools
@pytest.mark.parametrize("name", NETWORKS)
def test_conventions_count_networks_as_the_tools_do(name: str, one_thread: None) -> None:
    hold(driver.measure(name, folder=ROOT, overrides=Overrides("96x96x3")))


@pytest.mark.filterwarnings("ignore")
def test_conventions_count_every_kind_as_the_tools_do(project: Project, one_thread: None) -> None:
    project.write("specs/net.yaml", KINDS)
    hold(driver.measure("net", folder=project.root))


@pytest.mark.parametrize("tool", SMALL)
def test_the_tools_have_the_versions_of_their_conventions(tool: str) -> None:
    assert version(tool).replace("-", ".post").startswith(CONVENTIONS[tool].version)
