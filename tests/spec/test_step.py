"""The text of one step: its parts, and what is said of a text that is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.expr import show
from inception_dsl.spec.expression import parse_expr
from inception_dsl.spec.step import (
    MAX_BRACKETS,
    MAX_LENGTH,
    MAX_WORDS,
    Reader,
    StepSyntaxError,
    Token,
    number,
    parse_step,
    sides,
    tokenise,
)


def parts(text: str) -> tuple[str, str, str, str, list[str], str]:
    """Count, kernel, modifier, name, words and note; empty where there is none."""
    step = parse_step(text)
    count, kernel, modifier, note = (
        token.text if token else "" for token in (step.count, step.kernel, step.modifier, step.note)
    )
    return count, kernel, modifier, step.name.text, [word.text for word in step.words], note


def refused(text: str) -> tuple[str, str]:
    """The message for a text that is no step, and the characters it points at."""
    with pytest.raises(StepSyntaxError) as caught:
        parse_step(text)
    return caught.value.message, text[caught.value.start : caught.value.end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("softmax", ("", "", "", "softmax", [], "")),
        ("relu ()", ("", "", "", "relu", [], "")),
        (
            "3x3 conv (96 stride 2 V)",
            ("", "3x3", "", "conv", ["96", "stride", "2", "V"], ""),
        ),
        ("global avgpool -> 1536", ("", "", "global", "avgpool", [], "1536")),
        ("6x6 adaptive avgpool", ("", "6x6", "adaptive", "avgpool", [], "")),
        ("4 x inception_a -> 35x35x384", ("4", "", "", "inception_a", [], "35x35x384")),
        ("n x 1x7 conv (k)", ("n", "1x7", "", "conv", ["k"], "")),
        ("2 x 3x3 conv (8)", ("2", "3x3", "", "conv", ["8"], "")),
        (
            "inception (table1.3a pool=2*k)",
            ("", "", "", "inception", ["table1.3a", "pool", "=", "2", "*", "k"], ""),
        ),
        ("3x3 conv (8 pad 0x3)", ("", "3x3", "", "conv", ["8", "pad", "0x3"], "")),
        ("3x3 conv ((k+1)*2)", ("", "3x3", "", "conv", list("(k+1)*2"), "")),
        ("  3x3\tconv(8)->3x3x8 ", ("", "3x3", "", "conv", ["8"], "3x3x8")),
        ("x", ("", "", "", "x", [], "")),
        ("global", ("", "", "", "global", [], "")),
        ("dropout (keep 0.8)", ("", "", "", "dropout", ["keep", "0.8"], "")),
        ("batchnorm (eps 1e-3)", ("", "", "", "batchnorm", ["eps", "1e-3"], "")),
    ],
)
def test_a_step_has_these_parts(
    text: str, expected: tuple[str, str, str, str, list[str], str]
) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("3x3 conv (96, stride 2)", "words stand between spaces, without commas", ","),
        ("3x3x conv (96)", "`3x3x` is neither a number, a kernel nor a shape", "3x3x"),
        ("4x inception_a", "`4x` is neither a number, a kernel nor a shape", "4x"),
        ("3X3 conv (96)", "`3X3` is neither a number, a kernel nor a shape", "3X3"),
        ("3x3 conv (1.2.3)", "`1.2.3` is neither a number, a kernel nor a shape", "1.2.3"),
        ("3x3 conv (1e9999)", "`1e9999` is neither a number, a kernel nor a shape", "1e9999"),
        ("1 x", "the text ends where the name of an op or a block should", ""),
        ("3x3 conv (max(8, 4), 2)", "words stand between spaces, without commas", ","),
        ("3x3 conv ((8, 4))", "words stand between spaces, without commas", ","),
        ("3\u00d73 conv (96)", "`\u00d7` starts no word", "\u00d7"),
        ("3x3 conv (96) → 3x3x96", "`→` starts no word", "→"),
        ("3x3 conv\n(96)", "`\n` starts no word", "\n"),
        ("3x3 conv 96", "`96` stands where the step should end", "96"),
        ("3x3 conv (96))", "`)` stands where the step should end", ")"),
        ("relu -> 3x3x3 relu", "`relu` stands where the step should end", "relu"),
        ("conv (96) 3x3", "`3x3` stands where the step should end", "3x3"),
        ("3 x 3 conv (96)", "`3 x 3` is no kernel: that is one word", "3 x 3"),
        ("4 x x 3x3 conv (96)", "`x` stands there twice", "x"),
        ("(96)", "`(` stands where the name of an op or a block should", "("),
        ("-> 3", "`->` stands where the name of an op or a block should", "->"),
        ("t.a (96)", "`t.a` stands where the name of an op or a block should", "t.a"),
        ("", "the text ends where the name of an op or a block should", ""),
        ("3x3", "the text ends where the name of an op or a block should", ""),
        ("4 x", "the text ends where the name of an op or a block should", ""),
    ],
)
def test_a_text_that_is_no_step_is_pointed_at(text: str, message: str, where: str) -> None:
    assert refused(text) == (message, where)


def test_a_parenthesis_that_is_not_closed_is_refused() -> None:
    message, _ = refused("3x3 conv ((96)")
    assert message == "a parenthesis is not closed"


@pytest.mark.parametrize("text", ["relu -> 35x35", "relu -> a", "relu ->", "relu -> -3"])
def test_a_shape_note_is_a_map_or_a_vector(text: str) -> None:
    message, where = refused(text)
    assert "where a shape should" in message
    assert where == text[8:].removesuffix("3")


def test_x_has_spaces_in_a_count_and_none_in_a_kernel() -> None:
    assert parts("3 x conv")[:2] == ("3", "")
    assert parts("3x3 conv")[:2] == ("", "3x3")


def test_tokens_have_the_positions_of_their_characters() -> None:
    text = "4 x  inception (t.3a k = 2//3) -> 3x3x3"
    assert all(text[token.start : token.end] == token.text for token in tokenise(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2*in", "2 * in"),
        ("1 + 2 * 3", "1 + 2 * 3"),
        ("(1 + 2) * 3", "(1 + 2) * 3"),
        ("a - b - c", "a - b - c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a // b * c", "a // b * c"),
        ("((a))", "a"),
        ("0.17", "0.17"),
        ("-3", "-3"),
        ("-0.5 * a", "-0.5 * a"),
        ("a - -1", "a - -1"),
    ],
)
def test_expressions_group_as_in_python(text: str, shown: str) -> None:
    assert show(parse_expr(Reader(tokenise(text)))) == shown


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("-a", "`-` stands where a number or a name should", "-"),
        ("8 ** 2", "`*` stands where a number or a name should", "*"),
        ("8 + + 2", "`+` stands where a number or a name should", "+"),
        ("3x3", "`3x3` stands where a number or a name should", "3x3"),
        ("t.a", "`t.a` stands where a number or a name should", "t.a"),
        ("()", "`)` stands where a number or a name should", ")"),
        ("8 +", "the text ends where a number or a name should", ""),
    ],
)
def test_a_text_that_is_no_expression_is_pointed_at(text: str, message: str, where: str) -> None:
    with pytest.raises(StepSyntaxError) as caught:
        parse_expr(Reader(tokenise(text)))
    assert caught.value.message == message
    assert text[caught.value.start : caught.value.end] == where


def test_parsing_an_expression_stops_behind_it() -> None:
    reader = Reader(tokenise("2 * k stride"))
    parse_expr(reader)
    assert reader.take().text == "stride"


def test_numbers_are_exact() -> None:
    assert number(tokenise("0.1")[0]) == Decimal("0.1")
    assert number(tokenise("384")[0]) == 384
    with pytest.raises(StepSyntaxError, match="a number of more than 18 digits"):
        number(tokenise("9" * MAX_LENGTH)[0])


def test_a_shape_token_splits_into_its_sides() -> None:
    assert sides(Token("shape", "35x17x384", 0, 9)) == (35, 17, 384)
    with pytest.raises(StepSyntaxError):
        sides(Token("kernel", f"3x{'9' * 5000}", 0, 5002))


@pytest.mark.parametrize(
    "text",
    [
        "conv " + "(" * 5000,
        "conv (" + "a " * 5000 + ")",
        "x" * 1_000_000,
        "(" * 1_000_000,
        "conv (" + "1+" * 490 + "1)",
    ],
)
def test_a_text_beyond_the_limits_is_refused(text: str) -> None:
    with pytest.raises(StepSyntaxError, match="more than"):
        parse_step(text)


def test_a_text_at_the_limits_is_read() -> None:
    depth = MAX_BRACKETS - 1
    parse_step(f"conv ({'(' * depth}1{')' * depth})")
    with pytest.raises(StepSyntaxError, match=f"parentheses more than {MAX_BRACKETS} deep"):
        parse_step(f"conv ({'(' * (depth + 1)}1{')' * (depth + 1)})")
    words = MAX_WORDS - 3
    assert len(parse_step(f"conv ({'a ' * words})").words) == words
    with pytest.raises(StepSyntaxError, match=f"a step of more than {MAX_WORDS} words"):
        parse_step(f"conv ({'a ' * (words + 1)})")


@given(st.text(alphabet="34x.ak+-*/()=>, \tcon\u0661\x1b", max_size=60))
def test_any_text_is_a_step_or_refused_within_itself(text: str) -> None:
    try:
        step = parse_step(text)
    except StepSyntaxError as error:
        assert 0 <= error.start <= error.end <= len(text) + 1
    else:
        assert text[step.name.start : step.name.end] == step.name.text


def test_a_digit_of_another_script_is_no_number() -> None:
    message, where = refused("3x3 conv (\u0661)")
    assert message == "`\u0661` is neither a number, a kernel nor a shape"
    assert where == "\u0661"
