"""docs/api.md is made of the docstrings of the public names.

python tests/test_api_page.py        # write the page as the docstrings are now
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import inception_dsl as idsl

PAGE = Path(__file__).parents[1] / "docs" / "api.md"

HEAD = """\
# The Python API

```python
import inception_dsl as idsl
```

Every name below is an attribute of `inception_dsl`. Only `Network.module`, `Network.verify`,
`trace`, `port`, `verify`, `carry_weights`, and targets such as `timm:resnet50`, need torch, which
`pip install 'inception-dsl[torch]'` brings; `sweep` needs numpy, which
`pip install 'inception-dsl[sweep]'` brings, and data frames need pandas, which
`pip install 'inception-dsl[pandas]'` brings. Names and signatures are promises; a field may be
added to a type. This page is made of the docstrings.
"""

SECTIONS: dict[str, list[str]] = {
    "Load a network": ["load", "list", "KnownNetwork", "trace", "Network", "Figure", "Param"],
    "Compare two networks": ["diff", "Changes"],
    "Count a grid of networks": ["sweep", "SweepTable"],
    "Hold a module against a spec": ["verify", "Verification", "DepartureError"],
    "Reports": [
        "Record",
        "CostReport",
        "CostRow",
        "Totals",
        "Group",
        "MemoryReport",
        "Field",
        "Windows",
    ],
    "Costs as formulas": ["SymbolicCost", "Piece", "ExactPolynomial"],
    "Counts by tools, times on devices": [
        "ConventionCount",
        "RooflineReport",
        "PassTime",
        "Device",
    ],
    "Checkpoints": ["port", "read_plan", "carry_weights", "WeightPlan"],
    "Errors and warnings": [
        "SpecError",
        "MissingExtraError",
        "CheckpointError",
        "Diagnostic",
        "Label",
        "Span",
        "Source",
    ],
    "Models": ["Model", "TensorType"],
}

PARAM = "The value of a network's parameter: a number, or a word of an op such as `relu`."
RECORD = "It is a [Record](#record), with `to_dict`, `to_json` and `to_frame`.\n"
WIDTH = 76
"""Maximum number of characters of a signature on one line: what a page of the site shows."""

_HEADING = re.compile(
    r"^(Args|Attributes|Returns|Raises|Example|Units|Shape|Source|Refuses):(.*)$", re.MULTILINE
)


def make_page() -> str:
    parts = [HEAD]
    for section, names in SECTIONS.items():
        parts.append(f"## {section}\n")
        for name in names:
            parts += describe(name, getattr(idsl, name))
    return "\n".join(parts)


def describe(name: str, item: Any) -> list[str]:
    if name == "Param":
        return [f"### Param\n\n`int | float | str`\n\n{PARAM}\n"]
    if inspect.isfunction(item):
        return [f"### {name}\n", signature(name, item), markdown(item)]
    parts = [f"### {name}\n", markdown(item)]
    if item is not idsl.Record and issubclass(item, idsl.Record):
        parts.append(RECORD)
    if dataclasses.is_dataclass(item):
        fields = [own for own in dataclasses.fields(item) if not own.name.startswith("_")]
        rows = "\n".join(f"{own.name}: {own.type}" for own in fields if own.init)
        parts.append(f"```python\n{rows}\n```\n")
    elif hasattr(item, "_fields"):  # a named tuple, whose annotations are references to texts
        kinds = {
            key: getattr(kind, "__forward_arg__", kind)
            for key, kind in vars(item)["__annotations__"].items()
        }
        rows = "\n".join(f"{own}: {kinds[own]}" for own in item._fields)
        parts.append(f"```python\n{rows}\n```\n")
    for member_name, member in vars(item).items():
        if member_name.startswith("_"):
            continue
        if isinstance(member, property):
            kind = inspect.signature(member.fget).return_annotation if member.fget else ""
            text = markdown(member).replace("Return ", "", 1)
            parts.append(f"#### {name}.{member_name}: `{kind}`\n\n{text[0].upper()}{text[1:]}")
        elif inspect.isfunction(member):
            parts += [
                f"#### {name}.{member_name}\n",
                signature(f"{name}.{member_name}", member),
                markdown(member),
            ]
    return parts


def signature(name: str, function: Any) -> str:
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    own = shown.replace("(self, ", "(").replace("(self)", "()")
    if len(name + own) > WIDTH:
        own = break_lines(own)
    return f"```python\n{name}{own}\n```\n"


def break_lines(shown: str) -> str:
    """Return a signature with each parameter on a line of its own."""
    depth, parts = 0, [""]
    inside, _, result = shown[1:].rpartition(")")
    for letter in inside:
        depth += (letter in "[({") - (letter in "])}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    lines = "".join(f"    {part.strip()},\n" for part in parts)
    return f"(\n{lines}){result}"


def markdown(item: Any) -> str:
    """Return a docstring as Markdown: its sections as lists, its examples as code."""
    text = inspect.cleandoc(item.__doc__ or "")
    head, *rest = _HEADING.split(text)
    parts = [head.strip() + "\n"]
    for title, line, body in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        content = inspect.cleandoc(f"{line.strip()}\n{body}").strip()
        if title == "Example" and ">>>" in content:
            parts.append(f"```pycon\n{content}\n```\n")
        elif title in ("Args", "Attributes", "Raises"):
            parts.append(f"{title}:\n\n{items(content)}\n")
        else:
            parts.append(f"{title}: {' '.join(content.split())}\n")
    return "\n".join(parts)


def items(content: str) -> str:
    """Return lines such as `name: text`, and those that go on below, as a list."""
    entries: list[str] = []
    for line in content.splitlines():
        if line.startswith(" "):
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line)
    return "\n".join(re.sub(r"^([^:]+): ", r"- `\1`: ", own) for own in entries)


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == make_page(), "write it with: python tests/test_api_page.py"


def test_the_page_has_every_public_name() -> None:
    names = [name for names in SECTIONS.values() for name in names]
    assert sorted(names) == sorted({*dir(idsl)} - {"__version__"})


def test_every_public_member_has_a_docstring() -> None:
    for name in {*idsl.__all__} - {"__version__", "Param"}:
        item = getattr(idsl, name)
        members = vars(item).items() if inspect.isclass(item) else ()
        for member_name, member in ((name, item), *members):
            if not member_name.startswith("_") and (
                inspect.isfunction(member) or isinstance(member, property) or member is item
            ):
                assert member.__doc__, f"{name}.{member_name}"


if __name__ == "__main__":
    PAGE.write_text(make_page())
