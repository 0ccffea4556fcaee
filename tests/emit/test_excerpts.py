"""The helpers that emitted modules bring along: real code, cut up into its definitions."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

from inception_dsl.emit.python import excerpts
from inception_dsl.emit.python.excerpts import IMPORTED, all_excerpts, needed_excerpts
from inception_dsl.resolve.reserved import name_problem

TEXT = Path(excerpts.__file__).with_name("helpers.py").read_text(encoding="utf-8")
NAMES = [excerpt.name for excerpt in all_excerpts()]


def test_the_definitions_are_the_whole_module() -> None:
    _, _, rest = TEXT.partition("from torch import Tensor, nn\n")
    cut = "".join(excerpt.text for excerpt in all_excerpts())
    assert "".join(cut.split()) == "".join(rest.split())


def test_no_author_can_give_the_name_of_a_definition() -> None:
    assert [name for name in NAMES if not name.startswith("_") or name_problem(name) is None] == []


def test_each_definition_uses_only_imports_and_those_above_it() -> None:
    for index, excerpt in enumerate(all_excerpts()):
        tree = ast.parse(excerpt.text)
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        bound |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and is_stored(n)}
        assert excerpt.uses <= {*IMPORTED, *NAMES[:index]}, excerpt.name
        assert read <= bound | excerpt.uses | {*dir(builtins)}, excerpt.name


def is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def test_a_definition_brings_the_statement_behind_it() -> None:
    (pad, *_) = needed_excerpts(["_pad_same"])
    assert pad.text.endswith("# FX cannot trace through it")
    assert pad.uses == {"F", "Tensor", "torch"}


def test_only_what_is_needed_comes_along() -> None:
    assert needed_excerpts(["Tensor", "nn"]) == []
    assert [excerpt.name for excerpt in needed_excerpts(["_SameSepConv2d"])] == [
        "_pad_same",
        "_SameConv2d",
        "_SameSepConv2d",
    ]
