"""Files that are not as they should be, as findings: generated ones, and specs without format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.driver.writing import Artifact
from inception_dsl.source import Source, Span
from inception_dsl.spec.project import project_root


def list_stale(
    stale: Iterable[Artifact], orphans: Iterable[Path], find_command: Callable[[Path], str]
) -> Iterator[Diagnostic]:
    """Yield a finding for each generated file that is not what its spec makes.

    Args:
        orphans: generated files and folders that no spec makes.
        find_command: returns the command that makes a file.
    """
    for artifact in stale:
        name, help = _name(artifact.path), f"run `{find_command(artifact.path)}`"
        old = artifact.read()
        if old is None:
            yield Diagnostic("E504", f"`{name}` is not there, and a spec makes it", help=help)
            continue
        text = None if artifact.is_binary else old.decode("utf-8-sig", errors="replace")
        label = _label(artifact, text, "the spec makes another line here")
        yield Diagnostic("E504", f"`{name}` is not what its spec makes", (label,), help=help)
    for path in orphans:
        yield Diagnostic("E504", f"no spec makes `{_name(path)}`", help="delete it")


def list_unformatted(stale: Iterable[tuple[Artifact, str]]) -> Iterator[Diagnostic]:
    """Yield a finding for each spec whose steps are not in their one form.

    Args:
        stale: the files as they should be, each with the command that formats it.
    """
    for artifact, command in stale:
        label = _label(artifact, artifact.basis, "the first line that `fmt` changes")
        message = f"`{_name(artifact.path)}` is not formatted"
        yield Diagnostic("E505", message, (label,), help=f"run `{command}`")


def _label(artifact: Artifact, old: str | None, remark: str) -> Label:
    """Return the first line of a file that is not as it should be.

    Args:
        old: the present text; None for a file of bytes, which has no lines.
    """
    source = Source(_name(artifact.path), old or "", artifact.locate())
    pairs = zip_longest(source.text.split("\n"), artifact.text.split("\n") if old else ())
    changed = (index for index, (one, other) in enumerate(pairs) if one != other)
    first = min(next(changed, 0), len(source.line_starts) - 1)
    start = source.line_starts[first]
    return Label(Span(source, start, start + len(source.line(first + 1).rstrip())), remark)


def _name(path: Path) -> str:
    """Return the path of a file from the root of its project."""
    root = project_root(path.parent.resolve())
    inside = path.resolve()
    return printable(str(inside.relative_to(root) if inside.is_relative_to(root) else path))
