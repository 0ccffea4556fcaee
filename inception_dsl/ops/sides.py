"""Ops that add to the sides of a map, or take from them: `pad` and `crop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number, size
from inception_dsl.ops.facts import (
    Inputs,
    SavedForBackward,
    ShapeError,
    a_map,
    acts_always,
    free,
    no_launch,
    one_launch,
    saves_nothing,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.reach import Window
from inception_dsl.ops.work import only_moves

if TYPE_CHECKING:
    from inception_dsl.ops.gather import Gathers, Outside

_SIDES = ("top", "bottom", "left", "right")
_PLACES = {"top": "above", "bottom": "below", "left": "left", "right": "right"}
_ZERO = "zero"
_OUTSIDES: dict[Value, Outside] = {_ZERO: "zero", "reflect": "mirror", "replicate": "edge"}


def _margins(values: Values) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the numbers above and below, then left and right."""
    top, bottom, left, right = (number(values, side) for side in _SIDES)
    return (top, bottom), (left, right)


def _lines(side: int, noun: str) -> str:
    """Return the rows or the columns of a side, counted."""
    return f"{side} {noun if side > 1 else noun[:-1]}"


def _pad_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, height, width = a_map(inputs[0], "pad")
    for side, lines, names in ((height, "rows", _SIDES[:2]), (width, "columns", _SIDES[2:])):
        for name in names:
            if values["mode"] == "reflect" and number(values, name) >= side:
                message = (
                    f"`reflect` needs less than the side: {values[name]} {_PLACES[name]}, "
                    f"and the map has {_lines(side, lines)}"
                )
                raise ShapeError("E310", message, attribute=name, traces="size")
    (top, bottom), (left, right) = _margins(values)
    return TensorType((channels, height + top + bottom, width + left + right))


def _pad_windows(values: Values, input: TensorType) -> tuple[Window, Window]:
    (top, _), (left, _) = _margins(values)
    return Window(1, 1, top), Window(1, 1, left)


def _pad_gathers(values: Values, input: TensorType) -> Gathers:
    from inception_dsl.ops.gather import gather_shifted

    return gather_shifted(input, _margins(values), _OUTSIDES[values["mode"]])


def _pad_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # torch's backward pass of the other two asks for the input, though for its shape alone.
    return SavedForBackward(inputs=values["mode"] != _ZERO)


def find_cut(values: Values, input: TensorType) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the lines that a crop takes off above and below, then left and right.

    A centred crop takes the odd line off below, and right.
    """
    if "size" not in values:
        return _margins(values)
    sides = zip(input.size, size(values, "size"), strict=True)
    above_below, left_right = ((over // 2, over - over // 2) for over in (a - b for a, b in sides))
    return above_below, left_right


def _crop_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, height, width = a_map(inputs[0], "crop")
    cuts = find_cut(values, inputs[0])
    if min(sum(cut) for cut in cuts) < 0:
        wanted_height, wanted_width = size(values, "size")
        message = (
            f"a crop to {wanted_height}x{wanted_width} takes more than the map of {height}x{width}"
        )
        raise ShapeError("E310", message, attribute="size", traces="size")
    lines = (("rows", _SIDES[:2]), ("columns", _SIDES[2:]))
    for side, cut, (what, names) in zip((height, width), cuts, lines, strict=True):
        if sum(cut) >= side:
            first, last = (f"{lost} {_PLACES[name]}" for lost, name in zip(cut, names, strict=True))
            message = f"a crop of {first} and {last} leaves nothing of {_lines(side, what)}"
            largest = max(names, key=lambda name: number(values, name))
            raise ShapeError("E310", message, attribute=largest, traces="size")
    (top, bottom), (left, right) = cuts
    return TensorType((channels, height - top - bottom, width - left - right))


def _crop_windows(values: Values, input: TensorType) -> tuple[Window, Window]:
    (top, _), (left, _) = find_cut(values, input)
    return Window(1, 1, -top), Window(1, 1, -left)


def _crop_gathers(values: Values, input: TensorType) -> Gathers:
    from inception_dsl.ops.gather import gather_shifted

    (top, bottom), (left, right) = find_cut(values, input)
    return gather_shifted(input, ((-top, -bottom), (-left, -right)), "zero")


_SIDE_ATTRIBUTES = tuple(
    Attribute(side, "natural", 0, changes="size", sets_windows=True) for side in _SIDES
)

OPS = (
    # `reflect` mirrors the map at its outermost lines, which are not repeated; `replicate` repeats
    # them.
    Op(
        name="pad",
        aliases=("padding", "zeropad", "zeropad2d", "zeropadding", "zeropadding2d"),
        variants={
            **dict.fromkeys(
                ["reflectionpad", "reflectionpad2d", "reflectionpadding2d"], ("reflect",)
            ),
            **dict.fromkeys(["replicationpad", "replicationpad2d", "edgepad"], ("replicate",)),
        },
        title="Pad",
        short_title="Pad",
        figure="plain",
        family="sides",
        join=None,
        attributes=(
            *_SIDE_ATTRIBUTES,
            Attribute(
                "mode",
                "choice",
                _ZERO,
                changes="values",
                choices=(_ZERO, "reflect", "replicate"),
                sets_windows=True,
            ),
        ),
        flags={mode: {"mode": mode} for mode in (_ZERO, "reflect", "replicate")},
        ways=(_SIDES,),
        norm_layer="",
        splits=None,
        infer=_pad_infer,
        sizes="follow",
        channels="separate",
        windows=_pad_windows,
        gathers=_pad_gathers,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=_pad_saves,
        remarks=None,
    ),
    Op(
        name="crop",
        aliases=("centercrop", "cropping", "cropping2d"),
        title="Crop",
        short_title="Crop",
        figure="plain",
        family="sides",
        join=None,
        attributes=(
            *_SIDE_ATTRIBUTES,
            Attribute("size", "size", changes="size", sets_windows=True, fixes_size=True),
        ),
        ways=(_SIDES, ("size",)),
        norm_layer="",
        splits=None,
        infer=_crop_infer,
        sizes="follow",
        channels="separate",
        windows=_crop_windows,
        gathers=_crop_gathers,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=no_launch,
        saves=saves_nothing,
        remarks=None,
    ),
)
