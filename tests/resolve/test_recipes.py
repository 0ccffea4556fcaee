"""The recipes of specs: their texts, their facts, and their learning rates by hand and by torch."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from math import cos, pi
from pathlib import Path

import pytest
from conftest import NET, Project
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from random_recipes import TEXT, recipes, write_spec

from inception_dsl.driver import check
from inception_dsl.emit.spec import format_spec
from inception_dsl.ir import Model
from inception_dsl.ir.learning_rate import LearningRate, write_number
from inception_dsl.ir.recipe import (
    SETTINGS,
    Recipe,
    RmsProp,
)
from inception_dsl.resolve import Overrides
from inception_dsl.resolve.recipe import READERS, REQUIRED, habits
from inception_dsl.source import Source
from inception_dsl.spec.schema import TRAINING

ROOT = Path(__file__).parents[2]

anew = profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""Every example writes the whole spec anew."""

BASE = {
    "batch": "32",
    "epochs": "100",
    "optimizer": "sgd (momentum 0.9)",
    "learning_rate": "0.1",
}


LETTERS = "0123456789.()/ -x:,;[]eabcdflnormst_%\u00e9\u202e"
"""The characters of settings, and some that none has."""


def write(**changes: str) -> str:
    """Write a spec with a recipe, some of whose settings are others."""
    settings = {**BASE, **changes}
    return TEXT + "".join(f"  {key}: {value}\n" for key, value in settings.items())


def read(project: Project, text: str) -> Model:
    project.write(NET, text)
    return project.check().model


def read_rate(project: Project, text: str) -> LearningRate:
    recipe = read(project, write(learning_rate=text)).recipe
    assert recipe is not None
    assert recipe.learning_rate.value is not None
    return recipe.learning_rate.value


def test_all_tables_of_settings_name_the_same() -> None:
    assert set(SETTINGS) == set(READERS) == set(TRAINING)
    assert set(REQUIRED) <= set(SETTINGS)


def test_every_text_of_the_page_is_a_setting(project: Project) -> None:
    """The page of recipes shows texts in its tables, and settings with their keys."""
    page = (ROOT / "docs" / "training.md").read_text()
    rows = re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
    texts = [text for row in rows for text in re.findall("`([^`]+)`", row)]
    keyed = [text for text in texts if text.partition(":")[0] in SETTINGS and ":" in text]
    assert len(keyed) == 8
    kinds = {"optimizer": "sgd|rmsprop|adam", "learning_rate": "0[.]", "replicas": "20"}
    kinds["augment"] = "inception|crop|shift"
    keyed += [
        f"{key}: {text}"
        for text in texts
        for key, kind in kinds.items()
        if re.match(kind, text) and text not in keyed
    ]
    assert len(keyed) > 20
    for text in keyed:
        key, _, value = text.partition(": ")
        project.write(NET, write(**{key: value}))
        assert project.findings() == (), text


def test_the_recipe_of_the_page_is_fine(project: Project) -> None:
    page = (ROOT / "docs" / "training.md").read_text()
    project.write(NET, page.partition("```yaml\n")[2].partition("```")[0])
    assert project.findings() == ()


def test_a_word_of_another_tool_has_its_word_here(project: Project) -> None:
    """Each is a key or a word that a recipe has, and no key or word itself."""
    for key in habits.KEYS.values():
        assert key in SETTINGS
    assert not habits.KEYS.keys() & set(SETTINGS)
    for key, words in habits.VALUES.items():
        for word, meant in words.items():
            project.write(NET, write(**{key: f"{word} (1)"}))
            (found,) = project.findings()
            within = write(**{key: f"{EXAMPLES_OF[key]} ({word} 1)"})
            project.write(NET, within)
            (inner,) = project.findings()
            fixes = [each.fix.text for each in (found, inner) if each.fix is not None]
            helps = [each.help or "" for each in (found, inner)]
            assert meant in fixes or any(f"`{meant}`" in help for help in helps), (key, word)


EXAMPLES_OF = {
    "optimizer": "rmsprop",
    "weight_decay": "4e-5",
    "average": "ema 0.9",
    "augment": "inception",
    "clip": "norm 2.0",
    "replicas": "20",
}
"""A setting to which words in brackets are added."""


def test_every_example_is_a_setting(project: Project) -> None:
    recipe = read(project, write(**TRAINING)).recipe
    assert recipe is not None
    assert {key: str(setting) for key, setting in recipe.settings.items()} == TRAINING


def test_a_spec_without_a_recipe_has_none(project: Project) -> None:
    model = read(project, TEXT.removesuffix("training:\n"))
    assert (model.recipe, model.results) == (None, ())


def test_a_setting_has_its_source_or_that_of_the_recipe(project: Project) -> None:
    text = write(source="Section 8", clip="{is: norm 2.0, source: Section 9}")
    recipe = read(project, text).recipe
    assert recipe is not None
    assert (recipe.source_of("batch"), recipe.source_of("clip")) == ("Section 8", "Section 9")


def test_unknown_and_none_differ(project: Project) -> None:
    recipe = read(project, write(clip="unknown", average="none", epochs="unknown")).recipe
    assert recipe is not None
    states = {key: (s.value, s.is_unknown) for key, s in recipe.settings.items()}
    assert states["clip"] == states["epochs"] == (None, True)
    assert states["average"] == states["augment"] == (None, False)


@anew
@given(recipe=recipes())
def test_a_recipe_is_read_as_it_is_printed(recipe: Recipe, project: Project) -> None:
    text = write_spec(recipe)
    project.write(NET, text)
    if any(found.code == "E218" for found in project.findings()):
        return  # nesterov without a momentum, a length beyond the training
    assert project.check().model.recipe == recipe
    assert format_spec(Source("net.yaml", text)) == text


@given(recipe=recipes())
def test_blanks_between_words_mean_nothing(recipe: Recipe) -> None:
    text = write_spec(recipe)
    head, training, settings = text.partition("training:")
    spaced = settings.replace(" (", "   ( ").replace(")", "  )").replace(" to ", "   to ")
    assert format_spec(Source("net.yaml", head + training + spaced)) == text


@pytest.mark.parametrize("key", SETTINGS)
@anew
@given(
    text=st.text(st.sampled_from("0123456789.()/ -x:,;[]eabcdflnormst_%\u00e9\u202e"), max_size=60)
)
def test_any_text_is_read_or_refused_at_its_place(key: str, text: str, project: Project) -> None:
    quoted = text.replace("\\", "").replace('"', "")
    project.write(NET, write(**{key: f'"{quoted}"'}))
    for found in project.findings():
        assert found.code[0] in "EW"
        assert found.labels
        assert found.fix is None or "\n" not in found.fix.text


@pytest.mark.parametrize(
    "text",
    [
        "sgd (" + "momentum 0.9 " * 500 + ")",
        "sgd " + "(" * 900,
        "0." + "1" * 900,
        "0.1 x 0.1 at " + "1 " * 400 + "epochs",
        "mean " + "0.5 " * 190,
        "9" * 900,
    ],
)
@pytest.mark.parametrize("key", SETTINGS)
def test_a_long_text_is_refused(key: str, text: str, project: Project) -> None:
    project.write(NET, write(**{key: text}))
    assert project.findings()


# The papers' recipes.


def test_the_recipe_of_inception_v3_is_that_of_section_8(project: Project) -> None:
    recipe = check("inception_v3", folder=ROOT).model.recipe
    assert recipe is not None
    assert (recipe.batch.value, recipe.epochs.value) == (32, 100)
    assert str(recipe.replicas) == "50"
    rms = recipe.optimizer.value
    assert isinstance(rms, RmsProp)
    assert (rms.decay, rms.eps) == (Decimal("0.9"), Decimal("1.0"))
    assert rms.is_inside_root
    assert (str(recipe.clip), str(recipe.label_smoothing)) == ("norm 2.0", "0.1")


SPECS = ["googlenet", "bn_inception", "inception_v3", "inception_v4"]
SPECS += ["inception_resnet_v1", "inception_resnet_v2"]


@pytest.mark.parametrize("name", SPECS)
def test_each_paper_has_a_recipe_with_sources_and_results(name: str) -> None:
    model = check(name, folder=ROOT).model
    assert model.recipe is not None
    assert model.results
    assert all(result.source for result in model.results)
    for key, setting in model.recipe.settings.items():
        if setting.value is not None:
            assert model.recipe.source_of(key), key


@pytest.mark.parametrize("name", ["tf_slim/inception_v3", "timm/inception_v4"])
def test_a_package_does_not_have_the_recipe_of_the_paper(name: str) -> None:
    assert check(name, folder=ROOT).model.recipe is None


# Files.


def test_an_extending_file_changes_a_setting_and_keeps_the_sources(project: Project) -> None:
    project.write("specs/base.yaml", write(source="Section 8", clip="norm 2.0"))
    layer = "inception: 1\nextends: base.yaml\ntraining: {epochs: 10, source: a tutorial}\n"
    recipe = read(project, layer).recipe
    assert recipe is not None
    assert recipe.epochs.value == 10
    assert recipe.source_of("epochs") == "a tutorial"
    assert recipe.source_of("clip") == recipe.source_of("batch") == "Section 8"


def test_an_extending_file_does_without_a_recipe(project: Project) -> None:
    project.write("specs/base.yaml", write())
    assert read(project, "inception: 1\nextends: base.yaml\ntraining: none\n").recipe is None


def test_results_are_claims_about_the_base_alone(project: Project) -> None:
    claims = "claims:\n  - {top1_error: 21.2, top5_error: 5.6, crops: 1, source: Table 3}\n"
    base = read(project, write() + claims)
    assert [(r.measure, r.percent, r.crops) for r in base.results] == [
        ("top1_error", Decimal("21.2"), 1),
        ("top5_error", Decimal("5.6"), 1),
    ]
    project.write("specs/base.yaml", write() + claims)
    assert read(project, "inception: 1\nextends: base.yaml\n").results == ()


def test_a_library_has_no_recipe(project: Project) -> None:
    library = "inception: 1\nblocks: {b: relu}\ntraining: {batch: 3}\n"
    project.write("specs/blocks/lib.yaml", library)
    project.write(NET, "inception: 1\nuse: [blocks/lib]\ninput: 8x8x3\nnetwork: b\n")
    (found,) = project.findings()
    assert found.code == "E101"


# The learning rate as a function of the time.


def test_the_rate_of_the_papers_by_hand(project: Project) -> None:
    rate = read_rate(project, "0.045 x 0.94 every 2 epochs")
    for epoch, expected in ((0, 0.045), (1.99, 0.045), (2, 0.0423), (10.5, 0.045 * 0.94**5)):
        assert rate.at(epoch, epochs=100, steps_per_epoch=10) == pytest.approx(expected)


def test_a_warm_up_rises_evenly_and_the_course_begins_behind_it(project: Project) -> None:
    rate = read_rate(project, "0.1 x 0.5 every 10 epochs (warmup 4 epochs from 0.02)")
    values = [rate.at(epoch, epochs=100, steps_per_epoch=10) for epoch in (0, 2, 4, 13, 14)]
    assert values == pytest.approx([0.02, 0.06, 0.1, 0.1, 0.05])


def test_a_warm_up_in_steps(project: Project) -> None:
    rate = read_rate(project, "0.1 (warmup 30 steps)")
    values = [rate.at(epoch, epochs=100, steps_per_epoch=10) for epoch in (0, 1.5, 3, 50)]
    assert values == pytest.approx([0, 0.05, 0.1, 0.1])


def test_a_cosine_and_a_polynomial_by_their_formulas(project: Project) -> None:
    cosine = read_rate(project, "0.4 cosine (to 0.1 warmup 20 epochs)")
    line = read_rate(project, "0.4 polynomial (power 2 to 0.1)")
    for epoch in (20, 35, 60, 99.5):
        expected = 0.1 + 0.3 * (1 + cos(pi * (epoch - 20) / 80)) / 2
        assert cosine.at(epoch, epochs=100, steps_per_epoch=7) == pytest.approx(expected)
        expected = 0.1 + 0.3 * (1 - epoch / 100) ** 2
        assert line.at(epoch, epochs=100, steps_per_epoch=7) == pytest.approx(expected)


def test_an_open_rate_has_no_value(project: Project) -> None:
    rate = read_rate(project, "0.1 x unknown every 2 epochs")
    with pytest.raises(ValueError, match="leaves a number"):
        rate.at(3, epochs=100, steps_per_epoch=10)


@pytest.mark.parametrize(
    ("text", "number"),
    [("4e-5", "4e-5"), ("0.00004", "4e-5"), ("0.0015", "0.0015"), ("1.5E-7", "1.5e-7")],
)
def test_a_number_has_one_form(text: str, number: str) -> None:
    assert write_number(Decimal(text)) == number
    assert write_number(None) == "unknown"


def test_a_spec_without_a_recipe_imports_none_of_it() -> None:
    program = (
        "import sys; from inception_dsl.cli import main; main(['check', 'alexnet']);"
        "sys.exit(any('recipe' in name or 'learning_rate' in name for name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert run.returncode == 0


def test_results_are_of_the_network_as_it_is_written(project: Project) -> None:
    claims = "claims:\n  - {top1_error: 21.2, crops: 1, source: Table 3}\n"
    project.write(NET, write() + claims)
    small = check(NET, folder=project.root, overrides=Overrides("16x16x3")).model
    assert small.results == ()
    assert small.recipe is not None


def test_a_tiny_number_is_refused(project: Project) -> None:
    project.write(NET, write(optimizer="rmsprop (decay 0.9 eps 1e-400 inside_root)"))
    (found,) = project.findings()
    assert (found.code, found.message) == ("E211", "`eps` is nearly 0")


def test_a_mean_may_be_negative(project: Project) -> None:
    recipe = read(project, write(normalise="mean -0.5 0 1/2 std 1 1 1")).recipe
    assert recipe is not None
    assert str(recipe.normalise) == "mean -0.5 0 1/2 std 1 1 1"


WORDY = {
    "replicas": ["20 (asynchronous)", "20 (synchronous)"],
    "optimizer": [
        "sgd (momentum 0.9 nesterov)",
        "rmsprop (decay 0.9 momentum 0.9 eps 1.0 inside_root centered)",
        "adamw (beta1 0.9 beta2 0.99 eps 1e-8)",
    ],
    "learning_rate": [
        "0.1 x 0.9 every 2 epochs (continuous warmup 5 epochs from 0.01)",
        "0.1 cosine (to 0.01 warmup 100 steps)",
        "0.1 polynomial (power 2 to 0.01)",
    ],
    "clip": ["norm 2.0", "value 0.5"],
    "weight_decay": ["4e-5 (weights biases)", "4e-5 (weights norms)"],
    "average": ["ema 0.9 (rising)", "polyak (from 10 epochs)"],
    "augment": [
        "inception (area 0.05 to 1 aspect 3/4 to 4/3 no_mirror brightness 0.1 contrast 0.1)",
        "inception (no_photometric)",
        "crop (resize 256 saturation 0.1)",
        "shift (pad 4)",
    ],
    "normalise": ["mean 0.5 std 0.5"],
}
SLIPS = [
    pytest.param(key, text, found.start(), found[0], id=f"{key}: {text}, {found[0]}")
    for key, texts in WORDY.items()
    for text in texts
    for found in re.finditer(r"[a-z_]{4,}[0-9]?", text)
]


@pytest.mark.parametrize(("key", "text", "start", "word"), SLIPS)
def test_every_misspelt_word_has_its_advice(
    key: str, text: str, start: int, word: str, project: Project
) -> None:
    slip = word[:2] + word[3:]
    project.write(NET, write(**{key: f"{text[:start]}{slip}{text[start + len(word) :]}"}))
    (found,) = project.findings()
    assert found.fix is not None, found.message
    assert (found.fix.text, found.fix.span.text) == (word, slip)
    assert found.help == f"write `{word}`"
