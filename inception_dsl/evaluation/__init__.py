"""The measurement of a trained network, without torch: crops of an image, counts of errors."""

from inception_dsl.evaluation.crops import (
    LAYOUTS,
    CropBox,
    CropError,
    CropView,
    has_several_sizes,
    list_sides,
    list_views,
)
from inception_dsl.evaluation.scores import ErrorTally

__all__ = [
    "LAYOUTS",
    "CropBox",
    "CropError",
    "CropView",
    "ErrorTally",
    "has_several_sizes",
    "list_sides",
    "list_views",
]
