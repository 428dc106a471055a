"""Axes, subplots, titles, legends, annotations and shapes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.legend import Legend
from matplotlib.patches import PathPatch
from matplotlib.text import Annotation
from plotly.subplots import make_subplots

from optiscope.errors import ArgumentError, CannotDraw, OptiscopeError, UnknownName
from optiscope.rendering import figure_to_matplotlib

LINE = go.Scatter(x=[1, 10, 100], y=[1, 10, 100], mode="lines")


def test_subplots_stand_exactly_where_plotly_puts_them() -> None:
    figure = make_subplots(rows=2, cols=3, horizontal_spacing=0.2, vertical_spacing=0.25)
    for place in range(6):
        figure.add_scatter(y=[1, 2], row=place // 3 + 1, col=place % 3 + 1, showlegend=False)
    figure.update_layout(width=1000, height=800, margin={"l": 100, "r": 50, "t": 80, "b": 120})
    for number, axes in enumerate(figure_to_matplotlib(figure).axes):
        suffix = "" if number == 0 else str(number + 1)
        x, y = figure.layout[f"xaxis{suffix}"].domain, figure.layout[f"yaxis{suffix}"].domain
        box = axes.get_position()
        expected = [(100 + x[0] * 850) / 1000, (120 + y[0] * 600) / 800, (100 + x[1] * 850) / 1000]
        np.testing.assert_allclose([box.x0, box.y0, box.x1], expected, atol=1e-6)
        assert box.y1 == pytest.approx((120 + y[1] * 600) / 800, abs=1e-6)


def test_the_sheet_has_the_size_of_the_figure_in_css_pixels() -> None:
    printed = figure_to_matplotlib(go.Figure(LINE, layout={"width": 480, "height": 960}))
    assert tuple(printed.get_size_inches()) == (5, 10)
    assert tuple(figure_to_matplotlib(go.Figure(LINE), width_px=96, height_px=192).get_size_inches()) == (1, 2)


def test_a_logarithmic_axis_is_one_and_its_range_counts_exponents() -> None:
    figure = go.Figure(LINE).update_xaxes(type="log", range=[-1, 3]).update_yaxes(type="log")
    axes = figure_to_matplotlib(figure).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlim() == pytest.approx((0.1, 1000))


def test_what_a_logarithmic_axis_cannot_show_is_a_gap() -> None:
    figure = go.Figure(go.Scatter(y=[1, 0, -1, 10], mode="lines")).update_yaxes(type="log")
    (line,) = figure_to_matplotlib(figure).axes[0].lines
    assert np.isnan(line.get_ydata()).tolist() == [False, True, True, False]


def test_an_automatic_range_of_a_line_is_tight_along_x_and_free_along_y() -> None:
    axes = figure_to_matplotlib(go.Figure(go.Scatter(x=[0, 10], y=[0, 9], mode="lines"))).axes[0]
    assert axes.get_xlim() == (0, 10)
    assert axes.get_ylim() == pytest.approx((-0.5, 9.5))


def test_a_reversed_axis_runs_backwards() -> None:
    axes = figure_to_matplotlib(go.Figure(LINE).update_yaxes(autorange="reversed")).axes[0]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_axes_that_match_have_one_range() -> None:
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True)
    figure.add_scatter(y=[0, 1], row=1, col=1)
    figure.add_scatter(y=[0, 100], row=1, col=2)
    first, second = figure_to_matplotlib(figure).axes
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[1] > 100


def test_a_secondary_axis_lies_over_the_first_and_writes_on_the_right() -> None:
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    figure.add_scatter(y=[0, 1])
    figure.add_scatter(y=[1, 1000], secondary_y=True)
    figure.update_yaxes(type="log", secondary_y=True)
    left, right = figure_to_matplotlib(figure).axes
    assert left.get_position().bounds == right.get_position().bounds
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")
    assert left.yaxis.get_major_ticks()[0].label1.get_visible()
    assert not right.yaxis.get_major_ticks()[0].label1.get_visible()
    assert right.yaxis.get_major_ticks()[0].label2.get_visible()
    assert right.get_facecolor()[3] == 0


def test_a_scale_anchor_makes_one_unit_as_long_on_both_axes() -> None:
    figure = go.Figure(LINE).update_yaxes(scaleanchor="x")
    axes = figure_to_matplotlib(figure, width_px=900, height_px=400).axes[0]
    box = axes.get_position()
    across = box.width * 900 / np.ptp(axes.get_xlim())
    assert across == pytest.approx(box.height * 400 / np.ptp(axes.get_ylim()), rel=1e-6)


def test_dates_are_placed_in_time() -> None:
    figure = go.Figure(go.Scatter(x=["2024-01-01", "2024-01-03", "2024-01-09"], y=[1, 2, 3], mode="lines"))
    (line,) = figure_to_matplotlib(figure).axes[0].lines
    assert np.diff(line.get_xdata()).tolist() == [2, 6]


def test_titles_of_figure_and_axes_are_written() -> None:
    figure = go.Figure(LINE)
    figure.update_layout(title={"text": "Loss & <b>more</b>", "subtitle": {"text": "two runs"}})
    figure.update_xaxes(title="step").update_yaxes(title="loss")
    printed = figure_to_matplotlib(figure)
    assert [text.get_text() for text in printed.texts] == [r"Loss & $\mathbf{more}$", "two runs"]
    assert (printed.axes[0].get_xlabel(), printed.axes[0].get_ylabel()) == ("step", "loss")


def test_colours_of_paper_ground_and_grid_come_from_the_template() -> None:
    printed = figure_to_matplotlib(go.Figure(LINE, layout={"template": "plotly_dark", "plot_bgcolor": "#112233"}))
    assert printed.get_facecolor() == pytest.approx((17 / 255,) * 3 + (1,))
    assert printed.axes[0].get_facecolor() == pytest.approx((0x11 / 255, 0x22 / 255, 0x33 / 255, 1))
    grid = next(c for c in printed.axes[0].collections if c.get_label() == "_grid")
    assert tuple(grid.get_color()[0][:3]) == pytest.approx((0x28 / 255, 0x34 / 255, 0x42 / 255))


def test_labels_that_would_leave_the_sheet_widen_the_margin() -> None:
    figure = go.Figure(go.Bar(y=["a layer with quite a long name indeed"], x=[1], orientation="h"))
    figure.update_layout(margin={"l": 10}, width=700, height=300)
    printed = figure_to_matplotlib(figure)
    box = printed.axes[0].yaxis.get_tightbbox(printed.canvas.get_renderer())
    assert box.x0 >= 0
    assert printed.axes[0].get_position().x0 > 0.2


def test_tick_labels_turn_before_they_overlap() -> None:
    names = [f"conv{number}.weight of a deep net" for number in range(12)]
    labels = figure_to_matplotlib(go.Figure(go.Bar(x=names, y=[1] * 12))).axes[0].get_xticklabels()
    assert {label.get_rotation() for label in labels} == {330}


def _legend_lines(figure: go.Figure) -> list[str]:
    legends = [artist for artist in figure_to_matplotlib(figure).artists if isinstance(artist, Legend)]
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def test_a_legend_lists_named_traces_once_in_order() -> None:
    traces = [go.Scatter(y=[1, 2], name=name) for name in ("adam", "sgd")]
    hidden = go.Scatter(y=[1, 2], name="band", showlegend=False)
    assert _legend_lines(go.Figure([*traces, hidden])) == ["adam", "sgd"]


def test_groups_of_a_legend_stand_together_under_their_title() -> None:
    traces = [
        go.Scatter(y=[1], name="a", legendgroup="1", legendgrouptitle={"text": "first"}),
        go.Scatter(y=[1], name="b", legendgroup="2"),
        go.Scatter(y=[1], name="c", legendgroup="1"),
    ]
    assert _legend_lines(go.Figure(traces)) == ["first", "a", "c", "b"]


def test_a_single_trace_has_no_legend_unless_the_figure_wants_one() -> None:
    assert _legend_lines(go.Figure(LINE)) == []
    assert _legend_lines(go.Figure(LINE, layout={"showlegend": True})) == ["trace 0"]


def test_an_annotation_points_at_its_data_and_exponents_place_it_on_a_logarithmic_axis() -> None:
    figure = go.Figure(LINE).update_xaxes(type="log").update_yaxes(type="log")
    figure.add_annotation(x=1, y=2, text="one<br>two", ax=40, ay=-20)
    note = next(a for a in figure_to_matplotlib(figure).axes[0].get_children() if isinstance(a, Annotation))
    assert note.xy == pytest.approx((10, 100))
    assert note.get_text() == "one\ntwo"
    assert note.xyann == pytest.approx((30, 15))
    assert note.arrow_patch is not None


def test_an_annotation_on_the_sheet_hangs_by_the_nearer_edge() -> None:
    figure = go.Figure(LINE)
    figure.add_annotation(x=1, y=0, xref="paper", yref="paper", text="corner", showarrow=False)
    (note,) = (a for a in figure_to_matplotlib(figure).artists if isinstance(a, Annotation))
    assert (note.get_horizontalalignment(), note.get_verticalalignment()) == ("right", "bottom")


def test_shapes_on_a_logarithmic_axis_are_placed_by_their_numbers() -> None:
    figure = go.Figure(LINE).update_xaxes(type="log")
    figure.add_vrect(x0=2, x1=20, fillcolor="red", opacity=0.5, line_width=0)
    patch = next(p for p in figure_to_matplotlib(figure).axes[0].patches if isinstance(p, PathPatch))
    np.testing.assert_allclose(patch.get_path().vertices[:3], [[2, 0], [20, 0], [20, 1]])
    assert patch.get_facecolor() == (1, 0, 0, 0.5)


@pytest.mark.parametrize(
    "layout",
    [
        {"images": [{"source": "data:,"}]},
        {"polar": {"radialaxis": {"visible": True}}},
        {"xaxis": {"rangeslider": {"visible": True}}},
        {"xaxis": {"rangebreaks": [{"values": [1]}]}},
        {"xaxis": {"minor": {"showgrid": True}}},
        {"xaxis": {"tickformat": "$,.2f"}},
        {"yaxis": {"ticklabelposition": "inside"}},
        {"shapes": [{"type": "path", "path": "M0,0L1,1"}]},
        {"shapes": [{"type": "rect", "label": {"text": "a"}}]},
        {"annotations": [{"text": "a", "width": 20}]},
        {"annotations": [{"text": "a", "axref": "x"}]},
        {"annotations": [{"text": "<u>a</u>"}]},
        {"legend": {"itemsizing": "constant"}, "barnorm": "percent"},
        {"boxmode": "group"},
        {"margin": {"pad": 20}},
    ],
)
def test_parts_of_the_layout_that_cannot_be_drawn_raise(layout: dict[str, object]) -> None:
    with pytest.raises(CannotDraw, match=r"\.html|instead"):
        figure_to_matplotlib(go.Figure(LINE, layout=layout))


@pytest.mark.parametrize(
    "trace", [go.Pie(values=[1, 2]), go.Table(), go.Violin(y=[1, 2]), go.Histogram2d(x=[1], y=[1]), go.Scatterpolar()]
)
def test_trace_types_that_cannot_be_drawn_raise_and_name_those_that_can(trace: object) -> None:
    with pytest.raises(CannotDraw, match="scatter3d"):
        figure_to_matplotlib(go.Figure(trace))


def test_an_invisible_trace_is_no_obstacle() -> None:
    figure_to_matplotlib(go.Figure([LINE, go.Pie(values=[1], visible=False)]))


def test_a_moving_figure_is_printed_only_on_request() -> None:
    figure = go.Figure(LINE, frames=[go.Frame(data=[LINE])])
    figure.update_layout(sliders=[{"steps": []}], updatemenus=[{"buttons": []}])
    with pytest.raises(CannotDraw, match=r'frames, sliders, updatemenus.*frame="first"'):
        figure_to_matplotlib(figure)
    assert len(figure_to_matplotlib(figure, frame="first").axes[0].lines) == 1
    with pytest.raises(UnknownName, match="first"):
        figure_to_matplotlib(figure, frame="last")


def test_an_empty_figure_prints_as_empty_axes() -> None:
    assert len(figure_to_matplotlib(go.Figure()).axes) == 1


@pytest.mark.parametrize("size", [0, -5, float("nan"), 1e9])
def test_sizes_that_make_no_sheet_are_refused(size: float) -> None:
    with pytest.raises(ArgumentError, match="10 to 20000"):
        figure_to_matplotlib(go.Figure(LINE), width_px=size)


def test_a_mistake_in_the_figure_is_an_error_of_ours() -> None:
    figure = go.Figure(LINE)
    figure.add_annotation(x=0, y=0, xref="x7", yref="y7", text="nowhere")
    with pytest.raises(OptiscopeError, match="x7"):
        figure_to_matplotlib(figure)


def test_printing_leaves_no_trace_in_pyplot_or_in_the_settings() -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    with mpl.rc_context({"axes.facecolor": "red", "lines.marker": "o"}):
        printed = figure_to_matplotlib(go.Figure(LINE))
    assert printed.axes[0].lines[0].get_marker() == "None"
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before
