"""The path of a step, a branch or a call: dotted names, such as `inception_c.0.b3x3dbl.conv2`.

The same path is the attribute path and the state_dict prefix in emitted code, the row of a cost
table, the id in a figure and the place in a finding. Code that needs a part of a path gets it here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Path(str):
    """A dotted path that never changes.

    A path is a string, so it prints, sorts and compares as its text. The empty path stands for the
    network, or for the block that holds the step. A name that is a number is the index of a copy:
    `inception_c.0` is the first copy of `inception_c`.
    """

    __slots__ = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names between the dots; none for the empty path."""
        return tuple(self.split(".")) if self else ()

    @property
    def name(self) -> str:
        """The last name."""
        return self[self.rfind(".") + 1 :]

    @property
    def first(self) -> Path:
        """The path of the first name."""
        return Path(self.partition(".")[0])

    @property
    def parent(self) -> Path:
        """The path without its last name; empty for a single name."""
        return Path(self[: max(self.rfind("."), 0)])

    @property
    def parents(self) -> Iterator[Path]:
        """The paths above, the nearest first, without the empty one."""
        end = self.rfind(".")
        while end > 0:
            yield Path(self[:end])
            end = self.rfind(".", 0, end)

    @property
    def copy(self) -> int | None:
        """The index of the copy that the path ends in; None if it ends in a name."""
        name = self.name
        return int(name) if name.isdigit() else None

    @property
    def step(self) -> Path:
        """The path without a copy's index at its end."""
        return self.parent if self.name.isdigit() else self

    @property
    def without_copies(self) -> Path:
        """The path without any copy's index: the same for all copies of one step."""
        return Path(".".join(name for name in self.names if not name.isdigit()))

    def is_below(self, holder: str) -> bool:
        """Tell whether the path lies below `holder`, at any depth; all lie below the empty path."""
        return len(self) > len(holder) and (not holder or self.startswith(f"{holder}."))

    def is_within(self, holder: str) -> bool:
        """Tell whether the path is `holder` or lies below it."""
        return self == holder or self.is_below(holder)

    def relative_to(self, holder: str) -> Path:
        """Return the rest of the path below `holder`; empty for `holder` itself.

        Raises:
            ValueError: the path does not lie within `holder`.
        """
        if not self.is_within(holder):
            message = f"`{self}` does not lie within `{holder}`"
            raise ValueError(message)
        return Path(self[len(holder) + 1 :]) if holder else self

    def __truediv__(self, below: str | int) -> Path:
        """Return the path of `below` in this path: `Path("a") / "b.c"` is `a.b.c`."""
        if below == "":
            return self
        return Path(f"{self}.{below}" if self else below)


def find_range(paths: Sequence[str], holder: str) -> tuple[int, int]:
    """Return the range of the paths below `holder` in sorted paths: its first index and its end.

    If nothing lies below `holder`, the range is that of `holder` itself. The slash is the character
    after the dot, so all paths below `holder.` sort before `holder/`.
    """
    if not holder:
        return 0, len(paths)
    start = bisect_left(paths, f"{holder}.")
    end = bisect_left(paths, f"{holder}/", start)
    if start == end:
        start = bisect_left(paths, holder)
        end = start + (start < len(paths) and paths[start] == holder)
    return start, end
