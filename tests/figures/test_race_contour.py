from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures import plot
from optiscope.figures.race_contour import race_contour
from optiscope.problems.functions.rosenbrock import Rosenbrock
from optiscope.rendering.printing.specification import decode
from tests.figures.made_races import descent, race_of, ripple_race, saddle_race, valley_race


@pytest.fixture(scope="module")
def race():
    return saddle_race()


def named(figure, name):
    return next(trace for trace in decode(figure.to_plotly_json())["data"] if trace.get("name") == name)


def test_a_path_has_a_mark_per_step_where_the_optimizer_was(race):
    line = named(race_contour(race, animated=False), "adam")
    path = race.paths_of("adam")[0]
    np.testing.assert_allclose(np.column_stack([line["x"], line["y"]]), path.points, rtol=1e-6, atol=1e-7)
    assert "markers" in line["mode"]


def test_hovering_tells_step_coordinates_loss_and_gradient(race):
    line = named(race_contour(race), "sgd")
    path = race.paths_of("sgd")[0]
    row = line["customdata"][7]
    expected = [7, *path.points[7], path.losses[7], np.linalg.norm(path.gradients[7])]
    np.testing.assert_allclose(row, expected)


def test_minimum_and_saddle_are_marked_and_named(race):
    figure = race_contour(race)
    for name, place in (("local minimum", (0.0, 0.0)), ("saddle", (0.25, -0.5))):
        mark = named(figure, name)
        assert (mark["x"][0], mark["y"][0]) == place


def test_the_contour_through_the_saddle_is_drawn(race):
    bar = race_contour(race, animated=False).data[0]
    level = float(np.interp(0.0625, bar.customdata.ravel()[np.argsort(bar.customdata.ravel())], np.sort(bar.z.ravel())))
    assert abs(level - round(level)) < 0.05


def test_a_global_minimum_is_not_marked_twice():
    figure = race_contour(ripple_race())
    known, others = named(figure, "minimum"), named(figure, "local minima")
    assert list(known["x"]) == [0.0]
    assert len(others["x"]) == 24


def test_what_diverges_ends_in_a_cross_on_the_edge_and_is_said_to_diverge(race):
    figure = race_contour(race)
    cross = named(figure, "diverges")
    assert cross["marker"]["symbol"] == "x"
    assert cross["y"][0] == pytest.approx(-3.0, abs=0.15)
    assert "momentum diverges at step 19." in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert named(figure, "momentum (diverges)")


def test_frames_move_the_paths_and_nothing_else(race):
    figure = race_contour(race)
    data = decode(figure.to_plotly_json())
    frames = data["frames"]
    assert [frame["name"] for frame in frames] == [str(step) for step in range(151)]
    moving = frames[0]["traces"]
    kinds = {data["data"][index].get("fill") for index in moving}
    assert kinds == {None}
    place = {data["data"][index].get("name"): position for position, index in reversed(list(enumerate(moving)))}
    for step in (0, 1, 40, 150):
        line = frames[step]["data"][place["adam"]]
        assert len(line["x"]) == step + 1
        assert line["x"][-1] == pytest.approx(race.paths_of("adam")[0].points[step, 0], abs=1e-6)


def test_the_last_frame_is_what_is_seen_first(race):
    data = decode(race_contour(race).to_plotly_json())
    last = data["frames"][-1]
    assert data["layout"]["sliders"][0]["active"] == 150
    for index, trace in zip(last["traces"], last["data"], strict=True):
        np.testing.assert_array_equal(trace["x"], data["data"][index]["x"])


def test_marks_never_vanish_from_a_trace_for_browsers_would_keep_them(race):
    frames = decode(race_contour(race).to_plotly_json())["frames"]
    assert len({len(frame["data"][-1]["x"]) for frame in frames}) == 1


def test_a_crossing_shows_in_the_frame_in_which_it_happens(race):
    frames = decode(race_contour(race).to_plotly_json())["frames"]
    first = next(step for step, frame in enumerate(frames) if np.isfinite(frame["data"][-1]["x"]).any())
    points = race.paths_of("momentum")[0].points
    assert abs(points[first, 1]) > 3.0
    assert abs(points[first - 1, 1]) <= 3.0


def test_the_axes_are_fixed(race):
    for animated in (True, False):
        figure = race_contour(race, animated=animated, area=((-2, 5), (-2, 5)))
        assert tuple(figure.layout.xaxis.range) == tuple(figure.layout.yaxis.range) == (-2, 5)


def test_a_still_figure_has_no_controls(race):
    figure = race_contour(race, animated=False)
    assert not figure.frames
    assert not figure.layout.sliders
    assert not figure.layout.updatemenus


def test_play_buttons_of_several_speeds_and_pause(race):
    buttons = race_contour(race).layout.updatemenus[0].buttons
    durations = {button.label: button.args[1]["frame"]["duration"] for button in buttons}
    assert durations["▶"] == durations["1×"] == 33
    assert durations["½×"] == 66
    assert durations["❚❚"] == 0


def test_several_starts_have_one_entry_in_the_legend():
    figure = race_contour(valley_race(starts=[(-1.2, 1.0), (1.5, 2.5)]))
    listed = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert listed.count("adam") == 1
    assert "starts" in listed


def test_a_file_of_many_paths_stays_small():
    starts = [(a, b) for a in (-1.2, 0.0, 1.5) for b in (0.5, 1.0, 2.0)]
    assert len(race_contour(valley_race(starts=starts, steps=300)).to_json()) < 5e6


def test_overflow_warns_of_nothing_and_leaves_no_infinity_in_the_picture():
    race = race_of(Rosenbrock(), {"sgd": descent(1.0)}, [(-1.2, 1.0)], steps=12)
    line = named(race_contour(race), "sgd (diverges)")
    assert np.isfinite(line["x"]).all()


def test_a_race_in_three_coordinates_has_curves_and_no_contour():
    race = race_of(Rosenbrock(dimension=3), {"sgd": descent(1e-4)}, [(-1.2, 1.0, 1.0)], steps=5)
    with pytest.raises(ArgumentError, match="two coordinates"):
        race_contour(race)
    assert "Loss" in plot(race).to_json()
    with pytest.raises(ArgumentError, match="'contour' needs a problem of two coordinates"):
        plot(race, view="contour")


def test_colours_are_those_of_the_other_figures(race):
    figure = race_contour(race, colours={"adam": "#010203"})
    assert named(figure, "adam")["line"]["color"] == "#010203"


def test_views_depend_on_what_the_race_knows(race):
    with pytest.raises(ArgumentError, match=r"race\(\.\.\., tune=60\)"):
        plot(race, view="tuning")
    with pytest.raises(UnknownName, match="Valid: contour, curves, fit, internals, phase, reach, surface, tuning"):
        plot(race, view="contours")
    tuned = valley_race(tuned=True)
    without = dataclasses.replace(tuned, target=None)
    plot(tuned, view="reach")
    with pytest.raises(ArgumentError, match="reach=100"):
        plot(without, view="reach")


def test_minima_lie_over_the_ends_of_paths(race):
    names = [trace.name for trace in race_contour(race).data]
    assert names.index("local minimum") > max(place for place, name in enumerate(names) if name == "adam")


def test_of_many_optimizers_the_best_are_in_colour_and_move_and_the_others_are_one_grey_trace():
    race = race_of(
        Rosenbrock(), {f"rule {place}": descent(1e-4 * (1 + place)) for place in range(11)}, [(-1.2, 1.0)], steps=5
    )
    figure = race_contour(race)
    listed = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    assert [name for name in listed if name.startswith("rule")] == [f"rule {place}" for place in range(6)]
    assert "5 others" in listed
    crowd = listed.index("5 others")
    assert crowd not in figure.frames[0].traces
    line = named(figure, "5 others")
    assert int(np.isnan(np.array(line["x"])).sum()) == 4
    colours = {named(figure, f"rule {place}")["line"]["color"] for place in range(6)}
    assert len(colours) == 6
    assert line["line"]["color"] not in colours


def test_marks_that_would_touch_are_left_out():
    race = valley_race(steps=60)
    sizes = np.array(named(race_contour(race), "sgd")["marker"]["size"])
    assert len(sizes) == 61
    assert sizes[0] > 0
    assert 0 < (sizes > 0).sum() < 61


def test_a_unit_is_as_long_along_both_axes_on_request(race):
    assert race_contour(race, equal=True).layout.yaxis.scaleanchor == "x"
    assert race_contour(race).layout.yaxis.scaleanchor is None
