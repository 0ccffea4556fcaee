"""The rules of a convention of counting in words, for the layers that a network has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from inception_dsl.analysis import ConventionCount
from inception_dsl.analysis.conventions import MORE_AT_OUTPUT, Convention, CountedAmount, Rule

_PHRASES: dict[CountedAmount, str] = {
    "macs": "{} for each multiply-accumulate",
    "macs_at_output": "{} for each weight at each place of the output",
    "macs_by_groups": "{} for each multiply-accumulate, divided by the groups",
    "biased": "{} for each value that a bias is added to",
    "biased_as_conv": "{} for each value of a bias on a map as small as a convolution's",
    "flops": "its floating-point operations",
    "read": "{} for each value that comes in",
    "scaled": "{} more if there is a learnt scale",
    "made": "{} for each value that goes out",
    "windowed": "{} for each value of each window",
    "rows": "{} for each row",
    "learnt": "{} for each parameter",
    "padded": "{} for each value of the padded map",
    "folding": "a few for each channel, once for all images",
    "places_by_size": "{} for each place, if a size is written",
    "read_by_factor": "{} for each value that comes in, if a factor is written",
    "made_by_factor": "{} for each value that goes out, if a factor is written",
}
"""A term of a rule in words, after the number of times that the amount counts."""

NOTHING = "nothing"

OF_STOCK_LAYERS = (
    "The numbers of tools are those of stock layers. A tool that goes by the class of a module, or"
    " misses functions, may print another number for the imported network."
)
"""The note on counts of an imported network by tools."""


def write_rule(rule: Rule) -> str:
    """Return a rule in words: `1 for each multiply-accumulate`."""
    return ", ".join(_PHRASES[name].format(times) for name, times in rule.items()) or NOTHING


def simplify_rule(kind: str, rule: Rule) -> Rule:
    """Return the rule of a kind of layer with one name for amounts that are equal there.

    Weights at each place of the output are multiply-accumulates, unless the convolution is
    transposed.
    """
    if kind in MORE_AT_OUTPUT:
        return rule
    return {("macs" if name == "macs_at_output" else name): n for name, n in rule.items()}


def list_rules(convention: Convention, kinds: Iterable[str]) -> Iterator[str]:
    """Yield the rules for some kinds of layers in words; kinds with one rule share a clause."""
    together: dict[tuple[tuple[CountedAmount, int], ...], list[str]] = {}
    for kind in kinds:
        if rule := convention.rule_of(kind):
            together.setdefault(tuple(simplify_rule(kind, rule).items()), []).append(kind)
    for terms, sharing in together.items():
        yield f"{', '.join(sharing)}: {write_rule(dict(terms))}"


def name_number(convention: Convention) -> str:
    """Return the heading of a convention's number: the tool, and its own word for the number."""
    return (
        f"{convention.name} {convention.calls_it}" if convention.is_of_tool else convention.calls_it
    )


def describe(counts: Sequence[ConventionCount]) -> str:
    """Return how one convention counts some networks, for readers who do not know the tool.

    Args:
        counts: the counts of the networks by one convention.
    """
    convention = counts[0].convention
    found = (each for count in counts for each in count.kinds if each.counted or each.biases)
    kinds = tuple(dict.fromkeys(each.kind for each in found))
    left_out = dict.fromkeys(name for count in counts for name in count.left_out)
    name = f"{convention.title} {convention.version}".rstrip()
    rules = "; ".join(list_rules(convention, kinds))
    missing = f" Not counted: {', '.join(left_out)}." if left_out else ""
    return f"{name_number(convention)}: as {name} counts. {rules}.{missing}"
