"""The walk: load, resolve, check, analyse, emit; and the only place from which files are written.

`walk` goes from a spec to what is known of it. `checking` does so for several, which `selection`
chooses. `changes` compares two, `against` the specs of a project with those of a revision.
`building` and `texts` make files, and `writing` writes them. `standpoint` names files in findings.
"""

from inception_dsl.driver.against import compare_against
from inception_dsl.driver.building import Build, Emission, emit, plan_build
from inception_dsl.driver.changes import compare, weight_plan
from inception_dsl.driver.checking import Outcome, check_all, measure_all
from inception_dsl.driver.selection import known_specs, project_specs
from inception_dsl.driver.standpoint import Standpoint, stand_at_root, stand_in
from inception_dsl.driver.texts import begin_spec, expand_spec, format_all, format_file
from inception_dsl.driver.walk import (
    Checked,
    CheckedLibrary,
    LibraryError,
    check,
    cost_of,
    draw,
    emit_module,
    facts,
    measure,
    verify,
)
from inception_dsl.driver.writing import Artifact, write_all

__all__ = [
    "Artifact",
    "Build",
    "Checked",
    "CheckedLibrary",
    "Emission",
    "LibraryError",
    "Outcome",
    "Standpoint",
    "begin_spec",
    "check",
    "check_all",
    "compare",
    "compare_against",
    "cost_of",
    "draw",
    "emit",
    "emit_module",
    "expand_spec",
    "facts",
    "format_all",
    "format_file",
    "known_specs",
    "measure",
    "measure_all",
    "plan_build",
    "project_specs",
    "stand_at_root",
    "stand_in",
    "verify",
    "weight_plan",
    "write_all",
]
