"""YAML text to a tree: which YAML a spec may be, and where every part of it stands."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import NET, Project

from inception_dsl.bounds import MAX_BYTES
from inception_dsl.diagnostics import Diagnostic, SpecError, render
from inception_dsl.source import Source
from inception_dsl.spec.places import plain
from inception_dsl.spec.tree import Mapping, Scalar, Sequence, Tree, parse_tree


def tree(text: str) -> Tree:
    return parse_tree(Source("net.yaml", text))


def value(text: str) -> Any:
    """Return the value of the key `a` of a document."""
    return plain(tree(text))["a"]


def refused(text: str) -> Diagnostic:
    """The only finding in a document."""
    with pytest.raises(SpecError) as caught:
        tree(text)
    (found,) = caught.value.diagnostics
    return found


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "n", "tRUE", "1_000", "1:30"])
def test_words_that_yaml_1_1_reads_as_values_are_text(text: str) -> None:
    assert value(f"a: {text}\n") == text


@pytest.mark.parametrize("text", ["3x3", "0b11", "2001-01-01", "1e", "e5", ".", "nULL", "x"])
def test_a_text_that_only_looks_like_a_number_is_text(text: str) -> None:
    assert value(f"a: {text}\n") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-3", -3),
        ("+3", 3),
        ("999999999999999999", 10**18 - 1),
        ("-999999999999999999", 1 - 10**18),
        ("0.17", Decimal("0.17")),
        ("1e-3", Decimal("0.001")),
        ("1E+3", Decimal(1000)),
        (".5", Decimal("0.5")),
        ("1.", Decimal(1)),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, expected: object) -> None:
    found = value(f"a: {text}\n")
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("text", ["'1'", '"1"', "'true'", "'~'", '""', "'1e-3'", "|\n  1\n"])
def test_a_quoted_scalar_is_text(text: str) -> None:
    assert isinstance(value(f"a: {text}\n"), str)


def test_a_key_is_text() -> None:
    assert list(plain(tree("3e1: 1\n1: 2\ntrue: 3\n'~': 4\n"))) == ["3e1", "1", "true", "~"]


@pytest.mark.parametrize("text", ["0x1F", "0o17", "010", "-010", "00", ".inf", "-.Inf", ".nan"])
def test_numbers_that_readers_read_differently_are_refused(text: str) -> None:
    found = refused(f"a: 1\nb: {text}\n")
    assert found.code == "E005"
    assert found.message == f"`{text}` means different numbers to different readers"
    assert found.labels[0].span.text == text
    assert found.labels[0].span.place == "net.yaml:2:4"


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, "0." + "1" * 5000, "9" * 19])
def test_a_number_of_too_many_digits_is_refused(text: str) -> None:
    found = refused(f"a: {text}\n")
    assert (found.code, found.message) == ("E106", "a number of more than 18 digits")
    assert found.labels[0].span.text == text


@pytest.mark.parametrize(
    ("text", "message", "underlined", "place"),
    [
        ("a: &x 1\n", "anchors and aliases", "&x 1", "1:4"),
        ("b: 1\na: *x\n", "anchors and aliases", "*x", "2:4"),
        ("&x a: 1\n", "anchors and aliases", "&x a", "1:1"),
        ("a: {<<: {b: 1}}\n", "merge keys", "<<", "1:5"),
        ("a: !!str 1\n", "tags", "!!str 1", "1:4"),
        ("a: [!x y]\n", "tags", "!x y", "1:5"),
        ("!!str a: 1\n", "tags", "!!str a", "1:1"),
    ],
)
def test_features_that_a_spec_does_not_need_are_refused(
    text: str, message: str, underlined: str, place: str
) -> None:
    found = refused(text)
    assert found.code == "E005"
    assert found.message == f"{message} are not part of the language"
    assert found.labels[0].span.text == underlined
    assert found.labels[0].span.place == f"net.yaml:{place}"


def test_a_quoted_merge_key_is_a_key() -> None:
    assert value('a: {"<<": 1}\n') == {"<<": 1}


def test_every_duplicate_key_is_told_with_both_places() -> None:
    with pytest.raises(SpecError) as caught:
        tree('a: 1\n1: {b: 1, b: 2}\na: 3\n"1": 4\na: 5\n')
    places = [[label.span.place for label in d.labels] for d in caught.value.diagnostics]
    assert {d.code for d in caught.value.diagnostics} == {"E004"}
    assert sorted(places) == [
        ["net.yaml:2:11", "net.yaml:2:5"],
        ["net.yaml:3:1", "net.yaml:1:1"],
        ["net.yaml:4:1", "net.yaml:2:1"],
        ["net.yaml:5:1", "net.yaml:1:1"],
    ]


def test_a_duplicate_key_is_rendered_with_both_lines() -> None:
    with pytest.raises(SpecError) as caught:
        tree("network: relu\nname: net\nnetwork: relu6\n")
    assert (
        render(caught.value.diagnostics)
        == """\
error[E004]: `network` is here twice
 --> net.yaml:3:1
  |
1 | network: relu
  | ------- first
3 | network: relu6
  | ^^^^^^^ again
"""
    )


@pytest.mark.parametrize("text", ["[" * 64 + "]" * 64, "{a: " * 64 + "1" + "}" * 64])
def test_64_levels_are_read(text: str) -> None:
    tree(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("[" * 65 + "]" * 65, 65),
        ("[" * 900, 65),
        ("{a: " * 65 + "1" + "}" * 65, 257),
        ("- " * 100_000 + "1\n", 129),
        ("[{a: " * 40 + "1" + "}]" * 40, 161),
    ],
)
def test_65_levels_are_refused_whatever_is_below(text: str, column: int) -> None:
    found = refused(text)
    assert (found.code, found.message) == ("E003", "nested more than 64 levels deep")
    assert found.labels[0].span.column == column


@pytest.mark.parametrize("text", ["[" * 1_000_000, "{a: " * 100_000])
def test_nesting_beyond_libyamls_own_bound_is_refused_alike(text: str) -> None:
    """Its newer versions give up while they read ahead of the first level."""
    found = refused(text)
    assert (found.code, found.message) == ("E003", "nested more than 64 levels deep")
    assert found.labels[0].span.column >= 65


@pytest.mark.parametrize("text", ["", "\n \n", "# nothing but a comment\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    found = refused(text)
    assert (found.code, found.message) == ("E002", "the file is empty")


def test_one_document_may_be_marked() -> None:
    assert value("%YAML 1.2\n---\na: on\n...\n") == "on"


def test_a_second_document_is_refused_where_it_starts() -> None:
    found = refused("a: 1\n---\nb: 2\n")
    assert found.code == "E002"
    assert found.message == "a spec is one YAML document; a second one starts here"
    assert found.labels[0].span.place == "net.yaml:2:1"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2\n", "2:1"),
        ("a: 1\n b: 2\n", "2:2"),
        ("a:\n\tb: 1\n", "2:1"),
        ("a: @x\n", "1:4"),
        ('a: "\\q"\n', "1:5"),
        ('a: "\\ud800"\n', "1:7"),
        ("? [a]\n: 1\n", "1:3"),
        ("{a: 1}: 2\n", "1:1"),
    ],
)
def test_a_text_that_is_not_yaml_is_pointed_at(text: str, place: str) -> None:
    found = refused(text)
    assert found.code == "E002"
    assert found.labels[0].span.place == f"net.yaml:{place}"


def test_no_phrase_of_libyaml_reaches_a_person() -> None:
    """Characters that mean something to YAML, at every place of a text, tell a fault of ours."""
    text = "a: [x, 'y z']\nb:\n  - c: {d: \"e\"}\n  - f\n"
    problems = set()
    for place in range(len(text)):
        for char in "[]{},:'\"\\@%&*!|>?\t\n#- ":
            for wrong in (text[:place] + char + text[place:], text[:place] + char):
                try:
                    list(yaml.parse(wrong, Loader=yaml.CLoader))
                except yaml.MarkedYAMLError as error:
                    assert error.problem is not None
                    problems.add(error.problem)
                    found = refused(wrong)
                    assert found.code in ("E002", "E004", "E005"), wrong
                    assert error.problem not in found.message, wrong
                    assert found.message != "this is not YAML", (wrong, error.problem)
    assert len(problems) > 10


def test_text_with_a_colon_is_told_to_be_quoted() -> None:
    found = refused("a: 1\ntitle: Inception-v4: the stem\n")
    assert found.code == "E002"
    assert found.labels[0].span.line == 2
    assert found.help is not None
    assert "quote" in found.help


@pytest.mark.parametrize("char", ["\x00", "\x01", "\x1b", "\x7f"])
def test_a_control_character_is_refused_where_it_stands(char: str) -> None:
    found = refused(f"a: 1\nb: Zürich {char}[31m\n")
    assert found.code == "E002"
    assert found.labels[0].span.place == "net.yaml:2:11"
    assert char not in render([found])


def test_spans_are_exact() -> None:
    text = "# Zürich\na: {b: [x, 'y z', \"w\"], ключ: 😀 1}\nc: -3\n"
    found = tree(text)
    assert isinstance(found, Mapping)
    inner = found.items["a"].value
    assert isinstance(inner, Mapping)
    assert inner.span.text == "{b: [x, 'y z', \"w\"], ключ: 😀 1}"
    items = inner.items["b"].value
    assert isinstance(items, Sequence)
    assert items.span.text == "[x, 'y z', \"w\"]"
    assert [item.span.text for item in items.items] == ["x", "'y z'", '"w"']
    assert [item.text.text for item in items.items if isinstance(item, Scalar)] == ["x", "y z", "w"]
    assert inner.items["ключ"].key.text == "ключ"
    assert inner.items["ключ"].value.span.text == "😀 1"
    assert inner.items["ключ"].value.span.place == "net.yaml:2:31"
    assert found.items["c"].key.place == "net.yaml:3:1"
    assert found.items["c"].value.span.text == "-3"


def test_lines_may_end_as_on_windows() -> None:
    found = tree("a: 1\r\nb: [x,\r\n  y]\r\nc: z\r\n")
    assert plain(found) == {"a": 1, "b": ["x", "y"], "c": "z"}
    assert isinstance(found, Mapping)
    span = found.items["c"].value.span
    assert (span.place, span.text, span.source.line(4)) == ("net.yaml:4:4", "z", "c: z")


def test_a_byte_order_mark_moves_no_column(project: Project) -> None:
    project.write(NET, "\ufeffinception: 1\nname: net\ninput: 3x3x3\nnetwork: relu\n")
    project.check()
    project.write(NET, "\ufeffinceptio: 1\ninception: 1\nname: net\ninput: 3x3x3\nnetwork: relu\n")
    (found,) = project.findings()
    assert (found.labels[0].span.place, found.labels[0].span.text) == (f"{NET}:1:1", "inceptio")


def test_a_file_of_5_mb_is_read_and_a_larger_one_refused(project: Project) -> None:
    text = "inception: 1\nname: net\ninput: 3x3x3\nnetwork: relu\n#"
    project.write(NET, text + "x" * (MAX_BYTES - len(text)))
    project.check()
    project.write(NET, text + "x" * (MAX_BYTES - len(text) + 1))
    assert project.rendering() == f"error[E003]: `{NET}` is larger than 5,000,000 bytes\n"


def test_bytes_that_are_not_utf8_are_refused(project: Project) -> None:
    path: Path = project.write(NET, "")
    path.write_bytes(b"inception: 1\nname: \xff\n")
    assert project.rendering() == (
        f"error[E001]: `{NET}` is not UTF-8: byte 19 starts no character\n"
    )


@pytest.mark.parametrize("text", ["- 1\n", "hello\n", "---\n", "3\n"])
def test_a_spec_is_a_mapping(text: str, project: Project) -> None:
    project.write(NET, text)
    (found,) = project.findings()
    assert found.code == "E103"
    assert found.message == (
        "a spec is a mapping of keys such as `inception`, `input` and `network`"
    )
