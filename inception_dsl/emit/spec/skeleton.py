"""Write the first version of a spec, for the command `new`."""

from __future__ import annotations

_NEW = """\
inception: 1
name: {name}
title: {title}

input: 224x224x3                     # height x width x channels
params: {{num_classes: 1000}}

defaults:                            # the meaning of a bare `conv`
  conv: {{norm: batchnorm, act: relu}}

blocks:
  mixed:
    params: [width]
    branches:
      b1x1: 1x1 conv (width)
      b3x3: [1x1 conv (width), 3x3 conv (width)]
      pool: [3x3 maxpool, 1x1 conv (width)]

network:
  - conv:  3x3 conv (32 stride 2) -> 112x112x32
  - mixed: 2 x mixed (width=32)   -> 112x112x96
  - pool:  global avgpool         -> 96
  - fc:    linear (num_classes)
  - softmax
"""

_EXTENDING = """\
inception: 1
name: {name}
title: {title}
extends: {base}

# Write only the differences, such as:
# blocks:
#   BLOCK.BRANCH.conv2: 3x3 conv (96)
# network:
#   dropout: none
"""


def write_modeline(schema: str) -> str:
    """Write the line by which editors find the schema of a spec.

    Args:
        schema: the path of the schema from the folder of the spec.
    """
    return f"# yaml-language-server: $schema={schema}\n"


def write_new_spec(name: str) -> str:
    """Write a small network without errors that shows the parts that most specs need."""
    return _NEW.format(name=name, title=_make_title(name))


def write_extending_spec(name: str, base: str) -> str:
    """Write a spec that extends another.

    Args:
        base: the file or the library name of the spec that it extends.
    """
    return _EXTENDING.format(name=name, title=_make_title(name), base=base)


def _make_title(name: str) -> str:
    return name.replace("_", " ").capitalize()
