"""The printer against plotly.js itself: the same texts on the axes, and the same ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import pytest

from optiscope.rendering import figure_to_html, figure_to_matplotlib
from tests.rendering.printing.test_number_format import D3

pytestmark = pytest.mark.browser

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

TICKS = "[...place.querySelectorAll('.xtick text')].map(text => text.textContent)"
BARE = {"margin": {"l": 80, "r": 80, "t": 100, "b": 80}, "width": 700, "height": 500, "template": "none"}


@pytest.fixture(scope="module")
def plotly(chromium: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with plotly.js and a place to draw in."""
    path = tmp_path_factory.mktemp("plotly") / "page.html"
    path.write_text(figure_to_html(go.Figure()), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    yield page
    page.close()


def _drawn(page: Page, figure: go.Figure, question: str) -> list[object]:
    """What plotly.js answers to a question about the element `place` after drawing the figure."""
    answer = page.evaluate(
        f"""async (text) => {{
            const figure = JSON.parse(text), place = document.getElementById("figure");
            await Plotly.newPlot(place, figure.data, figure.layout);
            return {question};
        }}""",
        figure.to_json(),
    )
    assert isinstance(answer, list)
    return answer


def test_numbers_are_formatted_as_plotly_formats_them(plotly: Page) -> None:
    cases = [(value, form, text) for value, form, text in D3 if form]
    texts = []
    for value, form, _ in cases:
        axis = {"tickformat": form, "tickvals": [value], "range": [value - 1, value + 1]}
        figure = go.Figure(go.Scatter(x=[value], y=[1]), layout={**BARE, "xaxis": axis})
        texts += _drawn(plotly, figure, TICKS)
    assert [str(text).replace("μ", "µ") for text in texts] == [text for _, _, text in cases]


RANGES = {
    "lines": [go.Scatter(x=[0, 7], y=[1, 9], mode="lines")],
    "markers": [go.Scatter(x=[1, 2, 5], y=[3, 1, 4], mode="markers", marker={"size": 12})],
    "area": [go.Scatter(x=[1, 2, 5], y=[3, 1, 4], mode="lines", fill="tozeroy")],
    "bars": [go.Bar(x=["a", "b"], y=[2, -3])],
    "histogram": [go.Histogram(x=np.random.default_rng(3).normal(size=300))],
    "few bins": [go.Histogram(x=np.random.default_rng(3).normal(size=300), nbinsx=8)],
    "integers": [go.Histogram(x=[1, 2, 2, 3, 3, 3, 7])],
    "heat map": [go.Heatmap(x=[0, 1, 5], y=["a", "b"], z=[[1, 2, 3], [4, 5, 6]])],
    "contour": [go.Contour(z=np.outer(np.arange(4.0), np.arange(6.0)))],
    "error bars": [go.Scatter(x=[0, 1], y=[1, 2], error_y={"array": [3, 1]}, mode="lines")],
    "one point": [go.Scatter(x=[3], y=[4], mode="lines")],
}


@pytest.mark.parametrize("name", RANGES)
def test_automatic_ranges_are_plotlys(plotly: Page, name: str) -> None:
    figure = go.Figure(RANGES[name], layout=BARE)
    _same_ranges(plotly, figure)


def test_automatic_ranges_of_logarithmic_axes_are_plotlys(plotly: Page) -> None:
    figure = go.Figure(go.Scatter(x=[1, 10, 1e4], y=[2, 5, 1e-3], mode="lines+markers"), layout=BARE)
    _same_ranges(plotly, figure.update_xaxes(type="log").update_yaxes(type="log"))


def _same_ranges(plotly: Page, figure: go.Figure) -> None:
    theirs = _drawn(plotly, figure, "['xaxis', 'yaxis'].map(name => place._fullLayout[name].range)")
    axes = figure_to_matplotlib(figure).axes[0]
    for limits, scale, expected in zip(
        (axes.get_xlim(), axes.get_ylim()), (axes.get_xscale(), axes.get_yscale()), theirs, strict=True
    ):
        ours = np.log10(limits) if scale == "log" else np.array(limits)
        np.testing.assert_allclose(ours, expected, atol=0.02 * abs(expected[1] - expected[0]))


LABELS = {
    "small": ({"range": [0, 0.004], "dtick": 0.001}, None),
    "large": ({"range": [0, 100_000], "dtick": 20_000}, None),
    "plain": ({"range": [-1, 1], "dtick": 0.25}, None),
    "micro": ({"range": [0, 5e-6], "dtick": 1e-6}, None),
    "power": ({"range": [0, 5e-6], "dtick": 1e-6, "exponentformat": "power"}, None),
    "exponent": ({"range": [0, 5e6], "dtick": 1e6, "exponentformat": "e"}, None),
    "thousands": ({"range": [0, 9000], "dtick": 3000, "separatethousands": True}, None),
    "decades": ({"range": [-5, 3], "dtick": 1, "type": "log"}, None),
    "power decades": ({"range": [-5, 3], "dtick": 2, "type": "log", "exponentformat": "power"}, None),
    "digits": ({"range": [-0.5, 1.5], "dtick": "D2", "type": "log"}, None),
    "categories": ({}, ["one", "two", "three"]),
}


@pytest.mark.parametrize("name", LABELS)
def test_tick_labels_are_plotlys(plotly: Page, name: str) -> None:
    axis, x = LABELS[name]
    figure = go.Figure(go.Scatter(x=x or [1, 2, 3], y=[1, 2, 3], mode="lines"), layout={**BARE, "xaxis": axis})
    theirs = _drawn(plotly, figure, TICKS)
    ours = [label.get_text() for label in figure_to_matplotlib(figure).axes[0].get_xticklabels()]
    assert [_letters(text) for text in ours] == [_letters(str(text)) for text in theirs]


def _letters(text: str) -> str:
    """The letters alone: without matplotlib's formula signs, the zero-width marks of plotly, and one kind of micro."""
    for piece in ("$", "^{", r"\text{", "}", "\u200b"):
        text = text.replace(piece, "")
    return text.replace("μ", "µ")
