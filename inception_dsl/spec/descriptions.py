"""A sentence on every key of a spec, which editors show beside it.

By the form of the mapping that has the key, and by the key. It stands apart from the forms: no
command but those for editors reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

_TITLE = "A title for people, in figures and reports."
_SOURCE = "Where it is written: a paper with its section, table or figure."
_FROM = (
    "The earlier step of this list that it reads, in place of the one before; a list of them is "
    "joined, and `input` is what enters the list."
)
_OUT = "The shape that comes out, as `17x17x96` or `1000`; another one is an error."
_WHEN = "It is there under this condition alone, as `in == width and stride == 1`."
_MEASURED: Mapping[str, str] = {
    "params": "The learnt values, without running statistics.",
    "weights": "The parameters without biases and those of norms.",
    "macs": "The multiply-accumulates of convolutions and linear layers, for one image.",
    "flops": "All floating-point operations of inference, for one image.",
    "activations": "The values that convolutions give, for one image.",
    "memory": "The most bytes alive at once in inference, for one image in single precision.",
    "depth": "The convolutions and linear layers on the longest path.",
}
_BODY: Mapping[str, str] = {
    "when": _WHEN,
    "inputs": "The names of the inputs of a block that reads several.",
    "outputs": "The steps whose values the block gives, by their paths; one needs no name.",
    "from": _FROM,
    "reuse": "The earlier step or branch that runs again here, with the same weights.",
    "branches": "Branches side by side, each with its name; `join` puts their values together.",
    "join": "The op that joins branches, or the steps that `from` names: `concat` by default.",
    "order": "The branches in the order in which they are joined.",
    "steps": "A step, or a list of steps, each of which reads the one before.",
    "residual": "Adds what enters the body: `act(shortcut(x) + scale * body(x))`.",
    "out": _OUT,
    "title": _TITLE,
    "source": _SOURCE,
    "params": "The parameters of the block: a list, or names with defaults, as `{stride: 1}`.",
    "defaults": "The words of ops in this block, as `conv: {act: relu}`.",
    "extends": "The block that this one starts from; the other keys change it.",
    "after": "In an extending file: the step behind which this one is inserted, or `input`.",
}

DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "ModelSpec": {
        "inception": "The version of the language: 1.",
        "name": "The name of the network: that of its function in emitted code.",
        "title": _TITLE,
        "source": _SOURCE,
        "use": "Files whose blocks and tables this one calls: names in `specs/`, or paths.",
        "extends": "The spec that this one starts from: its name, or its path.",
        "input": "The shape, `299x299x3`: height, width, channels; of several, by name.",
        "params": "The parameters of the network, which `--set` changes, as `{num_classes: 1000}`.",
        "defaults": "The words of ops in this network, as `conv: {norm: batchnorm, act: relu}`.",
        "tables": "Rows of numbers under columns; a call binds a row, as `block (table1.3a)`.",
        "blocks": "Parts that steps call by their names.",
        "network": "The network itself: a list of steps, each of which reads the one before.",
        "outputs": "The steps whose values it gives, by their paths; the last one by default.",
        "heads": "Training heads: they hang on a step, and run in training only.",
        "budget": "Bounds on the cost, which are errors: `{params: <= 43M, macs: <= 12.5G}`.",
        "training": "The recipe by which the source trained the network.",
        "claims": "Figures that the source gives; one that does not hold is an error.",
    },
    "BodySpec": _BODY,
    "LongSpec": {
        "op": "The op or the block of a step whose words are keys: `{op: 3x3 conv, width: 64}`.",
        "when": _WHEN,
        "from": _FROM,
        "out": _OUT,
        "title": _TITLE,
        "source": _SOURCE,
    },
    "ResidualSpec": {
        "when": "The sum is there under this condition alone; else the body's value passes.",
        "scale": "The factor of the body before the sum: 1 by default.",
        "act": "The activation behind the sum: `none` by default.",
        "drop_path": "The share of images of which training drops the body: 0 by default.",
        "shortcut": "The steps on the way around the body; nothing by default.",
    },
    "HeadSpec": {
        "at": "The path of the step that the head reads.",
        "loss_weight": "The weight of the head's loss in the sum.",
        "steps": "The steps of the head.",
    },
    "BudgetSpec": {
        **_MEASURED,
        "at": "Bounds on single steps, by their paths: `{stem: {params: <= 600K}}`.",
    },
    "ClaimSpec": {
        **_MEASURED,
        "at": "The path of the step that the claim is about; the network without one.",
        "input": "The input for which the claim holds, if it is not the spec's.",
        "heads": "Whether training heads are counted, too.",
        "source": _SOURCE,
        "deviates": "The reason why the claim does not hold here; one that holds is then an error.",
        "shape": "The shape that the step gives.",
        "in": "The number of channels that the step reads.",
        "top1_error": "The percentage of images whose class is not the first guess.",
        "top5_error": "The percentage of images whose class is not among the first five guesses.",
        "crops": "The number of crops of an image whose results are averaged.",
        "networks": "The number of networks whose results are averaged.",
        "split": "The images that the errors are of: `validation` or `test`.",
    },
    "TableSpec": {
        "source": _SOURCE,
        "columns": "The names of the columns: the parameters that a row binds.",
    },
}
"""Markdown, as editors show it."""
