"""Changes in the papers' notation: `3x3 conv (96 -> 128 stride 2 V)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile

from inception_dsl.diff.parts import Part, is_join
from inception_dsl.diff.view import View
from inception_dsl.expr import Expr
from inception_dsl.ir import Call, CallDef, Node, NodeDef, Value
from inception_dsl.ops import OPS
from inception_dsl.ops.base import Attribute, Symbols, shown

MAX_STEPS = 6
"""Of what was added or removed so many steps are named."""

_NORM_WORDS = frozenset(["momentum", "gamma"])


def changed_step(old: Symbols, new: Symbols, op: str, names: Collection[str]) -> str:
    """An op's step with the values that change, old and new.

    Attributes that are in neither are left out, as where several steps are spoken of.
    """
    kind = OPS[op]
    words = list(_words(old, new, op, names))
    head = kind.written
    kernel = kind.attribute(kind.kernel)
    if kernel is not None and (kernel.name in new or kernel.name in names):
        head = f"{_value(old, new, kernel, names)} {head}"
    return f"{head} ({' '.join(words)})" if words else head


def _words(old: Symbols, new: Symbols, op: str, names: Collection[str]) -> Iterator[str]:
    kind = OPS[op]
    for attribute in kind.attributes:
        name = attribute.name
        if name == kind.kernel or not (name in old or name in new):
            continue
        if name in names:
            if "norm" in names and name in _NORM_WORDS:
                continue  # a norm comes or goes, and these with it
            if "norm" in names and name == "eps":
                if name in new:
                    yield f"eps {value_text(new[name])}"
                continue
            value = _value(old, new, attribute, names)
            yield value if attribute.kind == "width" else f"{name} {value}"
        elif name in new and (word := _plain(attribute, new[name])):
            yield word


def _plain(attribute: Attribute, value: Value | Expr) -> str | None:
    """A word that stays as it is, if a reader misses it; norms and activations are not missed."""
    if attribute.kind == "width":
        return value_text(value)
    is_missed = attribute.is_drawn and not attribute.of and attribute.kind != "choice"
    if not is_missed or value == attribute.default:
        return None
    match attribute.kind:
        case "flag":
            return attribute.name if value is True and attribute.name != "bias" else None
        case "pad" if isinstance(value, str):
            return value
        case _:
            return f"{attribute.name} {value_text(value)}"


def _value(old: Symbols, new: Symbols, attribute: Attribute, names: Collection[str]) -> str:
    default = attribute.default if isinstance(attribute.default, str) else "none"
    now = value_text(new.get(attribute.name, default))
    if attribute.name not in names:
        return now
    return arrow(value_text(old.get(attribute.name, default)), now)


def changed_op(old: NodeDef | Node, new: NodeDef | Node) -> str:
    """One op for another."""
    return arrow(step_text(old), step_text(new))


def value_text(value: Value | Expr) -> str:
    """A value as a change shows it: a flag is said, or not."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value)


def step_text(step: NodeDef | CallDef | Node | Call) -> str:
    """A step as a spec writes it, its count and shape left out."""
    match step:
        case NodeDef() | Node():
            return OPS[step.op].label(step.attributes)
        case CallDef() | Call():
            bound = " ".join(
                f"{name}={value_text(value)}" for name, value in step.arguments.items()
            )
            return f"{step.block} ({bound})" if bound else step.block


def part_text(part: Part, path: str, view: View) -> str:
    """What stands at a place: a step, the steps of a branch, or several branches."""
    steps = list(_steps(part, path))
    text = ", ".join(_written(own, view) for own in steps[:MAX_STEPS])
    if part.item is None and any(not kid.item for kid in part.kids.values()):
        inner = (
            f"{kid.name}: {part_text(kid, f'{path}.{kid.name}', view)}"
            for kid in part.kids.values()
            if not is_join(kid.item)
        )
        text = "; ".join(inner)
    elif len(steps) > MAX_STEPS:
        text += ", ..."
    reused = [view.nodes[own].reuses for own in steps if own in view.nodes]
    if steps and len(reused) == len(steps) and all(reused):
        return f"{text}, with the weights of {_holder([own or '' for own in reused])}"
    return text


def _holder(paths: Sequence[str]) -> str:
    """What holds some steps: the longest path that they have in common."""
    parts = [path.split(".") for path in paths]
    common = [
        own[0] for own in takewhile(lambda own: len(set(own)) == 1, zip(*parts, strict=False))
    ]
    return ".".join(common) or ", ".join(paths)


def _written(path: str, view: View) -> str:
    definition = view.steps[path].definition
    assert definition is not None
    return step_text(definition)


def _steps(part: Part, path: str) -> Iterator[str]:
    if part.item is not None:
        yield path
        return
    for kid in part.kids.values():
        if not is_join(kid.item):
            yield from _steps(kid, f"{path}.{kid.name}")


def arrow(old: object, new: object) -> str:
    """`old -> new`."""
    return f"{old} -> {new}"


def ordered(old: Sequence[str], new: Sequence[str]) -> str:
    """Two orders of the same things."""
    return f"({arrow(' '.join(old), ' '.join(new))})"


def names_of(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """Paths by as little as tells them apart: the names of branches, where that is enough."""
    paths = list(dict.fromkeys([*old, *new]))
    parts = [path.split(".") for path in paths]
    skip = 0
    while all(len(own) > skip + 1 for own in parts) and len({own[skip] for own in parts}) == 1:
        skip += 1
    names = dict(zip(paths, (own[skip] for own in parts), strict=True))
    often = Counter(names.values())
    for path, own in zip(paths, parts, strict=True):
        if often[own[skip]] > 1:
            names[path] = ".".join(own[skip : skip + 2])
    if len(set(names.values())) < len(paths):
        names = {path: path for path in paths}
    return [names[path] for path in old], [names[path] for path in new]
