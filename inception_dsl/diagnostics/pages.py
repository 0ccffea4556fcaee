"""The page of every code, the pages of the manual, and the schemas of documents.

The page of a code has its meaning, a bad spec with the findings in it, and a good spec. The pages
are docs/errors/ and docs/; a wheel carries them inside the package.
"""

from __future__ import annotations

from pathlib import Path

MANUAL = {
    "first-network": "a first network, from a spec to a training",
    "language": "the spec language",
    "ops": "every op, with its words, defaults, shape and FLOPs",
    "training": "recipes of trainings, word by word",
    "command-line": "what all commands share: specs, output, colours, exit codes, settings",
    "editor": "shapes behind each line, fixes, completion and rename in an editor",
    "projects": "the folders of a project, names, revisions",
    "settings": "the settings of a project, ignored findings, a baseline, limits on cost",
    "figures": "figures for a paper or a talk",
    "diff": "what a change to an architecture means",
    "ci": "a job for pull requests, hooks of pre-commit, the diff driver of git",
    "reviewing": "pull requests that touch Python",
    "tables": "the tables of papers, as Markdown, LaTeX and CSV",
    "sweeps": "costs as formulas, and grids of networks",
    "conventions": "what other tools count, and the rules by which they do",
    "devices": "the least time on a device, and the batch that fits its memory",
    "principles": "hints on a design, and rewrites that save",
    "import": "specs of networks that exist as code",
    "verify": "code held against a spec",
    "port": "checkpoints carried from one network to another",
    "inference": "modules for inference alone",
    "training-form": "modules for faster training",
    "onnx": "ONNX models without torch",
    "evaluate": "trained networks, measured on a folder of images",
}
"""The pages of the manual that a wheel carries, with their subjects."""


def pages() -> Path:
    """Return the folder of the pages: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "pages"
    return installed if installed.is_dir() else package.parent / "docs" / "errors"


SCHEMAS = {
    "bench": "`bench --format json`",
    "cost": "`flops --format json`",
    "diff": "`diff` and `verify --format json`",
    "evaluation": "`evaluate --format json`",
    "explanation": "`flops --explain --format json`",
    "findings": "`check --format json`, and every failure",
    "list": "`list --format json`",
    "roofline": "`flops --device --format json`",
    "settings": "`config show --format json`",
    "sweep": "`flops --sweep --format json`",
    "symbolic": "`flops --symbolic --format json`",
    "weights": "`diff --weights` and `port`: a plan",
}
"""The documents for programs that have a JSON Schema, with the commands that write them."""


def schema_text(document: str) -> str:
    """Return the JSON Schema of a document for programs.

    Args:
        document: one of `SCHEMAS`.
    """
    package = Path(__file__).resolve().parent.parent
    installed = package / "schemas"
    folder = installed if installed.is_dir() else package.parent / "docs" / "schemas"
    return (folder / f"{document}.schema.json").read_text(encoding="utf-8")


def page(code: str) -> str:
    """Return the page of a code, as Markdown."""
    return (pages() / f"{code}.md").read_text(encoding="utf-8")


def manual_page(topic: str) -> str:
    """Return a page of the manual, as Markdown.

    Args:
        topic: one of `MANUAL`.
    """
    package = Path(__file__).resolve().parent.parent
    installed = package / "manual"
    folder = installed if installed.is_dir() else package.parent / "docs"
    return (folder / f"{topic}.md").read_text(encoding="utf-8")
