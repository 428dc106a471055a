from __future__ import annotations

from optiscope.figures.overview import overview
from tests.analysis.written_runs import write


def texts(figure):
    return [note.text.replace("<br>", " ") for note in figure.layout.annotations]


def test_all_six_panels_are_drawn(adam):
    figure = overview(adam)
    assert {f"xaxis{k}" for k in ("", 2, 3, 4, 5, 6)} <= set(figure.to_plotly_json()["layout"])
    assert {trace.xaxis for trace in figure.data} == {"x", "x2", "x3", "x4", "x5", "x6"}
    assert figure.layout.title.text == "adam-0 · adam · finished"


def test_the_subtitle_tells_overhead_and_thinning(adam):
    text = figure_subtitle(overview(adam))
    assert "Recording took 3.1 % of the training time." in text
    assert "measured in 120 steps: histograms 13 times." in text


def test_panels_without_data_say_why(samples):
    found = texts(overview(samples["bare"]))
    assert any("holds no gradient norms" in text for text in found)
    assert any("at least 3 snapshots" in text for text in found)


def test_an_empty_run_is_a_page_of_reasons(tmp_path):
    found = texts(overview(write(tmp_path / "empty")))
    assert any("No metric was logged" in text for text in found)
    assert sum("Nothing has been recorded yet" in text for text in found) == 4


def test_what_is_not_finite_is_in_the_headings(poisoned):
    assert any("Loss: 51 values not finite" in text for text in texts(overview(poisoned)))


def figure_subtitle(figure):
    return figure.layout.title.subtitle.text.replace("<br>", " ")
