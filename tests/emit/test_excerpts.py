"""The helpers that emitted modules bring along: real code, cut up by an explicit table."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

from inception_dsl.emit.python import excerpts
from inception_dsl.emit.python.excerpts import EXCERPTS, needed_excerpts
from inception_dsl.emit.python.naming import IMPORTED

TEXT = Path(excerpts.__file__).with_name("helpers.py").read_text(encoding="utf-8")


def test_every_definition_has_an_entry_in_its_place() -> None:
    names: list[str] = []
    for node in ast.parse(TEXT).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(name)]):
                names.append(name)
    assert names == list(EXCERPTS)


def test_the_table_says_what_each_definition_uses() -> None:
    for excerpt in needed_excerpts(EXCERPTS):
        tree = ast.parse(excerpt.text)
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert excerpt.uses == read & {*IMPORTED, *EXCERPTS} - {excerpt.name}, excerpt.name
        bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        bound |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and is_stored(n)}
        assert read <= bound | excerpt.uses | {*dir(builtins)}, excerpt.name


def is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def test_the_definitions_are_the_whole_module() -> None:
    _, _, rest = TEXT.partition("from torch import Tensor, nn\n")
    cut = "".join(excerpt.text for excerpt in needed_excerpts(EXCERPTS))
    assert "".join(cut.split()) == "".join(rest.split())


def test_only_what_is_needed_comes_along() -> None:
    assert needed_excerpts(["Tensor", "nn"]) == []
    assert [excerpt.name for excerpt in needed_excerpts(["SameSepConv2d"])] == [
        "_pad_same",
        "SameConv2d",
        "SameSepConv2d",
    ]
