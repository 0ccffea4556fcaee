"""The walk of one spec: load, resolve, check, analyse. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from inception_dsl.analysis import CostReport, measure_cost
from inception_dsl.bounds import MAX_NODES
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, shorten
from inception_dsl.driver.judged import JudgedError
from inception_dsl.driver.references import find_network
from inception_dsl.ir import BlockDef, Model, TensorType
from inception_dsl.resolve import (
    AS_WRITTEN,
    Instantiation,
    Overrides,
    Template,
    find_odd_statements,
    read_blocks,
    read_network,
)
from inception_dsl.source import Span
from inception_dsl.spec.files import SpecFile, find_used
from inception_dsl.spec.load import Loaded, load

if TYPE_CHECKING:
    from inception_dsl.analysis import Classes, ForwardPlan

T = TypeVar("T")

Use = Callable[[Loaded, int], T]
"""A reading of a loaded spec, with the most nodes that its model may have."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked model, its cost, and the findings that are no errors.

    Attributes:
        classes: the classes of its blocks, which a module can express; None if no rule has judged
            it.
    """

    file: SpecFile
    model: Model
    cost: CostReport
    warnings: tuple[Diagnostic, ...]
    classes: Classes | None = None


class CheckedLibrary(NamedTuple):
    """A checked file of blocks and tables for other specs."""

    file: SpecFile
    blocks: int
    tables: int

    @property
    def contents(self) -> str:
        """The numbers of its blocks and tables."""
        counts = {"block": self.blocks, "table": self.tables}
        return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts.items() if n)


class LibraryError(SpecError):
    """The error of a library of blocks in the place of a network."""

    def __init__(self, loaded: Loaded, diagnostics: Iterable[Diagnostic]) -> None:
        self.loaded = loaded
        super().__init__(diagnostics)


def check(
    reference: str,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    batch: int = 1,
    hints: bool = False,
) -> Checked:
    """Return the model of a spec, with its cost, judged by every rule.

    Args:
        reference: a path to a .yaml file, a name in the library, or a target.
        folder: where the caller stands.
        overrides: changes to the spec's input and parameters; budget and claims are for the spec
            as it is written, and are not judged then.
        hints: report possible improvements too.

    Raises:
        SpecError: all errors of the first stage that finds some.
    """
    file = find_network(reference, folder, input=overrides.input)
    return check_file(file, overrides, batch=batch, hints=hints)


def check_file(
    file: SpecFile,
    overrides: Overrides,
    *,
    batch: int = 1,
    hints: bool = False,
    read: set[Path] | None = None,
) -> Checked:
    """Return the model of a spec file, with its cost, judged by every rule.

    Args:
        read: takes the paths of all files that are read.

    Raises:
        SpecError: as for `check`; a LibraryError if it is no network.
    """
    template, made, odd = _read(file, overrides, set() if read is None else read)
    return judge_model(file, template, made, odd, overrides, batch=batch, hints=hints)


def judge_model(
    file: SpecFile,
    template: Template,
    made: Instantiation,
    odd: list[Diagnostic],
    overrides: Overrides,
    *,
    batch: int = 1,
    hints: bool = False,
) -> Checked:
    """Return a model judged by every rule.

    Raises:
        JudgedError: all errors that the rules find.
    """
    from inception_dsl.analysis import settle_classes
    from inception_dsl.rules.judge import AS_WRITTEN_ONLY, judge
    from inception_dsl.rules.subject import Subject

    model = made.model
    classes = settle_classes(model)  # before the cost: it takes memory that it does not keep
    cost = _cost(file, model, batch)

    def measure_at(inputs: tuple[TensorType, ...]) -> tuple[Model, CostReport]:
        other = template.instantiate(inputs).model
        return other, _cost(file, other, batch)

    def measure_spec(reference: str, span: Span) -> tuple[Model, CostReport]:
        return measure_used(file, reference, span, batch)

    place = (file.shown, file.reference, file.is_built_in)
    offers = None
    if hints and not overrides and batch == 1 and not file.is_imported:
        from inception_dsl.driver.rewrite_offers import make_offers

        offers = make_offers(file, model, cost)
    subject = Subject(
        model, cost, classes, measure_at, *place, offers, measure_spec, file.is_imported
    )
    judged = [
        finding
        for finding in judge(subject, hints=hints)
        if not (overrides and finding.code in AS_WRITTEN_ONLY)
    ]
    if hints:
        from inception_dsl.driver.settings import weigh_hints

        judged = weigh_hints(judged, file.root)
    findings = (*file.notes, *odd, *made.warnings, *judged)
    checked = Checked(file, model, cost, findings, classes)
    if any(finding.severity == "error" for finding in findings):
        raise JudgedError(findings, checked)
    return checked


def check_library(loaded: Loaded) -> CheckedLibrary:
    """Read every block and table of a library.

    Raises:
        SpecError: all errors in them.
    """
    read_library(loaded)
    spec = loaded.spec
    return CheckedLibrary(loaded.file, len(spec.blocks), len(spec.tables))


def read_library(loaded: Loaded) -> tuple[BlockDef, ...]:
    """Return the blocks of a library, symbolic as no network calls them.

    Raises:
        SpecError: all errors in them.
    """
    try:
        return _read_blocks(loaded, MAX_NODES)
    except SpecError as error:
        from inception_dsl.driver.fixes import try_fixes

        raise try_fixes(error, loaded.file, _read_blocks, is_loaded=True) from None


def _read_blocks(loaded: Loaded, max_nodes: int) -> tuple[BlockDef, ...]:
    return read_blocks(loaded, max_nodes=max_nodes)


def _read(
    file: SpecFile, overrides: Overrides, paths: set[Path]
) -> tuple[Template, Instantiation, list[Diagnostic]]:
    """Return the network of a spec, open to any input and at its own; and odd statements in it.

    The spec itself is let go: a large one takes more memory than its model.
    """
    loaded, template, made = read_model(file, overrides, paths)
    return template, made, [] if overrides.input else find_odd_statements(loaded)


def read_model(
    file: SpecFile, overrides: Overrides, paths: set[Path] | None = None
) -> tuple[Loaded, Template, Instantiation]:
    """Return a spec as it is loaded, its network, and the model at the network's own input.

    Args:
        paths: takes the paths of all files that are read, also if the spec is wrong.

    Raises:
        SpecError: the errors of the spec; a LibraryError if it is no network.
    """

    def use(loaded: Loaded, max_nodes: int) -> tuple[Loaded, Template, Instantiation]:
        if paths is not None:
            paths.update(loaded.paths)
        template = read_template(loaded, overrides, max_nodes)
        return loaded, template, instantiate(loaded, template, overrides)

    return _read_spec(file, use)


def _read_spec(file: SpecFile, use: Use[T]) -> T:
    """Load a spec file and read it.

    Raises:
        SpecError: the errors of the spec, with the fixes that end them. Other exceptions of a
            reading pass through.
    """
    loaded = None
    try:
        loaded = load(file)
        return use(loaded, MAX_NODES)
    except SpecError as error:
        if type(error) is not SpecError:
            raise
        from inception_dsl.driver.fixes import try_fixes

        raise try_fixes(error, file, use, is_loaded=loaded is not None) from None


def instantiate(loaded: Loaded, template: Template, overrides: Overrides) -> Instantiation:
    """Return the model at the network's own input.

    Raises:
        SpecError: shapes that do not fit. If the input itself is odd, a warning of it comes first,
            because it explains the others.
    """
    try:
        return template.instantiate()
    except SpecError as error:
        odd = [] if overrides.input else find_odd_statements(loaded)
        if not odd or type(error) is not SpecError:
            raise
        raise SpecError([*odd, *error.diagnostics]) from None


def read_template(loaded: Loaded, overrides: Overrides, max_nodes: int) -> Template:
    """Return the network of a spec, with its names and words resolved.

    Raises:
        SpecError: the errors in them; a LibraryError if the spec is no network.
    """
    try:
        return read_network(loaded, overrides, max_nodes=max_nodes)
    except SpecError as error:
        if loaded.is_library:
            raise LibraryError(loaded, error.diagnostics) from None
        raise


def measure(
    reference: str, *, folder: Path, overrides: Overrides = AS_WRITTEN, batch: int = 1
) -> Checked:
    """Return the model of a spec with its cost, not judged.

    Raises:
        SpecError: the errors of the spec.
    """
    file = find_network(reference, folder, input=overrides.input)
    return measure_file(file, overrides, batch)


def measure_file(file: SpecFile, overrides: Overrides, batch: int = 1) -> Checked:
    """Return the model of a spec file with its cost, not judged.

    Raises:
        SpecError: the errors of the spec; a LibraryError if it is no network.
    """
    _, _, made = read_model(file, overrides)
    return Checked(file, made.model, _cost(file, made.model, batch), made.warnings)


def measure_cost_of(checked: Checked, *, batch: int) -> CostReport:
    """Return the cost of a model on a number of images at once."""
    return _cost(checked.file, checked.model, batch)


def _cost(file: SpecFile, model: Model, batch: int) -> CostReport:
    return measure_cost(model, batch=batch, name=file.full_name)


def emit_module(checked: Checked) -> str:
    """Return the source of a model's PyTorch module.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.emit.python import emit_python

    classes, plans = plan_module(checked)
    return emit_python(checked.model, classes, plans, checked.cost, shown=checked.file.shown)


def plan_module(checked: Checked) -> tuple[Classes, Mapping[str, ForwardPlan]]:
    """Return the classes of a model's module, and the forward pass of each of them.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.analysis import plan_forward, settle_classes
    from inception_dsl.rules.writable import unwritable_blocks

    classes = checked.classes
    if classes is None:
        classes = settle_classes(checked.model)
        problems = list(unwritable_blocks(classes))
        if problems:
            raise SpecError(problems)
    return classes, plan_forward(classes.model)


def measure_used(
    file: SpecFile, reference: str, span: Span, batch: int
) -> tuple[Model, CostReport]:
    """Return the model and the cost of the spec that another one names at a place of it.

    Raises:
        SpecError: the spec cannot be found, or has errors; E106, it is the same one.
    """
    used = find_used(reference, file, span)
    if used == file:
        message = f"`{shorten(reference)}` is this network itself"
        help = "name another network, or bound this one by a number"
        raise SpecError([Diagnostic("E106", message, (Label(span),), help=help)])
    other = measure_file(used, AS_WRITTEN, batch)
    return other.model, other.cost


def verify(checked: Checked) -> list[str]:
    """Run the module of a model with torch and return its differences from the analysis.

    Raises:
        SpecError: E501, a module cannot say something.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.bridge import require_torch

    require_torch()
    from inception_dsl.bridge.verify import verify_module

    return verify_module(emit_module(checked), checked.model, checked.cost)
