"""The walk: load, resolve, check, analyse, emit; and the only place from which files are written.

`walk` leads from a spec to its model and reports. `checking` does so for several, which `selection`
chooses. `changes` compares two, `against` the specs of a project with those of a revision.
`building` and `texts` make files, and `writing` writes them. `standpoint` names files in findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inception_dsl.driver.against import compare_against
    from inception_dsl.driver.building import Build, Emission, Make, emit, plan_build
    from inception_dsl.driver.changes import compare, make_weight_plan
    from inception_dsl.driver.checking import CheckResult, check_all, measure_all
    from inception_dsl.driver.facts import measure_facts
    from inception_dsl.driver.figures import draw, draw_library
    from inception_dsl.driver.importing import Imported, import_target
    from inception_dsl.driver.inference import emit_inference_module
    from inception_dsl.driver.listing import KnownNetwork, list_networks
    from inception_dsl.driver.onnx_models import emit_onnx_model
    from inception_dsl.driver.policies import Policies
    from inception_dsl.driver.porting import (
        Ported,
        PortMap,
        carry_checkpoint,
        check_output,
        find_missing,
        is_checkpoint_name,
        make_checkpoint,
        map_weights,
        sum_up,
    )
    from inception_dsl.driver.selection import list_known_specs, list_specs
    from inception_dsl.driver.settings import list_all_settings
    from inception_dsl.driver.staleness import list_stale, list_unformatted
    from inception_dsl.driver.standpoint import Standpoint, stand_at_root, stand_in
    from inception_dsl.driver.texts import begin_spec, expand_spec, format_all, format_file
    from inception_dsl.driver.training_form import emit_training_module
    from inception_dsl.driver.verifying import verify_code
    from inception_dsl.driver.walk import (
        Checked,
        CheckedLibrary,
        LibraryError,
        check,
        check_file,
        emit_module,
        measure,
        measure_cost_of,
        measure_file,
        verify,
    )
    from inception_dsl.driver.writing import (
        Artifact,
        refuse_but_plans,
        refuse_others,
        refuse_same,
        write_all,
    )

__all__ = [
    "Artifact",
    "Build",
    "CheckResult",
    "Checked",
    "CheckedLibrary",
    "Emission",
    "Imported",
    "KnownNetwork",
    "LibraryError",
    "Make",
    "Policies",
    "PortMap",
    "Ported",
    "Standpoint",
    "begin_spec",
    "carry_checkpoint",
    "check",
    "check_all",
    "check_file",
    "check_output",
    "compare",
    "compare_against",
    "draw",
    "draw_library",
    "emit",
    "emit_inference_module",
    "emit_module",
    "emit_onnx_model",
    "emit_training_module",
    "expand_spec",
    "find_missing",
    "format_all",
    "format_file",
    "import_target",
    "is_checkpoint_name",
    "list_all_settings",
    "list_known_specs",
    "list_networks",
    "list_specs",
    "list_stale",
    "list_unformatted",
    "make_checkpoint",
    "make_weight_plan",
    "map_weights",
    "measure",
    "measure_all",
    "measure_cost_of",
    "measure_facts",
    "measure_file",
    "plan_build",
    "refuse_but_plans",
    "refuse_others",
    "refuse_same",
    "stand_at_root",
    "stand_in",
    "sum_up",
    "verify",
    "verify_code",
    "write_all",
]

_HOMES = {
    "against": ("compare_against",),
    "building": ("Build", "Emission", "Make", "emit", "plan_build"),
    "changes": ("compare", "make_weight_plan"),
    "checking": ("CheckResult", "check_all", "measure_all"),
    "facts": ("measure_facts",),
    "figures": ("draw", "draw_library"),
    "importing": ("Imported", "import_target"),
    "inference": ("emit_inference_module",),
    "training_form": ("emit_training_module",),
    "listing": ("KnownNetwork", "list_networks"),
    "onnx_models": ("emit_onnx_model",),
    "policies": ("Policies",),
    "porting": (
        "PortMap",
        "Ported",
        "check_output",
        "find_missing",
        "is_checkpoint_name",
        "make_checkpoint",
        "carry_checkpoint",
        "map_weights",
        "sum_up",
    ),
    "selection": ("list_known_specs", "list_specs"),
    "settings": ("list_all_settings",),
    "staleness": ("list_stale", "list_unformatted"),
    "standpoint": ("Standpoint", "stand_at_root", "stand_in"),
    "texts": ("begin_spec", "expand_spec", "format_all", "format_file"),
    "verifying": ("verify_code",),
    "walk": (
        "Checked",
        "CheckedLibrary",
        "LibraryError",
        "check",
        "check_file",
        "emit_module",
        "measure",
        "measure_cost_of",
        "measure_file",
        "verify",
    ),
    "writing": ("Artifact", "refuse_but_plans", "refuse_others", "refuse_same", "write_all"),
}
"""The public names by the module that has them: a command pays for none that it does not use."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
