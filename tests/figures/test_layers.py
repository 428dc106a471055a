from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.figures.layer_heatmap import layer_heatmap
from optiscope.figures.layers import layers
from optiscope.figures.learning_rate import learning_rate
from optiscope.figures.update_ratio import update_ratio
from tests.figures.made_series import series

NAMES = ("first", "second", "third")


def norms(rows=5, name="gradient_norm"):
    return series(10.0 ** -np.arange(rows * 3.0).reshape(rows, 3), name=name, labels=NAMES)


def maps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_two_hundred_layers_have_a_legend_that_can_be_read_and_a_page_that_loads():
    many = series(
        np.random.default_rng(0).uniform(1, 2, (5000, 200)),
        name="gradient_norm",
        labels=[f"layer{k}" for k in range(200)],
    )
    figure = layers(many)
    named = [line.name for line in figure.data if line.showlegend]
    assert len(named) == 10
    assert named[0] == "layer0"
    assert named[-1] == "layer199"
    assert "The legend names 10 of 200" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert sum(len(line.x) for line in figure.data) < 100_000


def test_lines_of_layers_are_coloured_by_depth():
    colours = [line.line.color for line in layers(norms()).data]
    assert len(set(colours)) == 3


def test_the_map_has_the_first_layer_on_top_and_logarithms_as_colours():
    figure = layer_heatmap(norms())
    (cells,) = maps(figure)
    assert list(cells.y) == list(NAMES)
    assert figure.layout.yaxis.autorange == "reversed"
    np.testing.assert_allclose(cells.z, np.log10(norms().values).T)
    assert figure.layout.showlegend is False


def test_cells_that_are_nan_infinite_zero_or_absent_have_colours_and_names_of_their_own():
    given = norms()
    given.values[0, 0], given.values[1, 1], given.values[2, 2], given.values[3, 0] = np.nan, np.inf, 0.0, np.nan
    counted = series(np.zeros((5, 3)), name="gradient_nonfinite", labels=NAMES)
    counted.values[3, 0] = np.nan
    figure = layer_heatmap(given, nonfinite=counted)
    cells, broken, zero, absent = maps(figure)
    assert np.argwhere(np.nan_to_num(broken.z)).tolist() == [[0, 0], [1, 1]]
    assert np.argwhere(np.nan_to_num(zero.z)).tolist() == [[2, 2]]
    assert np.argwhere(np.nan_to_num(absent.z)).tolist() == [[0, 3]]
    assert np.isnan(cells.z).sum() == 4
    named = [trace.name for trace in figure.data if trace.showlegend is not False and trace.type == "scatter"]
    assert named == ["not finite (NaN or ∞)", "exactly 0", "nothing to measure"]


def test_cosines_have_diverging_colours_from_minus_one_to_one():
    (cells,) = maps(layer_heatmap(series([[0.5, -0.2]], name="update_gradient_cosine", labels=("a", "b"))))
    assert (cells.zmin, cells.zmax) == (-1.0, 1.0)


def test_a_long_run_keeps_the_largest_value_and_every_broken_cell():
    values = np.random.default_rng(0).uniform(1e-3, 1e-1, (9001, 2))
    values[4321, 0], values[8888, 1] = 50.0, np.nan
    figure = layer_heatmap(series(values, name="gradient_norm", labels=("a", "b")))
    cells, broken = maps(figure)
    assert cells.z.shape[1] <= 400
    assert np.nanmax(cells.z[0]) == pytest.approx(np.log10(50.0))
    assert np.nansum(broken.z) == 1
    assert "largest of 23 recorded steps" in figure.layout.title.subtitle.text


def test_labels_of_two_hundred_layers_do_not_overlap():
    many = series(
        np.ones((2, 200)), name="gradient_norm", labels=[f"transformer.h.{k}.attention.weight" for k in range(200)]
    )
    axis = layer_heatmap(many).layout.yaxis
    assert len(axis.tickvals) <= 20
    assert all(len(text) <= 26 for text in axis.ticktext)
    assert axis.ticktext[0] == "0.attention.weight"
    assert len(set(axis.ticktext)) == len(axis.tickvals)


def test_parameter_groups_that_never_differ_share_a_line():
    rates = series([[0.1, 0.1, 0.2]] * 3, name="learning_rate", labels=("group 0", "group 1", "group 2"))
    figure = learning_rate(rates)
    assert [line.name for line in figure.data] == ["group 0 and group 1", "group 2"]
    equal = learning_rate(series([[0.1, 0.1]] * 3, name="learning_rate", labels=("group 0", "group 1")))
    assert len(equal.data) == 1
    assert "All 2 parameter groups are equal." in equal.layout.title.subtitle.text


def test_the_healthy_band_is_shaded_and_what_lies_outside_is_counted():
    figure = update_ratio(series([1e-2, 1e-3, 1e-6, 1.0], name="update_ratio/global"))
    band = figure.data[0]
    assert (min(band.y), max(band.y)) == (1e-4, 1e-1)
    assert "50 % of the values lie outside" in figure.layout.title.subtitle.text
    assert figure.layout.yaxis.type == "log"


def test_marks_stand_above_the_healthy_band():
    marks = update_ratio(series([1e-3, np.nan], name="update_ratio/global")).data[-1]
    assert marks.y[0] > 1e-1


def test_a_single_number_a_step_has_no_layers():
    for figure in (layers, layer_heatmap):
        with pytest.raises(ArgumentError, match="draw it as a curve"):
            figure(series([1.0]))


def test_a_heat_map_leaves_stretches_without_a_measurement_blank():
    steps = np.array([1, 2, 3, 50, 51])
    figure = layer_heatmap(series(np.ones((5, 2)), name="gradient_norm", labels=("a", "b"), steps=steps))
    assert list(figure.data[0].x) == [1, 2, 3, 4, 49, 50, 51]
    assert np.isnan(np.array(figure.data[0].z, dtype=float)[:, 3:5]).all()
    assert "Blank stretches were not measured." in figure.layout.title.subtitle.text


def test_counts_of_what_is_not_finite_step_where_rows_are_thinned():
    counts = series(np.array([[0.0], [3.0]]), name="gradient_nonfinite", labels=("a",), steps=np.array([1, 9]))
    line = layers(counts).data[0]
    assert (line.mode, line.line.shape) == ("lines+markers", "hv")
