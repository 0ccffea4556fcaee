"""Seeded changes of networks, and the pairs of their nodes against the true ones.

    python benchmarks/pairing.py --trials 3000 --seed 1

A trial makes 1, 4 or 16 random changes and pairs the result with the network, without names. Every
node keeps its identity, so that the truth is known. Networks have at least 60 nodes. A pair counts
as wrong if it is sure and not the true one, unless its old node is gone and its new one is new. The
exit code is 1 if there is one while the number of blocks stays or changes in one direction.

Some changes cannot be told: a step removed and an equal one added beside it leave fewer departures
than were made, or none. Wrong pairs with fewer departures are counted apart, and so are networks
with meshes and tapped chains.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "pairing"))

from changed_graphs import (  # noqa: E402
    BLOCKS_BOTH,
    BLOCKS_IN,
    BLOCKS_OUT,
    IN_PLACE,
    OTHER_JOINS,
    WITH_JOINS,
    Kind,
    change,
    find_wrong,
    is_named,
)

import inception_dsl as idsl  # noqa: E402
from inception_dsl.pairing import (  # noqa: E402
    VERDICTS,
    FlatGraph,
    find_departures,
    flatten_graph,
    pair_graphs,
)

SHIPPED = re.findall(
    r"\S+",
    """
    bn_inception googlenet inception_v3 inception_v4 inception_resnet_v1 inception_resnet_v2
    timm/inception_v4 timm/inception_resnet_v2 timm/legacy_xception tf_slim/inception_v2
    tf_slim/inception_v3 facenet/inception_resnet_v1 community/googlenet_bn community/lucid_v4
    torchvision/googlenet densenet121 resnet50 resnext50 se_resnet50 mobilenet_v2
    mobilenet_v3_large efficientnet_b0 regnet_y_400mf shufflenet_v2 convnext_tiny xception
    """,
)
IMPORTED = ("timm:hardcorenas_a", "timm:ghostnet_100", "timm:repvgg_a0", "torchvision:densenet169")
MESHED = ("nasnet_a_mobile", "timm:dla34", "timm:selecsls42b", "timm:ese_vovnet19b_dw")
"""Networks with meshes, or with chains whose middles a join reads."""

COUNTS = (1, 4, 16)
SETS: Mapping[str, Sequence[Kind]] = {
    "blocks stay": IN_PLACE,
    "skips removed": WITH_JOINS,
    "joins replaced": OTHER_JOINS,
    "blocks added": BLOCKS_IN,
    "blocks removed": BLOCKS_OUT,
    "both": BLOCKS_BOTH,
}
MUST_HOLD = ("blocks stay", "skips removed", "joins replaced", "blocks added", "blocks removed")


@dataclass
class Tally:
    """The sums of the trials of one row of the table."""

    trials: int = 0
    wrong: int = 0
    excused: int = 0
    missed: int = 0
    named: int = 0
    shares: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def load_network(name: str) -> FlatGraph:
    """Return a shipped network by its path, or one of a library by its target."""
    library, _, model = name.partition(":")
    if not model:
        return flatten_graph(idsl.load(str(ROOT / "specs" / f"{name}.yaml")).model.graph)
    if library == "timm":
        import timm

        module = timm.create_model(model)
    else:
        import torchvision

        module = getattr(torchvision.models, model)()
    return flatten_graph(idsl.trace(module.eval(), "224x224x3").model.graph)


def run_trial(graph: FlatGraph, kinds: Sequence[Kind], count: int, seed: str, tally: Tally) -> bool:
    """Make a trial and count it; tell whether a pair was wrong without an excuse."""
    changed = change(graph, count, kinds, random.Random(seed))
    start = time.process_time()
    pairing = pair_graphs(graph, changed.graph)
    tally.seconds += time.process_time() - start
    wrong = find_wrong(pairing, changed)
    departures = find_departures(graph, changed.graph, pairing)
    is_excused = bool(wrong) and len(departures) < len(changed.kinds)
    tally.trials += 1
    tally.excused += is_excused
    tally.wrong += bool(wrong) and not is_excused
    tally.missed += any(
        partner.verdict == "alone" and key in changed.truth for key, partner in pairing.old.items()
    )
    tally.named += count == 1 and is_named(changed.kinds, departures)
    for verdict in VERDICTS:
        tally.shares[verdict] += 100 * pairing.count(verdict) / len(graph.nodes)  # type: ignore[assignment]
    return bool(wrong) and not is_excused


def main() -> None:
    parser = argparse.ArgumentParser(description="Pairs of changed networks against the truth.")
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shipped", action="store_true", help="without networks of libraries")
    options = parser.parse_args()
    names = SHIPPED if options.shipped else (*SHIPPED, *IMPORTED)
    hard = [name for name in MESHED if not (options.shipped and ":" in name)]
    graphs = {name: load_network(name) for name in (*names, *hard)}
    is_wrong = False
    print(
        "| networks | blocks | changes | trials | wrong | fewer told | missed | sure | run | twin "
        "| ambiguous | alone | named | ms |"
    )
    print("|---" * 14 + "|")
    repeats = max(1, round(options.trials / (len(SETS) * len(COUNTS) * len(graphs))))
    for title, group in (("series-parallel", names), ("meshes, taps", hard)):
        for set_name, kinds in SETS.items():
            for count in COUNTS:
                tally = Tally()
                for name in group:
                    for repeat in range(repeats):
                        seed = f"{options.seed}/{name}/{set_name}/{count}/{repeat}"
                        is_bad = run_trial(graphs[name], kinds, count, seed, tally)
                        if is_bad:
                            print(f"wrong: {seed}", file=sys.stderr)
                            is_wrong |= set_name in MUST_HOLD and group is names
                print(write_row(title, set_name, count, tally), flush=True)
    sys.exit(is_wrong)


def write_row(title: str, set_name: str, count: int, tally: Tally) -> str:
    """Return one row of the table; shares are means over the trials, in percent."""
    order = ("sure", "run", "twin", "ambiguous", "alone")
    shares = [f"{tally.shares[verdict] / tally.trials:.2f}" for verdict in order]
    named = f"{100 * tally.named / tally.trials:.1f} %" if count == 1 else ""
    cells = [title, set_name, count, tally.trials, tally.wrong, tally.excused, tally.missed]
    cells += [*shares, named, f"{1000 * tally.seconds / tally.trials:.0f}"]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
