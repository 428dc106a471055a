from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.collections import PathCollection, PolyCollection

from optiscope.errors import CannotDraw, UnknownName
from optiscope.rendering import figure_to_matplotlib
from optiscope.rendering.printing.colours import parse_colour


def test_a_line_has_exactly_the_data_of_its_trace() -> None:
    x, y = np.linspace(0, 1, 50), np.linspace(3, -2, 50) ** 3
    (line,) = figure_to_matplotlib(go.Figure(go.Scatter(x=x, y=y))).axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), x)
    np.testing.assert_array_equal(line.get_ydata(), y)


def test_what_is_missing_or_infinite_is_a_gap() -> None:
    y = [1.0, None, 3.0, float("nan"), float("inf"), -float("inf"), 7.0]
    (line,) = figure_to_matplotlib(go.Figure(go.Scatter(y=y, mode="lines"))).axes[0].lines
    nan = float("nan")
    np.testing.assert_array_equal(line.get_ydata(), [1.0, nan, 3.0, nan, nan, nan, 7.0])


def test_gaps_are_bridged_when_the_trace_connects_them() -> None:
    trace = go.Scatter(y=[1.0, None, 3.0], mode="lines", connectgaps=True)
    (line,) = figure_to_matplotlib(go.Figure(trace)).axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), [0, 2])


def test_colour_width_and_dash_are_those_of_the_trace() -> None:
    trace = go.Scatter(y=[1, 2], mode="lines", opacity=0.5, line={"color": "#102030", "width": 4, "dash": "dot"})
    (line,) = figure_to_matplotlib(go.Figure(trace)).axes[0].lines
    assert line.get_color() == (*parse_colour("#102030")[:3], 0.5)
    assert line.get_linewidth() == 3.0
    assert line.get_linestyle() == "--"


def test_unnamed_colours_follow_the_colourway_of_the_template_in_trace_order() -> None:
    figure = go.Figure([go.Scatter(y=[1, 2], mode="lines"), go.Scatter(y=[2, 1], mode="lines")])
    figure.update_layout(colorway=["#ff0000", "#00ff00"])
    colours = [line.get_color() for line in figure_to_matplotlib(figure).axes[0].lines]
    assert colours == [(1, 0, 0, 1), (0, 1, 0, 1)]


def test_a_band_lies_between_two_lines() -> None:
    low = go.Scatter(x=[0, 1, 2], y=[0, 1, 0], mode="lines")
    high = go.Scatter(x=[0, 1, 2], y=[2, 3, 2], mode="lines", fill="tonexty", fillcolor="rgba(0,0,255,0.25)")
    axes = figure_to_matplotlib(go.Figure([low, high])).axes[0]
    (band,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    corners = band.get_paths()[0].vertices[:6]
    np.testing.assert_array_equal(corners, [[0, 2], [1, 3], [2, 2], [2, 0], [1, 1], [0, 0]])
    np.testing.assert_allclose(band.get_facecolor()[0], [0, 0, 1, 0.25])


def test_an_area_to_zero_breaks_at_gaps() -> None:
    trace = go.Scatter(y=[1, 2, None, 3, 4], fill="tozeroy", mode="lines")
    axes = figure_to_matplotlib(go.Figure(trace)).axes[0]
    (area,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    assert len(area.get_paths()) == 2


def test_markers_have_the_size_and_colour_of_each_point() -> None:
    marker = {"size": [4, 8, 12], "color": ["red", "lime", "blue"], "opacity": 1, "symbol": "square"}
    axes = figure_to_matplotlib(go.Figure(go.Scatter(x=[1, 2, 3], y=[1, 2, 3], mode="markers", marker=marker))).axes[0]
    (dots,) = (c for c in axes.collections if isinstance(c, PathCollection))
    np.testing.assert_allclose(np.sqrt(dots.get_sizes()), [3, 6, 9])
    np.testing.assert_allclose(dots.get_facecolor()[:, :3], np.eye(3))
    np.testing.assert_array_equal(dots.get_offsets(), [[1, 1], [2, 2], [3, 3]])


def test_numbers_as_marker_colours_get_a_colour_bar() -> None:
    marker = {"color": [0, 5, 10], "colorscale": "Viridis", "showscale": True, "colorbar": {"title": {"text": "step"}}}
    printed = figure_to_matplotlib(go.Figure(go.Scatter(y=[1, 2, 3], mode="markers", marker=marker)))
    (bar,) = (axes for axes in printed.axes if axes.get_label() == "colour bar")
    assert bar.get_ylim() == (0, 10)
    assert [text.get_text() for text in bar.texts] == ["step"]


def test_a_stepped_line_uses_the_matching_draw_style() -> None:
    for shape, style in (("hv", "steps-post"), ("vh", "steps-pre"), ("hvh", "steps-mid")):
        figure = go.Figure(go.Scatter(y=[1, 2], mode="lines", line={"shape": shape}))
        assert figure_to_matplotlib(figure).axes[0].lines[0].get_drawstyle() == style


def test_error_bars_reach_as_far_as_the_figure_says() -> None:
    trace = go.Scatter(x=[0, 1], y=[5, 6], error_y={"array": [1, 2], "arrayminus": [0.5, 0.25]})
    axes = figure_to_matplotlib(go.Figure(trace)).axes[0]
    bars = next(c for c in axes.collections if len(c.get_paths()) == 2 and not isinstance(c, PathCollection))
    spans = [tuple(path.vertices[:, 1]) for path in bars.get_paths() if len(path.vertices) == 2]
    assert (4.5, 6.0) in spans
    assert (5.75, 8.0) in spans


def test_texts_are_written_at_their_points() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], mode="text", text=["a", "<b>b</b>"]))
    texts = figure_to_matplotlib(figure).axes[0].texts
    assert [(text.get_text(), text.xy) for text in texts] == [("a", (1, 3)), ("b", (2, 4))]
    assert texts[1].get_fontweight() == "bold"


@pytest.mark.parametrize(
    "attributes",
    [
        {"line": {"shape": "spline"}},
        {"fill": "tonext"},
        {"stackgroup": "one"},
        {"texttemplate": "%{y}"},
        {"fillpattern": {"shape": "/"}},
        {"marker": {"gradient": {"type": "radial"}}},
        {"marker": {"maxdisplayed": 5}},
        {"xperiod": 2},
    ],
)
def test_an_attribute_that_cannot_be_drawn_raises_and_is_named(attributes: dict[str, object]) -> None:
    figure = go.Figure(go.Scatter(y=[1, 2, 3], name="loss", **attributes))
    with pytest.raises(CannotDraw, match=r"scatter trace 'loss'.*\.html"):
        figure_to_matplotlib(figure)


def test_attributes_that_only_a_mouse_notices_are_no_obstacle() -> None:
    trace = go.Scatter(
        y=[1, 2], hoverinfo="skip", hovertemplate="%{y}", hovertext="t", customdata=[1, 2], meta={"a": 1}, uid="u",
        ids=["a", "b"], selectedpoints=[0], hoverlabel={"namelength": 3}, hoveron="points", uirevision=3,
        unselected={"marker": {"opacity": 0.2}},
    )  # fmt: skip
    figure = go.Figure(trace).update_layout(hovermode="x unified", dragmode="pan", modebar={"orientation": "v"})
    assert len(figure_to_matplotlib(figure).axes[0].lines) == 1


def test_an_unknown_marker_symbol_names_the_known_ones() -> None:
    figure = go.Figure(go.Scatter(y=[1, 2], mode="markers", marker={"symbol": "hourglass"}))
    with pytest.raises(UnknownName, match="circle"):
        figure_to_matplotlib(figure)


def test_a_ring_that_runs_the_other_way_round_within_another_is_a_hole() -> None:
    gap = [None]
    x = [0, 4, 4, 0, 0, *gap, 1, 1, 3, 3, 1]
    y = [0, 0, 4, 4, 0, *gap, 1, 3, 3, 1, 1]
    trace = go.Scatter(x=x, y=y, mode="none", fill="toself", fillcolor="#ff0000")
    figure = figure_to_matplotlib(go.Figure(trace, {"plot_bgcolor": "#ffffff", "showlegend": False}))
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    axes = figure.axes[0]
    for place, colour in (((0.5, 0.5), (255, 0, 0)), ((2.0, 2.0), (255, 255, 255))):
        column, row = axes.transData.transform(place)
        assert tuple(pixels[pixels.shape[0] - 1 - int(row), int(column)]) == colour
