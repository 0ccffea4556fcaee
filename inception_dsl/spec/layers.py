"""`extends`: one spec laid over another, tree over tree.

Mappings merge key by key, new keys last. A mapping over a list of steps changes the steps of those
names. A key may be a path into a body, without `branches` and `steps`. `none` removes a step, a
branch, a block or a head; `{after: NAME, steps: ...}` inserts. Anything else replaces. The parts
keep their places, so a finding points at the layer that it comes from.
"""

from __future__ import annotations

from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Fix, Label, SpecError, nearest
from inception_dsl.spec.effort import BlockValues, Effort
from inception_dsl.spec.misplaced import find_nothing, show_names
from inception_dsl.spec.named_steps import (
    find_syntax_error,
    give_name,
    inner_body,
    is_none,
    list_names,
    name_steps,
    replace_inner,
)
from inception_dsl.spec.recipe_layers import lay_recipe
from inception_dsl.spec.schema import BODY_KEYS, WORK_KEYS
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Sequence, Tree

MAX_EXTENDS = 64
"""Maximum number of blocks that extend each other in a chain."""


class _Problems(list[Diagnostic]):
    """The problems of one layer."""

    def __init__(self, effort: Effort) -> None:
        super().__init__()
        self.effort = effort

    def append(self, problem: Diagnostic) -> None:
        """Add a problem.

        Raises:
            SpecError: all problems, once there are `MAX_FINDINGS`.
        """
        super().append(problem)
        if len(self) == MAX_FINDINGS:
            raise SpecError(self)


def lay_over(base: Mapping, layer: Mapping, effort: Effort) -> Mapping:
    """Return the base with the layer's changes; neither is changed itself.

    Raises:
        SpecError: E212 for every change at a place that the base lacks.
    """
    items = dict(base.items)
    problems = _Problems(effort)
    for key, entry in layer.items.items():
        present = items.get(key)
        if present is None:
            items[key] = entry
            continue
        match key:
            case "blocks" | "heads":
                value = _members(present.value, entry.value, problems)
            case "network":
                value = _body(present.value, entry.value, problems)
            case "params":
                value = _network_params(present.value, entry.value)
            case "training":
                value = lay_recipe(present.value, entry.value)
            case _:
                value = _merge(present.value, entry.value)
        items[key] = Entry(entry.key, value)
    if problems:
        raise SpecError(problems)
    return Mapping(items, layer.span)


def extend_blocks(tree: Mapping, effort: Effort) -> Mapping:
    """Return the tree with every block that `extends` another one laid over it.

    Raises:
        SpecError: E008 blocks that extend each other in a circle, E212 a base that is not there.
    """
    entry = tree.items.get("blocks")
    if entry is None or not isinstance(entry.value, Mapping):
        return tree
    blocks = dict(entry.value.items)
    done: dict[str, Entry] = {}
    values = BlockValues()
    for name in blocks:
        extended_block = _extend(name, blocks, done, [], effort)
        values.add(extended_block)
    extended = Entry(entry.key, Mapping({name: done[name] for name in blocks}, entry.value.span))
    return Mapping({**tree.items, "blocks": extended}, tree.span)


def _extend(
    name: str, blocks: dict[str, Entry], done: dict[str, Entry], path: list[str], effort: Effort
) -> Entry:
    if name in done:
        return done[name]
    block = blocks[name]
    written = block.value.items.get("extends") if isinstance(block.value, Mapping) else None
    if written is None:
        done[name] = block
        return block
    assert isinstance(block.value, Mapping)
    base = written.value.value if isinstance(written.value, Scalar) else None
    if not isinstance(base, str) or base not in blocks:
        close = nearest(str(base), blocks)
        message, span = f"no block is named `{base}`", written.value.span
        fix = Fix(span, close) if close else None
        raise SpecError([Diagnostic("E212", message, (Label(span),), fix=fix)])
    if len(path) == MAX_EXTENDS:
        message = f"blocks extend each other more than {MAX_EXTENDS} deep"
        raise SpecError([Diagnostic("E003", message, (Label(block.key),))])
    if base in [*path, name]:
        circle = " extends ".join(f"`{block}`" for block in [*path, name, base])
        label = Label(written.value.span)
        raise SpecError([Diagnostic("E008", f"{circle}: a circle", (label,))])
    base_body = _extend(base, blocks, done, [*path, name], effort).value
    if not isinstance(base_body, Mapping):  # a step or a list is a body's `steps`
        base_body = Mapping({"steps": Entry(written.key, base_body)}, base_body.span)
    layer = {key: entry for key, entry in block.value.items.items() if key != "extends"}
    # The base's title and source do not describe the block that extends it.
    plain = {key: e for key, e in base_body.items.items() if key not in ("title", "source")}
    problems = _Problems(effort)
    laid = _body(Mapping(plain, base_body.span), Mapping(layer, block.value.span), problems)
    if problems:
        raise SpecError(problems)
    done[name] = Entry(block.key, laid)
    return done[name]


def _merge(base: Tree, layer: Tree) -> Tree:
    """Return two plain trees merged, such as tables and defaults."""
    if not isinstance(base, Mapping) or not isinstance(layer, Mapping):
        return layer
    items = dict(base.items)
    for key, entry in layer.items.items():
        present = items.get(key)
        items[key] = Entry(entry.key, _merge(present.value, entry.value)) if present else entry
    return Mapping(items, layer.span)


def _network_params(base: Tree, layer: Tree) -> Tree:
    """Return the parameters of a network with another's laid over them.

    `none` in the place of a number removes the parameter. In the place of an activation's name it
    is a value: no activation.
    """
    merged = _merge(base, layer)
    if not isinstance(base, Mapping) or not isinstance(merged, Mapping):
        return merged
    removed = {
        name
        for name, entry in merged.items.items()
        if is_none(entry.value) and name in base.items and _is_number(base.items[name].value)
    }
    kept = {name: entry for name, entry in merged.items.items() if name not in removed}
    return Mapping(kept, merged.span)


def _members(base: Tree, layer: Tree, problems: _Problems) -> Tree:
    """Return named bodies (blocks, heads, branches) merged; a key may be a path into one."""
    if not isinstance(base, Mapping) or not isinstance(layer, Mapping):
        return layer
    items = dict(base.items)
    for key, entry in layer.items.items():
        name, _, rest = key.partition(".")
        present = items.get(name)
        if present is None and (rest or is_none(entry.value)):
            meant = [
                name
                for name, member in items.items()
                if not rest or _has(member.value, rest, problems.effort)
            ]
            problems.append(find_nothing(key, entry, items, base.span, meant))
        elif present is None:
            items[key] = entry
        elif rest:
            items[name] = Entry(present.key, _at(present.value, rest, entry, problems))
        elif is_none(entry.value):
            del items[name]
        else:
            items[name] = Entry(entry.key, _body(present.value, entry.value, problems))
    return Mapping(items, base.span)


def _body(base: Tree, layer: Tree, problems: _Problems) -> Tree:
    """Return a body with another one laid over it."""
    base = _with_key(base, layer)
    if not isinstance(layer, Mapping) or not isinstance(base, Mapping | Sequence):
        return layer
    if isinstance(base, Sequence):
        if layer.items.keys() & BODY_KEYS:
            return layer
        result: Tree = base
        for key, entry in layer.items.items():
            result = _at(result, key, entry, problems)
        return result
    laid = base
    for key, entry in layer.items.items():
        present = laid.items.get(key)
        if present is None and key not in BODY_KEYS:
            inner = _at(laid, key, entry, problems)
            assert isinstance(inner, Mapping)
            laid = inner
            continue
        value = entry.value
        if present is not None:
            match key:
                case "steps":
                    value = _body(present.value, value, problems)
                case "branches":
                    value = _members(present.value, value, problems)
                case "params":
                    value = _params(present.value, value)
                case _:
                    value = _merge(present.value, value)
        laid = Mapping({**laid.items, key: Entry(entry.key, value)}, base.span)
    return laid


def _with_key(base: Tree, layer: Tree) -> Tree:
    """Return a list or a step as a mapping if the layer says nothing of the work.

    Its keys, such as parameters or a residual, are then laid over it as over any other body.
    """
    if not isinstance(base, Sequence | Scalar) or not isinstance(layer, Mapping):
        return base
    keys = layer.items.keys() & BODY_KEYS
    if not keys or keys & WORK_KEYS:
        return base
    return Mapping({"steps": Entry(base.span, base)}, base.span)


def _params(base: Tree, layer: Tree) -> Tree:
    """Return the parameters of a block and of the one that extends it, merged by name.

    A list of names and a mapping of names to defaults are two spellings of one thing. A parameter
    that the layer names again has the layer's default, or none if the layer gives none.
    """
    if isinstance(base, Sequence) and isinstance(layer, Sequence):
        again = {item.value for item in layer.items if isinstance(item, Scalar)}
        kept = [it for it in base.items if not isinstance(it, Scalar) or it.value not in again]
        return Sequence([*kept, *layer.items], layer.span)
    return _merge(_by_name(base), _by_name(layer))


def _by_name(params: Tree) -> Tree:
    """Return a list of parameters as a mapping without defaults; anything else as it is."""
    if not isinstance(params, Sequence):
        return params
    items: dict[str, Entry] = {}
    for item in params.items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str) or item.value in items:
            return params  # refused where parameters are read
        items[item.value] = Entry(item.span, Scalar(None, item.span, item.span))
    return Mapping(items, params.span)


def _at(body: Tree, path: str, change: Entry, problems: _Problems) -> Tree:
    """Return a body with a change at a path below it."""
    match body:
        case Sequence():
            return _in_list(body, path, change, problems)
        case Mapping(items) if "branches" in items:
            branches = items["branches"].value
            name, _, rest = path.partition(".")
            if isinstance(branches, Mapping) and (name in branches.items or not rest):
                layer = Mapping({path: change}, change.value.span)
                new = Entry(items["branches"].key, _members(branches, layer, problems))
                return Mapping({**items, "branches": new}, body.span)
        case Mapping(items) if "steps" in items:
            steps = items["steps"]
            new = Entry(steps.key, _at(steps.value, path, change, problems))
            return Mapping({**items, "steps": new}, body.span)
    problems.append(find_nothing(path, change, list_names(body), body.span))
    return body


def _in_list(body: Sequence, path: str, change: Entry, problems: _Problems) -> Sequence:
    problems.effort.look_at(len(body.items), change.key)
    names = [name for name, _ in name_steps(body)]
    # Every step is first given the name that it has, so that no change renumbers another.
    items = [give_name(item, name) for item, name in zip(body.items, names, strict=True)]
    body = Sequence(items, body.span)
    name, _, rest = path.partition(".")
    if isinstance(change.value, Mapping) and "after" in change.value.items and not rest:
        return _insert(body, names, name, change, problems)
    if name in names:
        index = names.index(name)
        if rest:
            inner = _at(inner_body(items[index]), rest, change, problems)
            items[index] = replace_inner(items[index], inner)
        elif is_none(change.value):
            del items[index]
        else:
            inner = _body(inner_body(items[index]), change.value, problems)
            items[index] = replace_inner(items[index], inner)
        return Sequence(items, body.span)
    for index, item in enumerate(items):  # an unnamed body adds no segment
        if not isinstance(item, Scalar) and names[index] is None and name in list_names(item):
            items[index] = _at(item, path, change, problems)
            return Sequence(items, body.span)
    unreadable = [error for item in body.items if (error := find_syntax_error(item)) is not None]
    known = list_names(body)
    meant = [
        step_name
        for step_name, item in zip(names, items, strict=True)
        if step_name is not None and _has(inner_body(item), rest, problems.effort)
    ]
    # A step that cannot be read has no name by which it could be changed.
    here = find_nothing(path, change, known, body.span, meant if rest else known)
    problems.extend(unreadable or [here])
    return body


def _insert(
    body: Sequence,
    names: list[str | None],
    name: str,
    change: Entry,
    problems: _Problems,
) -> Sequence:
    assert isinstance(change.value, Mapping)
    rest = dict(change.value.items)
    after = rest.pop("after")
    anchor = after.value.value if isinstance(after.value, Scalar) else None
    if anchor != "input" and anchor not in names:
        known = list_names(body)
        close = nearest(str(anchor), known)
        message = f"there is no step `{anchor}` for `{name}` to come after"
        fix = Fix(after.value.span, close) if close else None
        labels = (Label(after.value.span), *show_names(known, body.span))
        problems.append(Diagnostic("E212", message, labels, fix=fix))
        return body
    if not rest:
        message = f"`{name}` is inserted without `steps`"
        problems.append(Diagnostic("E102", message, (Label(change.key),)))
        return body
    steps = rest.get("steps")
    value = steps.value if steps and len(rest) == 1 else Mapping(rest, change.value.span)
    index = 0 if anchor == "input" else names.index(str(anchor)) + 1
    new = Mapping({name: Entry(change.key, value)}, change.value.span)
    return Sequence([*body.items[:index], new, *body.items[index:]], body.span)


def _has(body: Tree, path: str, effort: Effort) -> bool:
    """Tell whether there is something to change at a path below a body."""
    trial = _Problems(effort)
    _at(body, path, Entry(body.span, body), trial)
    return not trial


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and not isinstance(tree.value, str | bool | None)
