"""Random edits of one step, which may run any op: another word, another op, or no step at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from random_operations import Leaf, Writer
from random_steps import Spec, Step

_TRIES = 400
"""Number of steps that are drawn in search of one that runs the same op in other words."""


def draw_step_edit(seed: int) -> tuple[Spec, Spec, str]:
    """Return two specs that differ in one step, and what was done to it."""
    random = Random(seed)
    size = random.randint(1, 12), random.randint(1, 12)
    channels = random.choice([1, 2, 3, 4, 5, 6, 8, 9])
    groups = random.choice([n for n in (1, 2, 3) if channels % n == 0])
    defaults: dict[str, dict[str, Any]] = {
        "conv": {},
        "batchnorm": {},
        "groupnorm": {"groups": groups},
        "layernorm": {},
    }
    writer = Writer(random, size, channels, defaults)
    lead: list[Any] = [{"first": Step("1x1 conv", channels)}]
    make: Callable[[], Leaf] = writer.any_leaf
    if random.random() < 0.25:
        lead.append({"pool": Step("global avgpool")})
        make = lambda: writer.on_vectors(channels)  # noqa: E731
    old = make()
    new = random.choice([_in_other_words, _in_other_words, _another, _none])(old, make, random)
    sides = [[{"own": leaf.step()}] if leaf else [] for leaf in (old, new)]
    random.shuffle(sides)
    before, after = (
        Spec(
            {
                "inception": 1,
                "name": "net",
                "input": f"{size[0]}x{size[1]}x{channels}",
                "defaults": defaults,
                "network": [*lead, *steps],
            }
        )
        for steps in sides
    )
    shown = [" ".join(step["own"].short() for step in steps) or "nothing" for steps in sides]
    return before, after, f"{shown[0]} -> {shown[1]} at {before.document['input']}"


def _in_other_words(leaf: Leaf, make: Callable[[], Leaf], random: Random) -> Leaf:
    """Return the step with one word as another random step of its op has it, if one has."""
    words = dict(leaf.words)
    for _ in range(_TRIES):
        other = make()
        if other.op != leaf.op:
            continue
        others = dict(other.words)
        names = sorted(name for name in {*words, *others} if words.get(name) != others.get(name))
        if other.head != leaf.head:
            names.append("")
        if not names:
            continue
        name = random.choice(names)
        if not name:
            return replace(leaf, head=other.head)
        kept = {key: value for key, value in words.items() if key != name}
        taken = {name: others[name]} if name in others else {}
        return replace(leaf, words=tuple((kept | taken).items()))
    return leaf


def _another(leaf: Leaf, make: Callable[[], Leaf], random: Random) -> Leaf:
    return make()


def _none(leaf: Leaf, make: Callable[[], Leaf], random: Random) -> None:
    return None
