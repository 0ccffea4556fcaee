"""A network as a module of torch for inference alone."""

from __future__ import annotations

from pathlib import Path

from inception_dsl.driver.building import INFERENCE_FILE, Emission
from inception_dsl.driver.walk import Checked
from inception_dsl.driver.writing import Artifact


def emit_inference_module(checked: Checked, *, output: Path, bound: Path | None = None) -> Emission:
    """Make the module of a network in inference, below `output`; nothing is written.

    Args:
        bound: the folder that the file must end in when all links are followed.

    Raises:
        SpecError: E501, torch has no layer for an op.
    """
    path = output / checked.file.full_name / INFERENCE_FILE
    source = write_inference_source(checked)
    return Emission((Artifact(path, source.encode(), bound),), ())


def write_inference_source(checked: Checked) -> str:
    """Return the source of the module of a network in inference.

    Raises:
        SpecError: E501, torch has no layer for an op.
    """
    from inception_dsl.analysis.fusing import find_unused, fuse
    from inception_dsl.emit.inference import emit_inference

    model = checked.model
    graph = fuse(model.graph)
    left_out = find_unused(model.graph, graph)
    return emit_inference(model, graph, left_out, shown=checked.file.shown)
