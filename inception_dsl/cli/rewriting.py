"""`rewrite`: edits of a spec that save."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.bounds import MAX_NUMBER
from inception_dsl.cli.arguments import UNUSABLE, Parser, describe
from inception_dsl.cli.console import FINDINGS, FINE, print_difference, shown
from inception_dsl.cli.output import say, show, show_done, show_line

if TYPE_CHECKING:
    from inception_dsl.driver.rewriting import Rewritten
    from inception_dsl.passes import LogEntry


def add(command: Parser) -> None:
    """Add the arguments of `rewrite`."""
    describe(
        command,
        _rewrite,
        examples=[
            "rewrite my_network --dry-run",
            "rewrite my_network --select P811 --at inception_3a",
            "rewrite googlenet --select P811 -o specs/googlenet_3x3.yaml",
        ],
    )
    command.add_argument("spec", metavar="SPEC", help="a .yaml file, or the name of a spec")
    command.add_argument(
        "--select",
        action="append",
        type=_code,
        default=[],
        metavar="CODE",
        help="rewrite what this hint names: P803, P804, P811, P812, P814, P815 or P816; "
        "default: P811, P812 and what keeps all values of P815",
    )
    command.add_argument(
        "--quarter",
        action="store_true",
        help="P803 reduces to a quarter of the channels, not to a half",
    )
    command.add_argument(
        "--width",
        type=_width,
        metavar="N",
        help="P804 gives N channels beside every pool that is the only way, and `--at` chooses one",
    )
    command.add_argument(
        "--at",
        default="",
        metavar="PATH",
        help="only the lines of this step and of all below; a block changes in all its calls",
    )
    command.add_argument(
        "-o", "--output", metavar="FILE", help="write a new spec, without the claims of the old one"
    )
    command.add_argument(
        "--force", action="store_true", help="replace another file at `-o` or `--weights`"
    )
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="write the plan that makes the new weights of a checkpoint of the old network",
    )
    mode = command.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="write nothing")
    mode.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if something would change"
    )


def _code(text: str) -> str:
    from inception_dsl.passes import PASSES

    codes = [each.code for each in PASSES]
    if text.upper() not in codes:
        raise argparse.ArgumentTypeError(f"`{text}` is no rewrite: {', '.join(sorted(codes))} are")
    return text.upper()


def _width(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:18]) <= MAX_NUMBER:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of channels")
    return int(text[:18])


def _find_vain(args: argparse.Namespace) -> str:
    """Return an option without the code that it is for, and the way out; empty if there is none."""
    if args.quarter and "P803" not in args.select:
        return "`--quarter` is for `--select P803`"
    if args.width is not None and "P804" not in args.select:
        return "`--width` is for `--select P804`"
    return ""


def _rewrite(args: argparse.Namespace) -> int:
    from inception_dsl import driver
    from inception_dsl.driver.rewriting import make_rewrite_plan, rewrite

    if vain := _find_vain(args):
        say(f"error: {vain}", "  = help: `inception-dsl rewrite --help` shows the arguments")
        return UNUSABLE
    output = None if args.output is None else Path(args.output)
    done = rewrite(
        args.spec,
        folder=Path.cwd(),
        select=args.select,
        at=args.at,
        output=output,
        is_kept=not (args.dry_run or args.check),
        reduces_to=4 if args.quarter else 2,
        width=args.width,
    )
    _tell_all(done, is_in_place=output is None)
    if not done.is_changed:
        codes = " or ".join(sorted(set(args.select)))
        reason = f": no line is a case of {codes}" if codes and not done.log else ""
        say(f"nothing is rewritten{reason if not done.untried else ''}")
        return FINDINGS if args.check and done.untried else FINE
    artifacts = [done.artifact]
    if args.weights is not None:
        artifacts.append(make_rewrite_plan(done, Path(args.weights)))
    if not (args.force or args.check):
        driver.refuse_others(*artifacts[output is None : 1])
        driver.refuse_but_plans(*artifacts[1:])
    if output is None:
        print_difference(done.artifact)
    _compare(done)
    if args.check:
        is_fresh = all(artifact.is_fresh() for artifact in artifacts)
        return FINE if is_fresh and not done.untried else FINDINGS
    if not args.dry_run:
        driver.write_all(artifacts)
        for artifact in artifacts:
            show_done(f"wrote      {shown(artifact.path)}")
    return FINE


def _tell_all(done: Rewritten, *, is_in_place: bool) -> None:
    """Print what was made and refused, and what else a person should know."""
    for entry in done.log:
        say(_tell(entry))
    if is_in_place and any(entry.fits_elsewhere for entry in done.log):
        say("`-o FILE` writes a new spec, without the claims of this one")
    if done.untried:
        way = "run it again, or choose others by `--at`" if done.is_changed else "choose by `--at`"
        say(f"{done.untried:,} more are not tried, since one command tries no more: {way}")
    if done.drops_counts:
        say("the claims that `import` counted are left out: they are about the old network")
    if done.followers:
        names = ", ".join(f"`{name}`" for name in done.followers)
        verbs = "extends it, and changes" if len(done.followers) == 1 else "extend it, and change"
        say(f"{names} {verbs}, too")


def _compare(done: Rewritten) -> None:
    """Print what a rewrite does to costs, weights and values."""
    from inception_dsl.emit.diff import FORMATS
    from inception_dsl.emit.diff.weights import write_weights

    if done.report.findings:
        show(FORMATS["text"](done.report))
    else:
        show_line("costs      stay")
    show_line(f"weights    {write_weights(done.weights)}")
    if done.is_exact:
        show_line("values     stay, with the weights of the plan that `--weights` writes")


def _tell(entry: LogEntry) -> str:
    more = f" and {entry.places - 1:,} more" if entry.places > 1 else ""
    place = f"`{entry.path}`{more}"
    if entry.refusal:
        left_out = "it is left out: " if entry.is_left_out else ""
        return f"refused {entry.code} at {place}: {left_out}{entry.refusal}"
    return f"{entry.code} at {place}: {entry.what}"
