"""The operators of ATen as calls of torch's functions: their names, and the names of arguments.

An operator has the arguments of the function under its own names. Most differ in `self` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

Arguments = dict[str, Any]

Renamed = tuple[str, tuple[Any, ...], Arguments]
"""The name of a function, its arguments by position and those by name."""

MAX_AXES = 8
"""Maximum number of axes of a tensor that is cut."""

_LEFT_OUT = frozenset(
    ["cudnn_enabled", "cudnn_enable", "memory_format", "dtype", "layout", "device", "pin_memory"]
)
"""The arguments that say nothing of a network's structure."""


def name_call(target: str, arguments: Mapping[str, Any]) -> Renamed:
    """Return the function of torch that an operator stands for, with its arguments."""
    parts = target.split(".")
    name = parts[3] if parts[:3] == ["torch", "ops", "aten"] and len(parts) > 3 else target
    at = {
        "input" if key == "self" else key: value
        for key, value in arguments.items()
        if key not in _LEFT_OUT
    }
    plain = name.strip("_")
    rename = _RENAMED.get(plain)
    name, places, keywords = rename(at) if rename is not None else (plain, (), at)
    if "input" in keywords:
        keywords = dict(keywords)
        places = (keywords.pop("input"), *places)
    return name, places, keywords


def _rename(name: str, **names: str) -> Callable[[Arguments], Renamed]:
    """Return a function that renames a call; `names` are torch's names, by ATen's."""

    def rename(at: Arguments) -> Renamed:
        return name, (), {names.get(key, key): value for key, value in at.items()}

    return rename


def _by_place(name: str) -> Callable[[Arguments], Renamed]:
    """Return a function for a call whose arguments are given by their places."""

    def rename(at: Arguments) -> Renamed:
        return name, tuple(at.values()), {}

    return rename


def _convolution(at: Arguments) -> Renamed:
    at = dict(at)
    is_transposed = at.pop("transposed", False)
    extra = at.pop("output_padding", None)
    if is_transposed:
        return "conv_transpose2d", (), {**at, "output_padding": extra}
    count = len(at.get("stride") or ())
    return f"conv{count}d", (), at


def _batch_norm(at: Arguments) -> Renamed:
    return "batch_norm", (), {**at, "training": False}


def _slice(at: Arguments) -> Renamed:
    start, end, step = at.get("start"), at.get("end"), at.get("step", 1)
    axis = at.get("dim", 0)
    if axis not in range(MAX_AXES):
        return "slice", (), at  # counted from the end, which no exporter writes
    runs = [slice(None)] * axis + [slice(start, end, step)]
    return "getitem", (at["input"], tuple(runs)), {}


def _upsample(mode: str) -> Callable[[Arguments], Renamed]:
    def rename(at: Arguments) -> Renamed:
        scales = at.get("scale_factors")
        keywords = {
            "size": at.get("output_size"),
            "scale_factor": scales,
            "mode": mode,
            "align_corners": at.get("align_corners"),
        }
        return "interpolate", (at["input"],), keywords

    return rename


def _padded(mode: str) -> Callable[[Arguments], Renamed]:
    def rename(at: Arguments) -> Renamed:
        value = {"value": at.get("value", 0)} if mode == "constant" else {}
        pad = at.get("pad", at.get("padding"))
        return "pad", (at["input"], pad), {"mode": mode, **value}

    return rename


_RENAMED: dict[str, Callable[[Arguments], Renamed]] = {
    "convolution": _convolution,
    "native_batch_norm_legit_no_training": _batch_norm,
    "dropout": _rename("dropout", train="training"),
    "max_pool2d_with_indices": _rename("max_pool2d"),
    "pixel_shuffle": _rename("pixel_shuffle", upscale_factor="factor"),
    "pixel_unshuffle": _rename("pixel_unshuffle", downscale_factor="factor"),
    "linalg_vector_norm": _rename("linalg_vector_norm", ord="p"),
    "split": _rename("split", split_size="split_size_or_sections"),
    "mul": _by_place("mul"),
    "permute": _by_place("permute"),
    "view": _by_place("view"),
    "unsafe_view": _by_place("view"),
    "reshape": _by_place("reshape"),
    "expand": _by_place("expand"),
    **{name: _by_place(name) for name in ("expand_as", "view_as", "reshape_as", "type_as")},
    "slice": _slice,
    "upsample_nearest2d": _upsample("nearest"),
    "upsample_bilinear2d": _upsample("bilinear"),
    "pad": _rename("pad"),
    "constant_pad_nd": _padded("constant"),
    "reflection_pad2d": _padded("reflect"),
    "replication_pad2d": _padded("replicate"),
    "lift_fresh_copy": _rename("clone"),
    "to_copy": _rename("to"),
}
"""The operators whose name or arguments differ from those of torch's function."""


def count_macs(name: str, arguments: Mapping[str, Any], shapes: Sequence[tuple[int, ...]]) -> int:
    """Return the multiply-accumulates of a function, for the whole batch.

    Args:
        arguments: by name; tensors have a `shape`.
        shapes: those of its results.
    """
    if name.startswith("conv_transpose"):
        return prod((*arguments["input"].shape, *arguments["weight"].shape[1:]))
    if name in {"conv1d", "conv2d", "conv3d"}:
        return prod((*shapes[0], *arguments["weight"].shape[1:]))
    if name == "linear":
        return prod((*shapes[0], arguments["weight"].shape[1]))
    return 0
