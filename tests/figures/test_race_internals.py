from __future__ import annotations

import numpy as np
import pytest

from optiscope.errors import ArgumentError, UnknownName
from optiscope.figures.race_internals import race_internals
from optiscope.rendering.printing.specification import decode
from tests.figures.made_races import saddle_race, valley_race


@pytest.fixture(scope="module")
def race():
    return valley_race()


def parts(race, **arguments):
    data = decode(race_internals(race, animated=False, **arguments).to_plotly_json())["data"]
    return {trace["name"]: trace for trace in data if trace.get("name")}


def vector(trace):
    return np.array([trace["x"][1] - trace["x"][0], trace["y"][1] - trace["y"][0]])


def parallel(first, second):
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return cosine == pytest.approx(1.0, abs=1e-4)


def test_arrows_point_against_gradient_and_momentum_and_keep_their_proportion(race):
    path = race.paths_of("adam")[0]
    shown = parts(race, optimizer="adam", step=5)
    gradient, momentum = path.gradients[5], path.internals["momentum"][5]
    drawn = vector(shown["−gradient"]), vector(shown["−momentum"])
    assert parallel(drawn[0], -gradient)
    assert parallel(drawn[1], -momentum)
    ratio = np.linalg.norm(drawn[1]) / np.linalg.norm(drawn[0])
    assert ratio == pytest.approx(np.linalg.norm(momentum) / np.linalg.norm(gradient), rel=1e-3)


def test_the_velocity_and_the_next_step_start_at_the_point(race):
    path = race.paths_of("momentum")[0]
    shown = parts(race, optimizer="momentum", step=8)
    for name, expected in (("velocity", path.internals["velocity"][8]), ("next step", path.points[9] - path.points[8])):
        assert parallel(vector(shown[name]), expected)
        assert (shown[name]["x"][0], shown[name]["y"][0]) == pytest.approx(tuple(path.points[8]), rel=1e-6)


def test_the_half_axes_of_the_ellipse_are_as_the_effective_rates(race):
    path = race.paths_of("adam")[0]
    ellipse = parts(race, optimizer="adam", step=5)["effective rates"]
    ratio = np.ptp(ellipse["x"]) / np.ptp(ellipse["y"])
    assert ratio == pytest.approx(path.effective_rates[5, 0] / path.effective_rates[5, 1], rel=1e-3)


def test_the_look_ahead_is_where_the_gradient_is_taken(race):
    path = race.paths_of("nesterov")[0]
    mark = parts(race, optimizer="nesterov", step=6)["look-ahead"]
    assert (mark["x"][0], mark["y"][0]) == pytest.approx(tuple(path.probes[6]), rel=1e-6)


def test_what_a_rule_has_not_is_not_drawn(race):
    assert {"look-ahead", "effective rates", "velocity"}.isdisjoint(parts(race, optimizer="sgd"))


def test_by_default_it_shows_the_best_optimizer_that_carries_a_state_where_it_disagrees(race):
    figure = race_internals(race)
    assert "Inside momentum" in figure.layout.title.text
    assert figure.layout.sliders[0].active > 0


def test_there_is_a_frame_for_each_step_and_the_first_is_seen_at_its_place(race):
    figure = race_internals(race, optimizer="adam", step=9)
    assert [frame.name for frame in figure.frames] == [str(step) for step in range(61)]
    assert figure.layout.sliders[0].active == 9
    data = decode(figure.to_plotly_json())
    frame = data["frames"][9]
    for index, trace in zip(frame["traces"], frame["data"], strict=True):
        np.testing.assert_array_equal(trace["x"], data["data"][index]["x"])


def test_one_unit_is_as_long_along_both_axes(race):
    figure = race_internals(race)
    assert figure.layout.yaxis.scaleanchor == "x"


def test_hovering_names_the_whole_state(race):
    assert "second moment (" in parts(race, optimizer="adam", step=20)["adam"]["text"][20]


def test_a_path_that_diverges_is_shown_up_to_there():
    figure = race_internals(saddle_race(), optimizer="momentum")
    assert len(figure.frames) == 19
    assert "diverges at step 19" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_unknown_optimizers_and_steps_are_refused(race):
    with pytest.raises(UnknownName, match="Did you mean 'adam'"):
        race_internals(race, optimizer="adams")
    for step in (-1, 61):
        with pytest.raises(ArgumentError, match="steps 0 to 60"):
            race_internals(race, step=step)
