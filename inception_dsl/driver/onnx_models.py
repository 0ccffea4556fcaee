"""A network as an ONNX model: its weights are drawn, or those of a checkpoint."""

from __future__ import annotations

from math import prod
from pathlib import Path

from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError
from inception_dsl.driver.building import Emission
from inception_dsl.driver.walk import Checked
from inception_dsl.driver.writing import Artifact

ONNX_FILE = "model.onnx"
"""The file of a model. Weights that do not lie in it are in `model.onnx.data`."""

MAX_DRAWN = 200_000_000
"""Maximum number of weights that are drawn: 800 MB, in a command that needs less than 1 GB."""


def emit_onnx_model(
    checked: Checked, *, output: Path, bound: Path | None = None, weights: Path | None = None
) -> Emission:
    """Make the ONNX model of a network, below `output`; nothing is written.

    Args:
        bound: the folder that the files must end in when all links are followed.
        weights: a checkpoint of the emitted module; without one, weights are drawn.

    Raises:
        SpecError: E501, ONNX has no nodes for an op, or too many weights are to be drawn; E801 to
            E803, the checkpoint cannot be used.
        MissingExtraError: `onnx` is not installed, or what a checkpoint needs.
    """
    from inception_dsl.analysis import measure_state

    require_onnx()
    from inception_dsl.bridge.arrays import read_arrays
    from inception_dsl.emit.onnx import DATA_SUFFIX, DrawnWeights, emit_onnx

    model = checked.model
    tensors = measure_state(model.graph)
    if weights is not None:
        shapes = {key: tensor.shape for key, tensor in tensors.items()}
        arrays = read_arrays(weights, shapes, network=checked.file.full_name)
    else:
        bound_drawn(checked, "E501", "give those of a checkpoint: `--weights FILE`")
        arrays = DrawnWeights(tensors)
    folder = output / checked.file.full_name
    files = emit_onnx(model, arrays, file=ONNX_FILE)
    artifacts = [Artifact(folder / ONNX_FILE, files.model, bound)]
    if files.weights:
        beside = folder / (ONNX_FILE + DATA_SUFFIX)
        artifacts.append(Artifact(beside, b"", bound, rest=files.weights))
    return Emission(tuple(artifacts), ())


def require_onnx() -> None:
    """Make sure that the package `onnx` is installed.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import onnx  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("`--target onnx`", "onnx", "onnx") from None


def bound_drawn(checked: Checked, code: str, help: str | None = None) -> None:
    """Refuse to draw more weights than `MAX_DRAWN`.

    Args:
        code: the code of the finding; `help`, the way out.

    Raises:
        SpecError: the network has more.
    """
    from inception_dsl.analysis import measure_state

    count = sum(prod(tensor.shape) for tensor in measure_state(checked.model.graph).values())
    if count > MAX_DRAWN:
        name = checked.file.full_name
        message = f"`{name}` has {count:,} weights, and at most {MAX_DRAWN:,} are drawn"
        raise SpecError([Diagnostic(code, message, help=help)])
