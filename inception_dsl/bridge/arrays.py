"""The state_dict of a network as arrays of numpy, read without torch where a file permits it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inception_dsl.bridge.choosing import Shapes, choose_state, is_counter
from inception_dsl.bridge.tensor_files import read_tensor_file
from inception_dsl.channels import printable
from inception_dsl.diagnostics import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[np.float32]"]


def read_arrays(path: Path, shapes: Shapes, *, network: str) -> Arrays:
    """Return the tensors of a network in single precision, from a checkpoint.

    A file of safetensors that holds exactly these tensors is read without torch.

    Args:
        shapes: all tensors of the network, by their keys in its state_dict.
        network: the network as findings name it.

    Raises:
        SpecError: E801 to E803, the checkpoint cannot be used.
        MissingExtraError: torch or safetensors is needed, and not installed.
    """
    held = _read_alone(path)
    wanted = {key: shape for key, shape in shapes.items() if not is_counter(key)}
    if held is not None and wanted == {
        key: array.shape for key, array in held.items() if not is_counter(key)
    }:
        return {key: held[key].astype(np.float32, copy=False) for key in wanted}
    if path.is_file():
        _require_torch(path)
    reading = choose_state(read_tensor_file(path), shapes, network=network)
    return {
        key: tensor.detach().float().numpy().reshape(shapes[key])
        for key, tensor in reading.tensors.items()
        if key in wanted
    }


def _require_torch(path: Path) -> None:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        shown = printable(str(path))
        raise MissingExtraError(f"the checkpoint `{shown}`", "torch", "torch") from None


def _read_alone(path: Path) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file of safetensors.

    None if it is no such file, or if numpy lacks the type of a tensor.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ModuleNotFoundError:
        return None
    try:
        return load_file(path) if path.is_file() else None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError):
        return None
