"""The findings for a text that is no YAML: in words of this project, never in libyaml's.

libyaml names the token that it expected. A person needs the text that is there instead, and the
usual form in YAML. libyaml has a short list of phrases; for those that the table lacks, the message
is "not YAML".
"""

from __future__ import annotations

import re

from inception_dsl.diagnostics import Diagnostic, Fix, Label
from inception_dsl.source import Source, Span

MAX_FLOW = 2000
"""Maximum number of characters between the brackets of a list that a fix rewrites."""

_KEY = re.compile(r"[ \t]*(?:- +)*[A-Za-z_][\w.]*$")
_SHAPE = re.compile(r"->[ \t]*([0-9]+(?:x[0-9]+x[0-9]+)?)")

_MESSAGES = (
    ("scanning a directive", "directives are not part of the language"),
    ("scanning an anchor", "anchors are not part of the language"),
    ("scanning an alias", "aliases are not part of the language"),
    ("scanning a tag", "tags are not part of the language"),
    ("parsing a tag", "tags are not part of the language"),
    ("mapping values", "`: ` begins a mapping here, where text stands"),
    ("block sequence entries", "a list begins behind a key, on its line"),
    ("mapping keys", "`?` begins a key of several lines here"),
    ("expected ',' or ']'", "a comma or the closing `]` is missing before this"),
    ("expected ',' or '}'", "a comma or the closing `}` is missing before this"),
    ("expected node content", "a value is missing here"),
    ("expected ':'", "a key without `: ` stands here"),
    ("expected '-' indicator", "a line without `- ` stands in a list here"),
    ("tab character", "a tab stands where YAML wants spaces"),
    ("unknown escape", "this is no escape of YAML in double quotes"),
    ("escape code", "this escape names no character"),
    ("<document start>", "this stands behind the end of the spec"),
    ("document indicator", "a document ends here, within quotes"),
    ("directive", "directives are not part of the language"),
    ("control characters", "a control character stands here"),
    ("comment or line break", "text stands behind the sign of a block of text"),
)
"""Parts of libyaml's phrases, with the messages that replace them."""

_HELPS = {
    "block sequence entries": "begin the list on the next line, or write it in brackets",
    "expected '-' indicator": "begin every item of the list with `- `, as far in as the first",
    "tab character": "indent with spaces: YAML takes no tabs",
    "unknown escape": "write the text in single quotes, where a backslash is a backslash",
}


def not_yaml(source: Source, problem: str, index: int, context: int | None) -> Diagnostic:
    """Return E002 for a text that libyaml cannot read.

    Args:
        problem: libyaml's phrase.
        index: the character at which it stopped.
        context: the character at which the part began that it was reading, if it tells.
    """
    here = Span(source, index, index + 1)
    opened = source.text[context : context + 1] if context is not None else ""
    if "end of stream" in problem and context is not None:
        start = Span(source, context, context + 1)
        return Diagnostic("E002", "the quotes that open here are not closed", (Label(start),))
    if "cannot start any token" in problem:
        return _no_start(here)
    if "mapping values" in problem and (misplaced := _misplaced_key(here)) is not None:
        return misplaced
    if "expected ':'" in problem and context is not None:
        return _no_colon(source, context)
    if "expected key" in problem:
        return _no_key(here)
    part = next((part for part, _ in _MESSAGES if part in problem), "")
    message = dict(_MESSAGES).get(part, "this is not YAML")
    help = _HELPS.get(part)
    if part == "mapping values":
        help = "put quotes around text that has `: ` in it"
    labels = [Label(here)]
    if context is not None and opened in ("[", "{"):
        labels.append(Label(Span(source, context, context + 1), "opened here"))
    return Diagnostic("E002", message, tuple(labels), help=help)


def _no_start(here: Span) -> Diagnostic:
    """Return the finding for a character with which no text can begin."""
    if here.text == "\t":
        message, help = "a tab stands where YAML wants spaces", "indent with spaces"
        return Diagnostic("E002", message, (Label(here),), help=help)
    message = f"no text begins with `{here.text}` in YAML"
    return Diagnostic("E002", message, (Label(here),), help="put quotes around the text")


def _misplaced_key(here: Span) -> Diagnostic | None:
    """Return the finding for a key whose indentation makes it part of the text before it."""
    source, start = here.source, here.source.line_starts[here.line - 1]
    if here.line == 1 or not _KEY.fullmatch(source.text[start : here.start]):
        return None
    key = source.text[start : here.start]
    blank = len(key) - len(key.lstrip())
    span = Span(source, start + blank, here.start)
    message = f"the key `{span.text}` goes on with the text of the line before"
    help = "indent it as the other keys, and give the line before a key of its own"
    return Diagnostic("E002", message, (Label(span),), help=help)


def _no_colon(source: Source, start: int) -> Diagnostic:
    """Return the finding for a line that stands among keys or items and is neither.

    Args:
        start: the first character of its text.
    """
    end = source.text.find("\n", start)
    line = Span(source, start, end if end >= 0 else len(source.text))
    line = line.part(0, max(1, len(line.text.rstrip())))
    fix = None
    if item := re.fullmatch(r"-(\w.*)", line.text):
        fix = Fix(line, f"- {item[1]}")
    message = "this line is neither a key with `: ` behind it nor an item with `- ` before it"
    return Diagnostic("E002", message, (Label(line),), fix=fix)


def _no_key(here: Span) -> Diagnostic:
    """Return the finding for a text at a place where a mapping should continue with a key."""
    source = here.source
    before = source.text[max(0, here.start - MAX_FLOW) : here.start]
    line = before.rpartition("\n")[2].rstrip()
    if not line:
        message = "this line is indented differently from the lines that it belongs to"
        return Diagnostic("E002", message, (Label(here),))
    end = source.text.find("\n", here.start)
    rest = Span(source, here.start, end if end >= 0 else len(source.text))
    rest = rest.part(0, max(1, len(rest.text.rstrip())))
    shape = _SHAPE.fullmatch(rest.text)
    if shape is not None and line.endswith(("]", "}")):
        return _shape_of_a_list(rest, line, shape[1])
    what = {"]": "a list", "}": "a mapping"}.get(line[-1], "a quoted text")
    message = f"`{rest.text}` stands behind the end of {what}"
    return Diagnostic("E002", message, (Label(rest),))


def _shape_of_a_list(note: Span, line: str, shape: str) -> Diagnostic:
    """Return the finding for a shape note behind a body in brackets.

    Args:
        note: the note, with its arrow.
        line: the text before it on its line.
    """
    message = "`->` notes the shape of a step, and a body in brackets stands before it"
    help = f"give the body's shape by `out`, as in `{{steps: [...], out: {shape}}}`"
    start = _opening(line)
    fix = None
    if start is not None:
        body = line[start:]
        text = f"{body[:-1]}, out: {shape}}}"
        if body.startswith("["):
            text = f"{{steps: {body}, out: {shape}}}"
        first = note.source.line_starts[note.line - 1] + start
        fix = Fix(Span(note.source, first, note.end), text)
    return Diagnostic("E002", message, (Label(note),), help=help, fix=fix)


def _opening(line: str) -> int | None:
    """Return where the bracket opens that the last character of a line closes."""
    depth = 0
    for place in range(len(line) - 1, -1, -1):
        if line[place] in "]}":
            depth += 1
        elif line[place] in "[{":
            depth -= 1
            if depth == 0:
                return place
    return None
