from __future__ import annotations

import plotly.graph_objects as go
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures import plot
from tests.figures.every_figure import FIGURES

DRAWN = {"scatter", "heatmap", "scatter3d", "contour", "surface"}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_says_what_it_shows_in_traces_that_print(samples, name, theme):
    figure = FIGURES[name](samples, theme)
    assert figure.layout.title.text
    assert {trace.type for trace in figure.data} <= DRAWN
    axes = [getattr(figure.layout, name) for name in figure.to_plotly_json()["layout"] if name[1:].startswith("axis")]
    for axis in axes:
        # Layers name themselves, and an empty panel has no axes.
        assert axis.title.text or axis.type == "category" or axis.showticklabels is False
    assert figure.layout.template.layout.paper_bgcolor == {"light": "#ffffff", "dark": "#14181f"}[theme]


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_prints(samples, name):
    import matplotlib.pyplot as plt

    from optiscope.rendering import figure_to_matplotlib

    printed = figure_to_matplotlib(FIGURES[name](samples, "light"))
    try:
        printed.canvas.draw()
    finally:
        plt.close(printed)


def test_a_finished_figure_passes_through_in_the_theme_and_stays_itself():
    given = go.Figure(go.Scatter(y=[1, 2]))
    drawn = plot(given, theme="dark")
    assert drawn.layout.template.layout.paper_bgcolor == "#14181f"
    assert given.layout.template.layout.paper_bgcolor != "#14181f"


def test_a_view_that_does_not_exist_is_refused_with_those_that_do(adam):
    with pytest.raises(UnknownName, match=r"Did you mean 'heatmap'.* Valid: heatmap, lines"):
        plot(adam["gradient_norm"], view="heatmaps")


def test_a_visual_argument_that_does_not_exist_is_refused_with_those_that_do(adam):
    with pytest.raises(UnknownName, match="Did you mean 'smoothing'"):
        plot(adam["loss"], smothing=0.9)


def test_an_object_that_nothing_draws_is_refused():
    for thing in ("loss", 3, [], [1, 2]):
        with pytest.raises(ArgumentError, match="can be drawn"):
            plot(thing)


def test_drawing_changes_nothing_for_other_users_of_plotly(adam):
    before = go.Figure().layout.template.to_plotly_json()
    plot(adam)
    assert go.Figure().layout.template.to_plotly_json() == before
