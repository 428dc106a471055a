from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures.curves import curves
from tests.figures.made_series import series


def subtitle(figure):
    return figure.layout.title.subtitle.text.replace("<br>", " ")


def test_a_line_has_every_value_of_a_short_series():
    figure = curves(series([3.0, 2.0, 1.0]))
    assert list(figure.data[0].y) == [3.0, 2.0, 1.0]
    assert list(figure.data[0].x) == [1, 2, 3]
    assert figure.layout.yaxis.title.text == "loss"
    assert figure.layout.xaxis.title.text == "step"


def test_values_that_are_not_finite_leave_a_gap_and_a_mark_above_all_values():
    figure = curves(series([1.0, np.nan, 5.0, np.inf]))
    line, marks = figure.data
    assert np.isnan(line.y[1])
    assert np.isnan(line.y[3])
    assert list(marks.x) == [2, 4]
    assert min(marks.y) > 5.0
    assert marks.name == "not finite (2 values)"
    assert "NaN" in marks.text[0]
    assert "+∞" in marks.text[1]


def test_marks_count_the_values_that_they_stand_for():
    values = np.ones(100_000)
    values[500:700] = np.nan
    marks = curves(series(values)).data[-1]
    assert marks.name == "not finite (200 values)"
    assert len(marks.x) < 100


def test_a_series_without_any_finite_value_is_drawn_and_says_so():
    figure = curves(series([np.nan, np.nan]))
    assert len(figure.data[1].x) == 2
    assert "No value is finite." in subtitle(figure)


def test_a_thinned_line_says_so_and_keeps_its_spike():
    values = np.ones(50_000)
    values[31_234] = 99.0
    figure = curves(series(values), smoothing=0.0)
    assert "At most 4,000 of 50,000" in subtitle(figure)
    assert max(figure.data[0].y) == 99.0
    assert len(figure.data[0].y) <= 4000


def test_a_smoothed_line_keeps_the_recorded_values_faintly():
    noisy = np.random.default_rng(0).normal(5, 1, 1000)
    figure = curves(series(noisy))
    raw, smooth = figure.data
    assert raw.line.color.endswith("0.28)")
    np.testing.assert_allclose(raw.y, noisy)
    assert np.std(smooth.y) < 0.5 * np.std(noisy)
    assert "recorded values are faint" in subtitle(figure)


def test_a_smooth_series_is_not_smoothed():
    assert len(curves(series(np.exp(-np.arange(1000) / 100))).data) == 1


def test_positive_values_over_two_decades_get_a_logarithmic_axis():
    assert curves(series([1.0, 1e-3])).layout.yaxis.type == "log"
    assert curves(series([1.0, 0.5])).layout.yaxis.type == "linear"
    assert curves(series([1.0, 1e-3, -1.0])).layout.yaxis.type == "linear"


def test_values_that_a_logarithmic_axis_cannot_show_are_said():
    assert "zero and less" in subtitle(curves(series([1.0, 0.0]), scale="log"))


def test_a_symmetric_logarithmic_axis_mirrors_signs_and_keeps_order():
    values = np.array([-100.0, -1.0, 0.0, 1.0, 100.0])
    figure = curves(series(values), scale="symlog")
    drawn = np.array(figure.data[0].y)
    np.testing.assert_allclose(drawn, -drawn[::-1])
    assert (np.diff(drawn) > 0).all()
    assert list(figure.data[0].customdata) == list(values)
    assert "0" in figure.layout.yaxis.ticktext


def test_runs_are_named_and_coloured_by_themselves():
    several = [series([1.0, 2.0], run_name=name) for name in ("sgd", "adam")]
    figure = curves(several, colours={"adam": "#112233"})
    assert [line.name for line in figure.data] == ["sgd", "adam"]
    assert figure.data[1].line.color == "#112233"
    assert figure.data[0].line.color == curves(several[0]).data[0].line.color


def test_other_timelines_are_drawn_with_their_unit():
    figure = curves(series([1.0, 2.0]), timeline="seconds")
    assert list(figure.data[0].x) == [0.5, 1.0]
    assert figure.layout.xaxis.title.text == "time since start (s)"
    with pytest.raises(UnknownName, match="timeline"):
        curves(series([1.0, 2.0]), timeline="epoch")


def test_what_cannot_be_a_curve_is_refused():
    with pytest.raises(ArgumentError, match="value per label"):
        curves(series(np.ones((3, 2)), labels=("a", "b")))
    with pytest.raises(ArgumentError, match="at least one series"):
        curves([])
    with pytest.raises(UnknownName, match="Did you mean 'log'"):
        curves(series([1.0]), scale="logg")
