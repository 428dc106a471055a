"""What `save(figure, "x.html")` writes opens in a real browser without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from optiscope.rendering import figure_fragment, plotly_script, save

from .conftest import Visit

pytestmark = pytest.mark.browser

FIGURES = {
    "lines": go.Figure(go.Scatter(y=[1.0, None, float("nan"), float("inf"), 2.0], name="</script>&amp;")),
    "gl": go.Figure(go.Scattergl(y=np.arange(50.0))),
    "heat map": go.Figure(go.Heatmap(z=[[1, None], [3, 4]]), layout={"template": "plotly_dark"}),
    "contour": go.Figure(go.Contour(z=np.outer(np.arange(6.0), np.arange(5.0)))),
    "surface": go.Figure(go.Surface(z=np.outer(np.arange(6.0), np.arange(5.0)))),
    "frames": go.Figure(go.Scatter(y=[1, 2]), frames=[go.Frame(name="1", data=[go.Scatter(y=[2, 1])])]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_page_opens_without_a_network_and_without_an_error(visit: Visit, tmp_path: Path, name: str) -> None:
    page = visit.open(save(FIGURES[name], tmp_path / "figure.html"))
    page.wait_for_selector("#figure .main-svg", state="attached", timeout=20_000)
    page.wait_for_function("document.querySelector('#figure')._fullLayout !== undefined")
    page.wait_for_timeout(200)
    assert visit.fetched == []
    assert visit.errors == []
    assert len(visit.requests) == 1


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_a_page_fits_any_window_without_scrolling_sideways(visit: Visit, tmp_path: Path, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 740})
    page = visit.open(save(FIGURES["lines"], tmp_path / "figure.html"))
    page.wait_for_selector("#figure .main-svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('#figure .main-svg').getBoundingClientRect().width") == width


def test_a_figure_follows_the_window(visit: Visit, tmp_path: Path) -> None:
    page = visit.open(save(FIGURES["lines"], tmp_path / "figure.html"))
    page.wait_for_selector("#figure .main-svg")
    page.set_viewport_size({"width": 500, "height": 700})
    page.wait_for_function("document.querySelector('#figure .main-svg').getBoundingClientRect().width === 500")


def test_frames_arrive(visit: Visit, tmp_path: Path) -> None:
    page = visit.open(save(FIGURES["frames"], tmp_path / "figure.html"))
    page.wait_for_function("(document.querySelector('#figure')._transitionData || {_frames: []})._frames.length === 1")


def test_many_figures_live_on_one_page_with_one_plotly(visit: Visit, tmp_path: Path) -> None:
    pieces = [figure_fragment(FIGURES[name], f"figure-{number}") for number, name in enumerate(FIGURES)]
    path = tmp_path / "page.html"
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{plotly_script()}</head>'
        f"<body>{''.join(pieces)}</body></html>",
        encoding="utf-8",
    )
    page = visit.open(path)
    for number in range(len(FIGURES)):
        page.wait_for_selector(f"#figure-{number} .main-svg", state="attached")
    assert visit.errors == []
    assert visit.fetched == []
