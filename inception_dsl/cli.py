"""The command line: arguments, one call of the driver, text, an exit code. No logic.

Exit codes: 0 fine; 1 findings, or generated files that are stale; 2 usage, an input that cannot be
read, an internal error. Results go to stdout, all else to stderr.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from inception_dsl import driver
from inception_dsl.analysis import BYTES, GROUPINGS
from inception_dsl.diagnostics import (
    CODES,
    Diagnostic,
    MissingExtraError,
    SpecError,
    across,
    nearest,
    page,
    render,
)
from inception_dsl.emit.report import (
    DEFAULT,
    FORMATS,
    MEASURES,
    Column,
    Facts,
    Layout,
    plain_table,
    render_costs,
)
from inception_dsl.resolve import Overrides
from inception_dsl.version import __version__

FINE, FINDINGS, UNUSABLE = 0, 1, 2

_OUR_FAULT = "this is a fault of inception-dsl, not of your spec; please report it with the spec"
_SPEC_HELP = "a .yaml file, or a name that `inception-dsl list` shows"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit code."""
    gc.set_threshold(50_000, 20, 20)  # models are large and make little that is circular
    if isinstance(sys.stdout, io.TextIOWrapper):  # as stderr does with what its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except SpecError as error:
        _report(error.diagnostics)
        return _exit_code(error.diagnostics)
    except MissingExtraError as error:
        print(f"error: {error}\n   = help: {error.way_out}", file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:  # the reader of a pipe went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except OSError as error:
        print(f"error: `{error.filename}`: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("INCEPTION_DSL_TRACEBACK"):
            raise
        print(
            f"internal error: {type(error).__name__}: {error}\n"
            f"{_OUR_FAULT}\n"
            "(INCEPTION_DSL_TRACEBACK=1 shows where it happened)",
            file=sys.stderr,
        )
        return UNUSABLE


def _exit_code(errors: Iterable[Diagnostic]) -> int:
    # What has no place in a spec is about the command line, or a file that cannot be read.
    is_usage = all(not finding.labels for finding in errors)
    return UNUSABLE if is_usage else FINDINGS


def _build(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    output = Path(args.output) if args.output else driver.default_output(folder)
    specs = args.specs or driver.project_specs(folder)
    overrides = _overrides(args)
    is_whole = not (args.specs or args.output or overrides)
    artifacts: list[driver.Artifact] = []
    sources: dict[Path, str] = {}
    built: list[driver.Checked] = []
    failed: list[tuple[str, Diagnostic]] = []
    for spec in specs:
        try:
            checked = driver.check(spec, folder=folder, overrides=overrides)
            made = driver.emit(checked, output=output)
        except SpecError as error:
            failed.extend((spec, finding) for finding in error.diagnostics)
            continue
        _report(checked.warnings)
        built.append(checked)
        artifacts.extend(made)
        sources |= dict.fromkeys((artifact.path for artifact in made), spec)
    if failed:
        raise SpecError(across(failed))
    if args.gallery or (is_whole and driver.gallery_page(folder).exists()):
        artifacts += driver.gallery(built, folder=folder, output=output)
    if args.verify:
        faithful = [_verified(checked) for checked in built]
        if not all(faithful):
            return FINDINGS
    if not args.check:
        for artifact in artifacts:
            state = "wrote" if driver.write(artifact) else "unchanged"
            print(f"{state:<9}  {_shown(artifact.path)}")
        return FINE
    stale = [artifact for artifact in artifacts if artifact.written() != artifact.text]
    for artifact in stale:
        _print_difference(artifact)
    for spec in dict.fromkeys(sources.get(artifact.path) for artifact in stale):
        print(f"mend it with: {_build_command(args, spec)}", file=sys.stderr)
    left = list(driver.orphans(output, artifacts)) if is_whole else []
    for path in left:
        print(f"no spec makes {_shown(path)}: delete it", file=sys.stderr)
    if not stale and not left:
        print(f"{len(artifacts)} files are fresh", file=sys.stderr)
    return FINDINGS if stale or left else FINE


def _verified(checked: driver.Checked) -> bool:
    """Whether torch finds in a model's module what the analysis says; says where it does not."""
    found = driver.verify(checked)
    name, totals = checked.cost.name, checked.cost.totals_with_heads
    if not found:
        counts = f"{len(checked.cost.rows)} nodes, {totals.params:,} parameters"
        print(f"{name}: torch finds what the spec says, {counts}", file=sys.stderr)
        return True
    print(f"error: the module of `{name}` is not what its spec says", file=sys.stderr)
    for difference in found:
        print(f"  = note: {difference}", file=sys.stderr)
    print(f"  = note: {_OUR_FAULT}", file=sys.stderr)
    return False


def _build_command(args: argparse.Namespace, spec: str | None) -> str:
    """What to type to build one of the specs of a command; None for the gallery of all."""
    words = ["inception-dsl", "build", *([spec] if spec else [])]
    if args.output:
        words += ["-o", args.output]
    if args.input:
        words += ["--input", args.input]
    for name, value in args.set:
        words += ["--set", f"{name}={value}"]
    return shlex.join(words)


def _print_difference(artifact: driver.Artifact) -> None:
    import difflib

    name = _shown(artifact.path)
    old = artifact.written()
    lines = difflib.unified_diff(
        (old or "").splitlines(keepends=True),
        artifact.text.splitlines(keepends=True),
        fromfile=name if old is not None else os.devnull,
        tofile=name,
    )
    sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _check(args: argparse.Namespace) -> int:
    if args.format != "text":
        return _check_as(args.format, _outcomes(args))
    failed: list[tuple[str, Diagnostic]] = []
    warned: list[tuple[str, Diagnostic]] = []
    for spec, outcome in _outcomes(args):
        if isinstance(outcome, SpecError):
            failed.extend((spec, finding) for finding in outcome.diagnostics)
            continue
        warned.extend((spec, finding) for finding in outcome.warnings)
        cost = outcome.cost
        print(
            f"{cost.name}: fine, {cost.input} -> {outcome.model.root.type}, "
            f"{cost.totals.params:,} parameters, {cost.totals.macs:,} MACs"
        )
    _report(across(warned))
    if failed:
        raise SpecError(across(failed))
    return FINE


def _outcomes(args: argparse.Namespace) -> Iterator[tuple[str, driver.Checked | SpecError]]:
    """Each spec of a command, and what becomes of it."""
    folder = Path.cwd()
    overrides = _overrides(args)
    for spec in args.specs or driver.project_specs(folder):
        try:
            yield spec, driver.check(spec, folder=folder, overrides=overrides, hints=args.hints)
        except SpecError as error:
            yield spec, error


def _check_as(format: str, outcomes: Iterable[tuple[str, driver.Checked | SpecError]]) -> int:
    """All findings, which are the result for a machine: on stdout, in one document."""
    from inception_dsl.diagnostics.formats import FORMATS as MACHINE_FORMATS

    met: list[tuple[str, Diagnostic]] = []
    for spec, outcome in outcomes:
        own = outcome.diagnostics if isinstance(outcome, SpecError) else outcome.warnings
        met.extend((spec, finding) for finding in own)
    found = across(met)
    sys.stdout.write(MACHINE_FORMATS[format](found))
    errors = [finding for finding in found if finding.severity == "error"]
    return _exit_code(errors) if errors else FINE


def _explain(args: argparse.Namespace) -> int:
    if args.codes:
        sys.stdout.write("\n".join(page(code) for code in args.codes))
        return FINE
    columns = (Column("code", "left"), Column("name", "left"), Column("meaning", "left"))
    rows = [[code, kind.name, kind.meaning] for code, kind in CODES.items()]
    sys.stdout.write(plain_table(columns, rows))
    return FINE


def _flops(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    specs = args.specs or driver.project_specs(folder) or driver.known_specs(folder)
    overrides = _overrides(args)

    asked = MEASURES if args.format == "json" else args.columns
    needs = frozenset(filter(None, (MEASURES[name].needs for name in asked)))

    def facts(spec: str) -> Facts:
        measured = driver.measure(spec, folder=folder, overrides=overrides, batch=args.batch)
        return driver.facts(measured, needs=needs, dtype=args.dtype)

    networks = [facts(spec) for spec in specs]
    layout = Layout(args.by, facts(args.against) if args.against else None, args.columns)
    sys.stdout.write(render_costs(networks, layout, format=args.format))
    return FINE


def _diff(args: argparse.Namespace) -> int:
    from inception_dsl.emit.diff import FORMATS as DIFF_FORMATS

    if args.against is not None and args.weights is not None:
        print("error: `--weights` is for two specs, not for `--against`", file=sys.stderr)
        return UNUSABLE
    if args.against is None and len(args.specs) != 2:
        print("error: give two specs, OLD and NEW, or `--against REV`", file=sys.stderr)
        return UNUSABLE
    asked = {"folder": Path.cwd(), "overrides": _overrides(args), "fail_on": args.fail_on}
    try:
        if args.against is not None:
            report = driver.compare_against(args.against, args.specs, **asked)
        else:
            report = driver.compare(*args.specs, **asked)
    except SpecError as error:  # what could not be compared is neither the same nor different
        _report(error.diagnostics)
        return UNUSABLE
    if args.weights is not None:
        driver.write(driver.weight_plan(report, Path(args.weights)))
    drawn = "svg-side-by-side" if args.format == "svg" and args.side_by_side else args.format
    sys.stdout.write(DIFF_FORMATS[drawn](report))
    for unmade in report.unmade:
        _report(unmade.diagnostics)
    _report(report.warnings)
    if report.unmade:
        return UNUSABLE
    return FINDINGS if report.fails else FINE


def _list(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    rows: list[list[str]] = []
    broken: list[str] = []
    for name in driver.known_specs(folder):
        try:
            found = driver.measure(name, folder=folder)
        except SpecError:
            broken.append(name)
            continue
        totals = found.cost.totals
        title, source = found.model.title or "", found.model.source or ""
        rows.append(
            [name, title, found.cost.input, f"{totals.params:,}", f"{totals.macs:,}", source]
        )
    columns = (
        Column("name", "left"),
        Column("title", "left"),
        Column("input"),
        Column("params"),
        Column("MACs"),
        Column("source", "left"),
    )
    sys.stdout.write(plain_table(columns, rows))
    for name in broken:
        print(f"`{name}` has errors: see `inception-dsl check {name}`", file=sys.stderr)
    return FINDINGS if broken else FINE


def _render(args: argparse.Namespace) -> int:
    from inception_dsl.emit.figure import Options, Request, format_of, styled

    output = Path(args.output) if args.output else None
    format = args.format or format_of(output.suffix if output else "")
    options = Options(styled(args.style, args.direction), args.shapes, args.cost)
    request = Request(args.detail, args.block, format, options)
    measured = driver.measure(args.spec, folder=Path.cwd(), overrides=_overrides(args))
    figure = driver.draw(measured, request)
    _report(figure.findings)
    if output is not None:
        output.write_bytes(figure.content)
        print(f"wrote      {_shown(output)}")
    elif format != "png":
        sys.stdout.write(figure.content.decode())
    elif sys.stdout.isatty():
        print("error: a PNG is nothing for a terminal: name a file, `-o FILE`", file=sys.stderr)
        return UNUSABLE
    else:
        sys.stdout.buffer.write(figure.content)
    return FINE


def _fmt(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    artifacts = [
        driver.formatted(spec, folder=folder) for spec in args.specs or driver.own_files(folder)
    ]
    stale = [artifact for artifact in artifacts if artifact.written() != artifact.text]
    for artifact in stale:
        if args.check:
            _print_difference(artifact)
        else:
            driver.write(artifact)
            print(f"wrote      {_shown(artifact.path)}")
    if args.check and stale:
        names = shlex.join(_shown(artifact.path) for artifact in stale)
        print(f"mend it with: inception-dsl fmt {names}", file=sys.stderr)
        return FINDINGS
    print(f"{len(artifacts)} files are formatted", file=sys.stderr)
    return FINE


def _resolve(args: argparse.Namespace) -> int:
    sys.stdout.write(driver.expanded(args.spec, folder=Path.cwd()))
    return FINE


def _schema(args: argparse.Namespace) -> int:
    from inception_dsl.spec.json_schema import json_schema

    sys.stdout.write(json_schema())
    return FINE


def _new(args: argparse.Namespace) -> int:
    artifact = driver.begun(args.name, args.base, folder=Path.cwd())
    driver.write(artifact)
    print(f"wrote      {_shown(artifact.path)}")
    return FINE


def _overrides(args: argparse.Namespace) -> Overrides:
    return Overrides(args.input, dict(args.set))


def _report(diagnostics: Iterable[Diagnostic]) -> None:
    text = render(diagnostics, colour=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    if text:
        print(text, file=sys.stderr)


def _shown(path: Path) -> str:
    """A path as a person would type it from where they stand."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE, as in classes=10")
    return name, value


def _code(text: str) -> str:
    code = text.upper()
    if code in CODES:
        return code
    known = {**{kind.name: code for code, kind in CODES.items()}, **{code: code for code in CODES}}
    close = nearest(text, known)
    way_out = f"write `{known[close]}`" if close else "`inception-dsl explain` lists the codes"
    raise argparse.ArgumentTypeError(f"no finding has the code `{text}`: {way_out}")


def _fail_on(text: str) -> str | tuple[str, ...]:
    from inception_dsl.rules.agreement import read_fail_on

    try:
        return read_fail_on(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _columns(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in MEASURES:
            close = nearest(name, MEASURES)
            way_out = f"write `{close}`" if close else f"there are {', '.join(MEASURES)}"
            raise argparse.ArgumentTypeError(f"no column is named `{name}`: {way_out}")
    return names


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) == int(text[:18]):
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least 1")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inception-dsl",
        description="Specs of convolutional architectures: checked, counted, emitted as PyTorch.",
        epilog="examples:\n"
        "  inception-dsl list\n"
        "  inception-dsl build specs/inception_v4.yaml\n"
        "  inception-dsl flops inception_v4 googlenet\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"inception-dsl {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    build = _command(
        commands,
        "build",
        _build,
        "write generated/<name>/: model.py, cost.md, poster.svg and schema.svg",
        "  inception-dsl build specs/inception_v4.yaml\n"
        "  inception-dsl build inception_v4 --set classes=10 -o /tmp/models\n"
        "  inception-dsl build --check\n",
    )
    build.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 and show what is stale"
    )
    build.add_argument(
        "--verify",
        action="store_true",
        help="run each module with torch first, without computing, and hold it against the spec",
    )
    build.add_argument("-o", "--output", metavar="DIR", help="write below DIR, not generated/")
    build.add_argument(
        "--gallery",
        action="store_true",
        help="make docs/gallery.md too; where it is, a build of all specs keeps it fresh",
    )
    check = _command(
        commands,
        "check",
        _check,
        "say what is wrong with a spec, or that nothing is",
        "  inception-dsl check specs/inception_v4.yaml\n"
        "  inception-dsl check googlenet --input 256x256x3\n"
        "  inception-dsl check --format sarif\n",
    )
    check.add_argument(
        "--format",
        choices=["text", "json", "github", "sarif"],
        default="text",
        help="default: text; in another one the findings, and they alone, are on stdout",
    )
    check.add_argument(
        "--hints", action="store_true", help="say what would be better otherwise, too"
    )
    flops = _command(
        commands,
        "flops",
        _flops,
        "count parameters, MACs and FLOPs",
        "  inception-dsl flops inception_v4 --by block\n"
        "  inception-dsl flops inception_v4 googlenet --format markdown\n"
        "  inception-dsl flops --against googlenet\n"
        "  inception-dsl flops inception_v4 --columns macs,memory,depth,field --batch 8\n"
        "  inception-dsl flops specs/inception_v4.yaml --batch 32 --format json\n",
    )
    rows = flops.add_mutually_exclusive_group()
    rows.add_argument("--by", choices=list(GROUPINGS), help="what a row is (a stage, alone)")
    rows.add_argument(
        "--against", metavar="SPEC", help="say how many times the figures of this one each has"
    )
    flops.add_argument("--format", choices=list(FORMATS), default="table", help="default: table")
    flops.add_argument("--batch", type=_positive, default=1, metavar="N", help="images at once")
    flops.add_argument(
        "--dtype", choices=list(BYTES), default="float32", help="of every number; default: float32"
    )
    flops.add_argument(
        "--columns",
        type=_columns,
        default=DEFAULT,
        metavar="NAME,NAME",
        help=f"of {', '.join(MEASURES)}; default: {','.join(DEFAULT)}",
    )
    _add_render(commands)
    _subparser(
        commands,
        "list",
        _list,
        "show the specs of this project and the library, with what they cost",
        "  inception-dsl list\n",
    )
    diff = _subparser(
        commands,
        "diff",
        _diff,
        "say what a change to an architecture means",
        "  inception-dsl diff inception_v4 community/lucid_v4\n"
        "  inception-dsl diff HEAD~1:specs/inception_v4.yaml specs/inception_v4.yaml\n"
        "  inception-dsl diff --against main specs/ --format markdown\n",
    )
    diff.add_argument(
        "specs",
        nargs="*",
        metavar="SPEC",
        help=f"OLD and NEW, each {_SPEC_HELP}, or REV:path, a file of a revision; "
        "with --against, which specs to compare: names, files, folders (default: all)",
    )
    diff.add_argument(
        "--against", metavar="REV", help="compare the project's specs with those of a revision"
    )
    diff.add_argument(
        "--format",
        choices=["text", "json", "markdown", "github", "sarif", "svg"],
        default="text",
        help="default: text; svg is a figure of what changes, old and new in one",
    )
    diff.add_argument(
        "--side-by-side", action="store_true", help="with svg, draw the old beside the new"
    )
    diff.add_argument(
        "--weights",
        metavar="FILE",
        help="write the plan that carries a checkpoint of OLD over to NEW, as far as it can be",
    )
    diff.add_argument(
        "--fail-on",
        type=_fail_on,
        metavar="WHAT",
        help="exit with 1 on findings of a severity or a graver one (error, warning, note), never, "
        "or of categories, as in NUMERICS,CHECKPOINT; default: error, or what pyproject.toml says",
    )
    _override_arguments(diff)
    explain = _subparser(
        commands,
        "explain",
        _explain,
        "print the page of a finding: what it means, a bad spec, a good one",
        "  inception-dsl explain E304\n  inception-dsl explain\n",
    )
    explain.add_argument(
        "codes", nargs="*", type=_code, metavar="CODE", help="as in E304; without one, all of them"
    )
    fmt = _subparser(
        commands,
        "fmt",
        _fmt,
        "write the steps of specs in their one form, in place",
        "  inception-dsl fmt\n  inception-dsl fmt --check specs/inception_v4.yaml\n",
    )
    fmt.add_argument("specs", nargs="*", metavar="SPEC", help=f"{_SPEC_HELP}; default: all files")
    fmt.add_argument("--check", action="store_true", help="write nothing; exit 1 and show why")
    expanding = _subparser(
        commands,
        "resolve",
        _resolve,
        "print a spec as one file, all that it uses and extends in it",
        "  inception-dsl resolve timm/inception_v4\n",
    )
    expanding.add_argument("spec", metavar="SPEC", help=_SPEC_HELP)
    _subparser(
        commands,
        "schema",
        _schema,
        "print the JSON Schema of a spec, for editors",
        "  inception-dsl schema > spec.schema.json\n",
    )
    new = _subparser(
        commands,
        "new",
        _new,
        "begin a spec in specs/",
        "  inception-dsl new my_network\n  inception-dsl new my_v4 --from inception_v4\n",
    )
    new.add_argument("name", metavar="NAME", help="its name, and that of its file")
    new.add_argument("--from", dest="base", metavar="SPEC", help="a spec that it starts from")
    return parser


def _add_render(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    render = _subparser(
        commands,
        "render",
        _render,
        "draw a network or a block as the papers do",
        "  inception-dsl render inception_v4 --detail poster -o poster.svg\n"
        "  inception-dsl render inception_v4 --block inception_c --style paper -o figure6.png\n"
        "  inception-dsl render googlenet --cost macs -o googlenet.svg\n",
    )
    render.add_argument("spec", metavar="SPEC", help=_SPEC_HELP)
    what = render.add_mutually_exclusive_group()
    what.add_argument(
        "--detail",
        choices=["schema", "blocks", "poster", "full"],
        default="schema",
        help="the column of steps, a panel for every block, both, or every op; default: schema",
    )
    what.add_argument("--block", metavar="NAME", help="draw this block alone")
    render.add_argument(
        "--style",
        choices=["modern", "paper", "bar"],
        default="modern",
        help="in colour; black on white, for print; concats as wide as their branches",
    )
    render.add_argument(
        "--direction", choices=["up", "down"], default="up", help="which way the data flows"
    )
    render.add_argument(
        "--format",
        choices=["svg", "png", "dot", "mermaid"],
        help="default: by the suffix of FILE, or svg",
    )
    render.add_argument(
        "--cost",
        choices=["params", "macs", "memory"],
        help="shade every box by its share; memory: bytes of what an op gives, as float32",
    )
    render.add_argument(
        "--shapes",
        choices=["all", "joins", "none"],
        default="joins",
        help="which boxes say what they give; default: joins, and where a shape changes",
    )
    render.add_argument("-o", "--output", metavar="FILE", help="default: stdout")
    _override_arguments(render)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    help: str,
    examples: str,
) -> argparse.ArgumentParser:
    command = _subparser(commands, name, run, help, examples)
    command.add_argument(
        "specs", nargs="*", metavar="SPEC", help=f"{_SPEC_HELP}; without one, all of specs/"
    )
    _override_arguments(command)
    return command


def _override_arguments(command: argparse.ArgumentParser) -> None:
    """What a caller may change of a spec."""
    command.add_argument(
        "--input", metavar="HxWxC", help="another input than the spec's, as in 331x331x3"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="another value for a parameter of the network, as in classes=10",
    )


def _subparser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    help: str,
    examples: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command
