"""The layout of emitted code is that of a formatter."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

from inception_dsl.emit.python.code import Atom, Choice, Code, Construct
from inception_dsl.emit.python.layout import WIDTH, layout


def _nested(names: int, length: int) -> Code:
    """Return a choice among `names` values, each and each condition of `length` letters."""
    code: Code = Atom("z" * length)
    for index in range(names - 1):
        letter = chr(ord("a") + index)
        code = Choice(Atom(f"{letter.upper() * length} > 1"), Atom(letter * length), code)
    return code


def test_a_formatter_has_nothing_to_say_to_choices_of_choices() -> None:
    lines = []
    for names, length in product((2, 3, 4), range(5, 40, 3)):
        choice = _nested(names, length)
        lines += layout("value = ", choice, depth=0)
        lines += layout(
            "value = ", Construct(Atom("call"), (("", choice), ("key", choice))), depth=0
        )
    source = "\n".join(lines) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated"]
    command += ["--line-length", str(WIDTH), "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
