"""The bounds on the size of a spec and of the model that it describes.

Anybody may write a spec, so every command must end on every spec within 10 seconds of processor
time and 1 GB of memory. A spec that exceeds a bound is refused (E003) before its model is built.
The bounds are tens of times the size of any published network. The work of each command grows in
proportion to them; a command that needs a smaller bound has it beside its code.
"""

from __future__ import annotations

MAX_BYTES = 5_000_000
"""Maximum number of bytes of a spec and of all files that it uses or extends."""

MAX_FILES = 100
"""Maximum number of files of a spec, with all that it uses or extends."""

MAX_NESTING = 64
"""Maximum number of lists and mappings that are nested within each other."""

MAX_VALUES = 100_000
"""Maximum number of texts, numbers, lists and mappings in all files of a spec."""

MAX_CHANGED = 300_000
"""Maximum number of steps in the lists that `extends` changes, counted once for each change."""

MAX_BLOCKS = 1_000
"""Maximum number of blocks of a spec, those of used files included."""

MAX_TABLES = 1_000
"""Maximum number of tables of a spec, those of used files included."""

MAX_PARAMS = 100
"""Maximum number of parameters of a block or of the network, and of columns of a table."""

MAX_PORTS = 100
"""Maximum number of inputs, and of outputs, of a block or of the network."""

MAX_HEADS = 100
"""Maximum number of training heads of a spec."""

MAX_CLAIMS = 500
"""Maximum number of claims of a spec, each about one number or shape."""

MAX_NODES = 12_500
"""Maximum number of nodes and calls of a model, each copy counted, and of steps as written."""

MAX_COPIES = 10_000
"""Maximum number of copies of a step."""

MAX_CALLS_DEEP = 64
"""Maximum number of calls that are nested within each other below the network."""

MAX_JOINED = 1_000
"""Maximum number of values that one join reads."""

MAX_EDGES = 60_000
"""Maximum number of edges of a model: the sum, over its nodes, of the values that each reads."""

MAX_PATH = 300
"""Maximum number of characters of the path of a node or a call."""

MAX_CLAIMED_NODES = 30_000
"""Maximum product of a model's nodes and the inputs other than its own that its claims name."""

MAX_OPERANDS = 50
"""Maximum number of names and numbers in the expression of a width, in emitted code."""

MAX_NUMBER = 10**12
"""Maximum absolute value of a number, written or computed."""
