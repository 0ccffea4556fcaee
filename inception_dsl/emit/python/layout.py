"""The layout of emitted code: lines of at most 100 columns that a formatter leaves unchanged."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from inception_dsl.channels import guard_commands
from inception_dsl.characters import is_printable
from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Blank,
    Block,
    Chained,
    Choice,
    Class,
    Code,
    Construct,
    Copies,
    Definition,
    Evaluate,
    Excerpt,
    Function,
    Return,
    Statement,
)

WIDTH = 100
INDENT = "    "


def print_definition(definition: Definition) -> str:
    """Return the source of a class or a function."""
    match definition:
        case Excerpt(text=text):
            return text
        case Class():
            return "\n".join(_class(definition))
        case Function():
            return "\n".join(_function(definition, depth=0))


def _class(definition: Class) -> Iterator[str]:
    yield f"class {definition.name}({definition.base}):"
    yield from docstring(definition.doc, depth=1)
    if definition.members:
        yield ""
    for member in definition.members:
        yield from _remarked(member.remark, [f"{INDENT}{member.name}: {member.type}"])
    for method in definition.methods:
        yield ""
        yield from _function(method, depth=1)


def _function(function: Function, *, depth: int) -> Iterator[str]:
    params = ["self"] if function.is_method else []
    params += map(str, function.params)
    if function.keywords:
        params += ["*", *map(str, function.keywords)]
    yield from _signature(function.name, params, str(function.result), depth=depth)
    if function.doc:
        yield from docstring(function.doc, depth=depth + 1)
    yield from _statements(function.body, depth=depth + 1)


def _signature(name: str, params: list[str], result: str, *, depth: int) -> list[str]:
    """Return the head of a function, on one line or with one parameter a line."""
    pad = INDENT * depth
    line = f"{pad}def {name}({', '.join(params)}) -> {result}:"
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{pad}{INDENT}{param}," for param in params]
    return [f"{pad}def {name}(", *inner, f"{pad}) -> {result}:"]


def _statements(statements: Iterable[Statement], *, depth: int) -> Iterator[str]:
    for statement in statements:
        match statement:
            case Assign(target, code, type, remark):
                typed = "" if type is None else f": {type}"
                yield from _remarked(remark, layout(f"{target}{typed} = ", code, depth=depth))
            case Evaluate(code):
                yield from layout("", code, depth=depth)
            case Return(code, remark):
                yield from _remarked(remark, layout("return ", code, depth=depth))
            case Block(head, body):
                yield f"{INDENT * depth}{head}:"
                yield from _statements(body, depth=depth + 1)
            case Blank():
                yield ""


def _remarked(remark: str, lines: list[str]) -> list[str]:
    """Return a statement with a comment: behind its last line if it fits there, else above it."""
    if not remark:
        return lines
    *others, last = lines
    if len(f"{last}  # {remark}") <= WIDTH:
        return [*others, f"{last}  # {remark}"]
    pad = " " * (len(lines[0]) - len(lines[0].lstrip()))
    above = _wrap(remark, WIDTH - len(pad) - 2)
    return [*(f"{pad}# {line}" for line in above), *lines]


def layout(before: str, code: Code, after: str = "", *, depth: int) -> list[str]:
    """Return a statement over as few lines as fit: on one, or with one argument a line.

    Args:
        before: the text before the code, such as `self.conv = `.
        after: the text behind it, such as a comma.
        depth: levels of indentation.
    """
    pad = INDENT * depth
    line = f"{pad}{before}{code}{after}"
    has_remarks = isinstance(code, Construct) and any(code.remarks)
    if len(line) <= WIDTH and not has_remarks:
        return [line]
    match code:
        case Copies():
            inner = layout("", code.code, depth=depth + 1)
            each = f"{pad}{INDENT}{code.each}"
            return [f"{pad}{before}*(", *inner, each, f"{pad}){after}"]
        case Choice(_, Atom(), _) if after == ",":
            return _alternatives(before, code, after, depth=depth)
        case Choice():
            inner = [f"{pad}{INDENT}{code}"]
            if len(inner[0]) <= WIDTH:
                return [f"{pad}{before}(", *inner, f"{pad}){after}"]
            inner = _alternatives("", code, depth=depth + 1)
            return [f"{pad}{before}(", *inner, f"{pad}){after}"]
        case Chained():
            return [f"{pad}{before}(", *_operands(code, pad + INDENT), f"{pad}){after}"]
        case Construct(callee, arguments, brackets, remarks) if arguments:
            first = f"{pad}{before}{callee}{brackets[0]}"
            inner = list(_arguments(arguments, remarks, depth=depth + 1))
            return [first, *inner, f"{pad}{brackets[1]}{after}"]
        case _:
            return [line]


def _alternatives(before: str, code: Choice, after: str = "", *, depth: int) -> list[str]:
    """Return a choice with each value and each condition on a line; so are the choices in it."""
    lines = [
        *layout(before, code.code, depth=depth),
        *layout("if ", code.condition, depth=depth),
    ]
    if isinstance(code.other, Choice):
        return [*lines, *_alternatives("else ", code.other, after, depth=depth)]
    return [*lines, *layout("else ", code.other, after, depth=depth)]


def _arguments(
    arguments: Sequence[tuple[str, Code]], remarks: Sequence[str], *, depth: int
) -> Iterator[str]:
    """Yield arguments one a line, each with its comment."""
    if len(arguments) == 1 and isinstance(only := arguments[0][1], Chained):
        yield from _operands(only, INDENT * depth)
        return
    for index, (name, argument) in enumerate(arguments):
        remark = remarks[index] if remarks else ""
        keyword = f"{name}=" if name else ""
        yield from _remarked(remark, layout(keyword, argument, ",", depth=depth))


def _operands(code: Chained, pad: str) -> list[str]:
    """Return a chain on one line, or one operand a line."""
    if len(f"{pad}{code}") <= WIDTH:
        return [f"{pad}{code}"]
    first, *others = code.operands
    return [f"{pad}{first}", *(f"{pad}{code.operator} {operand}" for operand in others)]


def docstring(paragraphs: Sequence[str], *, depth: int) -> list[str]:
    """Return a docstring; it stands on one line if it fits."""
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
        lines.extend(pad + part for part in _wrap(before + text, WIDTH - len(pad)))
    return [*guard_commands("\n".join(lines)).split("\n"), f'{pad}"""']


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def prose(text: str) -> str:
    r"""Return an author's text for a docstring: on one line, and escaped so that it cannot end it.

    A job that prints the module obeys no command in it.

    Example:
        >>> print(prose('a "quoted" name ##[error]'))
        a \"quoted\" name #?[error]
    """
    shown = "".join(char if is_printable(char) else " " for char in text)
    escaped = guard_commands(shown).replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(escaped.split())
