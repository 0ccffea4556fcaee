"""The walk: load, resolve, check, analyse, emit. The only module that writes files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis import (
    CostReport,
    measure_cost,
    measure_depths,
    measure_fields,
    measure_memory,
    measure_widths,
    plan_forward,
)
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import Model, TensorType
from inception_dsl.resolve import AS_WRITTEN, Overrides, name_problem, resolve
from inception_dsl.rules import AS_WRITTEN_ONLY, Subject, judge
from inception_dsl.source import Source
from inception_dsl.spec.files import SpecFile, find_spec, library, names, project_root, read
from inception_dsl.spec.load import load

if TYPE_CHECKING:
    from inception_dsl.diff import Comparison, Report
    from inception_dsl.emit.figure import Rendered, Request
    from inception_dsl.emit.report import Facts
    from inception_dsl.rules.agreement import Agreement

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
    model, others = _resolved(file, overrides)
    cost = _cost(file, model, batch)
    costed = {given: (other, _cost(file, other, batch)) for given, other in others.items()}
    found = [
        finding
        for finding in judge(Subject(model, cost, costed), hints=hints)
        if not (overrides and finding.code in AS_WRITTEN_ONLY)
    ]
    if any(finding.severity == "error" for finding in found):
        raise SpecError(found)
    return Checked(file, model, cost, tuple(found))


def _resolved(file: SpecFile, overrides: Overrides) -> tuple[Model, dict[TensorType, Model]]:
    """The model of a spec, and what it is at every other input that it makes claims for.

    The spec itself is let go: a large one takes more memory than its model.
    """
    loaded = load(file)
    model = resolve(loaded, overrides)
    inputs = {claim.input: None for claim in model.claims}
    return model, {
        given: resolve(loaded, Overrides(str(given), overrides.params))
        for given in inputs
        if given is not None
    }


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
    return _measured(find_spec(reference, folder), overrides, batch)


def compare(
    old: str,
    new: str,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: str | tuple[str, ...] | None = None,
) -> Report:
    """What becomes of a model between two specs, judged.

    Args:
        old, new: as for `check`; or `REV:path`, a file as it is in a revision of the repository.
        fail_on: a severity, `never`, or categories, where not as the project has agreed.

    Raises:
        SpecError: what is wrong with either of them, E009 there is no such revision, E010 what
            the project has agreed cannot be used.
    """
    from inception_dsl.diff import Report

    agreement = _agreement(folder)
    sides = [_measured(_find(spec, folder), overrides) for spec in (old, new)]
    name = sides[1].file.full_name
    return _agreed(Report((_compared(*sides),)), agreement, fail_on, [name], [name])


def weight_plan(report: Report, path: Path) -> Artifact:
    """The plan that carries an old checkpoint over to the new spec; nothing is written."""
    from inception_dsl.diff import plan_weights
    from inception_dsl.emit.diff.weights import plan_json

    (made,) = report.comparisons
    plan = plan_weights(made.old, made.new, made.diff)
    return Artifact(path, plan_json(plan, old=made.old_name, new=made.new_name))


def compare_against(
    revision: str,
    places: Sequence[str],
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    fail_on: str | tuple[str, ...] | None = None,
) -> Report:
    """What becomes of the project's specs since a revision; those that are the same left out.

    Args:
        places: names, files and folders; of nothing else is told. All specs, if there are none.
        fail_on: as for `compare`.

    Raises:
        SpecError: E009 there is no such revision, E007 no spec is at one of the places, E010 what
            the project has agreed cannot be used.
    """
    from inception_dsl.diff import Finding, Report, Unmade
    from inception_dsl.rules.changes import lone_spec
    from inception_dsl.spec.git import find_revision

    agreement = _agreement(folder)
    files = find_revision(revision, folder)
    roots = project_root(folder.resolve()), project_root(folder.resolve(), files)
    before = names(roots[1] / "specs", files)
    after = names(roots[0] / "specs")
    chosen = _chosen(places, sorted({*before, *after}), folder, roots[0])
    comparisons: dict[str, Comparison] = {}
    lone: list[Finding] = []
    unmade: list[Unmade] = []
    alike = 0
    for name in chosen:
        try:
            old = _measured(find_spec(name, folder, files), overrides) if name in before else None
            new = _measured(find_spec(name, folder), overrides) if name in after else None
        except SpecError as error:
            unmade.append(Unmade(name, error.diagnostics))
            continue
        if old is not None and new is not None:
            made = _compared(old, new)
            if made.findings:
                comparisons[name] = made
            else:
                alike += 1
        else:
            one = old or new
            assert one is not None
            lone.append(lone_spec(one.model, one.cost, is_new=new is not None))
    report = Report(tuple(comparisons.values()), files.label, tuple(lone), tuple(unmade), alike)
    return _agreed(report, agreement, fail_on, comparisons, chosen)


def _agreement(folder: Path) -> Agreement:
    """What the project that a folder is in has agreed on for changes."""
    from inception_dsl.rules.agreement import Agreement, read_agreement

    path = project_root(folder.resolve()) / "pyproject.toml"
    return read_agreement(path.read_text(encoding="utf-8")) if path.is_file() else Agreement()


def _agreed(
    report: Report,
    agreement: Agreement,
    fail_on: str | tuple[str, ...] | None,
    names: Iterable[str],
    asked: Iterable[str],
) -> Report:
    """A report judged by what is agreed.

    Args:
        names: the spec of each comparison.
        asked: every spec that was compared.
    """
    if fail_on is not None:
        agreement = replace(agreement, fail_on=fail_on)
    comparisons = tuple(
        replace(own, findings=tuple(agreement.judge(found, name) for found in own.findings))
        for name, own in zip(names, report.comparisons, strict=True)
    )
    lone = tuple(agreement.judge(found, found.at) for found in report.lone)
    by_spec = [(n, f) for n, own in zip(names, comparisons, strict=True) for f in own.findings]
    by_spec += [(found.at, found) for found in lone]
    return replace(
        report,
        comparisons=comparisons,
        lone=lone,
        warnings=tuple(agreement.unused(by_spec, asked)),
        fails=agreement.fails(found for _, found in by_spec),
    )


def _chosen(places: Sequence[str], known: list[str], folder: Path, root: Path) -> list[str]:
    """The names at some places: specs by name or by file, and all below a folder."""
    if not places:
        return known
    found: set[str] = set()
    for place in places:
        path = Path(os.path.normpath(folder.resolve() / place)).with_suffix("")
        own = {name for name in known if name == place}
        if path.is_relative_to(root / "specs"):
            own |= {name for name in known if (root / "specs" / name).is_relative_to(path)}
        if not own:
            raise SpecError([Diagnostic("E007", f"no spec is at `{place}`, then or now")])
        found |= own
    return sorted(found)


def _find(reference: str, folder: Path) -> SpecFile:
    """A spec that a person names, perhaps in a revision."""
    from inception_dsl.spec.git import find_revision, split_reference

    parts = split_reference(reference)
    if parts is None or (folder / reference).exists():
        return find_spec(reference, folder)
    revision, path = parts
    files = find_revision(revision, folder)
    is_from_here = path.startswith(("./", "../")) or not path.endswith((".yaml", ".yml"))
    return find_spec(path, folder.resolve() if is_from_here else files.root, files)


def _measured(file: SpecFile, overrides: Overrides, batch: int = 1) -> Checked:
    model = resolve(load(file), overrides)
    return Checked(file, model, _cost(file, model, batch), ())


def _compared(old: Checked, new: Checked) -> Comparison:
    from inception_dsl.diff import Comparison, compare, compare_costs, compare_stages
    from inception_dsl.rules.changes import judge_changes

    diff = compare(old.model, new.model)
    costs = compare_costs(old.model, old.cost, new.model, new.cost)
    findings = tuple(judge_changes((old.model, old.cost), (new.model, new.cost), diff, costs))
    names = [f"{own.file.files.label}{own.cost.name}" for own in (old, new)]
    stages = compare_stages(old.model, new.model)
    return Comparison(
        names[0],
        names[1],
        old.model,
        new.model,
        old.cost,
        new.cost,
        diff,
        costs,
        stages,
        findings,
    )


def facts(checked: Checked, *, needs: Set[str], dtype: str = "float32") -> Facts:
    """What reports of a model may ask for besides its cost.

    Args:
        needs: `memory`, `fields` and `depths`.
        dtype: the type of every number, which memory depends on.
    """
    from inception_dsl.emit.report import Facts

    model, batch = checked.model, checked.cost.batch
    return Facts(
        cost=checked.cost,
        memory=measure_memory(model, batch=batch, dtype=dtype) if "memory" in needs else None,
        fields=measure_fields(model) if "fields" in needs else None,
        depths=measure_depths(model) if "depths" in needs else None,
        dtype=dtype,
    )


def emit(checked: Checked, *, output: Path) -> list[Artifact]:
    """The files that a build makes of a model, below `output`; nothing is written.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.emit.report import Facts, cost_markdown
    from inception_dsl.ir import fingerprint

    model, cost, shown = checked.model, checked.cost, checked.file.shown
    folder = output / _output_name(checked.file, model)
    title = model.title or model.name
    module = emit_module(checked)
    page = cost_markdown(Facts(cost), title=title, shown=shown, fingerprint=fingerprint(model))
    return [
        Artifact(folder / "model.py", module),
        Artifact(folder / "cost.md", page),
        *_figures(checked, folder),
    ]


def gallery(all_checked: Sequence[Checked], *, folder: Path, output: Path) -> list[Artifact]:
    """The page of all figures of the project that `folder` is in, with its drawings.

    Args:
        output: where the posters are, below the project.
    """
    from inception_dsl.emit.figure.gallery import Entry, gallery

    page = gallery_page(folder)
    beside = os.path.relpath(output, page.parent)
    made = gallery(
        [
            Entry(
                name := _output_name(checked.file, checked.model),
                checked.model,
                checked.cost,
                f"{beside}/{name}/poster.svg",
            )
            for checked in all_checked
        ],
        page.stem,
    )
    drawings = page.parent / page.stem
    return [
        Artifact(page, made.page),
        *(Artifact(drawings / name, svg) for name, svg in made.drawings.items()),
    ]


def gallery_page(folder: Path) -> Path:
    """Where the project that `folder` is in has its gallery, if it has one."""
    return project_root(folder.resolve()) / "docs" / "gallery.md"


def _figures(checked: Checked, folder: Path) -> Iterator[Artifact]:
    from inception_dsl.emit.figure import built_figures

    for detail, svg in built_figures(checked.model, checked.cost):
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


def draw(checked: Checked, request: Request) -> Rendered:
    """A figure of a model.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: what draws its format, or places lines that cross, is not installed.
    """
    from inception_dsl.emit.figure import render_figure

    return render_figure(checked.model, checked.cost, request)


def _output_name(file: SpecFile, model: Model) -> str:
    """The folder of a model's files: its full name in the library, else the name it has."""
    return file.full_name if _FULL_NAME.fullmatch(file.full_name) else model.name


def verify(checked: Checked) -> list[str]:
    """Where the module of a model, run by torch, is not what the analysis says; nowhere, if it is.

    Raises:
        SpecError: E501, a module cannot say something.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.bridge import require_torch

    require_torch()
    from inception_dsl.bridge.verify import verify_module

    return verify_module(emit_module(checked), checked.model, checked.cost)


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
    """Generated folders and drawings that no spec makes any more."""
    expected = {artifact.path for artifact in kept}
    folders = {path.parent for path in expected}
    for path in sorted(output.rglob("model.py")):
        if path.parent not in folders:
            yield path.parent
    for path in expected:
        if path.name == "gallery.md":
            drawings = (path.parent / path.stem).glob("*.svg")
            yield from sorted(drawing for drawing in drawings if drawing not in expected)
