from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import UnknownName
from optiscope.figures.histogram_over_time import histogram_over_time
from optiscope.recording import bins
from optiscope.runs import HistogramSeries


def histograms(*elements, nonfinite=0):
    counts = np.stack([[bins.count(np.asarray(one))[0]] for one in elements])
    return HistogramSeries(
        name="weights",
        steps=np.arange(len(elements)) * 10,
        seconds=np.arange(len(elements)) * 1.0,
        counts=counts,
        nonfinite=np.full((len(elements), 1), nonfinite),
        edges=bins.edges(),
        labels=("fc.weight",),
    )


@pytest.fixture
def normal():
    return histograms(*np.random.default_rng(0).normal(size=(5, 20_000)))


def test_every_element_is_in_the_picture(normal):
    cells = histogram_over_time(normal).data[0]
    np.testing.assert_allclose(np.nansum(10.0**cells.z, axis=0), 1.0, rtol=1e-9)


def test_ticks_stand_at_the_edges_of_their_bins_and_mirror_about_zero(normal):
    figure = histogram_over_time(normal)
    axis = figure.layout.yaxis
    ticks = dict(zip(axis.ticktext, axis.tickvals, strict=True))
    middle = (figure.data[0].z.shape[0] - 1) / 2
    assert ticks["0"] == middle
    for text, place in ticks.items():
        if text.startswith("−"):
            assert place == pytest.approx(2 * middle - ticks[text[1:]])
    # 1 = 2**0 is an edge: half a bin from the centre of the bin "1 to 1.41".
    names = figure.data[0].customdata[:, 0]
    assert ticks["1"] == pytest.approx(list(names).index("1 to 1.41") - 0.5)


def test_the_nearly_empty_middle_is_merged_and_it_is_said(normal):
    figure = histogram_over_time(normal)
    assert figure.data[0].z.shape[0] < 50
    assert "are together in the bin at 0" in figure.layout.title.subtitle.text


def test_a_tensor_of_zeros_is_all_in_the_middle():
    cells = histogram_over_time(histograms(np.zeros(10), np.zeros(10))).data[0]
    assert cells.z[cells.z.shape[0] // 2].tolist() == [0.0, 0.0]


def test_elements_that_are_not_finite_are_counted_and_marked(normal):
    figure = histogram_over_time(histograms([1.0, 2.0], [1.0], nonfinite=3))
    assert figure.data[1].name == "not finite (6 values)"
    assert "6 elements in 2 of 2 histograms not finite" in figure.layout.title.subtitle.text


def test_a_layer_is_chosen_by_name(normal):
    assert "fc.weight" in histogram_over_time(normal, layer="fc.weight").layout.title.text
    with pytest.raises(UnknownName, match=r"Did you mean 'fc\.weight'"):
        histogram_over_time(normal, layer="fc.weigth")
