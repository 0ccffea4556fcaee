"""The ops that wait for the calls behind them: parts of an idiom, or a cause of refusal."""

TIMES, PLUS, SHIFT = "~times", "~plus", "~shift"
"""The ops that multiply by a number, add one and add a weight, until an idiom takes them."""

HALF_MEAN = "~half"
"""The op that makes the mean over the height or the width, until that over the other follows."""

PIXELS = "~pixels"
"""The op that puts the pixels of a map into one axis, until a mean or a maximum over it follows."""

INDICES = "~indices"
"""The op that makes the places of the largest values, which nothing may read."""

STACK = "~stack"
"""The op that joins tensors along a new axis, until a sum over that axis follows."""

LENGTH, MEAN, SHARE = "~norm", "~mean", "~div"
"""The ops that make the lengths of channels, their mean, and the lengths divided by it, until a
response norm takes them."""

LEVEL, CENTRED, SQUARES, ROOT = "~level", "~centred", "~squares", "~root"
"""The ops that make the mean of the channels at each place, the differences from it, their squares
and the root of the mean of these, until a layer norm takes them."""
