"""Any CSV becomes rows and labels; anything else is refused in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardloop.errors import InvalidInput
from rewardloop.worlds.classification import from_file
from rewardloop.worlds.labelled import read_labelled


@pytest.fixture
def csv(tmp_path):
    def write(text: str | bytes, name: str = "file.csv"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name

    return write


def test_numbers_words_and_missing_cells(csv):
    contexts, labels = read_labelled(csv("age,country,,_id,bought\n31, de ,7,a,yes\n,NA,8,b,no\n40,fr,?,c,\n"))
    assert labels == ["yes", "no"]
    assert contexts == [{"age": 31.0, "country": "de", "column_3": 7.0, "id": "a"}, {"column_3": 8.0, "id": "b"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_usual_delimiter_quotes_and_a_byte_order_mark(csv, delimiter):
    rows = [['"the, x"', '"y"'], ['"1;5|\t,"', "a"], ['"say ""no"""', "b"]]
    file = csv("\ufeff" + "\r\n".join(delimiter.join(row) for row in rows))
    assert read_labelled(file) == ([{"the, x": "1;5|\t,"}, {"the, x": 'say "no"'}], ["a", "b"])


def test_the_label_column_can_be_any_and_its_own_name_is_kept(csv):
    assert read_labelled(csv("y,x,x\n1,2,3\n"), "y") == ([{"x": 2.0, "x_3": 3.0}], ["1"])
    with pytest.raises(InvalidInput, match="did you mean `label`"):
        read_labelled(csv("label,x\n1,2\n"), "labl")


def test_a_column_with_one_word_in_it_is_of_words(csv):
    assert read_labelled(csv("size,y\n1,a\nbig,b\n")).contexts == [{"size": "1"}, {"size": "big"}]


WRONG = {
    "empty": (b"", "got 0 -"),
    "one column": (b"x\n1\n2\n", "got 1 -"),
    "no rows": (b"x,y\n", "found none"),
    "one class": (b"x,y\n" + b"1,a\n" * 9, "a single class"),
    "an id as label": (b"x,y\n" + b"".join(b"1,%d\n" % i for i in range(500)), "500 different values"),
    "too few rows": (b"x,y\n1,a\n2,b\n", "at least 2 classes with 3 rows"),
    "bytes": (bytes(range(256)), "no UTF-8"),
    "zero bytes": (b"a,b\n1,\0\n", "zero byte"),
    "JSON": (b'{"a": 1}\n{"a": 2}\n', "got 1 -"),
    "ragged": (b"a,b\n1,2\n1,2,3\n", "row 3"),
    "huge numbers": (b"a,b\n1e300,x\n", "1e300|1e.300"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_world_is_refused_in_one_sentence(csv, kind):
    content, said = WRONG[kind]
    with pytest.raises(InvalidInput, match=said) as refused:
        from_file(csv(content))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("path", ["none.csv", "."])
def test_what_is_no_file(tmp_path, path):
    with pytest.raises(InvalidInput, match="Cannot read"):
        from_file(tmp_path / path)


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)
    try:
        rows = read_labelled(file)
    except InvalidInput:
        return
    assert len(rows.contexts) == len(rows.labels) > 0


def test_a_world_knows_what_others_would_earn(csv):
    world = from_file(csv("x,y\n" + "0,no\n" * 60 + "1,yes\n" * 30))
    references = world.references()
    assert (references.uniform, round(references.best_fixed, 3), references.skyline) == (0.5, 0.667, 1.0)
    assert world.actions == ("no", "yes")


def test_a_skyline_is_never_below_the_best_fixed_arm(csv):
    rare = from_file(csv("x,y\n" + "0,no\n" * 5000 + "0,yes\n" * 3))
    assert rare.references().skyline == rare.references().best_fixed
