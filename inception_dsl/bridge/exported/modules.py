"""The modules of a network whose calls alone are known: their paths, runs and classes."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from inception_dsl.bridge.calls import TorchCall, WeightRef
from inception_dsl.recover.naming import without_number


def count_runs(calls: Sequence[TorchCall]) -> list[TorchCall]:
    """Return calls that know their runs.

    A module runs again where it is entered anew and makes a call that its run has made before.
    """
    numbers: dict[tuple[str, tuple[int, ...]], int] = {}
    made: dict[tuple[str, tuple[int, ...]], set[Hashable]] = {}
    open_paths: tuple[str, ...] = ()
    result = []
    for call in calls:
        paths = tuple(list_prefixes(call.module))
        weights = [one.name for one in find_weights((call.arguments, call.keywords))]
        mark = (call.module, call.name, *weights)
        runs: tuple[int, ...] = ()
        for path in paths:
            number = numbers.get((path, runs), 0)
            if path not in open_paths and mark in made.get((path, (*runs, number)), ()):
                number += 1
            numbers[path, runs] = number
            runs = (*runs, number)
            made.setdefault((path, runs), set()).add(mark)
        open_paths = paths
        result.append(replace(call, runs=runs))
    return result


def list_prefixes(path: str) -> Iterator[str]:
    """Yield the paths of the modules around a module, the outermost first, and its own."""
    names = path.split(".") if path else []
    for end in range(1, len(names) + 1):
        yield ".".join(names[:end])


def find_weights(value: object) -> Iterator[WeightRef]:
    """Yield the references to weights in the arguments of a call."""
    match value:
        case WeightRef():
            yield value
        case tuple() | list():
            for part in value:
                yield from find_weights(part)
        case dict():
            for part in value.values():
                yield from find_weights(part)


def find_classes(
    calls: Iterable[TorchCall], known: Mapping[str, str], containers: Container[str]
) -> dict[str, str]:
    """Return a name for the class of each module, where an exporter says none.

    Modules whose parts have the same names and make the same calls are of one class. Modules with
    one name and other numbers are, too, if all parts of one are parts of the other.

    Args:
        known: the names of classes that are known.
        containers: the paths of the modules that only hold others; they have no class.
    """
    forms: dict[str, set[tuple[str, str]]] = {}
    for call in calls:
        for path in list_prefixes(call.module):
            forms.setdefault(path, set()).add((call.module[len(path) :], call.name))
    classes = dict(known)
    named: dict[frozenset[tuple[str, str]], str] = {}
    stems: dict[str, list[tuple[set[str], str]]] = {}
    for path, form in sorted(forms.items(), key=lambda pair: -len(pair[1])):
        if path in classes or path in containers:
            continue
        stem = _stem(path)
        parts = {name.split(".")[1] for name, _ in form if name}
        alike = (name for others, name in stems.get(stem, ()) if parts and parts <= others)
        name = named.get(frozenset(form)) or next(alike, None)
        if name is None:
            name = _number(stem, {*named.values()})
        named.setdefault(frozenset(form), name)
        stems.setdefault(stem, []).append((parts, name))
        classes[path] = name
    return classes


def _stem(path: str) -> str:
    """Return the last name of a path that is no number, without its number: `layer1.0` is Layer."""
    names = [name for name in path.split(".") if not name.isdigit()]
    stem = without_number(names[-1]) if names else "block"
    return stem[:1].upper() + stem[1:]


def _number(name: str, taken: set[str]) -> str:
    count = 2
    numbered = name
    while numbered in taken:
        numbered = f"{name}{count}"
        count += 1
    return numbered


def find_containers(calls: Iterable[TorchCall]) -> frozenset[str]:
    """Return the paths of the modules whose parts are all numbered, and which call nothing."""
    paths = {path for call in calls for path in list_prefixes(call.module)}
    busy = {call.module for call in calls}
    inner: dict[str, list[str]] = {}
    for path in paths:
        above, _, name = path.rpartition(".")
        inner.setdefault(above, []).append(name)
    return frozenset(
        path
        for path in paths
        if path in inner and path not in busy and all(name.isdigit() for name in inner[path])
    )
