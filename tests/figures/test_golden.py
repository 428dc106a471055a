"""A few figures, number by number.

OPTISCOPE_WRITE_GOLDEN=1 writes them anew; look at the difference before keeping it.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from optiscope.analysis import compare
from optiscope.figures import comparison, curves, layer_heatmap, plot, update_ratio
from tests.analysis.written_runs import write
from tests.figures.made_maps import basins
from tests.figures.made_races import saddle_race
from tests.figures.made_series import series

FOLDER = Path(__file__).parent.parent / "golden" / "figures"


def curve_with_gaps(folder: Path) -> go.Figure:
    return curves(series([1.0, 0.5, np.nan, 0.01, np.inf, 0.002]))


def map_of_layers(folder: Path) -> go.Figure:
    norms = series([[1.0, 0.1], [np.nan, 0.01], [0.5, 0.0]], name="gradient_norm", labels=("conv.weight", "fc.weight"))
    return layer_heatmap(norms, theme="dark")


def ratio_with_band(folder: Path) -> go.Figure:
    return update_ratio(series([1e-2, 1e-3, 1e-5], name="update_ratio/global"))


def groups(folder: Path) -> go.Figure:
    ends = {("adam", 0): 0.1, ("adam", 1): 0.12, ("adam", 2): 0.11, ("sgd", 0): 0.5, ("sgd", 1): 0.45, ("sgd", 2): 0.55}
    runs = [
        write(folder / f"{name}-{seed}", [1.0, 0.7, end], config={"optimizer": name, "seed": seed})
        for (name, seed), end in ends.items()
    ]
    return comparison(compare(runs))


def curves_of_a_race(folder: Path) -> go.Figure:
    return plot(saddle_race(steps=25), view="curves")


def basins_of_two_minima(folder: Path) -> go.Figure:
    return plot(basins(), contours=False, theme="dark")


@pytest.mark.parametrize(
    "build",
    [curve_with_gaps, map_of_layers, ratio_with_band, groups, curves_of_a_race, basins_of_two_minima],
    ids=lambda build: build.__name__,
)
def test_a_figure_is_what_it_was(build, tmp_path):
    figure = build(tmp_path).to_plotly_json()
    figure["layout"].pop("template")
    found = json.dumps(rounded(figure), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    file = FOLDER / f"{build.__name__}.json"
    if os.environ.get("OPTISCOPE_WRITE_GOLDEN"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def rounded(value: object) -> object:
    """Plain JSON with six significant digits: the last bits of a sum are not the figure."""
    match value:
        case dict():
            return {key: rounded(item) for key, item in value.items()}
        case np.ndarray():
            return rounded(value.tolist())
        case list() | tuple():
            return [rounded(item) for item in value]
        case float() | np.floating():
            return float(f"{value:.6g}") if math.isfinite(value) else str(value)
        case np.integer():
            return int(value)
        case _:
            return value
