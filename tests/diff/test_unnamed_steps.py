"""Specs compared by their graphs alone: names and forms are no change, and paths are unique."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from conftest import Project

import inception_dsl as idsl
from inception_dsl import driver
from inception_dsl.diff.unnamed import UnnamedDiff, compare_unnamed
from inception_dsl.ir import Model


def compare(old: str, new: str, project: Project) -> UnnamedDiff:
    sides = [driver.check(name, folder=project.root).model for name in (old, new)]
    return compare_unnamed(*sides)


@pytest.mark.parametrize(
    "pair",
    [
        ("xception", "timm/legacy_xception"),
        ("inception_resnet_v2", "timm/inception_resnet_v2"),
        ("inception_v4", "inception_v3"),
        ("nasnet_a_mobile", "xception"),
        ("resnet50", "vgg16"),
        ("densenet121", "mobilenet_v2"),
    ],
    ids=" ".join,
)
def test_unlike_networks_are_compared_and_each_node_has_a_path_of_its_own(
    pair: tuple[str, str], project: Project
) -> None:
    unnamed = compare(*pair, project)
    for model in (unnamed.old, unnamed.new):
        paths = Counter(node.path for node in model.graph.nodes)
        assert max(paths.values()) == 1
        assert not any(holder in paths for path in paths for holder in path.parents)
    assert unnamed.diff.edits


FORMS = {
    "one step": """
  - c: 3x3 conv (8 norm batchnorm act relu)
  - p: global avgpool
  - d: dropout (drop 0.3)
  - f: linear (5)
""",
    "each by itself": """
  - first: 3x3 conv (8 no_bias)
  - second: batchnorm
  - third: relu
  - pool: 1x1 adaptive avgpool
  - drop: dropout (drop 0.3)
  - flat: flatten
  - last: linear (5)
""",
}


def test_a_network_in_another_form_and_with_other_names_is_the_same(project: Project) -> None:
    models: list[Model] = []
    for steps in FORMS.values():
        head = "inception: 1\nname: net\ninput: 32x32x3\nnetwork:"
        project.write("specs/net.yaml", f"{head}{steps}")
        models.append(project.check().model)
    for pair in (models, models[::-1]):
        unnamed = compare_unnamed(*pair)
        assert not unnamed.diff.edits
        assert not unnamed.undecided


def test_rows_of_turned_kernels_in_another_order_are_paired_by_all_their_parts() -> None:
    specs = Path(__file__).parents[2] / "specs"
    models = [
        idsl.load(str(specs / f"{name}.yaml")).model
        for name in ("inception_v4", "timm/inception_v4")
    ]
    unnamed = compare_unnamed(*models)
    sides = ("left", "right")
    assert unnamed.undecided == tuple(
        f"inception_c.{copy}.b3x3dbl.{side}" for copy in range(3) for side in sides
    )


def test_norms_that_only_one_network_has_leave_nothing_undecided() -> None:
    specs = Path(__file__).parents[2] / "specs"
    for names in (("googlenet", "torchvision/googlenet"), ("torchvision/googlenet", "googlenet")):
        models = [idsl.load(str(specs / f"{name}.yaml")).model for name in names]
        assert not compare_unnamed(*models).undecided
