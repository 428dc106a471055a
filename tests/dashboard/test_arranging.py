from __future__ import annotations

import math

from optiscope.dashboard.arranging import group_rows, sort_rows

ROWS = [
    {"name": "c", "config": {"lr": 0.1, "seed": 1}, "last": {"loss": math.nan}, "group": "x"},
    {"name": "a", "config": {"lr": 0.01, "seed": 2}, "last": {"loss": 2.0}, "group": "x"},
    {"name": "B", "config": {"lr": "auto"}, "last": {"loss": 1.0}, "group": "y"},
    {"name": "d", "config": {}, "last": {}, "group": "z"},
]


def names(rows):
    return [row["name"] for row in rows]


def test_numbers_come_before_texts_and_missing_values_last_in_either_direction():
    assert names(sort_rows(ROWS, "lr")) == ["a", "c", "B", "d"]
    assert names(sort_rows(ROWS, "lr", descending=True)) == ["B", "c", "a", "d"]
    assert names(sort_rows(ROWS, "loss")) == ["B", "a", "c", "d"]
    assert names(sort_rows(ROWS, "loss", descending=True)) == ["a", "B", "c", "d"]
    assert names(sort_rows(ROWS, "name")) == ["a", "B", "c", "d"]


def test_pinned_runs_come_first():
    rows = [*ROWS, {"name": "e", "pinned": True, "config": {"lr": 5}}]
    assert names(sort_rows(rows, "lr"))[0] == "e"
    assert names(sort_rows(rows, "lr", descending=True))[0] == "e"


def test_equal_values_stay_in_order():
    rows = [{"name": str(number), "status": "finished"} for number in range(5)]
    assert sort_rows(rows, "status") == rows
    assert sort_rows(rows, "status", descending=True) == rows


def test_runs_are_grouped_by_what_they_share():
    assert [(group.value, group.names) for group in group_rows(ROWS)] == [
        ("x", ("c", "a")),
        ("y", ("B",)),
        ("z", ("d",)),
    ]
    assert [group.value for group in group_rows(ROWS, "seed")] == [1, 2, None]
    by_loss = group_rows([*ROWS, {"name": "f", "last": {"loss": math.nan}}], "loss")
    assert [group.names for group in by_loss] == [("c", "f"), ("a",), ("B",), ("d",)]


def test_true_is_another_setting_than_one_and_lists_are_settings():
    rows = [{"name": str(k), "config": {"x": x}} for k, x in enumerate([True, 1, 1.0, "1", [1], [1]])]
    assert [group.names for group in group_rows(rows, "x")] == [("0",), ("1", "2"), ("3",), ("4", "5")]
