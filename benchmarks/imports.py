"""The census of imports: the classifiers of torchvision and timm that `import` takes and refuses.

    python benchmarks/imports.py                              # all; an hour or more on one core
    python benchmarks/imports.py --only 'resnet|dla' --no-outputs
    python benchmarks/imports.py --sample 40 --seed 7

Each network is imported in a process of its own, limited in time. `import` compares what it writes
with the network: nodes, shapes, parameters, multiply-accumulates by torch's own counter, and
outputs up to 60 million parameters. A difference counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import queue
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

TIMM = re.findall(
    r"\w+",
    """
    byobnet cpubone cspnet cspnext convmixer convnext csatv2 densenet dla dpn efficientnet
    fasternet focalnet ghostnet hardcorenas hgnet hrnet inception_next inception_resnet_v2
    inception_v3 inception_v4 lcnet lcnetv2 mambaout metaformer mobilenetv3 mobilenetv5 nasnet
    nfnet pnasnet regnet repghost repvit res2net resnest resnet resnetv2 rexnet rdnet selecsls
    senet sknet starnet tinynet tresnet vgg vovnet xception xception_aligned
    """,
)
"""The modules of timm that hold convolutional classifiers."""

TRANSFORMERS = ("vit", "swin", "maxvit")
"""The beginnings of the names of torchvision's classifiers that are not convolutional."""


def list_targets() -> list[str]:
    """Return the convolutional classifiers of both libraries."""
    import timm
    from torchvision import models

    vision = [
        f"torchvision:{name}"
        for name in models.list_models(module=models)
        if not name.startswith(TRANSFORMERS)
    ]
    known = set(timm.list_modules())
    modules = [module for module in TIMM if module in known]
    names = {name for module in modules for name in timm.list_models(module=module)}
    return [*vision, *(f"timm:{name}" for name in sorted(names))]


def judge(target: str, compares: bool, answers: Any) -> None:
    """Import one target, and put the outcome into a queue."""
    import torch

    from inception_dsl.diagnostics import SpecError
    from inception_dsl.driver.importing import ImportFaultError, import_target

    torch.set_num_threads(1)
    start = time.process_time()
    row: dict[str, Any] = {"target": target}
    try:
        imported = import_target(target, folder=Path(), compares=compares)
        row |= {"outcome": "imported", "lines": len(imported.text.splitlines())}
        row |= {"notes": [note.code for note in imported.notes]}
    except SpecError as error:
        causes = [f"{found.code}: {found.message}" for found in error.diagnostics]
        row |= {"outcome": "refused", "causes": causes}
    except ImportFaultError as error:
        row |= {"outcome": "wrong", "causes": [str(error)]}
    except BaseException as error:
        row |= {"outcome": "fault", "causes": [f"{type(error).__name__}: {error}"[:400]]}
    row["seconds"] = round(time.process_time() - start, 2)
    answers.put(row)


def run(target: str, compares: bool, limit: float) -> dict[str, Any]:
    """Return the outcome of a target, in a process of its own that may take `limit` seconds."""
    answers: Any = multiprocessing.get_context("fork").Queue()
    worker = multiprocessing.get_context("fork").Process(
        target=judge, args=(target, compares, answers)
    )
    worker.start()
    try:
        row: dict[str, Any] = answers.get(timeout=limit)
    except queue.Empty:
        row = {"target": target, "outcome": "out of time", "seconds": limit}
    worker.kill()
    worker.join()
    return row


def report(rows: list[dict[str, Any]]) -> None:
    """Print the counts, and the causes of what was not imported."""
    outcomes = Counter(row["outcome"] for row in rows)
    total = len(rows)
    shares = ", ".join(f"{count} {what} ({count / total:.1%})" for what, count in outcomes.items())
    print(f"{total} networks: {shares}")
    causes = Counter[str]()
    for row in rows:
        causes.update({re.sub(r" in `.*", "", cause) for cause in row.get("causes", ())})
    for cause, count in causes.most_common(40):
        print(f"{count:5}  {cause[:150]}")


def main() -> None:
    parser = argparse.ArgumentParser(description="The census of imports.")
    parser.add_argument("targets", nargs="*", help="all classifiers of both libraries by default")
    parser.add_argument("--only", default="", help="a regular expression that a target contains")
    parser.add_argument("--sample", type=int, help="so many of them, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="0/1", help="i/n: the i-th of n parts")
    parser.add_argument("--limit", type=float, default=300, help="seconds for a network")
    parser.add_argument("--no-outputs", action="store_true", help="do not compare outputs")
    parser.add_argument("--rows", type=Path, help="a file of JSON lines to write to")
    given = parser.parse_args()
    import timm  # noqa: F401  # once, before the processes fork
    import torchvision  # noqa: F401

    targets = [name for name in given.targets or list_targets() if re.search(given.only, name)]
    if given.sample is not None:
        targets = sorted(random.Random(given.seed).sample(targets, given.sample))
    index, count = (int(number) for number in given.part.split("/"))
    rows = []
    for target in targets[index::count]:
        row = run(target, not given.no_outputs, given.limit)
        rows.append(row)
        print(f"{row['outcome']:<12}{row['seconds']:>7.1f} s  {target}", flush=True)
        if given.rows:
            with given.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
    report(rows)
    sys.exit(1 if any(row["outcome"] in ("wrong", "fault") for row in rows) else 0)


if __name__ == "__main__":
    main()
