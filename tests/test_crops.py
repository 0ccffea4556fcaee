"""Positions of crops, against what the papers say in words and against boxes counted by hand."""

from __future__ import annotations

from math import sqrt
from statistics import pstdev

import pytest

from inception_dsl.evaluation import LAYOUTS, CropBox, CropError, ErrorTally, list_sides, list_views
from inception_dsl.evaluation.crops import resize_shorter


def test_144_crops_are_those_of_googlenet() -> None:
    assert list_sides(144, 224) == (256, 288, 320, 352)
    views = list_views(144, 500, 375, 224, list_sides(144, 224))
    assert [view.size for view in views] == [(341, 256), (384, 288), (426, 320), (469, 352)]
    assert [len(view.boxes) for view in views] == [3 * 6 * 2] * 4
    assert sum(len(view.boxes) for view in views) == 144
    for view in views:
        width, height = view.size
        boxes = set(view.boxes)
        assert len(boxes) == 36  # none of them twice
        assert {(box.left, box.top) for box in boxes if box.size == (height, height)} == {
            (0, 0),
            (round((width - height) / 2), 0),
            (width - height, 0),
        }
        assert sum(box.is_mirrored for box in boxes) == 18
        assert {box.size for box in boxes} == {(224, 224), (height, height)}
        assert all(0 <= box.left < box.right <= width for box in boxes)
        assert all(0 <= box.top < box.bottom <= height for box in boxes)


def test_a_portrait_has_its_squares_one_below_the_other() -> None:
    (view,) = list_views(144, 8, 13, 8, ())
    whole = [(box.left, box.top) for box in view.boxes[10::12]]
    assert whole == [(0, 0), (0, 2), (0, 5)]


@pytest.mark.parametrize(("width", "height"), [(20, 20), (31, 20), (20, 33)])
def test_ten_and_twelve_crops_lie_in_the_square_in_the_middle(width: int, height: int) -> None:
    (ten,) = list_views(10, width, height, 14, ())
    (twelve,) = list_views(12, width, height, 14, ())
    x, y = round((width - 20) / 2), round((height - 20) / 2)
    corners = {(x, y), (x + 6, y), (x, y + 6), (x + 6, y + 6), (x + 3, y + 3)}
    assert {(box.left, box.top, *box.size) for box in ten.boxes} == {(*c, 14, 14) for c in corners}
    assert len(ten.boxes) == 10
    assert set(twelve.boxes) - set(ten.boxes) == {
        CropBox(x, y, x + 20, y + 20),
        CropBox(x, y, x + 20, y + 20, is_mirrored=True),
    }


def test_one_crop_is_the_middle() -> None:
    (view,) = list_views(1, 500, 375, 224, list_sides(1, 224))
    assert (view.size, view.boxes) == ((341, 256), (CropBox(58, 16, 282, 240),))
    assert list_sides(1, 299) == (342,)  # 299 of 342 is seven eighths, as 224 of 256 is


@pytest.mark.parametrize("crops", LAYOUTS)
def test_an_image_smaller_than_the_crop_is_refused(crops: int) -> None:
    with pytest.raises(CropError, match="its shorter side is 13, and the crop is 14x14"):
        list_views(crops, 30, 13, 14, ())
    with pytest.raises(CropError, match="its shorter side is 10"):
        list_sides(crops, 14, 10)
    assert len(list_views(crops, 3, 5, 14, list_sides(crops, 14))) == (4 if crops == 144 else 1)


def test_the_longer_side_is_rounded_down() -> None:
    assert resize_shorter(640, 427, 256) == (383, 256)
    assert resize_shorter(427, 640, 256) == (256, 383)


def test_a_standard_error_is_that_of_the_mean() -> None:
    tally = ErrorTally()
    ranks = [0, 0, 1, 7, 0, 4, 5, 0, 0, 2]
    for rank in ranks:
        tally.add(rank)
    assert (tally.images, tally.top1, tally.top5) == (10, 5, 2)
    for wrong, least in ((tally.top1, 1), (tally.top5, 5)):
        spread = pstdev([100.0 * (rank >= least) for rank in ranks]) / sqrt(len(ranks))
        assert tally.standard_error(wrong) == pytest.approx(spread)
        assert tally.percent(wrong) == 100 * sum(rank >= least for rank in ranks) / len(ranks)
