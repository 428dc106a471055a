from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.collections import PatchCollection

from optiscope.errors import CannotDraw
from optiscope.rendering import figure_to_matplotlib


def _boxes(figure: go.Figure) -> list[np.ndarray]:
    """For each trace its bars as (left, bottom, right, top)."""
    axes = figure_to_matplotlib(figure).axes[0]
    groups = [c for c in axes.collections if isinstance(c, PatchCollection)]
    return [np.array([[*p.get_extents().p0, *p.get_extents().p1] for p in group.get_paths()]) for group in groups]


def test_bars_side_by_side_share_four_fifths_of_their_room() -> None:
    first, second = _boxes(go.Figure([go.Bar(x=[0, 1], y=[1, 2]), go.Bar(x=[0, 1], y=[3, 4])]))
    np.testing.assert_allclose(first, [[-0.4, 0, 0, 1], [0.6, 0, 1, 2]])
    np.testing.assert_allclose(second, [[0, 0, 0.4, 3], [1, 0, 1.4, 4]])


def test_stacked_bars_stand_on_each_other() -> None:
    bars = [go.Bar(x=["a", "b"], y=[1, 2]), go.Bar(x=["a", "b"], y=[3, 4])]
    _, upper = _boxes(go.Figure(bars, layout={"barmode": "stack"}))
    np.testing.assert_allclose(upper[:, [1, 3]], [[1, 4], [2, 6]])


def test_relative_bars_stack_negative_ones_downwards() -> None:
    bars = [go.Bar(x=[0], y=[1]), go.Bar(x=[0], y=[-2]), go.Bar(x=[0], y=[3]), go.Bar(x=[0], y=[-1])]
    spans = [tuple(boxes[0, [1, 3]]) for boxes in _boxes(go.Figure(bars, layout={"barmode": "relative"}))]
    assert spans == [(0, 1), (-2, 0), (1, 4), (-3, -2)]


def test_lying_bars_run_along_x() -> None:
    ((box,),) = _boxes(go.Figure(go.Bar(x=[5], y=["a"], orientation="h")))
    np.testing.assert_allclose(box, [0, -0.4, 5, 0.4])


def test_the_range_of_bars_includes_zero() -> None:
    axes = figure_to_matplotlib(go.Figure(go.Bar(x=["a", "b"], y=[5, 6]))).axes[0]
    assert axes.get_ylim()[0] == 0


def test_a_missing_bar_is_a_gap() -> None:
    (boxes,) = _boxes(go.Figure(go.Bar(x=[0, 1, 2], y=[1, None, 3])))
    assert len(boxes) == 2


def test_a_histogram_counts_into_the_given_bins() -> None:
    values = [0.1, 0.2, 0.9, 1.0, 1.5, 2.99]
    trace = go.Histogram(x=values, xbins={"start": 0, "end": 3, "size": 1})
    (boxes,) = _boxes(go.Figure(trace))
    np.testing.assert_allclose(boxes, [[0, 0, 1, 3], [1, 0, 2, 2], [2, 0, 3, 1]])


@pytest.mark.parametrize("norm", ["percent", "probability", "density", "probability density"])
def test_a_normed_histogram_adds_up(norm: str) -> None:
    values = np.random.default_rng(0).normal(size=400)
    (boxes,) = _boxes(go.Figure(go.Histogram(x=values, histnorm=norm, nbinsx=12)))
    heights, width = boxes[:, 3], boxes[0, 2] - boxes[0, 0]
    total = heights.sum() * (width if "density" in norm else 1)
    assert total == pytest.approx({"percent": 100, "density": 400}.get(norm, 1))
    assert len(boxes) <= 12


def test_histograms_side_by_side_share_their_bins() -> None:
    random = np.random.default_rng(0)
    traces = [go.Histogram(x=random.normal(size=100)), go.Histogram(x=random.normal(size=100) + 5)]
    first, second = _boxes(go.Figure(traces))
    edges = np.concatenate([first[:, 0], second[:, 0] - (second[0, 2] - second[0, 0])])
    step = 2 * (first[0, 2] - first[0, 0])
    np.testing.assert_allclose((edges - edges[0]) / step, np.round((edges - edges[0]) / step), atol=1e-9)


@pytest.mark.parametrize(
    "trace",
    [
        go.Bar(x=[1], y=[1], marker={"pattern": {"shape": "/"}}),
        go.Bar(x=[1], y=[1], texttemplate="%{y}"),
        go.Histogram(x=[1], histfunc="sum", y=[1]),
        go.Histogram(x=[1], cumulative={"enabled": True}),
    ],
)
def test_parts_of_bars_that_cannot_be_drawn_raise(trace: go.Bar | go.Histogram) -> None:
    with pytest.raises(CannotDraw):
        figure_to_matplotlib(go.Figure(trace))
