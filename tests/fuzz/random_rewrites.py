"""Random rewrites of random specs: several edits, neutral ones among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from random_edits import steps_of
from random_steps import ACTS, Spec, Step

Edit = Callable[["Rewriter"], bool]
"""An edit of a document in place; false if it finds nothing to edit."""


@dataclass
class Rewriter:
    """A document that edits change in place.

    Attributes:
        added: the number of names that edits have given.
    """

    random: Random
    document: dict[str, Any]
    added: int = 0

    def name(self) -> str:
        """Return a name that nothing has."""
        self.added += 1
        return f"new{self.added}"

    def lists(self) -> list[list[Any]]:
        """Return all lists of steps."""
        return list(_find_lists(self.document))

    def find_step(self, pattern: str) -> tuple[Any, Any, Step] | None:
        """Return a step whose head matches, with the list or mapping that holds it, and its key."""
        matching = [
            (place, step)
            for place, step in steps_of(self.document)
            if re.search(pattern, step.head) and not step.bindings
        ]
        if not matching:
            return None
        place, step = self.random.choice(matching)
        holder: Any = self.document
        for key in place[:-1]:
            holder = holder[key]
        return holder, place[-1], step

    def set_word(self, pattern: str, name: str, values: tuple[Any, ...]) -> bool:
        """Give a word of a step another value."""
        if (found := self.find_step(pattern)) is None:
            return False
        holder, key, step = found
        words = dict(step.words)
        words[name] = self.random.choice([v for v in values if v != words.get(name)])
        holder[key] = replace(step, words=tuple(words.items()))
        return True


def _find_lists(value: Any) -> Iterator[list[Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                if key == "steps" and isinstance(inner, list) and inner:
                    yield inner
                if key not in ("from", "order", "params", "inputs", "outputs", "columns", "tables"):
                    yield from _find_lists(inner)
        case list():
            if value and all(isinstance(item, dict | Step) for item in value):
                yield value
            for inner in value:
                yield from _find_lists(inner)


def _renamed(value: Any, old: str, new: str) -> Any:
    match value:
        case dict():
            return {_renamed(k, old, new): _renamed(v, old, new) for k, v in value.items()}
        case list():
            return [_renamed(item, old, new) for item in value]
        case str():
            return re.sub(rf"\b{old}\b", new, value)
        case Step():
            words = tuple((k, _renamed(v, old, new)) for k, v in value.words)
            return replace(value, head=re.sub(rf"\b{old}\b", new, value.head), words=words)
        case _:
            return value


# Edits that keep what the network computes.


def rename(rewriter: Rewriter) -> bool:
    """Give a step, a branch or a block another name."""
    text = Spec(rewriter.document).text()
    names = re.findall(r"^[- ]*((?:s|b|trunk|block)\d+):", text, re.MULTILINE)
    if not names:
        return False
    new = _renamed(rewriter.document, rewriter.random.choice(names), rewriter.name())
    rewriter.document.clear()
    rewriter.document.update(new)
    return True


def group(rewriter: Rewriter) -> bool:
    """Put some steps of a list into a list of their own."""
    items = rewriter.random.choice(rewriter.lists())
    first = rewriter.random.randrange(len(items))
    count = rewriter.random.randint(1, 3)
    items[first : first + count] = [{rewriter.name(): items[first : first + count]}]
    return True


def reorder(rewriter: Rewriter) -> bool:
    """Write the branches of a join in another order."""
    joins = [
        value
        for value in _find_mappings(rewriter.document)
        if isinstance(value.get("branches"), dict) and len(value["branches"]) > 1
    ]
    if not joins:
        return False
    join = rewriter.random.choice(joins)
    branches = list(join["branches"].items())
    rewriter.random.shuffle(branches)
    join["branches"] = dict(branches)
    join.pop("order", None)
    return True


def _find_mappings(value: Any) -> Iterator[dict[str, Any]]:
    match value:
        case dict():
            yield value
            for inner in value.values():
                yield from _find_mappings(inner)
        case list():
            for inner in value:
                yield from _find_mappings(inner)


def insert_neutral(rewriter: Rewriter) -> bool:
    """Insert a step that changes nothing in inference, with the tensors that a plan gives it."""
    items = rewriter.random.choice(rewriter.lists())
    op = rewriter.random.choice(["identity", "dropout", "batchnorm", "scale", "rescale (factor 1)"])
    made: Any = Step(op)
    if rewriter.random.random() < 0.7:
        made = {rewriter.name(): made}
    items.insert(rewriter.random.randint(1, len(items)), made)
    return True


def set_bias(rewriter: Rewriter) -> bool:
    """Add a bias to a convolution."""
    if (found := rewriter.find_step(r"\bconv$")) is None:
        return False
    holder, key, step = found
    holder[key] = replace(step, words=tuple({**dict(step.words), "bias": True}.items()))
    return True


def split(rewriter: Rewriter) -> bool:
    """Write the norm and the activation of a convolution as steps behind it."""
    if (found := rewriter.find_step(r"^[^x]*x\d+ (de)?conv$")) is None:
        return False
    holder, key, step = found
    words = dict(step.words)
    norm, act = words.get("norm"), words.get("act")
    if norm is None or act is None or not isinstance(holder, list) or act == "prelu":
        return False
    plain = {**words, "norm": "none", "act": "none", "bias": words.get("bias", norm == "none")}
    behind = [Step(each) for each in (norm, act) if each != "none"]
    holder[key : key + 1] = [replace(step, words=tuple(plain.items())), *behind]
    return True


def fold(rewriter: Rewriter) -> bool:
    """Leave out the norm of a convolution, which gets a bias."""
    if (found := rewriter.find_step(r"\b(de)?conv$")) is None:
        return False
    holder, key, step = found
    words = {**dict(step.words), "norm": "none", "bias": True}
    holder[key] = replace(step, words=tuple(words.items()))
    return True


def extract(rewriter: Rewriter) -> bool:
    """Make a block of some steps."""
    items = rewriter.random.choice(rewriter.lists())
    first = rewriter.random.randrange(len(items))
    count = rewriter.random.randint(1, 3)
    name = rewriter.name()
    rewriter.document.setdefault("blocks", {})
    rewriter.document["blocks"] = {
        name: {"steps": items[first : first + count]},
        **rewriter.document["blocks"],
    }
    items[first : first + count] = [Step(name, bindings=True)]
    return True


NEUTRAL: tuple[Edit, ...] = (
    rename,
    group,
    reorder,
    insert_neutral,
    set_bias,
    split,
    fold,
    extract,
)


# Others.


def widen(rewriter: Rewriter) -> bool:
    """Make a step wider."""
    if (found := rewriter.find_step(r"\b(conv|linear|deconv|sepconv)$")) is None:
        return False
    holder, key, step = found
    holder[key] = replace(step, width=f"{step.width} + {rewriter.random.randint(1, 3)}")
    return True


def remove(rewriter: Rewriter) -> bool:
    """Take a step out."""
    items = rewriter.random.choice(rewriter.lists())
    if len(items) < 2:
        return False
    del items[rewriter.random.randrange(len(items))]
    return True


def insert(rewriter: Rewriter) -> bool:
    """Insert a step that changes values."""
    items = rewriter.random.choice(rewriter.lists())
    op, width = rewriter.random.choice(
        [("3x3 conv", "in + 1"), ("relu", None), ("layernorm", None)]
    )
    items.insert(rewriter.random.randint(0, len(items)), Step(op, width))
    return True


def condition(rewriter: Rewriter) -> bool:
    """Put a step under a condition."""
    items = rewriter.random.choice(rewriter.lists())
    index = rewriter.random.randrange(len(items))
    if not isinstance(items[index], Step):
        return False
    when = rewriter.random.choice(["1 == 1", "1 == 2", "in > 3"])
    items[index] = {rewriter.name(): {"when": when, "steps": items[index]}}
    return True


def rekernel(rewriter: Rewriter) -> bool:
    """Give a convolution another kernel."""
    if (found := rewriter.find_step(r"\d+x\d+ (conv|sepconv)$")) is None:
        return False
    holder, key, step = found
    kernel = rewriter.random.choice(["1x1", "3x3", "1x3", "3x1"])
    holder[key] = replace(step, head=re.sub(r"\d+x\d+", kernel, step.head))
    return True


def react(rewriter: Rewriter) -> bool:
    """Give a convolution another activation."""
    return rewriter.set_word(r"\b(conv|deconv)$", "act", ("none", *ACTS))


def renorm(rewriter: Rewriter) -> bool:
    """Give a convolution another norm."""
    return rewriter.set_word(r"\bconv$", "norm", ("none", "batchnorm", "layernorm", "instancenorm"))


def reslice(rewriter: Rewriter) -> bool:
    """Write a slice or a shuffle with another number of parts."""
    return rewriter.set_word(r"\bshuffle$", "groups", (1, 2, 3)) or rewriter.set_word(
        r"\bslice$", "from", (0, 1, 2)
    )


OTHERS: tuple[Edit, ...] = (
    widen,
    remove,
    insert,
    condition,
    rekernel,
    react,
    renorm,
    reslice,
)


@dataclass(frozen=True)
class Rewrite:
    """A spec before and after some edits.

    Attributes:
        edits: the names of the edits.
        is_neutral: each of them keeps what the network computes.
    """

    old: Spec
    new: Spec
    edits: tuple[str, ...]
    is_neutral: bool


def rewrite(spec: Spec, seed: int) -> Rewrite:
    """Return a spec with one to four edits; half of the time they are all neutral."""
    random = Random(seed)
    rewriter = Rewriter(random, deepcopy(spec.document))
    is_neutral = random.random() < 0.5
    edits = []
    for _ in range(random.randint(1, 4)):
        edit = random.choice(NEUTRAL if is_neutral else (*NEUTRAL, *OTHERS))
        if edit(rewriter):
            edits.append(edit.__name__)
    return Rewrite(spec, Spec(rewriter.document), tuple(edits), is_neutral)
