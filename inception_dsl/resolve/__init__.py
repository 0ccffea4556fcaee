"""From a spec to a model: names, expressions, paths and shapes. The only layer that sees both.

The stages are in this order, and each raises all of its errors at once: tables and defaults, the
blocks as symbols, the network and its heads, the calls with their shapes.
"""

from inception_dsl.resolve.overrides import read_override
from inception_dsl.resolve.reserved import name_problem, network_name_problem
from inception_dsl.resolve.resolver import (
    read_blocks,
    read_library_blocks,
    read_network,
)
from inception_dsl.resolve.statements import find_odd_statements, list_multiples
from inception_dsl.resolve.template import AS_WRITTEN, Instantiation, Overrides, Template

__all__ = [
    "AS_WRITTEN",
    "Instantiation",
    "Overrides",
    "Template",
    "find_odd_statements",
    "list_multiples",
    "name_problem",
    "network_name_problem",
    "read_blocks",
    "read_library_blocks",
    "read_network",
    "read_override",
]
