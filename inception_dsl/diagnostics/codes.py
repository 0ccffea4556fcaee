"""Every code that a finding may carry. A code never changes its meaning.

E0xx: reading files. E1xx: the form of a spec. E2xx: names and words. E3xx: shapes. E4xx: budgets
and claims. E5xx: output. E7xx: networks that exist as code. E8xx: checkpoints. E9xx: networks
on images, and their times. W6xx: warnings and hints. P8xx: hints about the design. D7xx: the
effects of a change, on callers (D70x), checkpoints (D71x), inference (D72x), training (D73x), cost
(D74x) or nothing (D75x).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The severities, the gravest first."""

NEVER = "never"
"""The word for a command that fails on no finding."""


class Code(NamedTuple):
    """A kind of finding.

    Attributes:
        meaning: a sentence that explains it.
        severity: the severity of its findings; None if the letter of the code gives it.
        successor: the code that findings of its kind have now; empty for a code in use. No other
            kind ever takes over a code.
    """

    name: str
    meaning: str
    severity: Severity | None = None
    successor: str = ""


CODES: dict[str, Code] = {
    "E001": Code("unreadable-file", "A file cannot be read."),
    "E002": Code("not-yaml", "The text is not YAML."),
    "E003": Code("too-large", "A file or a model is larger than the tool agrees to read."),
    "E004": Code("duplicate-key", "A mapping has one key twice."),
    "E005": Code("yaml-feature", "Anchors, aliases, merge keys, tags and hex numbers are refused."),
    "E006": Code("outside-project", "A file lies outside the project's folder."),
    "E007": Code("unknown-spec", "No spec has this name."),
    "E008": Code("cycle", "Files, or blocks, use each other in a circle."),
    "E009": Code("no-revision", "A revision, or the repository that has it, cannot be found."),
    "E010": Code("bad-setting", "The settings of a project cannot be used."),
    "E011": Code("no-specs", "A command finds no network to look at."),
    "E012": Code("unknown-device", "No device has this name."),
    "E013": Code("bad-device", "The table of a device cannot be used."),
    "E014": Code("no-rate", "A device has no peak rate for a type of numbers."),
    "E015": Code("no-result", "A command fails before it has a result."),
    "E101": Code("unknown-key", "A mapping has a key that the language does not know."),
    "E102": Code("missing-key", "A required key is missing."),
    "E103": Code("wrong-kind", "A value has another type than its key takes."),
    "E104": Code("step-syntax", "A step's text does not follow the grammar."),
    "E105": Code("bad-name", "A name cannot be used."),
    "E106": Code("bad-number", "A number or an expression has no usable value."),
    "E107": Code("bad-function", "An expression calls an unknown function, or calls one wrongly."),
    "E108": Code("bad-ignore", "A comment that ignores findings cannot be used."),
    "E201": Code("unknown-op", "A step names no op and no block."),
    "E202": Code("unknown-word", "An op, or a setting, has a word that it does not know."),
    "E203": Code("said-twice", "An attribute is given two values."),
    "E204": Code("missing-word", "An op, or a setting, lacks a word that it needs."),
    "E205": Code("unknown-name", "An expression reads a name that is not there."),
    "E206": Code("unbound-param", "A call leaves a parameter of its block without a value."),
    "E207": Code("unknown-row", "A call reads a row that no table has."),
    "E208": Code("same-path", "Two nodes have one path."),
    "E209": Code("defined-twice", "A block or a table is defined twice."),
    "E210": Code("bad-kernel", "An op has a kernel it does not take, or lacks the one it needs."),
    "E211": Code("bad-value", "A word has a value that it cannot take."),
    "E212": Code("unknown-place", "A path names no step."),
    "E213": Code("bad-table", "A table's rows and columns do not agree."),
    "E214": Code("bad-condition", "A condition cannot be decided, or its step gives no one value."),
    "E215": Code("inputs-disagree", "A step does not say which inputs it reads, or names others."),
    "E216": Code("outputs-disagree", "A step gives several values, and the one meant is unclear."),
    "E217": Code("one-value-only", "Several inputs or outputs stand where one value is needed."),
    "E218": Code("recipe-disagrees", "Settings of a recipe contradict each other."),
    "E301": Code("shape-note", "The output of a step has another shape than its note says."),
    "E302": Code("window-too-large", "A kernel does not fit into its input."),
    "E303": Code(
        "add-disagrees",
        "The inputs of an `add`, a `mul` or an extremum differ in shape, and are no gates.",
    ),
    "E304": Code("branches-disagree", "Branches of a concat differ in height and width."),
    "E305": Code("map-or-vector", "An op reads a vector but takes a map, or the reverse."),
    "E306": Code("groups-disagree", "The groups of a conv do not divide its channels."),
    "E307": Code("reuse-disagrees", "Weights are reused on another number of channels."),
    "E308": Code(
        "norm-groups", "The groups of a norm do not divide its channels, or hold one value."
    ),
    "E309": Code("no-such-channels", "An op on the channels does not fit those it reads."),
    "E310": Code("no-such-size", "An op cannot make a map of the size that is asked for."),
    "E401": Code("over-budget", "The model costs more than its budget."),
    "E402": Code("claim-fails", "A claim does not hold, and no deviation is noted."),
    "E403": Code("deviation-gone", "A claim holds, but a deviation from it is noted."),
    "E404": Code("no-claim", "A spec has no claim that an explanation of its cost could compare."),
    "E405": Code("over-limit", "A change costs more than the project allows."),
    "E501": Code("not-emittable", "PyTorch code cannot be written for this."),
    "E502": Code("not-drawable", "A figure cannot be drawn as requested."),
    "E503": Code("same-output", "Two specs would be built to one folder."),
    "E504": Code("stale-file", "A generated file is not what its spec makes."),
    "E505": Code("not-formatted", "A spec is not formatted."),
    "E510": Code("no-polynomial", "A cost has no polynomial that anybody reads."),
    "E511": Code("no-such-axis", "A sweep names an axis that is not there, or one twice."),
    "E512": Code("bad-grid", "The values of a sweep are none, too many, or no values."),
    "E513": Code("no-such-block", "A command names a block that is not there."),
    "E701": Code("unknown-target", "A target names no network that exists as code."),
    "E702": Code("target-fails", "The code of a target cannot be imported, or builds nothing."),
    "E703": Code("unknown-input", "The input of a network that exists as code is not known."),
    "E704": Code("does-not-run", "A network that exists as code does not run."),
    "E705": Code("no-word", "The language has no word for something that a network does."),
    "E706": Code("unreadable-network", "The file of a network cannot be read."),
    "E707": Code("asks-for-values", "A network that exists as code reads the values of a tensor."),
    "E708": Code("not-one-network", "A network that exists as code is another one in another run."),
    "E801": Code("bad-checkpoint-file", "The file of a checkpoint cannot be read, or written."),
    "E802": Code("no-one-state-dict", "A checkpoint has no state_dict, or several."),
    "E803": Code("tensors-disagree", "The tensors of a checkpoint are not those of its network."),
    "E804": Code("not-carried", "A port cannot tell what a tensor is made of."),
    "E805": Code("port-differs", "A port gives another network than the one that it was made of."),
    "E901": Code("bad-image-folder", "A folder of images, or a list of them, cannot be used."),
    "E902": Code("broken-image", "An image cannot be read."),
    "E903": Code("image-too-small", "An image is smaller than the crop."),
    "E904": Code("no-normalisation", "Nothing says the mean and the deviation of an input."),
    "E905": Code("not-evaluable", "A network cannot be measured on images."),
    "E906": Code("not-timed", "A network cannot be timed as it is asked for."),
    "W601": Code("never-read", "No output depends on a step."),
    "W602": Code("counted-names", "An insertion would rename steps, and their weights.", "note"),
    "W603": Code("unused-waiver", "A waiver waives no change."),
    "W604": Code(
        "branches-not-nested", "Graphviz places a body whose branches do not nest.", "note"
    ),
    "W605": Code("figure-left-out", "A build leaves a figure out.", "note"),
    "W606": Code("channels-first", "An input looks as if its channels stood first."),
    "W607": Code("decay-for-momentum", "A batch norm's momentum looks like another tool's decay."),
    "W608": Code(
        "pool-enlarges",
        "An adaptive pool gives a larger map than it reads. This is E310 now.",
        successor="E310",
    ),
    "W610": Code("head-left-out", "A training head cannot run at this input, and is left out."),
    "W611": Code("norm-of-one-channel", "A norm over the channels reads a single one."),
    "W613": Code("upsample-shrinks", "An upsampling gives a smaller map than it reads."),
    "W614": Code("norm-needs-a-batch", "A batch norm has one value of a channel an image.", "note"),
    "W615": Code("unread-param", "No step of a block reads one of its parameters."),
    "W616": Code("pixels-not-scaled", "The numbers of an input look as if pixels went to 255."),
    "W617": Code("small-letters", "Letters of a figure are too small for print."),
    "W620": Code("training-only", "A network does something at random in training alone.", "note"),
    "W621": Code("heads-left-out", "Training gives results that an import leaves out.", "note"),
    "W622": Code("weights-left-out", "An import leaves parameters of a network out.", "note"),
    "W623": Code("loss-unknown", "The weight of the loss of a training head is not known.", "note"),
    "W624": Code("not-compared", "An import compares no outputs.", "note"),
    "W625": Code("lost-in-export", "The file of a network lacks a part of the network.", "note"),
    "W626": Code("undecided-partners", "Two graphs do not tell which step is which."),
    "W627": Code("no-training-script", "A build leaves a training script out.", "note"),
    "W628": Code("channels-last", "A file has its channels last, and its spec first.", "note"),
    "W630": Code("unused-ignore", "A comment, or a setting, ignores no finding."),
    "P801": Code("bottleneck", "A step keeps little of the representation it reads.", "note"),
    "P802": Code("out-of-balance", "A stage is too deep for its width, or too wide.", "note"),
    "P803": Code("unreduced", "A spatial convolution reads many channels, unreduced.", "note"),
    "P804": Code("lone-pool", "A pool shrinks the grid before or behind the widening.", "note"),
    "P811": Code("large-kernel", "Several 3x3 see what a larger kernel sees, for less.", "note"),
    "P812": Code("square-kernel", "A row and a column see what a square kernel sees.", "note"),
    "P813": Code("even-kernels", "Two 2x2 replace a 3x3; a row and a column save more.", "note"),
    "P814": Code("mergeable", "Several 1x1 convolutions on one value could run as one.", "note"),
    "P815": Code("idle-step", "A step costs something and has no effect.", "note"),
    "P816": Code("early-pool", "A pool averages channels that a 1x1 behind it gives up.", "note"),
    "D701": Code("input-changed", "The input of the network changes.", "error"),
    "D702": Code("output-changed", "The output of the network changes.", "error"),
    "D703": Code("head-changed", "A training head is added or removed.", "error"),
    "D704": Code("parameter-changed", "A parameter of the network is added or removed.", "error"),
    "D705": Code("spec-removed", "A spec is removed.", "error"),
    "D706": Code("spec-added", "A spec is added.", "note"),
    "D707": Code("spec-renamed", "A spec is renamed, and otherwise much the same.", "error"),
    "D711": Code("tensors-changed", "Tensors of a step change their keys or shapes.", "error"),
    "D712": Code("tensors-added", "Tensors are added, mostly with their steps.", "error"),
    "D713": Code("tensors-removed", "Tensors are removed, mostly with their steps.", "error"),
    "D714": Code("keys-renamed", "Tensors are renamed.", "error"),
    "D721": Code("function-changed", "Old weights load, but a step differs.", "error"),
    "D722": Code("order-changed", "Old weights load, but a join reads in another order.", "error"),
    "D723": Code("wiring-changed", "Old weights load, but a step reads another one.", "error"),
    "D724": Code("steps-changed", "Old weights load, but steps are added or removed.", "error"),
    "D725": Code("other-sizes", "Inputs of other sizes give other results.", "warning"),
    "D731": Code("training-changed", "Inference stays the same, but training changes.", "warning"),
    "D732": Code("recipe-changed", "The network is trained by another recipe.", "warning"),
    "D741": Code("cost-changed", "The cost of the network changes.", "note"),
    "D742": Code("budget-exceeded", "A change exceeds the budget of the network.", "error"),
    "D743": Code("budget-changed", "A budget changes.", "warning"),
    "D751": Code("same-network", "The network stays the same; only its text changes.", "note"),
}
"""The kinds of findings by their codes."""
