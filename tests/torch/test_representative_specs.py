"""The specs that stand for all shipped ones use every layer and argument of torch that these do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from representative_specs import REPRESENTATIVES

from inception_dsl import driver

FOLDER = Path(__file__).parent


def uses_of_torch(source: str) -> Iterator[str]:
    """Yield the calls of torch in a module's source, each also with every keyword."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            callee = ast.unparse(node.func)
            if callee.startswith(("nn.", "F.", "torch.")):
                yield callee
                yield from (f"{callee}({keyword.arg}=)" for keyword in node.keywords)
        elif isinstance(node, ast.comprehension | ast.If | ast.IfExp | ast.For):
            yield type(node).__name__


def test_some_specs_use_all_of_torch_that_any_uses() -> None:
    uses = {}
    for name in driver.list_specs(FOLDER):
        source = driver.emit_module(driver.check(name, folder=FOLDER))
        uses[name] = set(uses_of_torch(source))
    common = set[str]().union(*(uses[name] for name in REPRESENTATIVES))
    missing = {name: sorted(used - common) for name, used in uses.items() if used - common}
    assert missing == {}
    assert common > uses["googlenet"]
