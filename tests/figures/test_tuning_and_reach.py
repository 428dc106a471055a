from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optiscope.errors import ArgumentError
from optiscope.figures.reach import reach
from optiscope.figures.tuning import tuning
from tests.figures.made_races import valley_race


@pytest.fixture(scope="module")
def race():
    return valley_race(tuned=True)


def own(figure, label, symbol):
    marks = [trace for trace in figure.data if trace.legendgroup == label and trace.mode == "markers"]
    return next(trace for trace in marks if trace.marker.symbol == symbol)


def test_every_trial_is_drawn_and_the_best_is_starred(race):
    figure = tuning(race)
    for entry in race.entries:
        dots, crosses, star = (own(figure, entry.label, symbol) for symbol in ("circle", "x", "star"))
        assert sorted([*dots.x, *crosses.x]) == pytest.approx(sorted(entry.tuning.settings["learning_rate"]))
        assert star.x[0] == entry.tuning.settings["learning_rate"][entry.tuning.best]
        assert star.y[0] == min(dots.y)


def test_the_line_joins_the_trials_that_vary_the_learning_rate_alone(race):
    figure = tuning(race)
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.name == "adam")
    found = next(entry.tuning for entry in race.entries if entry.label == "adam")
    np.testing.assert_allclose(line.x, np.sort(found.settings["learning_rate"][: found.sweep]))


def test_without_such_trials_the_line_joins_the_best_of_each_stretch(race):
    entries = tuple(replace(entry, tuning=replace(entry.tuning, sweep=0)) for entry in race.entries)
    figure = tuning(replace(race, entries=entries))
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.name == "adam")
    assert (np.diff(line.x) > 0).all()
    assert min(line.y) == min(own(figure, "adam", "star").y)


def test_trials_that_diverge_are_crosses(race):
    figure = tuning(race)
    for entry in race.entries:
        lost = ~np.isfinite(entry.tuning.losses).all(axis=1)
        np.testing.assert_allclose(own(figure, entry.label, "x").x, entry.tuning.settings["learning_rate"][lost])
    assert "diverge" in own(figure, "adam", "x").text[0]


def test_a_score_of_zero_has_its_place(race):
    entry = race.entries[0]
    scores = entry.tuning.scores.copy()
    scores[entry.tuning.best] = 0.0
    changed = replace(race, entries=(replace(entry, tuning=replace(entry.tuning, scores=scores)),))
    assert own(tuning(changed), entry.label, "star").y[0] == 0.0


def test_the_learning_rate_of_a_pytorch_optimizer_is_one_too(race):
    entry = race.entries[0]
    settings = {"lr": entry.tuning.settings["learning_rate"]}
    changed = replace(race, entries=(replace(entry, tuning=replace(entry.tuning, settings=settings)),))
    np.testing.assert_allclose(own(tuning(changed), entry.label, "star").x[0], settings["lr"][entry.tuning.best])


def test_another_setting_can_be_on_the_axis(race):
    figure = tuning(race, setting="momentum")
    assert figure.layout.xaxis.type == "linear"
    with pytest.raises(ArgumentError, match="learning_rate, momentum"):
        tuning(race, setting="beta2")


def test_without_tuning_it_says_how_to_get_it():
    with pytest.raises(ArgumentError, match="tune=60"):
        tuning(valley_race())
    with pytest.raises(ArgumentError, match="reach=100"):
        reach(valley_race())


def test_the_share_of_starts_that_reached_the_target_rises_step_by_step(race):
    figure = reach(race)
    for trace, entry in zip(figure.data, race.entries, strict=True):
        assert (np.diff(trace.y) >= 0).all()
        for step in (0, 17, race.steps):
            share = 100 * (entry.reached <= step).mean()
            assert trace.y[np.searchsorted(trace.x, step, side="right") - 1] == pytest.approx(share)
        assert trace.name == f"{entry.label}, {100 * np.isfinite(entry.reached).mean():.0f} %"
