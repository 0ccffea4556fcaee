"""The networks that a caller can load."""

from __future__ import annotations

from pathlib import Path

from inception_dsl import driver
from inception_dsl.driver.listing import KnownNetwork


def list() -> tuple[KnownNetwork, ...]:
    """Return the networks of the project and of the library, as `inception-dsl list` does.

    `pandas.DataFrame(idsl.list())` is a table of them. `from inception_dsl import *` leaves this
    name out, for Python's own `list`.

    Example:
        >>> next(known for known in list() if known.name == "alexnet").params
        61100840
    """
    return tuple(driver.list_networks(Path.cwd()))
