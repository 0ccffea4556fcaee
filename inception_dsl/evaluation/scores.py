"""Counts of errors, and the standard errors of their shares."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

TOP = 5
"""The number of classes among which the right one must be, for the second error."""


@dataclass(slots=True)
class ErrorTally:
    """The errors of a network over some images.

    Attributes:
        images: the images that were seen.
        top1, top5: those whose class is not the first, or not among the first five.
    """

    images: int = 0
    top1: int = 0
    top5: int = 0

    def add(self, rank: int) -> None:
        """Count an image whose class has a rank: the number of other classes at least as likely."""
        self.images += 1
        self.top1 += rank >= 1
        self.top5 += rank >= TOP

    def percent(self, wrong: int) -> float:
        """Return a count of errors as a percentage of the images."""
        return 100 * wrong / self.images

    def standard_error(self, wrong: int) -> float:
        """Return the standard error of a percentage, from the binomial distribution.

        Units: percentage points. Source: sqrt(p (1 - p) / n).
        """
        share = wrong / self.images
        return 100 * sqrt(share * (1 - share) / self.images)
