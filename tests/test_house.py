"""The rules of the house: one word for one thing, plain docstrings, short functions and modules."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "inception_dsl"
MODULES = sorted(PACKAGE.rglob("*.py"))
OTHERS = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
PAGE = ROOT / "docs" / "architecture.md"

LAYERS = (
    "evaluation",
    "diagnostics",
    "spec",
    "ir",
    "ops",
    "resolve",
    "analysis",
    "pairing",
    "diff",
    "passes",
    "emit.report",
    "emit.figure",
    "recover",
    "bridge",
    "driver",
)
"""The folders whose exported types the glossary lists, from the lowest layer up."""

MAX_LINES = 400
MAX_FUNCTION_LINES = 60
REASON = "Longer than"
"""The words by which a long module's docstring gives its reason."""

RIDDLE = re.compile(
    r"^(What|How|Where|Of|So|That|Which|Whether|Who|It)\b"
    r"|\b(of which|that which|what is not|in what|for what|so many)\b"
)
"""An opening or a phrase that a newcomer has to decode."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(path: Path) -> Iterator[Definition]:
    """Yield the functions and classes of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Definition):
            yield node


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the docstring of a module and of all that it defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | Definition):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", path.name), text
        if isinstance(node, ast.Module | ast.ClassDef):
            yield from constants(node.body)


def constants(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each constant that a string below it describes."""
    for first, second in pairwise(body):
        match first, second:
            case (
                ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(ast.Constant(str(text))),
            ):
                yield name, text


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring on one line."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`])", paragraph)[0]


def glossary() -> str:
    """Return the glossary's table of types: each exported type, its folder, its first sentence."""
    rows = ["| type | folder | a value is |", "|---|---|---|"]
    for layer in LAYERS:
        module = importlib.import_module(f"inception_dsl.{layer}")
        for name in sorted(getattr(module, "__all__", ())):
            exported = getattr(module, name)
            if inspect.isclass(exported):
                sentence = first_sentence(inspect.getdoc(exported) or "").replace("|", "\\|")
                rows.append(f"| `{name}` | `{layer.replace('.', '/')}` | {sentence} |")
    return "\n".join(rows) + "\n"


def test_the_glossary_lists_every_exported_type() -> None:
    """Run `python tests/test_house.py` to write the table anew."""
    assert glossary() in PAGE.read_text(encoding="utf-8")


def test_a_types_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in definitions(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    "path", [*MODULES, *OTHERS], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_docstrings_are_plain(path: Path) -> None:
    riddles = {name: text for name, text in docstrings(path) if RIDDLE.search(first_sentence(text))}
    assert riddles == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


def test_a_long_module_gives_its_reason() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MAX_LINES:
            assert REASON in (ast.get_docstring(ast.parse(text)) or ""), path


def main() -> None:
    """Write the glossary's table into the architecture page."""
    page = PAGE.read_text(encoding="utf-8")
    begin = page.index("| type | folder |")
    end = page.index("\n\n", begin) + 1 if "\n\n" in page[begin:] else len(page)
    PAGE.write_text(page[:begin] + glossary() + page[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
