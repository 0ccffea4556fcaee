"""Sizes written as a number: the side of a square, wherever a size stands."""

from __future__ import annotations

import pytest
from conftest import NET, Project

from inception_dsl.ir import Node
from inception_dsl.ops import OPS

HEAD = "inception: 1\nname: net\ninput: 8x8x16\n"
SIZES = [
    (op.written, attribute.name)
    for op in OPS.values()
    for attribute in op.attributes
    if attribute.kind == "size" and attribute.name != op.kernel
]
SQUARE = "4x4"
FORMS = {
    "word": "network: [{op} ({name} 4)]",
    "sum": "network: [{op} ({name} 2*2)]",
    "key": "network: [{{op: {op}, {name}: 4}}]",
    "text": "network: [{{op: {op}, {name}: 2*2}}]",
    "default": "defaults: {{{op}: {{{name}: 4}}}}\nnetwork: [{op}]",
    "parameter": "blocks: {{b: {{params: [k], steps: {op} ({name} k)}}}}\nnetwork: b (k=4)",
    "of a block": "blocks: {{b: {{params: {{k: 4}}, steps: {op} ({name} k)}}}}\nnetwork: b",
}


def test_some_op_has_a_size() -> None:
    assert len(SIZES) >= 2


@pytest.mark.parametrize(("op", "name"), SIZES)
@pytest.mark.parametrize("form", FORMS)
def test_a_number_is_the_side_of_a_square(form: str, op: str, name: str, project: Project) -> None:
    project.write(NET, f"{HEAD}{FORMS[form].format(op=op, name=name)}\n")
    (item,) = project.check().model.root.body
    node = item if isinstance(item, Node) else item.body[0]
    assert isinstance(node, Node)
    assert node.attributes[name] == (4, 4)
    project.write(NET, f"{HEAD}network: [{op} ({name} {SQUARE})]\n")
    assert project.check().model.root.output_types == (node.type,)


@pytest.mark.parametrize(("op", "name"), SIZES)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "3-3"])
def test_a_size_of_no_place_is_refused(value: str, op: str, name: str, project: Project) -> None:
    for step in (f"{op} ({name} {value})", f"{{op: {op}, {name}: {value}}}"):
        project.write(NET, f"{HEAD}network: [{step}]\n")
        assert [found.code for found in project.findings()] == ["E211"]
