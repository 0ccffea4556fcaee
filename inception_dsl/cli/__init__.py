"""The command line: arguments, one call of the driver, text, an exit code. No logic.

Exit codes: 0 fine; 1 findings, or generated files that are stale; 2 usage, an input that cannot be
read, an internal error. Results go to stdout, all else to stderr.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from inception_dsl.cli import build, check, diff, flops, render, specs
from inception_dsl.cli.console import FINE, OUR_FAULT, UNUSABLE, exit_code, print_findings
from inception_dsl.diagnostics import MissingExtraError, SpecError
from inception_dsl.version import __version__

COMMANDS = (build, check, flops, render, diff, specs)
"""The modules of the commands, in the order in which help lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and gives its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # as stderr does with what its encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except SpecError as error:
        print_findings(error.diagnostics)
        return exit_code(error.diagnostics)
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
            f"{OUR_FAULT}\n"
            "(INCEPTION_DSL_TRACEBACK=1 shows where it happened)",
            file=sys.stderr,
        )
        return UNUSABLE


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
    for module in COMMANDS:
        module.add(commands)
    return parser
