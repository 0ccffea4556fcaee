"""The walk: load, resolve, check, analyse, emit; and the only place from which files are written.

`walk` goes from a spec to what is known of it, `changes` compares two, `files` makes and writes.
"""

from inception_dsl.driver.changes import compare, compare_against, weight_plan
from inception_dsl.driver.files import (
    Artifact,
    Emission,
    begun,
    default_output,
    emit,
    expanded,
    formatted,
    gallery,
    gallery_page,
    known_specs,
    orphans,
    own_files,
    project_specs,
    write,
)
from inception_dsl.driver.standpoint import Standpoint, stand_at_root, stand_in
from inception_dsl.driver.walk import (
    Checked,
    check,
    cost_of,
    draw,
    emit_module,
    facts,
    measure,
    verify,
)

__all__ = [
    "Artifact",
    "Checked",
    "Emission",
    "Standpoint",
    "begun",
    "check",
    "compare",
    "compare_against",
    "cost_of",
    "default_output",
    "draw",
    "emit",
    "emit_module",
    "expanded",
    "facts",
    "formatted",
    "gallery",
    "gallery_page",
    "known_specs",
    "measure",
    "orphans",
    "own_files",
    "project_specs",
    "stand_at_root",
    "stand_in",
    "verify",
    "weight_plan",
    "write",
]
