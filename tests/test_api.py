"""The Python API: its names and signatures are promises; it gives what commands give."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Project

import inception_dsl as idsl
from inception_dsl.cli import main

ROOT = Path(__file__).parents[1]

SIGNATURES: dict[Callable[..., Any], str] = {
    idsl.load: "(spec: 'str | PathLike[str]', *, "
    "input: 'str | Mapping[str, str] | None' = None, "
    "params: 'Mapping[str, Param] | None' = None) -> 'Network'",
    idsl.Network.cost: "(self, *, batch: 'int' = 1) -> 'CostReport'",
    idsl.Network.memory: "(self, *, batch: 'int' = 1, dtype: 'str' = 'float32') -> 'MemoryReport'",
    idsl.sweep: "(spec: 'str | PathLike[str]', axes: 'Mapping[str, str | Iterable[Param]]', *, "
    "columns: 'Sequence[str]' = ('params', 'macs'), within: 'Sequence[str]' = (), "
    "best: 'str | None' = None, most: 'int' = 10, "
    "input: 'str | Mapping[str, str] | None' = None, "
    "params: 'Mapping[str, Param] | None' = None) -> 'SweepTable'",
    idsl.Network.symbolic: "(self, block: 'str | None' = None) -> 'SymbolicCost'",
    idsl.Network.count: "(self, convention: 'str', *, batch: 'int' = 1) -> 'ConventionCount'",
    idsl.Network.least_time: "(self, device: 'str', *, batch: 'int' = 1, "
    "dtype: 'str' = 'float32') -> 'RooflineReport'",
    idsl.list: "() -> 'tuple[KnownNetwork, ...]'",
    idsl.diff: "(old: 'str | PathLike[str] | Network', new: 'str | PathLike[str] | Network', *, "
    "input: 'str | Mapping[str, str] | None' = None, "
    "params: 'Mapping[str, Param] | None' = None, fail_on: 'str | None' = None) -> 'Changes'",
    idsl.Figure.save: "(self, path: 'str | PathLike[str]', *, scale: 'float' = 2.0) -> 'None'",
    idsl.Network.to_networkx: "(self) -> 'DiGraph'",
    idsl.Network.fields: "(self) -> 'Mapping[str, Field]'",
    idsl.Network.depths: "(self) -> 'Mapping[str, int]'",
    idsl.Network.emit: "(self) -> 'str'",
    idsl.Network.verify: "(self) -> 'list[str]'",
    idsl.Network.figure: "(self, detail: 'Detail' = 'schema', *, block: 'str | None' = None, "
    "style: 'str' = 'modern', direction: 'Direction' = 'up', shapes: 'Shapes' = 'joins', "
    "cost: 'Shading | None' = None, curve: 'CurveKind | None' = None, has_title: 'bool' = True, "
    "has_notes: 'bool' = True, theme: 'Theme' = 'light', background: 'Background' = 'page', "
    "width: 'str | None' = None) -> 'Figure'",
    idsl.Network.module: "(self, *, seed: 'int | None' = None, **params: 'Param') -> 'nn.Module'",
}


def test_signatures_are_pinned() -> None:
    assert {own: str(inspect.signature(own)) for own in SIGNATURES} == SIGNATURES
    public = {name for name in vars(idsl.Network) if not name.startswith("_")}
    methods = {own.__name__ for own in SIGNATURES} - {"load", "sweep", "list", "diff", "save"}
    properties = {"blocks", "checked", "model", "overrides", "warnings"}
    properties |= {"input", "inputs", "output", "outputs", "recipe", "results"}
    assert public == methods | properties


def test_every_public_name_is_at_the_top_and_completes() -> None:
    assert dir(idsl) == sorted([*idsl.__all__, "list"])
    for name in dir(idsl):
        assert getattr(idsl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = idsl.lode


def test_every_type_of_a_public_signature_is_public() -> None:
    for own in SIGNATURES:
        result = inspect.signature(own).return_annotation
        result = result.replace("Mapping[str, ", "").replace("tuple[", "").replace(", ...", "")
        for name in result.strip("]").split(" | "):
            others = ("str", "int", "nn.Module", "list[str", "DiGraph", "None")
            assert name in idsl.__all__ or name in others


def test_emitted_source_is_the_generated_file() -> None:
    emitted = idsl.load(ROOT / "specs" / "inception_v4.yaml").emit()
    assert emitted == (ROOT / "generated" / "inception_v4" / "model.py").read_text()


def test_input_and_params_are_those_of_the_command_line() -> None:
    network = idsl.load("googlenet", input="256x256x3", params={"num_classes": 10})
    assert (str(network.input), str(network.output)) == ("256x256x3", "10")
    assert network.cost().totals.params == sum(
        own.numel() for name, own in network.module().named_parameters() if "aux" not in name
    )
    assert network.cost(batch=3).totals.macs == 3 * network.cost().totals.macs


def test_polynomials_counts_and_times_are_those_of_the_command_line(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    def run(*options: str) -> Any:
        assert main(["flops", "googlenet", *options, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    network = idsl.load("googlenet")
    (piece,) = network.symbolic().pieces
    (told,) = run("--symbolic")["pieces"]
    assert str(piece.costs["macs"]) == told["costs"]["macs"]["text"]
    at = {**piece.points[0].values, "num_classes": 7}
    other = idsl.load("googlenet", params={"num_classes": 7}).cost().totals
    assert piece.costs["params"].evaluate(at) == other.params
    assert str(network.symbolic("inception").pieces[0].costs["params"])
    told = run("--convention", "thop", "--batch", "3")["conventions"]["thop"]["total"]
    assert network.count("thop", batch=3).total == told
    told = run("--device", "h100", "--dtype", "bfloat16", "--batch", "8")
    time = network.least_time("h100", dtype="bfloat16", batch=8)
    assert time.inference.seconds == told["inference"]["least_seconds"]
    assert time.training.fitting == told["training"]["largest_batch"]
    for wrong in (
        lambda: network.count("fvcor"),
        lambda: network.least_time("h100", dtype="int8"),
        lambda: idsl.sweep("digits", {"num_classes": [3]}, columns=["mac"]),
        lambda: idsl.sweep("digits", {"num_classes": [3]}, best="larges"),
        lambda: idsl.sweep("digits", {"num_classes": [3]}, best="largest", most=0),
    ):
        with pytest.raises(ValueError, match="`"):
            wrong()


def test_arguments_of_a_wrong_type_are_named_and_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    load: Any = idsl.load
    network: Any = load("digits")
    sweep: Any = idsl.sweep
    calls: Any = (
        lambda: network.least_time(None),
        lambda: network.symbolic(3),
        lambda: sweep("digits", {"num_classes": 5}),
        lambda: sweep("digits", [3]),
        lambda: sweep(3, {"num_classes": [5]}),
    )
    for wrong in calls:
        with pytest.raises(TypeError, match=r", not |this is of type"):
            wrong()
    with pytest.raises(idsl.SpecError, match="no axis is given"):
        sweep("digits", {})
    with pytest.raises(idsl.SpecError, match=r"no device is named `tpu`\n.*there are"):
        network.least_time("tpu")
    counted = sweep("digits", {"num_classes": np.arange(1, 4)}).columns["params"].tolist()
    assert counted == sweep("digits", {"num_classes": [1, 2, 3]}).columns["params"].tolist()
    assert load("digits", params={"num_classes": np.int64(5)}).output.shape == (5,)


def test_a_sweep_has_columns_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    table = idsl.sweep(
        "resnext50",
        {"layer1.bottleneck.width": [48, 64], "input": "224:256:32"},
        within=["macs <= 4.3G"],
        best="largest=macs",
        most=2,
    )
    assert len(table) == 4
    assert table.columns["layer1.bottleneck.width"].tolist() == [48, 48, 64, 64]
    assert table.errors.tolist() == ["E303", "E303", "", ""]  # branches of a sum differ
    macs = table.columns["macs"].tolist()
    for row, size in ((2, 224), (3, 256)):
        totals = idsl.load("resnext50", input=f"{size}x{size}x3").cost().totals
        assert (table.columns["params"][row], macs[row]) == (totals.params, totals.macs)
    assert table.within.tolist() == [False, False, True, False]
    assert table.best == (2,)
    assert "2 rows have an error" in table.summary


def test_a_seed_makes_weights_the_same_and_leaves_torchs_generator_alone() -> None:
    network = idsl.load("alexnet", params={"num_classes": 2})
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, second, other = (
        network.module(seed=seed).get_parameter("fc8.weight") for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_an_error_reads_as_on_the_command_line() -> None:
    with pytest.raises(idsl.SpecError) as caught:
        idsl.load("inception_w4")
    lines = ["error[E007]: no spec is named `inception_w4`", "  = help: write `inception_v4`"]
    assert str(caught.value).split("\n") == ["", *lines, ""]
    assert caught.value._render_traceback_() == lines
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_repr_is_one_line() -> None:
    network = idsl.load("inception_v4")
    assert repr(network) == (
        "<Network inception_v4: 299x299x3 -> 1000, 42,679,816 params, 12.25 GMACs>"
    )
    assert repr(network.cost()) == (
        "<CostReport inception_v4: 299x299x3, batch 1, 42,679,816 params, 12,253,974,624 MACs>"
    )
    assert repr(network.memory()) == (
        "<MemoryReport: 186,610,036 bytes at stem.mixed2.concat, batch 1, float32>"
    )
    figure = network.figure()
    assert repr(figure) == f"<Figure: {len(figure.svg):,} characters of SVG>"


def test_networks_are_equal_by_their_models(project: Project) -> None:
    network = idsl.load("googlenet")
    same = idsl.load("googlenet"), pickle.loads(pickle.dumps(network)), copy.deepcopy(network)
    for other in same:
        assert other == network
        assert hash(other) == hash(network)
    assert {network: 1}[same[0]] == 1
    assert idsl.load("googlenet", params={"num_classes": 10}) != network
    assert idsl.load("googlenet", input="256x256x3") != network
    assert network != "googlenet"
    text = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [a: 1x1 conv (4)]\n"
    spaced = text.replace("1x1 conv (4)", "{steps: [1x1   conv (4)]}").replace("{steps: [", "")
    first = idsl.load(project.write("specs/net.yaml", text))
    second = idsl.load(project.write("specs/net.yaml", spaced.replace("]}", "")))
    assert first == second


WORDS = """\
inception: 1
name: net
input: 8x8x3
params: {act: relu, width: 4}
network: [conv: 3x3 conv (width act act)]
"""


def test_a_module_takes_the_parameters_that_load_takes(project: Project) -> None:
    network = idsl.load(project.write("specs/net.yaml", WORDS), params={"width": 8})
    assert "GELU" in repr(network.module(act="gelu"))
    assert network.module(act="gelu").state_dict()["conv.weight"].shape[0] == 8
    assert network.module(width=2).state_dict()["conv.weight"].shape[0] == 2
    assert network.output.channels == 8


def test_a_spec_that_has_changed_is_not_mixed_with_its_network(project: Project) -> None:
    path = project.write("specs/net.yaml", WORDS)
    network = idsl.load(path)
    project.write("specs/net.yaml", WORDS.replace("3x3", "5x5"))
    assert network.module().state_dict()["conv.weight"].shape[-1] == 3
    with pytest.raises(RuntimeError, match=r"`specs/net.yaml` has changed since it was loaded"):
        network.module(width=2)


load: Any = idsl.load

MISUSES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda net: net.figure("posterr"), "no detail is named `posterr`: write `poster`"),
    (
        lambda net: net.figure(style="nope"),
        "no style is named `nope`: there are modern, paper, bar",
    ),
    (lambda net: net.figure(direction="upp"), "no direction is named `upp`: write `up`"),
    (lambda net: net.figure(shapes="al"), "no choice of shapes is named `al`: write `all`"),
    (lambda net: net.figure(width="3"), "`3` is no length"),
    (lambda net: net.figure(width=3), "a width is a text such as '3.3in', not 3"),
    (lambda net: net.figure(cost="mac"), "no cost is named `mac`: write `macs`"),
    (lambda net: net.figure(block="nope"), "`net` has no block `nope`"),
    (lambda net: net.memory(dtype="float8"), "no dtype is named `float8`"),
    (lambda net: net.cost(batch=0), "`0` is not a whole number from 1 to 1,000,000,000"),
    (lambda net: net.cost(batch=1.5), "`1.5` is not a whole number from 1 to 1,000,000,000"),
    (lambda net: net.memory(batch=True), "`True` is not a whole number"),
    (lambda net: net.module(widht=3), "the network has no parameter `widht`"),
    (lambda net: net.module(widht=3), "help: write `width=3`"),
    (lambda net: net.module(act="gulu"), "`act='gulu'` gives neither a number nor a word of an op"),
    (lambda net: net.module(width=-1), "`width=-1` gives neither a number"),
    (lambda net: net.module(width=None), "the parameter `width` takes a number or a word of an op"),
    (lambda net: net.module(seed="a"), "a seed is a whole number, not 'a'"),
    (lambda net: load("alexnet", params={"num_clases": 3}), "write `num_classes=3`"),
    (lambda net: load("alexnet", input=3), "an input is a text such as '331x331x3', not 3"),
    (lambda net: load("alexnet", params=[("num_classes", 3)]), "`params` is a mapping such as"),
    (lambda net: load(net), "a spec is a .yaml file or the name of one; this is of type Network"),
]


@pytest.mark.parametrize(("misuse", "said"), MISUSES, ids=[said for _, said in MISUSES])
def test_a_misuse_is_answered_in_words_of_python(
    misuse: Callable[[Any], Any], said: str, project: Project
) -> None:
    network = idsl.load(project.write("specs/net.yaml", WORDS))
    with pytest.raises((ValueError, TypeError, idsl.SpecError)) as caught:
        misuse(network)
    assert said in str(caught.value)
    assert "--" not in str(caught.value).replace("-->", "")
    shown: Any = caught.value
    assert "\n".join(shown._render_traceback_()).startswith("error")  # a notebook's, without frames
