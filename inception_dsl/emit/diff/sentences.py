"""The sentence of every finding: its place, the change, and the effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from inception_dsl.diff import (
    Added,
    ArgumentRenamed,
    ArgumentsChanged,
    BlockRenamed,
    BudgetBroken,
    BudgetChanged,
    Changed,
    ConditionsChanged,
    CostsChanged,
    DrawChanged,
    Edit,
    EndChanged,
    ExpressionsChanged,
    Finding,
    FormChanged,
    FreezingChanged,
    HeadListed,
    IdleTensorsListed,
    LossChanged,
    Moved,
    NumbersChanged,
    OutputRewired,
    ParameterListed,
    PortsChanged,
    RecipeChanged,
    RecipeListed,
    Removed,
    Renamed,
    Reordered,
    Reparented,
    Replaced,
    Rewired,
    SharingChanged,
    SpecListed,
    SpecRenamed,
    StepEdit,
    StepWords,
    TextsChanged,
    TrainingChanged,
)
from inception_dsl.diff.parts import op_word
from inception_dsl.emit.diff.code_sentences import write_code_sentence
from inception_dsl.emit.diff.notation import arrow, edit_text
from inception_dsl.emit.diff.words import Sentence, cost_text, tensors_text
from inception_dsl.expr import Apply, Binary, Name, show
from inception_dsl.ops import OPS, shown


def write_sentence(finding: Finding) -> Sentence:
    """Return a finding in words."""
    about = finding.about
    match about:
        case SpecListed() | SpecRenamed():
            return _write_spec(about)
        case TextsChanged():
            is_renamed = any(change.field == "name" for change in about.texts)
            means = "the emitted factory has another name" if is_renamed else "texts for readers"
            return _plain(finding, "; ".join(_text_changes(about)), means)
        case ConditionsChanged():
            conditions = about.before, about.after
            texts = ("always" if each is None else show(each) for each in conditions)
            means = "it decides the same in every call"
            return _plain(finding, f"when {arrow(*texts)}", means)
        case ExpressionsChanged():
            values = (
                "none" if each is None else shown(each) for each in (about.before, about.after)
            )
            means = "it has the same value in every call"
            if len(about.paths) > 1:
                means += f", in {len(about.paths)} steps"
            return _plain(finding, f"{_name_expression(about)} {arrow(*values)}", means)
        case CostsChanged():
            return _plain(finding, "", ", ".join(map(cost_text, about.costs)))
        case BudgetBroken():
            whose = "the old" if about.is_old else "its"
            what = arrow(f"{about.before:,}", f"{about.after:,}")
            return _plain(finding, what, f"{whose} budget is {about.bound.quantity.text}")
        case BudgetChanged():
            return _plain(finding, _budget_text(about), _budget_meaning(about))
        case RecipeChanged():
            means = RECIPE_MEANINGS[about.key]
            return _plain(finding, arrow(about.before, about.after), means)
        case RecipeListed():
            became = "added" if about.is_new else "removed"
            means = f"only the {'new' if about.is_new else 'old'} spec tells the recipe"
            return Sentence(finding.at, f"{finding.at} {became}", "", means)
        case (
            IdleTensorsListed()
            | FreezingChanged()
            | DrawChanged()
            | TrainingChanged()
            | NumbersChanged()
            | FormChanged()
            | ArgumentRenamed()
        ):
            return write_code_sentence(about)
        case _:
            at, subject = _subject(about)
            meaning = _meaning(about, is_code=bool(finding.spots))
            return Sentence(at, subject, edit_text(about), meaning)


def _name_expression(about: ExpressionsChanged) -> str:
    """Return the words for the place of an expression in a block."""
    return about.name or "count" if about.paths else f"default of {about.name}"


def _write_spec(about: SpecListed | SpecRenamed) -> Sentence:
    """Return the sentence of a spec, or a network of code, that is added, removed or renamed."""
    match about:
        case SpecListed():
            what = f"{about.params:,} params, {about.macs:,} MACs"
            means = "code that names it fails" if about.is_code else "a build by this name fails"
            means = "a new network" if about.is_new else means
            became = "added" if about.is_new else "removed"
            return Sentence(about.name, f"{about.name} {became}", what, means)
        case SpecRenamed():
            what = arrow(about.old_name, about.new_name)
            means = "a build by the old name fails"
            return Sentence(about.new_name, f"{about.new_name} renamed", what, means)


RECIPE_MEANINGS = {
    "batch": "a step sees another number of images",
    "replicas": "a step sees another number of images, or another state of the weights",
    "epochs": "training sees every image another number of times",
    "optimizer": "training takes other steps",
    "learning_rate": "training takes steps of other lengths",
    "label_smoothing": "training aims at other labels",
    "clip": "training bounds its gradients otherwise",
    "weight_decay": "training draws the weights to zero otherwise",
    "average": "the weights of the trained network are another average",
    "augment": "training sees other images",
    "normalise": "the trained network reads inputs of another scale",
}
"""The effect of a change of each setting of a recipe."""


def _plain(finding: Finding, what: str, means: str) -> Sentence:
    return Sentence(finding.at, finding.at, what, means)


def _text_changes(about: TextsChanged) -> Iterator[str]:
    for change in about.texts:
        yield f"{change.field} {arrow(change.before or 'none', change.after or 'none')}"
    if about.blocks:
        yield f"title or source of {', '.join(about.blocks)}"


def _budget_text(about: BudgetChanged) -> str:
    figures = (bound.quantity.text if bound else "none" for bound in (about.before, about.after))
    return f"budget {arrow(*figures)}"


def _budget_meaning(about: BudgetChanged) -> str:
    if about.before is None:
        return "the network had no such budget before"
    if about.after is None:
        return "the network has no such budget any more"
    return "the network has another bound"


def _subject(edit: Edit) -> tuple[str, str]:
    """Return the place of an edit, then the place with the number of places and a verb."""
    match edit:
        case Changed(sites=sites, after=words) if sites:
            at = _count_steps(edit, words.kind)
            return at, at
        case Replaced(sites=sites, before=words) | Reordered(sites=sites, step=words) if sites:
            at = _count_steps(edit, words.kind)
            return at, at
        case Renamed(is_many=True) | Reparented(is_many=True):
            often = f", {len(edit.names)} steps"
        case _:
            often = f", in {len(edit.paths)} places" if len(edit.paths) > 1 else ""
    return edit.at, f"{edit.at}{often} {_verb(edit)}".rstrip()


def _count_steps(edit: StepEdit, op: str) -> str:
    """Return the number of steps of an op that share an edit: `9 of 10 avgpools`."""
    count, noun = len(edit.places), f"{op_word(op)}s"
    return f"all {count} {noun}" if count == edit.among else f"{count} of {edit.among} {noun}"


def _verb(edit: Edit) -> str:
    """Return the participle that describes an edit; empty for a step that stays and changes."""
    match edit:
        case Added() | Removed() if edit.copies is not None:
            return ""  # they are counted
        case Added():
            return "added"
        case Removed():
            return "removed"
        case ParameterListed() | HeadListed():
            return "added" if edit.is_new else "removed"
        case Renamed(category="NUMERICS"):
            return "exchanged"
        case Renamed():
            return "renamed"
        case Moved() | Reparented():
            return "moved"
        case (
            EndChanged()
            | PortsChanged()
            | Changed()
            | Replaced()
            | SharingChanged()
            | ArgumentsChanged()
        ):
            return ""
        case BlockRenamed() | Rewired() | Reordered() | OutputRewired() | LossChanged():
            return ""
        case _:
            assert_never(edit)


def _meaning(edit: Edit, *, is_code: bool) -> str:
    """Return the effect of an edit, as a clause; `is_code`, a network of it exists as code."""
    match edit:
        case EndChanged():
            if edit.end == "input":
                return f"the network takes another input{_followers(edit)}"
            return "readers of the output get another shape"
        case PortsChanged(category="COSMETIC"):
            return "the network stays the same"
        case PortsChanged():
            takes = "takes" if edit.end == "input" else "gives"
            return f"the module {takes} them by these names, in this order"
        case HeadListed():
            return f"training gives one output {'more' if edit.is_new else 'less'}"
        case ParameterListed():
            takes = "takes" if edit.is_new else "no longer takes"
            return f"`--set` and the module's factory {takes} it"
        case _:
            return _step_meaning(edit, is_code=is_code)


def _step_meaning(edit: StepEdit, *, is_code: bool) -> str:
    match edit.category:
        case "CHECKPOINT":
            return _to_checkpoints(edit)
        case "NUMERICS":
            return f"{_to_inference(edit, is_code=is_code)}{_followers(edit)}"
        case "TRAINING":
            return f"{_to_training(edit)}{_followers(edit)}"
        case "COSMETIC":
            return _to_nobody(edit)
        case _:
            assert_never(edit.category)


def _to_checkpoints(edit: StepEdit) -> str:
    match edit:
        case Renamed(is_renumbered=True) if edit.keys:
            return f"it is renumbered, and {tensors_text(edit.keys)}"
        case Renamed() | Reparented() | Moved() if edit.keys:
            return tensors_text(edit.keys)
        case Renamed(is_many=True) | Reparented(is_many=True):
            return "their keys follow their names"
        case Renamed() | Reparented() | Moved():
            return "its keys follow its name"
        case _ if edit.keys:
            return f"{tensors_text(edit.keys)}{_followers(edit)}"
        case _:
            return _list_followers(edit) or "the tensors below it change"


def _followers(edit: Edit) -> str:
    """Return the number of steps and tensors that follow from an edit, as the end of a clause."""
    text = _list_followers(edit, " more" if edit.keys else "")
    return f"; {text}" if text else ""


def _list_followers(edit: Edit, more: str = "") -> str:
    """Return the number of steps and tensors that follow from an edit, as a clause."""
    steps, tensors = len(edit.followers), len(edit.following_keys)
    if not steps:
        return ""
    follow = f"{steps} step{'s follow' if steps > 1 else ' follows'}"
    if not tensors:
        return f"{follow} in shape or cost"
    change = "tensors change" if tensors > 1 else "tensor changes"
    return f"{follow}, and {tensors}{more} {change} shape"


_ATTRIBUTES = {
    "stride": "its windows lie elsewhere",
    "pad": "its windows lie elsewhere",
    "ceil": "its last windows lie elsewhere",
    "dilation": "its windows read other values",
    "kernel": "its windows have another size",
    "output": "its windows have another size",
    "eps": "the norm divides by another number",
    "act": "the output has another activation",
    "scale": "the residual has another weight in the sum",
    "drop": "training drops another share of the values",
    "init": "training from scratch begins with other weights",
    "bias_init": "training from scratch begins with other biases",
    "momentum": "running statistics follow training at another pace",
}
"""The meaning of a change of an attribute, where its name tells it."""


def _to_inference(edit: StepEdit, *, is_code: bool) -> str:
    if edit.elsewhere:
        return "no difference at this input, another result for inputs of other sizes"
    change = _change_of_values(edit, is_code=is_code)
    return f"the weights still load, and {change}" if edit.loads else change


def _change_of_values(edit: StepEdit, *, is_code: bool) -> str:
    """Return the effect of an edit on the values of inference, as a clause."""
    match edit:
        case Reordered():
            return _order_meaning(edit.step, is_code=is_code)
        case Rewired() | OutputRewired() | Moved() | Reparented():
            return "the step reads another step's values"
        case Added():
            return "the values now pass through this"
        case Removed():
            return "the values no longer pass through this"
        case Changed():
            return _attribute_meaning(edit)
        case Renamed():
            return "each step gets another one's: either their names or their places changed"
        case SharingChanged(after=after):
            return f"the step uses weights of {'another step' if after is not None else 'its own'}"
        case Replaced() | ArgumentsChanged() | BlockRenamed() | LossChanged():
            return "the step computes something else"
        case _:
            assert_never(edit)


def _order_meaning(step: StepWords, *, is_code: bool) -> str:
    """Return the effect of another order of what a step reads."""
    op = OPS[step.kind]
    if op.channels == "joined":
        by = "port" if is_code else "diff --weights"
        return f"the channels stand in another order; `{by}` reorders weights to match"
    words = step.values
    values = {n: value for n, value in words if not isinstance(value, Name | Binary | Apply)}
    if op.join is not None and op.join.commutes(values):
        return "the result is the same but for rounding"
    return "its inputs are in each other's places"


def _attribute_meaning(edit: Changed) -> str:
    """Return the effect of a change of attributes on the values."""
    match edit.names:
        case ("count_pad",):
            count = "count" if dict(edit.after.values)["count_pad"] else "no longer count"
            return f"means at the border {count} the padding"
        case (name,) if name in _ATTRIBUTES:
            return _ATTRIBUTES[name]
        case _:
            return "the step computes something else"


def _to_training(edit: StepEdit) -> str:
    match edit:
        case Changed(names=(name,)) if name in _ATTRIBUTES:
            return f"{_ATTRIBUTES[name]}; inference is the same"
        case Moved():
            return "training runs it at another place; inference is the same"
        case LossChanged():
            return "the head's loss has another weight; inference is the same"
        case Added() | Removed():
            now = "now" if isinstance(edit, Added) else "no longer"
            does = "drops values" if edit.drops_values else "runs it"
            return f"training {now} {does}; inference is the same"
        case _:
            return "training changes; inference is the same"


def _to_nobody(edit: StepEdit) -> str:
    match edit:
        case Added() | Removed() if edit.is_left_to_loss:
            return "the emitted module gives logits with it and without"
        case BlockRenamed(is_many=False):
            return "its class has another name; other differences have findings of their own"
        case BlockRenamed():
            return "their classes have other names; other differences have findings of their own"
        case Renamed(is_many=True) | Reparented(is_many=True):
            return "they hold no tensor, so no key changes"
        case Renamed() | Reparented() | Moved():
            return "it holds no tensor, so no key changes"
        case _:
            return f"it computes the same{_followers(edit)}"
