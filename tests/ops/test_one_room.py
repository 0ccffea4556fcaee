"""An op is one room: its module answers everything, and no other module knows it by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

import inception_dsl
from inception_dsl.emit.python.torch_table import IN_FORWARD, TORCH
from inception_dsl.ops import OPS, WRITTEN, Attribute, Op
from inception_dsl.ops.activation import OPS as ACTIVATION_OPS

PACKAGE = Path(inception_dsl.__file__).parent
TORCH_MODULES = [
    PACKAGE / "emit" / "python" / "torch_table.py",
    PACKAGE / "emit" / "python" / "helpers.py",
    PACKAGE / "emit" / "inference" / "helpers.py",
]
"""The torch backend's table, and code of emitted modules, which speaks torch's language."""
READING = PACKAGE / "bridge" / "reading"
"""The same table from torch's side: each function of torch, and the op that it is."""
EXPORTED = PACKAGE / "bridge" / "exported"
"""The words of file formats, and the function of torch that each is."""
ONNX = PACKAGE / "emit" / "onnx"
"""The nodes of ONNX for each op, and which of them a runtime runs as one."""
RECIPES = [
    PACKAGE / "resolve" / "recipe",
    PACKAGE / "ir" / "recipe.py",
    PACKAGE / "emit" / "training",
]
"""The modules of recipes, whose words are others: a `crop` of an image is no op."""
NAMES = {*OPS, *WRITTEN}
WORDS = {attribute.name for op in OPS.values() for attribute in op.attributes} & NAMES
"""Names of ops that are words of others, too: the op `pad`, and the `pad` of a conv."""


def named_ops(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the ops that code compares with, keys by, passes or lists by their names."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left, _, comparators):
                parts = [left, *comparators]
            case ast.Dict(keys, values):
                parts = [*(key for key in keys if key is not None), *values]
            case ast.MatchValue(value) | ast.keyword(value=value) | ast.Assign(value=value):
                parts = [value]
            case ast.Call(args=args):
                parts = list(args)
            case ast.List(elements) | ast.Set(elements):
                parts = list(elements)
            case ast.Subscript(value, index) if not is_literal_type(value):
                parts = [index]
            case _:
                continue
        is_of_op = any(isinstance(part, ast.Attribute) and part.attr == "op" for part in parts)
        for part in parts:
            inner = part.elts if isinstance(part, ast.Tuple) else [part]
            for leaf in inner:
                if not isinstance(leaf, ast.Constant):
                    continue
                if leaf.value in (NAMES if is_of_op else NAMES - WORDS):
                    yield leaf.lineno, str(leaf.value)


def is_literal_type(node: ast.expr) -> bool:
    """Tell whether a subscript is a type: the joins are keywords of the language's schema."""
    return isinstance(node, ast.Name) and node.id == "Literal"


MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent.name != "ops"
    and path not in TORCH_MODULES
    and path.parent != READING
    and not any(map(path.is_relative_to, [EXPORTED, ONNX, *RECIPES]))
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_knows_an_op_by_its_name(path: Path) -> None:
    assert list(named_ops(ast.parse(path.read_text(encoding="utf-8")))) == []


ADDING = {"add": 0, "add_shaped": 0, "act": 2, "_activation": 0, "can_say": 0, "_try_op": 2}
"""The calls by which an import adds a node or asks about one, and where their op stands."""


def read_ops(tree: ast.AST) -> Iterator[str]:
    """Yield the ops that reading a function of torch adds; `~` marks one that is settled later."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if name in ADDING and len(node.args) > (place := ADDING[name]):
            op = node.args[place]
            if isinstance(op, ast.Constant) and not str(op.value).startswith("~"):
                yield str(op.value)


def test_an_import_reads_functions_as_ops_that_are_there() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in READING.glob("*.py")]
    named = [op for tree in trees for op in read_ops(tree)]
    assert len(named) > 20
    assert set(named) <= OPS.keys()


@pytest.mark.parametrize(
    "code",
    [
        'node.op == "conv"',
        'node.op == "pad"',
        '"lrn" in names',
        'op in {"add", "mul"}',
        'op in ("add", "mul")',
        'TITLES = {"linear": "FC"}',
        'MEANT = {"fc": "linear"}',
        'frozenset(["maxpool", "avgpool"])',
        'OPS["concat"]',
        'match op:\n    case "global avgpool": pass',
        'match node:\n    case Node(op="identity"): pass',
        'make(op="batchnorm")',
        'join("concat", spot)',
        'NORM = "batchnorm"',
    ],
)
def test_a_name_in_code_is_found(code: str) -> None:
    assert list(named_ops(ast.parse(code)))


def test_an_answer_left_out_is_an_error_at_import() -> None:
    (relu, *_) = ACTIVATION_OPS
    answers = {field.name: getattr(relu, field.name) for field in fields(Op)}
    required = [field.name for field in fields(Op) if is_required(field)]
    assert {"title", "figure", "family", "channels", "windows", "launches", "saves"} <= {*required}
    for name in required:
        with pytest.raises(TypeError, match=name):
            Op(**{key: value for key, value in answers.items() if key != name})


def is_required(field: object) -> bool:
    """Tell whether a field of a dataclass has no default."""
    return field.default is MISSING and field.default_factory is MISSING  # type: ignore[attr-defined]


OPTIONAL = {"spelling", "aliases", "variants", "by_number", "kernel", "flags", "ways"}
OPTIONAL |= {"defaults_of", "finish"}


def test_only_the_spelling_of_a_step_has_defaults() -> None:
    assert {field.name for field in fields(Op) if not is_required(field)} == OPTIONAL


def test_an_attribute_of_a_norm_may_not_hide_one_of_the_conv() -> None:
    conv = next(op for op in OPS.values() if any(a.owner for a in op.attributes))
    answers = {field.name: getattr(conv, field.name) for field in fields(Op)}
    hiding = Attribute(conv.kernel, "size", changes="size", owner="anorm")
    with pytest.raises(
        TypeError, match=f"an attribute of `anorm` has the name of one of `{conv.name}`"
    ):
        Op(**{**answers, "attributes": (*conv.attributes, hiding)})


def test_the_torch_table_has_every_op_and_no_other() -> None:
    assert {op.name for op in OPS.values() if op.has_module} == TORCH.keys()
    assert {op.name for op in OPS.values() if not op.has_module} == IN_FORWARD.keys()


def test_no_two_ops_share_a_name_or_an_alias() -> None:
    others = [name for op in OPS.values() for name in (*op.aliases, *op.variants)]
    told = [*NAMES, *others]
    assert len(told) == len(set(told))
    assert all(name == name.lower() for name in others)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kernel": "size"}, "has no attribute `size`, its kernel"),
        ({"figure": "convolution"}, "is drawn as a convolution, and takes no kernel"),
        ({"channels": "joined"}, "joins channels, and is no join"),
        ({"channels": "grouped"}, "groups channels, and has no attribute `groups`"),
        ({"channels": "spread"}, "moves channels, and has no attribute `factor`"),
    ],
)
def test_answers_that_contradict_each_other_are_an_error_at_import(
    wrong: dict[str, str], message: str
) -> None:
    (relu, *_) = ACTIVATION_OPS
    answers = {field.name: getattr(relu, field.name) for field in fields(Op)}
    with pytest.raises(TypeError, match=message):
        Op(**{**answers, **wrong})
