from __future__ import annotations

import json
import re

import plotly.graph_objects as go
import pytest

from optiscope.errors import ArgumentError
from optiscope.rendering import figure_fragment, figure_to_html, plotly_script

NASTY = "</script><script>alert(1)</script> <!-- & \u2028"


def _data(page: str, identifier: str = "figure") -> dict[str, object]:
    content = re.search(rf'id="{identifier}-data">(.*?)</script>', page, re.DOTALL)
    assert content is not None
    figure = json.loads(content[1])
    assert isinstance(figure, dict)
    return figure


def test_a_page_says_its_language_its_title_and_that_it_fits_a_telephone() -> None:
    page = figure_to_html(go.Figure(layout={"title": {"text": "Loss<br>of <b>two</b> &lt; three"}}))
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "<title>Loss of two &lt; three</title>" in page
    assert '<html lang="de">' in figure_to_html(go.Figure(), language="de")
    assert "<title>A &lt; B</title>" in figure_to_html(go.Figure(), title="A < B")


def test_nothing_in_the_markup_is_fetched_from_elsewhere() -> None:
    page = figure_to_html(go.Figure(go.Scatter(y=[1])))
    markup = page.replace(plotly_script(), "")
    assert not re.search(r'(?:src|href)\s*=\s*"(?!data:,|#)', markup)
    assert "@import" not in markup
    assert "url(" not in markup
    assert "https://" not in re.sub(r'<script type="application/json".*?</script>', "", markup, flags=re.DOTALL)


def test_no_string_of_a_figure_can_end_its_script_element() -> None:
    figure = go.Figure(go.Scatter(y=[1], name=NASTY, text=[NASTY]), layout={"title": {"text": NASTY}})
    page = figure_to_html(figure)
    markup = page.replace(plotly_script(), "")
    assert "alert(1)</script>" not in markup
    assert _data(page)["data"][0]["name"] == NASTY  # type: ignore[index]
    assert len(re.findall("<script", markup)) == 2


def test_plotly_itself_cannot_end_its_script_element() -> None:
    assert len(re.findall("</script", plotly_script(), re.IGNORECASE)) == 1


def test_what_is_not_finite_becomes_null() -> None:
    figure = go.Figure(go.Scatter(y=[1.0, float("nan"), float("inf"), None]))
    assert _data(figure_to_html(figure))["data"][0]["y"] == [1.0, None, None, None]  # type: ignore[index]


def test_many_figures_share_one_plotly() -> None:
    pieces = [figure_fragment(go.Figure(go.Scatter(y=[n])), f"loss-{n}") for n in range(3)]
    assert all(len(piece) < 20_000 for piece in pieces)
    assert [_data(piece, f"loss-{n}")["data"][0]["y"] for n, piece in enumerate(pieces)] == [[0], [1], [2]]  # type: ignore[index]


@pytest.mark.parametrize("identifier", ["", "1a", 'a"b', "a b", "a>b"])
def test_an_identifier_that_does_not_fit_a_page_is_refused(identifier: str) -> None:
    with pytest.raises(ArgumentError, match="identifier"):
        figure_fragment(go.Figure(), identifier)


def test_the_page_around_a_figure_has_its_colours() -> None:
    assert 'content="light"' in figure_to_html(go.Figure())
    dark = figure_to_html(go.Figure(layout={"template": "plotly_dark"}))
    assert 'content="dark"' in dark
    assert "background: rgba(17, 17, 17, 1)" in dark
