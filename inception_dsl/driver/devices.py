"""The device that a person names: a file, one of the project's settings, or a built-in one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inception_dsl.analysis import BYTES, CostReport
from inception_dsl.analysis.devices import DEVICES, Device
from inception_dsl.analysis.roofline import RooflineReport, measure_roofline
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError, nearest_term, shorten
from inception_dsl.driver.settings import find_device_tables
from inception_dsl.driver.walk import Checked
from inception_dsl.rules.devices import DeviceTable, read_device
from inception_dsl.source import Span
from inception_dsl.spec.disk import SUFFIXES
from inception_dsl.spec.files import find_spec, read
from inception_dsl.spec.places import Places, plain
from inception_dsl.spec.project import project_root
from inception_dsl.spec.tree import Scalar, parse_tree

PROCESSOR = "cpu"
"""The name of the processor at hand, which is measured; a project may describe one instead."""


def find_device(reference: str, dtype: str = "float32", *, folder: Path) -> Device:
    """Return the device that a person names.

    Args:
        reference: a path to a .yaml or .yml file, or a name: of `[tool.inception-dsl.devices]` in
            the project's pyproject.toml, of a built-in device, or `cpu` for the processor at hand,
            which is measured.
        dtype: the type of numbers for which a processor is measured.
        folder: the working folder of the person.

    Raises:
        SpecError: E012 no device has this name, E013 its table cannot be used, E014 it has no rate
            for the type of numbers, E010 the settings cannot be used, E001 to E006 the file cannot
            be read.
        MissingExtraError: the processor cannot be measured, as neither torch nor numpy is there.
    """
    device = _find(reference, dtype, folder)
    if dtype not in device.rates:
        raise _lack_rate(device.name, dtype, device.rates)
    return device


def _lack_rate(name: str, dtype: str, known: Iterable[str]) -> SpecError:
    message = f"`{name}` has no peak rate in {dtype}"
    help = f"it has rates in {', '.join(known)}: name one of them with `--dtype`"
    return SpecError([Diagnostic("E014", message, help=help)])


def _find(reference: str, dtype: str, folder: Path) -> Device:
    if reference.endswith(SUFFIXES):
        source = read(find_spec(reference, folder))
        tree = parse_tree(source)
        places = Places(tree)

        def find(keys: tuple[str, ...]) -> Span:
            is_text = isinstance(places.tree(keys), Scalar)
            return places.text(keys) if is_text else places.key(keys)

        return read_device(printable(reference), DeviceTable(plain(tree), find, places.key))
    tables = find_device_tables(project_root(folder.resolve()))
    if reference in tables:
        return read_device(reference, tables[reference])
    if reference in DEVICES:
        return DEVICES[reference]
    if reference == PROCESSOR:
        if dtype not in BYTES:
            raise _lack_rate(PROCESSOR, dtype, BYTES)
        from inception_dsl.bridge.processor import measure_processor

        return measure_processor(dtype)
    names = [*tables, *DEVICES, PROCESSOR]
    close = nearest_term(reference, names)
    help = f"write `{close}`" if close else f"there are {', '.join(names)}, and files of your own"
    message = f"no device is named `{printable(shorten(reference))}`"
    raise SpecError([Diagnostic("E012", message, help=help)])


def measure_on_device(checked: Checked, device: Device, dtype: str) -> RooflineReport:
    """Measure the least time of a checked model on a device, for the batch of its cost."""
    cost: CostReport = checked.cost
    return measure_roofline(checked.model, cost, device, dtype)
