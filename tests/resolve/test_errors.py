# ruff: noqa: E501, RUF001
"""A page per code: the bad spec, and to the letter what is said of it."""

from __future__ import annotations

import re

import pytest
from conftest import NET, Project

from inception_dsl.diagnostics import CODES

HEAD = """\
inception: 1
name: net
input: 35x35x384
"""

CASES: dict[str, tuple[str, str]] = {
    "E008 a step reads a later one": (
        """\
network:
  - a: {from: b, steps: 1x1 conv (8)}
  - b: 1x1 conv (8)
""",
        """\
error[E008]: `b` comes later: `a` reads `b`, which comes after `a`
 --> specs/net.yaml:5:15
  |
5 |   - a: {from: b, steps: 1x1 conv (8)}
  |               ^
""",
    ),
    "E212 from and reuse": (
        """\
network:
  - stem: 1x1 conv (8)
  - a: {from: stm, steps: 1x1 conv (8)}
  - b: {branches: {left: relu, right: {reuse: lft}}}
""",
        """\
error[E212]: no earlier step of this list is named `stm`
 --> specs/net.yaml:6:15
  |
5 |   - stem: 1x1 conv (8)
  |     ---- `stem` is here
6 |   - a: {from: stm, steps: 1x1 conv (8)}
  |               ^^^
  = help: write `stem`

error[E212]: no earlier branch is named `lft`
 --> specs/net.yaml:7:47
  |
7 |   - b: {branches: {left: relu, right: {reuse: lft}}}
  |                    ---- `left` is here
  |                                               ^^^
  = help: write `left`
""",
    ),
    "E307 weights on other channels": (
        """\
network:
  - conv: 1x1 conv (8)
  - again: {reuse: conv}
""",
        """\
error[E307]: `again` has the weights of `conv` on other channels
 --> specs/net.yaml:6:5
  |
5 |   - conv: 1x1 conv (8)
  |           ------------ its weights are for 384
6 |   - again: {reuse: conv}
  |     ^^^^^ 8 channels come in
""",
    ),
    "E402 a claim that fails": (
        """\
network:
  - conv: 1x1 conv (8)
claims:
  - {at: conv, weights: ~ 3.2K, shape: 35x35x9, source: Table 1}
  - {params: <= 3K}
""",
        """\
error[E402]: `weights` of `conv` is 3,072, and Table 1 claims ~ 3.2K
 --> specs/net.yaml:7:25
  |
5 |   - conv: 1x1 conv (8)
  |           ------------ this is `conv`
7 |   - {at: conv, weights: ~ 3.2K, shape: 35x35x9, source: Table 1}
  |                         ^^^^^^
  = help: if the source is wrong, say so: `deviates: why`

error[E402]: `shape` of `conv` is 35x35x8, and Table 1 claims 35x35x9
 --> specs/net.yaml:7:40
  |
5 |   - conv: 1x1 conv (8)
  |           ------------ this is `conv`
7 |   - {at: conv, weights: ~ 3.2K, shape: 35x35x9, source: Table 1}
  |                                        ^^^^^^^
  = help: if the source is wrong, say so: `deviates: why`

error[E402]: `params` of the network is 3,080, and it is claimed <= 3K
 --> specs/net.yaml:8:14
  |
5 |   - conv: 1x1 conv (8)
  |           ------------ 3,080 here
8 |   - {params: <= 3K}
  |              ^^^^^
  = help: if the source is wrong, say so: `deviates: why`
""",
    ),
    "E403 a deviation that is none": (
        """\
network:
  - conv: 1x1 conv (8)
claims:
  - {at: conv, weights: ~ 3.1K, in: 384, source: Table 1, deviates: a misprint}
  - {at: conv, weights: ~ 3.2K, in: 384, source: Table 1, deviates: a misprint}
  - {at: cnov, weights: ~ 3.2K}
""",
        """\
error[E403]: `weights` of `conv` is 3,072, as Table 1 claims: it does not deviate
 --> specs/net.yaml:7:25
  |
7 |   - {at: conv, weights: ~ 3.1K, in: 384, source: Table 1, deviates: a misprint}
  |                         ^^^^^^
  = help: take `deviates` out

error[E212]: no step has the path `cnov`
 --> specs/net.yaml:9:5
  |
5 |   - conv: 1x1 conv (8)
  |           ------------ `conv` is here
9 |   - {at: cnov, weights: ~ 3.2K}
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: its path may be `conv`
""",
    ),
    "E106 a claim that is no figure": (
        """\
network:
  - conv: 1x1 conv (8)
claims:
  - {at: conv, weights: about 3K}
  - {source: Table 1}
""",
        """\
error[E106]: `about 3K` is no figure
 --> specs/net.yaml:7:25
  |
7 |   - {at: conv, weights: about 3K}
  |                         ^^^^^^^^
  = help: a relation, a number and a unit, as in `<= 43M`, `~ 5G` or `9408`

error[E102]: the claim claims nothing
 --> specs/net.yaml:8:5
  |
8 |   - {source: Table 1}
  |     ^^^^^^^^^^^^^^^^^
""",
    ),
    "E202 keys of a long step": (
        """\
blocks:
  b: {params: [k], steps: 1x1 conv (k)}
network:
  - {op: 3x3 conv, width: 8, strde: 2}
  - {op: 3x3 conv (8 stride 2), stride: 1}
  - {op: b, width: 8}
  - {op: 3x3 conv, width: 2*on}
""",
        """\
error[E202]: `conv` has no attribute `strde`
 --> specs/net.yaml:7:30
  |
7 |   - {op: 3x3 conv, width: 8, strde: 2}
  |                              ^^^^^
  = help: write `stride`

error[E203]: `stride` is given twice
 --> specs/net.yaml:8:33
  |
8 |   - {op: 3x3 conv (8 stride 2), stride: 1}
  |                      -------- first
  |                                 ^^^^^^ again

error[E205]: `b` has no parameter `width`: its parameters are `k`
 --> specs/net.yaml:9:13
  |
5 |   b: {params: [k], steps: 1x1 conv (k)}
  |                - declared here
9 |   - {op: b, width: 8}
  |             ^^^^^

error[E205]: nothing is named `on`
  --> specs/net.yaml:10:29
   |
10 |   - {op: 3x3 conv, width: 2*on}
   |                             ^^
""",
    ),
    "E102 a body of two kinds": (
        """\
network:
  - {reuse: a, steps: relu}
  - {order: [a], steps: relu}
  - {residual: {scale: 2}}
""",
        """\
error[E102]: a body has one of `branches`, `steps`, `reuse` or `from`
 --> specs/net.yaml:5:5
  |
5 |   - {reuse: a, steps: relu}
  |     ^^^^^^^^^^^^^^^^^^^^^^^

error[E101]: `order` is of branches, and there are none
 --> specs/net.yaml:6:6
  |
6 |   - {order: [a], steps: relu}
  |      ^^^^^

error[E102]: a body has one of `branches`, `steps`, `reuse` or `from`
 --> specs/net.yaml:7:5
  |
7 |   - {residual: {scale: 2}}
  |     ^^^^^^^^^^^^^^^^^^^^^^
""",
    ),
    "E008 blocks that extend each other": (
        """\
blocks:
  a: {extends: b}
  b: {extends: a}
network: a
""",
        """\
error[E008]: `a` extends `b` extends `a`: a circle
 --> specs/net.yaml:6:16
  |
6 |   b: {extends: a}
  |                ^
""",
    ),
    "E212 a block that extends none": (
        """\
blocks:
  bottleneck: [relu]
  down: {extends: botleneck}
network: down
""",
        """\
error[E212]: no block is named `botleneck`
 --> specs/net.yaml:6:19
  |
6 |   down: {extends: botleneck}
  |                   ^^^^^^^^^
  = help: write `bottleneck`
""",
    ),
    "E101 unknown key of a spec": (
        """\
blcks:
  b: relu
network: relu
""",
        """\
error[E101]: `blcks` is no key here
 --> specs/net.yaml:4:1
  |
4 | blcks:
  | ^^^^^
  = note: known keys are `blocks`, `budget`, `claims`, `defaults`, `extends`, `heads`, `inception`, `input`, `name`, `network`, `params`, `source`, `tables`, `title`, `use`
  = help: write `blocks`
""",
    ),
    "E101 `extends` is a known key": (
        """\
extend: inception_v4
network: relu
""",
        """\
error[E101]: `extend` is no key here
 --> specs/net.yaml:4:1
  |
4 | extend: inception_v4
  | ^^^^^^
  = note: known keys are `blocks`, `budget`, `claims`, `defaults`, `extends`, `heads`, `inception`, `input`, `name`, `network`, `params`, `source`, `tables`, `title`, `use`
  = help: write `extends`
""",
    ),
    "E101 unknown key of a body": (
        """\
blocks:
  b:
    branchs: {left: relu, right: relu}
network: relu
""",
        """\
error[E101]: `branchs` is no key here
 --> specs/net.yaml:6:5
  |
6 |     branchs: {left: relu, right: relu}
  |     ^^^^^^^
  = note: known keys are `branches`, `defaults`, `extends`, `from`, `join`, `op`, `order`, `out`, `params`, `residual`, `reuse`, `source`, `steps`, `title`
  = help: write `branches`
""",
    ),
    "E101 unknown key of a residual": (
        """\
network:
  - residual: {scal: 0.17}
    steps: [1x1 conv (384)]
""",
        """\
error[E101]: `scal` is no key here
 --> specs/net.yaml:5:16
  |
5 |   - residual: {scal: 0.17}
  |                ^^^^
  = note: known keys are `act`, `scale`, `shortcut`
  = help: write `scale`
""",
    ),
    "E101 unknown key of a head": (
        """\
network: [conv: 3x3 conv (8)]
heads:
  aux: {att: conv, steps: flatten}
""",
        """\
error[E102]: the key `at` is missing
 --> specs/net.yaml:6:3
  |
6 |   aux: {att: conv, steps: flatten}
  |   ^^^

error[E101]: `att` is no key here
 --> specs/net.yaml:6:9
  |
6 |   aux: {att: conv, steps: flatten}
  |         ^^^
  = note: known keys are `at`, `loss_weight`, `steps`
  = help: write `at`
""",
    ),
    "E101 unknown measure of a budget": (
        """\
network: relu
budget: {parms: <= 43M}
""",
        """\
error[E101]: `parms` is no key here
 --> specs/net.yaml:5:10
  |
5 | budget: {parms: <= 43M}
  |          ^^^^^
  = note: known keys are `activations`, `depth`, `flops`, `macs`, `memory`, `params`, `weights`
  = help: write `params`
""",
    ),
    "E101 params of a body that is no block": (
        """\
network:
  - {params: [k], steps: relu}
""",
        """\
error[E101]: only a block has `params`
 --> specs/net.yaml:5:6
  |
5 |   - {params: [k], steps: relu}
  |      ^^^^^^
""",
    ),
    "E102 branches and steps": (
        """\
blocks:
  b:
    branches: {left: relu, right: relu}
    steps: relu
network: b
""",
        """\
error[E102]: a body has one of `branches`, `steps`, `reuse` or `from`
 --> specs/net.yaml:5:3
  |
5 |   b:
  |   ^
""",
    ),
    "E105 a key of a body": (
        """\
network:
  - title: Stem
""",
        """\
error[E105]: no step can be called `title`: that is a key of a body
 --> specs/net.yaml:5:5
  |
5 |   - title: Stem
  |     ^^^^^
""",
    ),
    "E102 a table without columns": (
        """\
tables:
  table1:
    3a: [64, 96]
network: relu
""",
        """\
error[E102]: the key `columns` is missing
 --> specs/net.yaml:5:3
  |
5 |   table1:
  |   ^^^^^^
""",
    ),
    "E103 kinds": (
        """\
title: 2014
params: [classes]
defaults: {conv: batchnorm}
network:
  - 3
  - true
  - pool:
""",
        """\
error[E103]: this is a number, not text
 --> specs/net.yaml:4:8
  |
4 | title: 2014
  |        ^^^^

error[E103]: this is a list, not a mapping
 --> specs/net.yaml:5:9
  |
5 | params: [classes]
  |         ^^^^^^^^^

error[E103]: this is text, not a mapping
 --> specs/net.yaml:6:18
  |
6 | defaults: {conv: batchnorm}
  |                  ^^^^^^^^^

error[E103]: this is a number, not a step, a list of steps or a mapping
 --> specs/net.yaml:8:5
  |
8 |   - 3
  |     ^

error[E103]: this is true or false, not a step, a list of steps or a mapping
 --> specs/net.yaml:9:5
  |
9 |   - true
  |     ^^^^

error[E103]: this is empty, not a step, a list of steps or a mapping
  --> specs/net.yaml:10:10
   |
10 |   - pool:
   |          ^
""",
    ),
    "E103 a join that is none": (
        """\
network:
  - branches: {left: relu, right: relu6}
    join: sum
""",
        """\
error[E103]: `sum` is no value of `join`: `concat`, `add`, `mul`
 --> specs/net.yaml:6:11
  |
6 |     join: sum
  |           ^^^
""",
    ),
    "E103 nothing to join": (
        """\
network:
  - branches: {}
""",
        """\
error[E103]: there is no branch to join
 --> specs/net.yaml:5:5
  |
5 |   - branches: {}
  |     ^^^^^^^^^^^^
""",
    ),
    "E103 no step": (
        """\
network: []
""",
        """\
error[E103]: a list of steps has no step
 --> specs/net.yaml:4:10
  |
4 | network: []
  |          ^^
""",
    ),
    "E104 a comma": (
        """\
network:
  - "3x3 conv (96, stride 2)"
""",
        """\
error[E104]: words stand between spaces, without commas
 --> specs/net.yaml:5:18
  |
5 |   - "3x3 conv (96, stride 2)"
  |                  ^
  = help: leave it out
""",
    ),
    "E104 width without parentheses": (
        """\
network:
  - 3x3 conv 96
""",
        """\
error[E104]: `96` stands where the step should end
 --> specs/net.yaml:5:14
  |
5 |   - 3x3 conv 96
  |              ^^
  = help: write `(96)`
""",
    ),
    "E104 a parenthesis is not closed": (
        """\
network:
  - 3x3 conv (96
""",
        """\
error[E104]: a parenthesis is not closed
 --> specs/net.yaml:5:14
  |
5 |   - 3x3 conv (96
  |              ^^^
""",
    ),
    "E104 a parenthesis too many": (
        """\
network:
  - 3x3 conv (96))
""",
        """\
error[E104]: `)` stands where the step should end
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96))
  |                  ^
""",
    ),
    "E104 4x without a space": (
        """\
blocks: {inception_a: relu}
network:
  - 4x inception_a
""",
        """\
error[E104]: `4x` is neither a number, a kernel nor a shape
 --> specs/net.yaml:6:5
  |
6 |   - 4x inception_a
  |     ^^
  = help: write `4 x`
""",
    ),
    "E104 the sign of the papers": (
        """\
network:
  - 3×3 conv (96)
  - conv2: 3x3 conv (96) → 35x35x96
""",
        """\
error[E104]: `×` starts no word
 --> specs/net.yaml:5:6
  |
5 |   - 3×3 conv (96)
  |      ^
  = help: write `x`

error[E104]: `→` starts no word
 --> specs/net.yaml:6:26
  |
6 |   - conv2: 3x3 conv (96) → 35x35x96
  |                          ^
  = help: write `->`
""",
    ),
    "E104 a shape of two numbers": (
        """\
network:
  - 3x3 conv (96) -> 35x35
""",
        """\
error[E104]: `35x35` stands where a shape, such as 35x35x384 or 1536 should
 --> specs/net.yaml:5:22
  |
5 |   - 3x3 conv (96) -> 35x35
  |                      ^^^^^
""",
    ),
    "E104 a step on two lines": (
        """\
network:
  - 3x3 conv (96
    stride 2)
""",
        """\
error[E104]: a step stands on one line
 --> specs/net.yaml:5:5
  |
5 |   - 3x3 conv (96
  |     ^^^^^^^^^^^^
""",
    ),
    "E202 stride=2": (
        """\
network:
  - 3x3 conv (96 stride=2)
""",
        """\
error[E202]: `conv` knows no word `stride=2`: a value stands behind its word
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96 stride=2)
  |                  ^^^^^^^^
  = help: write `stride 2`
""",
    ),
    "E104 a word without its value": (
        """\
network:
  - 3x3 conv (96 stride)
""",
        """\
error[E104]: `stride` has no value
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96 stride)
  |                  ^^^^^^
""",
    ),
    "E104 an escape before what is wrong": (
        """\
network:
  - "3x3\\x20conv (96 + )"
""",
        """\
error[E104]: the text ends where a number or a name should
 --> specs/net.yaml:5:5
  |
5 |   - "3x3\\x20conv (96 + )"
  |     ^^^^^^^^^^^^^^^^^^^^^
""",
    ),
    "E205 an escape before what is wrong": (
        """\
network:
  - "3x3\\x20conv (k)"
""",
        """\
error[E205]: nothing is named `k`
 --> specs/net.yaml:5:5
  |
5 |   - "3x3\\x20conv (k)"
  |     ^^^^^^^^^^^^^^^^^
""",
    ),
    "E104 minus": (
        """\
network:
  - 3x3 conv (-96)
""",
        """\
error[E104]: `-` stands where a number or a name should
 --> specs/net.yaml:5:15
  |
5 |   - 3x3 conv (-96)
  |               ^
""",
    ),
    "E105 a head is named as a step": (
        """\
network: [fc: 3x3 conv (8)]
heads:
  fc: {at: fc, steps: [flatten]}
""",
        """\
error[E208]: two steps have the path `fc`
 --> specs/net.yaml:6:3
  |
4 | network: [fc: 3x3 conv (8)]
  |               ------------ first
6 |   fc: {at: fc, steps: [flatten]}
  |   ^^ again
  = help: name the head otherwise
""",
    ),
    "E105 names": (
        """\
params: {k-l: 3, relu: 3}
blocks:
  conv: relu
  forward: relu
  class: relu
  5x5: relu
network:
  - input: relu
  - _x: relu
  - type: relu
""",
        """\
error[E105]: `k-l` is no name: a letter, then letters, digits and `_`
 --> specs/net.yaml:4:10
  |
4 | params: {k-l: 3, relu: 3}
  |          ^^^

error[E105]: `relu` has a meaning of its own
 --> specs/net.yaml:4:18
  |
4 | params: {k-l: 3, relu: 3}
  |                  ^^^^

error[E105]: `conv` has a meaning of its own
 --> specs/net.yaml:6:3
  |
6 |   conv: relu
  |   ^^^^

error[E105]: `class` is a keyword of Python
 --> specs/net.yaml:8:3
  |
8 |   class: relu
  |   ^^^^^

error[E105]: `5x5` is no name: a letter, then letters, digits and `_`
 --> specs/net.yaml:9:3
  |
9 |   5x5: relu
  |   ^^^
""",
    ),
    "E102 no network": (
        """\
""",
        """\
error[E102]: there is no `network`: this is a library of blocks, which others `use`
 --> specs/net.yaml:1:1
  |
1 | inception: 1
  | ^
""",
    ),
    "E106 a width that comes to nothing": (
        """\
blocks:
  b: {params: [k], steps: [1x1 conv (k - 3)]}
network:
  - b (k=3)
""",
        """\
error[E106]: `width` is a whole number of at least 1, and `k - 3` is 0
 --> specs/net.yaml:7:8
  |
5 |   b: {params: [k], steps: [1x1 conv (k - 3)]}
  |                                      ----- it is read here
7 |   - b (k=3)
  |        ^^^ `k` is given here
""",
    ),
    "E106 a division by zero": (
        """\
blocks:
  b: {params: [k], steps: [1x1 conv (in // k)]}
network:
  - b (k=0)
""",
        """\
error[E106]: division by zero
 --> specs/net.yaml:7:8
  |
5 |   b: {params: [k], steps: [1x1 conv (in // k)]}
  |                                      ------- it is read here
7 |   - b (k=0)
  |        ^^^ `k` is given here
""",
    ),
    "E106 a word where a number should be": (
        """\
blocks:
  b: {params: [k], steps: [1x1 conv (k + 1)]}
network:
  - b (k=none)
""",
        """\
error[E106]: `k + 1` is no number: `k` is none
 --> specs/net.yaml:7:8
  |
5 |   b: {params: [k], steps: [1x1 conv (k + 1)]}
  |                                      ----- it is read here
7 |   - b (k=none)
  |        ^^^^^^ `k` is given here
""",
    ),
    "E106 no copies": (
        """\
blocks:
  b: {params: [n], steps: [n x relu]}
network:
  - b (n=0)
""",
        """\
error[E106]: `n` is 0: a step is repeated at least once
 --> specs/net.yaml:7:8
  |
5 |   b: {params: [n], steps: [n x relu]}
  |                            - it is read here
7 |   - b (n=0)
  |        ^^^ `n` is given here
""",
    ),
    "E106 a figure that is none": (
        """\
network: relu
budget: {params: <= 43X}
""",
        """\
error[E106]: `<= 43X` is no figure
 --> specs/net.yaml:5:18
  |
5 | budget: {params: <= 43X}
  |                  ^^^^^^
  = help: a relation, a number and a unit, as in `<= 43M`, `~ 5G` or `9408`
""",
    ),
    "E106 too many digits in a step": (
        """\
network:
  - 1x1 conv (12345678901234567890)
""",
        """\
error[E106]: a number of more than 18 digits
 --> specs/net.yaml:5:15
  |
5 |   - 1x1 conv (12345678901234567890)
  |               ^^^^^^^^^^^^^^^^^^^^
""",
    ),
    "E201 unknown ops": (
        """\
network:
  - 3x3 convv (96)
  - 3x3 Conv (96)
  - incepton
""",
        """\
error[E201]: no op and no block is named `convv`
 --> specs/net.yaml:5:9
  |
5 |   - 3x3 convv (96)
  |         ^^^^^
  = help: write `conv`

error[E201]: no op and no block is named `Conv`
 --> specs/net.yaml:6:9
  |
6 |   - 3x3 Conv (96)
  |         ^^^^
  = help: write `conv`

error[E201]: no op and no block is named `incepton`
 --> specs/net.yaml:7:5
  |
7 |   - incepton
  |     ^^^^^^^^
  = note: ops are `conv`, `sepconv`, `maxpool`, `avgpool`, `global avgpool`, `global maxpool`, `adaptive avgpool`, `adaptive maxpool`, `linear`, `dropout`, `flatten`, `identity`, `batchnorm`, `lrn`, `relu`, `relu6`, `leaky_relu`, `silu`, `gelu`, `hardswish`, `hardsigmoid`, `sigmoid`, `tanh`, `softmax`
""",
    ),
    "E201 unknown op of two words": (
        """\
network:
  - global avgpol
""",
        """\
error[E201]: no op and no block is named `global avgpol`
 --> specs/net.yaml:5:5
  |
5 |   - global avgpol
  |     ^^^^^^^^^^^^^
  = help: write `global avgpool`
""",
    ),
    "E201 unknown block": (
        """\
blocks: {inception_a: relu, inception_b: relu}
network:
  - inception_aa
""",
        """\
error[E201]: no op and no block is named `inception_aa`
 --> specs/net.yaml:6:5
  |
4 | blocks: {inception_a: relu, inception_b: relu}
  |          ----------- `inception_a` is here
6 |   - inception_aa
  |     ^^^^^^^^^^^^
  = help: write `inception_a`
""",
    ),
    "E201 defaults of no op": (
        """\
defaults: {batchnrm: {eps: 1e-3}}
network: relu
""",
        """\
error[E201]: no op is named `batchnrm`
 --> specs/net.yaml:4:12
  |
4 | defaults: {batchnrm: {eps: 1e-3}}
  |            ^^^^^^^^
  = help: write `batchnorm`
""",
    ),
    "E202 unknown words": (
        """\
network:
  - 3x3 conv (96 strid 2)
  - 3x3 maxpool (ciel)
""",
        """\
error[E202]: `conv` knows no word `strid`
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96 strid 2)
  |                  ^^^^^
  = help: write `stride`

error[E202]: `maxpool` knows no word `ciel`
 --> specs/net.yaml:6:18
  |
6 |   - 3x3 maxpool (ciel)
  |                  ^^^^
  = help: write `ceil`
""",
    ),
    "E202 an activation is no word": (
        """\
network:
  - 3x3 conv (96 relu)
""",
        """\
error[E202]: `conv` knows no word `relu`
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96 relu)
  |                  ^^^^
  = help: write `act relu`
""",
    ),
    "E202 a norm is no word": (
        """\
network:
  - 3x3 conv (96 batchnorm)
""",
        """\
error[E202]: `conv` knows no word `batchnorm`
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96 batchnorm)
  |                  ^^^^^^^^^
  = help: write `norm batchnorm`
""",
    ),
    "E202 width has no name": (
        """\
network:
  - 3x3 conv (width=96)
""",
        """\
error[E202]: `conv` knows no word `width=96`: its width stands alone
 --> specs/net.yaml:5:15
  |
5 |   - 3x3 conv (width=96)
  |               ^^^^^^^^
  = help: write `96`
""",
    ),
    "E202 a flag with a value": (
        """\
network:
  - 3x3 conv (96 bias true)
""",
        """\
error[E202]: `bias` stands alone and takes no value
 --> specs/net.yaml:5:23
  |
5 |   - 3x3 conv (96 bias true)
  |                       ^^^^
""",
    ),
    "E202 the word of a batchnorm": (
        """\
network:
  - 3x3 conv (96 eps 1e-3)
""",
        """\
error[E202]: `conv` knows no word `eps`
 --> specs/net.yaml:5:18
  |
5 |   - 3x3 conv (96 eps 1e-3)
  |         ---- it knows `V`, `act`, `bias`, `bias_init`, `dilation`, `groups`, `init`, `linear`, `no_bias`, `norm`, `pad`, `same`, `same_tf`, `stride`
  |                  ^^^
""",
    ),
    "E202 unknown attribute in defaults": (
        """\
defaults:
  conv: {norm: batchnorm, akt: relu}
network: relu
""",
        """\
error[E202]: `conv` has no attribute `akt`
 --> specs/net.yaml:5:27
  |
5 |   conv: {norm: batchnorm, akt: relu}
  |                           ^^^
  = help: write `act`
""",
    ),
    "E202 words that bind nothing": (
        """\
blocks:
  b: {params: [k, l], steps: [1x1 conv (k), 1x1 conv (l)]}
network:
  - b (64 96)
""",
        """\
error[E202]: `64` binds no parameter
 --> specs/net.yaml:7:8
  |
7 |   - b (64 96)
  |        ^^
  = help: write `k=64`
""",
    ),
    "E203 said twice": (
        """\
network:
  - 3x3 conv (96 stride 2 stride 2)
  - 3x3 conv (96 V same)
  - 1x1 conv (64 linear norm batchnorm)
  - 3x3 conv (96 64)
""",
        """\
error[E203]: `stride` is given twice
 --> specs/net.yaml:5:27
  |
5 |   - 3x3 conv (96 stride 2 stride 2)
  |                  -------- first
  |                           ^^^^^^^^ again

error[E203]: `pad` is given twice
 --> specs/net.yaml:6:20
  |
6 |   - 3x3 conv (96 V same)
  |                  - first
  |                    ^^^^ again

error[E203]: `norm` is given twice
 --> specs/net.yaml:7:25
  |
7 |   - 1x1 conv (64 linear norm batchnorm)
  |                  ------ first
  |                         ^^^^^^^^^^^^^^ again

error[E203]: `width` is given twice
 --> specs/net.yaml:8:18
  |
8 |   - 3x3 conv (96 64)
  |               -- first
  |                  ^^ again
""",
    ),
    "E203 drop and keep": (
        """\
network: [dropout (drop 0.2 keep 0.8)]
""",
        """\
error[E203]: `drop` is given twice
 --> specs/net.yaml:4:29
  |
4 | network: [dropout (drop 0.2 keep 0.8)]
  |                    -------- first
  |                             ^^^^^^^^ again
""",
    ),
    "E203 bound by a row and by name": (
        """\
tables:
  table1:
    columns: [k, l]
    v4: [192, 224]
blocks:
  b: {params: [k, l], steps: [1x1 conv (k), 1x1 conv (l)]}
network:
  - b (table1.v4 l=96)
""",
        """\
error[E203]: `l` is bound twice
  --> specs/net.yaml:11:18
   |
 7 |     v4: [192, 224]
   |               --- first
11 |   - b (table1.v4 l=96)
   |                  ^ again
""",
    ),
    "E204 no width": (
        """\
network:
  - 3x3 conv
  - flatten
  - linear
""",
        """\
error[E204]: `conv` has no width
 --> specs/net.yaml:5:9
  |
5 |   - 3x3 conv
  |         ^^^^
  = help: write its width, as in `3x3 conv (64)`

error[E204]: `linear` has no width
 --> specs/net.yaml:7:5
  |
7 |   - linear
  |     ^^^^^^
  = help: write its width, as in `linear (64)`
""",
    ),
    "E205 unknown names": (
        """\
params: {classes: 1000}
network:
  - 1x1 conv (clases)
  - 3x3 conv (2*k + classes)
""",
        """\
error[E205]: nothing is named `clases`
 --> specs/net.yaml:6:15
  |
4 | params: {classes: 1000}
  |          ------- `classes` is here
6 |   - 1x1 conv (clases)
  |               ^^^^^^
  = help: write `classes`

error[E205]: nothing is named `k`
 --> specs/net.yaml:7:17
  |
4 | params: {classes: 1000}
  |          ------- declared here
7 |   - 3x3 conv (2*k + classes)
  |                 ^
""",
    ),
    "E205 unknown name of a count": (
        """\
params: {copies: 4}
network:
  - copes x relu
""",
        """\
error[E205]: nothing is named `copes`
 --> specs/net.yaml:6:5
  |
4 | params: {copies: 4}
  |          ------ `copies` is here
6 |   - copes x relu
  |     ^^^^^
  = help: write `copies`
""",
    ),
    "E205 a word of an op, misspelt": (
        """\
blocks:
  b: {params: [act], steps: [1x1 conv (64 act act)]}
network:
  - b (act=rellu)
""",
        """\
error[E205]: nothing is named `rellu`
 --> specs/net.yaml:7:12
  |
7 |   - b (act=rellu)
  |            ^^^^^
  = help: write `relu`
""",
    ),
    "E205 a column of a table, misspelt": (
        """\
tables:
  table1:
    columns: [c1, r3, cc]
    3a: [64, 96, 128]
    3b: [128, 128, 192]
blocks:
  b: {params: [c1, r3, c3], branches: {a: 1x1 conv (c1), b: [1x1 conv (r3), 3x3 conv (c3)]}}
network:
  - b3a: b (table1.3a)
  - b3b: b (table1.3b)
""",
        """\
error[E205]: `b` has no parameter `cc`: its parameters are `c1`, `r3`, `c3`
  --> specs/net.yaml:6:23
   |
 6 |     columns: [c1, r3, cc]
   |                       ^^
10 |   b: {params: [c1, r3, c3], branches: {a: 1x1 conv (c1), b: [1x1 conv (r3), 3x3 conv (c3)]}}
   |                        -- `c3` is here
12 |   - b3a: b (table1.3a)
   |             --------- this call reads it
13 |   - b3b: b (table1.3b)
   |             --------- this call reads it
   = help: write `c3`
""",
    ),
    "E205 a parameter, misspelt where it is declared": (
        """\
blocks:
  b: {params: [width_], steps: [1x1 conv (width), 3x3 conv (width), 1x1 conv (2*width)]}
network:
  - b (width_=8)
""",
        """\
error[E205]: nothing is named `width`
 --> specs/net.yaml:5:43
  |
5 |   b: {params: [width_], steps: [1x1 conv (width), 3x3 conv (width), 1x1 conv (2*width)]}
  |                ------ `width_` is here
  |                                           ^^^^^
  |                                                             ----- and here
  |                                                                                 ----- and here
  = help: write `width_`
""",
    ),
    "E201 a block, misspelt where it is defined": (
        """\
blocks: {inceptoin: relu}
network: [inception, b: inception, c: inception, d: inception, e: inception, f: inception]
""",
        """\
error[E201]: no op and no block is named `inception`
 --> specs/net.yaml:5:11
  |
4 | blocks: {inceptoin: relu}
  |          --------- `inceptoin` is here
5 | network: [inception, b: inception, c: inception, d: inception, e: inception, f: inception]
  |           ^^^^^^^^^
  |                         --------- and here
  |                                       --------- and here
  |                                                     --------- and here
  = note: and at 2 more places
  = help: write `inceptoin`
""",
    ),
    "E208 two unnamed forks with the same branches": (
        """\
network:
  - branches: {left: 1x3 conv (8), right: 3x1 conv (8)}
  - branches: {left: 3x1 conv (8), right: 1x3 conv (8)}
""",
        """\
error[E208]: two steps have the path `left`
 --> specs/net.yaml:6:22
  |
5 |   - branches: {left: 1x3 conv (8), right: 3x1 conv (8)}
  |                      ------------ first
6 |   - branches: {left: 3x1 conv (8), right: 1x3 conv (8)}
  |                      ^^^^^^^^^^^^ again
  = help: name the body of one: `- NAME: {branches: ...}`
""",
    ),
    "E101 steps that have names, without dashes": (
        """\
network:
  stem: 3x3 conv (64)
  pool: 3x3 maxpool
""",
        """\
error[E101]: `stem` is no key of a body: steps that have names are a list
 --> specs/net.yaml:5:3
  |
5 |   stem: 3x3 conv (64)
  |   ^^^^
  = note: known keys are `branches`, `defaults`, `extends`, `from`, `join`, `op`, `order`, `out`, `params`, `residual`, `reuse`, `source`, `steps`, `title`
  = help: write `- stem`, and so with every step
""",
    ),
    "E104 kernels and counts in other places": (
        """\
network:
  - maxpool 3x3
  - 3x3conv (64)
  - 3 x 3 conv (64)
  - 3*3 conv (64)
  - relu x 4
  - 4 relu
""",
        """\
error[E104]: the kernel `3x3` stands behind its op
 --> specs/net.yaml:5:5
  |
5 |   - maxpool 3x3
  |     ^^^^^^^^^^^
  = help: write `3x3 maxpool`

error[E104]: `3x3conv` is neither a number, a kernel nor a shape
 --> specs/net.yaml:6:5
  |
6 |   - 3x3conv (64)
  |     ^^^^^^^
  = help: write `3x3 conv`

error[E104]: `3 x 3` is no kernel: that is one word
 --> specs/net.yaml:7:5
  |
7 |   - 3 x 3 conv (64)
  |     ^^^^^
  = help: write `3x3`

error[E104]: `3*3` is no kernel: that is one word
 --> specs/net.yaml:8:5
  |
8 |   - 3*3 conv (64)
  |     ^^^
  = help: write `3x3`

error[E104]: the count `4` stands behind what it counts
 --> specs/net.yaml:9:5
  |
9 |   - relu x 4
  |     ^^^^^^^^
  = help: write `4 x relu`

error[E104]: `relu` stands where `x` should
  --> specs/net.yaml:10:5
   |
10 |   - 4 relu
   |     ^^^^^^
   = help: write `4 x relu`
""",
    ),
    "E2 the words of other tools": (
        """\
network:
  - conv (64 kernel_size=3 padding=1)
  - 3x3 conv (64 bn)
  - 3x3 conv (64 s2)
  - 3x3 conv (64 padding=1)
  - 3x3 conv (64 bias=False)
  - 3x3 conv (64 valid)
  - 3x3 conv (64 pad bias)
  - bn
  - ReLU
  - GAP
  - dropout (0.5)
  - fc (10)
  - concat
  - upsample
""",
        """\
error[E210]: `conv` has no kernel
 --> specs/net.yaml:5:5
  |
5 |   - conv (64 kernel_size=3 padding=1)
  |     ^^^^
  = help: write `3x3 conv`

error[E202]: `conv` knows no word `bn`
 --> specs/net.yaml:6:18
  |
6 |   - 3x3 conv (64 bn)
  |                  ^^
  = help: write `norm batchnorm`

error[E202]: `conv` knows no word `s2`
 --> specs/net.yaml:7:18
  |
7 |   - 3x3 conv (64 s2)
  |                  ^^
  = help: write `stride 2`

error[E202]: `conv` knows no word `padding=1`: a value stands behind its word
 --> specs/net.yaml:8:18
  |
8 |   - 3x3 conv (64 padding=1)
  |                  ^^^^^^^^^
  = help: write `pad 1`

error[E202]: `conv` knows no word `bias=False`: a flag stands alone
 --> specs/net.yaml:9:18
  |
9 |   - 3x3 conv (64 bias=False)
  |                  ^^^^^^^^^^
  = help: write `no_bias`

error[E202]: `conv` knows no word `valid`
  --> specs/net.yaml:10:18
   |
10 |   - 3x3 conv (64 valid)
   |                  ^^^^^
   = help: write `V`

error[E205]: nothing is named `bias`
  --> specs/net.yaml:11:22
   |
11 |   - 3x3 conv (64 pad bias)
   |                      ^^^^

error[E201]: no op and no block is named `bn`
  --> specs/net.yaml:12:5
   |
12 |   - bn
   |     ^^
   = help: write `batchnorm`

error[E201]: no op and no block is named `ReLU`
  --> specs/net.yaml:13:5
   |
13 |   - ReLU
   |     ^^^^
   = help: write `relu`

error[E201]: no op and no block is named `GAP`
  --> specs/net.yaml:14:5
   |
14 |   - GAP
   |     ^^^
   = help: write `global avgpool`

error[E202]: `dropout` knows no word `0.5`
  --> specs/net.yaml:15:14
   |
15 |   - dropout (0.5)
   |              ^^^
   = help: write `drop 0.5`

error[E201]: no op and no block is named `fc`
  --> specs/net.yaml:16:5
   |
16 |   - fc (10)
   |     ^^
   = help: write `linear`

error[E201]: `concat` is no step: what is joined are branches
  --> specs/net.yaml:17:5
   |
17 |   - concat
   |     ^^^^^^
   = help: as in `{branches: {left: ..., right: ...}, join: concat}`

error[E201]: no op and no block is named `upsample`
  --> specs/net.yaml:18:5
   |
18 |   - upsample
   |     ^^^^^^^^
   = note: ops are `conv`, `sepconv`, `maxpool`, `avgpool`, `global avgpool`, `global maxpool`, `adaptive avgpool`, `adaptive maxpool`, `linear`, `dropout`, `flatten`, `identity`, `batchnorm`, `lrn`, `relu`, `relu6`, `leaky_relu`, `silu`, `gelu`, `hardswish`, `hardsigmoid`, `sigmoid`, `tanh`, `softmax`
""",
    ),
    "E303 a residual that halves the map": (
        """\
network: [{residual: {act: relu}, steps: [3x3 conv (128 stride 2), 3x3 conv (128)]}]
""",
        """\
error[E303]: `add` wants equal shapes: 35x35x384 and 18x18x128 come in
 --> specs/net.yaml:4:43
  |
4 | network: [{residual: {act: relu}, steps: [3x3 conv (128 stride 2), 3x3 conv (128)]}]
  |                                           ^^^^^^^^^^^^^^^^^^^^^^^ 18x18x128 arrives here: 35 -> 18 (3x3, stride 2, same)
  = note: 35x35x384 enters the block
  = help: bring what enters to it by a residual's `shortcut: 1x1 conv (128 stride 2)`
""",
    ),
    "E301 a note with its channels first": (
        """\
network: [3x3 conv (8) -> 8x35x35]
""",
        """\
error[E301]: `conv` gives 35x35x8, and its note says 8x35x35
 --> specs/net.yaml:4:27
  |
4 | network: [3x3 conv (8) -> 8x35x35]
  |                           ^^^^^^^ 35x35x8 comes out
  = help: write `35x35x8`, height x width x channels
""",
    ),
    "E205 unknown parameter": (
        """\
blocks:
  b: {params: [width], steps: [1x1 conv (width)]}
network:
  - b (widht=64)
""",
        """\
error[E205]: `b` has no parameter `widht`: its parameters are `width`
 --> specs/net.yaml:7:8
  |
5 |   b: {params: [width], steps: [1x1 conv (width)]}
  |                ----- `width` is here
7 |   - b (widht=64)
  |        ^^^^^
  = help: write `width`
""",
    ),
    "E205 the network's parameter in defaults": (
        """\
params: {eps: 1e-3}
defaults: {batchnorm: {eps: eps}}
network:
  - batchnorm
""",
        """\
error[E205]: nothing is named `eps`
 --> specs/net.yaml:5:29
  |
5 | defaults: {batchnorm: {eps: eps}}
  |                             ^^^
  = note: defaults read no parameters: write it in the steps that do
""",
    ),
    "E205 a block's parameter in its defaults": (
        """\
blocks:
  down:
    params: {act: relu}
    defaults: {conv: {act: act}}
    steps: [1x1 conv (2)]
network:
  - thin: down
""",
        """\
error[E205]: nothing is named `act`
 --> specs/net.yaml:7:28
  |
7 |     defaults: {conv: {act: act}}
  |                            ^^^
  = note: defaults read no parameters: write it in the steps that do
""",
    ),
    "E205 the network's parameter in a block": (
        """\
params: {classes: 1000}
blocks:
  head: [flatten, linear (classes)]
network:
  - head
""",
        """\
error[E205]: nothing is named `classes`
 --> specs/net.yaml:6:27
  |
6 |   head: [flatten, linear (classes)]
  |                           ^^^^^^^
  = note: a block does not see the network's parameters: pass it, as in `head (classes=classes)`
""",
    ),
    "E206 unbound parameter": (
        """\
blocks:
  b: {params: [k, l], steps: [1x1 conv (k), 1x1 conv (l)]}
network:
  - b (k=64)
""",
        """\
error[E206]: `b` needs `l`
 --> specs/net.yaml:7:5
  |
5 |   b: {params: [k, l], steps: [1x1 conv (k), 1x1 conv (l)]}
  |                   - it is declared here
7 |   - b (k=64)
  |     ^
  = help: write `b (k=64 l=...)`
""",
    ),
    "E207 unknown rows": (
        """\
tables:
  table1:
    columns: [k]
    inception_v4: [192]
blocks:
  b: {params: [k], steps: [1x1 conv (k)]}
network:
  - b (table1.inception_v3)
  - b2: b (tabel1.inception_v4)
""",
        """\
error[E207]: table `table1` has no row `inception_v3`
  --> specs/net.yaml:11:8
   |
 7 |     inception_v4: [192]
   |     ------------ `table1.inception_v4` is here
11 |   - b (table1.inception_v3)
   |        ^^^^^^^^^^^^^^^^^^^
   = help: write `table1.inception_v4`

error[E207]: no table is named `tabel1`
  --> specs/net.yaml:12:12
   |
 5 |   table1:
   |   ------ `table1` is here
12 |   - b2: b (tabel1.inception_v4)
   |            ^^^^^^^^^^^^^^^^^^^
   = help: write `table1.inception_v4`
""",
    ),
    "E208 a name that a counted step has": (
        """\
network:
  - conv2: 3x3 conv (8)
  - 3x3 conv (8)
  - 3x3 conv (16)
""",
        """\
error[E208]: two steps have the path `conv2`
 --> specs/net.yaml:7:5
  |
5 |   - conv2: 3x3 conv (8)
  |            ------------ first
7 |   - 3x3 conv (16)
  |     ^^^^^^^^^^^^^ again
  = help: name one: `- NAME: 3x3 conv (16)`
""",
    ),
    "E208 branches of two unnamed bodies": (
        """\
network:
  - branches: {left: relu, right: relu}
  - branches: {left: relu6, other: relu}
""",
        """\
error[E208]: two steps have the path `left`
 --> specs/net.yaml:6:22
  |
5 |   - branches: {left: relu, right: relu}
  |                      ---- first
6 |   - branches: {left: relu6, other: relu}
  |                      ^^^^^ again
  = help: name the body of one: `- NAME: {branches: ...}`
""",
    ),
    "E208 a single step in a residual": (
        """\
network:
  - r: {residual: {scale: 0.17}, steps: 1x1 conv (384 linear)}
""",
        """\
error[E208]: two steps have the path `r`
 --> specs/net.yaml:5:41
  |
5 |   - r: {residual: {scale: 0.17}, steps: 1x1 conv (384 linear)}
  |         -------- the sum is `r.add`
  |                                         ^^^^^^^^^^^^^^^^^^^^^ this step is `r`
  = help: write `[1x1 conv (384 linear)]`
""",
    ),
    "E210 kernels": (
        """\
blocks: {b: relu}
network:
  - conv (96)
  - 3x3 relu
  - 3x3 b
""",
        """\
error[E210]: `conv` has no kernel
 --> specs/net.yaml:6:5
  |
6 |   - conv (96)
  |     ^^^^
  = help: write its kernel, as in `3x3 conv`

error[E210]: `relu` takes no kernel
 --> specs/net.yaml:7:5
  |
7 |   - 3x3 relu
  |     ^^^^^^^^
  = help: write `relu`

error[E210]: the block `b` takes no kernel
 --> specs/net.yaml:8:5
  |
8 |   - 3x3 b
  |     ^^^
""",
    ),
    "E210 adaptive without a size": (
        """\
network:
  - adaptive avgpool
""",
        """\
error[E210]: `adaptive avgpool` has no kernel
 --> specs/net.yaml:5:5
  |
5 |   - adaptive avgpool
  |     ^^^^^^^^^^^^^^^^
  = help: write its kernel, as in `3x3 adaptive avgpool`
""",
    ),
    "E211 values": (
        """\
network:
  - 3x3 conv (0)
  - 3x3 conv (96 stride 0)
  - 3x3 conv (96 pad 1.5)
  - 3x3 conv (96 act rellu)
  - 3x3 conv (96 norm batchnrm)
  - dropout (keep 80)
  - 0x3 conv (96)
""",
        """\
error[E211]: `width` is a whole number of at least 1
 --> specs/net.yaml:5:15
  |
5 |   - 3x3 conv (0)
  |               ^

error[E211]: `stride` is a whole number of at least 1
 --> specs/net.yaml:6:25
  |
6 |   - 3x3 conv (96 stride 0)
  |                         ^

error[E211]: `pad` is V, same, same_tf, a whole number or a size such as 0x3
 --> specs/net.yaml:7:22
  |
7 |   - 3x3 conv (96 pad 1.5)
  |                      ^^^

error[E211]: `rellu` is no value of `act`: `none`, `relu`, `relu6`, `leaky_relu`, `silu`, `gelu`, `hardswish`, `hardsigmoid`, `sigmoid`, `tanh`
 --> specs/net.yaml:8:22
  |
8 |   - 3x3 conv (96 act rellu)
  |                      ^^^^^
  = help: write `relu`

error[E211]: `batchnrm` is no value of `norm`: `none`, `batchnorm`
 --> specs/net.yaml:9:23
  |
9 |   - 3x3 conv (96 norm batchnrm)
  |                       ^^^^^^^^
  = help: write `batchnorm`

error[E211]: `keep` is a number from 0 to 1
  --> specs/net.yaml:10:19
   |
10 |   - dropout (keep 80)
   |                   ^^

error[E211]: `0x3` is not at least 1x1
  --> specs/net.yaml:11:5
   |
11 |   - 0x3 conv (96)
   |     ^^^
""",
    ),
    "E211 a value in defaults": (
        """\
defaults: {conv: {act: rellu}}
network: relu
""",
        """\
error[E211]: `rellu` is no value of `act`: `none`, `relu`, `relu6`, `leaky_relu`, `silu`, `gelu`, `hardswish`, `hardsigmoid`, `sigmoid`, `tanh`
 --> specs/net.yaml:4:24
  |
4 | defaults: {conv: {act: rellu}}
  |                        ^^^^^
  = help: write `relu`
""",
    ),
    "E211 a cell that is no number": (
        """\
tables:
  table1: {columns: [act], v4: [rellu]}
network: relu
""",
        """\
error[E211]: `rellu` is neither a number nor a word of an op
 --> specs/net.yaml:5:33
  |
5 |   table1: {columns: [act], v4: [rellu]}
  |                                 ^^^^^
  = help: write `relu`
""",
    ),
    "E211 a pool that pads too much": (
        """\
network:
  - 3x3 maxpool (stride 2 pad 2)
""",
        """\
error[E211]: `maxpool` pads by more than half its kernel
 --> specs/net.yaml:5:27
  |
5 |   - 3x3 maxpool (stride 2 pad 2)
  |                           ^^^^^
""",
    ),
    "E212 order": (
        """\
network:
  - branches: {left: relu, right: relu6}
    order: [left, rihgt]
""",
        """\
error[E212]: `order` names `rihgt`, which is no branch
 --> specs/net.yaml:6:19
  |
5 |   - branches: {left: relu, right: relu6}
  |                            ----- `right` is here
6 |     order: [left, rihgt]
  |                   ^^^^^
  = help: write `right`
""",
    ),
    "E212 a head at no step": (
        """\
network:
  - inception_4a: relu
heads:
  aux: {at: incepton_4a, steps: flatten}
""",
        """\
error[E212]: no step of the network has the path `incepton_4a`
 --> specs/net.yaml:7:13
  |
5 |   - inception_4a: relu
  |     ------------ `inception_4a` is here
7 |   aux: {at: incepton_4a, steps: flatten}
  |             ^^^^^^^^^^^
  = help: write `inception_4a`
""",
    ),
    "E212 a head at a body": (
        """\
network:
  - mixed: {branches: {left: relu, right: relu6}}
heads:
  aux: {at: mxied, steps: flatten}
""",
        """\
error[E212]: no step of the network has the path `mxied`
 --> specs/net.yaml:7:13
  |
5 |   - mixed: {branches: {left: relu, right: relu6}}
  |     ----- `mixed` is here
7 |   aux: {at: mxied, steps: flatten}
  |             ^^^^^
  = help: write `mixed`
""",
    ),
    "E213 cells and columns": (
        """\
tables:
  table1:
    columns: [k, l]
    v4: [192, 224, 256]
    v3: [192]
network: relu
""",
        """\
error[E213]: the row has 3 cells under 2 columns
 --> specs/net.yaml:7:9
  |
6 |     columns: [k, l]
  |              ------ 2 columns
7 |     v4: [192, 224, 256]
  |         ^^^^^^^^^^^^^^^ 3 cells

error[E213]: the row has 1 cell under 2 columns
 --> specs/net.yaml:8:9
  |
6 |     columns: [k, l]
  |              ------ 2 columns
8 |     v3: [192]
  |         ^^^^^ 1 cell
""",
    ),
    "E213 names of columns": (
        """\
tables:
  table1:
    columns: [k-l]
    v4: [192]
network: relu
""",
        """\
error[E105]: `k-l` is no name: a letter, then letters, digits and `_`
 --> specs/net.yaml:6:15
  |
6 |     columns: [k-l]
  |               ^^^
""",
    ),
    "E203 one parameter twice": (
        """\
blocks:
  b: {params: [k, k], steps: 1x1 conv (k)}
network:
  - b (k=64)
""",
        """\
error[E203]: `k` is there twice
 --> specs/net.yaml:5:19
  |
5 |   b: {params: [k, k], steps: 1x1 conv (k)}
  |                - first
  |                   ^ again
""",
    ),
    "E213 one column twice": (
        """\
tables:
  table1:
    columns: [k, l, k]
    v4: [192, 224, 256]
network: relu
""",
        """\
error[E213]: the table has two columns `k`
 --> specs/net.yaml:6:21
  |
6 |     columns: [k, l, k]
  |               - first
  |                     ^ again
""",
    ),
    "E008 blocks in a circle": (
        """\
blocks:
  a: [relu, b]
  b: 2 x a
network: a
""",
        """\
error[E008]: `a` calls `b` calls `a`: a circle
 --> specs/net.yaml:6:6
  |
6 |   b: 2 x a
  |      ^^^^^
""",
    ),
    "E301 notes": (
        """\
network:
  - 3x3 conv (96 stride 2 V) -> 18x18x96
  - mixed:
      branches: {left: 1x1 conv (64), right: 1x1 conv (32)}
      out: 17x17x100
  - global avgpool -> 1x1x96
""",
        """\
error[E301]: `conv` gives 17x17x96, and its note says 18x18x96
 --> specs/net.yaml:5:33
  |
5 |   - 3x3 conv (96 stride 2 V) -> 18x18x96
  |     ------------------------ 35 -> 17 (3x3, stride 2, V)
  |                                 ^^^^^^^^ 17x17x96 comes out
  = help: write `17x17x96`, or change what makes it so

error[E301]: `mixed` gives 17x17x96, and its note says 17x17x100
 --> specs/net.yaml:8:12
  |
7 |       branches: {left: 1x1 conv (64), right: 1x1 conv (32)}
  |                                  -- 64 channels
  |                                                        -- 32 channels
8 |       out: 17x17x100
  |            ^^^^^^^^^ 17x17x96 comes out
  = help: write `17x17x96`, or change what makes it so

error[E301]: `avgpool` gives 96, and its note says 1x1x96
 --> specs/net.yaml:9:23
  |
9 |   - global avgpool -> 1x1x96
  |                       ^^^^^^ 96 comes out
  = help: write `96`, or change what makes it so
""",
    ),
    "E302 a kernel larger than what comes in": (
        """\
network:
  - 3x3 maxpool (stride 16 V)
  - 7x7 conv (96 V)
""",
        """\
error[E302]: a window of 7 does not fit into 3
 --> specs/net.yaml:6:5
  |
5 |   - 3x3 maxpool (stride 16 V)
  |     ------------------------- 35 -> 3 (3x3, stride 16, V)
6 |   - 7x7 conv (96 V)
  |     ^^^^^^^^^^^^^^^
  = note: 3x3x384 comes in: 35 -> 3 (3x3, stride 16, V)
  = help: write `7x7 conv (96)`, which keeps the size of what comes in
""",
    ),
    "E303 a residual of 1154": (
        """\
network:
  - reduce: 1x1 conv (1152)
  - inception_resnet_b:
      residual: {scale: 0.1, act: relu}
      steps:
        - branches:
            b1x1: 1x1 conv (192)
            b7x7: [1x1 conv (128), 1x7 conv (160), 7x1 conv (192)]
        - expand: 1x1 conv (1154 linear)
""",
        """\
error[E303]: `add` wants equal shapes: 35x35x1152 and 35x35x1154 come in
  --> specs/net.yaml:12:19
   |
 5 |   - reduce: 1x1 conv (1152)
   |             --------------- 35x35x1152 arrives here
12 |         - expand: 1x1 conv (1154 linear)
   |                   ^^^^^^^^^^^^^^^^^^^^^^ 35x35x1154 arrives here: 384 -> 1154 (1x1, same)
   = help: write `1x1 conv (1152 linear)`
""",
    ),
    "E303 a residual in a block": (
        """\
blocks:
  b:
    residual: {}
    steps:
      - 3x3 conv (32)
      - 1x1 conv (385 linear)
      - relu
network:
  - b
""",
        """\
error[E303]: `add` wants equal shapes: 35x35x384 and 35x35x385 come in
 --> specs/net.yaml:9:9
  |
9 |       - 1x1 conv (385 linear)
  |         ^^^^^^^^^^^^^^^^^^^^^ 35x35x385 arrives here: 384 -> 32 (3x3, same); 32 -> 385 (1x1, same)
  = note: 35x35x384 enters the block
  = note: called at specs/net.yaml:12:5
  = help: write `1x1 conv (384 linear)`
""",
    ),
    "E303 a stride in a residual": (
        """\
network:
  - r:
      residual: {shortcut: 1x1 conv (64 stride 2)}
      steps: [1x1 conv (64), 3x3 conv (64)]
""",
        """\
error[E303]: `add` wants equal shapes: 18x18x64 and 35x35x64 come in
 --> specs/net.yaml:7:30
  |
6 |       residual: {shortcut: 1x1 conv (64 stride 2)}
  |                            ---------------------- 18x18x64 arrives here
7 |       steps: [1x1 conv (64), 3x3 conv (64)]
  |                              ^^^^^^^^^^^^^ 35x35x64 arrives here
""",
    ),
    "E106 a zero in a table's cell": (
        """\
tables:
  table1:
    columns: [k, l]
    3a: [64, 96]
    3b: [0, 96]
blocks:
  b: {params: [k, l], branches: {left: 1x1 conv (k), right: [3x3 conv (2*k), 3x3 conv (l)]}}
  c: {params: [row], steps: b (k=row l=8)}
network:
  - b3a: b (table1.3a)
  - b3b: b (table1.3b)
  - c (row=0)
""",
        """\
error[E106]: `width` is a whole number of at least 1, and `k` is 0
  --> specs/net.yaml:8:10
   |
 8 |     3b: [0, 96]
   |          ^ `k` is given here
10 |   b: {params: [k, l], branches: {left: 1x1 conv (k), right: [3x3 conv (2*k), 3x3 conv (l)]}}
   |                                                  - it is read here
   = note: called at specs/net.yaml:14:10
""",
    ),
    "E301 only the first note that fails, with all that adds up to it": (
        """\
tables:
  table1:
    columns: [c1, c3]
    3a: [64, 129]
blocks:
  b:
    params: [c1, c3]
    branches: {b1x1: 1x1 conv (c1), b3x3: [1x1 conv (32), 3x3 conv (c3)], pool: 3x3 maxpool}
network:
  - stem:  3x3 conv (32 stride 2)  -> 18x18x32
  - b3a:   b (table1.3a)           -> 18x18x224
  - relu                           -> 18x18x224
  - pool:  3x3 maxpool (stride 3)  -> 9x9x224
  - conv:  3x3 conv (8)            -> 9x9x8
""",
        """\
error[E301]: `b3a` gives 18x18x225, and its note says 18x18x224
  --> specs/net.yaml:14:39
   |
 7 |     3a: [64, 129]
   |          -- `c1` is given here
   |              --- `c3` is given here
11 |     branches: {b1x1: 1x1 conv (c1), b3x3: [1x1 conv (32), 3x3 conv (c3)], pool: 3x3 maxpool}
   |                                -- 64 channels
   |                                                                     -- 129 channels
   |                                                                                 ----------- 32 channels, as many as come in
14 |   - b3a:   b (table1.3a)           -> 18x18x224
   |                                       ^^^^^^^^^ 18x18x225 comes out
   = help: write `18x18x225`, or change what makes it so

error[E301]: `pool` gives 6x6x225, and its note says 9x9x224
  --> specs/net.yaml:16:39
   |
16 |   - pool:  3x3 maxpool (stride 3)  -> 9x9x224
   |            ---------------------- 18 -> 6 (3x3, stride 3, same)
   |                                       ^^^^^^^ 6x6x225 comes out
   = help: write `6x6x225`, or change what makes it so
""",
    ),
    "E301 copies that add up": (
        """\
blocks:
  dense: {branches: {skip: identity, new: [1x1 conv (64), 3x3 conv (16)]}}
network:
  - dense: 3 x dense  -> 35x35x448
""",
        """\
error[E301]: `dense` gives 35x35x432, and its note says 35x35x448
 --> specs/net.yaml:7:26
  |
5 |   dense: {branches: {skip: identity, new: [1x1 conv (64), 3x3 conv (16)]}}
  |                            -------- 416 channels, as many as come in
  |                                                                     -- 16 channels
7 |   - dense: 3 x dense  -> 35x35x448
  |            - 3 copies
  |                          ^^^^^^^^^ 35x35x432 comes out
  = help: write `35x35x432`, or change what makes it so
""",
    ),
    "E303 a width that an argument gives": (
        """\
tables:
  widths:
    columns: [width]
    a: [64]
    b: [65]
blocks:
  bottleneck:
    params: [width]
    residual: {act: relu}
    steps: [1x1 conv (16), 3x3 conv (width)]
network:
  - 1x1 conv (64)
  - a: bottleneck (widths.a)
  - b: bottleneck (widths.b)
""",
        """\
error[E303]: `add` wants equal shapes: 35x35x64 and 35x35x65 come in
  --> specs/net.yaml:13:28
   |
 7 |     a: [64]
   |         -- `width` is given here
 8 |     b: [65]
   |         -- `width` is given here
13 |     steps: [1x1 conv (16), 3x3 conv (width)]
   |                            ^^^^^^^^^^^^^^^^ 35x35x65 arrives here: 64 -> 16 (1x1, same); 16 -> 65 (3x3, same)
   = note: 35x35x64 enters the block
   = note: called at specs/net.yaml:17:8
   = help: bring what enters to it by a residual's `shortcut: 1x1 conv (65)`
""",
    ),
    "E303 a width that came in from elsewhere": (
        """\
blocks:
  wide: {params: [width], steps: 1x1 conv (4*width)}
  residual: {residual: {}, steps: [3x3 conv (256)]}
network:
  - wide (width=65)
  - residual
""",
        """\
error[E303]: `add` wants equal shapes: 35x35x260 and 35x35x256 come in
 --> specs/net.yaml:6:36
  |
5 |   wide: {params: [width], steps: 1x1 conv (4*width)}
  |                                            ------- 260 channels
6 |   residual: {residual: {}, steps: [3x3 conv (256)]}
  |                                    ^^^^^^^^^^^^^^ 35x35x256 arrives here: 260 -> 256 (3x3, same)
8 |   - wide (width=65)
  |           -------- `width` is given here
  = note: 35x35x260 enters the block
  = note: called at specs/net.yaml:9:5
  = help: write `3x3 conv (260)`
""",
    ),
    "E304 an average pool with a stride of its kernel": (
        """\
blocks:
  inception_a:
    branches:
      pool: [3x3 avgpool (stride 3), 1x1 conv (96)]
      b1x1: 1x1 conv (96)
      b3x3: [1x1 conv (64), 3x3 conv (96)]
network:
  - inception_a: 4 x inception_a
""",
        """\
error[E304]: branches of `inception_a` disagree in height and width
 --> specs/net.yaml:7:14
  |
7 |       pool: [3x3 avgpool (stride 3), 1x1 conv (96)]
  |              ^^^^^^^^^^^^^^^^^^^^^^ this branch is 12x12: 35 -> 12 (3x3, stride 3, same)
8 |       b1x1: 1x1 conv (96)
  |             ------------- this branch is 35x35: as what comes in
  = note: `concat` joins along channels; height and width must agree
  = note: called at specs/net.yaml:11:18
  = help: write `3x3 avgpool`, which gives 35x35
""",
    ),
    "E304 a stride of three among strides of two": (
        """\
network:
  - mixed:
      branches:
        pool: 3x3 avgpool (stride 3)
        b3x3: 3x3 conv (384 stride 2 V)
        b3x3dbl: [1x1 conv (64), 3x3 conv (96), 3x3 conv (96 stride 2 V)]
""",
        """\
error[E304]: branches of `mixed` disagree in height and width
 --> specs/net.yaml:7:15
  |
7 |         pool: 3x3 avgpool (stride 3)
  |               ^^^^^^^^^^^^^^^^^^^^^^ this branch is 12x12: 35 -> 12 (3x3, stride 3, same)
8 |         b3x3: 3x3 conv (384 stride 2 V)
  |               ------------------------- this branch is 17x17: 35 -> 17 (3x3, stride 2, V)
  = note: `concat` joins along channels; height and width must agree
  = help: write `3x3 avgpool (stride 2 V)`, which gives 17x17
""",
    ),
    "E304 a pool that pads": (
        """\
network:
  - mixed_6a:
      branches:
        b3x3: 3x3 conv (384 stride 2 V)
        b3x3dbl: [1x1 conv (64), 3x3 conv (96), 3x3 conv (96 stride 2 V)]
        pool: 3x3 maxpool (stride 2)
""",
        """\
error[E304]: branches of `mixed_6a` disagree in height and width
 --> specs/net.yaml:9:15
  |
7 |         b3x3: 3x3 conv (384 stride 2 V)
  |               ------------------------- this branch is 17x17: 35 -> 17 (3x3, stride 2, V)
9 |         pool: 3x3 maxpool (stride 2)
  |               ^^^^^^^^^^^^^^^^^^^^^^ this branch is 18x18: 35 -> 18 (3x3, stride 2, same)
  = note: `concat` joins along channels; height and width must agree
  = help: write `3x3 maxpool (stride 2 V)`, which gives 17x17
""",
    ),
    "E304 the last conv of the stem without its stride": (
        """\
network:
  - mixed3:
      branches:
        conv: 3x3 conv (192 V)
        pool: 3x3 maxpool (stride 2 V)
      out: 17x17x576
""",
        """\
error[E304]: branches of `mixed3` disagree in height and width
 --> specs/net.yaml:7:15
  |
7 |         conv: 3x3 conv (192 V)
  |               ^^^^^^^^^^^^^^^^ this branch is 33x33: 35 -> 33 (3x3, V)
8 |         pool: 3x3 maxpool (stride 2 V)
  |               ------------------------ this branch is 17x17: 35 -> 17 (3x3, stride 2, V)
  = note: `concat` joins along channels; height and width must agree
  = help: write `3x3 conv (192 stride 2 V)`, which gives 17x17
""",
    ),
    "E304 a block that is called nine times": (
        """\
blocks:
  inception_b:
    branches:
      b1x1: 1x1 conv (192)
      b3x3: 3x3 conv (192 V)
network:
  - 3 x inception_b
  - second: inception_b
  - third: inception_b
  - 4 x inception_b
""",
        """\
error[E304]: branches of `inception_b` disagree in height and width
 --> specs/net.yaml:8:13
  |
7 |       b1x1: 1x1 conv (192)
  |             -------------- this branch is 35x35: as what comes in
8 |       b3x3: 3x3 conv (192 V)
  |             ^^^^^^^^^^^^^^^^ this branch is 33x33: 35 -> 33 (3x3, V)
  = note: `concat` joins along channels; height and width must agree
  = note: called at specs/net.yaml:10:5
  = help: write `3x3 conv (192)`, which gives 35x35
""",
    ),
    "E301 a note in a block that is called nine times": (
        """\
blocks:
  inception_b:
    steps:
      - 3x3 conv (384) -> 35x35x385
network:
  - first: 6 x inception_b
  - second: inception_b
  - third: inception_b
  - fourth: inception_b
""",
        """\
error[E301]: `conv` gives 35x35x384, and its note says 35x35x385
 --> specs/net.yaml:7:27
  |
7 |       - 3x3 conv (384) -> 35x35x385
  |                   --- 384 channels
  |                           ^^^^^^^^^ 35x35x384 comes out
  = note: called at specs/net.yaml:9:12, and in 3 more calls
  = help: write `35x35x384`, or change what makes it so
""",
    ),
    "E304 told from where the branches part": (
        """\
network:
  - 3x3 conv (64 stride 2 V)
  - 3x3 maxpool (stride 2 V)
  - mixed:
      branches:
        left: relu
        right: 3x3 maxpool (stride 2 V)
""",
        """\
error[E304]: branches of `mixed` disagree in height and width
  --> specs/net.yaml:10:16
   |
 9 |         left: relu
   |               ---- this branch is 8x8: as what comes in
10 |         right: 3x3 maxpool (stride 2 V)
   |                ^^^^^^^^^^^^^^^^^^^^^^^^ this branch is 3x3: 8 -> 3 (3x3, stride 2, V)
   = note: `concat` joins along channels; height and width must agree
   = help: write `3x3 maxpool`, which gives 8x8
""",
    ),
    "E304 in the body of a head": (
        """\
network:
  - conv: 3x3 conv (8)
heads:
  aux:
    at: conv
    steps: [{branches: {left: relu, right: 3x3 maxpool (stride 2)}}]
""",
        """\
error[E304]: branches of `aux` disagree in height and width
 --> specs/net.yaml:9:44
  |
9 |     steps: [{branches: {left: relu, right: 3x3 maxpool (stride 2)}}]
  |                               ---- this branch is 35x35: as what comes in
  |                                            ^^^^^^^^^^^^^^^^^^^^^^ this branch is 18x18: 35 -> 18 (3x3, stride 2, same)
  = note: `concat` joins along channels; height and width must agree
  = help: write `3x3 maxpool`, which gives 35x35
""",
    ),
    "E305 linear on a map": (
        """\
network:
  - conv: 3x3 conv (96)
  - fc: linear (1000)
""",
        """\
error[E305]: `linear` wants a vector, and a map of 35x35x96 comes in
 --> specs/net.yaml:6:9
  |
6 |   - fc: linear (1000)
  |         ^^^^^^^^^^^^^
  = help: put `flatten` or `global avgpool` before it
""",
    ),
    "E305 conv on a vector": (
        """\
network:
  - pool: global avgpool
  - conv: 1x1 conv (1000)
""",
        """\
error[E305]: `conv` wants a map, and a vector of 384 comes in
 --> specs/net.yaml:6:11
  |
6 |   - conv: 1x1 conv (1000)
  |           ^^^^^^^^^^^^^^^
""",
    ),
    "E305 a local normalisation of a vector": (
        """\
network:
  - pool: global avgpool
  - norm: lrn
""",
        """\
error[E305]: `lrn` wants a map, and a vector of 384 comes in
 --> specs/net.yaml:6:11
  |
6 |   - norm: lrn
  |           ^^^
""",
    ),
    "E305 a concat of a map and a vector": (
        """\
network:
  - mixed:
      branches:
        left: 1x1 conv (96)
        right: global avgpool
""",
        """\
error[E305]: `concat` joins maps or vectors, not both
 --> specs/net.yaml:8:16
  |
7 |         left: 1x1 conv (96)
  |               ------------- this branch is a map of 35x35x96
8 |         right: global avgpool
  |                ^^^^^^^^^^^^^^ this branch is a vector of 384
""",
    ),
    "E306 groups": (
        """\
network:
  - conv: 3x3 conv (96 groups 5)
""",
        """\
error[E306]: 5 groups do not divide the 384 channels that go in
 --> specs/net.yaml:5:24
  |
5 |   - conv: 3x3 conv (96 groups 5)
  |                        ^^^^^^^^
""",
    ),
    "E401 over budget": (
        """\
network:
  - stem: 3x3 conv (64)
  - 1x1 conv (32)
  - mixed:
      branches: {left: 1x1 conv (64), right: [1x1 conv (16), 5x5 conv (32)]}
budget: {params: <= 100K, weights: 240000, macs: "> 1G"}
""",
        """\
error[E401]: `net` has 238,800 params, and its budget is <= 100K
 --> specs/net.yaml:9:18
  |
5 |   - stem: 3x3 conv (64)
  |           ------------- 221,248 here
6 |   - 1x1 conv (32)
  |     ------------- 2,080 here
8 |       branches: {left: 1x1 conv (64), right: [1x1 conv (16), 5x5 conv (32)]}
  |                        ------------- 2,112 here
  |                                                              ------------- 12,832 here
9 | budget: {params: <= 100K, weights: 240000, macs: "> 1G"}
  |                  ^^^^^^^ 138,800 over

error[E401]: `net` has 238,592 weights, and its budget is exactly 240000
 --> specs/net.yaml:9:36
  |
5 |   - stem: 3x3 conv (64)
  |           ------------- 221,184 here
6 |   - 1x1 conv (32)
  |     ------------- 2,048 here
8 |       branches: {left: 1x1 conv (64), right: [1x1 conv (16), 5x5 conv (32)]}
  |                        ------------- 2,048 here
  |                                                              ------------- 12,800 here
9 | budget: {params: <= 100K, weights: 240000, macs: "> 1G"}
  |                                    ^^^^^^ 1,408 under

error[E401]: `net` has 292,275,200 macs, and its budget is > 1G
 --> specs/net.yaml:9:51
  |
5 |   - stem: 3x3 conv (64)
  |           ------------- 270,950,400 here
6 |   - 1x1 conv (32)
  |     ------------- 2,508,800 here
8 |       branches: {left: 1x1 conv (64), right: [1x1 conv (16), 5x5 conv (32)]}
  |                        ------------- 2,508,800 here
  |                                                              ------------- 15,680,000 here
9 | budget: {params: <= 100K, weights: 240000, macs: "> 1G"}
  |                                                   ^^^^ 707,724,800 under
""",
    ),
    "W601 a branch that order leaves out": (
        """\
blocks:
  b:
    branches:
      left: 1x1 conv (384)
      right: [1x1 conv (32), 3x3 conv (64)]
    order: [left]
network:
  - b
  - again: b
""",
        """\
warning[W601]: `right` of `b` is never read
 --> specs/net.yaml:8:30
  |
8 |       right: [1x1 conv (32), 3x3 conv (64)]
  |                              ^^^^^^^^^^^^^
  = note: it holds 61,632 parameters in 2 calls: they count, their work does not
""",
    ),
    "all errors of a stage at once": (
        """\
blocks:
  unused: [3x3 convv (96), linear (k)]
network:
  - 3x3 conv (96 strid 2)
  - 3x3 maxpool (64 V)
  - relu (x)
""",
        """\
error[E201]: no op and no block is named `convv`
 --> specs/net.yaml:5:16
  |
5 |   unused: [3x3 convv (96), linear (k)]
  |                ^^^^^
  = help: write `conv`

error[E205]: nothing is named `k`
 --> specs/net.yaml:5:36
  |
5 |   unused: [3x3 convv (96), linear (k)]
  |                                    ^

error[E202]: `conv` knows no word `strid`
 --> specs/net.yaml:7:18
  |
7 |   - 3x3 conv (96 strid 2)
  |                  ^^^^^
  = help: write `stride`

error[E202]: `maxpool` knows no word `64`
 --> specs/net.yaml:8:18
  |
8 |   - 3x3 maxpool (64 V)
  |         ------- it knows `V`, `ceil`, `pad`, `same`, `same_tf`, `stride`
  |                  ^^

error[E202]: `relu` knows no word `x`
 --> specs/net.yaml:9:11
  |
9 |   - relu (x)
  |     ---- it stands alone
  |           ^
""",
    ),
}
"""What stands below the head of a spec, and the findings in it."""

WHOLE: dict[str, tuple[str, str]] = {
    "E102 no language version": (
        """\
name: net
input: 35x35x384
network: relu
""",
        """\
error[E102]: the key `inception` is missing
 --> specs/net.yaml:1:1
  |
1 | name: net
  | ^
  = help: `inception: 1` belongs on the first line
""",
    ),
    "E102 no input": (
        """\
inception: 1
network: relu
""",
        """\
error[E102]: the key `input` is missing
 --> specs/net.yaml:1:1
  |
1 | inception: 1
  | ^
""",
    ),
    "E103 another language version": (
        """\
inception: 2
name: net
input: 35x35x384
network: relu
""",
        """\
error[E103]: `2` is no value of `inception`: `1`
 --> specs/net.yaml:1:12
  |
1 | inception: 2
  |            ^
""",
    ),
    "E105 the name of a spec": (
        """\
inception: 1
name: inception-v4
input: 35x35x384
network: relu
""",
        """\
error[E105]: `inception-v4` is no name: a letter, then letters, digits and `_`
 --> specs/net.yaml:2:7
  |
2 | name: inception-v4
  |       ^^^^^^^^^^^^
  = help: write `inception_v4`
""",
    ),
    "E106 an input that is no shape": (
        """\
inception: 1
name: net
input: 299 x 299 x 3
network: relu
""",
        """\
error[E106]: the input `299 x 299 x 3` is no shape
 --> specs/net.yaml:3:8
  |
3 | input: 299 x 299 x 3
  |        ^^^^^^^^^^^^^
  = help: height x width x channels, as in 299x299x3
""",
    ),
    "E106 an input that is a number": (
        """\
inception: 1
name: net
input: 299
network: relu
""",
        """\
error[E106]: the input `299` is no shape
 --> specs/net.yaml:3:8
  |
3 | input: 299
  |        ^^^
  = help: height x width x channels, as in 299x299x3
""",
    ),
}
"""Whole specs, and the findings in them."""

ALL = {**{title: (HEAD + spec, found) for title, (spec, found) in CASES.items()}, **WHOLE}

pages = pytest.mark.parametrize(("spec", "rendering"), ALL.values(), ids=ALL.keys())


@pages
def test_the_findings_in(spec: str, rendering: str, project: Project) -> None:
    project.write(NET, spec)
    assert project.rendering() == rendering


@pages
def test_every_help_mends(spec: str, rendering: str, project: Project) -> None:
    """What a help says to write, pasted over what is underlined, ends that finding."""
    project.write(NET, spec)
    for found in project.findings():
        way_out = re.match(r"write `([^`]*)`", found.help or "")
        if way_out is None or "..." in way_out[1]:
            continue
        span = found.labels[0].span
        project.write(NET, spec[: span.start] + way_out[1] + spec[span.end :])
        left = [(other.code, other.labels[0].span.start) for other in project.findings()]
        assert (found.code, span.start) not in left, f"{found.message}: {found.help}"
        assert "E104" not in [code for code, _ in left] or found.code == "E104"


def test_every_code_has_a_page() -> None:
    shown = {code for _, found in ALL.values() for code in re.findall(r"\[([EW]\d+)\]", found)}
    wanted = {code for code in CODES if re.match("E[1-4]|W6", code)}
    # Two files, see test_layers; a hint, see test_hints; of waivers and of figures.
    assert wanted - shown == {"E209", "W602", "W603", "W604", "W605"}


@pytest.mark.parametrize("copies", [1, 9, 200])
def test_one_cause_is_one_finding_however_often_it_is_called(copies: int, project: Project) -> None:
    calls = "".join(f"  - b{index}: b\n" for index in range(copies))
    block = "blocks: {b: {branches: {left: 1x1 conv (384), right: 3x3 maxpool (stride 2)}}}\n"
    project.write(NET, f"{HEAD}{block}network:\n{calls}")
    (found,) = project.findings()
    assert found.code == "E304"


def test_errors_of_independent_steps_are_all_said(project: Project) -> None:
    branches = "".join(
        f"      b{index}: [relu, 3x3 conv (8 groups 5), relu]\n" for index in range(4)
    )
    project.write(NET, f"{HEAD}network:\n  - branches:\n{branches}")
    assert [found.code for found in project.findings()] == ["E306"] * 4


def test_a_model_too_large_is_refused_before_it_is_made(project: Project) -> None:
    blocks = "  b0: relu\n" + "".join(f"  b{i}: 99 x b{i - 1}\n" for i in range(1, 30))
    project.write(NET, f"{HEAD}blocks:\n{blocks}network: b29\n")
    (found,) = project.findings()
    assert (found.code, found.message) == ("E003", "the model has more than 250,000 nodes")


def test_blocks_that_call_each_other_deep_are_refused(project: Project) -> None:
    blocks = "  b0: relu\n" + "".join(f"  b{i}: [b{i - 1}]\n" for i in range(1, 2000))
    project.write(NET, f"{HEAD}blocks:\n{blocks}network: b1999\n")
    (found,) = project.findings()
    assert found.code == "E003"


@pytest.mark.parametrize("layer", ["params: {classes: 5}", "input: 32x32x3"])
def test_notes_are_for_the_network_as_it_is_written(layer: str, project: Project) -> None:
    network = "params: {classes: 10}\nnetwork: [3x3 conv (classes stride 2) -> 18x18x10]\n"
    project.write("specs/base.yaml", HEAD + network)
    project.write(NET, f"inception: 1\nextends: base.yaml\n{layer}\n")
    assert project.rendering() == ""
