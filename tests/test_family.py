"""Every network of the library: its parameters and multiply-accumulates, from independent sources.

The figures were measured on torchvision, timm and the communities' own code, or follow from the
papers' tables.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis import find_quantity, measure_state
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import Checked
from inception_dsl.ir import Quantity
from inception_dsl.resolve import Overrides

ROOT = Path(__file__).parents[1]

# Parameters without and with training heads, and multiply-accumulates.
# The parameters of NASNet-A-Mobile are those of `nasnetamobile` of pretrainedmodels 0.7.4, too; a
# test below makes its multiply-accumulates.
COUNTS = {
    "alexnet": (61_100_840, 61_100_840, 714_188_480),
    "bn_inception": (11_295_240, 11_295_240, 2_032_600_064),
    "community/googlenet_bn": (7_005_832, 13_385_816, 1_582_671_872),
    "community/lucid_inception_resnet_v1": (22_769_848, 22_769_848, 6_206_361_696),
    "community/lucid_inception_resnet_v2": (32_450_360, 32_450_360, 8_952_367_456),
    "community/lucid_v1": (7_013_112, 13_393_352, 1_582_671_872),
    "community/lucid_v3": (25_931_864, 30_333_376, 6_247_998_560),
    "community/lucid_v4": (40_586_984, 40_586_984, 11_335_209_056),
    "community/simple_inception": (3_899_626, 3_899_626, 305_266_688),
    "convnext_tiny": (28_589_128, 28_589_128, 4_455_531_264),
    "densenet121": (7_978_856, 7_978_856, 2_834_161_664),
    "digits": (14_114, 14_524, 332_576),
    "efficientnet_b0": (5_288_548, 5_288_548, 385_814_752),
    "facenet/inception_resnet_v1": (23_482_624, 23_482_624, 1_417_662_304),
    "googlenet": (6_998_552, 13_378_280, 1_582_671_872),
    "inception_resnet_v1": (22_756_328, 22_756_328, 6_206_361_696),
    "inception_resnet_v2": (32_433_928, 32_433_928, 9_257_953_632),
    "inception_v3": (23_834_568, 27_161_264, 5_713_216_096),
    "inception_v4": (42_679_816, 42_679_816, 12_253_974_624),
    "mobilenet_v2": (3_504_872, 3_504_872, 300_774_272),
    "mobilenet_v3_large": (5_483_032, 5_483_032, 216_589_760),
    "nasnet_a_mobile": (5_289_978, 5_289_978, 563_638_816),
    "pytorch_fid/inception_v3": (21_785_568, 21_785_568, 5_711_168_096),
    "regnet_y_400mf": (4_344_144, 4_344_144, 401_842_848),
    "resnet50": (25_557_032, 25_557_032, 4_089_184_256),
    "resnext50": (25_028_904, 25_028_904, 4_230_479_872),
    "se_resnet50": (28_088_024, 28_088_024, 4_091_699_200),
    "shufflenet_v2": (2_278_604, 2_278_604, 144_907_992),
    "squeezenet1_1": (1_235_496, 1_235_496, 349_151_936),
    "tf_slim/inception_resnet_v2": (55_813_192, 59_179_952, 13_155_794_016),
    "tf_slim/inception_v1": (6_617_624, 6_617_624, 1_498_376_192),
    "tf_slim/inception_v2": (11_178_336, 11_178_336, 1_934_857_216),
    "tf_slim/inception_v3": (23_817_352, 27_143_152, 5_713_216_096),
    "tf_slim/inception_v4": (42_648_232, 46_006_800, 12_253_974_624),
    "timm/inception_resnet_v2": (55_843_464, 55_843_464, 13_155_794_016),
    "timm/inception_v3": (23_834_568, 23_834_568, 5_713_216_096),
    "timm/inception_v4": (42_679_816, 42_679_816, 12_253_974_624),
    "timm/legacy_xception": (22_855_952, 22_855_952, 8_357_403_496),
    "torchvision/googlenet": (6_624_904, 13_004_888, 1_498_376_192),
    "torchvision/inception_v3": (23_834_568, 27_161_264, 5_713_216_096),
    "unet": (31_030_658, 31_030_658, 150_428_424_448),
    "vgg16": (138_357_544, 138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 143_667_240, 19_632_062_464),
    "xception": (22_855_952, 22_855_952, 8_357_403_496),
}

# Parameters, and multiply-accumulates in units of 10,000, by path; published as rounded.
STAGES: dict[str, dict[str, tuple[int, int | None]]] = {
    "torchvision/inception_v3": {
        "stem.conv_1a": (928, 1_918),
        "stem.conv_2a": (9_280, 19_915),
        "stem.conv_2b": (18_560, 39_830),
        "stem.conv_3b": (5_280, 2_728),
        "stem.conv_4a": (138_624, 69_687),
        "mixed_5b": (255_904, 31_235),
        "mixed_5c": (277_472, 33_869),
        "mixed_5d": (285_152, 34_810),
        "mixed_6a": (1_153_280, 40_194),
        "mixed_6b": (1_297_408, 37_406),
        "mixed_6c": (1_691_008, 48_770),
        "mixed_6d": (1_691_008, 48_770),
        "mixed_6e": (2_141_952, 61_791),
        "mixed_7a": (1_698_304, 29_100),
        "mixed_7b": (5_044_608, 32_244),
        "mixed_7c": (6_076_800, 38_850),
        "fc": (2_049_000, 205),
    },
    "timm/inception_v4": {
        "stem.mixed1": (55_488, 29_467),
        "stem.mixed2": (189_312, 97_222),
        "stem.mixed3": (332_160, 40_643),
        **{f"inception_a.{copy}": (317_632, 38_761) for copy in range(4)},
        "reduction_a": (2_306_112, 109_716),
        **{f"inception_b.{copy}": (2_936_256, 84_726) for copy in range(7)},
        "reduction_b": (2_747_392, 51_110),
        **{f"inception_c.{copy}": (4_553_088, 29_098) for copy in range(3)},
        "fc": (1_537_000, 154),
    },
    "timm/inception_resnet_v2": {
        "mixed_5b": (268_320, 32_740),
        "inception_a": (1_231_680, 149_901),
        "reduction_a": (2_664_960, 139_819),
        "inception_b": (22_535_680, 649_875),
        "reduction_b": (3_880_960, 58_542),
        "inception_c": (18_318_816, 117_021),
        "block8": (2_035_424, 13_002),
        "conv2d_7b": (3_197_952, 20_447),
        "fc": (1_537_000, 154),
    },
    "torchvision/googlenet": {"aux1": (3_188_968, None), "aux2": (3_191_016, None)},
    "googlenet": {"aux1": (3_188_840, None), "aux2": (3_190_888, None)},
    "inception_v3": {"aux": (3_326_696, None)},
    "community/lucid_v4": {"conv.inception_stem_v4.branch2_right": (123_744, 0)},
}

# What fvcore and hooks count on the implementations: convs, multiply-accumulates of convs and of
# linear layers, two operations a value of a batch norm, one a value that the last pool reads.
MEASURED = {
    "torchvision/googlenet": (57, 1_497_352_192, 1_024_000, 6_452_320, 50_176),
    "torchvision/inception_v3": (94, 5_711_168_096, 2_048_000, 17_934_976, 131_072),
    "timm/inception_v3": (94, 5_711_168_096, 2_048_000, 17_934_976, 131_072),
    "timm/inception_v4": (149, 12_252_438_624, 1_536_000, 30_178_368, 98_304),
    "timm/inception_resnet_v2": (244, 13_154_258_016, 1_536_000, 27_038_272, 98_304),
    "bn_inception": (69, 2_031_576_064, 1_024_000, 7_473_088, 50_176),
}

# Entries of a state_dict, without and with training heads.
KEYS = {
    "torchvision/googlenet": (344, 364),
    "torchvision/inception_v3": (566, 580),
    "timm/inception_v3": (566, 566),
    "timm/inception_v4": (896, 896),
    "timm/inception_resnet_v2": (1306, 1306),
    "bn_inception": (485, 485),
}

# Networks whose batch norms have no gamma, as they are counted where every batch norm has one.
WITH_GAMMA = {
    "tf_slim/inception_v1": (6_624_904, 6_624_904),
    "tf_slim/inception_v3": (23_834_568, 27_161_264),
    "tf_slim/inception_v4": (42_679_816, 42_679_816 + 3_359_464),
    "tf_slim/inception_resnet_v2": (55_843_464, 55_843_464 + 3_367_656),
}

# The model variables that TF-slim's and Keras' own tests and summaries count, moving averages
# among them: without the classifier where it says so.
VARIABLES = {
    "tf_slim/inception_v1": (5_607_184, "fc"),
    "tf_slim/inception_v2": (10_173_112, "fc"),
    "tf_slim/inception_v3": (21_802_784, "fc"),
    "tf_slim/inception_v4": (42_711_400, ""),
    "tf_slim/inception_resnet_v2": (55_873_736, ""),
}

# What TF-slim's own tests see of images of other sizes: TensorFlow's padding rounds up.
SIZES = [
    ("tf_slim/inception_v1", "112x112x3", "inception_5b", "4x4x1024"),
    ("tf_slim/inception_v1", "250x300x3", "inception_5b", "8x10x1024"),
    ("tf_slim/inception_v2", "112x112x3", "inception_5b", "4x4x1024"),
    ("tf_slim/inception_v2", "250x300x3", "inception_5b", "8x10x1024"),
]

# The smallest images that the implementations take; the training heads want larger ones.
SMALLEST = {
    "torchvision/googlenet": 15,
    "torchvision/inception_v3": 75,
    "timm/inception_v4": 75,
    "timm/inception_resnet_v2": 75,
}


def checked(name: str, input: str | None = None) -> Checked:
    return driver.check(name, folder=ROOT, overrides=Overrides(input))


def at(found: Checked, measure: str, path: str) -> int | str:
    figure = find_quantity(found.model, found.cost, measure, path, with_heads=False)
    assert isinstance(figure, int | str), path
    return figure


def test_every_network_has_its_figures_here() -> None:
    assert driver.list_specs(ROOT) == sorted(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_right_to_the_digit(name: str) -> None:
    cost = checked(name).cost
    counted = (cost.totals.params, cost.totals_with_heads.params, cost.totals.macs)
    assert counted == COUNTS[name]


@pytest.mark.parametrize("name", STAGES)
def test_stages_are_right(name: str) -> None:
    found = checked(name)
    for path, (params, macs) in STAGES[name].items():
        assert at(found, "params", path) == params, path
        if macs is not None:
            assert round(int(at(found, "macs", path)) / 10_000) == macs, path


@pytest.mark.parametrize("name", MEASURED)
def test_costs_by_kind_are_what_was_measured(name: str) -> None:
    cost = checked(name).cost
    rows = [row for row in cost.rows if row.head is None]
    convs = [row for row in rows if row.op.endswith(" conv")]
    linears = [row for row in rows if row.op == "linear"]
    (pool,) = (row for row in rows if row.op == "global avgpool")
    counted = (
        len(convs),
        sum(row.macs for row in convs),
        sum(row.macs for row in linears),
        dict(cost.flops_by_kind)["norm"],
        pool.flops,
    )
    assert counted == MEASURED[name]


@pytest.mark.parametrize("name", KEYS)
def test_a_state_dict_has_as_many_entries(name: str) -> None:
    model = checked(name).model
    keys = list(measure_state(model.graph))
    heads = [key for key in keys if any(head.holds(key) for head in model.heads)]
    assert (len(keys) - len(heads), len(keys)) == KEYS[name]


@pytest.mark.parametrize("name", WITH_GAMMA)
def test_a_count_with_gamma_has_one_more_for_each_normalised_channel(name: str) -> None:
    found = checked(name)
    model, cost = found.model, found.cost
    state = measure_state(model.graph)
    shifts = {key: own.shape[0] for key, own in state.items() if key.endswith(".bn.bias")}
    assert not any(key.endswith(".bn.weight") for key in state)
    trunk = sum(n for key, n in shifts.items() if not any(h.holds(key) for h in model.heads))
    counted = (cost.totals.params + trunk, cost.totals_with_heads.params + sum(shifts.values()))
    assert counted == WITH_GAMMA[name]


@pytest.mark.parametrize("name", VARIABLES)
def test_variables_are_those_that_tensorflow_counts(name: str) -> None:
    model = checked(name).model
    variables, without = VARIABLES[name]
    counted = sum(
        prod(tensor.shape)
        for key, tensor in measure_state(model.graph).items()
        if not key.endswith(".num_batches_tracked")
        and not any(head.holds(key) for head in model.heads)
        and key.partition(".")[0] != without
    )
    assert counted == variables


def test_pretrainedmodels_counts_lines_of_nasnet_that_it_crops() -> None:
    """`nasnetamobile` of pretrainedmodels 0.7.4 runs 30 convs on one row and one column more.

    For TensorFlow's padding it puts a line above and to the left of what the first separable conv
    of a branch reads, in the cells `stem1`, `reduce4` and `reduce8`, and takes the first line off
    its result. The conv of `a3` has no stride, and is treated alike. So a depthwise conv and a 1x1
    one in each of five branches give 29x29, 15x15 and 8x8 in place of 28x28, 14x14 and 7x7.
    """
    found = checked("nasnet_a_mobile")
    cells = {"stem1": 28, "reduce4": 14, "reduce8": 7}
    nodes = {str(node.path): node for node in found.model.graph.nodes}
    cropped = 0
    for cell, side in cells.items():
        for branch in ("q5", "p7", "p7_2", "p5", "a3"):
            first = f"{cell}.{branch}.sepconv"
            channels = nodes[first].type.channels
            assert at(found, "shape", first) == f"{side}x{side}x{channels}"
            weights, rest = divmod(int(at(found, "macs", first)), side**2)
            assert rest == 0
            cropped += weights * ((side + 1) ** 2 - side**2)
    assert found.cost.totals.macs + cropped == 568_234_858


@pytest.mark.parametrize(
    ("conv1", "params", "macs"),
    [
        ("7x7 sepconv (64 stride 2 multiplier 8)", 11_188_288, 1_934_857_216),
        ("7x7 conv (64 stride 2)", 11_194_984, 2_018_851_840),
    ],
)
def test_inception_v2_is_counted_elsewhere_with_every_conv_normalised(
    conv1: str, params: int, macs: int, project: Project
) -> None:
    """With gammas, and the separable or the plain first conv that TF-slim lets one choose."""
    base = "inception: 1\nname: net\nextends: tf_slim/inception_v2\n"
    gamma = "defaults: {batchnorm: {gamma: true}}\n"
    project.write(NET, f"{base}{gamma}network: {{conv1: {conv1}}}\n")
    totals = project.check().cost.totals
    assert (totals.params, totals.macs) == (params, macs)


@pytest.mark.parametrize(("name", "input", "path", "shape"), SIZES)
def test_tensorflows_padding_rounds_up(name: str, input: str, path: str, shape: str) -> None:
    assert at(checked(name, input), "shape", path) == shape


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4", "inception_resnet_v2"])
def test_strided_windows_of_tf_slim_need_no_padding(name: str) -> None:
    """The padding of these networks is the papers' at every size: ceil(size / 1) is the size.

    Source: TensorFlow's formula for `SAME`: (places - 1) * stride + window - size in all.
    """
    windows = [
        node for node in checked(f"tf_slim/{name}").model.graph.nodes if "pad" in node.attributes
    ]
    assert len(windows) > 100
    for node in windows:
        kernel, stride, pad = (node.attributes[word] for word in ("kernel", "stride", "pad"))
        assert isinstance(kernel, tuple)
        if pad == "V":
            continue
        assert (pad, stride) == ("same", 1), node.path
        for side, window, came in zip(
            node.type.size, kernel, node.input_types[0].size, strict=True
        ):
            assert side == came
            in_all = max((side - 1) * 1 + window - came, 0)
            assert in_all - in_all // 2 == in_all // 2 == (window - 1) // 2, node.path


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_image_is_the_implementations(name: str, project: Project) -> None:
    heads = "".join(f"  {head.path}: none\n" for head in checked(name).model.heads)
    spec = f"inception: 1\nname: net\nextends: {name}\n"
    project.write(NET, f"{spec}heads:\n{heads}" if heads else spec)
    side = SMALLEST[name]
    driver.check(NET, folder=project.root, overrides=Overrides(f"{side}x{side}x3"))
    with pytest.raises(SpecError, match="E302"):
        driver.check(NET, folder=project.root, overrides=Overrides(f"{side - 1}x{side - 1}x3"))


def test_the_columns_of_table_1_add_up_as_they_are_claimed() -> None:
    """Every row is there: the sums are those of the paper's own figures, 6,797.7K and 1,502M."""
    rows = [own for own in checked("googlenet").model.claims if own.source == "Table 1"]

    def total(measure: str) -> float:
        values = [own.value for own in rows if own.measure == measure]
        return sum(value.amount for value in values if isinstance(value, Quantity))

    assert round(total("weights") / 1024, 1) == 6797.7
    assert total("macs") == 1502e6
    # 22 layers, of which nine modules are two deep and fc is one: so the rows say.
    assert total("depth") == 22


def test_the_notebook_as_its_author_wrote_it_is_refused(project: Project) -> None:
    """`nn.Linear(64*4*32*32, 10)` counts four branches of 64; there are 352 channels."""
    mended = (ROOT / "specs" / "community" / "simple_inception.yaml").read_text()
    project.write(NET, mended.partition("    deviates:")[0])
    (found,) = project.findings()
    assert (found.code, found.expected, found.found) == ("E402", "262144", "360448")
    assert found.message == (
        "`in` of `fc` is 360,448, and `nn.Linear(64*4*32*32, 10)` claims 262144"
    )


@pytest.mark.parametrize(
    ("network", "other", "measure", "times"),
    [
        ("alexnet", "googlenet", "params", "8.73"),  # "12 times fewer parameters"
        ("inception_v3", "googlenet", "macs", "3.61"),  # "only about 2.5 higher", of a smaller v3
        ("bn_inception", "googlenet", "macs", "1.28"),  # "about 30%"
        ("bn_inception", "googlenet", "params", "1.61"),  # "25%"
        ("vgg16", "alexnet", "params", "2.26"),  # "about 3x more"
        ("inception_resnet_v1", "inception_v3", "macs", "1.09"),  # "roughly the cost"
        ("inception_resnet_v2", "inception_v4", "macs", "0.756"),  # "matches the raw cost"
    ],
)
def test_the_papers_comparisons_of_two_networks_can_be_read_off(
    network: str, other: str, measure: str, times: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flops", network, "--against", other]) == 0
    _, _, row, *_ = capsys.readouterr().out.splitlines()
    params, macs, _ = row.split()[-3:]
    assert {"params": params, "macs": macs}[measure] == times
