"""The walk: load, resolve, check, analyse, emit. The only module that writes files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis import CostReport, measure_cost, measure_widths, plan_forward
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import Model, TensorType
from inception_dsl.resolve import AS_WRITTEN, Overrides, name_problem, resolve
from inception_dsl.rules import AS_WRITTEN_ONLY, Subject, judge
from inception_dsl.source import Source
from inception_dsl.spec.files import SpecFile, find_spec, library, names, project_root, read
from inception_dsl.spec.load import load

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison
    from inception_dsl.emit.figure import Detail, Request

GENERATED = "generated"

_FULL_NAME = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")


@dataclass(frozen=True, slots=True)
class Checked:
    """A model that holds together, what it costs, and what was found besides errors."""

    file: SpecFile
    model: Model
    cost: CostReport
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a build makes: where it goes, and what is to be in it."""

    path: Path
    text: str

    def written(self) -> str | None:
        """What is in the file now; None if there is none."""
        try:
            return self.path.read_bytes().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None


def check(
    reference: str,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    batch: int = 1,
    hints: bool = False,
) -> Checked:
    """The model of a spec, with its cost, judged by every rule.

    Args:
        reference: a path to a .yaml file, or a name in the library.
        folder: where the caller stands.
        overrides: changes to the spec's input and parameters; budget and claims are for the spec
            as it is written, and are not judged then.
        hints: say what would be better otherwise, too.

    Raises:
        SpecError: what is wrong with the spec, all errors of the first stage that finds some.
    """
    file = find_spec(reference, folder)
    loaded = load(file)
    model = resolve(loaded, overrides)
    cost = _cost(file, model, batch)
    others: dict[TensorType, tuple[Model, CostReport]] = {}
    for given in {claim.input: None for claim in model.claims}:
        if given is not None:
            other = resolve(loaded, Overrides(str(given), overrides.params))
            others[given] = other, _cost(file, other, batch)
    found = [
        finding
        for finding in judge(Subject(model, cost, others), hints=hints)
        if not (overrides and finding.code in AS_WRITTEN_ONLY)
    ]
    if any(finding.severity == "error" for finding in found):
        raise SpecError(found)
    return Checked(file, model, cost, tuple(found))


def cost_of(checked: Checked, *, batch: int) -> CostReport:
    """What a model costs on so many images at once."""
    return _cost(checked.file, checked.model, batch)


def _cost(file: SpecFile, model: Model, batch: int) -> CostReport:
    return measure_cost(model, batch=batch, name=_output_name(file, model))


def measure(
    reference: str, *, folder: Path, overrides: Overrides = AS_WRITTEN, batch: int = 1
) -> Checked:
    """The model of a spec with its cost, not judged.

    Raises:
        SpecError: what is wrong with the spec.
    """
    file = find_spec(reference, folder)
    model = resolve(load(file), overrides)
    return Checked(file, model, _cost(file, model, batch), ())


def compare(old: str, new: str, *, folder: Path, overrides: Overrides = AS_WRITTEN) -> Comparison:
    """What becomes of a model between two specs, judged.

    Raises:
        SpecError: what is wrong with either of them.
    """
    from inception_dsl.diff import Comparison, compare, compare_costs
    from inception_dsl.rules.changes import judge_changes

    before, after = (measure(spec, folder=folder, overrides=overrides) for spec in (old, new))
    diff = compare(before.model, after.model)
    costs = compare_costs(before.model, before.cost, after.model, after.cost)
    sides = (before.model, before.cost), (after.model, after.cost)
    findings = tuple(judge_changes(*sides, diff, costs))
    names = before.cost.name, after.cost.name
    return Comparison(*names, before.model, after.model, diff, costs, findings)


def emit(checked: Checked, *, output: Path) -> list[Artifact]:
    """The files that a build makes of a model, below `output`; nothing is written.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.emit.report import cost_markdown
    from inception_dsl.ir import fingerprint

    model, cost, shown = checked.model, checked.cost, checked.file.shown
    folder = output / _output_name(checked.file, model)
    title = model.title or model.name
    module = emit_module(checked)
    page = cost_markdown(cost, title=title, shown=shown, fingerprint=fingerprint(model))
    return [
        Artifact(folder / "model.py", module),
        Artifact(folder / "cost.md", page),
        *_figures(checked, folder),
    ]


def _figures(checked: Checked, folder: Path) -> Iterator[Artifact]:
    """A network's schema and poster; what no layout of ours can draw is left to `render`."""
    from inception_dsl.emit.figure import Request, draw_alone

    details: tuple[Detail, ...] = ("schema", "poster")
    for detail in details:
        svg = draw_alone(checked.model, checked.cost, Request(detail))
        if svg is not None:
            yield Artifact(folder / f"{detail}.svg", svg)


def emit_module(checked: Checked) -> str:
    """The source of a model's PyTorch module.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.emit.python import emit_python

    model = checked.model
    widths, plans = measure_widths(model), plan_forward(model)
    return emit_python(model, widths, plans, checked.cost, shown=checked.file.shown)


def draw(checked: Checked, request: Request) -> bytes:
    """A figure of a model, as the bytes of a file.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: what draws its format is not installed.
    """
    from inception_dsl.emit.figure import render_figure

    return render_figure(checked.model, checked.cost, request)


def _output_name(file: SpecFile, model: Model) -> str:
    """The folder of a model's files: its full name in the library, else the name it has."""
    return file.full_name if _FULL_NAME.fullmatch(file.full_name) else model.name


def write(artifact: Artifact) -> bool:
    """Writes a file whole or not at all, and only if its bytes change; true if they did."""
    if artifact.written() == artifact.text:
        return False
    import tempfile

    folder = artifact.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{artifact.path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(artifact.text.encode())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(artifact.path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def expanded(reference: str, *, folder: Path) -> str:
    """A spec as one file, everything that it uses in it.

    Raises:
        SpecError: what is wrong with the spec.
    """
    from inception_dsl.emit.spec import expand, format_spec

    loaded = load(find_spec(reference, folder))
    model = resolve(loaded, AS_WRITTEN)
    text = expand(loaded.tree, model, with_notes=not loaded.suspends_notes)
    return format_spec(Source(loaded.file.shown, text))


def formatted(reference: str, *, folder: Path) -> Artifact:
    """A spec's file with its steps in their one form; nothing is written.

    Raises:
        SpecError: E0xx, it cannot be read.
    """
    from inception_dsl.emit.spec import format_spec

    file = find_spec(reference, folder)
    return Artifact(file.path, format_spec(read(file)))


def begun(name: str, base: str | None, *, folder: Path) -> Artifact:
    """A new spec in the project's `specs/`; nothing is written.

    Raises:
        SpecError: E001 it is there already, E007 the base has no such name, E105 a bad name.
    """
    from inception_dsl.emit.spec import extending_spec, new_spec

    *above, own = name.split("/")
    problem = next(filter(None, map(name_problem, [*above, own])), None)
    if problem is not None:
        raise SpecError([Diagnostic("E105", problem)])
    path = project_root(folder.resolve()) / "specs" / f"{name}.yaml"
    if path.exists():
        raise SpecError([Diagnostic("E001", f"`{name}` is there already")])
    if base is None:
        return Artifact(path, new_spec(own))
    find_spec(base, folder)
    return Artifact(path, extending_spec(own, base))


def project_specs(folder: Path) -> list[str]:
    """The full names of the specs of the project that `folder` is in."""
    return names(project_root(folder.resolve()) / "specs")


def own_files(folder: Path) -> list[str]:
    """The paths of all spec files of the project that `folder` is in, libraries included."""
    return [
        str(path) for path in sorted((project_root(folder.resolve()) / "specs").rglob("*.yaml"))
    ]


def known_specs(folder: Path) -> list[str]:
    """The full names of the project's own specs, then those of the library."""
    own = project_specs(folder)
    return [*own, *(name for name in names(library()) if name not in own)]


def default_output(folder: Path) -> Path:
    """`generated/` in the project that `folder` is in, or in `folder` itself."""
    return project_root(folder.resolve()) / GENERATED


def orphans(output: Path, kept: list[Artifact]) -> Iterator[Path]:
    """Generated folders that no spec makes any more."""
    expected = {artifact.path.parent for artifact in kept}
    for path in sorted(output.rglob("model.py")):
        if path.parent not in expected:
            yield path.parent
