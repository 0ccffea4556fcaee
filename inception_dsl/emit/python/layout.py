"""The layout of emitted code: lines of at most 100 columns that a formatter leaves unchanged."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from inception_dsl.channels import guard_commands
from inception_dsl.characters import is_printable
from inception_dsl.emit.python.code import (
    Assign,
    Blank,
    Block,
    Bracketed,
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
    Heading,
    Prefixed,
    Return,
    Statement,
)

WIDTH = 100
INDENT = "    "


def print_definition(definition: Definition) -> str:
    """Return the source of a class, a function, or a call of the module."""
    match definition:
        case Evaluate():
            return "\n".join(_statements([definition], depth=0))
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
            case Evaluate(code, remark):
                yield from _remarked(remark, layout("", code, depth=depth))
            case Return(code, remark):
                yield from _remarked(remark, layout("return ", code, depth=depth))
            case Block(head, body):
                yield f"{INDENT * depth}{head}:"
                yield from _statements(body, depth=depth + 1)
            case Blank():
                yield ""
            case Heading(text):
                yield f"{INDENT * depth}# {text}"


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
    if _fits(before, code, after, depth=depth):
        return [f"{pad}{before}{code}{after}"]
    match code:
        case Copies() | Construct():
            return _within_brackets(before, code, after, depth=depth)
        case Choice() | Chained():
            inner = _within_brackets("", code, depth=depth + 1)
            return [f"{pad}{before}(", *inner, f"{pad}){after}"]
        case _:
            return [f"{pad}{before}{code}{after}"]


def _fits(before: str, code: Code, after: str, *, depth: int) -> bool:
    """Tell whether code stands on one line; comments behind arguments need several."""
    has_remarks = isinstance(code, Construct) and any(code.remarks)
    return not has_remarks and len(f"{INDENT * depth}{before}{code}{after}") <= WIDTH


def _within_brackets(before: str, code: Code, after: str = "", *, depth: int) -> list[str]:
    """Return code that stands between brackets, where it needs none of its own over several lines.

    It is cut at the operators that bind least, and each piece is cut again if it is too long.
    """
    pad = INDENT * depth
    if _fits(before, code, after, depth=depth):
        return [f"{pad}{before}{code}{after}"]
    match code:
        case Copies():
            inner = _within_brackets("", code.code, depth=depth + 1)
            each = f"{pad}{INDENT}{code.each}"
            return [f"{pad}{before}*(", *inner, each, f"{pad}){after}"]
        case Choice(_, Construct(), _) if after:
            return layout(before, code, after, depth=depth)
        case Choice():
            return _alternatives(before, code, after, depth=depth)
        case Chained():
            pieces = [(own or before, each) for own, each in _cut(code)]
            ends = [*[""] * (len(pieces) - 1), after]
            return [
                line
                for (own, each), end in zip(pieces, ends, strict=True)
                for line in _within_brackets(own, each, end, depth=depth)
            ]
        case Prefixed(operand, operator):
            return _within_brackets(f"{before}{operator}", operand, after, depth=depth)
        case Bracketed(inside):
            inner = _within_brackets("", inside, depth=depth + 1)
            return [f"{pad}{before}(", *inner, f"{pad}){after}"]
        case Construct(callee, arguments, brackets, remarks) if arguments:
            first = f"{pad}{before}{callee}{brackets[0]}"
            inner = list(_arguments(arguments, remarks, depth=depth + 1))
            return [first, *inner, f"{pad}{brackets[1]}{after}"]
        case _:
            return [f"{pad}{before}{code}{after}"]


def _cut(chain: Chained) -> Iterator[tuple[str, Code]]:
    """Yield the pieces of a chain, with their operators; `and` and `or` cut alike."""
    for before, operand in chain.parts:
        is_condition = isinstance(operand, Chained) and {"and", "or"} & {*operand.operators}
        if isinstance(operand, Chained) and is_condition:
            (_, first), *others = _cut(operand)
            yield before, first
            yield from others
        else:
            yield before, operand


def _alternatives(before: str, code: Choice, after: str = "", *, depth: int) -> list[str]:
    """Return a choice with each value and each condition on a line; so are the choices in it."""
    lines = [
        *_within_brackets(before, code.code, depth=depth),
        *_within_brackets("if ", code.condition, depth=depth),
    ]
    if isinstance(code.other, Choice):
        return [*lines, *_alternatives("else ", code.other, after, depth=depth)]
    return [*lines, *_within_brackets("else ", code.other, after, depth=depth)]


def _arguments(
    arguments: Sequence[tuple[str, Code]], remarks: Sequence[str], *, depth: int
) -> Iterator[str]:
    """Yield arguments one a line, each with its comment; a chain that stands alone has no comma."""
    is_alone = len(arguments) == 1 and isinstance(arguments[0][1], Chained)
    for index, (name, argument) in enumerate(arguments):
        remark = remarks[index] if remarks else ""
        keyword, comma = f"{name}=" if name else "", "" if is_alone else ","
        yield from _remarked(remark, _within_brackets(keyword, argument, comma, depth=depth))


def docstring(paragraphs: Sequence[str], *, depth: int) -> list[str]:
    """Return a docstring; it stands on one line if it fits, or if nothing can be cut.

    The closing quotes stand alone below several lines. A formatter never leaves them below one.
    """
    pad = INDENT * depth
    first, *others = [prose(paragraph) for paragraph in paragraphs if paragraph]
    parts = _wrap(f'"""{first}' if others else f'"""{first}"""', WIDTH - len(pad))
    if not others:
        if len(parts) == 1:
            return [pad + parts[0]]
        parts[-1] = parts[-1].removesuffix('"""')
    lines = [pad + part for part in parts]
    for text in others:
        lines += ["", *(pad + part for part in _wrap(text, WIDTH - len(pad)))]
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
