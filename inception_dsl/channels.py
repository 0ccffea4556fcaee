r"""The ways out of an author's text: one function for each channel that shows it.

Anybody can write a spec, and a terminal, the log of a CI job, a comment of a pull request, a
spreadsheet and a viewer of SVG each read some characters as commands. Every emitter and every
command sends text that it has not written itself through the function of its channel. Text that is
already safe stays as it is. DOT and Mermaid have their own quoting, beside their writers.

GitHub's runner reads two forms of commands in the output of a step: `::name::` at the start of a
line, behind blanks, and `##[name]` anywhere. Azure Pipelines and TeamCity have forms like the
second. Characters that such a reader may skip when it compares texts do not protect.
"""

from __future__ import annotations

import re
from html import escape

from inception_dsl.characters import UNPRINTABLE, is_wide

# Patterns are texts, which `re` compiles when they are first used: most commands use few of them.

_SKIPPED = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
"""Characters that are drawn as nothing and that `UNPRINTABLE` does not have."""

_BLANK = "[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
_UNPRINTABLE_BUT_NEWLINE = f"(?!\n){UNPRINTABLE}"
_COMMAND = f"(#[{_SKIPPED}]*)#(?=[{_SKIPPED}]*[A-Za-z]*\\[)"
_LINE_COMMAND = f"(?m)^([\\s{_SKIPPED}]*):(?=[{_SKIPPED}]*:)"

_PLAIN = r"[A-Za-z0-9,%]+(?: [A-Za-z0-9,%]+)*"
"""Text that Markdown shows as it stands, as are most numbers and names of a table."""

_MARKUP = r"([\\`*\[\]()#|~$!])"
_LOOSE_UNDERSCORE = r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
_LINE_MARKUP = r"^(?:(?=[-+=:])|([0-9]+)(?=[.)]))"
_LINKED = (
    r"(?i)@(?=\w)|#(?=[0-9])|\bGH(?=-[0-9])|:(?=//)|\bwww(?=\.)|:(?=[+-]1:|[0-9_]*[a-z][\w+-]*:)"
)
"""Text behind which GitHub sees a mention, a reference, a link or an emoji.

Neither a backslash nor an entity hides them, because GitHub searches the rendered text.
"""

_SPACE_OF_NO_WIDTH = "&#8203;"
_FORMULA = ("=", "+", "-", "@")


def printable(text: str) -> str:
    r"""Replace characters that steer a terminal or a job's runner, column for column.

    A blank of any kind becomes a space, and all else a question mark.

    Example:
        >>> print(printable("a\tred \x1b[31mtitle\n##[error]x"))
        a red ?[31mtitle?#?[error]x
    """
    if text.isascii() and text.isprintable() and "##" not in text:
        return text
    return escape_commands(re.sub(UNPRINTABLE, "?", re.sub(_BLANK, " ", text)))


def spell_out(text: str) -> str:
    r"""Name the invisible characters of a sentence.

    Example:
        >>> print(spell_out("`\u200b` starts no word"))
        `U+200B` starts no word
    """
    return escape_commands(re.sub(UNPRINTABLE, lambda match: f"U+{ord(match[0]):04X}", text))


def guard_lines(text: str) -> str:
    r"""Make whole lines of text safe for a terminal and for a job's runner.

    Example:
        >>> print(guard_lines("   ::error::x\nfine \x07"))
           ?:error::x
        fine ?
    """
    return guard_commands(re.sub(_UNPRINTABLE_BUT_NEWLINE, "?", re.sub(_BLANK, " ", text)))


def guard_commands(text: str) -> str:
    """Make whole lines of text safe for a job's runner, and leave all else as it is."""
    return re.sub(_LINE_COMMAND, r"\1?", escape_commands(text))


def escape_commands(text: str, sign: str = "?") -> str:
    """Write the last `#` of each `##[` in the words of a format, or as a question mark."""
    return re.sub(_COMMAND, lambda match: f"{match[1]}{sign}", text)


def count_columns(text: str) -> int:
    r"""Count the columns that a terminal gives to printable text.

    Example:
        >>> count_columns("conv"), count_columns("\u6f22\u5b57"), count_columns("e\u0301")
        (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining

    return sum(0 if combining(char) else 2 if is_wide(char) else 1 for char in text)


def markdown_text(text: str) -> str:
    r"""Write text as Markdown that shows it and nothing else, on one line.

    A space of no width breaks what GitHub would link.

    Example:
        >>> print(markdown_text("*Fig* 4 by @octocat, #1\n<b>"))
        \*Fig\* 4 by @&#8203;octocat, \#&#8203;1 &lt;b&gt;
    """
    if re.fullmatch(_PLAIN, text):
        return text
    folded = " ".join(re.sub(UNPRINTABLE, " ", text).split())
    escaped = re.sub(_MARKUP, r"\\\1", escape(folded, quote=False))
    # Between letters an underscore is one; elsewhere it would be emphasis.
    escaped = re.sub(_LOOSE_UNDERSCORE, r"\\_", escaped)
    return re.sub(_LINKED, rf"\g<0>{_SPACE_OF_NO_WIDTH}", escaped)


def markdown_line(text: str) -> str:
    r"""Write text as Markdown that begins a line: neither a list, nor a rule, nor a command.

    Example:
        >>> print(markdown_line("1. step"), markdown_line("- step"))
        1\. step \- step
    """
    return re.sub(_LINE_MARKUP, r"\1\\", markdown_text(text))


def markdown_code(text: str) -> str:
    r"""Write text as a code span of Markdown; GitHub links nothing there.

    Example:
        >>> print(markdown_code("conv"), markdown_code("a ` @b"))
        `conv` ``a ` @b``
    """
    shown = " ".join(printable(text).split()) or " "
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    gap = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{gap}{shown}{gap}{fence}"


_LIGATURE = r"([-,'])(?=\1)"
"""The first of two signs that TeX sets as another one."""

_TEX = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "%": "\\%",
    "_": "\\_",
    "^": "\\textasciicircum{}",
    "~": "$\\sim$",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\char34{}",
    "`": "\\char96{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
"""The characters that TeX reads as commands, or as the argument of one."""


def latex_text(text: str) -> str:
    r"""Write text as LaTeX that prints it and does nothing else, on one line.

    Letters beyond Latin ones need a TeX with Unicode fonts, such as LuaLaTeX.

    Example:
        >>> print(latex_text("100 % \\input{a} \n[b_1]"))
        100 \% \textbackslash{}input\{a\} {[}b\_1{]}
    """
    folded = " ".join(re.sub(UNPRINTABLE, " ", text).split())
    escaped = "".join(_TEX.get(char, char) for char in folded)
    return escape_commands(re.sub(_LIGATURE, r"\1{}", escaped))


def csv_cell(value: object) -> object:
    r"""Write a cell of CSV: numbers as they are, text so that no spreadsheet computes it.

    Example:
        >>> csv_cell(-3), csv_cell("=1+1"), csv_cell("conv\r")
        (-3, "'=1+1", 'conv?')
    """
    if not isinstance(value, str):
        return value
    shown = guard_commands(printable(value))
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def xml_text(text: str, *, quote: bool = True, keeps_lines: bool = False) -> str:
    r"""Write text as XML, within an element or, with `quote`, within a quoted attribute.

    Args:
        keeps_lines: the text may have several lines.

    Example:
        >>> print(xml_text("a < \"b\"\x00 ##[error]"))
        a &lt; &quot;b&quot;  #&#35;[error]
    """
    hidden = _UNPRINTABLE_BUT_NEWLINE if keeps_lines else UNPRINTABLE
    escaped = escape_commands(escape(re.sub(hidden, " ", text), quote=quote), "&#35;")
    return re.sub(_LINE_COMMAND, r"\1&#58;", escaped) if keeps_lines else escaped


def json_line(document: object) -> str:
    r"""Write a document as one line of JSON: ASCII, which no job's runner obeys.

    Example:
        >>> print(json_line({"title": "\u00dc ##[error]"}), end="")
        {"title": "\u00dc #\u0023[error]"}
    """
    import json

    return escape_commands(json.dumps(document), "\\u0023") + "\n"


def json_text(document: object) -> str:
    r"""Write a document as JSON: ASCII, on lines that no job's runner obeys.

    Example:
        >>> print(json_text({"title": "\u00dc ##[error]"}), end="")
        {
          "title": "\u00dc #\u0023[error]"
        }
    """
    import json

    return escape_commands(json.dumps(document, indent=2), "\\u0023") + "\n"
