"""The bounds of a spec: how large it may be, and all that is computed of it.

A spec comes from anybody. Every command must end on every spec within 10 seconds of processor time
and 1 GB of memory; what would take more is refused (E003) before it is computed. The bounds are
tens of times what any published network needs. The work of every command grows in proportion to
them, or a smaller bound stands beside the code that it is for.
"""

from __future__ import annotations

MAX_BYTES = 5_000_000
"""Maximum number of bytes of all files of a spec: its own, those that it uses and extends."""

MAX_FILES = 100
"""Maximum number of files of a spec."""

MAX_NESTING = 64
"""Maximum number of levels of lists and mappings within each other."""

MAX_VALUES = 100_000
"""Maximum number of texts, numbers, lists and mappings in all files of a spec."""

MAX_CHANGED = 300_000
"""Maximum number of steps in the lists that `extends` changes, counted once for each change."""

MAX_BLOCKS = 1_000
"""Maximum number of blocks, those of used files included."""

MAX_TABLES = 1_000
"""Maximum number of tables, those of used files included."""

MAX_PARAMS = 100
"""Maximum number of parameters of a block or of the network, and of columns of a table."""

MAX_HEADS = 100
"""Maximum number of training heads."""

MAX_CLAIMS = 500
"""Maximum number of claims, each on one figure or shape."""

MAX_NODES = 12_500
"""Maximum number of nodes and calls of a model, all copies expanded, and of steps as written."""

MAX_COPIES = 10_000
"""Maximum number of copies of a step."""

MAX_CALLS_DEEP = 64
"""Maximum number of blocks that call each other below the network."""

MAX_JOINED = 1_000
"""Maximum number of values that one join reads."""

MAX_EDGES = 60_000
"""Maximum number of edges of a model: the values that each of its nodes reads, taken together."""

MAX_PATH = 300
"""Maximum number of characters of the path of a node."""

MAX_CLAIMED_NODES = 30_000
"""Maximum number of nodes of a model times the number of other inputs that it makes claims for."""

MAX_OPERANDS = 50
"""Maximum number of names and numbers in the expression of a width, in emitted code."""

MAX_NUMBER = 10**12
"""Maximum size of a number, written or computed."""
