from __future__ import annotations

import numpy as np

from optiscope.analysis import compare
from optiscope.figures.comparison import comparison


def test_a_group_is_a_line_a_band_and_a_row_of_final_values(several):
    figure = comparison(compare(several))
    lines = [trace.name for trace in figure.data if trace.mode == "lines" and trace.name]
    assert lines == ["adam (n = 2)", "sgd"]
    assert list(figure.layout.yaxis2.tickvals) == [str(row["group"]) for row in compare(several).rows()]
    assert [trace.fill for trace in figure.data].count("toself") == 1
    assert sorted(figure.layout.yaxis2.ticktext) == ["adam (n = 2)", "sgd (n = 1)"]


def test_line_band_and_final_value_of_a_group_have_one_colour(several):
    figure = comparison(compare(several), colours={"sgd": "#0a0b0c"})
    assert next(trace for trace in figure.data if trace.name == "sgd").line.color == "#0a0b0c"
    assert [trace.marker.color for trace in figure.data if trace.marker.symbol == "diamond"].count("#0a0b0c") == 1


def test_the_subtitle_gives_the_verdict_and_what_the_band_is(several):
    text = comparison(compare(several)).layout.title.subtitle.text.replace("<br>", " ")
    assert "ends lowest" in text
    assert "Bands of two runs: their range." in text


def test_a_diverged_run_has_marks_and_is_named(several, poisoned):
    figure = comparison(compare([*several, poisoned]))
    assert any((trace.name or "").startswith("not finite") for trace in figure.data)
    assert "1 of 3 runs of adam diverged" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert "adam<br>(n = 3, 1 diverged)" in figure.layout.yaxis2.ticktext


def test_the_mean_of_unsmoothed_lines_is_the_mean_of_the_runs(several):
    compared = compare(several, "accuracy")
    figure = comparison(compared, smoothing=0.0, scale="linear")
    line = next(trace for trace in figure.data if (trace.name or "").startswith("adam"))
    np.testing.assert_allclose(line.y, compared.groups[0].band.mean)


def test_the_panel_of_final_values_can_be_left_out(several):
    assert "yaxis2" not in comparison(compare(several), finals=False).to_plotly_json()["layout"]
