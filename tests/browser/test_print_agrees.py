"""The printer against plotly.js itself: the same texts on the axes, and the same ranges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from optiscope.rendering import figure_to_html, figure_to_matplotlib
from tests.rendering.printing.test_number_format import D3

from .conftest import Visit

BARE = {"margin": {"l": 80, "r": 80, "t": 100, "b": 80}, "width": 700, "height": 500, "template": "none"}


def test_numbers_are_formatted_as_plotly_formats_them(visit: Visit, tmp_path: Path) -> None:
    cases = [(value, form) for value, form, _ in D3 if form]
    path = tmp_path / "page.html"
    path.write_text(figure_to_html(go.Figure()), encoding="utf-8")
    page = visit.open(path)
    texts = page.evaluate(
        """async (cases) => {
            const place = document.getElementById("figure"), texts = [];
            for (const [value, form] of cases) {
                const axis = {tickformat: form, tickvals: [value], range: [value - 1, value + 1], tickmode: "array"};
                await Plotly.newPlot(place, [{y: [1], x: [value]}], {xaxis: axis, width: 600, height: 300});
                texts.push(place.querySelector(".xtick text").textContent);
            }
            return texts;
        }""",
        cases,
    )
    wanted = [text for _, form, text in D3 if form]
    assert [text.replace("μ", "µ") for text in texts] == wanted


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
def test_automatic_ranges_are_plotlys(visit: Visit, tmp_path: Path, name: str) -> None:
    figure = go.Figure(RANGES[name], layout=BARE)
    _same_ranges(visit, tmp_path, figure)


def test_automatic_ranges_of_logarithmic_axes_are_plotlys(visit: Visit, tmp_path: Path) -> None:
    figure = go.Figure(go.Scatter(x=[1, 10, 1e4], y=[2, 5, 1e-3], mode="lines+markers"), layout=BARE)
    _same_ranges(visit, tmp_path, figure.update_xaxes(type="log").update_yaxes(type="log"))


def _same_ranges(visit: Visit, tmp_path: Path, figure: go.Figure) -> None:
    path = tmp_path / "page.html"
    path.write_text(figure_to_html(figure), encoding="utf-8")
    page = visit.open(path)
    page.wait_for_selector("#figure .main-svg")
    theirs = page.evaluate("['xaxis', 'yaxis'].map(a => document.getElementById('figure')._fullLayout[a].range)")
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
def test_tick_labels_are_plotlys(visit: Visit, tmp_path: Path, name: str) -> None:
    axis, x = LABELS[name]
    figure = go.Figure(go.Scatter(x=x or [1, 2, 3], y=[1, 2, 3], mode="lines"), layout={**BARE, "xaxis": axis})
    path = tmp_path / "page.html"
    path.write_text(figure_to_html(figure), encoding="utf-8")
    page = visit.open(path)
    page.wait_for_selector(".xtick text")
    theirs = page.evaluate("[...document.querySelectorAll('.xtick text')].map(text => text.textContent)")
    ours = [label.get_text() for label in figure_to_matplotlib(figure).axes[0].get_xticklabels()]
    assert [_letters(text) for text in ours] == [_letters(text) for text in theirs]


def _letters(text: str) -> str:
    """The letters alone: without matplotlib's formula signs, the zero-width marks of plotly, and one kind of micro."""
    for piece in ("$", "^{", r"\mathrm{", "}", "\u200b"):
        text = text.replace(piece, "")
    return text.replace("μ", "µ")
