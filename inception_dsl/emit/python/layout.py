"""Python source that a formatter leaves as it is: lines of at most 100 columns."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.characters import is_printable
from inception_dsl.emit.python.torch_table import Argument
from inception_dsl.expr import show

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Construct:
    """A call in code: `callee(a, name=b)`; an argument without a keyword has an empty name.

    A list is one too, without a callee and between square brackets. `remarks` stand behind the
    arguments of a call that is written over several lines.
    """

    callee: str
    arguments: tuple[tuple[str, Code], ...] = ()
    brackets: str = "()"
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={code}" if name else str(code) for name, code in self.arguments)
        return f"{self.callee}{self.brackets[0]}{inner}{self.brackets[1]}"


@dataclass(frozen=True, slots=True)
class Copies:
    """`*(code for _ in range(count))`: the arguments of a call, alike but for what `index` says."""

    code: Code
    count: str
    index: str = "_"

    def __str__(self) -> str:
        return f"*({self.code} {self.each})"

    @property
    def each(self) -> str:
        """What is done for every copy."""
        return f"for {self.index} in range({self.count})"


@dataclass(frozen=True, slots=True)
class Chained:
    """`a + b + c`: operands with one operator between each two."""

    operator: str
    operands: tuple[str, ...]

    def __str__(self) -> str:
        return f" {self.operator} ".join(self.operands)

    def lines(self, pad: str) -> list[str]:
        """It on one line, or one operand a line."""
        if len(f"{pad}{self}") <= WIDTH:
            return [f"{pad}{self}"]
        first, *others = self.operands
        return [f"{pad}{first}", *(f"{pad}{self.operator} {own}" for own in others)]


Code = str | Construct | Copies | Chained


def layout(before: str, code: Code, after: str = "", *, depth: int, remark: str = "") -> list[str]:
    """A statement over as few lines as fit: on one, or with one argument a line.

    Args:
        before: what stands before the code, such as `self.conv = `.
        after: what stands behind it, such as a comma.
        depth: levels of indentation.
        remark: a comment behind it.
    """
    pad = INDENT * depth
    line = f"{pad}{before}{code}{after}"
    behind = f"  # {remark}" if remark else ""
    if isinstance(code, Copies):
        if len(line + behind) <= WIDTH:
            return [line + behind]
        inner = layout("", code.code, depth=depth + 1)
        each = f"{pad}{INDENT}{code.each}"
        return [f"{pad}{before}*(", *inner, each, f"{pad}){after}{behind}"]
    if isinstance(code, Chained) and len(line) > WIDTH:
        return [f"{pad}{before}(", *code.lines(pad + INDENT), f"{pad}){after}{behind}"]
    if isinstance(code, str | Chained) or not code.arguments:
        return [line + behind if len(line + behind) <= WIDTH else line]
    if len(line + behind) <= WIDTH and not code.remarks:
        return [line + behind]
    lines = [f"{pad}{before}{code.callee}{code.brackets[0]}"]
    if len(code.arguments) == 1 and isinstance(only := code.arguments[0][1], Chained):
        return [*lines, *only.lines(pad + INDENT), f"{pad}{code.brackets[1]}{after}{behind}"]
    remarks = code.remarks or ("",) * len(code.arguments)
    for (name, argument), own in zip(code.arguments, remarks, strict=True):
        keyword = f"{name}=" if name else ""
        lines.extend(layout(keyword, argument, ",", depth=depth + 1, remark=own))
    return [*lines, f"{pad}{code.brackets[1]}{after}{behind}"]


def signature(name: str, params: list[str], result: str, *, depth: int) -> list[str]:
    """The head of a function, on one line or with one parameter a line."""
    pad = INDENT * depth
    line = f"{pad}def {name}({', '.join(params)}) -> {result}:"
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{pad}{INDENT}{param}," for param in params]
    return [f"{pad}def {name}(", *inner, f"{pad}) -> {result}:"]


def docstring(paragraphs: list[str], *, depth: int, items: list[str] | None = None) -> list[str]:
    """A docstring; on one line if it fits. Items are a list below its last paragraph."""
    pad = INDENT * depth
    texts = [prose(paragraph) for paragraph in paragraphs if paragraph]
    line = f'{pad}"""{texts[0]}"""'
    if len(texts) == 1 and len(line) <= WIDTH:
        return [line]
    lines: list[str] = []
    for index, text in enumerate(texts):
        before = '"""' if index == 0 else ""
        if index:
            lines.append("")
        lines.extend(pad + part for part in _wrapped(before + text, WIDTH - len(pad)))
    for item in items or ():
        lines.extend(pad + part for part in _wrapped(f"* {prose(item)}", WIDTH - len(pad), "  "))
    return [*lines, f'{pad}"""']


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def prose(text: str) -> str:
    r"""An author's text as it may stand in a docstring: on one line, with nothing that ends it.

    Example:
        >>> print(prose('a "quoted" name'))
        a \"quoted\" name
    """
    shown = "".join(char if is_printable(char) else " " for char in text)
    return " ".join(shown.replace("\\", "\\\\").replace('"', '\\"').split())


def literal(value: Argument) -> str:
    """A value as Python writes it."""
    match value:
        case bool():
            return str(value)
        case str():
            return repr(value)
        case (first, second):
            return f"({literal(first)}, {literal(second)})"
        case Decimal():
            return repr(float(value))
        case _:
            return show(value)
