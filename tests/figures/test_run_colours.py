from __future__ import annotations

from optiscope.figures.run_colours import run_strokes
from optiscope.figures.theme import theme_named
from tests.analysis.written_runs import write


def test_runs_of_a_group_share_a_colour_and_differ_in_their_dash(tmp_path):
    runs = [
        write(tmp_path / f"{name}-{seed}", [2.0, 1.0], config={"optimizer": name, "seed": seed})
        for name in ("adam", "sgd")
        for seed in range(2)
    ]
    strokes = run_strokes(runs, theme_named("light"))
    assert strokes["adam-0"].colour == strokes["adam-1"].colour != strokes["sgd-0"].colour
    assert (strokes["adam-0"].dash, strokes["adam-1"].dash) == ("solid", "dash")
