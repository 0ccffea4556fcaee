"""The network that a person names: a spec, or a target, which is imported in memory.

Only what a person types, or gives to the Python interface, is looked up here. A spec names other
specs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from inception_dsl.spec.files import SpecFile, find_spec
from inception_dsl.spec.target import is_target

NamedInput = str | Mapping[str, str] | None
"""The input that a caller asks for: of the only input, or of some by name; None for the usual."""


def find_network(reference: str, folder: Path, *, input: NamedInput = None) -> SpecFile:
    """Return the spec that a person names; of a target, the spec that an import gives.

    Args:
        reference: a spec as for `find_spec`, or a target such as `timm:resnet50`.
        input: the input of a target as height x width x channels; None for that of its library.

    Raises:
        SpecError: the spec cannot be found, or the target cannot be imported.
        MissingExtraError: a target needs torch, which is not installed.
    """
    if not is_target(reference):
        return find_spec(reference, folder)
    from inception_dsl.driver.importing import import_target

    return import_target(reference, folder=folder, input=input, compares=False).file
