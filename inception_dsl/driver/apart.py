"""A network of code that a process of its own imports, within a time limit.

Two versions of one package have the same names, so that one process could not import both. The
process writes down what it finds as JSON; this one reads it back, and runs nothing of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.driver.references import NamedInput
from inception_dsl.source import Source, Span
from inception_dsl.spec.files import (
    CodeDraw,
    CodeForm,
    CodeNetwork,
    CodeStep,
    CodeTensor,
    CodeTraining,
    IdleTensor,
    SpecFile,
)
from inception_dsl.spec.memory import hold_text
from inception_dsl.spec.target import is_file_target

SECONDS = 120
"""Maximum number of seconds that the import of one network may take."""

_Json = dict[str, Any]


def import_apart(
    reference: str, *, folder: Path, root: Path, tree: Path, label: str, input: NamedInput = None
) -> SpecFile:
    """Return the spec of a target, which another process imports.

    Args:
        folder: the folder that files and packages are named from.
        root: the folder of the files that are the network's own.
        tree: the working tree in whose place `root` stands: none of its files may run.
        label: the text before the names of these files and of the target, such as `main:`.
        input: as for `import_target`.

    Raises:
        SpecError: as for `import_target`; E702, it imports a file of `tree`; E704, it takes too
            long, or ends the process.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.bridge import require_torch

    if not is_file_target(reference):
        require_torch()
    places = {"folder": str(folder), "root": str(root), "tree": str(tree)}
    request = {"reference": reference, "input": input, **places}
    with tempfile.TemporaryDirectory() as place:
        result = Path(place, "result.json")
        # `-P`: no file of the network's own folder stands in for one of ours.
        command = [sys.executable, "-P", "-m", __name__, str(result)]
        problem = None
        try:
            subprocess.run(  # noqa: S603 - no shell, and no argument of a person
                command,
                input=json.dumps(request),
                text=True,
                cwd=folder,
                env=_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"takes more than {SECONDS} seconds to run"
        if problem is None and not result.is_file():
            problem = "ends the process that runs it"
        if problem is not None:
            raise SpecError([Diagnostic("E704", f"`{label}{reference}` {problem}")])
        document = json.loads(result.read_text(encoding="utf-8"))
    reader = _Reader.make(document["sources"], root, label)
    if "findings" in document:
        raise SpecError([reader.read_finding(finding) for finding in document["findings"]])
    notes = tuple(map(reader.read_finding, document["notes"]))
    name = str(document["name"])
    return hold_text(
        document["text"],
        name=name,
        reference=f"{label}{reference}",
        folder=folder,
        notes=notes,
        code=reader.read_code(document["code"]),
    )


def _environment() -> dict[str, str]:
    """Return the variables of this process, with which another one finds this package."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@dataclass(frozen=True, slots=True)
class _Reader:
    """A reader of spans, given the files that they are in."""

    sources: Sequence[Source]

    @classmethod
    def make(cls, sources: Sequence[_Json], root: Path, label: str) -> _Reader:
        """Return a reader; files below `root` are named from there, behind `label`."""
        made = []
        for source in sources:
            name = str(source["name"])
            if source["path"] is not None:
                path = Path(source["path"]).resolve()
                inside = path.relative_to(root) if path.is_relative_to(root) else Path(name)
                name = f"{label}{inside.as_posix()}"
            made.append(Source(name, source["text"]))
        return cls(made)

    def read_span(self, span: Sequence[int]) -> Span:
        source, start, end = span
        return Span(self.sources[source], start, end)

    def read_finding(self, finding: _Json) -> Diagnostic:
        return Diagnostic(
            finding["code"],
            finding["message"],
            tuple(Label(self.read_span(span), text) for span, text in finding["labels"]),
            tuple(finding["notes"]),
            finding["help"],
            level=finding["level"],
        )

    def read_code(self, code: _Json) -> CodeNetwork:
        return CodeNetwork(
            tensors={
                key: CodeTensor(name, tuple(shape), number)
                for key, name, shape, number in code["tensors"]
            },
            steps={path: self._read_step(step) for path, step in code["steps"].items()},
            idle=tuple(
                IdleTensor(key, tuple(shape), self._read_lines(lines), twin, number)
                for key, shape, lines, twin, number in code["idle"]
            ),
            fixed=frozenset(code["fixed"]),
            draws=tuple(
                CodeDraw(module, kind, share, self._read_lines(lines))
                for module, kind, share, lines in code["draws"]
            ),
            training=self._read_training(code["training"]),
            form=self._read_form(*code["form"]),
        )

    def _read_form(self, text: str, lines: Sequence[Sequence[int]], argument: str) -> CodeForm:
        return CodeForm(text, self._read_lines(lines), argument)

    def _read_training(self, training: Sequence[Any] | None) -> CodeTraining | None:
        if training is None:
            return None
        why, calls, lines = training
        return CodeTraining(why, None if calls is None else tuple(calls), self._read_lines(lines))

    def _read_step(self, step: _Json) -> CodeStep:
        return CodeStep(
            step["module"],
            self._read_lines(step["lines"]),
            step["is_built"],
            self._read_lines(step["norm_lines"]),
            self._read_lines(step["act_lines"]),
        )

    def _read_lines(self, lines: Sequence[Sequence[int]]) -> tuple[Span, ...]:
        return tuple(map(self.read_span, lines))


@dataclass(slots=True)
class _Writer:
    """A writer of spans, which numbers the files that they are in."""

    sources: dict[Source, int] = field(default_factory=dict)

    def write_span(self, span: Span) -> list[int]:
        return [self.sources.setdefault(span.source, len(self.sources)), span.start, span.end]

    def write_finding(self, finding: Diagnostic) -> _Json:
        return {
            "code": finding.code,
            "message": finding.message,
            "labels": [[self.write_span(label.span), label.text] for label in finding.labels],
            "notes": list(finding.notes),
            "help": finding.help,
            "level": finding.level,
        }

    def write_code(self, code: CodeNetwork) -> _Json:
        return {
            "tensors": [[key, *tensor] for key, tensor in code.tensors.items()],
            "steps": {path: self._write_step(step) for path, step in code.steps.items()},
            "idle": [
                [each.key, each.shape, self._write_lines(each.lines), each.twin, each.number]
                for each in code.idle
            ],
            "fixed": sorted(code.fixed),
            "draws": [
                [draw.module, draw.kind, draw.share, self._write_lines(draw.lines)]
                for draw in code.draws
            ],
            "training": None
            if (left := code.training) is None
            else [left.why, left.calls, self._write_lines(left.lines)],
            "form": [*self._write_form(code.form)],
        }

    def _write_form(self, form: CodeForm) -> tuple[str, list[list[int]], str]:
        return form.text, self._write_lines(form.lines), form.argument

    def _write_step(self, step: CodeStep) -> _Json:
        return {
            "module": step.module,
            "lines": self._write_lines(step.lines),
            "is_built": step.is_built,
            "norm_lines": self._write_lines(step.norm_lines),
            "act_lines": self._write_lines(step.act_lines),
        }

    def _write_lines(self, lines: Iterable[Span]) -> list[list[int]]:
        return [self.write_span(span) for span in lines]

    def write_sources(self) -> list[_Json]:
        return [
            {
                "name": source.name,
                "text": source.text,
                "path": None if source.path is None else str(source.path),
            }
            for source in self.sources
        ]


def _move_path(path: str, tree: Path, root: Path) -> str:
    """Return an entry of the path of imports, with `root` in the place of `tree`."""
    place = Path(path)
    if not _is_within(place, tree) or place == Path(__file__).parents[2]:
        return path
    return str(root / place.resolve().relative_to(tree))


def _is_within(path: Path, tree: Path) -> bool:
    """Tell whether a path lies below a folder, and in no Python or installed package there."""
    from inception_dsl.bridge.frames import INSTALLED

    if not path.is_absolute() or not INSTALLED.isdisjoint(path.parts):
        return False
    pythons = (Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix))
    inner = [python for python in pythons if python.is_relative_to(tree) and python != tree]
    place = path.resolve()
    return place.is_relative_to(tree) and not any(place.is_relative_to(each) for each in inner)


def _refuse_tree(known: Collection[str], tree: Path) -> None:
    """Make sure that no module has come from a folder.

    Raises:
        SpecError: E702, one has: the import of an installed package may lead there.
    """
    own = __name__.partition(".")[0]
    for name in sorted(sys.modules.keys() - known):
        file = getattr(sys.modules[name], "__file__", None)
        if isinstance(file, str) and name.partition(".")[0] != own and _is_within(Path(file), tree):
            message = f"`{name}` comes from the working tree, not from the revision"
            help = "put the folder of its package on PYTHONPATH"
            raise SpecError([Diagnostic("E702", message, help=help)])


def _serve(request: Mapping[str, Any]) -> _Json:
    """Import the network that a request names."""
    from inception_dsl.driver.importing import import_target

    writer = _Writer()
    document: _Json
    tree = Path(request["tree"])
    sys.path = [_move_path(path, tree, Path(request["root"])) for path in sys.path]
    known = frozenset(sys.modules)
    try:
        imported = import_target(
            request["reference"],
            folder=Path(request["folder"]),
            input=request["input"],
            compares=False,
        )
        _refuse_tree(known, tree)
    except SpecError as error:
        document = {"findings": [writer.write_finding(finding) for finding in error.diagnostics]}
    else:
        file = imported.file
        document = {
            "text": imported.text,
            "name": file.full_name,
            "notes": [writer.write_finding(note) for note in imported.notes],
            "code": writer.write_code(file.code or CodeNetwork()),
        }
    return {**document, "sources": writer.write_sources()}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(_serve(json.load(sys.stdin))), encoding="utf-8")
