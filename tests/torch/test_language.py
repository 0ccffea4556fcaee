"""Every part of the language, in small networks: emitted modules are what torch says they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from conftest import Project
from test_module import hold_against_torch
from timm.layers.grn import GlobalResponseNorm
from timm.layers.norm import LayerNorm2d as LayerNorm2dOfTimm
from timm.layers.std_conv import (
    ScaledStdConv2d,
    ScaledStdConv2dSame,
    StdConv2d,
    StdConv2dSame,
)
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.convnext import LayerNorm2d as LayerNorm2dOfTorchvision

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import Checked

HEAD = "inception: 1\nname: net\ninput: 33x34x6\n"

NETWORKS = {
    "dropped paths": """\
blocks:
  block:
    params: {drop: 0, scale: 1}
    residual: {drop_path: drop, scale: scale, act: silu}
    steps: [3x3 conv (in norm batchnorm act silu), 1x1 conv (in)]
network:
  - stem: 1x1 conv (6)
  - block
  - block (drop=0.3)
  - 2 x block (drop=0.2 scale=0.5)
  - global avgpool
  - vectors: {residual: {drop_path: 0.1}, steps: [linear (in act tanh)]}
""",
    "arguments that change from copy to copy": """\
params: {p: 0.2}
blocks:
  block:
    params: {drop: 0, width: 8, kernel: 3}
    residual: {drop_path: drop, when: in == width}
    steps: kernel conv (width)
  inner:
    params: {low, high}
    steps: [4 x block (drop=low to high)]
network:
  - a: 6 x block (drop=0.1*6/17 to 0.1*14/17)
  - b: 4 x block (drop=0.2 to 0)
  - c: 2 x block (drop=0.02 to 0.05)
  - d: 5 x block (drop=0.1 width=8 to 16)
  - e: 4 x block (drop=0 to 0.75 width=16 to 40)
  - f: inner (low=0.1 high=0.3)
  - g: 3 x block (drop=0.5*p to p width=40 kernel=1 to 5)
  - h: block (kernel=1x3)
""",
    "conditions, kernels and functions": """\
defaults: {conv: {norm: batchnorm, act: silu}}
tables:
  stages:
    columns: [kernel, pad, width, expand]
    first:   [3x3,    same, 16,    1]
    second:  [1x7,    V,    24,    6]
    third:   [5,      2,    24,    2]
blocks:
  mbconv:
    params: {width, kernel: 3x3, pad: same, expand: 6, stride: 1, act: silu}
    residual: {when: in == width and stride == 1 and pad != V}
    steps:
      - expand: {when: expand != 1, op: 1x1 conv (expand*in)}
      - dw: kernel conv (expand*in stride stride pad pad groups expand*in act act)
      - squeeze: {when: expand > 1 and act != none, op: "1x1 conv (max(in // 4, 8))"}
      - kernel maxpool (pad same)
      - project: 1x1 conv (width act none)
  basic:
    params: {width, stride: 1}
    residual:
      act: silu
      shortcut: {when: in != width or stride > 1, op: 1x1 conv (width stride stride act none)}
    steps: ["3x3 conv (make_divisible(width * 0.7, 8) stride stride)", 3x3 conv (width act none)]
  mixed:
    params: [k]
    steps:
      - pre: 1x1 conv (k)
      - mix: {when: k > 8, branches: {a: 1x1 conv (k), b: [3x3 conv (k), silu]}}
      - post: {from: mix, steps: 1x1 conv (round(in / 3))}
      - last: {from: [mix, post]}
network:
  - stem: 3x3 conv (16 stride 2)
  - a: mbconv (stages.first)
  - b: mbconv (stages.second stride=2)
  - c: mbconv (stages.third)
  - d: mbconv (width=24 act=none)
  - e: 2 x basic (width=24)
  - f: basic (width=32 stride=2)
  - g: mixed (k=8)
  - h: mixed (k=12)
""",
    "channels as a kernel, a stride and a padding": """\
blocks:
  odd:
    - in maxpool (stride in pad V)
    - 3x3 conv (in pad in)
    - in adaptive avgpool
network:
  - a: [1x1 conv (2), odd]
  - b: [1x1 conv (3), upsample (factor 4), odd]
""",
    "orders of words and kernels that nothing asks for": """\
blocks:
  block:
    params: {pad: same, k: 1x3}
    steps:
      - 1x1 conv (in)
      - first: {when: in == 9 and pad < 3, op: 1x1 conv (4)}
      - second: {when: 1 == 2 and 3x1 < 3, op: 1x1 conv (2)}
      - third: {when: in == 8 or k < 3, op: k conv (8 pad pad)}
network:
  - a: 3x3 conv (8)
  - none: {when: 1 == 2 and same < 3, op: 1x1 conv (4)}
  - b: block
""",
    "a padding of nothing": """\
blocks:
  padded:
    params: {pad: 0}
    steps:
      - 3x3 conv (8 pad pad)
      - none_at_all: {when: pad == V, op: 1x1 conv (8)}
      - some: {when: pad != 0, op: 1x1 conv (4)}
      - a_frame: {when: V == 0x0 and pad == 1x1, op: 1x1 conv (2)}
network:
  - a: padded
  - b: padded (pad=V)
  - c: padded (pad=same)
  - d: padded (pad=1)
  - e: padded (pad=0x0)
""",
    "every op": """\
defaults: {conv: {norm: batchnorm, act: relu}, batchnorm: {gamma: false}}
network:
  - a: 7x7 conv (12 stride 2 same_tf)
  - b: 3x3 sepconv (16 multiplier 3 same_tf stride 2)
  - c: 3x3 maxpool (same_tf stride 2)
  - d: 3x3 avgpool (same_tf)
  - e: 2x2 avgpool (same_tf stride 2 count_pad)
  - f: 3x3 sepconv (8 act none)
  - g: 3x3 sepconv (8 norm none no_bias)
  - h: 1x3 conv (8 linear same_tf)
  - i: 3x3 conv (16 groups 4 dilation 2)
  - batchnorm
  - lrn
  - j: 3x3 blur
  - silu
  - 2x2 adaptive maxpool
  - flatten
  - linear (10 act sigmoid)
  - dropout (keep 0.8)
  - l2: linear (10 act relu)
""",
    "steps that read earlier ones": """\
network:
  - a: 3x3 conv (6)
  - b: 3x3 conv (6)
  - c: {from: a, steps: 3x3 conv (6)}
  - d: {from: [b, c], join: add}
  - e: {from: [input, d, a], join: concat, out: 33x34x18}
  - f: {from: [e, e], join: mul}
""",
    "weights that are used twice": """\
network:
  - stem: [1x1 conv (8), 3x3 conv (6)]
  - mixed:
      branches:
        left: [1x1 conv (4), {branches: {a: 1x3 conv (5), b: 3x1 conv (5)}}]
        again: {reuse: left}
        right: 1x1 conv (2)
  - last: 1x1 conv (6)
  - again: {reuse: stem}
  - once_more: {reuse: last, from: mixed}
""",
    "weights that are used twice, of a block that uses its own twice": """\
blocks:
  twice: [first: 3x3 conv (in), second: {reuse: first}]
  again: [one: twice, two: {reuse: one}]
network: [a: again, b: {reuse: a}, mixed: {branches: {c: again, d: {reuse: c}}}]
""",
    "residuals in residuals": """\
blocks:
  unit:
    params: {width, scale: 0.5, act: relu}
    residual: {scale: scale, act: act, shortcut: 1x1 conv (width)}
    steps:
      - 1x1 conv (width)
      - inner: {residual: {scale: 2}, steps: [3x3 conv (width), {residual: {}, steps: [relu]}]}
  down: {extends: unit, residual: {shortcut: [1x1 conv (in), 1x1 conv (width)]}}
network: [3 x unit (width=6), 2 x unit (width=4 act=none scale=1), down (width=8)]
""",
    "squeeze and excite": """\
blocks:
  gated:
    params: {reduction: 2}
    branches:
      whole: identity
      gate: [global avgpool, linear (in // reduction act relu), linear (in act sigmoid)]
    join: mul
network: [2 x gated, 1x1 conv (8), gated (reduction=4)]
""",
    "gates": """\
defaults: {conv: {act: relu}}
blocks:
  squeeze_excite:
    params: {reduction: 2}
    steps:
      - avgpool: 1x1 adaptive avgpool
      - fc1: 1x1 conv (in // reduction)
      - fc2: 1x1 conv (in act sigmoid)
      - {from: [input, fc2], join: mul}
  both:
    branches:
      places: 7x7 conv (1 act sigmoid)
      whole: identity
      channels: [global avgpool, linear (in act sigmoid)]
      pooled: [global maxpool, linear (in act tanh)]
    join: mul
network:
  - stem: 3x3 conv (8 stride 2)
  - squeeze_excite
  - both
  - 1x1 conv (12)
  - both
  - context: {residual: {scale: 0.5, act: silu}, steps: [1x1 adaptive avgpool, 1x1 conv (12)]}
  - left: {residual: {scale: 0.5}, steps: [1x1 conv (1)]}
  - sums:
      branches:
        one: [global avgpool, linear (12)]
        two: [global maxpool, linear (12)]
        three: 1x1 conv (12)
        four: 1x1 conv (1)
      join: add
  - squeeze_excite (reduction=4)
  - sums_of_vectors:
      branches: {one: global avgpool, two: [1x1 adaptive maxpool, flatten]}
      join: add
  - 2 x linear (12 act relu)
""",
    "activations with words": """\
defaults:
  conv: {norm: batchnorm, act: leaky_relu}
  leaky_relu: {slope: 0.1}
  prelu: {per_channel: true, init: 0.1}
  hardtanh: {min: 0, max: 1}
  elu: {alpha: 0.5}
  gelu: {tanh: true}
network:
  - rescale (factor 2 offset -1)
  - rescale (factor 0.98)
  - rescale (offset 0.5)
  - a: 3x3 conv (8 stride 2)
  - b: 3x3 conv (8 norm none)
  - c: 3x3 conv (8 act prelu)
  - d: 1x1 conv (8 act prelu norm none)
  - leaky_relu
  - l2: leaky_relu (slope 0.3)
  - prelu
  - elu (alpha 2)
  - selu
  - mish
  - softplus (beta 2 threshold 10)
  - gelu
  - hardtanh (min -2)
  - e: 1x1 conv (8 act hardtanh)
  - f: 1x1 conv (8 act gelu)
  - g: 1x1 conv (8 act mish norm none)
  - h: 1x1 conv (8 act selu)
  - i: 1x1 conv (8 act elu)
  - j: 3x3 sepconv (8 act prelu)
  - k: 3x3 sepconv (8 act softplus norm none)
  - r: {residual: {act: leaky_relu}, steps: [3x3 conv (8 act softplus)]}
  - q: {residual: {act: hardtanh, scale: -0.5}, steps: [3x3 conv (8)]}
  - global avgpool
  - linear (8 act prelu)
  - prelu (init -0.5)
  - linear (8 act elu)
""",
    "numbers of the input that a forward pass reads": """\
blocks:
  scaled: {residual: {scale: in}, steps: [inner: 1x1 conv (in)]}
  halves: {branches: {a: slice (in//2), b: [slice (in//2 from in//2), 1x1 conv (in//2)]}}
  acting: {params: [act], steps: [1x1 conv (8 act act norm batchnorm), 1x1 conv (8 act act)]}
network:
  - scaled
  - halves
  - acting (act=prelu)
  - acting2: acting (act=elu)
  - again: {branches: {l: [slice (part 1 of 2), 3x3 conv (6)], r: {reuse: l}}}
  - scaled2: scaled
  - halves2: halves
""",
    "slices and shuffles": """\
defaults: {conv: {act: relu}}
blocks:
  shuffle_unit:
    steps:
      - branches:
          left: slice (part 1 of 2)
          right: [slice (part 2 of 2), 1x1 conv (in//2), 3x3 conv (in//2 groups in//2 act none)]
      - shuffle (groups 2)
  cross_stage:
    params: {width: 4}
    branches:
      skip: slice (in - width)
      body: [slice (width from in - width), 3x3 conv (width), 3x3 conv (width)]
  res2net:
    params: {width: 3}
    residual: {act: relu}
    steps:
      - conv1: 1x1 conv (4*width)
      - x1: slice (width)
      - x2: {from: conv1, steps: slice (width from width)}
      - x3: {from: conv1, steps: slice (width from 2*width)}
      - x4: {from: conv1, steps: slice (width from 3*width)}
      - y2: {from: x2, steps: 3x3 conv (width)}
      - y3: {from: [y2, x3], join: add, steps: [3x3 conv (width)]}
      - {from: [x1, y2, y3, x4], join: concat}
      - 1x1 conv (in act none)
network:
  - stem: 3x3 conv (16 stride 2)
  - 2 x shuffle_unit
  - cross_stage
  - 1x1 conv (24)
  - cross_stage (width=10)
  - shuffle_unit
  - 2 x res2net
  - gaps: {branches: {a: slice (5 from 3), b: [slice (5 from 15), relu], c: slice (part 2 of 3)}}
  - halves: {branches: {b: slice (part 2 of 2), a: [slice (part 1 of 2), 1x1 conv (9)]}, join: mul}
  - shuffle (groups 3)
  - slice (7 from 1)
  - global avgpool
  - slice (4 from 3)
  - linear (3)
""",
    "factors of which some learn": """network:
  - gates:
      branches:
        whole: identity
        same: identity
        flat: [global avgpool]
        gate: [1x1 adaptive avgpool, 1x1 conv (in)]
        whole2: identity
      join: mul
""",
    "channels that grow": """\
blocks:
  dense: {branches: {skip: identity, new: [batchnorm, relu, 3x3 conv (4)]}}
network: [5 x dense, 1x1 conv (in), 2 x 3x3 conv (7), 3 x 1x1 conv (in)]
""",
    "channels that grow as often as a parameter says": """\
params: {growth: 4}
blocks:
  layer:
    params: [k]
    branches: {skip: identity, new: [batchnorm, relu, 3x3 conv (k)]}
  dense:
    params: [layers, i]
    steps: [layers x layer (k=i), batchnorm, 1x1 conv (in//2)]
network:
  - 3x3 conv (6)
  - dense (layers=3 i=growth)
  - dense (layers=1 i=2)
  - global avgpool
""",
    "group norms": """\
defaults: {conv: {norm: groupnorm, act: relu}, groupnorm: {groups: 2}}
blocks:
  unit:
    params: {g: 1, act: relu}
    residual: {}
    steps: [{norm: groupnorm (groups g)}, 3x3 conv (in act act)]
network:
  - stem: 3x3 conv (8 stride 2)
  - mixed: {branches: {left: 1x1 conv (4 groups 2 act none), right: 3x3 sepconv (6)}}
  - norm: groupnorm (groups 5 no_affine eps 1e-3)
  - unit: unit (g=10)
  - unit2: unit (g=1 act=none)
  - bare: 3x3 conv (4 linear)
  - global avgpool
  - vector: groupnorm
  - linear (3)
""",
    "maps of other sizes": """\
blocks:
  up:
    params: {width: 4, f: 2}
    steps:
      - 3x3 conv (width)
      - upsample (factor f bilinear)
      - 1x1 conv (f * f * width)
      - pixelshuffle (factor f)
      - 3x3 conv (in act relu)
network:
  - a: 3x3 conv (8 stride 2)
  - skip: pad (top 1 left 2 right 1)
  - 3x3 conv (8 stride 2)
  - nearest: upsample (factor 3)
  - crop (top 3 bottom 2 left 1 right 3)
  - mirrored: pad (top 1 bottom 1 left 1 right 1 reflect)
  - 3x3 conv (8 V)
  - cut: crop (size 18x20)
  - both: {from: [skip, cut], join: concat}
  - repeated: pad (top 2 right 2 replicate)
  - packed: pixelunshuffle (factor 2)
  - 1x1 conv (8 act relu)
  - up (width=3)
  - up (f=1)
  - aligned: upsample (size 23x10 bilinear align_corners)
  - smaller: upsample (size 20x5)
  - larger: 20x10 adaptive avgpool (enlarge)
  - once_more: 20x20 adaptive maxpool (enlarge)
  - 3x3 conv (4)
  - global avgpool
  - linear (5)
""",
    "instance norms": """\
defaults: {conv: {norm: instancenorm, act: relu}}
network:
  - stem: 3x3 conv (6 stride 2)
  - mixed: {branches: {left: 1x1 conv (4 groups 2 act none), right: 3x3 sepconv (6)}}
  - norm: instancenorm (affine eps 1e-3)
  - bare: 3x3 conv (4 linear)
  - plain: instancenorm
""",
    "standardised weights": """\
defaults: {conv: {standardised: true, act: relu}, groupnorm: {groups: 2}}
blocks:
  unit:
    params: {g: 1.5, act: silu}
    residual: {}
    steps: [3x3 conv (in gain g act act), scale (one), 3x3 conv (in gain 2*g norm batchnorm)]
network:
  - stem: 3x3 conv (8 stride 2 norm groupnorm)
  - same: 3x3 conv (8 stride 2 same_tf act gelu)
  - unit: 2 x unit
  - other: unit (g=2 act=none)
  - bare: 3x3 conv (8 gain 1 norm batchnorm act none)
  - scaled: 3x3 conv (8 stride 2 same_tf gain 0.5 weight_eps 1e-4 groups 2)
  - plain: 1x1 conv (8 no_standardised)
  - global avgpool
  - linear (3)
""",
    "norms of one image": """\
defaults: {conv: {norm: layernorm, act: relu}, layernorm: {eps: 1e-6}}
blocks:
  unit:
    params: {width: 6, begin: 1e-6}
    residual: {}
    steps:
      - 3x3 conv (in groups in norm none act none)
      - layernorm
      - 1x1 conv (width norm none act gelu)
      - 1x1 conv (in linear)
      - scale (init begin)
network:
  - stem: 3x3 conv (6 stride 2)
  - unit: 2 x unit
  - wide: unit (width=8 begin=0.5)
  - mixed:
      branches:
        left: 3x3 sepconv (4)
        right: [l2norm, gain: {residual: {}, steps: [scale (one init 0)]}, scale (bias)]
  - bare: layernorm (no_affine)
  - global avgpool
  - norm: batchnorm
  - shift: batchnorm (no_gamma)
  - scaled: batchnorm (no_beta)
  - plain: batchnorm (no_affine)
  - layernorm
  - scale (bias)
  - all: scale (one)
  - l2norm
  - linear (3)
""",
    "global response norms": """\
defaults: {conv: {act: gelu}}
blocks:
  unit:
    params: {eps: 1e-6}
    residual: {}
    steps:
      - 3x3 conv (in groups in act none)
      - layernorm
      - 1x1 conv (4*in)
      - grn (eps eps)
      - 1x1 conv (in act none)
network:
  - stem: 3x3 conv (6 stride 2)
  - units: 2 x unit
  - unit (eps=0.5)
  - grn
  - point: 1x1 adaptive avgpool
  - last: grn (eps 2)
  - global avgpool
  - linear (3)
""",
    "convolutions along channels": """\
blocks:
  efficient_attention:
    params: {kernel: 3}
    branches:
      whole: identity
      gate: [global avgpool, conv: channelconv (kernel kernel), sigmoid]
    join: mul
network:
  - stem: 3x3 conv (8 stride 2)
  - efficient_attention
  - 3x3 conv (12)
  - efficient_attention (kernel=5)
  - point: 1x1 adaptive avgpool
  - row: channelconv (kernel 3)
  - relu
  - global avgpool
  - wide: channelconv (kernel 31)
  - linear (3)
""",
    "transposed convolutions": """\
defaults: {deconv: {norm: batchnorm, act: relu}, groupnorm: {groups: 2}}
blocks:
  up:
    params: {width: 4, s: 2, act: silu}
    steps:
      - 2x2 deconv (width stride s)
      - 3x3 deconv (width stride s output_pad 1 norm none act act)
      - 4x4 deconv (width stride 2 groups width norm none)
network:
  - 3x3 conv (8 stride 4)
  - first: 3x3 deconv (8 stride 2)
  - grouped: 4x4 deconv (6 stride 2 groups 2 norm none act none)
  - 3x3 conv (8 stride 3)
  - dilated: 3x2 deconv (5 dilation 2 V linear)
  - wide: 5x3 deconv (6 stride 2 pad 2x0 output_pad 1 no_bias norm none act gelu)
  - 3x3 conv (8 stride 4)
  - up
  - 3x3 conv (8 stride 8)
  - up (width=8 act=none)
  - both: {residual: {}, steps: [3x3 deconv (8 norm groupnorm)]}
  - sparse: 1x3 deconv (3 stride 2)
  - skipping: 3x3 deconv (3 stride 2 dilation 3 output_pad 2)
""",
    "gates of branches": """\
defaults: {conv: {norm: batchnorm, act: relu}}
network:
  - split: 3x3 conv (16)
  - left: {from: split, steps: slice (part 1 of 2)}
  - right: {from: split, steps: slice (part 2 of 2)}
  - both: {from: [left, right], join: add}
  - gates: [global avgpool, linear (4 act relu), linear (16), partsoftmax (parts 2)]
  - first: {from: gates, steps: slice (part 1 of 2)}
  - second: {from: gates, steps: slice (part 2 of 2)}
  - chosen: {from: [left, first], join: mul}
  - other: {from: [right, second], join: mul}
  - result: {from: [chosen, other], join: add}
  - global avgpool
  - partsoftmax (parts 4)
""",
    "pools over channels, and channels of zeros": """\
blocks:
  spatial:
    join: mul
    branches:
      whole: identity
      gate:
        - {join: concat, branches: {most: channelmaxpool, mean: channelavgpool}}
        - 7x7 conv (1 act sigmoid)
  wide:
    params: [width]
    residual:
      act: relu
      shortcut: [1x1 maxpool (stride 2), channelpad (before width - in - 4 after 4)]
    steps: [3x3 conv (width stride 2 act relu), 3x3 conv (width), channelpad (after 0), spatial]
network:
  - 3x3 conv (8 norm batchnorm act relu)
  - wide (width=16)
  - wide (width=24)
  - {steps: [divide (by 3), abs, log_softmax]}
  - most: {join: maximum, branches: {a: slice (12), b: slice (12 from 12), c: 1x1 conv (12)}}
  - least: {join: minimum, branches: {a: identity, b: [global avgpool, sigmoid]}}
  - {branches: {a: relu, b: channelpad (before 3), c: [channelpad (after 2), channelmaxpool]}}
""",
    "oblong strides and dilations": """\
defaults: {conv: {norm: batchnorm, act: relu}}
blocks:
  unit:
    params: {width, stride: 1, dilation: 1}
    steps:
      - 3x3 conv (width stride stride)
      - 3x5 sepconv (width dilation dilation)
      - {when: width != in, op: 3x3 conv (width dilation dilation standardised)}
network:
  - unit (width=6 stride=2x1)
  - unit (width=8 dilation=1x2)
  - unit (width=8 stride=1x3 dilation=2)
  - unit (width=9)
  - 2x1 maxpool (stride 2x1)
  - 1x3 avgpool (stride 1x2 same_tf)
  - 4x2 deconv (7 stride 4x2 V)
  - 3x3 deconv (5 stride 2x3 dilation 2x1 output_pad 1)
  - 3x3 conv (4 stride 3x2 same_tf)
  - 3x3 conv (4 stride 2x1 same_tf standardised gain 1.5)
""",
    "heads": """\
params: {num_classes: 7}
network:
  - a: 3x3 conv (8)
  - mixed: {branches: {left: 1x1 conv (4), right: 3x3 conv (4)}}
  - global avgpool
  - linear (num_classes)
  - softmax
heads:
  one: {at: mixed, steps: [1x1 conv (in), global avgpool, linear (num_classes), softmax]}
  two: {at: a, steps: [{branches: {p: 1x1 conv (3), q: 3x3 conv (in)}}, global avgpool]}
""",
    "activations that are parameters": """\
defaults: {conv: {norm: batchnorm}}
blocks:
  unit:
    params: {width: 3, act: relu}
    steps:
      - 1x1 conv (width act relu)
      - 3x3 conv (width act act)
      - plain: 3x3 conv (width norm none act act)
      - strided: 1x3 conv (2*width stride 2 norm none act act)
      - sep: 3x3 sepconv (width norm none act act)
  outer: {params: {act: silu}, steps: [unit (width=4 act=act)]}
  head: {params: [act], steps: [linear (7 act act), linear (9 act act no_bias)]}
network:
  - unit (width=8 act=none)
  - outer
  - outer (act=tanh)
  - global avgpool
  - head (act=hardswish)
  - linear (5)
""",
}


def checked(spec: str, project: Project) -> Checked:
    project.write("specs/net.yaml", HEAD + spec)
    return project.check()


def source(found: Checked) -> str:
    return driver.emit_module(found)


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_the_module_is_what_the_analysis_says(spec: str, project: Project) -> None:
    found = checked(spec, project)
    hold_against_torch(found, source(found))


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_the_module_runs_forward_and_backward(spec: str, project: Project) -> None:
    found = checked(spec, project)
    module = make_module(source(found), "net").train()
    output = module(torch.randn(2, 6, 33, 34))
    outputs = [output] if isinstance(output, Tensor) else list(output)
    sum(own.sum() for own in outputs).backward()  # type: ignore[union-attr]
    read = {row.path for row in found.cost.rows if row.is_read}
    for name, param in module.named_parameters():
        if any(name.startswith(f"{path}.") for path in read):
            assert param.grad is not None, name


def windows(size: int, kernel: int, stride: int) -> list[range]:
    """Pad as TensorFlow's `same` does: ceil(size / stride) windows, the odd pixel behind."""
    places = -(-size // stride)
    before = max((places - 1) * stride + kernel - size, 0) // 2
    starts = [place * stride - before for place in range(places)]
    return [range(max(start, 0), min(start + kernel, size)) for start in starts]


@pytest.mark.parametrize("size", [8, 9, 10, 11])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_tensorflows_padding_pools_what_is_there(
    size: int, stride: int, kernel: int, project: Project
) -> None:
    """Pools take windows of the map alone: no zero wins a maximum, none is in a mean."""
    images = torch.randn(1, 2, size, size) - 5
    for pool, reduce in (("maxpool", Tensor.amax), ("avgpool", Tensor.mean)):
        step = f"{kernel}x{kernel} {pool} (same_tf stride {stride})"
        spec = f"inception: 1\nname: net\ninput: {size}x{size}x2\nnetwork: {step}\n"
        project.write("specs/net.yaml", spec)
        given = make_module(source(project.check()), "net")(images)
        spans = windows(size, kernel, stride)
        expected = torch.stack(
            [
                torch.stack(
                    [
                        reduce(images[..., r.start : r.stop, c.start : c.stop], dim=(-2, -1))
                        for c in spans
                    ],
                    dim=-1,
                )
                for r in spans
            ],
            dim=-2,
        )
        torch.testing.assert_close(given, expected)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_a_window_that_overhangs_is_taken_where_torch_takes_it(
    size: int, stride: int, kernel: int, project: Project
) -> None:
    """With `ceil`, a window may be larger than the whole map."""
    step = f"{kernel}x{kernel} maxpool (V ceil stride {stride})"
    spec = f"inception: 1\nname: net\ninput: {size}x{size}x1\nnetwork: {step}\n"
    project.write("specs/net.yaml", spec)
    try:
        wanted = nn.MaxPool2d(kernel, stride, ceil_mode=True)(torch.zeros(1, 1, size, size))
    except RuntimeError:
        (found,) = project.findings()
        assert found.code == "E302"
    else:
        assert project.check().model.root.type.shape == tuple(wanted.shape[1:])


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("stride", [1, 2])
def test_tensorflows_padding_of_a_conv(size: int, stride: int, project: Project) -> None:
    """A 7x7 with stride 2 on an even size is padded by 2 before and 3 behind."""
    spec = f"inception: 1\nname: net\ninput: {size}x{size}x2\n"
    project.write("specs/net.yaml", f"{spec}network: [c: 7x7 conv (3 same_tf stride {stride})]\n")
    module = make_module(source(project.check()), "net")
    total = max((-(-size // stride) - 1) * stride + 7 - size, 0)
    margins = [total // 2, total - total // 2] * 2
    if (size, stride) == (8, 2):
        assert margins == [2, 3, 2, 3]
    images = torch.randn(1, 2, size, size)
    state = module.state_dict()
    expected = F.conv2d(F.pad(images, margins), state["c.weight"], state["c.bias"], stride)
    torch.testing.assert_close(module(images), expected)


@pytest.mark.parametrize(
    ("words", "layer"),
    [
        ("", nn.GroupNorm(32, 64)),
        (" (groups 1)", nn.GroupNorm(1, 64)),
        (" (groups 64 eps 0.5)", nn.GroupNorm(64, 64, eps=0.5)),
        (" (groups 16 no_affine)", nn.GroupNorm(16, 64, affine=False)),
    ],
)
def test_a_group_norm_is_torchs(words: str, layer: nn.GroupNorm, project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x64\n"
    project.write("specs/net.yaml", f"{head}network: [b: groupnorm{words}]\n")
    module = make_module(source(project.check()), "net")
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    module.load_state_dict({f"b.{name}": value for name, value in layer.state_dict().items()})
    images = torch.randn(2, 64, 4, 5)
    torch.testing.assert_close(module(images), layer(images), rtol=0, atol=0)


@pytest.mark.parametrize(
    "layer", [LayerNorm2dOfTorchvision(6, eps=1e-6), LayerNorm2dOfTimm(6, eps=1e-6)]
)
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_a_layer_norm_of_a_map_is_torchvisions_and_timms(
    layer: nn.LayerNorm, memory: torch.memory_format, project: Project
) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x6\n"
    project.write("specs/net.yaml", f"{head}network: [b: layernorm (eps 1e-6)]\n")
    module = make_module(source(project.check()), "net")
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    module.load_state_dict({f"b.{name}": value for name, value in layer.state_dict().items()})
    images = torch.randn(2, 6, 4, 5).to(memory_format=memory)
    assert torch.equal(module(images), layer(images))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_a_global_response_norm_is_timms(channels_last: bool, eps: float, project: Project) -> None:
    layer = GlobalResponseNorm(6, eps=eps, channels_last=channels_last)
    project.write(
        "specs/net.yaml", f"inception: 1\nname: net\ninput: 4x5x6\nnetwork: [b: grn (eps {eps})]\n"
    )
    module = make_module(source(project.check()), "net")
    images = torch.randn(2, 6, 4, 5)
    assert torch.equal(module(images), images)  # its weight and its bias begin at zero
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    module.load_state_dict({f"b.{name}": value for name, value in layer.state_dict().items()})
    read = images.permute(0, 2, 3, 1) if channels_last else images
    expected = layer(read).permute(0, 3, 1, 2) if channels_last else layer(read)
    torch.testing.assert_close(module(images), expected)


STANDARDISED: dict[str, nn.Module] = {
    "3x3 conv (8 standardised weight_eps 1e-8 no_bias)": StdConv2d(6, 8, 3, eps=1e-8),
    "3x3 conv (8 standardised stride 2 same_tf no_bias)": StdConv2dSame(6, 8, 3, stride=2),
    "3x3 conv (8 groups 2 gain 1.7868)": ScaledStdConv2d(6, 8, 3, groups=2, gamma=1.7868),
    "3x3 conv (8 gain 2 stride 2 same_tf)": ScaledStdConv2dSame(6, 8, 3, 2, gamma=2.0),
}


@pytest.mark.parametrize("step", STANDARDISED)
@pytest.mark.parametrize("training", [False, True])
def test_a_standardised_conv_is_timms(step: str, training: bool, project: Project) -> None:
    layer = STANDARDISED[step].train(training)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    project.write(
        "specs/net.yaml", f"inception: 1\nname: net\ninput: 8x9x6\nnetwork: [b: {step}]\n"
    )
    module = make_module(source(project.check()), "net").train(training)
    module.load_state_dict({f"b.{name}": value for name, value in layer.state_dict().items()})
    images = torch.randn(2, 6, 8, 9)
    assert torch.equal(module(images), layer(images))


VECTOR_LAYERS: dict[str, nn.Module] = {
    "batchnorm (eps 1e-3)": nn.BatchNorm1d(7, eps=1e-3),
    "layernorm": nn.LayerNorm(7),
    "layernorm (no_affine eps 0.5)": nn.LayerNorm(7, 0.5, elementwise_affine=False),
}


@pytest.mark.parametrize("step", VECTOR_LAYERS)
@pytest.mark.parametrize("training", [False, True])
def test_a_norm_of_vectors_is_torchs(step: str, training: bool, project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x7\n"
    project.write("specs/net.yaml", f"{head}network: [global avgpool, b: {step}]\n")
    module, layer = make_module(source(project.check()), "net"), VECTOR_LAYERS[step]
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    module.load_state_dict({f"b.{name}": value for name, value in layer.state_dict().items()})
    images = torch.randn(3, 7, 4, 5)
    expected = layer.train(training)(images.mean(dim=(2, 3)))
    assert torch.equal(module.train(training)(images), expected)


@pytest.mark.parametrize("words", ["", " (affine eps 0.5)"])
def test_an_instance_norm_is_torchs(words: str, project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x7\n"
    project.write("specs/net.yaml", f"{head}network: [b: instancenorm{words}]\n")
    module = make_module(source(project.check()), "net")
    layer = nn.InstanceNorm2d(7, eps=0.5, affine=True) if words else nn.InstanceNorm2d(7)
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    module.load_state_dict({f"b.{name}": value for name, value in layer.state_dict().items()})
    images = torch.randn(3, 7, 4, 5)
    for training in (False, True):
        assert torch.equal(module.train(training)(images), layer.train(training)(images))


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("b: batchnorm\n  - p: global avgpool\n  - c: {reuse: b}", "`c` and `b` share a layer"),
        ("a: unit\n  - p: global avgpool\n  - c: unit", "reads maps in one call and vectors in"),
    ],
)
def test_maps_and_vectors_share_no_layer_that_torch_has_twice(
    network: str, told: str, project: Project
) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x7\nblocks: {unit: [layernorm, scale]}\n"
    project.write("specs/net.yaml", f"{head}network:\n  - {network}\n")
    with pytest.raises(SpecError) as caught:
        source(project.check())
    (finding,) = caught.value.diagnostics
    assert finding.code == "E501"
    assert told in finding.message


def test_maps_and_vectors_share_a_layer_that_reads_both(project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x7\nblocks: {unit: [l2norm, scale (one)]}\n"
    steps = "a: unit\n  - p: global avgpool\n  - c: unit\n  - l2: l2norm\n  - last: {reuse: l2}"
    project.write("specs/net.yaml", f"{head}network:\n  - {steps}\n")
    module = make_module(source(project.check()), "net")
    assert module(torch.randn(2, 7, 4, 5)).shape == (2, 7)


def test_a_scale_begins_as_it_says(project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x7\n"
    steps = "[a: scale (init 1e-6), b: scale (one init 0 bias), c: scale]"
    project.write("specs/net.yaml", f"{head}network: {steps}\n")
    state = make_module(source(project.check()), "net").state_dict()
    assert torch.equal(state["a.weight"], torch.full((7,), 1e-6))
    assert torch.equal(state["b.weight"], torch.zeros(1))
    assert torch.equal(state["b.bias"], torch.zeros(1))
    assert torch.equal(state["c.weight"], torch.ones(7))
    assert state.keys() == {"a.weight", "b.weight", "b.bias", "c.weight"}


def test_a_convs_norm_has_groups_beside_the_convs(project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 4x5x6\ndefaults: {groupnorm: {groups: 4}}\n"
    step = "c: 3x3 conv (8 groups 2 norm groupnorm)"
    project.write("specs/net.yaml", f"{head}network: [{step}]\n")
    module = make_module(source(project.check()), "net")
    conv, norm = module.get_submodule("c.conv"), module.get_submodule("c.gn")
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.GroupNorm)
    assert (conv.groups, norm.num_groups, norm.num_channels) == (2, 4, 8)


@pytest.mark.parametrize(
    ("words", "learnt"),
    [("no_gamma", {"b.bias"}), ("no_beta", {"b.weight"}), ("no_affine", set())],
)
@pytest.mark.parametrize("input", ["4x4x3", "1x1x3"])
def test_a_batch_norm_learns_a_scale_a_shift_or_neither(
    words: str, learnt: set[str], input: str, project: Project
) -> None:
    flat = "flatten, " if input == "1x1x3" else ""
    head = f"inception: 1\nname: net\ninput: {input}\n"
    project.write("specs/net.yaml", f"{head}network: [{flat}b: batchnorm ({words} eps 1e-3)]\n")
    module = make_module(source(project.check()), "net")
    assert set(dict(module.named_parameters())) == learnt
    full = nn.BatchNorm1d(3, eps=1e-3) if flat else nn.BatchNorm2d(3, eps=1e-3)
    for name, parameter in full.named_parameters():
        if f"b.{name}" in learnt:
            nn.init.normal_(parameter)
    kept = {"running_mean", "running_var", "num_batches_tracked"}
    state = {f"b.{key}": value for key, value in full.state_dict().items()}
    state = {key: value for key, value in state.items() if key in learnt or key[2:] in kept}
    module.load_state_dict(state, strict=True)
    images = torch.randn(5, 3, *((1, 1) if flat else (4, 4)))
    wanted = full(images.flatten(1) if flat else images)
    torch.testing.assert_close(module(images), wanted)
    wanted = full.eval()(images.flatten(1) if flat else images)
    torch.testing.assert_close(module.eval()(images), wanted)


@pytest.mark.parametrize(
    ("act", "function"), [("relu", F.relu), ("tanh", torch.tanh), ("none", torch.clone)]
)
def test_an_activation_that_is_a_parameter(
    act: str, function: Callable[[Tensor], Tensor], project: Project
) -> None:
    """Weights are shared by convs with and without a norm and by linears; keys stay as usual."""
    unit = "steps: [3x3 conv (8 stride 2 norm batchnorm act act), 1x1 conv (4 act act)]"
    head = "{params: [act], steps: [global avgpool, linear (5 act act)]}"
    spec = (
        f"inception: 1\nname: net\ninput: 9x9x3\nblocks:\n  unit: {{params: [act], {unit}}}\n"
        f"  last: {head}\nnetwork: [unit (act={act}), last (act={act})]\n"
    )
    project.write("specs/net.yaml", spec)
    module = make_module(source(project.check()), "net").eval()
    bn = nn.BatchNorm2d(8).eval()
    nn.init.normal_(bn.bias)
    layers = {
        "unit.conv.conv": nn.Conv2d(3, 8, 3, 2, 1, bias=False),
        "unit.conv.bn": bn,
        "unit.conv2": nn.Conv2d(8, 4, 1),
        "last.linear": nn.Linear(4, 5),
    }
    module.load_state_dict(
        {f"{at}.{key}": own for at, a in layers.items() for key, own in a.state_dict().items()}
    )
    images = torch.randn(2, 3, 9, 9)
    conv, _, conv2, linear = layers.values()
    x = function(conv2(function(bn(conv(images)))))
    expected = function(linear(x.mean(dim=(2, 3))))
    torch.testing.assert_close(module(images), expected)
