"""Keys without a value: none is taken as left out."""

from __future__ import annotations

import pytest
from conftest import NET, Project

from inception_dsl.spec.schema import (
    BodySpec,
    ClaimSpec,
    HeadSpec,
    LongSpec,
    ModelSpec,
    ResidualSpec,
    TableSpec,
)

Keyed = BodySpec | ClaimSpec | HeadSpec | LongSpec | ModelSpec | ResidualSpec | TableSpec

NETWORK = "network:\n  - a: 3x3 conv (8)\n"
BLOCK = f"{NETWORK}  - b\n"
PLACES: dict[type[Keyed], str] = {
    ModelSpec: "network: [3x3 conv (8)]\n{key}\n",
    BodySpec: f"{BLOCK}blocks:\n  b:\n    steps: relu\n    {{key}}\n",
    ResidualSpec: f"{BLOCK}blocks:\n  b:\n    steps: relu\n    residual:\n      {{key}}\n",
    LongSpec: f"{NETWORK}  - b:\n      op: relu\n      {{key}}\n",
    HeadSpec: f"{NETWORK}heads:\n  h:\n    at: a\n    steps: relu\n    {{key}}\n",
    ClaimSpec: f"{NETWORK}claims:\n  -\n    params: 224\n    {{key}}\n",
    TableSpec: f"{NETWORK}tables:\n  t:\n    columns: [k]\n    {{key}}\n",
}
"""By the model of a mapping, a spec in which `{key}` is a key of it."""

KEYS = [
    (model, field.alias or name)
    for model in PLACES
    for name, field in model.model_fields.items()
    if field.alias or name not in ("inception", "op")
]


@pytest.mark.parametrize(("model", "key"), KEYS, ids=[f"{m.__name__}-{k}" for m, k in KEYS])
def test_a_key_without_a_value_is_refused(model: type[Keyed], key: str, project: Project) -> None:
    spec = PLACES[model]
    held = [line for line in spec.splitlines() if not line.strip().startswith(f"{key}:")]
    text = "\n".join(held).replace("{key}", f"{key}:") + "\n"
    top = "".join(f"{name}: {value}\n" for name, value in TOP.items() if name != key)
    project.write(NET, f"{top}{text}")
    (found,) = project.findings()
    assert found.code == "E103"


TOP = {"inception": "1", "name": "net", "input": "8x8x3"}


@pytest.mark.parametrize("params", ["{width, stride: 1}", "{width: , stride: 1}"])
def test_a_parameter_without_a_default_is_no_empty_key(params: str, project: Project) -> None:
    block = f"{{params: {params}, steps: 3x3 conv (width stride stride)}}"
    head = "inception: 1\ninput: 8x8x3\n"
    project.write(NET, f"{head}blocks: {{b: {block}}}\nnetwork: b (width=8)\n")
    assert project.rendering() == ""


def test_the_way_out_of_an_empty_residual_is_told(project: Project) -> None:
    block = "{residual: , steps: [3x3 conv (in)]}"
    project.write(NET, f"inception: 1\ninput: 8x8x3\nblocks: {{b: {block}}}\nnetwork: b\n")
    (found,) = project.findings()
    assert (found.code, found.help) == ("E103", "`residual: {}` adds the input unchanged")
