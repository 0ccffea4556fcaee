"""Dotted paths, taken apart in one place."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_dsl.ir import Path

names = st.lists(st.sampled_from(["a", "b10", "conv2", "0", "12"]), max_size=5)


def test_a_path_is_taken_apart() -> None:
    path = Path("inception_c.0.b3x3dbl.conv2")
    assert path.names == ("inception_c", "0", "b3x3dbl", "conv2")
    assert path.name == "conv2"
    assert path.first == "inception_c"
    assert path.parent == "inception_c.0.b3x3dbl"
    assert list(path.parents) == ["inception_c.0.b3x3dbl", "inception_c.0", "inception_c"]
    assert path.without_copies == "inception_c.b3x3dbl.conv2"


def test_a_copy_has_an_index_and_a_step() -> None:
    assert Path("inception_c.11").copy == 11
    assert Path("inception_c.11").step == "inception_c"
    assert Path("inception_c").copy is None
    assert Path("inception_c").step == "inception_c"
    assert Path("b10").copy is None


def test_the_empty_path_holds_all_others() -> None:
    assert Path().names == ()
    assert Path().parent == ""
    assert list(Path().parents) == []
    assert Path() / "a" == "a"
    assert Path("a") / "" == "a"
    assert Path("a").is_below("")
    assert not Path().is_below("")


def test_a_name_that_begins_like_another_is_not_below_it() -> None:
    assert Path("stem.conv").is_below("stem")
    assert not Path("stem2.conv").is_below("stem")
    assert not Path("stem").is_below("stem")
    assert Path("stem").is_within("stem")
    with pytest.raises(ValueError, match="does not lie within"):
        Path("stem2.conv").relative_to("stem")


@given(names, names)
def test_a_joined_path_splits_again(above: list[str], below: list[str]) -> None:
    holder, rest = Path(".".join(above)), Path(".".join(below))
    path = holder / rest
    assert path.names == (*above, *below)
    assert path.relative_to(holder) == rest
    assert path.is_below(holder) == bool(below)
    assert all(path.is_below(parent) for parent in path.parents)
    if path.names:
        assert path.parent / path.name == path
        assert path.step / ("" if path.copy is None else path.copy) == path


@given(names)
def test_a_path_is_a_string_that_stays_a_path(parts: list[str]) -> None:
    path = Path(".".join(parts))
    assert path == ".".join(parts)
    assert hash(path) == hash(".".join(parts))
    for twin in (copy.deepcopy(path), pickle.loads(pickle.dumps(path))):
        assert type(twin) is Path
        assert twin == path
