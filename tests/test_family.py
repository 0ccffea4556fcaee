"""Every network of the library: its parameters and multiply-accumulates, from independent sources.

The figures were measured on torchvision, timm and the communities' own code, or follow from the
papers' tables.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis import group

ROOT = Path(__file__).parents[1]

# Parameters without and with training heads, and multiply-accumulates.
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
    "densenet121": (7_978_856, 7_978_856, 2_834_161_664),
    "googlenet": (6_998_552, 13_378_280, 1_582_671_872),
    "inception_resnet_v1": (22_756_328, 22_756_328, 6_206_361_696),
    "inception_resnet_v2": (32_433_928, 32_433_928, 9_257_953_632),
    "inception_v3": (23_834_568, 27_161_264, 5_713_216_096),
    "inception_v4": (42_679_816, 42_679_816, 12_253_974_624),
    "mobilenet_v2": (3_504_872, 3_504_872, 300_774_272),
    "resnet50": (25_557_032, 25_557_032, 4_089_184_256),
    "tf_slim/inception_resnet_v2": (55_813_192, 59_179_952, 13_155_794_016),
    "tf_slim/inception_v1": (6_617_624, 6_617_624, 1_498_376_192),
    "tf_slim/inception_v2": (11_178_336, 11_178_336, 1_934_857_216),
    "tf_slim/inception_v3": (23_817_352, 27_143_152, 5_713_216_096),
    "tf_slim/inception_v4": (42_648_232, 46_006_800, 12_253_974_624),
    "timm/inception_resnet_v2": (55_843_464, 55_843_464, 13_155_794_016),
    "timm/inception_v3": (23_834_568, 23_834_568, 5_713_216_096),
    "timm/inception_v4": (42_679_816, 42_679_816, 12_253_974_624),
    "torchvision/googlenet": (6_624_904, 13_004_888, 1_498_376_192),
    "torchvision/inception_v3": (23_834_568, 27_161_264, 5_713_216_096),
    "vgg16": (138_357_544, 138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 143_667_240, 19_632_062_464),
}

# Parameters, and multiply-accumulates in units of 10,000, by stage.
STAGES = {
    "inception_v3": {
        "stem": (172_672, 134_078),
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
        "inception_a": (4 * 317_632, 4 * 38_761),
        "reduction_a": (2_306_112, 109_716),
        "inception_b": (7 * 2_936_256, 7 * 84_726),
        "reduction_b": (2_747_392, 51_110),
        "inception_c": (3 * 4_553_088, 3 * 29_098),
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
}


def test_every_network_has_its_figures_here() -> None:
    assert driver.project_specs(ROOT) == sorted(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_right_to_the_digit(name: str) -> None:
    cost = driver.check(name, folder=ROOT).cost
    counted = (cost.totals.params, cost.totals_with_heads.params, cost.totals.macs)
    assert counted == COUNTS[name]


@pytest.mark.parametrize("name", STAGES)
def test_stages_are_right(name: str) -> None:
    stages = {own.name: own.totals for own in group(driver.check(name, folder=ROOT).cost, "stage")}
    for stage, (params, macs) in STAGES[name].items():
        assert stages[stage].params == params, stage
        # Each copy of a repeated block was rounded on its own.
        assert abs(stages[stage].macs / 10_000 - macs) <= 4, stage


def test_the_notebook_as_its_author_wrote_it_is_refused(project: Project) -> None:
    """`nn.Linear(64 * 4 * 32 * 32, 10)` counts four branches of 64; there are 352 channels."""
    mended = (ROOT / "specs" / "community" / "simple_inception.yaml").read_text()
    project.write(NET, mended.partition("    deviates:")[0])
    (found,) = project.findings()
    assert (found.code, found.expected, found.found) == ("E402", "262144", "360448")
    assert found.message == (
        "`in` of `fc` is 360,448, and `nn.Linear(64 * 4 * 32 * 32, 10)` claims 262144"
    )


@pytest.mark.parametrize(
    ("network", "other", "measure", "times"),
    [("alexnet", "googlenet", "params", 8.7), ("bn_inception", "googlenet", "macs", 1.3)],
)
def test_networks_compare(network: str, other: str, measure: str, times: float) -> None:
    figures = [getattr(driver.check(n, folder=ROOT).cost.totals, measure) for n in (network, other)]
    assert round(figures[0] / figures[1], 1) == times
