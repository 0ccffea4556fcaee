"""The crops of an image over which a network's outputs are averaged, as positions in pixels.

Nothing here reads an image. A view is an image in one size; a box is a region of it. All networks
here have square inputs. Positions are whole pixels; a half is rounded to the even number, as
torchvision's `CenterCrop` does.

Source: the ten crops, Krizhevsky et al., NIPS 2012, Section 4.1; the 144, Szegedy et al.,
arXiv:1409.4842, Section 7. No paper says which twelve it means: here, one square of the 144.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LAYOUTS = (1, 10, 12, 144)
"""The numbers of crops that there are."""

_SEVENTHS = {1: (8,), 10: (8,), 12: (8,), 144: (8, 9, 10, 11)}
"""The shorter sides of the resized image, in sevenths of the input's side.

For an input of 224 they are 256, 288, 320 and 352, the sizes of both papers.
"""


def has_several_sizes(crops: int) -> bool:
    """Tell whether a number of crops takes them of an image in several sizes of its own."""
    return len(_SEVENTHS[crops]) > 1


class CropError(ValueError):
    """The error of an image that is smaller than the crop."""


@dataclass(frozen=True, slots=True)
class CropBox:
    """A region of an image, in pixels; `right` and `bottom` are the first ones outside it.

    Attributes:
        is_mirrored: left and right are exchanged once the region is cut out.
    """

    left: int
    top: int
    right: int
    bottom: int
    is_mirrored: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """The width and the height."""
        return self.right - self.left, self.bottom - self.top


@dataclass(frozen=True, slots=True)
class CropView:
    """An image in one size, and the regions of it that a network sees.

    Attributes:
        size: the width and the height to which the image is resized.
        boxes: a box of another size than the input's is resized to that.
    """

    size: tuple[int, int]
    boxes: tuple[CropBox, ...]


def list_sides(crops: int, side: int, shorter: int | None = None) -> tuple[int, ...]:
    """Return the shorter sides to which an image is resized, one for each view.

    Args:
        crops: one of `LAYOUTS`.
        side: the side of the network's input, in pixels.
        shorter: another shorter side in the place of the only one.

    Raises:
        CropError: a crop does not fit into it.
    """
    if shorter is None:
        return tuple(round(side * parts / 7) for parts in _SEVENTHS[crops])
    _check_fit(shorter, side)
    return (shorter,)


def list_views(
    crops: int, width: int, height: int, side: int, shorter: tuple[int, ...]
) -> tuple[CropView, ...]:
    """Return the crops of an image.

    Args:
        crops: one of `LAYOUTS`.
        width, height: the size of the image, in pixels.
        side: the side of the network's input.
        shorter: the shorter sides to which it is resized; none to take it as it is.

    Raises:
        CropError: the image is smaller than the crop.
    """
    sizes = [resize_shorter(width, height, each) for each in shorter] or [(width, height)]
    _check_fit(min(sizes[0]), side)
    return tuple(CropView(size, tuple(_list_boxes(crops, *size, side))) for size in sizes)


def resize_shorter(width: int, height: int, shorter: int) -> tuple[int, int]:
    """Return the size of an image whose shorter side is given; the longer one is rounded down."""
    if width <= height:
        return shorter, shorter * height // width
    return shorter * width // height, shorter


def _check_fit(shorter: int, side: int) -> None:
    if shorter < side:
        raise CropError(f"its shorter side is {shorter}, and the crop is {side}x{side}")


def _list_boxes(crops: int, width: int, height: int, side: int) -> Iterator[CropBox]:
    if crops == 1:
        yield _cut(_middle(width, side), _middle(height, side), side)
        return
    square = min(width, height)
    places = (0, _middle(max(width, height), square), max(width, height) - square)
    is_portrait = height > width
    for place in places if crops == 144 else places[1:2]:
        left, top = (0, place) if is_portrait else (place, 0)
        boxes = list(_cut_square(left, top, square, side))
        if crops != 10:
            boxes.append(_cut(left, top, square))
        for box in boxes:
            yield box
            yield CropBox(box.left, box.top, box.right, box.bottom, is_mirrored=True)


def _cut_square(left: int, top: int, square: int, side: int) -> Iterator[CropBox]:
    """Yield the four corners of a square, and its centre."""
    far, middle = square - side, _middle(square, side)
    for x, y in ((0, 0), (far, 0), (0, far), (far, far), (middle, middle)):
        yield _cut(left + x, top + y, side)


def _cut(left: int, top: int, side: int) -> CropBox:
    return CropBox(left, top, left + side, top + side)


def _middle(whole: int, part: int) -> int:
    return round((whole - part) / 2)
