"""The things that a network does and that the language has no words for."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import Origin


@dataclass(frozen=True, slots=True)
class Lack:
    """A thing that the language cannot say.

    Attributes:
        what: the thing, as the subject of a sentence in the plural or of a substance.
        nearest: the nearest word of the language; empty if there is none.
        way: another form of the code, which can be imported; empty if there is none.
    """

    what: str
    nearest: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A place of a traced network that the language cannot say.

    Attributes:
        function: the function of torch that does it.
        module: the path of the module that calls it; empty for the network itself.
        kind: the name of the module's class.
        share: of values that are dropped at random, their share; None if it is not known.
    """

    lack: Lack
    function: str
    module: str
    kind: str
    origin: Origin
    share: float | None = None


TOKENS = Lack("maps that are read as tokens, and attention")
COMPUTED_WEIGHTS = Lack("weights that are computed in the forward pass")
FIXED_WEIGHTS = Lack("fixed values, which a buffer holds", "`blur`")
UNREGISTERED = Lack(
    "layers that no module registers", way="hold them in an `nn.ModuleList` or `nn.ModuleDict`"
)
MATRIX = Lack("a product with a matrix of parameters", way="make the matrix a `nn.Linear`")
FIXED_VALUES = Lack("fixed values, which a buffer holds")
CONSTANTS = Lack("values that the network does not compute from its input")
LEARNT_SCALE = Lack("a learnt scale of each channel", "`scale`")
LEARNT_SHIFT = Lack("a learnt shift of each channel", "`scale (bias)`")
LEARNT_NUMBER = Lack("a learnt number that scales or shifts a map", "`scale (one)`")
LEARNT_MAP = Lack("a learnt map that is added or multiplied")
FROZEN_NORM = Lack("a batch norm whose numbers are all fixed, in buffers", "`batchnorm`")
NUMBERS = Lack("multiplication or addition of a number", "`rescale`")
OTHER_NORM_AXES = Lack("a norm over other axes than the language's")
BROADCAST = Lack("a sum or a product of other shapes than the language's", "`join: mul`")
DIVISION = Lack("division of two tensors")
SUBTRACTION = Lack("subtraction of two tensors", "`join: add`")
POWER = Lack("powers of values")
STATISTICS = Lack("means, sums, deviations or extrema over other axes", "`global avgpool`")
INDICES = Lack("the places of the largest values")
SOFTMAX = Lack("a softmax over the pixels of a map", "`softmax`")
SPLIT = Lack("slices of the channels", "`slice`")
OTHER_SLICE = Lack("slices of another kind than runs of channels, rows or columns", "`slice`")
CROP = Lack("slices of the height or the width", "`crop`")
PADDING = Lack("padding that is not a window's own", "`pad`")
PAD_CHANNELS = Lack("channels of zeros that are added to a map")
PAD_VALUE = Lack("padding with another number than 0", "`pad`")
OTHER_OUTPUT_PAD = Lack("an output padding that differs between height and width", "`output_pad`")
DIVISOR = Lack("a mean that is divided by another number", "`avgpool`")
UPSAMPLING = Lack("upsampling", "`upsample`")
DTYPE = Lack("numbers of another type than single precision")
NOT_FINITE = Lack("a number that is not finite")
NUMERAL = Lack("a number with more digits or zeros than a spec writes")
BATCH = Lack("a reshape that mixes the images of a batch")
STACKED = Lack("tensors with a new axis, as a stack has", "`join: concat`")
REPEATED = Lack("values that are repeated")
TURNED = Lack("axes of a map that are exchanged")
MOVED = Lack("values that are moved along an axis")
SHUFFLE = Lack("a shuffle of channels", "`shuffle`")
OTHER_AXIS = Lack("a concat along another axis than the channels", "`join: concat`")
CHANNEL_CONV = Lack("a convolution along the channels in another form", "`channelconv`")
CONV_1D = Lack("convolutions over one axis")
CONV_3D = Lack("convolutions over three axes")
DECONV = Lack("transposed convolutions", "`deconv`")
OWN_VALUES = Lack("values of its own that a network subtracts or divides by", "`scale (bias)`")
SCALED_LINEAR = Lack("a linear layer whose product or bias is scaled", "`linear`")
FLAT_LAST = Lack("a vector of a map whose channels are last", "`flatten`")
RESHAPE = Lack("a reshape of a vector")
OTHER_AXES = Lack("a map with other axes than channels, height and width")
ACTIVATION = Lack("this activation")
ACT_AXES = Lack("an activation of a tensor with other axes than a map or a vector")
ACT_ARGUMENT = Lack("an activation with this argument")
NO_WORD = Lack("a function that the language does not know")
WRITTEN_UNDER = Lack("values that are overwritten under another name")
ASSIGNMENT = Lack("values that are assigned to a part of a tensor")
OTHER_USE = Lack("weights that another step uses in another way", "`reuse`")
APART = Lack("a step that runs again and crosses others", "`reuse`")
BATCH_STATISTICS = Lack("a batch norm of the batch's own values in inference", "`batchnorm`")
OTHER_DROPOUT = Lack("a dropout of another kind than that of single values", "`dropout`")
ALWAYS_RANDOM = Lack("values that are dropped at random in inference", "`dropout`")
NO_MOMENTUM = Lack("a batch norm whose momentum is 0 or None", "`batchnorm`")
COMPILED = Lack("code that `torch.jit` compiled")
NORM_VECTOR = Lack("a norm of a vector", "`batchnorm`")
NORM_FORM = Lack("a norm in this form")
LAYER_NORM = Lack("a layer norm", "`layernorm`")
GROUP_NORM = Lack("a group norm in this form", "`groupnorm`")
INSTANCE_NORM = Lack("an instance norm", "`instancenorm`")
TURNED_RESULT = Lack("a result whose axes are in another order, or one by one")
NO_RESULT = Lack("a result that is no tensor")
GIVEN_RESULT = Lack("a result that is not computed from the input")
PASSED_INPUT = Lack("an input that is returned as it is")
NO_STEPS = Lack("a network without steps")
