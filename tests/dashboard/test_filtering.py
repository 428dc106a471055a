from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiscope.dashboard.filtering import DEEPEST, QueryError, known_names, parse_query
from optiscope.dashboard.query_tokens import LONGEST_QUERY
from optiscope.errors import ArgumentError

ROW = {
    "name": "adam-small",
    "status": "finished",
    "started": "2026-11-21T12:00:00+00:00",
    "duration": 12.5,
    "steps": 100,
    "tags": ["sweep", "Best run"],
    "note": "second try",
    "pinned": True,
    "overhead": 0.02,
    "seed": None,
    "optimizer": "SGD",
    "model": "LeNet",
    "config": {
        "lr": 0.003,
        "optimizer": "Adam",
        "amsgrad": False,
        "clip": None,
        "betas": [0.9, 0.999],
        "data.size": 1000,
        "limit": "Infinity",
        "name": "inner",
        "learning-rate": 2,
    },
    "hyperparameters": {"momentum": 0.9},
    "last": {"loss": 0.5, "val/loss": math.nan, "my metric": 3.0},
    "best": {"loss": 0.25},
}


def holds(text: str, row=ROW) -> bool:
    return parse_query(text).matches(row)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        'lr < 1e-2 and optimizer == "adam"',
        "lr<1e-2",
        "lr<=3e-3 lr>=.003",
        "lr == 0.003",
        "lr = 3e-3",
        "lr != 1",
        "1e-3 < lr < 1e-2",
        "1e-2 > lr",
        "optimizer == adam",
        "optimizer = 'ADAM'",
        "optimizer in [adam, sgd]",
        'optimizer in ("adam", "sgd",)',
        "optimizer not in [sgd, 3]",
        "optimizer NOT IN [sgd]",
        "steps in [100, 200]",
        "amsgrad == false",
        "not amsgrad == true",
        "pinned = true",
        "clip == none",
        "betas contains 0.9",
        "0.999 in betas",
        "tags contains sweep",
        "tag = sweep",
        '"best run" in tags',
        "tags in [other, sweep]",
        "name contains SMALL",
        "'small' in name",
        "name ~ ^adam-",
        'name ~ "^adam-(small|large)$"',
        "tags ~ '^Best'",
        "note contains try",
        "status == finished",
        "seconds > 12",
        "started > 2026-01-01",
        "data.size >= 1000",
        "config.data.size == 1000",
        "config.name == inner",
        "name == adam-small",
        "loss == 0.5",
        "last.loss == .5",
        "best.loss == 0.25",
        "best.loss < last.loss",
        "loss < lr or best.loss < loss",
        "val/loss == nan",
        "limit == inf",
        "limit > 1e300",
        "`my metric` == 3",
        "momentum == 0.9",
        "model == lenet",
        "learning-rate == 2",
        "adam",
        "small SWEEP",
        "'best r'",
        "nothing or adam",
        "not nothing",
        "adam and not (sgd or momentum)",
        "((adam))",
        "lr > 1 or lr < 1 and steps == 100",
        "overhead < 0.05",
        "1_000 == data.size",
    ],
)
def test_these_queries_hold(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "lr > 1e-2",
        'lr < 1e-2 and optimizer == "sgd"',
        "(lr > 1 or lr < 1) and steps == 7",
        "not adam",
        "missing",
        "amsgrad == 0",
        "amsgrad == none",
        "amsgrad < 1",
        "optimizer < 3",
        "optimizer == 3",
        "steps contains 1",
        "val/loss < 1",
        "val/loss > 1",
        "val/loss != nan",
        "1e-3 < lr < 2e-3",
        "name ~ ^small",
        "name ~ ADAM",
        "tags != sweep",
        "tags not in [sweep]",
        "clip < 1",
    ],
)
def test_these_queries_do_not_hold(text):
    assert not holds(text)


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">=", "~", "contains", "in", "not in"])
def test_a_value_that_is_missing_makes_every_comparison_false(operator):
    value = "[1]" if "in" in operator.split() else "'1'"
    assert not holds(f"absent {operator} {value}")
    assert holds(f"not absent {operator} {value}")
    assert not holds(f"seed {operator} {value}")


def test_and_binds_more_tightly_than_or_and_not_more_tightly_than_both():
    row = {"config": {"a": 1, "b": 0, "c": 0}}
    assert holds("a == 1 or b == 1 and c == 1", row)
    assert not holds("(a == 1 or b == 1) and c == 1", row)
    assert holds("not b == 1 and a == 1", row)
    assert not holds("not (b == 0 and a == 1)", row)


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("lr <", 4, "value is missing before the end"),
        ("lr < < 3", 5, "value is missing"),
        ("and lr < 3", 0, "value is missing"),
        ("lr < 3 and", 10, "value is missing"),
        ("(lr < 3", 0, "never closed"),
        ("lr < 3)", 6, "does not belong here"),
        ('name == "adam', 8, "never closed"),
        ("name == `adam", 8, "never closed"),
        ("!adam", 0, "'not'"),
        ("a == 1 && b == 2", 7, "Write 'and'"),
        ("a == 1 || b == 2", 7, "Write 'or'"),
        ("name ~ '('", 5, "no regular expression"),
        ("name ~ 3", 5, "in quotes"),
        ("1 < 2", 2, "Neither side is a name"),
        ("'a' == 'b'", 4, "Neither side is a name"),
        ("optimizer in 3", 10, "Write a list"),
        ("optimizer in [adam sgd]", 19, "comma"),
        ("optimizer in [adam", 13, "never closed"),
        ("optimizer in [adam, [sgd]]", 20, "numbers and texts"),
        ("[1, 2]", 0, "on the right of 'in'"),
        ("`lr`", 0, "compared with nothing"),
        ("`` == 3", 0, "no name"),
        ("a ]", 2, "does not belong"),
    ],
)
def test_an_error_points_at_its_place_and_says_what_is_valid(text, position, said):
    with pytest.raises(QueryError, match=said) as caught:
        parse_query(text)
    assert caught.value.position == position
    *_, shown, caret = str(caught.value).split("\n")
    assert shown == f"  {text}"
    assert caret.index("^") == position + 2
    assert isinstance(caught.value, ArgumentError)


def test_an_unknown_name_is_told_with_the_nearest_when_the_names_are_given():
    names = known_names([ROW])
    with pytest.raises(QueryError, match="Did you mean 'optimizer'") as caught:
        parse_query("lr < 1 and optimiser == adam", names)
    assert caught.value.position == 11
    with pytest.raises(QueryError, match=r"Did you mean 'data\.size'"):
        parse_query("size > 3", names)
    with pytest.raises(QueryError, match=r"Valid: .*duration"):
        parse_query("qqqq > 3", names)
    parse_query("lr < 1 and best.loss < 1 and config.lr < 2 and words that are searched", names)
    assert parse_query("qqqq > 3").matches(ROW) is False


def test_known_names_are_those_of_all_rows():
    names = known_names([ROW, {"config": {"other": 1}}])
    assert {"name", "status", "tags", "lr", "config.lr", "other", "loss", "last.loss", "best.loss"} <= set(names)
    assert len(names) == len(set(names))
    assert "status" in known_names([])


def test_a_query_tells_its_names_once():
    assert parse_query("a < 1 and (b == c or not a > 2) and word and d < e").names == ("a", "b", "d", "e")


def test_queries_are_bounded():
    with pytest.raises(QueryError, match="at most 2000"):
        parse_query("a" * (LONGEST_QUERY + 1))
    parse_query("(" * (DEEPEST - 1) + "a" + ")" * (DEEPEST - 1))
    for deep in ("(" * 900 + "a" + ")" * 900, "not " * 450 + "a"):
        with pytest.raises(QueryError, match="lie in one another"):
            parse_query(deep)
    many = parse_query(" or ".join(["a<1"] * 280))
    assert many.matches({"config": {"a": 0}})


def test_a_query_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse_query("a").text = "b"


WORDS = "lr loss name tags betas 1e-2 'a' \"b `c` < == != ~ in not and or contains ( ) [ ] , true none adam ^a ! && nan"
FRAGMENTS = st.sampled_from(WORDS.split())


@given(st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, max_size=12).map(" ".join)))
def test_any_text_is_a_query_or_an_error_with_a_place(text):
    error = query = None
    try:
        query = parse_query(text)
    except QueryError as raised:
        error = raised
    if query is None:
        assert 0 <= error.position <= len(text)
        assert "^" in str(error)
    else:
        assert isinstance(query.matches(ROW), bool)
        assert isinstance(query.matches({}), bool)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_compare_as_python_compares_them(value, other):
    row = {"config": {"x": value}}
    assert holds(f"x < {other!r}", row) == (value < other)
    assert holds(f"x >= {other!r}", row) == (value >= other)
    assert holds(f"x == {other!r}", row) == (value == other)
    assert holds(f"x != {other!r}", row) == (value != other)
