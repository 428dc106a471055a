from __future__ import annotations

import numpy as np
import pytest

from optiscope.rendering.report.facts import facts
from optiscope.runs import Series


def a_series(values: list[float] | list[list[float]], labels: tuple[str, ...] = ()) -> Series:
    array = np.array(values, dtype=np.float64)
    rows = np.arange(1, len(array) + 1)
    return Series(name="loss", steps=rows, seconds=rows / 10, values=array, labels=labels)


def test_the_extremes_are_finite_and_found_with_their_steps() -> None:
    one = facts(a_series([np.inf, 3.0, 1.0, np.nan, 2.0]))
    assert (one.minimum, one.minimum_step) == (1.0, 3)
    assert (one.maximum, one.maximum_step) == (3.0, 2)
    assert (one.nonfinite, one.first_nonfinite_step) == (2, 1)
    assert (one.first, one.last) == (np.inf, 2.0)
    assert (one.first_step, one.last_step, one.rows, one.labels) == (1, 5, 5, 0)


def test_an_extreme_of_a_layer_names_the_layer() -> None:
    one = facts(a_series([[1.0, 5.0], [0.5, 7.0]], labels=("a", "b")))
    assert (one.minimum, one.minimum_step, one.minimum_label) == (0.5, 2, "a")
    assert (one.maximum, one.maximum_step, one.maximum_label) == (7.0, 2, "b")
    assert one.first is one.last is one.recent is None


def test_the_recent_value_is_the_mean_of_the_last_twentieth() -> None:
    assert facts(a_series([float(value) for value in range(100)])).recent == pytest.approx(np.mean(range(95, 100)))


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_without_a_finite_value_there_are_no_extremes(values: list[float]) -> None:
    one = facts(a_series(values))
    assert one.minimum is one.maximum is one.recent is None
    assert one.rows == len(values) == one.nonfinite
