"""No step sets a word of its op that an author may have meant for its norm or activation."""

from __future__ import annotations

import pytest
from conftest import NET, Project

from inception_dsl.ops import OPS

SHARED = [
    (op.name, owner, attribute.name_in_owner)
    for op in OPS.values()
    for owner, owned in op.owned_attributes.items()
    for attribute in owned
    if attribute.name_in_owner in op.words()
]

HEAD = "inception: 1\nname: net\ninput: 8x8x32\n"


def _step(op: str, owner: str, word: str, *, by_defaults: bool = False) -> str:
    attribute = OPS[owner].attribute(word)
    assert attribute is not None
    kernel = "3x3 " if OPS[op].kernel else ""
    kind = "act" if OPS[owner].family == "activation" else "norm"
    flatten = "global avgpool, " if op == "linear" else ""
    named = "" if by_defaults else f"{kind} {owner} "
    defaults = f"defaults: {{{op}: {{{kind}: {owner}}}}}\n" if by_defaults else ""
    step = f"{kernel}{OPS[op].written} (64 {named}{word} {attribute.default})"
    return f"{defaults}network: [{flatten}{step}]\n"


def test_convolutions_share_groups_with_the_group_norm() -> None:
    assert {("conv", "groupnorm", "groups"), ("deconv", "groupnorm", "groups")} <= set(SHARED)


@pytest.mark.parametrize(("op", "owner", "word"), SHARED)
def test_a_value_that_fits_the_norm_is_not_taken_for_the_op(
    op: str, owner: str, word: str, project: Project
) -> None:
    project.write(NET, HEAD + _step(op, owner, word))
    (finding,) = project.findings()
    assert finding.code == "E211"
    assert f"`{word}`" in finding.message


@pytest.mark.parametrize(
    ("op", "owner", "word"),
    [row for row in SHARED if row[2] in OPS[row[0]].shared_words.get(row[1], ())],
)
def test_a_norm_of_the_defaults_leaves_it_as_open(
    op: str, owner: str, word: str, project: Project
) -> None:
    project.write(NET, HEAD + _step(op, owner, word, by_defaults=True))
    (finding,) = project.findings()
    assert finding.code == "E211"
    assert f"`{word}` may be that of" in finding.message


@pytest.mark.parametrize(
    ("op", "owner", "word"),
    [row for row in SHARED if row[2] in OPS[row[0]].shared_words.get(row[1], ())],
)
def test_the_defaults_of_the_norm_tell_which_is_meant(
    op: str, owner: str, word: str, project: Project
) -> None:
    defaults = f"defaults: {{{owner}: {{{word}: 16}}}}\n"
    project.write(NET, HEAD + defaults + _step(op, owner, word))
    assert not project.findings()


def test_the_groups_of_a_depthwise_convolution_are_not_mistaken(project: Project) -> None:
    defaults = "defaults: {conv: {norm: groupnorm}}\n"
    steps = "network: [3x3 conv (32 groups 32), b: b (w=32)]\n"
    block = "blocks: {b: {params: [w], steps: [1x1 conv (2*w), 3x3 conv (2*w groups 2*w)]}}\n"
    project.write(NET, HEAD + defaults + block + steps)
    assert not project.findings()
