"""The error of a file that holds no network which can be read."""

from __future__ import annotations


class UnreadableError(Exception):
    """The error of a file of a network that is damaged, contradicts itself or exceeds a bound.

    Its text is a sentence about the file, without a full stop.
    """
