"""The device that a person names: a file, one of the project's settings, or a built-in one."""

from __future__ import annotations

from pathlib import Path

from inception_dsl.analysis import CostReport
from inception_dsl.analysis.devices import DEVICES, Device
from inception_dsl.analysis.roofline import RooflineReport, measure_roofline
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError, nearest, shorten
from inception_dsl.driver.settings import find_device_tables
from inception_dsl.driver.walk import Checked
from inception_dsl.rules.devices import DeviceTable, read_device
from inception_dsl.source import Span
from inception_dsl.spec.disk import SUFFIXES
from inception_dsl.spec.files import find_spec, read
from inception_dsl.spec.project import project_root
from inception_dsl.spec.tree import Mapping, Scalar, Tree, parse_tree

_MEASURE = (
    "the rates of a processor depend on its cores and its clock: measure them, and name a file, "
    "as in `--device cpu.yaml`"
)


def find_device(reference: str, *, folder: Path) -> Device:
    """Return the device that a person names.

    Args:
        reference: a path to a .yaml or .yml file, or a name: of `[tool.inception-dsl.devices]` in
            the project's pyproject.toml, or of a built-in device.
        folder: the working folder of the person.

    Raises:
        SpecError: E012 no device has this name, E013 its table cannot be used, E010 the settings
            cannot be used, E001 to E006 the file cannot be read.
    """
    if reference.endswith(SUFFIXES):
        source = read(find_spec(reference, folder))
        tree = parse_tree(source)
        table = DeviceTable(
            _strip(tree), lambda keys: _find(tree, keys), lambda keys: _find_key(tree, keys)
        )
        return read_device(printable(reference), table)
    tables = find_device_tables(project_root(folder.resolve()))
    if reference in tables:
        return read_device(reference, tables[reference])
    if reference in DEVICES:
        return DEVICES[reference]
    names = [*tables, *DEVICES]
    close = nearest(reference, names)
    help = f"write `{close}`" if close else f"there are {', '.join(names)}, and files of your own"
    if reference.lower() == "cpu":
        help = _MEASURE
    message = f"no device is named `{printable(shorten(reference))}`"
    raise SpecError([Diagnostic("E012", message, help=help)])


def check_rate(device: Device, dtype: str) -> None:
    """Refuse a type of numbers that a device has no rate for.

    Raises:
        SpecError: E014.
    """
    if dtype not in device.rates:
        message = f"`{device.name}` has no peak rate in {dtype}"
        help = f"it has rates in {', '.join(device.rates)}: name one of them with `--dtype`"
        raise SpecError([Diagnostic("E014", message, help=help)])


def measure_on_device(checked: Checked, device: Device, dtype: str) -> RooflineReport:
    """Measure the least time of a checked model on a device, for the batch of its cost."""
    cost: CostReport = checked.cost
    return measure_roofline(checked.model, cost, device, dtype)


def _strip(tree: Tree) -> object:
    """Return the values of a tree without their places."""
    match tree:
        case Scalar(value=value):
            return value
        case Mapping(items=items):
            return {key: _strip(entry.value) for key, entry in items.items()}
        case _:
            return [_strip(item) for item in tree.items]


def _find(tree: Tree, keys: tuple[str, ...]) -> Span:
    """Return the place of a value, or that of its key where the value is no scalar."""
    value = _follow(tree, keys)
    return value.text if isinstance(value, Scalar) else _find_key(tree, keys)


def _find_key(tree: Tree, keys: tuple[str, ...]) -> Span:
    """Return the place of the last key; the whole tree without keys."""
    if not keys:
        return tree.span
    table = _follow(tree, keys[:-1])
    assert isinstance(table, Mapping)
    return table.items[keys[-1]].key


def _follow(tree: Tree, keys: tuple[str, ...]) -> Tree:
    for key in keys:
        assert isinstance(tree, Mapping)
        tree = tree.items[key].value
    return tree
