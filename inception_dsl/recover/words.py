"""The words of a node: its op as a spec writes it, without what the network's defaults say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from inception_dsl.expr import Expr
from inception_dsl.ir import Value
from inception_dsl.ops import ACTIVATIONS, OPS, Attribute, Op, shown
from inception_dsl.ops.window import find_reaches, margins
from inception_dsl.recover.fusion import Fused
from inception_dsl.recover.graph import TracedNode
from inception_dsl.recover.terms import Hole, OpTerm

_HOLES = frozenset(["width", "positive", "natural", "decimal", "fraction", "pad", "steps"])
"""The kinds of attributes whose values may be parameters; an activation may be one, too."""

_FIXED = frozenset(["same_tf"])
"""The values of such attributes that no parameter can have."""


@dataclass(frozen=True, slots=True)
class WordWriter:
    """A writer of the words of nodes.

    Attributes:
        defaults: what the network sets for each op, apart from the op's own defaults.
    """

    defaults: Mapping[str, Mapping[str, Value]]

    def write(self, node: TracedNode, step: str) -> OpTerm:
        """Return a node as a term.

        Args:
            step: the name of its step; empty if it has none.
        """
        op = OPS[node.op]
        values = {name: _plain(op, name, node.attributes) for name in node.attributes}
        base = self._base(op)
        chosen = _choose(op, base, values)
        kernel = Hole(op.kernel, values[op.kernel], None) if op.kernel else None
        words: list[str | Hole] = []
        flag = _find_flag(op, base, values, chosen)
        covered = op.flags[flag] if flag else {}
        for attribute in op.attributes:
            name = attribute.name
            if name not in values or name == op.kernel or attribute.owner or name in covered:
                continue
            default = cast("Value | None", base.get(name))
            if self._may_vary(attribute, values[name], default, chosen):
                is_bare = attribute.kind == "width"
                flags = frozenset(word for word, sets in op.flags.items() if list(sets) == [name])
                words.append(Hole(name, values[name], default, is_bare, step, flags))
            elif name in chosen:
                words.append(_word(op, attribute, values[name]))
        return OpTerm(op.name, op.written, (*words, *([flag] if flag else [])), kernel)

    def _may_vary(
        self,
        attribute: Attribute,
        value: Value,
        default: Value | None,
        chosen: Mapping[str, Value],
    ) -> bool:
        """Tell whether a parameter can set an attribute, which is written only where it differs.

        An activation that is a parameter has no words, so that none may have defaults.
        """
        if attribute.name == "act":
            is_plain = not self.defaults.keys() & ACTIVATIONS.keys()
            return is_plain and (attribute.name in chosen) == (value != default)
        return attribute.kind in _HOLES and value not in _FIXED

    def _base(self, op: Op) -> dict[str, Value | Expr]:
        base = {a.name: cast("Value", a.default) for a in op.attributes}
        return {**base, **self.defaults.get(op.defaults_of or op.name, {})}


def find_defaults(fused: Fused) -> dict[str, dict[str, Value]]:
    """Return what a network's `defaults` say: what most of its convolutions and norms have."""
    defaults: dict[str, dict[str, Value]] = {}
    carriers = [node for node in fused.graph.nodes if "norm" in node.attributes]
    for op_name in dict.fromkeys(node.op for node in carriers):
        op = OPS[op_name]
        nodes = [node for node in carriers if node.op == op_name]
        pairs = Counter((node.attributes["norm"], node.attributes["act"]) for node in nodes)
        norm, act = pairs.most_common(1)[0][0]
        usual: dict[str, Value] = {"norm": norm, "act": act}
        biases = Counter(
            node.attributes["bias"] for node in nodes if node.attributes["norm"] == norm
        )
        if len(biases) == 1 and (bias := biases.most_common(1)[0][0]) != (norm == "none"):
            usual["bias"] = bias
        defaults[op_name] = _without_own(op, usual)
    for name, settings in fused.usual.items():
        defaults[name] = _without_own(OPS[name], settings)
    for node in carriers:
        for owner in (node.attributes["norm"], node.attributes["act"]):
            # A step that names the norm and sets the op's word says so only beside the norm's.
            for word in (
                OPS[node.op].shared_words.get(str(owner), ()) if owner in fused.usual else ()
            ):
                if node.attributes[word] != _own_default(OPS[node.op], word):
                    defaults[str(owner)][word] = fused.usual[str(owner)][word]
    return {name: settings for name, settings in defaults.items() if settings}


def _own_default(op: Op, name: str) -> Value | None:
    attribute = op.attribute(name)
    return attribute.default if attribute else None


def _without_own(op: Op, settings: Mapping[str, Value]) -> dict[str, Value]:
    own = {a.name: a.default for a in op.attributes}
    return {name: value for name, value in settings.items() if own.get(name) != value}


def _plain(op: Op, name: str, attributes: Mapping[str, Value]) -> Value:
    """Return an attribute's value by the shortest word for it."""
    attribute = op.attribute(name)
    value = attributes[name]
    if attribute is None or attribute.kind != "pad" or not isinstance(value, tuple):
        return value
    reaches = find_reaches(attributes)
    for word in ("same", "V"):
        sides = [margins(word, reach)[axis] for axis, reach in enumerate(reaches)]
        if tuple(sides) == value:
            return word
    return value[0] if value[0] == value[1] else value


def _choose(
    op: Op, base: Mapping[str, Value | Expr], values: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the attributes that must be written for the op to have its values."""
    chosen = {
        name: value
        for name, value in values.items()
        if not _is_automatic(op, name, base) and base.get(name) != value
    }
    for name in values:
        if name not in chosen and _finish(op, base, chosen).get(name) != values[name]:
            chosen[name] = values[name]
    return chosen


def _is_automatic(op: Op, name: str, base: Mapping[str, Value | Expr]) -> bool:
    attribute = op.attribute(name)
    return attribute is not None and attribute.kind == "flag" and base.get(name) == "auto"


def _finish(
    op: Op, base: Mapping[str, Value | Expr], chosen: Mapping[str, Value]
) -> dict[str, Value | Expr]:
    filled: dict[str, Value | Expr] = {**base, **chosen}
    if op.finish is not None:
        op.finish(filled)
    return filled


def _find_flag(
    op: Op,
    base: Mapping[str, Value | Expr],
    values: Mapping[str, Value],
    chosen: Mapping[str, Value],
) -> str:
    """Return a flag that says two or more of the chosen attributes at once; empty if none does."""
    for flag, sets in op.flags.items():
        is_true = all(values.get(name) == value for name, value in sets.items())
        if is_true and len(sets.keys() & chosen.keys()) > 1:
            return flag
    return ""


def _word(op: Op, attribute: Attribute, value: Value) -> str:
    """Return the word that sets an attribute."""
    for flag, sets in op.flags.items():
        if sets == {attribute.name: value}:
            return flag
    return f"{attribute.name} {shown(value)}"


def write_defaults(defaults: Mapping[str, Mapping[str, Value]]) -> dict[str, dict[str, str]]:
    """Return a network's defaults as texts."""
    return {
        op: {name: shown(value) for name, value in settings.items()}
        for op, settings in defaults.items()
    }


def join_holes(op: str, attributes: Mapping[str, Value]) -> Iterable[Hole]:
    """Yield the attributes of a join that differ from its defaults, and those of training alone.

    A network in which paths are dropped says so of each sum, so that all sums have the same holes.
    """
    for attribute in OPS[op].attributes:
        value = attributes.get(attribute.name, attribute.default)
        is_told = attribute.changes == "training" and attribute.name in attributes
        if value is not None and (is_told or value != attribute.default):
            is_rounded = attribute.is_rounded
            yield Hole(attribute.name, value, attribute.default, is_rounded=is_rounded)
